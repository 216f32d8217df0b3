#!/bin/sh
# A 226 that never comes, and a 226 that lies: the size decides.
. "$(dirname "$0")/lib.sh"
require_fuse
require openssl

pattern 1 3000000 >"$data/file"
start_server --no-final-reply
mount_site timeout=2,connect_timeout=2
timeout 100 cmp "$mnt/file" "$data/file" || fail 'a whole file without its 226'
unmount_site
stop_server

start_server --short-data
mount_site timeout=2,connect_timeout=2
timeout 100 cat "$mnt/file" >"$work/part" 2>"$work/said" && cmp "$work/part" "$data/file" >/dev/null 2>&1 || {
	[ -s "$work/said" ] || fail 'half a file was taken for all of it'
}
cmp -n "$(stat -c %s "$work/part")" "$work/part" "$data/file" || fail 'wrong bytes'
unmount_site
