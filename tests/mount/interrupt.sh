#!/bin/sh
# Who waits for a server that says nothing can be interrupted at once, and the mount goes on.
. "$(dirname "$0")/lib.sh"
require_fuse
require openssl

pattern 1 3000000 >"$data/file"
mkdir "$data/dir"
echo text >"$data/dir/small"
start_server
# What waits for an answer waits for 60 seconds.
mount_site timeout=60,attr_timeout=0,"${1:-direct_io}"
[ "$(cat "$mnt/dir/small")" = text ] || fail 'cat'

is_asleep() { grep -q '^State:[[:space:]]*[SD]' "/proc/$1/status"; }
# interrupts SIGNAL COMMAND...
interrupts() {
	signal=$1
	shift
	"$@" >/dev/null 2>&1 &
	victim=$!
	wait_for 60 is_asleep $victim || fail "$* does not wait"
	begin=$(now_ms)
	kill "-$signal" $victim
	wait_for 30 gone $victim || fail "SIG$signal: $* hangs"
	took=$(($(now_ms) - begin))
	say "SIG$signal: $* ended after $took ms"
	[ $took -lt 30000 ] || fail "SIG$signal: $* took $took ms"
	wait $victim && fail "SIG$signal: $* succeeded"
}
kill -STOP "$server"
for signal in TERM KILL; do
	interrupts $signal cat "$mnt/dir/small"
	interrupts $signal stat "$mnt/dir/other"
	interrupts $signal ls "$mnt/dir"
	interrupts $signal dd "if=$mnt/file" of=/dev/null bs=64K
done
kill -CONT "$server"
works_again() { [ "$(timeout 100 cat "$mnt/dir/small" 2>/dev/null)" = text ]; }
wait_for 60 works_again || fail 'the mount does not go on'
same "$mnt/file" "$data/file"
unmount_site
stop_server

# Through the page cache: the transfer stalls in the middle of the file. Its time says that it may have changed since:
# an open drops the pages, of which some are being read.
touch -d '1 hour' "$data/file"
start_server --stall-after 1M
mount_site timeout=60
interrupts TERM cat "$mnt/file"
interrupts KILL cat "$mnt/file"
[ "$(cat "$mnt/dir/small")" = text ] || fail 'another file after the interrupt'
seconds_of kill -TERM "$ftpfs"
wait_for 30 gone "$ftpfs" || fail 'ftpfs waits for the stalled server'
is_not_mounted "$mnt" || fail 'still mounted'
