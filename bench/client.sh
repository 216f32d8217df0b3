#!/bin/bash
# client.sh [ROUNDS]  - what the client library does in a second, beside aioftp's client with the same server (pyftpdlib).
#
# Parsing needs no server. "list" and "stat" are of a folder of 10,000 files of 1 KiB; "small" gets them, whole, one after the
# other; "lines" and "blocks" read 512 MiB of lines of 80 bytes. The throttles do not bind (20 GB/s, four of them); their
# cost is in CPU seconds, the median of 300 pairs of short reads with and without, which a busy machine does not blur.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
[ $# = 0 ] || rounds=$1
program=$BUILD/bench/client/bench_client
theirs='lines blocks list list-plain stat small'
python=/usr/bin/python3

# measure CASE WHO COMMAND...
measure() {
	local case=$1 who=$2 rate cpu
	shift 2
	read -r rate cpu < <("$@") || die "failed: $*"
	[ -n "$rate" ] || die "failed: $*"
	note "$case" "$who" "$rate"
	note "$case" "$who-cpu" "$cpu"
}

ours() { measure "$1" ours "$program" "$1" "$server_url"; }
aioftp() { measure "$1" aioftp "$python" "$SRC/bench/client/aioftp_client.py" "$1" "$server_port"; }

mkdir "$data/many"
awk -v dir="$data/many" 'BEGIN {
	for (i = 0; i < 10000; i++) {
		name = sprintf("%s/file %05d.txt", dir, i)
		printf "%1024s", i >name
		close(name)
	}
}'
awk 'BEGIN { for (i = 0; i < 64; i++) printf "%079d\n", i }' >"$TMPDIR/some"
for _ in $(seq 1024); do cat "$TMPDIR/some"; done >"$TMPDIR/more"
for _ in $(seq 103); do cat "$TMPDIR/more"; done >"$data/lines"
chmod -R a+rX "$data"

server_start pyftpdlib "$data"
for round in $(seq "$rounds"); do
	for c in parse-unix parse-dos parse-mlsd; do
		ours $c
	done
	for c in $theirs; do
		ours $c
		"$python" -c 'import aioftp' 2>/dev/null && aioftp $c
	done
	ours stat-pipelined
	ours throttle-cost
	echo "round $round of $rounds" >&2
done

echo "the client library, a second's work: medians of $rounds rounds"
printf '%-18s %12s %12s %8s %14s\n' case ours aioftp times 'ours, CPU'
for c in parse-unix parse-dos parse-mlsd $theirs stat-pipelined; do
	a=$(median $c ours) b=$(median $c aioftp) t=-
	[ "$b" = - ] || t=$(awk -v a="$a" -v b="$b" 'BEGIN { printf "%.1f", a / b }')
	printf '%-18s %12s %12s %8s %14s\n' "$c" "$a" "$b" "$t" "$(median $c ours-cpu)"
done
echo 'lines and blocks in MB/s, the rest in entries, looks or files, a second; the last column: a second of our own CPU'
echo "four throttles that do not bind cost $(median throttle-cost ours) % of the CPU"
write_json client
