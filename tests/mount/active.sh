#!/bin/sh
# Active mode: the server connects to us, within the ports that are given.
. "$(dirname "$0")/lib.sh"
require_fuse
require openssl

pattern 1 3000000 >"$data/file"
pattern 2 1000000 >"$work/new"
mkdir "$data/dir"
echo text >"$data/dir/other"
start_server

# works OPTIONS COMMAND
works() {
	mount_site "log_level=wire,log_file=$work/wire.log,$1"
	same "$mnt/file" "$data/file"
	[ "$(cat "$mnt/dir/other")" = text ] || fail "$1: cannot read"
	cp "$work/new" "$mnt/new" || fail "$1: cannot write"
	same "$mnt/new" "$work/new"
	rm "$mnt/new" || fail "$1: cannot remove"
	cat "$mnt/file" >/dev/null &
	_one=$!
	ls -lR "$mnt" >/dev/null || fail "$1: cannot list meanwhile"
	wait $_one || fail "$1: cannot read meanwhile"
	unmount_site
	grep -qF "> $2" "$work/wire.log" || fail "$1: no $2"
	! grep -q '> EPSV\|> PASV' "$work/wire.log" || fail "$1: passive"
	mv "$work/wire.log" "$work/wire.last"
}

works active EPRT
works active,max_conns=1 EPRT
works active,disable_eprt PORT
works ftp_port=- EPRT
works active_address=127.0.0.1 'EPRT |1|127.0.0.1|'

# Ports spread by process, so that tests side by side do not meet, and none that the system gives away.
low=$((30000 + $$ % 270 * 10)) # the kernel gives none of these away
works "active_ports=$low-$((low + 3))" EPRT
sed -n 's/.*EPRT |1|127.0.0.1|\([0-9]*\)|.*/\1/p' "$work/wire.last" | sort -u >"$work/ports"
[ -s "$work/ports" ] || fail 'no port in the log'
awk -v low=$low '$1 < low || $1 > low + 3 { exit 1 }' "$work/ports" || fail "other ports: $(cat "$work/ports")"

# With one port there is one connection.
works "active_ports=$low" EPRT
