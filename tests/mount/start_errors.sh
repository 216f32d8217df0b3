#!/bin/sh
# What cannot be mounted says why in one line, in time, with a status other than 0, and leaves nothing behind.
. "$(dirname "$0")/lib.sh"
require_fuse

# no_mount WORDS OPTIONS URL [MOUNTPOINT]
no_mount() {
	seconds_of timeout 100 "$BUILD/ftpfs" -o "$2" "$3" "${4:-$mnt}" </dev/null >"$work/said" 2>&1
	say "$3 ($code, $took s): $(cat "$work/said")"
	[ $code = 1 ] || fail "exit code $code"
	[ $took -lt 60 ] || fail "took $took seconds"
	[ "$(wc -l <"$work/said")" = 1 ] || fail 'not one line'
	grep -q '^ftpfs: .*'"$1" "$work/said" || fail "does not say '$1'"
	! grep -q secret "$work/said" || fail 'says the password'
	is_not_mounted "${4:-$mnt}" || fail 'something is mounted'
	[ -z "$(pid_of "${4:-$mnt}")" ] || fail 'a process is left'
}
quick=connect_timeout=1,timeout=1
patient=connect_timeout=100,timeout=100

echo x >"$data/file"
mkdir "$data/dir"
start_server
no_mount '[Ll]ogin' $patient "ftp://joe:wrong@127.0.0.1:$port"
no_mount '[Ll]ogin' $patient "ftp://nobody:secret@127.0.0.1:$port"
no_mount 'anonymous.*USER@' $patient,no_netrc "ftp://127.0.0.1:$port"
no_mount 'no password' $patient,no_netrc "ftp://joe@127.0.0.1:$port"
no_mount "127.0.0.1:$port: .*nothere" $patient "$url/nothere"
no_mount 'file' $patient "$url/file"
no_mount 'host.invalid' $quick ftp://host.invalid/
no_mount 'No such file' $patient "$url" "$work/missing"
no_mount 'Not a directory' $patient "$url" "$work/server.out"
stop_server
no_mount "127.0.0.1:$port: .*refused" $patient "$url"

for fault in --garbage --endless-line --endless-reply --silence; do
	start_server $fault
	no_mount '127.0.0.1' $quick "$url"
	stop_server
	for at in USER PASS FEAT TYPE PWD; do
		start_server $fault --at $at
		# What is said about features is not needed for a mount; all else is.
		if [ $at = PWD ] || [ $at = FEAT ]; then
			timeout 100 "$BUILD/ftpfs" -o $quick "$url" "$mnt" 2>"$work/said" && { ftpfs=$(pid_of "$mnt"); unmount_site; }
		else
			no_mount '127.0.0.1' $quick "$url"
		fi
		is_not_mounted "$mnt" || fail "$fault at $at: mounted"
		stop_server
	done
done

start_server --max-connections 1
mount_site max_conns=1
mkdir "$work/mnt2"
no_mount '421\|[Tt]oo many' $patient "$url" "$work/mnt2"
unmount_site
