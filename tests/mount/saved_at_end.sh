#!/bin/sh
# What programs have written and not closed when a mount ends is saved; what cannot be saved is said, by name.
. "$(dirname "$0")/lib.sh"
require_fuse

pattern 1 3000000 >"$work/whole"
head -c 1000000 "$work/whole" >"$work/first"
on_server() { curl -sS "$url/$1" -o "$work/got" && same "$work/got" "$2"; }
require curl

in_foreground() {
	"$BUILD/ftpfs" -f "$url" "$mnt" ${1:+-o "$1"} 2>"$work/ftpfs.log" &
	ftpfs=$!
	wait_for 60 is_mounted "$mnt" || fail 'not mounted'
}

# ends STATUS: of ftpfs, which was told to.
ends() {
	wait $ftpfs
	_status=$?
	[ $_status = "$1" ] || fail "exit code $_status, not $1"
	is_not_mounted "$mnt" || fail 'still mounted'
}

start_server
for options in '' max_conns=1 atomic; do
	in_foreground "$options"
	exec 8>"$mnt/stream" 7<>"$mnt/anywhere"
	cat "$work/first" >&8
	cat "$work/first" >&7
	printf x | dd of="$mnt/anywhere" bs=1 conv=notrunc 2>/dev/null
	{ printf x && tail -c +2 "$work/first"; } >"$work/changed"
	kill -TERM $ftpfs
	ends 0
	exec 8>&- 7>&-
	on_server stream "$work/first"
	on_server anywhere "$work/changed"
done
stop_server

# Written, not closed, and the mount goes away lazily: what is written after is saved, too.
start_server
mount_site
exec 8>"$mnt/lazy"
cat "$work/first" >&8
fusermount3 -u -z "$mnt"
tail -c +1000001 "$work/whole" >&8
exec 8>&-
wait_for 60 gone "$ftpfs" || fail 'ftpfs does not end'
on_server lazy "$work/whole"
stop_server

# No room: the log tells which file, and so does the exit status.
start_server --quota 100000
in_foreground
exec 8>"$mnt/much" 7>"$mnt/little"
printf small >&7
cat "$work/first" >&8 2>/dev/null
kill -TERM $ftpfs
ends 1
exec 8>&- 7>&-
grep -q '/much: the last changes are lost: ' "$work/ftpfs.log" || fail 'the file is not named'
grep -q '/little: the last' "$work/ftpfs.log" && fail 'a file that was saved is named'
printf small >"$work/small"
on_server little "$work/small"
