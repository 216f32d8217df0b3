#!/bin/sh
# A mount whose program was killed is named as such, and can be replaced once it is gone.
. "$(dirname "$0")/lib.sh"
require_fuse

echo text >"$data/file"
start_server
mount_site
kill -KILL "$ftpfs"
wait_for 60 gone "$ftpfs" || fail 'cannot be killed'
fails_with 'not connected' ls "$mnt"
fails_with 'dead mount.*fusermount3 -u' "$BUILD/ftpfs" "$url" "$mnt"
fusermount3 -u "$mnt" || fail 'cannot unmount'
mount_site
[ "$(cat "$mnt/file")" = text ] || fail 'the second mount does not work'

# With auto_unmount there is nothing to clean up.
unmount_site
mount_site auto_unmount
kill -KILL "$ftpfs"
wait_for 60 is_not_mounted "$mnt" || fail 'auto_unmount does not unmount'
