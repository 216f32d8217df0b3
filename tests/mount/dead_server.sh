#!/bin/sh
# A server that is gone, or says nothing any more: an error in bounded time, never "no such file", and the mount recovers.
. "$(dirname "$0")/lib.sh"
require_fuse
own_address
require openssl

pattern 1 30000000 >"$data/big"
mkdir "$data/dir"
echo text >"$data/dir/file"

# trouble COMMAND...: it fails in time, and not because something does not exist.
trouble() {
	seconds_of timeout 100 "$@" >/dev/null 2>"$work/said"
	say "$* ($code, $took s): $(cat "$work/said")"
	[ $code != 0 ] || fail 'succeeded'
	[ $code != 124 ] || fail 'hangs'
	[ $took -lt 60 ] || fail "took $took seconds"
	grep -q 'Input/output error\|Connection timed out\|Connection refused\|No route\|not connected' "$work/said" || fail 'another error'
}

start_server --rate 8M
mount_site timeout=2,connect_timeout=2,attr_timeout=1
ls -l "$mnt" >/dev/null || fail 'ls'
cat "$mnt/big" >"$work/big" 2>"$work/reader.log" &
reader=$!
has_some() { [ "$(stat -c %s "$work/big")" -gt 3000000 ]; }
wait_for 60 has_some || fail 'the reader does not begin'
stop_server KILL
wait_for 60 gone $reader || fail 'the reader hangs'
wait $reader && fail 'the reader takes a part for all'
cmp -n "$(stat -c %s "$work/big")" "$work/big" "$data/big" || fail 'wrong bytes'
cached_no_more() { ! timeout 100 stat "$mnt/dir/file" >/dev/null 2>&1; }
wait_for 60 cached_no_more || fail 'still known'
trouble ls "$mnt/dir"
trouble cat "$mnt/dir/file"
trouble stat "$mnt/dir/other"
trouble cat "$mnt/new"
timeout 60 df "$mnt" >/dev/null || fail 'df asks the server'
restart_server
works_again() { [ "$(cat "$mnt/dir/file" 2>/dev/null)" = text ]; }
wait_for 60 works_again || fail 'does not recover'
fails_with 'No such file' cat "$mnt/new"
unmount_site
stop_server

# A frozen server keeps all connections open.
start_server
mount_site timeout=2,connect_timeout=2,attr_timeout=0
ls -l "$mnt" >/dev/null || fail 'ls'
kill -STOP "$server"
trouble ls "$mnt/dir"
trouble cat "$mnt/big"
kill -CONT "$server"
wait_for 60 works_again || fail 'does not recover from a frozen server'
kill -STOP "$server"
ls "$mnt/dir" >/dev/null 2>&1 &
lister=$!
seconds_of fusermount3 -u -z "$mnt"
[ $took -lt 30 ] || fail 'unmounting waits for the server'
wait_for 60 gone "$ftpfs" || fail 'ftpfs waits for the server'
wait_for 60 gone $lister || fail 'ls survives the mount'
kill -CONT "$server"
