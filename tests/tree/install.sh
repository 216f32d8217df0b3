#!/bin/sh
# make install puts everything where a program and a user find it; make uninstall takes it away again.
set -u
bad=0
place=$TMPDIR/place

check() {
	name=$1
	shift
	if "$@" >"$TMPDIR/said" 2>&1; then
		echo "ok - $name"
	else
		cat "$TMPDIR/said"
		echo "not ok - $name"
		bad=1
	fi
}

make_in_tree() {
	make -s -C "$SRC" BUILD="$BUILD" DESTDIR="$place" PREFIX=/usr "$@"
}

all_there() {
	for f in bin/ftpfs bin/memftpd lib/libaftp.a lib/libaftp.so lib/libaftp.so.0 lib/pkgconfig/libaftp.pc \
		include/aftp/aftp.h include/aftp/client.h share/man/man1/ftpfs.1 share/man/man1/memftpd.1 share/man/man3/libaftp.3; do
		[ -s "$place/usr/$f" ] || { echo "missing: $f"; return 1; }
	done
	[ "$(readlink "$place/sbin/mount.ftpfs")" = /usr/bin/ftpfs ]
}

# A program of a stranger: built with pkg-config against what was installed, nothing else. $1: how it names the library.
builds_against() {
	cat >"$TMPDIR/program.c" <<-'END'
		#include <aftp/aftp.h>
		#include <stdio.h>
		int main(void)
		{
			return printf("%s\n", aftp_strerror(AFTP_ELOGIN)) < 0;
		}
	END
	export PKG_CONFIG_PATH="$place/usr/lib/pkgconfig"
	flags=$(pkg-config --define-variable=prefix="$place/usr" --cflags --libs --static libaftp | sed "s|-laftp|$1|") || return 1
	# shellcheck disable=SC2086 # a list of flags
	${CC:-cc} -o "$TMPDIR/program" "$TMPDIR/program.c" $flags $SANITIZE || return 1
	[ -n "$(LD_LIBRARY_PATH="$place/usr/lib" "$TMPDIR/program")" ]
}

names() { # nm OPTION...
	! nm --defined-only "$@" | awk 'NF == 3 && $2 ~ /[A-TX-Z]/ { print $3 }' | grep -v '^aftp_\|^LIBAFTP_'
}

# Every program under examples/, with the flags that a user of the shared library gets.
examples_build() {
	flags=$(pkg-config --define-variable=prefix="$place/usr" --cflags --libs libaftp) || return 1
	for f in "$SRC"/examples/*.c; do
		# shellcheck disable=SC2086 # a list of flags
		${CC:-cc} -Wall -Wextra -Werror -o "$TMPDIR/program" "$f" $flags $SANITIZE || return 1
		LD_LIBRARY_PATH="$place/usr/lib" ldd "$TMPDIR/program" | grep -q "libaftp.so.0 => $place/usr/lib" || return 1
	done
}

installed_program_runs() {
	[ "$("$place/usr/bin/ftpfs" --version)" = "$("$BUILD/ftpfs" --version)" ]
}

nothing_left() {
	make_in_tree uninstall || return 1
	[ -z "$(find "$place" ! -type d)" ] || { find "$place" ! -type d; return 1; }
}

# Libraries that were built with sanitizers need them in the program too.
SANITIZE=$(sed -n 's/.*\(-fsanitize=[a-z,]*\).*/\1/p' "$BUILD/flags" | head -n 1)

check 'install' make_in_tree install
check 'everything is there' all_there
check 'a program links with the shared library' builds_against -laftp
check 'a program links with the static library' builds_against "$place/usr/lib/libaftp.a"
check 'the shared library shows public names only' names -D "$place/usr/lib/libaftp.so"
check 'the static library shows public names only' names "$place/usr/lib/libaftp.a"
check 'the examples are built against what is installed' examples_build
check 'the installed program runs' installed_program_runs
check 'uninstall leaves nothing' nothing_left
exit $bad
