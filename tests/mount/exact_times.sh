#!/bin/sh
# exact_times: where a listing tells minutes or days, files have their seconds all the same, for one command each.
. "$(dirname "$0")/lib.sh"
require_fuse
require rsync

mkdir "$data/dir" "$data/dir/sub"
(
	cd "$data" && seq -f 'dir/many %03g' 500 | xargs -d '\n' touch && touch 'dir/ [a] "b"' && ln -s 'many 007' dir/link
	i=0
	find . -type f | while read -r file; do
		touch -d "@$((1600000000 + 12345 * (i = i + 1)))" "$file"
	done
)
times_in() {
	(cd "$1" && find . -type f -printf '%Ts %p\n' | sort)
}
times_in "$data" >"$work/want"
all=$(wc -l <"$work/want")

as_it_is() { # how it was mounted
	times_in "$mnt" >"$work/have"
	cmp "$work/have" "$work/want" || fail "$1"
}

start_server --play vsftpd
mount_site
times_in "$mnt" >"$work/have"
! cmp -s "$work/have" "$work/want" || fail 'a listing tells seconds: this tests nothing'
unmount_site

for options in exact_times exact_times,max_conns=1 exact_times,attr_timeout=600,lookahead=off; do
	counters
	before=$(counter MDTM)
	mount_site "$options"
	as_it_is "$options"
	counters
	[ "$(($(counter MDTM) - before))" = "$all" ] || fail "$options: $(($(counter MDTM) - before)) MDTM for $all files"
	unmount_site
done

# Nothing is believed for any time, so that rsync sees what the server says.
mount_site exact_times,attr_timeout=0
mkdir "$work/home" && cp -a "$data/dir/many "00* "$work/home" || fail 'cp'
rsync -aO "$work/home/" "$mnt/copy/" || fail 'rsync'
rsync -aO --itemize-changes "$work/home/" "$mnt/copy/" >"$work/again" || fail 'rsync, the second time'
[ ! -s "$work/again" ] || fail "the second time rsync has something to do: $(cat "$work/again")"
rm -r "$mnt/copy" || fail 'rm'
unmount_site
stop_server

# A connection that dies on the way: all of it again. A file that is not told about: as the listing has it.
start_server --play vsftpd --on 'MDTM 300 drop' --on 'MDTM 700-710 reply 550 Not today.'
mount_site exact_times
times_in "$mnt" >"$work/have"
[ "$(comm -3 "$work/have" "$work/want" | wc -l)" = 22 ] || fail 'a lost connection, and eleven refusals'
unmount_site
stop_server

# No such command: nobody is asked twice.
start_server --play vsftpd --no MDTM
mount_site exact_times
[ "$(find "$mnt" -type f | wc -l)" = "$all" ] || fail 'without MDTM'
counters
[ "$(counter MDTM)" = 0 ] || fail 'FEAT does not name it, and it is asked'
unmount_site
stop_server

# Listings that tell seconds need no questions.
start_server
mount_site exact_times
as_it_is MLSD
counters
[ "$(counter MDTM)" = 0 ] || fail "$(counter MDTM) MDTM behind an MLSD"
unmount_site
