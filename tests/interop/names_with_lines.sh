#!/bin/sh
# time-limit: 120
# Names with line ends in them, which pass for replies in what vsftpd says on the control connection: what else is in that
# directory is there all the same, and no other directory suffers.
. "$SRC/tests/interop/lib.sh"

data=$TMPDIR/data
mnt=$TMPDIR/mnt
mkdir -p "$data/bad" "$data/good" "$mnt"
needs_fuse
touch "$data/bad/$(printf 'nl\n213 End of status')" \
	"$data/bad/$(printf 'x\n213 End of status\r\n350 Restart position accepted (1).\r\n226 ok')"
for n in 1 2 3; do
	echo "$n" >"$data/bad/f$n"
	echo "$n" >"$data/good/f$n"
done
server_start vsftpd "$data"
trap clean_up EXIT
mount_site || exit 1
for d in bad good; do
	for n in 1 2 3; do
		[ "$(cat "$mnt/$d/f$n")" = "$n" ] || { echo "FAILED: $d/f$n"; exit 1; }
	done
	ls "$mnt/$d" >/dev/null || { echo "FAILED: ls $d"; exit 1; }
done
unmount_site || exit 1
echo 'ok - names with line ends'
