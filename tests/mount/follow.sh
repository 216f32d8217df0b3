#!/bin/bash
# A file that grows on the server is followed by who reads at its end (tail -f); one that is replaced is never mixed
# with what was there before, whoever else has it open.
. "$(dirname "$0")/lib.sh"
require_fuse
require curl

send() { curl -sS --max-time 20 ${2:+-a} -T "$1" "$url/log" || fail 'curl'; }
seen() { cmp -s "$work/$1" "$work/log"; }
other_size() { [ "$(stat -c %s "$work/log")" = "$(stat -c %s "$mnt/log")" ]; }

# grow BYTES: so many more on the server.
grow() {
	seq 1000000 | head -c "$1" >"$work/more"
	send "$work/more" append
	cat "$work/more" >>"$work/log"
}

# follow OPTIONS NAME...: one tail for each name. Beginnings of every kind: nothing, within a page, a whole page, more
# than a request.
follow() {
	options=$1
	shift
	for size in 0 3 4096 300000; do
		seq 2000000 | head -c "$size" >"$work/log"
		send "$work/log"
		mount_site "$options"
		tails=
		for name; do
			timeout 60 tail -s 0.2 -c +1 -f "$mnt/log" >"$work/$name" 2>>"$work/tail.log" &
			tails="$tails $!"
		done
		for more in 0 10 5000 200000; do
			grow $more
			for name; do
				wait_for 20 seen "$name" || fail "$options: $size and $more: tail $name does not follow"
			done
			cmp "$mnt/log" "$work/log" || fail "$options: $size and $more: others read something else"
		done
		# shellcheck disable=SC2086 # several words
		kill $tails
		# shellcheck disable=SC2086
		wait $tails
		unmount_site
	done
}

# Somebody has the old one open and has read it all; then there is another, which is longer.
replace() {
	seq 20000 >"$work/log"
	send "$work/log"
	mount_site "$1"
	exec 7<"$mnt/log"
	cmp - "$work/log" <&7 || fail "$1: the old one"
	seq 100000 130000 >"$work/log"
	send "$work/log"
	wait_for 20 other_size || fail "$1: the old size stays"
	for _ in 1 2 3; do
		cmp "$mnt/log" "$work/log" || fail "$1: the new one is not what the server has"
	done
	# What the kernel has in its cache now it shows to old handles, too.
	case $1 in
	*direct_io*) fails_with 'Stale' cat <&7 ;;
	esac
	exec 7<&-
	cmp "$mnt/log" "$work/log" || fail "$1: the new one, later"
	unmount_site
}

start_server
follow attr_timeout=200ms one
follow attr_timeout=200ms,direct_io one two
replace attr_timeout=200ms
replace attr_timeout=200ms,direct_io
