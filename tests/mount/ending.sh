#!/bin/sh
# However a mount ends, it ends at once and in order, and says QUIT to the server.
. "$(dirname "$0")/lib.sh"
require_fuse

pattern 1 3000000 >"$data/file"
start_server

# ends HOW: the process is gone before any time limit, nothing is mounted, and no session is left.
no_sessions() { counters; [ "$(counter sessions-now)" = 0 ]; }
ends() {
	wait_for 20 gone "$ftpfs" || fail "$1: ftpfs is still there"
	is_not_mounted "$mnt" || fail "$1: still mounted"
	wait_for 20 no_sessions || fail "$1: sessions are left"
	_quits=$quits
	quits=$(counter QUIT)
	[ "$quits" -gt "$_quits" ] || fail "$1: no QUIT"
}
quits=0
for signal in TERM INT HUP; do
	mount_site
	same "$mnt/file" "$data/file"
	kill -$signal "$ftpfs"
	ends "SIG$signal"
done
mount_site
ls "$mnt" >/dev/null
fusermount3 -u "$mnt"
ends 'fusermount3 -u'
if [ "$(id -u)" = 0 ]; then
	mount_site
	umount "$mnt"
	ends 'umount'
fi

# A file that is open: unmounting is refused, a signal is not.
mount_site
exec 8<"$mnt/file"
fails_with 'busy' fusermount3 -u "$mnt"
kill -TERM "$ftpfs"
ends 'SIGTERM with an open file'
fails_with 'not connected\|Input/output' sh -c 'cat <&8'
exec 8<&-

# In the foreground the exit status is 0 after an orderly end.
"$BUILD/ftpfs" -f "$url" "$mnt" 2>"$work/ftpfs.log" &
ftpfs=$!
wait_for 60 is_mounted "$mnt" || fail 'not mounted in the foreground'
ls "$mnt" >/dev/null
kill -INT $ftpfs
wait $ftpfs || fail "SIGINT in the foreground: exit code $?"
is_not_mounted "$mnt" || fail 'SIGINT in the foreground: still mounted'
"$BUILD/ftpfs" -f "$url" "$mnt" 2>"$work/ftpfs.log" &
ftpfs=$!
wait_for 60 is_mounted "$mnt" || fail 'not mounted in the foreground'
ls "$mnt" >/dev/null
fusermount3 -u "$mnt"
wait $ftpfs || fail "unmounted in the foreground: exit code $?"
