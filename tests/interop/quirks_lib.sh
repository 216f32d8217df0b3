# quirks_lib.sh - what servers were found to do differently, one check for each: the mount gets it right, on a single
# connection, so that what comes next must live with what was left behind. Sourced, not run. Needs SRC, BUILD, TMPDIR.
#
#   quirks NAME   the server under test is to be started, as NAME, by server_start
# shellcheck shell=sh
. "$SRC/tests/interop/lib.sh"

many=10050

make_files() {
	mkdir "$data/many" "$data/row" "$data/odd" "$data/gone"
	(cd "$data/many" && seq -f 'f%05g' $many | xargs touch)
	for i in 1 2 3 4 5 6 7 8; do
		pattern "$i" $((i * 997)) >"$data/row/$i"
		echo "$i" >"$data/gone/$i"
	done
	pattern 99 9000000 >"$data/big"
	pattern 98 9000000 >"$data/shrinks"
	for name in plain 'two words' two '[1]' 1 '*' 'what?' '{x}' x '-dash' '-la' 'a -> b' ' leading' 'back\slash'; do
		mkdir "$data/odd/$name"
		echo "$name" >"$data/odd/$name/in $name"
	done
	chmod -R u=rwX,go=rX "$data"
	(cd "$data/odd" && ls) >"$TMPDIR/odd.names"
}

# Behind the mount's back, on the server.
replace_behind() {
	if [ "$server_name" = memftpd ]; then
		curl -sS --max-time 60 -T "$2" "$server_curl_url$1"
	else
		cat "$2" >"$data/$1"
	fi
}

remove_behind() {
	if [ "$server_name" = memftpd ]; then
		curl -sS --max-time 60 -o /dev/null -Q "DELE /$1" "$server_curl_url"
	else
		rm "$data/$1"
	fi
}

still_works() {
	cmp "$mnt/row/8" "$data/row/8"
}

after_a_rest() {
	still_works && sleep 3 && stat "$mnt/row/1" "$mnt/gone" >/dev/null && df "$mnt" >/dev/null && still_works
}

# REST and RETR leave together.
begins_anywhere() {
	for at in 8999000 5 4500000; do
		cmp -n 700 "$mnt/big" "$data/big" $at $at || return 1
	done
}

# The next data connection is asked for around an upload's end.
reads_behind_an_upload() {
	for i in 1 2 3 4 5 6 7 8; do
		cp "$data/row/$i" "$mnt/new$i" && cmp "$mnt/row/$i" "$data/row/$i" && cmp "$mnt/new$i" "$data/row/$i" || return 1
	done
}

# What is renamed is what was written, all of it.
renames_behind_an_upload() {
	for i in 1 2 3 4; do
		cp "$data/row/$i" "$mnt/old" && mv "$mnt/old" "$mnt/moved$i" && ! [ -e "$mnt/old" ] || return 1
		# shellcheck disable=SC2094 # while it is written
		{ cat "$data/row/$i" && mv "$mnt/open" "$mnt/late$i"; } >"$mnt/open" || return 1
	done
}

removes_behind_an_upload() {
	for i in 1 2 3; do
		cp "$data/big" "$mnt/short" && rm "$mnt/short" && ! [ -e "$mnt/short" ] && still_works || return 1
	done
}

uploads_are_there() {
	for i in 1 2 3 4 5 6 7 8; do
		cmp "$mnt/new$i" "$data/row/$i" && rm "$mnt/new$i" || return 1
	done
	for i in 1 2 3 4; do
		cmp "$mnt/moved$i" "$data/row/$i" && cmp "$mnt/late$i" "$data/row/$i" && rm "$mnt/moved$i" "$mnt/late$i" || return 1
	done
	! [ -e "$mnt/open" ] && ! [ -e "$mnt/short" ]
}

ends_early() {
	for i in 1 2 3 4 5; do
		head -c 1000 "$mnt/big" | cmp -n 1000 - "$data/big" && cmp "$mnt/row/$i" "$data/row/$i" || return 1
	done
}

