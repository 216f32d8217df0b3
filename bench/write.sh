#!/bin/bash
# write.sh [MIB [FILES [RTT_MS [SERVER]]]]  - one big file, written from end to end, to a server on loopback (vsftpd);
# then many small ones, over a link with a delay.
#
# Big: curl -T, the mount with its page cache, the mount with direct_io, and rclone's mount (which keeps a whole copy
# first, and cannot do without) where it is installed take turns; the table has medians. What arrived is compared.
#
# Small: 1 KiB each, copied in by one cp. What counts is round trips a file: "turns" are commands that were sent after
# waiting for an answer, "trips" is the time in round trips of the link. Beside it the naive way: curl, once for each
# file, as a filesystem does that asks, connects and logs in anew, for a tenth of the files. ROUNDS, BENCH=quick: see
# lib.sh.
here=$(cd "$(dirname "$0")" && pwd)
mib=${1:-1024}
files=${2:-1000}
rtt=${3:-20}
server=${4:-vsftpd}
if [ -z "${DELAYLINK_FAR:-}" ] && [ "$(id -u)" = 0 ] && [ -c /dev/net/tun ]; then
	WRITE_COUNTS=$(mktemp) || exit 2
	WRITE_NOTES=$(mktemp) || exit 2
	export WRITE_COUNTS WRITE_NOTES
	trap 'rm -f "$WRITE_COUNTS" "$WRITE_NOTES"' EXIT
	"${BUILD:-$here/../build}/bench/delaylink" -c "$WRITE_COUNTS" "$(awk -v r="$rtt" 'BEGIN { print r / 2 }')" 1000 -- \
		"$0" "$mib" "$files" "$rtt" "$server" || exit
fi
# shellcheck source=lib.sh
. "$here/lib.sh"

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { print (b > 0 ? a / b : 0) }'; }

# --- small files, inside the link -----------------------------------------------------------------

# Until the link has been still for three round trips.
settle() {
	local a='' b
	for _ in $(seq 50); do
		sleep "$(awk -v r="$rtt" 'BEGIN { print 3 * r / 1000 + 0.05 }')"
		b=$(cat "$WRITE_COUNTS")
		[ "$a" = "$b" ] && break
		a=$b
	done
	counts=$b
}

# small CASE N COMMAND...
small() {
	local case=$1 n=$2 before
	shift 2
	settle
	before=$counts
	timed "$@"
	settle
	# shellcheck disable=SC2086 # numbers
	set -- $before $counts
	note "$case" turns/file "$(ratio $((${8} - ${3})) "$n")"
	note "$case" commands/file "$(ratio $((${7} - ${2})) "$n")"
	note "$case" trips/file "$(awk -v s="$seconds" -v r="$rtt" -v n="$n" 'BEGIN { print s * 1000 / r / n }')"
}

if [ -n "${DELAYLINK_FAR:-}" ]; then
	server_host=10.99.0.2
	server_enter="nsenter --net=$DELAYLINK_FAR"
	export server_host
	mkdir "$TMPDIR/new" "$data/naive"
	chmod 777 "$data/naive"
	for i in $(seq "$files"); do head -c 1024 /dev/urandom >"$TMPDIR/new/$(printf 'f%05d' "$i")"; done
	server_start "$server" "$data"
	mount_ftpfs
	mkdir "$mnt/in"
	small ftpfs "$files" cp -r "$TMPDIR/new" "$mnt/in/"
	diff -r "$TMPDIR/new" "$data/in/new" || die "wrong files"
	unmount
	tenth=$((files / 10))
	mkdir "$TMPDIR/few"
	find "$TMPDIR/new" -type f | head -n $tenth | xargs -r cp -t "$TMPDIR/few"
	small naive $tenth sh -c 'for f in "$1"/*; do curl -sS -T "$f" "$2naive/" || exit 1; done' sh "$TMPDIR/few" "$server_url"
	echo "$files files of 1 KiB copied to $server, $rtt ms round trip"
	printf '%-12s %12s %14s %12s\n' case turns/file commands/file trips/file
	for c in ftpfs naive; do
		printf '%-12s %12.2f %14.2f %12.2f\n' $c "$(median $c turns/file)" "$(median $c commands/file)" "$(median $c trips/file)"
	done
	cp "$TMPDIR/notes" "$WRITE_NOTES"
	exit
fi

# --- one big file ---------------------------------------------------------------------------------

cases='curl cached direct_io'
command -v rclone >/dev/null && cases="$cases rclone"
speed() { awk -v s="$1" -v mib="$mib" 'BEGIN { print mib * 1.048576 / s }'; }

same() {
	cmp "$TMPDIR/big" "$data/big" || die "wrong content"
	rm "$data/big"
}

run_curl() {
	timed curl -sS -T "$TMPDIR/big" "${server_url}big"
	note curl MB/s "$(speed "$seconds")"
	same
}

run_mount() {
	local idle t=$EPOCHREALTIME
	idle=$(memory_of "$mount_pid" VmRSS)
	timed dd if="$TMPDIR/big" of="$mnt/big" bs=1M
	[ "$1" != rclone ] || wait_for_rclone "$t"
	note "$1" MB/s "$(speed "$seconds")"
	note "$1" idle-MiB "$idle"
	note "$1" peak-MiB "$(memory_of "$mount_pid" VmHWM)"
	unmount
	same
}

# It says that all is well before the server has it: the time from $1 until then counts.
wait_for_rclone() {
	for _ in $(seq 3000); do
		[ "$(stat -c %s "$data/big" 2>/dev/null)" = $((mib * 1024 * 1024)) ] && break
		sleep 0.02
	done
	seconds=$(awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')
}

mount_rclone_to_write() {
	mount_with rclone mount --config /dev/null --ftp-host 127.0.0.1 --ftp-port "$server_port" --ftp-user ftpuser \
		--ftp-pass "$(rclone obscure secret 2>/dev/null)" --vfs-cache-mode writes --vfs-write-back 0 \
		--cache-dir "$TMPDIR/rclone" :ftp:/ "$mnt"
}

make_file "$TMPDIR/big" $((mib * 1024 * 1024))
server_start "$server" "$data"
timed curl -sS -T "$TMPDIR/big" "${server_url}big"
rm "$data/big"
for round in $(seq "$rounds"); do
	for c in $cases; do
		warm_memory $((2 * mib + 256))
		case $c in
		curl) run_curl ;;
		cached) mount_ftpfs && run_mount cached ;;
		direct_io) mount_ftpfs -o direct_io && run_mount direct_io ;;
		rclone) mount_rclone_to_write && run_mount rclone ;;
		esac
	done
	echo "round $round of $rounds" >&2
done

echo "sequential write of $mib MiB to $server on loopback, medians of $rounds rounds"
printf '%-12s %10s %10s %10s %10s\n' case MB/s 'of curl' 'idle MiB' 'peak MiB'
for c in $cases; do
	printf '%-12s %10.0f %10.2f %10s %10s\n' "$c" "$(median "$c" MB/s)" \
		"$(ratio "$(median "$c" MB/s)" "$(median curl MB/s)")" "$(median "$c" idle-MiB)" "$(median "$c" peak-MiB)"
done
[ -z "${WRITE_NOTES:-}" ] || cat "$WRITE_NOTES" >>"$TMPDIR/notes"
name='write'
[ "$server" = vsftpd ] || name=write-$server
write_json "$name"
