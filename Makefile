# ftpfs: see README.md.
# make | make check | make demo | make lint | make fuzz | make bench | make bench-micro | make install DESTDIR= PREFIX=
# SAN=address,undefined builds with sanitizers into its own folder; CC=clang works too; WERROR=1 stops at warnings.
# check, demo, lint, fuzz and bench install what they need first (scripts/setup); the rest only builds.

VERSION := 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
OBJCOPY ?= objcopy
SAN     ?=
WERROR  ?=
BUILD   ?= build$(if $(SAN),/san)

PKGS    := libuv openssl
CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wno-sign-conversion \
           -Wvla -Wpointer-arith -Wwrite-strings -Wundef -Wformat=2 $(if $(WERROR),-Werror)
HARDEN  := -fstack-protector-strong $(if $(SAN),,-D_FORTIFY_SOURCE=2)
CPPFLAGS += -D_GNU_SOURCE -DFTPFS_VERSION='"$(VERSION)"' -Iinclude -Isrc

# These goals set the machine up before anything is built.
SETUP_GOALS := check demo lint fuzz bench clean distclean dist format
ifneq ($(filter-out $(SETUP_GOALS),$(or $(MAKECMDGOALS),all)),)
ifneq ($(shell pkg-config --exists --print-errors $(PKGS) fuse3 && echo yes),yes)
$(error libraries are missing: run scripts/setup build)
endif
AFTP_CFLAGS := $(shell pkg-config --cflags $(PKGS))
AFTP_LIBS   := $(shell pkg-config --libs $(PKGS)) -lpthread
FUSE_CFLAGS := $(shell pkg-config --cflags fuse3)
FUSE_LIBS   := $(shell pkg-config --libs fuse3)
endif
CMOCKA_LIBS  = $(shell pkg-config --libs cmocka)

ALL_CFLAGS  = -std=c11 -fPIC $(WARN) $(HARDEN) $(CFLAGS) $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer) \
              $(AFTP_CFLAGS)
