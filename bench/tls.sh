#!/bin/bash
# tls.sh [MIB [SERVER]]  - one big file over TLS, read and written from end to end, on loopback: from vsftpd, which wants
# data connections to resume the session of the login.
#
# curl, the mount with its page cache and the mount with direct_io take turns at reading; curl -T and the mount, both
# ways, at writing. The table has medians; what was written is compared. CPU is of the program itself (curl; the mount's
# process), for each GiB. ROUNDS, BENCH=quick: see lib.sh.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
mib=${1:-1024}
server=${2:-vsftpd}

per_gib() { awk -v x="$1" -v mib="$mib" 'BEGIN { print x * 1024 / mib }'; }
speed() { awk -v s="$1" -v mib="$mib" 'BEGIN { print mib * 1.048576 / s }'; }

# run_curl CASE ARG...
run_curl() {
	local case=$1
	shift
	warm_memory $((2 * mib + 256))
	# shellcheck disable=SC2086 # several words
	timed curl -sS $server_curl "$@"
	note "$case" MB/s "$(speed "$seconds")"
	note "$case" cpu/GiB "$(per_gib "$cpu")"
}

# run_mount CASE OPTIONS COMMAND...: in a fresh mount, so that nothing is in the page cache.
run_mount() {
	local case=$1 options=$2 before after
	shift 2
	warm_memory $((2 * mib + 256))
	mount_ftpfs -o "cacert=$server_cert$options"
	before=$(cpu_of $mount_pid)
	timed "$@"
	after=$(cpu_of $mount_pid)
	note "$case" MB/s "$(speed "$seconds")"
	note "$case" cpu/GiB "$(per_gib "$(awk -v a="$after" -v b="$before" 'BEGIN { print a - b }')")"
	note "$case" peak-MiB "$(memory_of $mount_pid VmHWM)"
	unmount
}

check_written() {
	cmp "$data/new" "$data/big" || die "wrong bytes were written"
	rm "$data/new"
}

row() {
	printf '%-16s %8.0f %8.2f %10.2f %9s\n' "$1" "$(median "$1" MB/s)" \
		"$(awk -v a="$(median "$1" MB/s)" -v b="$(median "$2" MB/s)" 'BEGIN { print a / b }')" "$(median "$1" cpu/GiB)" \
		"$(median "$1" peak-MiB)"
}

make_file "$data/big" $((mib * 1024 * 1024))
server_start "$server" "$data" tls
# shellcheck disable=SC2086 # several words
timed curl -sS $server_curl -o /dev/null "${server_curl_url}big"
for round in $(seq "$rounds"); do
	run_curl curl -o /dev/null "${server_curl_url}big"
	run_mount cached ,ro dd if="$mnt/big" of=/dev/null bs=1M
	run_mount direct_io ,ro,direct_io dd if="$mnt/big" of=/dev/null bs=1M
	run_curl curl-T -T "$data/big" "${server_curl_url}new"
	check_written
	run_mount write '' dd if="$data/big" of="$mnt/new" bs=1M
	check_written
	run_mount write-direct_io ,direct_io dd if="$data/big" of="$mnt/new" bs=1M
	check_written
	echo "round $round of $rounds" >&2
done

echo "$mib MiB over TLS, $server on loopback, medians of $rounds rounds"
printf '%-16s %8s %8s %10s %9s\n' case MB/s 'of curl' 'CPU s/GiB' 'peak MiB'
for c in curl cached direct_io; do row $c curl; done
for c in curl-T write write-direct_io; do row $c curl-T; done
name=tls
[ "$server" = vsftpd ] || name=tls-$server
write_json "$name"
