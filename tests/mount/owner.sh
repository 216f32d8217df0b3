#!/bin/sh
# uid=, gid=, umask=, fmask= and dmask= shape what is shown.
. "$(dirname "$0")/lib.sh"
require_fuse

echo text >"$data/file"
echo 'exit 3' >"$data/run"
mkdir "$data/dir"
chmod 664 "$data/file"
chmod 775 "$data/run" "$data/dir"
start_server

# shows NAME WHAT
shows() {
	have=$(stat -c '%a %u:%g' "$mnt/$1")
	[ "$have" = "$2" ] || fail "$1 is $have, not $2"
}
me=$(id -u):$(id -g)
umask 022
mount_site
shows file "644 $me"
shows run "755 $me"
shows dir "755 $me"
unmount_site
umask 077
mount_site
shows file "600 $me"
shows dir "700 $me"
unmount_site
umask 022
mount_site umask=0,uid=1234,gid=2345
shows file '664 1234:2345'
shows run '775 1234:2345'
shows dir '775 1234:2345'
shows . "$(stat -c %a "$mnt") 1234:2345"
unmount_site
mount_site fmask=137,dmask=027
shows file "640 $me"
shows run "640 $me"
shows dir "750 $me"
fails_with 'Permission denied' "$mnt/run"
unmount_site
mount_site umask=277,fmask=0
shows file "664 $me"
shows dir "500 $me"
unmount_site
