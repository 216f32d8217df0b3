#!/bin/sh
# What is not there is "no such file", however the server can be asked.
. "$(dirname "$0")/lib.sh"
require_fuse

# What is done in the background is none: connections that are made in advance.
questions() {
	echo $(($(listings) + $(counter MLST) + $(counter SIZE) + $(counter MDTM) + $(counter CWD)))
}

mkdir "$data/dir"
echo text >"$data/dir/file"
for no in '' '--no MLST' '--no MLSD --no MLST' '--no MLSD --no MLST --no SIZE --no MDTM' '--no FEAT'; do
	# shellcheck disable=SC2086 # several words
	start_server $no
	mount_site attr_timeout=0
	for name in missing missing/deeper dir/missing; do
		fails_with 'No such file' cat "$mnt/$name"
		fails_with 'No such file' stat "$mnt/$name"
		fails_with 'No such file' ls "$mnt/$name"
	done
	fails_with 'Not a directory' stat "$mnt/dir/file/x"
	[ "$(cat "$mnt/dir/file")" = text ] || fail "a file that is there, $no"
	unmount_site
	# A listing that is known answers too.
	mount_site attr_timeout=600
	ls "$mnt/dir" >/dev/null
	counters
	before=$(questions)
	fails_with 'No such file' stat "$mnt/dir/missing"
	fails_with 'No such file' stat "$mnt/dir/missing2"
	counters
	[ "$(questions)" = "$before" ] || fail "a known listing was not enough, $no"
	unmount_site
	stop_server
done
