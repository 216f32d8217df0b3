#!/bin/sh
# 100 directories of 100 files: each is listed once.
. "$(dirname "$0")/lib.sh"
require_fuse

(cd "$data" && seq -f 'dir%03g' 100 | xargs mkdir)
for d in "$data"/*; do
	(cd "$d" && seq -f 'f%03g' 100 | xargs touch)
done
(cd "$data" && find . | sort) >"$work/want"
start_server
mount_site attr_timeout=600
(cd "$mnt" && find . | sort) >"$work/have"
same "$work/have" "$work/want"
ls -lR "$mnt" >"$work/ls"
[ "$(grep -c '^-' "$work/ls")" = 10000 ] || fail 'ls -lR'
du -s "$mnt" >/dev/null || fail 'du'
counters
[ "$(listings)" = 101 ] || fail "$(listings) listings"
[ "$(counter MLST)" = 0 ] || fail "$(counter MLST) MLST"
unmount_site
