# lib.sh - a server, a mount, and what the tests of mounts say and clean up.  Sourced, not run.
#
# run-tests gives SRC, BUILD and TMPDIR; by hand a test runs with BUILD alone, or in a tree that was built with make.
# A test exits 0 when it has passed, 77 when this machine cannot run it, and anything else when it has failed.
# shellcheck shell=sh

set -u
export LC_ALL=C
SRC=${SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
BUILD=$(cd "${BUILD:-$SRC/build}" && pwd) || exit 2
work=$(mktemp -d "${TMPDIR:-/tmp}/mount-test.XXXXXX") || exit 2
chmod 755 "$work"
mnt=$work/mnt
data=$work/data
mkdir "$mnt" "$data"
servers=
host=127.0.0.1
port=
server=
url=

say() { printf '%s\n' "$*"; }

fail() {
	say "FAILED: $*"
	for log in "$work"/*.log; do
		[ -s "$log" ] && { say "--- the end of ${log##*/}:"; tail -n 30 "$log"; }
	done
	exit 1
}

skip() {
	say "skip: $*"
	exit 77
}

# --- processes ------------------------------------------------------------------------------------

# A zombie has ended; who should collect it may be slow.
gone() {
	! grep -q '^State:[[:space:]]*[^ZX]' "/proc/$1/status" 2>/dev/null
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
	_tries=$(($1 * 20))
	shift
	while ! "$@"; do
		_tries=$((_tries - 1))
		[ $_tries -gt 0 ] || return 1
		sleep 0.05
	done
}

# seconds_of COMMAND...: how long it takes, in whole seconds, rounded down; its exit code in $code.
seconds_of() {
	_begin=$(date +%s)
	"$@"
	code=$?
	took=$(($(date +%s) - _begin))
}

now_ms() { date +%s%3N; }

# The ftpfs that serves a mountpoint.
pid_of() {
	pgrep -x -f -- "([^ ]*[/.])?ftpfs .*$1( .*)?" | while read -r p; do
		gone "$p" || echo "$p"
	done | head -n 1
}

is_mounted() { grep -q " $1 " /proc/self/mountinfo; }
is_not_mounted() { ! is_mounted "$1"; }

clean_up() {
	code=$?
	trap - EXIT HUP INT TERM
	awk -v top="$work/" 'index($5, top) == 1 { gsub(/\\040/, " ", $5); print $5 }' FS=' ' /proc/self/mountinfo |
	sort -r | while read -r m; do
		p=$(pid_of "$m")
		fusermount3 -u -z "$m" 2>/dev/null || umount -l "$m"
		[ -z "$p" ] || wait_for 60 gone "$p" || kill -KILL "$p"
	done
	for p in $(pgrep -f -- "ftpfs .*$work/"); do
		gone "$p" || kill -KILL "$p"
	done
	for p in $servers; do
		kill -KILL "$p" 2>/dev/null
		wait "$p" 2>/dev/null
	done
	rm -rf "$work"
	exit $code
}
trap clean_up EXIT
trap 'exit 130' HUP INT TERM

require_fuse() {
	[ -e /dev/fuse ] || skip 'there is no /dev/fuse'
}

require_root() {
	[ "$(id -u)" = 0 ] || skip 'only root can do this'
}

require() {
	for tool; do
		command -v "$tool" >/dev/null || skip "there is no $tool"
	done
}

# --- the server -----------------------------------------------------------------------------------

server_port() {
	port=$(sed -n '1s/^memftpd: listening on .*:\([0-9][0-9]*\)$/\1/p' "$work/server.out")
	[ -n "$port" ]
}

server_is_up() {
	server_port || gone "$server"
}

# start_server [OPTION...]: joe:secret, what $data has; sets $server, $port and $url. $listen picks the port.
start_server() {
	: >"$work/server.out" # the port of the server before is not this one's
	"$BUILD/memftpd" --listen "${listen:-$host:0}" --user joe:secret --load "$data" "$@" \
		>"$work/server.out" 2>>"$work/server.log" &
	server=$!
	servers="$servers $server"
	wait_for 60 server_is_up || fail 'memftpd does not start'
	server_port || fail 'memftpd has ended'
	url=ftp://joe:secret@$host:$port
}

stop_server() {
	kill "-${1:-TERM}" "$server"
	wait "$server" 2>/dev/null
	servers=$(for p in $servers; do [ "$p" = "$server" ] || echo "$p"; done)
}

# own_address: before the first start of a server that will be restarted.  On 127.0.0.1 the kernel may give
# its port to any client in between; nothing else binds to this address.
own_address() {
	host=127.$(($$ >> 16 & 127 | 64)).$(($$ >> 8 & 255)).$(($$ & 255))
}

# The same server again, on the same port.
restart_server() {
	listen=$host:$port start_server "$@"
}

stats_printed() {
	[ "$(grep -c '^stat end' "$work/server.log")" -gt "$1" ]
}

# counters: a fresh picture of the server's counters in $work/counters.
counters() {
	_seen=$(grep -c '^stat end' "$work/server.log")
	kill -USR1 "$server"
	wait_for 60 stats_printed "$_seen" || fail 'the server prints no counters'
	awk '/^stat / { text = text $0 "\n" } /^stat end/ { last = text; text = "" } END { printf "%s", last }' \
		"$work/server.log" >"$work/counters"
}

# counter NAME: from the latest picture; 0 for what was never counted.
counter() {
	awk -v name="$1" '$2 == name { n = $3 } END { print n + 0 }' "$work/counters"
}

# listings: how many directories were listed up to the latest picture.
listings() {
	echo $(($(counter MLSD) + $(counter LIST) + $(counter NLST)))
}

# --- the mount ------------------------------------------------------------------------------------

# mount_site [OPTIONS [PATH [MOUNTPOINT]]]: returns when the mount is live; $ftpfs is its process.
mount_site() {
	timeout 100 "$BUILD/ftpfs" ${1:+-o "$1"} "$url/${2:-}" "${3:-$mnt}" 2>"$work/ftpfs.log" ||
		fail "ftpfs does not mount (exit code $?)"
	is_mounted "${3:-$mnt}" || fail 'ftpfs returned, but nothing is mounted'
	ftpfs=$(pid_of "${3:-$mnt}")
	[ -n "$ftpfs" ] || fail 'ftpfs returned, but no process serves the mount'
	[ ! -s "$work/ftpfs.log" ] || fail 'ftpfs mounted, but complained'
}

unmount_site() {
	timeout 100 fusermount3 -u "${1:-$mnt}" || fail 'cannot unmount'
	is_not_mounted "${1:-$mnt}" || fail 'still mounted'
	wait_for 60 gone "$ftpfs" || fail 'ftpfs does not end'
}

# --- what tests compare ----------------------------------------------------------------------------

# pattern SEED BYTES: bytes that do not repeat and are the same in every run.
pattern() {
	openssl enc -aes-128-ctr -K "$(printf %032x "$1")" -iv 0 </dev/zero 2>/dev/null | head -c "$2"
}

same() {
	cmp "$1" "$2" || fail "$1 differs"
}

# fails_with WORDS COMMAND...: the command fails, and says so.
fails_with() {
	_words=$1
	shift
	"$@" >/dev/null 2>"$work/said" && fail "should have failed: $*"
	grep -q -- "$_words" "$work/said" || fail "$*: said: $(cat "$work/said")"
}

sanitized() {
	grep -q -a __asan_init "$BUILD/ftpfs"
}
