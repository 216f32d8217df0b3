#!/bin/sh
# Other users are kept out, unless allow_other lets them in; default_permissions checks bits.
. "$(dirname "$0")/lib.sh"
require_fuse
require_root
require setpriv

echo text >"$data/file"
echo text >"$data/mine"
chmod 644 "$data/file"
chmod 600 "$data/mine"
start_server
as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
as_nobody true || skip 'cannot run as another user'

mount_site
fails_with 'Permission denied' as_nobody cat "$mnt/file"
unmount_site
mount_site allow_other
[ "$(as_nobody cat "$mnt/file")" = text ] || fail 'allow_other does not let others in'
unmount_site
mount_site allow_other,default_permissions
[ "$(as_nobody cat "$mnt/file")" = text ] || fail 'a file for all'
fails_with 'Permission denied' as_nobody cat "$mnt/mine"
[ "$(cat "$mnt/mine")" = text ] || fail 'the owner'
unmount_site
