#!/bin/sh
# Everything goes through the proxy, data connections too; its password is nowhere to be seen.
. "$(dirname "$0")/lib.sh"
require_fuse
require openssl
require python3

pattern 1 3000000 >"$data/file"
pattern 2 1000000 >"$work/new"
start_server

has_port() { [ -s "$work/proxy.out" ]; }

# start_proxy KIND [LOGIN]
start_proxy() {
	: >"$work/proxy.out"
	python3 "$SRC/tests/mount/proxy.py" "$@" >"$work/proxy.out" 2>"$work/proxy.log" &
	proxy=$!
	servers="$servers $proxy"
	wait_for 60 has_port || fail 'the proxy does not start'
	proxy_port=$(head -n 1 "$work/proxy.out")
}

# works OPTIONS
works() {
	"$BUILD/ftpfs" -o "log_level=wire,log_file=$work/wire.log,$1" "$url" "$mnt" 2>"$work/said" || fail "$1: $(cat "$work/said")"
	ftpfs=$(pid_of "$mnt")
	[ "$(tr '\0' '\n' <"/proc/$ftpfs/cmdline" | grep -c hidden)" = 0 ] || fail "$1: in the list of processes"
	! grep -q hidden /proc/self/mountinfo || fail "$1: in the list of mounts"
	same "$mnt/file" "$data/file"
	cp "$work/new" "$mnt/new" || fail "$1: cannot write"
	same "$mnt/new" "$work/new"
	rm "$mnt/new" || fail "$1: cannot remove"
	unmount_site
	! grep -q hidden "$work/wire.log" || fail "$1: in the log"
	# The control connection, and others for data.
	grep -q "^127.0.0.1 $port\$" "$work/proxy.out" || fail "$1: the server was not asked for"
	[ "$(grep -c '^127.0.0.1' "$work/proxy.out")" -gt 3 ] || fail "$1: data did not go through the proxy"
}

# refused WORDS OPTIONS
refused() {
	"$BUILD/ftpfs" -o "$2" "$url" "$mnt" >"$work/said" 2>&1 && fail "$2: mounted"
	say "$2: $(cat "$work/said")"
	[ "$(wc -l <"$work/said")" = 1 ] || fail "$2: not one line"
	grep -q -- "$1" "$work/said" || fail "$2: does not say '$1'"
	! grep -q 'hidden\|secret' "$work/said" || fail "$2: says a password"
	is_not_mounted "$mnt" || fail "$2: something is mounted"
}

printf 'username=joe\npassword=secret\nproxy_user=ann:hid:den\n' >"$work/credentials"
chmod 600 "$work/credentials"
for kind in socks5 http; do
	start_proxy $kind
	works "proxy=$kind://127.0.0.1:$proxy_port"
	start_proxy $kind ann:hidden
	works "proxy=$kind://ann:hidden@127.0.0.1:$proxy_port"
	works "proxy=$kind://127.0.0.1:$proxy_port,proxy_user=ann:hidden"
	refused 'proxy' "proxy=$kind://ann:hiddenhidden@127.0.0.1:$proxy_port"
	refused 'proxy' "proxy=$kind://127.0.0.1:$proxy_port"
	start_proxy $kind ann:hid:den
	works "proxy=$kind://127.0.0.1:$proxy_port,credentials=$work/credentials"
done
