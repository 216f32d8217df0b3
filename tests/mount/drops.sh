#!/bin/sh
# Connections that break in the middle of a file: every byte arrives, and never a wrong one.
. "$(dirname "$0")/lib.sh"
require_fuse
require openssl

pattern 1 5000000 >"$data/file"
pattern 2 70000 >"$data/small"
mkdir "$data/dir"
(cd "$data/dir" && seq -f "name %04g" 500 | xargs -d '\n' touch)

# whole FAULT...: all is read in spite of it.
whole() {
	start_server "$@"
	mount_site timeout=3,connect_timeout=3
	say "$*"
	timeout 100 cmp "$mnt/file" "$data/file" || fail "$*: file"
	timeout 100 cmp "$mnt/small" "$data/small" || fail "$*: small file"
	[ "$(timeout 100 ls "$mnt/dir" | wc -l)" = 500 ] || fail "$*: listing"
	unmount_site
	stop_server
}
# At a rate: a reset that comes before we have read anything takes what was sent with it, and would prove nothing.
whole --drop-after 700K --rate 4M
whole --drop-after 300000 --rate 2M
whole --drop-all-after 700K --rate 4M
whole --drop-after 1 --times 3
whole --drop-all-after 1M --times 3
whole --drop-control-after 2000 --times 2
whole --drop-after-commands 20
whole --stall-after 1M --times 1

# wrong FAULT...: it cannot be read, and that is said; a part that was read is right.
wrong() {
	start_server "$@"
	mount_site timeout=2,connect_timeout=2
	say "$*"
	timeout 100 cat "$mnt/file" >"$work/part" 2>"$work/said" && fail "$*: no error"
	! grep -q 'No such file' "$work/said" || fail "$*: $(cat "$work/said")"
	cmp -n "$(stat -c %s "$work/part")" "$work/part" "$data/file" || fail "$*: wrong bytes"
	unmount_site
	stop_server
}
wrong --no RETR