ALL_LDFLAGS = $(LDFLAGS) -Wl,-z,relro,-z,now $(if $(SAN),-fsanitize=$(SAN))

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
BENCH_BIN  := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard bench/*.c bench/micro/*.c bench/client/*.c bench/server/*.c)))
# Every executable script below tests/ is a test; a script that others source is not executable.
TEST_SCRIPT := $(sort $(shell find tests -name '*.sh' -perm -u+x))

.PHONY: all check check-run check-unit check-mount check-sanitized check-valgrind demo lint bench bench-micro bench-programs install uninstall clean distclean dist format tests FORCE
.SECONDARY:

all: $(BUILD)/ftpfs $(BUILD)/memftpd $(BUILD)/libaftp.a $(BUILD)/libaftp.so

# With every name, for what is built here.
$(BUILD)/libinner.a: $(AFTP_OBJ)
	@rm -f $@
	$(AR) qcs $@ $^

# One object, in which only what is public has a name that others see: theirs may be like ours.
$(BUILD)/libaftp.a: $(AFTP_OBJ)
	@rm -f $@
	$(LD) -r -o $(BUILD)/obj/libaftp.o $^
	$(OBJCOPY) --wildcard --keep-global-symbol='aftp_*' $(BUILD)/obj/libaftp.o
	$(AR) qcs $@ $(BUILD)/obj/libaftp.o

$(BUILD)/libaftp.so: $(AFTP_OBJ) src/libaftp.map
	$(CC) -shared -Wl,-soname,libaftp.so.0 -Wl,--version-script=src/libaftp.map $(ALL_LDFLAGS) -o $@ $(AFTP_OBJ) $(AFTP_LIBS)

$(BUILD)/ftpfs: $(MOUNT_OBJ) $(REMOTE_OBJ) $(BUILD)/libinner.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(FUSE_LIBS) $(AFTP_LIBS)

$(BUILD)/memftpd: $(MEMFTPD_OBJ) $(BUILD)/libinner.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(AFTP_LIBS)

$(BUILD)/librest.a: $(MOUNT_TESTABLE) $(REMOTE_OBJ) $(TEST_LIB_OBJ)
	@rm -f $@
	$(AR) qcs $@ $^

$(BUILD)/tests/tools/%: $(BUILD)/obj/tests/tools/%.o $(BUILD)/libinner.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(AFTP_LIBS)

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(BUILD)/librest.a $(BUILD)/libinner.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CMOCKA_LIBS) $(FUSE_LIBS) $(AFTP_LIBS)

$(BUILD)/bench/%: $(BUILD)/obj/bench/%.o $(BUILD)/libinner.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(AFTP_LIBS)

$(BUILD)/obj/src/mount/%.o: EXTRA_CFLAGS = $(FUSE_CFLAGS)
$(BUILD)/obj/tests/%.o: EXTRA_CFLAGS = -Itests $(FUSE_CFLAGS) -Wno-missing-prototypes
$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(EXTRA_CFLAGS) -MMD -MP -c -o $@ $<

# Other flags or another compiler: everything is built anew.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS)' | cmp -s - $@ || echo '$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS)' >$@

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

tests: $(TEST_BIN) $(TEST_TOOL) $(BENCH_BIN)
bench-programs: $(BENCH_BIN)

# --- tests ----------------------------------------------------------------------------------------

check:
	+@sh scripts/check

check-run: all tests
	@BUILD=$(BUILD) sh scripts/run-tests $(TEST_BIN) $(TEST_SCRIPT)

check-unit: tests
	@BUILD=$(BUILD) sh scripts/run-tests $(TEST_BIN)

check-mount: all tests
	@BUILD=$(BUILD) sh scripts/run-tests $(filter tests/mount/%,$(TEST_SCRIPT))

# For a build with SAN=: what finds errors of memory.  Real servers and valgrind add nothing there.
check-sanitized: all tests
	@BUILD=$(BUILD) sh scripts/run-tests $(TEST_BIN) $(filter-out %/valgrind.sh,$(filter tests/mount/% tests/proto/% tests/fuzz/%,$(TEST_SCRIPT)))

check-valgrind: tests
	@BUILD=$(BUILD) sh scripts/check-valgrind $(TEST_BIN)

demo:
	+@sh scripts/demo

lint:
	+@sh scripts/lint

bench:
	+@sh bench/run

bench-micro: $(BENCH_BIN)
	$(BUILD)/bench/micro/bench_stream

format:
	clang-format -i $(shell find src include tests bench -name '*.[ch]')

# --- fuzzing --------------------------------------------------------------------------------------

# make fuzz: each target of tests/fuzz for FUZZ_SECONDS, with clang's libFuzzer and sanitizers, in a folder of its own.
# make check replays the inputs that are kept in tests/fuzz/seeds with plain programs.
FUZZ_SECONDS ?= 60
FUZZ_CC ?= clang
FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_REPLAY  := $(patsubst %,$(BUILD)/tests/fuzz/replay_%,$(FUZZ_TARGETS))
FUZZ_BIN     := $(patsubst %,$(BUILD)/tests/fuzz/fuzz_%,$(FUZZ_TARGETS))

.PHONY: fuzz fuzz-bin
fuzz:
	+@sh scripts/setup build fuzz
	+@$(MAKE) -s BUILD=$(BUILD)/fuzz CC="$(FUZZ_CC)" SAN=fuzzer-no-link,address,undefined fuzz-bin
	@BUILD=$(BUILD)/fuzz FUZZ_SECONDS=$(FUZZ_SECONDS) sh tests/fuzz/run $(FUZZ_TARGETS)

fuzz-bin: $(FUZZ_BIN)
tests: $(FUZZ_REPLAY)

$(FUZZ_REPLAY): $(BUILD)/tests/fuzz/replay_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/obj/tests/fuzz/replay.o \
		$(BUILD)/obj/tests/fuzz/redirect.o $(BUILD)/libinner.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -rdynamic -o $@ $^ $(AFTP_LIBS)

$(FUZZ_BIN): $(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/obj/tests/fuzz/redirect.o $(BUILD)/libinner.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -rdynamic -o $@ $^ $(AFTP_LIBS)

# --- install --------------------------------------------------------------------------------------

BINDIR     := $(PREFIX)/bin
LIBDIR     := $(PREFIX)/lib
INCLUDEDIR := $(PREFIX)/include
MANDIR     := $(PREFIX)/share/man
DOCDIR     := $(PREFIX)/share/doc/ftpfs
# mount(8) looks for its helpers in /sbin only: mount -t ftpfs, mount -t fuse.ftpfs.
SBINDIR    ?= $(if $(filter /usr /usr/local,$(PREFIX)),/sbin,$(PREFIX)/sbin)
INSTALLED  := $(BINDIR)/ftpfs $(BINDIR)/memftpd $(LIBDIR)/libaftp.a $(LIBDIR)/libaftp.so.0 $(LIBDIR)/libaftp.so \
              $(LIBDIR)/pkgconfig/libaftp.pc $(patsubst include/%,$(INCLUDEDIR)/%,$(wildcard include/aftp/*.h)) \
              $(patsubst man/%,$(MANDIR)/man1/%,$(wildcard man/*.1)) $(patsubst man/%,$(MANDIR)/man3/%,$(wildcard man/*.3)) \
              $(patsubst %,$(DOCDIR)/%,README.md CHANGELOG.md LICENSE) $(SBINDIR)/mount.ftpfs $(SBINDIR)/mount.fuse.ftpfs

install: all
	install -d $(addprefix $(DESTDIR),$(BINDIR) $(LIBDIR)/pkgconfig $(INCLUDEDIR)/aftp $(MANDIR)/man1 $(MANDIR)/man3 $(DOCDIR) $(SBINDIR))
	install -m 755 $(BUILD)/ftpfs $(BUILD)/memftpd $(DESTDIR)$(BINDIR)
	install -m 644 $(BUILD)/libaftp.a $(DESTDIR)$(LIBDIR)
	install -m 644 $(BUILD)/libaftp.so $(DESTDIR)$(LIBDIR)/libaftp.so.0
	ln -sf libaftp.so.0 $(DESTDIR)$(LIBDIR)/libaftp.so
	sed -e 's|@PREFIX@|$(PREFIX)|g; s|@VERSION@|$(VERSION)|g' packaging/libaftp.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/libaftp.pc
	install -m 644 include/aftp/*.h $(DESTDIR)$(INCLUDEDIR)/aftp
	install -m 644 man/*.1 $(DESTDIR)$(MANDIR)/man1
	install -m 644 man/*.3 $(DESTDIR)$(MANDIR)/man3
	install -m 644 README.md CHANGELOG.md LICENSE $(DESTDIR)$(DOCDIR)
	ln -sf $(BINDIR)/ftpfs $(DESTDIR)$(SBINDIR)/mount.ftpfs
	ln -sf $(BINDIR)/ftpfs $(DESTDIR)$(SBINDIR)/mount.fuse.ftpfs

uninstall:
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	rmdir $(DESTDIR)$(INCLUDEDIR)/aftp $(DESTDIR)$(DOCDIR)

dist:
	@mkdir -p build
	git archive --prefix=ftpfs-$(VERSION)/ -o build/ftpfs-$(VERSION).tar.gz HEAD

# The servers that scripts/setup unpacked stay until distclean.
clean:
	[ ! -d build ] || find build -mindepth 1 -maxdepth 1 ! -name servers -exec rm -rf {} +

distclean:
	rm -rf build

# --- examples -------------------------------------------------------------------------------------

EXAMPLE_BIN := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard examples/*.c)))

.PHONY: examples
examples: $(EXAMPLE_BIN)
tests: $(EXAMPLE_BIN)

$(BUILD)/examples/%: $(BUILD)/obj/examples/%.o $(BUILD)/libaftp.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(AFTP_LIBS)
