#!/bin/sh
# Listings that cannot be understood, are cut, or cannot be had: an error, never an empty or a shortened directory.
. "$(dirname "$0")/lib.sh"
require_fuse

mkdir "$data/dir"
(cd "$data/dir" && seq -f 'name %04g' 2000 | xargs -d '\n' touch)
echo text >"$data/file"

also=

# no_listing FAULT...
no_listing() {
	start_server "$@"
	mount_site "timeout=2,connect_timeout=2$also"
	timeout 100 ls "$mnt/dir" >"$work/list" 2>"$work/said" && fail "$*: $(wc -l <"$work/list") entries and no error"
	say "$*: $(cat "$work/said")"
	grep -q 'Input/output error\|timed out\|Connection\|not supported\|Protocol error' "$work/said" || fail "$*: another error"
	unmount_site
	stop_server
}
no_listing --listing nonsense
no_listing --drop-after 1000
no_listing --drop-all-after 1000
no_listing --refuse-data
no_listing --no MLSD --no LIST
no_listing --at MLSD --garbage
no_listing --at MLSD --silence
also=,no_arm # or it would not even mount
no_listing --at EPSV --endless-line
no_listing --no EPSV --at PASV --endless-reply
