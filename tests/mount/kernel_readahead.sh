#!/bin/sh
# kernel_readahead= sets the mount's readahead where root may, and a caller without sysfs loses nothing but speed.
. "$(dirname "$0")/lib.sh"
require_fuse
require_root

echo text >"$data/file"
start_server
readahead() {
	device=$(awk -v m="$mnt" '$5 == m { d = $3 } END { print d }' /proc/self/mountinfo)
	cat "/sys/class/bdi/$device/read_ahead_kb"
}
[ -w /sys/class/bdi ] || skip 'sysfs cannot be written to'
mount_site
[ "$(readahead)" = 1024 ] || fail "the default is $(readahead)"
unmount_site
mount_site kernel_readahead=0
[ "$(readahead)" = 128 ] || fail "0 leaves $(readahead)"
# As the manual has it.
echo 1024 >"/sys/class/bdi/$(findmnt -nro MAJ:MIN "$mnt")/read_ahead_kb" || fail 'by hand'
[ "$(readahead)" = 1024 ] || fail 'by hand it has no effect'
unmount_site
mkdir "$work/with blank"
mnt="$work/with blank"
"$BUILD/ftpfs" -o kernel_readahead=512 "$url" "$mnt" || fail 'does not mount'
ftpfs=$(pgrep -f "kernel_readahead=512 .*$work" | head -n 1)
device=$(awk -v work="$work/" 'index($5, work) == 1 && $5 ~ /with.040blank$/ { print $3 }' /proc/self/mountinfo)
[ -n "$device" ] || fail 'not mounted'
[ "$(cat "/sys/class/bdi/$device/read_ahead_kb")" = 512 ] || fail 'a mountpoint with a blank'
fusermount3 -u "$work/with blank"
wait_for 60 gone "$ftpfs" || fail 'ftpfs does not end'
