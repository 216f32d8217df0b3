#!/bin/sh
# ftpfs returns when the mount is live, not before; until the site has answered nothing is mounted.
. "$(dirname "$0")/lib.sh"
require_fuse

echo text >"$data/file"
start_server --latency 300
"$BUILD/ftpfs" "$url" "$mnt" &
starter=$!
mounted_early=no
while ! gone $starter; do
	# The login alone takes several round trips of 600 ms.
	is_mounted "$mnt" || continue
	counters
	[ "$(counter PASS)" != 0 ] || mounted_early=yes
done
wait $starter || fail 'does not mount'
[ $mounted_early = no ] || fail 'mounted before the login'
is_mounted "$mnt" || fail 'returned before it was mounted'
ftpfs=$(pid_of "$mnt")
[ "$(cat "$mnt/file")" = text ] || fail 'cannot read'
for fd in 0 1 2; do
	[ "$(readlink "/proc/$ftpfs/fd/$fd")" = /dev/null ] || fail "descriptor $fd is not /dev/null"
done
[ "$(readlink "/proc/$ftpfs/cwd")" = / ] || fail 'keeps its directory busy'
[ "$(ps -o sid= -p "$ftpfs" | tr -d ' ')" = "$ftpfs" ] || fail 'is in the session of its starter'
unmount_site

# A start that is given up leaves nothing behind.
stop_server
start_server --latency 10000
"$BUILD/ftpfs" "$url" "$mnt" 2>/dev/null &
starter=$!
has_process() { [ -n "$(pid_of "$mnt")" ]; }
wait_for 60 has_process || fail 'does not start'
kill -KILL $starter
wait $starter 2>/dev/null
no_process() { ! has_process; }
wait_for 60 no_process || fail 'goes on without its starter'
is_not_mounted "$mnt" || fail 'mounted without its starter'
