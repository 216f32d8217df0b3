#!/bin/sh
# The time of a file is set in whichever way the server has, and refused (EPERM) where it has none.
. "$(dirname "$0")/lib.sh"
require_fuse
require curl

echo x >"$data/file"
echo y >"$data/other file"
touch -d @1500000000 "$data/file" "$data/other file"

sets() { # OPTION... of the server
	start_server "$@"
	mount_site attr_timeout=0
	touch -d @1600000001 "$mnt/file" "$mnt/other file" || fail "$*: touch"
	# What vsftpd lists, is minutes: asked for alone it tells more.
	for file in file 'other%20file'; do
		curl -sSI "$url/$file" | grep -q 'Last-Modified: Sun, 13 Sep 2020 12:26:41 GMT' || fail "$*: another time"
	done
	unmount_site
	stop_server
}
sets
sets --no MFMT
sets --no MFMT --no MFF
sets --play vsftpd

# Here the time that MDTM might set is taken for a part of the name, which is not there. The file is.
start_server --no MFMT --no MFF --no 'SITE UTIME'
mount_site
for time in now @1600000001; do
	fails_with 'Operation not permitted' touch -d $time "$mnt/file"
done
[ "$(stat -c %Y "$mnt/file")" = 1500000000 ] || fail 'a time that was not set is shown'
unmount_site
