#!/bin/sh
# With -o ro whatever would change the site is refused as on a read-only file system, and changes nothing.
. "$(dirname "$0")/lib.sh"
require_fuse

echo text >"$data/file"
mkdir "$data/dir"
ln -s file "$data/link"

refused() {
	for c in 'touch new' 'touch file' 'mkdir new' 'rmdir dir' 'rm -f file' 'mv file other' 'ln -s file new' 'ln file new' \
		'mkfifo new' 'chmod 600 file' 'chmod 700 dir' 'truncate -s 0 file' 'truncate -s 100 file' 'cp file new' 'rm link' \
		'dd if=/dev/null of=file conv=notrunc status=none' 'dd if=/dev/zero of=new count=1 status=none'; do
		(cd "$mnt" && sh -c "$c") >/dev/null 2>"$work/said" && fail "$1: $c: was not refused"
		grep -q 'Read-only file system' "$work/said" || fail "$1: $c: $(cat "$work/said")"
	done
	for c in 'echo x >file' 'echo x >>file' 'echo x >new' ': >file'; do
		(cd "$mnt" && sh -c "$c") >/dev/null 2>"$work/said" && fail "$1: $c: was not refused"
		grep -q -i 'Read-only file system' "$work/said" || fail "$1: $c: $(cat "$work/said")"
	done
	[ -w "$mnt/file" ] && fail "$1: says that it can be written"
	[ -r "$mnt/file" ] || fail "$1: says that it cannot be read"
	[ "$(cat "$mnt/file")" = text ] || fail "$1: the file has changed"
	[ "$(ls "$mnt" | tr '\n' ' ')" = 'dir file link ' ] || fail "$1: the directory has changed"
}

start_server
mount_site ro
grep " $mnt " /proc/self/mountinfo | grep -q ' ro,' || fail 'not mounted read-only'
refused 'mounted'
# Where the kernel does not refuse by itself, ftpfs does.
if [ "$(id -u)" = 0 ]; then
	mount -i -o remount,rw "$mnt" || fail 'remount'
	refused 'remounted rw'
fi
counters
for verb in STOR APPE STOU DELE MKD RMD RNFR SITE MFMT MFF; do
	[ "$(counter $verb)" = 0 ] || fail "the server got $verb"
done
unmount_site
