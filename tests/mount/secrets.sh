#!/bin/sh
# Logins come from every place that the manual names, and no password is left where others can see it.
. "$(dirname "$0")/lib.sh"
require_fuse

echo text >"$data/file"
start_server
site=$host:$port
export HOME="$work"

# works OPTIONS URL [STDIN]
works() {
	printf '%s' "${3:-}" | "$BUILD/ftpfs" -o "$1" "$2" "$mnt" 2>"$work/ftpfs.log" || fail "$1 $2"
	ftpfs=$(pid_of "$mnt")
	[ "$(cat "$mnt/file")" = text ] || fail "$1 $2: cannot read"
	! tr '\0' '\n' <"/proc/$ftpfs/cmdline" | grep -q secret || fail "$1 $2: the password is in the list of processes"
	! grep -q secret /proc/self/mountinfo || fail "$1 $2: the password is in the list of mounts"
	unmount_site
}
works max_conns=1 "ftp://joe:secret@$site/"
works user=joe,password=secret "ftp://$site"
works user=joe:secret "ftp://$site"
works password=secret "ftp://joe@$site"
works password_stdin "ftp://joe@$site" 'secret
'
printf 'username=joe\npassword=secret\n' >"$work/credentials"
chmod 600 "$work/credentials"
works "credentials=$work/credentials" "ftp://$site"
printf 'machine 127.0.0.1 login joe password secret\n' >"$work/.netrc"
chmod 600 "$work/.netrc"
works ro "ftp://$site"
works ro "ftp://joe@$site"
fails_with '[Ll]ogin' "$BUILD/ftpfs" -o no_netrc "ftp://$site" "$mnt"
chmod 644 "$work/.netrc"
fails_with 'others can read it' "$BUILD/ftpfs" "ftp://$site" "$mnt"
chmod 640 "$work/credentials"
fails_with 'others can read it' "$BUILD/ftpfs" -o "credentials=$work/credentials" "ftp://$site" "$mnt"

# The log masks it, also with the wire in it.
"$BUILD/ftpfs" -o "log_level=wire,log_file=$work/wire.log" "ftp://joe:secret@$site" "$mnt" || fail 'does not mount'
ftpfs=$(pid_of "$mnt")
cat "$mnt/file" >/dev/null
unmount_site
grep -q 'USER joe' "$work/wire.log" || fail 'the wire is not in the log'
! grep -q secret "$work/wire.log" || fail 'the password is in the log'
