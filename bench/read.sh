#!/bin/bash
# read.sh [ROUNDS [MIB [SERVER]]]  - one big file, read from end to end, from a server on loopback (vsftpd).
#
# curl, the mount with its page cache, the mount with direct_io, and rclone's mount where it is installed take
# turns; the table has medians. CPU is of the program itself (curl; the mount's process), for each GiB.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
rounds=${1:-5}
mib=${2:-1024}
server=${3:-vsftpd}
cases='curl cached direct_io'
command -v rclone >/dev/null && cases="$cases rclone"

per_gib() { awk -v x="$1" -v mib="$mib" 'BEGIN { print x * 1024 / mib }'; }
speed() { awk -v s="$1" -v mib="$mib" 'BEGIN { print mib * 1.048576 / s }'; }

run_curl() {
	timed curl -sS -o /dev/null "${server_url}big"
	note curl MB/s "$(speed "$seconds")"
	note curl cpu/GiB "$(per_gib "$cpu")"
}

# A fresh mount each time: nothing is in the page cache.
run_mount() {
	local before after idle
	idle=$(memory_of $mount_pid VmRSS)
	before=$(cpu_of $mount_pid)
	timed dd if="$mnt/big" of=/dev/null bs=1M
	after=$(cpu_of $mount_pid)
	note "$1" MB/s "$(speed "$seconds")"
	note "$1" cpu/GiB "$(per_gib "$(awk -v a="$after" -v b="$before" 'BEGIN { print a - b }')")"
	note "$1" idle-MiB "$idle"
	note "$1" peak-MiB "$(memory_of $mount_pid VmHWM)"
	unmount
}

make_file "$data/big" $((mib * 1024 * 1024))
server_start "$server" "$data"
timed curl -sS -o /dev/null "${server_url}big"
for round in $(seq "$rounds"); do
	for c in $cases; do
		case $c in
		curl) run_curl ;;
		cached) mount_ftpfs && run_mount cached ;;
		direct_io) mount_ftpfs -o direct_io && run_mount direct_io ;;
		rclone) mount_rclone && run_mount rclone ;;
		esac
	done
	echo "round $round of $rounds" >&2
done

echo "sequential read of $mib MiB from $server on loopback, medians of $rounds rounds"
printf '%-12s %10s %10s %12s %10s %10s\n' case MB/s 'of curl' 'CPU s/GiB' 'idle MiB' 'peak MiB'
for c in $cases; do
	printf '%-12s %10.0f %10.2f %12.2f %10s %10s\n' "$c" "$(median "$c" MB/s)" \
		"$(awk -v a="$(median "$c" MB/s)" -v b="$(median curl MB/s)" 'BEGIN { print a / b }')" "$(median "$c" cpu/GiB)" \
		"$(median "$c" idle-MiB)" "$(median "$c" peak-MiB)"
done
name="read"
[ "$server" = vsftpd ] || name=read-$server
write_json "$name"
