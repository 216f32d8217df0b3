#!/bin/sh
# With one connection everything works, also a listing while a big file is being read.
. "$(dirname "$0")/lib.sh"
require_fuse
require openssl

pattern 1 60000000 >"$data/big"
pattern 2 3000000 >"$data/other"
mkdir -p "$data/a/b"
echo text >"$data/a/b/file"
echo 'limit 1000000' >"$work/limits"
start_server --max-connections 1 --limits "$work/limits"
mount_site max_conns=1,attr_timeout=0
cat "$mnt/big" >"$work/big" &
reader=$!
has_begun() { [ -s "$work/big" ]; }
wait_for 60 has_begun || fail 'the reader does not begin'
timeout 100 ls -R "$mnt" >/dev/null || fail 'ls while a file is read'
[ "$(timeout 100 cat "$mnt/a/b/file")" = text ] || fail 'cat while a file is read'
timeout 100 cmp "$mnt/other" "$data/other" || fail 'another file while one is read'
! gone $reader || fail 'the big file was too small to read while it lasted'
echo 'limit 0' >"$work/limits"
kill -HUP "$server"
wait $reader || fail 'the reader fails'
same "$work/big" "$data/big"
# Readers that leave early do not use up the connection.
for n in 1 2 3 4 5 6 7 8 9 10; do
	[ "$(head -c 1 "$mnt/big" | od -An -tx1)" = "$(head -c 1 "$data/big" | od -An -tx1)" ] || fail "early leaver $n"
done
cmp -i 55000000 "$mnt/big" "$data/big" || fail 'the end of the file'
unmount_site
counters
[ "$(counter refused)" = 0 ] || fail "$(counter refused) connections too many"
