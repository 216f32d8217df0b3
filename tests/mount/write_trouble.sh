#!/bin/sh
# When something cannot be written, the program hears of it, in time, with the errno that fits; when it can, it is there.
. "$(dirname "$0")/lib.sh"
require_fuse
own_address
require openssl

pattern 1 9000000 >"$work/big"
pattern 2 5000000 >"$work/old"

# A connection that breaks in the middle of an upload: it goes on where it was, however often.
cp "$work/old" "$data/file"
for fault in '--drop-all-after 2M' '--drop-after 1500K' '--stall-after 4M --times 1' '--drop-control-after 700 --times 3'; do
	# shellcheck disable=SC2086 # two words
	start_server $fault --rate 20M
	mount_site timeout=3
	cp "$work/big" "$mnt/file" || fail "$fault: cp over a file"
	cp "$work/big" "$mnt/new" || fail "$fault: cp"
	unmount_site
	mount_site timeout=3
	same "$mnt/file" "$work/big"
	same "$mnt/new" "$work/big"
	unmount_site
	stop_server
	say "ok - $fault"
done
# A server that is killed: close() fails, soon, and says that the network is to blame.
start_server --rate 400K
mount_site timeout=3,connect_timeout=3
cp "$work/big" "$mnt/killed" 2>"$work/said" &
copier=$!
growing() { [ "$(stat -c %s "$mnt/killed" 2>/dev/null || echo 0)" -gt 1000000 ]; }
wait_for 60 growing || fail 'the copy does not begin'
stop_server KILL
seconds_of wait $copier
[ $code != 0 ] || fail 'the server was killed, and cp succeeded'
[ $took -le 60 ] || fail "cp took $took s to fail"
grep -q 'refused\|timed out\|reset\|Input/output' "$work/said" || fail "cp: $(cat "$work/said")"
say "ok - killed: $(sed 's/.*: //' "$work/said")"
restart_server
echo again >"$mnt/after" || fail 'a new server, and still no writing'
[ "$(cat "$mnt/after")" = again ] || fail 'a new server, and other bytes'
unmount_site
stop_server

# A full disk: the errno tells, others can go on, and what was there before is not touched by what has not begun.
rm "$data"/*
echo kept >"$data/kept"
start_server --quota 3000000
mount_site
cp "$work/big" "$mnt/full" 2>"$work/said" && fail 'a full disk, and cp succeeded'
grep -q 'No space left\|quota' "$work/said" || fail "a full disk: $(cat "$work/said")"
rm -f "$mnt/full"
[ "$(cat "$mnt/kept")" = kept ] || fail 'a full disk: another file has changed'
echo small >"$mnt/small" || fail 'a small file after a full disk'
dd if="$work/big" of="$mnt/synced" bs=4M count=1 conv=fsync status=none 2>"$work/said" && fail 'a full disk, and fsync succeeded'
grep -q 'No space left\|quota' "$work/said" || fail "a full disk, fsync: $(cat "$work/said")"
unmount_site
stop_server

# No permission: nothing seems to be there that is not.
mkdir "$data/closed" "$data/open"
echo theirs >"$data/closed/file"
echo mine >"$data/open/mine"
start_server --permit joe:/:rw --permit joe:/closed:ro
mount_site
# The last release of a file comes soon after its last close().
is_theirs() { [ "$(cat "$mnt/closed/file" 2>/dev/null)" = theirs ]; }
for c in 'touch closed/new' 'cp open/mine closed/new' 'dd if=open/mine of=closed/file status=none' \
	'tee -a closed/file <open/mine' 'dd if=open/mine of=closed/file conv=notrunc status=none' 'mkdir closed/d' 'rm -f closed/file' \
	'mv closed/file open/' 'mv open closed/' 'cp closed/file closed/copy' 'chmod 600 closed/file' 'truncate -s 1 closed/file'; do
	(cd "$mnt" && sh -c "$c") >/dev/null 2>"$work/said" && fail "$c: was not refused"
	grep -q -i 'permission denied\|not permitted' "$work/said" || fail "$c: $(cat "$work/said")"
	[ "$(ls "$mnt/closed")" = file ] || fail "$c: left $(ls "$mnt/closed")"
	wait_for 60 is_theirs || fail "$c: the file is $(cat "$mnt/closed/file")"
done
unmount_site
