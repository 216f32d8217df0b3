#!/bin/sh
# fio writes and reads with verification: in order and anywhere.
. "$(dirname "$0")/lib.sh"
require_fuse
require fio

# run NAME OPTION...: fio's own checksums are in each block.
run() {
	_name=$1
	shift
	(cd "$work" && timeout 100 fio --name="$_name" --directory="$mnt" --ioengine=psync --verify=crc32c --verify_fatal=1 \
		--randseed=1 --minimal "$@") >"$work/fio.log" 2>&1 || fail "fio: $_name"
	say "ok - $_name"
}

start_server
for conns in 4 1; do
	mount_site max_conns=$conns,spool_memory=4M
	run "write-$conns" --rw=write --bs=64k --size=16M --end_fsync=1
	run "randwrite-$conns" --rw=randwrite --bs=4k --size=8M --end_fsync=1
	run "randrw-$conns" --rw=randrw --bs=4k --size=2M --numjobs=2 --fsync=100
	run "readwrite-$conns" --rw=rw --bs=16k --size=4M --end_fsync=1
	unmount_site
	# From the server, not from what the kernel has kept.
	mount_site max_conns=$conns
	run "write-$conns" --rw=write --bs=64k --size=16M --verify_only
	run "randwrite-$conns" --rw=randwrite --bs=4k --size=8M --verify_only
	rm "$mnt"/*
	unmount_site
done
