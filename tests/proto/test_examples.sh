#!/bin/sh
# The programs under examples/ do what they say, against memftpd.
set -u
BUILD=${BUILD:-build}
work=$(mktemp -d) || exit 1
pid=
trap '[ -z "$pid" ] || kill "$pid"; rm -rf "$work"' EXIT
failures=0

check() { # name command...
	name=$1
	shift
	if "$@" >"$work/log" 2>&1; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		tail -n 20 "$work/log" | sed 's/^/# /'
		failures=$((failures + 1))
	fi
}

example() {
	program=$1
	shift
	timeout 60 "$BUILD/examples/$program" "$@"
}

mkdir -p "$work/site/sub" || exit 1
printf 'one line\nand another\n' >"$work/site/lines.txt"
printf 'content' >"$work/site/sub/file"
head -c 3000000 /dev/urandom >"$work/site/large.bin"
head -c 300000 /dev/urandom >"$work/local.bin"
mkfifo "$work/first" || exit 1
"$BUILD/memftpd" --listen 127.0.0.1:0 --load "$work/site" >"$work/first" 2>"$work/err" &
pid=$!
read -r line <"$work/first"
port=${line##*:}
url=ftp://127.0.0.1:$port
fetch() {
	rm -f "$work/fetched"
	example mirror get "$url" "$1" "$work/fetched"
}

basic() {
	example basic 127.0.0.1 "$port" >"$work/out" || return 1
	grep '^Status: 220 ' "$work/out" && grep '^Received [0-9]* bytes: 221 ' "$work/out"
}
throttled() {
	example throttled 127.0.0.1 "$port" >"$work/out" || return 1
	[ "$(grep -c '^Response: ' "$work/out")" = 2 ] && grep '^Response: 2[23]0' "$work/out"
}
iterate() {
	example iterate "$url" /lines.txt /upper.txt >"$work/out" || return 1
	grep '^Processed: ONE LINE$' "$work/out" && fetch /upper.txt &&
		[ "$(cat "$work/fetched")" = "$(tr '[:lower:]' '[:upper:]' <"$work/site/lines.txt")" ]
}
advanced() {
	example advanced "$url" "$work/site/lines.txt" "$work/local.bin" || return 1
	fetch /small_remote && cmp "$work/fetched" "$work/site/lines.txt" && fetch /large_remote &&
		cmp "$work/fetched" "$work/local.bin"
}
monitored() {
	example monitored "$url" /large.bin "$work/copy" >"$work/out" || return 1
	cmp "$work/copy" "$work/site/large.bin" && [ "$(grep -c '^Transferred ' "$work/out")" -ge 2 ]
}
mirror() {
	example mirror put "$url" "$work/site" /a/new/place && example mirror get "$url" /a/new/place "$work/back" &&
		diff -r "$work/site" "$work/back" && example mirror get "$url" /a/new/place "$work/back" >"$work/out" &&
		grep ' 0 bytes' "$work/out"
}
fails() { # what a program says and answers when there is no such file
	! "$@" >"$work/out" 2>&1 && [ -s "$work/out" ]
}

check 'basic: a stream by itself' basic
check 'throttled: a stream with a throttle' throttled
check 'iterate: by line, down and up' iterate
check 'advanced: several throttles' advanced
check 'monitored: an observer' monitored
check 'mirror: trees, both ways, and again' mirror
check 'iterate says what is missing' fails example iterate "$url" /missing /x
check 'monitored says what is missing' fails example monitored "$url" /missing "$work/x"
check 'mirror says what is missing' fails example mirror get "$url" /missing "$work/x"
check 'basic says that nobody listens' fails example basic 127.0.0.1 1
exit $((failures > 0))
