#!/bin/bash
# read.sh [MIB [SERVER]]  - one big file, read from end to end, from a server on loopback (vsftpd).
#
# curl, the mount with its page cache, the mount with direct_io, and the peers that are installed take turns, each
# freshly mounted; the table has medians. CPU is of the program itself (curl; the mount's process), for each GiB.
# sshfs reads the same file through sshd; passthrough is libfuse's example on the local folder, no network at all.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=peers.sh
. "$(dirname "$0")/peers.sh"
mib=${1:-$([ -n "$quick" ] && echo 256 || echo 1024)}
server=${2:-vsftpd}

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
	if ! try_timed dd if="$mnt/big" of=/dev/null bs=1M; then
		note "$1" fails 1
		unmount
		return
	fi
	after=$(cpu_of $mount_pid)
	note "$1" MB/s "$(speed "$seconds")"
	note "$1" cpu/GiB "$(per_gib "$(awk -v a="$after" -v b="$before" 'BEGIN { print a - b }')")"
	note "$1" idle-MiB "$idle"
	note "$1" peak-MiB "$(memory_of $mount_pid VmHWM)"
	unmount
}

: >"$TMPDIR/notes"
make_file "$data/big" $((mib * 1024 * 1024))
build_passthrough
server_start "$server" "$data"
export server_host server_port server_url
sshd_start || echo "read: sshd does not start: no sshfs" >&2
cases="curl cached direct_io $(installed_peers rclone sshfs curlftpfs passthrough | tr '\n' ' ')"
timed curl -sS -o /dev/null "${server_url}big"
for round in $(seq "$rounds"); do
	for c in $cases; do
		[ -z "$(median_of "$c" fails)" ] || continue
		warm_memory $((mib + 256))
		case $c in
		curl) run_curl ;;
		cached) mount_try mount_command ftpfs && run_mount cached ;;
		direct_io) FTPFS_OPTIONS=direct_io mount_try mount_command ftpfs && run_mount direct_io ;;
		*) mount_try mount_command "$c" && run_mount "$c" ;;
		esac || note "$c" fails 1
	done
	echo "round $round of $rounds" >&2
done

echo "sequential read of $mib MiB from $server on loopback, medians of $rounds rounds"
printf '%-12s %10s %10s %12s %10s %10s\n' case MB/s 'of curl' 'CPU s/GiB' 'idle MiB' 'peak MiB'
for c in $cases; do
	if [ -n "$(median_of "$c" fails)" ]; then
		printf '%-12s %10s\n' "$c" fails
		continue
	fi
	printf '%-12s %10.0f %10.2f %12.2f %10.5s %10.5s\n' "$c" "$(median "$c" MB/s)" \
		"$(awk -v a="$(median "$c" MB/s)" -v b="$(median curl MB/s)" 'BEGIN { print a / b }')" "$(median "$c" cpu/GiB)" \
		"$(median "$c" idle-MiB)" "$(median "$c" peak-MiB)"
done
name="read"
[ "$server" = vsftpd ] || name=read-$server
facts="\"server\": \"$server\", \"mib\": $mib"
write_json "$name"
