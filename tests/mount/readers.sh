#!/bin/sh
# Eight readers of different big files and eight of the same, at once: right bytes, bounded memory.
. "$(dirname "$0")/lib.sh"
require_fuse
require openssl

for n in 1 2 3 4 5 6 7 8 9; do
	pattern $n 25000000 >"$data/$n"
done
start_server

memory() { awk -v name="$1:" '$1 == name { print $2 }' "/proc/$ftpfs/status"; }

# read_all OPTIONS MAX_KB
read_all() {
	mount_site "$1"
	ls "$mnt" >/dev/null
	idle=$(memory VmRSS)
	pids=
	for n in 1 2 3 4 5 6 7 8 9 9 9 9 9 9 9 9; do
		cmp "$mnt/$n" "$data/$n" &
		pids="$pids $!"
	done
	for p in $pids; do
		wait "$p" || fail "$1: wrong bytes"
	done
	peak=$(memory VmHWM)
	say "$1: idle $idle kB, peak $peak kB"
	sanitized || [ $((peak - idle)) -le "$2" ] || fail "$1: memory has grown by $((peak - idle)) kB"
	# What was needed is given back.
	unmount_site
}
# Nine files with a window each, and 32 MiB for all else.
read_all readahead=1M $((9 * 1024 + 32768))
read_all readahead=4M,max_conns=2 $((9 * 4096 + 32768))
read_all readahead=4M,direct_io $((16 * 4096 + 32768))
