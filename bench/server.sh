#!/bin/bash
# server.sh [ROUNDS]  - what the server does in a second, beside pyftpdlib: one client, 200 at once, 10,000 that only stay.
#
# Both serve from memory (pyftpdlib from /dev/shm, and with sendfile) to the same program in C, turn and turn about. One client
# moves 1 GiB, each of the 200 moves 10 MiB. Every byte of the 200 downloads is compared once.
[ ! -w /dev/shm ] || [ -n "${TMPDIR:-}" ] || export TMPDIR=/dev/shm
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
rounds=${1:-$rounds}
program=$BUILD/bench/server/bench_server
mib=$((1 << 20))
big=$((1024 * mib)) each=$((10 * mib)) many=200 idle=10000
[ -z "$quick" ] || big=$((256 * mib))
ulimit -n "$(ulimit -H -n)"
servers="memftpd pyftpdlib"
/usr/bin/python3 -c 'import pyftpdlib' 2>/dev/null || servers=memftpd

pid_of_server() { pgrep -g "$server_group" | head -n 1; }

# measure CASE WHAT-IT-MOVES bench_server's arguments
rate() {
	local case=$1 bytes=$2 seconds
	shift 2
	warm_memory $((2 * bytes / mib))
	seconds=$("$program" "$@") || die "$server_name: $case"
	note "$case" "$server_name" "$(awk -v b="$bytes" -v s="$seconds" 'BEGIN { printf "%.1f", b / s / 1e6 }')"
}

took() {
	local case=$1 seconds
	shift
	seconds=$("$program" "$@") || die "$server_name: $case"
	note "$case" "$server_name" "$seconds"
}

one_client() {
	make_file "$data/file" $big
	for _ in $(seq "$rounds"); do
		for server in $servers; do
			server_start "$server" "$data"
			rate retr $big retr "$server_port" 1 $big
			rate stor $big stor "$server_port" 1 $big
			note peak "$server" "$(memory_of "$(pid_of_server)" VmHWM)"
			server_stop
			rm -f "$data"/up.*
		done
	done
}

many_clients() {
	make_file "$data/file" $each
	for round in $(seq "$rounds"); do
		for server in $servers; do
			server_start "$server" "$data"
			[ "$round" -gt 1 ] || "$program" retr "$server_port" $many $each "$data/file" >/dev/null ||
				die "$server: the bytes of $many downloads"
			took login$many login "$server_port" $many
			warm_memory $((many * each / mib))
			took retr$many retr "$server_port" $many $each
			warm_memory $((many * each / mib))
			took stor$many stor "$server_port" $many $each
			note peak$many "$server" "$(memory_of "$(pid_of_server)" VmHWM)"
			"$program" dele "$server_port" $many >/dev/null || die "$server: dele"
			[ "$server" != memftpd ] || note after memftpd "$(memory_of "$(pid_of_server)" VmRSS)"
			server_stop
		done
	done
}

# What a session costs in memory while it only stays.
idle_sessions() {
	local pid before after client
	if [ "$(ulimit -n)" -lt $((idle + 100)) ]; then
		echo "bench: the limit of open files is too low for $idle sessions: $(ulimit -n)" >&2
		return
	fi
	make_file "$data/file" 1000
	for server in $servers; do
		server_start "$server" "$data"
		pid=$(pid_of_server)
		before=$(memory_of "$pid" VmRSS)
		mkfifo "$TMPDIR/go"
		"$program" idle "$server_port" $idle <"$TMPDIR/go" >"$TMPDIR/ready" &
		client=$!
		exec 9>"$TMPDIR/go"
		until [ -s "$TMPDIR/ready" ]; do
			kill -0 $client 2>/dev/null || die "$server: $idle sessions"
			sleep 0.1
		done
		after=$(memory_of "$pid" VmRSS)
		note idle-login "$server" "$(cat "$TMPDIR/ready")"
		note idle-empty "$server" "$before"
		note idle-all "$server" "$after"
		note idle-each "$server" "$(awk -v a="$after" -v b="$before" -v n=$idle 'BEGIN { printf "%.2f", (a - b) * 1024 / n }')"
		exec 9>&-
		wait $client || die "$server: $idle sessions do not stay"
		rm "$TMPDIR/go" "$TMPDIR/ready"
		server_stop
	done
}

row() { # CASE UNIT NAME
	local a b
	a=$(median "$1" memftpd) b=$(median "$1" pyftpdlib)
	printf '%-42s %12s %12s %8s %s\n' "$3" "$a" "$b" \
		"$([ "$b" = - ] || awk -v a="$a" -v b="$b" -v u="$2" 'BEGIN { printf "%.2f", u == "MB/s" ? a / b : b / a }')" "$2"
}

one_client
many_clients
idle_sessions
echo "the server: medians of $rounds rounds; times: how often it is as good"
printf '%-42s %12s %12s %8s\n' '' memftpd pyftpdlib times
row retr MB/s 'one client gets'
row stor MB/s 'one client puts'
row login$many s "$many clients log in"
row retr$many s "$many clients get $((each / mib)) MiB each"
row stor$many s "$many clients put $((each / mib)) MiB each"
row idle-login s "$idle clients log in"
row idle-each KiB "resident for each of $idle sessions"
row idle-all MiB "resident with all of them"
row peak MiB "peak; memftpd holds $((2 * big / mib)) MiB of files"
row peak$many MiB "peak; memftpd holds $(((many + 1) * each / mib)) MiB of files"
echo "memftpd after they are removed: $(median after memftpd) MiB, of which $((each / mib)) are a file"
# shellcheck disable=SC2034 # for write_json
facts="\"big\": $big, \"clients\": $many, \"each\": $each, \"idle\": $idle,"
facts=${facts%,}
write_json server
