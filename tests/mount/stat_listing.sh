#!/bin/sh
# A server that lists over the control connection, too: it is asked so, and nothing is lost, however long the listing.
. "$(dirname "$0")/lib.sh"
require_fuse
own_address

mkdir "$data/many" "$data/few"
(cd "$data/many" && seq -f 'a rather long name for a file, so that the listing is long, %06g' 12000 | xargs -d '\n' touch)
(cd "$data/few" && touch a .b 'c d' '213 End of status')
(cd "$data" && find . | sort) >"$work/want"
start_server --play vsftpd
mount_site attr_timeout=600
(cd "$mnt" && find . | sort) >"$work/have"
same "$work/have" "$work/want"
counters
[ "$(counter STAT)" = 3 ] || fail "$(counter STAT) STAT"
[ "$(counter LIST)" = 0 ] || fail "$(counter LIST) LIST"
ls "$mnt/few/absent" 2>/dev/null && fail 'a name that is not there'
counters
[ "$(counter STAT)" = 3 ] || fail 'a complete listing answers for what is not there'

# A name that ends the listing before its end, and goes on with replies: the connection goes, and LIST tells what is there.
unmount_site
mkdir "$data/bad"
touch "$data/bad/$(printf 'nl\n213 End of status')" "$data/bad/$(printf 'x\n213 End of status\r\n350 Restart position accepted (1).')"
for n in 1 2 3; do echo "$n" >"$data/bad/f$n"; done
stop_server
restart_server --play vsftpd
mount_site
ls "$mnt" >/dev/null || fail 'ls'
for n in 1 2 3; do
	[ "$(cat "$mnt/bad/f$n")" = "$n" ] || fail 'a directory with bad names'
done
ls "$mnt/bad" >"$work/bad" || fail 'a directory with bad names cannot be listed'
unmount_site
