# lib.sh - timing for the benchmarks.  Sourced, not run.  bash.
#
# BENCH=quick asks for a few minutes rather than an hour; ROUNDS for how many measurements each number is the median of.
# shellcheck shell=bash
set -u
export LC_ALL=C
SRC=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 2
BUILD=$(cd "${BUILD:-$SRC/build}" && pwd) || exit 2
export SRC BUILD
TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/ftpfs-bench.XXXXXX") || exit 2
export TMPDIR
chmod 755 "$TMPDIR"
# shellcheck source=../tests/interop/servers.sh
. "$SRC/tests/interop/servers.sh"

data=$TMPDIR/data
mnt=$TMPDIR/mnt
mkdir "$data" "$mnt"
export data mnt
mount_pid=
quick=
[ "${BENCH:-}" = quick ] && quick=1
# shellcheck disable=SC2034 # for the benchmarks
rounds=${ROUNDS:-$([ -n "$quick" ] && echo 3 || echo 5)}

bench_clean_up() {
	trap - EXIT
	trap '' PIPE # whoever reads us may be gone
	unmount
	server_stop
	[ -z "${sshd_group:-}" ] || sshd_stop
	rm -rf "$TMPDIR"
}
trap bench_clean_up EXIT
trap 'exit 130' HUP INT TERM PIPE

die() {
	echo "bench: $*" >&2
	exit 1
}

# A file that does not compress, in the page cache.
make_file() {
	openssl enc -aes-128-ctr -K "$(printf %032x 7)" -iv 0 </dev/zero 2>/dev/null | head -c "$2" >"$1"
}

# warm_memory MIB: a virtual machine may have given free memory back, and is slow at first where it needs it again. Whoever fills
# the page cache would pay for that, now and then. So that much is touched before a measurement, or half of what is free.
warm_memory() {
	local half
	half=$(awk '/^MemAvailable:/ { print int($2 / 2048) }' /proc/meminfo)
	dd if=/dev/zero of=/dev/null bs="$(($1 < half ? $1 : half))M" count=1 2>/dev/null
}

# mount_try PROGRAM ARG...: starts a mount in the foreground mode of its program; sets mount_pid. 1: it does not mount.
mount_try() {
	"$@" >"$TMPDIR/mount.log" 2>&1 </dev/null &
	mount_pid=$!
	for _ in $(seq 400); do
		# It answers: then what it sets up when it is live, like the kernel's readahead, is done as well.
		mountpoint -q "$mnt" && timeout 20 stat "$mnt" >/dev/null 2>&1 && return
		kill -0 $mount_pid 2>/dev/null || break
		sleep 0.05
	done
	cat "$TMPDIR/mount.log" >&2
	unmount
	return 1
}

mount_with() { mount_try "$@" || die "does not mount: $*"; }

mount_ftpfs() {
	mount_with "$BUILD/ftpfs" -f "$server_url" "$mnt" "$@"
}

mount_rclone() {
	mount_with rclone mount --config /dev/null --ftp-host 127.0.0.1 --ftp-port "$server_port" --ftp-user ftpuser \
		--ftp-pass "$(rclone obscure secret 2>/dev/null)" --read-only :ftp:/ "$mnt"
}

unmount() {
	[ -n "$mount_pid" ] || return 0
	if mountpoint -q "$mnt"; then
		timeout 20 fusermount3 -u "$mnt" 2>/dev/null || umount -l "$mnt" 2>/dev/null
	fi
	for _ in $(seq 100); do
		kill -0 $mount_pid 2>/dev/null || break
		sleep 0.05
	done
	kill -s KILL $mount_pid 2>/dev/null
	wait $mount_pid 2>/dev/null
	mount_pid=
	return 0
}

# CPU seconds that a process has used, all its threads together.
cpu_of() {
	awk -v tick="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) / tick }' "/proc/$1/stat"
}

# memory_of PID FIELD: VmRSS or VmHWM, in MiB.
memory_of() {
	awk -v field="$2:" '$1 == field { print $2 / 1024 }' "/proc/$1/status"
}

# timed COMMAND...: sets seconds, and cpu (user + system of the command). try_timed: 1 when the command fails.
timed() { try_timed "$@" || die "failed: $*"; }

try_timed() {
	local TIMEFORMAT='%R %U %S' took
	took=$({ time "$@" >/dev/null 2>"$TMPDIR/timed.log"; } 2>&1) || { cat "$TMPDIR/timed.log" >&2; return 1; }
	# shellcheck disable=SC2034 # for the caller
	read -r seconds cpu <<<"$(awk '{ print $1, $2 + $3 }' <<<"$took")"
}

# note CASE KEY VALUE: remembers one measurement.
note() { echo "$1 $2 $3" >>"$TMPDIR/notes"; }

# median_of: nothing when there is no such measurement; median: "-".
median_of() { [ "$(median "$1" "$2")" = - ] || median "$1" "$2"; }

median() {
	awk -v c="$1" -v k="$2" '$1 == c && $2 == k { print $3 }' "$TMPDIR/notes" | sort -g |
		awk '{ v[NR] = $1 } END { if (NR) print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2; else print "-" }'
}

# facts: what else write_json says about the run, as JSON members.
facts=

# write_json NAME: every measurement, to bench/results/NAME.json.
write_json() {
	mkdir -p "$SRC/bench/results"
	awk -v name="$1" -v date="$(date -u +%Y-%m-%dT%H:%M:%SZ)" -v cpus="$(nproc)" -v kernel="$(uname -r)" -v facts="$facts" '
		{ key = $1 SUBSEP $2; if (!(key in list)) order[++n] = key; list[key] = list[key] (list[key] == "" ? "" : ", ") $3 }
		END {
			printf "{\n  \"bench\": \"%s\", \"date\": \"%s\", \"cpus\": %d, \"kernel\": \"%s\",%s\n  \"results\": [\n", name, date, cpus, kernel, facts == "" ? "" : " " facts ","
			for (i = 1; i <= n; i++) {
				split(order[i], k, SUBSEP)
				printf "    { \"case\": \"%s\", \"what\": \"%s\", \"values\": [%s] }%s\n", k[1], k[2], list[order[i]], i < n ? "," : ""
			}
			print "  ]\n}"
		}' "$TMPDIR/notes" >"$SRC/bench/results/$1.json"
}