# RETR is refused: the listing had the name. In no order, so that nothing is fetched ahead.
refused_downloads() {
	ls "$mnt/gone" >/dev/null
	for i in 6 2 4; do
		remove_behind "gone/$i" || return 1
		! cat "$mnt/gone/$i" 2>/dev/null && cmp "$mnt/row/$i" "$data/row/$i" || return 1
	done
	[ "$(cat "$mnt/gone/8")" = 8 ]
}

# REST behind the end of what is there now: some send nothing, and say that this was all. Nothing comes, or an error.
beyond_the_end() {
	cp "$data/shrinks" "$TMPDIR/shrinks.$1"
	stat "$mnt/shrinks" >/dev/null
	echo short >"$TMPDIR/short"
	replace_behind shrinks "$TMPDIR/short" || return 1
	dd if="$mnt/shrinks" bs=4k skip=2000 count=1 status=none >"$TMPDIR/beyond"
	[ ! -s "$TMPDIR/beyond" ] && still_works || return 1
	replace_behind shrinks "$TMPDIR/shrinks.$1"
}

# The server would hold its 226 back, for ten seconds and more, while we leave our side of the data connection open.
one_after_the_other() {
	# shellcheck disable=SC2016 # for that sh
	timeout 60 sh -c 'for i in 1 2 3 4 5 6 7 8; do cmp "$1/row/$i" "$2/row/$i" || exit 1; done' - "$mnt" "$data"
}

# Cut or whole: every name can be opened, and one that is not there is missing.
long_listing() {
	# shellcheck disable=SC2012 # it is ls that is tried
	_n=$(ls -f "$mnt/many" | wc -l)
	[ "$_n" -gt $((many - 100)) ] || { echo "$_n names"; return 1; }
	for i in 00001 09997 09998 09999 10000 10001 10049 10050; do
		[ -f "$mnt/many/f$i" ] || { echo "f$i"; return 1; }
	done
	! ls "$mnt/many/f10051" 2>/dev/null
}

# Each directory shows what is in it, and nothing of another one. Where the server has no way, an error.
odd_names() {
	(cd "$mnt/odd" && ls) | diff "$TMPDIR/odd.names" - || return 1
	while IFS= read -r name; do
		if [ "$name" = "$closed" ] && ! ls -- "$mnt/odd/$name" 2>/dev/null; then
			continue
		fi
		[ "$(ls -- "$mnt/odd/$name")" = "in $name" ] || { echo "ls $name"; ls -la -- "$mnt/odd/$name"; return 1; }
		[ "$name" = "$closed" ] || [ "$(cat -- "$mnt/odd/$name/in $name")" = "$name" ] || { echo "cat $name"; return 1; }
	done <"$TMPDIR/odd.names"
}

quirks() {
	server_start "$2" "$data"
	closed=
	case $1 in
	pure-ftpd) closed='back\slash' ;; # the server opens nothing there, and may show nothing
	esac
	must "$1: mount" mount_site max_conns=1,direct_io,attr_timeout=600
	check "$1: a data connection that stands while other things are asked" after_a_rest
	check "$1: from an offset" begins_anywhere
	check "$1: downloads that end early" ends_early
	check "$1: a refused download" refused_downloads
	check "$1: behind the end of a file that has shrunk" beyond_the_end "$1"
	check "$1: one file after the other" one_after_the_other
	check "$1: a directory of $many files" long_listing
	check "$1: directories with odd names" odd_names
	if [ "$1" != aioftp ]; then # its uploads are not reliable
		check "$1: reads behind an upload" reads_behind_an_upload
		check "$1: renames behind an upload" renames_behind_an_upload
		check "$1: removes behind an upload" removes_behind_an_upload
		must "$1: unmount" unmount_site
		must "$1: mount again" mount_site max_conns=1
		check "$1: what was written is there" uploads_are_there
	fi
	must "$1: unmount" unmount_site
	must "$1: mount for LIST" mount_site max_conns=1,disable_mlsd
	check "$1: directories with odd names, by LIST" odd_names
	check "$1: a directory of $many files, by LIST" long_listing
	must "$1: unmount" unmount_site
	server_stop
	for i in 6 2 4; do
		[ -e "$data/gone/$i" ] || echo "$i" >"$data/gone/$i"
	done
}
