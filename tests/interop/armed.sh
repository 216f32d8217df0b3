#!/bin/sh
# time-limit: 300
# Data connections that stand in advance, on every server: after a rest, after refusals, after reads that end early, and
# when one thing follows the other at once. The bytes are right, whatever the server thinks of it.
. "$SRC/tests/interop/lib.sh"

make_files() {
	mkdir "$data/row" "$data/in" "$TMPDIR/new"
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		pattern "$i" $((i * 997)) >"$data/row/$i"
		pattern "1$i" $((i * 1009)) >"$TMPDIR/new/$i"
	done
	: >"$data/row/0"
	: >"$TMPDIR/new/0"
	pattern 99 9000000 >"$data/big"
}

row_is_right() {
	for f in "$mnt/row"/*; do
		cmp "$f" "$data/row/${f##*/}" || return 1
	done
}

after_rest() {
	sleep 2
	cmp "$mnt/row/7" "$data/row/7" && cmp "$mnt/big" "$data/big"
}

after_refusals() {
	for i in 1 2 3; do
		! cat "$mnt/row/missing$i" 2>/dev/null && ! ls "$mnt/missing$i" 2>/dev/null || return 1
		cmp "$mnt/row/$i" "$data/row/$i" || return 1
	done
}

# A piece from the middle each, and no more.
after_early_ends() {
	for at in 8000000 1000 5000000 3000000 7000000 2000000; do
		cmp -n 5000 "$mnt/big" "$data/big" $at $at || return 1
		cmp "$mnt/row/20" "$data/row/20" || return 1
	done
}

# The server's folder has it, and the mount reads it back at once.
writes_and_reads() {
	for f in "$TMPDIR/new"/*; do
		cp "$f" "$mnt/in/" || return 1
		cmp "$f" "$data/in/${f##*/}" || return 1
		cmp "$f" "$mnt/in/${f##*/}" || return 1
	done
	cp "$data/big" "$mnt/in/big" && cmp "$data/big" "$data/in/big" && cmp "$mnt/in/big" "$data/big" || return 1
	for f in "$TMPDIR/new"/*; do
		cp "$TMPDIR/new/20" "$mnt/in/${f##*/}" || return 1
		cmp "$TMPDIR/new/20" "$data/in/${f##*/}" || return 1
	done
	rm "$mnt/in"/* && [ -z "$(ls "$data/in")" ]
}

work_on() {
	must "$1: mount" mount_site "direct_io${2:+,$2}"
	check "$1: small files in a row" row_is_right
	check "$1: after a rest" after_rest
	check "$1: after refusals" after_refusals
	check "$1: after reads that end early" after_early_ends
	case $1 in
	aioftp*) ;; # its uploads are not reliable
	*) check "$1: written, and read at once" writes_and_reads ;;
	esac
	check "$1: small files again" row_is_right
	must "$1: unmount" unmount_site
}

begin
make_files
for name in vsftpd proftpd pure-ftpd pyftpdlib aioftp; do
	server_start $name "$data"
	work_on $name
	work_on "$name, one connection" max_conns=1
	work_on "$name, not in advance" no_arm
	server_stop
done
exit $bad
