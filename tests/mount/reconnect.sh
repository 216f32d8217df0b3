#!/bin/sh
# The server is killed while a file is read, and comes back: the reader gets all bytes, by REST.
. "$(dirname "$0")/lib.sh"
require_fuse
own_address
require openssl

pattern 1 30000000 >"$data/big"
start_server --rate 2M
mount_site timeout=10,segments=1
cat "$mnt/big" >"$work/big" &
reader=$!
has_some() { [ "$(stat -c %s "$work/big")" -gt 3000000 ]; }
wait_for 60 has_some || fail 'the reader does not begin'
stop_server KILL
restart_server
wait $reader || fail 'the reader fails'
same "$work/big" "$data/big"
counters
[ "$(counter REST)" -gt 0 ] || fail 'it was read from the beginning'
[ "$(counter bytes-sent)" -lt 29000000 ] || fail 'it was read from the beginning'
[ "$(ls "$mnt")" = big ] || fail 'ls after the server came back'
unmount_site
