#!/bin/bash
# far.sh [SERVER [RTT_MS [MBIT]]]  - everyday work over a link with a delay: ours beside its peers.
#
# The link is delaylink's. All see the same server, the same data (sshfs the same data through sshd), and start cold:
# freshly mounted. They take turns, round by round. ROWS and PEERS choose; LIMIT is the time after which a piece of
# work is given up, in seconds. The table has medians; "n" counts the measurements, and those that need long get fewer.
#
# What noise cannot blur: "trips" is the time in round trips of the link; "commands" are FTP commands, "turns"
# commands or requests that were sent after waiting for an answer, "conns" new TCP connections.
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${DELAYLINK_FAR:-}" ]; then
	BUILD=${BUILD:-$here/../build}
	rtt=${2:-50}
	if [ "$(id -u)" != 0 ] || [ ! -c /dev/net/tun ]; then
		echo "far: skipped: needs root and /dev/net/tun"
		exit 0
	fi
	FAR_COUNTS=$(mktemp) || exit 2
	export FAR_COUNTS
	trap 'rm -f "$FAR_COUNTS"' EXIT
	"$BUILD/bench/delaylink" -c "$FAR_COUNTS" "$(awk -v r="$rtt" 'BEGIN { print r / 2 }')" "${3:-1000}" -- \
		"$0" "${1:-vsftpd}" "$rtt" "${3:-1000}"
	exit
fi
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"
# shellcheck source=far_rows.sh
. "$here/far_rows.sh"
server=$1
rtt=$2
mbit=$3
limit=${LIMIT:-$([ -n "$quick" ] && echo 30 || echo 120)}
# Another who has used this much time on one row is not measured again on it.
enough=${ENOUGH:-$([ -n "$quick" ] && echo 10 || echo 40)}
server_host=10.99.0.2
server_enter="nsenter --net=$DELAYLINK_FAR"
export server_host

# --- one measurement ------------------------------------------------------------------------------

# Until the link has been still for three round trips: what is done in the background is over.
settle() {
	local a='' b
	for _ in $(seq 50); do
		sleep "$(awk -v r="$rtt" 'BEGIN { print 3 * r / 1000 + 0.05 }')"
		b=$(cat "$FAR_COUNTS")
		[ "$a" = "$b" ] && break
		a=$b
	done
	counts=$b
}

# measured ROW PEER SECONDS: notes it, with what went over the link since the last settle.
measured() {
	local before=$counts
	settle
	note "$1:$2" seconds "$3"
	# shellcheck disable=SC2086 # numbers
	set -- "$1:$2" $before $counts
	note "$1" connections $((${7} - ${2}))
	note "$1" commands $((${8} - ${3}))
	note "$1" turns $((${9} - ${4}))
	note "$1" bytes_up $((${10} - ${5}))
	note "$1" bytes_down $((${11} - ${6}))
}

# attempt COMMAND: with bash, at most $limit seconds. Sets took; what it prints is in $TMPDIR/out.
attempt() {
	local t=$EPOCHREALTIME rc
	{ timeout -s KILL "$limit" bash -c "$1" >"$TMPDIR/out" 2>"$TMPDIR/err" </dev/null; } 2>/dev/null
	rc=$?
	took=$(awk -v a="$t" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f", b - a }')
	[ $rc = 0 ] || [ $rc = 137 ] || sed "s/^/	/" "$TMPDIR/err" | head -n 5 >&2
	return $rc
}

# work ROW PEER COMMAND [CHECK]: times the command; CHECK is a test of what it printed or made.
work() {
	settle
	attempt "$3"
	case $? in
	0) ;;
	124 | 137)
		note "$1:$2" over "$limit"
		return 1
		;;
	*)
		note "$1:$2" fails 1
		return 1
		;;
	esac
	if [ -n "${4:-}" ] && ! out=$TMPDIR/out bash -c "$4"; then
		note "$1:$2" wrong 1
		return 1
	fi
	# A client that tells how long the piece of work took without the login before it says so in $TMPDIR/took.
	[ ! -s "$TMPDIR/took" ] || took=$(tail -n 1 "$TMPDIR/took")
	rm -f "$TMPDIR/took"
	measured "$1" "$2" "$took"
}

# --- rows -----------------------------------------------------------------------------------------

spent() { awk -v c="$1" '$1 == c && ($2 == "seconds" || $2 == "over" || $2 == "fails") { t += $3 } END { print t + 0 }' "$TMPDIR/notes"; }

# One turn of one peer at one row; $1 is known to the row as well.
turn() {
	[ "$2" = ftpfs ] || awk -v a="$(spent "$1:$2")" -v b="$enough" 'BEGIN { exit !(a < b) }' || return 0
	grep -q "^$1:$2 \(fails\|over\|wrong\)" "$TMPDIR/notes" && return
	"row_${1//-/_}" "$2"
	note_memory "$1:$2"
	unmount
}

note_memory() {
	[ -z "$mount_pid" ] || note "$1" peak_mib "$(memory_of $mount_pid VmHWM)"
}

fresh_mount() {
	mount_try mount_command "$2" && return
	note "$1:$2" fails 1
	return 1
}

: >"$TMPDIR/notes"
make_data
server_start "$server" "$data"
export server_port server_url
sshd_start || echo "far: sshd does not start: no sshfs" >&2
# shellcheck disable=SC2046,SC2086 # lists of words
set -- ${ROWS:-$(default_rows)}
for row in "$@"; do
	prepare_row "$row" || continue
	for _ in $(seq "$rounds"); do
		# shellcheck disable=SC2046,SC2086 # lists of words
		for peer in $(installed_peers $(row_peers "$row")); do
			case " ${PEERS:-$peer} " in *" $peer "*) ;; *) continue ;; esac
			turn "$row" "$peer"
		done
	done
	finish_row "$row"
	python3 -B "$here/report.py" row "$row" "$rtt" "$TMPDIR/notes"
done
facts="\"server\": \"$server\", \"rtt_ms\": $rtt, \"mbit\": $mbit, \"mib\": $mib, \"entries\": $entries"
[ -z "${FAR_NO_JSON:-}" ] || exit 0
# Rows that were not measured now stay as they were.
name=far-$server-${rtt}ms-${mbit}mbit
[ ! -f "$SRC/bench/results/$name.json" ] || cp "$SRC/bench/results/$name.json" "$TMPDIR/before.json"
write_json "$name"
[ ! -f "$TMPDIR/before.json" ] || python3 -B "$here/report.py" keep "$TMPDIR/before.json" "$SRC/bench/results/$name.json"
