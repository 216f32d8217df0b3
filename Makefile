# ftpfs: see README.md.  make | make check | make demo | make lint | make bench | make install DESTDIR= PREFIX=
# SAN=address,undefined builds with sanitizers into its own folder; CC=clang works too; WERROR=1 stops at warnings.

VERSION := 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
SAN     ?=
WERROR  ?=
BUILD   ?= build$(if $(SAN),/san)

PKGS    := libuv openssl
CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wno-sign-conversion \
           -Wvla -Wpointer-arith -Wwrite-strings -Wundef -Wformat=2 $(if $(WERROR),-Werror)
HARDEN  := -fstack-protector-strong $(if $(SAN),,-D_FORTIFY_SOURCE=2)
CPPFLAGS += -D_GNU_SOURCE -DFTPFS_VERSION='"$(VERSION)"' -Iinclude -Isrc
ALL_CFLAGS  = -std=c11 -fPIC $(WARN) $(HARDEN) $(CFLAGS) $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer) \
              $(shell pkg-config --cflags $(PKGS))
ALL_LDFLAGS = $(LDFLAGS) -Wl,-z,relro,-z,now $(if $(SAN),-fsanitize=$(SAN))
AFTP_LIBS   := $(shell pkg-config --libs $(PKGS)) -lpthread
FUSE_CFLAGS := $(shell pkg-config --cflags fuse3)
FUSE_LIBS   := $(shell pkg-config --libs fuse3)
CMOCKA_LIBS := $(shell pkg-config --libs cmocka)

AFTP_SRC   := $(sort $(wildcard src/base/*.c src/stream/*.c src/proto/*.c src/client/*.c src/server/*.c))
REMOTE_SRC := $(sort $(wildcard src/remote/*.c))
MOUNT_SRC  := $(sort $(wildcard src/mount/*.c))
MEMFTPD_SRC := $(sort $(wildcard src/memftpd/*.c))
obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

AFTP_OBJ   := $(call obj,$(AFTP_SRC))
REMOTE_OBJ := $(call obj,$(REMOTE_SRC))
MOUNT_OBJ  := $(call obj,$(MOUNT_SRC))
# The mount's modules without its main, for unit tests.
MOUNT_TESTABLE := $(filter-out $(call obj,src/mount/main.c),$(MOUNT_OBJ))
MEMFTPD_OBJ := $(call obj,$(MEMFTPD_SRC))

# Test programs: one a module.  tests/lib/*.c is shared by those that need it.
TEST_SRC   := $(sort $(wildcard tests/unit/*/test_*.c tests/proto/test_*.c))
TEST_LIB_OBJ := $(call obj,$(sort $(wildcard tests/lib/*.c)))
TEST_BIN   := $(patsubst tests/%.c,$(BUILD)/tests/%,$(TEST_SRC))
TEST_TOOL  := $(patsubst tests/tools/%.c,$(BUILD)/tests/tools/%,$(sort $(wildcard tests/tools/*.c)))

.PHONY: all check check-unit check-valgrind demo lint bench install uninstall clean dist format tests
.SECONDARY:

all: $(BUILD)/ftpfs $(BUILD)/memftpd $(BUILD)/libaftp.a $(BUILD)/libaftp.so

$(BUILD)/libaftp.a: $(AFTP_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/libaftp.so: $(AFTP_OBJ) src/libaftp.map
	$(CC) -shared -Wl,-soname,libaftp.so.0 -Wl,--version-script=src/libaftp.map $(ALL_LDFLAGS) -o $@ $(AFTP_OBJ) $(AFTP_LIBS)

$(BUILD)/ftpfs: $(MOUNT_OBJ) $(REMOTE_OBJ) $(BUILD)/libaftp.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(FUSE_LIBS) $(AFTP_LIBS)

$(BUILD)/memftpd: $(MEMFTPD_OBJ) $(BUILD)/libaftp.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(AFTP_LIBS)

$(BUILD)/librest.a: $(MOUNT_TESTABLE) $(REMOTE_OBJ) $(TEST_LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/tests/tools/%: $(BUILD)/obj/tests/tools/%.o $(BUILD)/libaftp.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(AFTP_LIBS)

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(BUILD)/librest.a $(BUILD)/libaftp.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CMOCKA_LIBS) $(FUSE_LIBS) $(AFTP_LIBS)

$(BUILD)/obj/src/mount/%.o: EXTRA_CFLAGS = $(FUSE_CFLAGS)
$(BUILD)/obj/tests/%.o: EXTRA_CFLAGS = -Itests $(FUSE_CFLAGS) -Wno-missing-prototypes
$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(EXTRA_CFLAGS) -MMD -MP -c -o $@ $<

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

tests: $(TEST_BIN) $(TEST_TOOL)

clean:
	rm -rf build
