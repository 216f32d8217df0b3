#!/bin/sh
# With one connection, and with more writers than connections: nothing waits for itself, and nothing fails.
. "$(dirname "$0")/lib.sh"
require_fuse
require openssl

pattern 1 30000000 >"$data/a"
mkdir "$data/dir"
# Without SITE: else the server copies by itself.
start_server --max-connections 1 --rate 8M --no SITE
mount_site max_conns=1,attr_timeout=1

# From the mount to the mount, while the directory is listed.
timeout 100 cp "$mnt/a" "$mnt/b" &
copier=$!
listed=0
while ! gone $copier; do
	timeout 100 ls -l "$mnt" "$mnt/dir" >"$work/listing" || fail 'ls during a copy'
	grep -q ' a$' "$work/listing" || fail 'ls during a copy: an incomplete listing'
	listed=$((listed + 1))
done
wait $copier || fail 'cp from the mount to itself'
[ $listed -ge 1 ] || fail 'the copy was too short to list while it lasted'
same "$mnt/b" "$data/a"

for n in $(seq 50); do
	[ "$(timeout 100 cat "$mnt/b" 2>"$work/said" | head -c 1 | od -An -tx1)" = "$(head -c 1 "$data/a" | od -An -tx1)" ] ||
		fail "early leaver $n"
	[ ! -s "$work/said" ] || grep -q 'Broken pipe' "$work/said" || fail "early leaver $n: $(cat "$work/said")"
done

# writers N: each writes a file of its own, and all are right.
writers() {
	_pids=
	for n in $(seq "$1"); do
		pattern "$n" $((300000 + n * 100003)) >"$work/w$n"
		timeout 100 cp "$work/w$n" "$mnt/dir/w$n" &
		_pids="$_pids $!"
	done
	for p in $_pids; do
		wait "$p" || fail "one of $1 writers fails"
	done
	for n in $(seq "$1"); do
		same "$mnt/dir/w$n" "$work/w$n"
	done
}
writers 8

# All of them open at once, by one program, in turns.
exec 3>"$mnt/dir/f3" 4>"$mnt/dir/f4" 5>"$mnt/dir/f5" 6>"$mnt/dir/f6"
for n in 1 2 3 4 5 6 7 8; do
	for fd in 3 4 5 6; do
		echo "$fd turn $n" >&$fd || fail 'a write in turn'
	done
done
exec 3>&- 4>&- 5>&- 6>&-
for fd in 3 4 5 6; do
	[ "$(wc -l <"$mnt/dir/f$fd")" = 8 ] && [ "$(grep -c "^$fd turn" "$mnt/dir/f$fd")" = 8 ] || fail "file $fd of those in turn"
done
unmount_site
counters
[ "$(counter refused)" = 0 ] || fail "$(counter refused) connections too many"
stop_server

start_server
mount_site max_conns=4
writers 8
unmount_site
