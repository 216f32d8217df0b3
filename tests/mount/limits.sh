#!/bin/sh
# Limits of speed: for the whole mount, and for each connection. Slower than the limit is a matter of the machine; faster
# is wrong.
. "$(dirname "$0")/lib.sh"
require_fuse
require openssl

pattern 1 1500000 >"$data/one"
pattern 2 1500000 >"$data/two"
start_server

# takes_at_least MS NAME COMMAND...
takes_at_least() {
	_limit=$1 _name=$2
	shift 2
	_begin=$(now_ms)
	"$@" || fail "$_name: failed"
	_took=$(($(now_ms) - _begin))
	say "$_name: $_took ms"
	[ $_took -ge "$_limit" ] || fail "$_name: too fast: $_took ms, not $_limit"
}

both() {
	cat "$mnt/one" >/dev/null &
	_one=$!
	cat "$mnt/two" >/dev/null && wait $_one
}

put() { cat "$data/one" "$data/two" >"$mnt/$1"; }

# 3 MB at 1 MiB/s, less what is granted at once.
mount_site read_limit=1M
takes_at_least 2700 'two files, one limit' both
unmount_site
mount_site read_limit=1M,max_conns=1
takes_at_least 2700 'two files, one limit, one connection' both
unmount_site
mount_site conn_read_limit=500K
takes_at_least 2700 'two files, a limit for each' both
unmount_site
mount_site write_limit=1M
takes_at_least 2700 'a file is written' put new
takes_at_least 0 'and read' cmp -n 1500000 "$mnt/new" "$data/one"
unmount_site
mount_site conn_write_limit=1M,conn_read_limit=100M
takes_at_least 2700 'a file is written by one connection' put newer
unmount_site
