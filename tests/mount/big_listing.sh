#!/bin/sh
# A directory of 10,000 files is listed whole, with one command, and all attributes come with it.
. "$(dirname "$0")/lib.sh"
require_fuse

mkdir "$data/many"
(cd "$data/many" && seq -f 'file %05g' 10000 | xargs -d '\n' touch)
(cd "$data/many" && find . -type f | sort) >"$work/want"
for no in '' MLSD; do
	start_server ${no:+--no $no}
	mount_site
	(cd "$mnt/many" && find . -type f | sort) >"$work/have"
	same "$work/have" "$work/want"
	[ "$(ls -l "$mnt/many" | wc -l)" = 10001 ] || fail 'ls -l'
	stat "$mnt/many/file 07777" >/dev/null || fail 'stat'
	fails_with 'No such file' stat "$mnt/many/missing"
	counters
	# Without facts, the root is listed too, to know what "many" is.
	[ "$(listings)" = "$([ -n "$no" ] && echo 2 || echo 1)" ] || fail "$(listings) listings${no:+ without $no}"
	# One question about the directory itself, none about what is in it.
	[ "$(counter MLST)" -le 1 ] || fail "$(counter MLST) MLST"
	for verb in SIZE MDTM; do
		[ "$(counter $verb)" = 0 ] || fail "$(counter $verb) $verb"
	done
	unmount_site
	stop_server
done
