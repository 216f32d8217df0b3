#!/bin/sh
# The program in docs/library.md is one: it is compiled without a warning, and does what the page says.
set -u
bad=0
pid=
trap '[ -z "$pid" ] || { kill "$pid"; wait "$pid"; }' EXIT

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

compiles() {
	# shellcheck disable=SC2046,SC2086 # lists of flags
	${CC:-cc} -std=c11 -Wall -Wextra -Werror -D_GNU_SOURCE -I"$SRC/include" $(pkg-config --cflags libuv openssl) -o "$TMPDIR/program" \
		"$TMPDIR/program.c" "$BUILD/libaftp.a" $(pkg-config --libs libuv openssl) -lpthread $sanitize
}

fetches() {
	cd "$TMPDIR" || return 1
	timeout 60 ./program "ftp://127.0.0.1:$port" >out && grep '^> read me$' out && grep '^2 files, 9 bytes$' out &&
		diff -r site/pub copy && timeout 60 ./program "ftp://127.0.0.1:$port" >again && grep '^2 files, 0 bytes$' again
}

fails() {
	timeout 60 "$TMPDIR/program" ftp://127.0.0.1:1 && return 1
	[ $? = 1 ]
}

# The first block of C that has a main().
awk '/^```c$/ { on = 1; text = ""; next } /^```$/ { if (on && text ~ /main\(/) { printf "%s", text; exit } on = 0 } on { text = text $0 "\n" }' \
	"$SRC/docs/library.md" >"$TMPDIR/program.c"
sanitize=$(sed -n 's/.*\(-fsanitize=[a-z,]*\).*/\1/p' "$BUILD/flags" | head -n 1)
mkdir -p "$TMPDIR/site/pub/sub"
echo 'read me' >"$TMPDIR/site/README"
echo one >"$TMPDIR/site/pub/one"
echo more >"$TMPDIR/site/pub/sub/more"
mkfifo "$TMPDIR/first"
"$BUILD/memftpd" --listen 127.0.0.1:0 --load "$TMPDIR/site" >"$TMPDIR/first" 2>"$TMPDIR/err" &
pid=$!
read -r line <"$TMPDIR/first"
port=${line##*:}

check 'the program of the page compiles' compiles
check 'it fetches, and a second time there is nothing to do' fetches
check 'it says that nobody listens' fails
exit $bad
