#!/bin/sh
# mount(8), mount.fuse3 and fstab: the words they pass are understood, and what they call works.
. "$(dirname "$0")/lib.sh"
require_fuse
require_root
require mount.fuse3 mount unshare

echo text >"$data/file"
start_server
mkdir "$work/bin"
ln -s "$BUILD/ftpfs" "$work/bin/ftpfs"
ln -s "$BUILD/ftpfs" "$work/bin/mount.ftpfs"

works() {
	is_mounted "$mnt" || fail "$1: not mounted"
	grep " $mnt " /proc/self/mountinfo | grep -q ' - fuse.ftpfs ' || fail "$1: not of type fuse.ftpfs"
	[ "$(cat "$mnt/file")" = text ] || fail "$1: cannot read"
	ftpfs=$(pid_of "$mnt")
	umount "$mnt" || fail "$1: umount"
	wait_for 60 gone "$ftpfs" || fail "$1: ftpfs does not end"
}

# What mount(8) calls for the type fuse.ftpfs; it finds ftpfs by PATH.
PATH=$work/bin:$PATH mount.fuse3 "$url" "$mnt" -t fuse.ftpfs -o rw,dev,suid || fail 'mount.fuse3'
works 'mount.fuse3'
PATH=$work/bin:$PATH mount.fuse3 "ftpfs#$url" "$mnt" -o rw,nofail,_netdev,noauto,user,x-systemd.automount || fail 'mount.fuse3 #'
works 'mount.fuse3 with the program in the source'

# As a helper of its own: mount.ftpfs, with the flags that mount(8) gives to helpers.
"$work/bin/mount.ftpfs" "$url" "$mnt" -s -v -n -o rw,noexec,nosuid,nodev,user,_netdev,x-foo=1 || fail 'mount.ftpfs'
grep " $mnt " /proc/self/mountinfo | grep -q noexec || fail 'noexec does not reach the kernel'
works 'mount.ftpfs'
"$work/bin/mount.ftpfs" "$url" "$mnt" -f -o rw || fail 'mount.ftpfs -f'
is_not_mounted "$mnt" || fail 'mount.ftpfs -f is only a rehearsal'

# All words at once, as they stand in an fstab.
mount_site 'rw,nofail,_netdev,noauto,auto,user,users,nouser,defaults,exec,noatime,nodiratime,relatime,async,x-a=b,X-c'
works 'fstab words'

# mount(8) itself looks only into the system's folders: it gets one of them with ftpfs in it, in a mount namespace of its own.
printf '%s %s fuse.ftpfs noauto,_netdev,nofail,x-foo,max_conns=2 0 0\n' "$url" "$mnt" >"$work/fstab"
cat >"$work/inside" <<-'EOF'
	set -eux
	# Other tests' mounts are let go here: they end when those tests unmount them.
	awk '/ - fuse/ { print $5 }' /proc/self/mountinfo | while read -r point; do
		umount -l "$(printf %b "$point")"
	done
	mount --bind "$work/bin" /usr/local/bin
	mount -t fuse.ftpfs "$url" "$mnt" -o nofail,_netdev,users,x-foo
	grep " $mnt " /proc/self/mountinfo | grep ' - fuse.ftpfs '
	[ "$(cat "$mnt/file")" = text ]
	umount "$mnt"
	mount -T "$work/fstab" "$mnt"
	[ "$(cat "$mnt/file")" = text ]
	umount "$mnt"
	! mount -t fuse.ftpfs "$url/missing" "$mnt"
	! mount -t fuse.ftpfs "$url" "$mnt" -o unheard_of
	! grep " $mnt " /proc/self/mountinfo
EOF
export work url mnt
timeout 100 unshare -m sh "$work/inside" >"$work/inside.log" 2>&1 || fail 'mount -t fuse.ftpfs'
