#!/bin/sh
# The program that runs each test: what it says of a test's end, and what it keeps from other tests.
set -u
limit=$BUILD/tests/tools/limit
bad=0

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

# ends CODE SECONDS COMMAND
ends() {
	"$limit" "$2" sh -c "$3"
	_code=$?
	[ $_code = "$1" ] || { echo "exit code $_code, not $1"; return 1; }
}

finds_daemons() {
	ends 125 60 'setsid sleep 1000 >/dev/null 2>&1 & echo $! >"$TMPDIR/daemon"' && ! kill -0 "$(cat "$TMPDIR/daemon")"
}

has_own_network() {
	[ "$("$limit" 60 readlink /proc/self/ns/net)" != "$(readlink /proc/self/ns/net)" ] &&
		"$limit" 60 grep '^ *lo:' /proc/net/dev
}

check 'the exit code is that of the test' ends 7 60 'exit 7'
check 'a signal ends it' ends 143 60 'kill -TERM $$'
check 'the time is up' ends 124 1 'sleep 1000'
check 'a process that is left behind' finds_daemons
if "$limit" 60 unshare --net true 2>/dev/null; then
	check 'a network of its own' has_own_network
else
	echo 'ok - a network of its own # SKIP network namespaces cannot be made'
fi
exit $bad
