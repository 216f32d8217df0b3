# far_rows.sh - the rows of far.sh: what is done, by whom, and how it is checked.  Sourced.
# shellcheck shell=bash disable=SC2154,SC2034 # what far.sh and lib.sh set and read

default_rows() {
	echo walk cat copy-out copy-in stat stat-deep first-byte random shuffled read read-limited mount list
}

row_peers() {
	case $1 in
	walk) echo ftpfs rclone sshfs curlftpfs lftp ;;
	copy-in) echo ftpfs rclone sshfs curlftpfs curl curl-each lftp ;;
	cat | copy-out | read) echo ftpfs rclone sshfs curlftpfs curl lftp ;;
	shuffled) echo ftpfs ftpfs-off rclone sshfs curlftpfs ;;
	list) echo ftpfs curl curl-mlsd rclone sshfs curlftpfs ;;
	read-limited) echo ftpfs curl lftp ;;
	*) echo ftpfs rclone sshfs curlftpfs ;;
	esac
}

# --- data -----------------------------------------------------------------------------------------

mib=${FAR_MIB:-$([ -n "$quick" ] && echo 64 || echo 128)}
entries=${FAR_ENTRIES:-100000}

make_data() {
	local i
	(
		cd "$data" || exit 1
		mkdir -p tree/dir00 small in
		for i in $(seq -w 0 99); do
			head -c 1024 /dev/urandom >"small/file$i"
			echo "$i" >"tree/dir00/file$i"
		done
		for i in $(seq -w 1 99); do cp -rl tree/dir00 "tree/dir$i"; done
		make_file big $((mib * 1024 * 1024))
		mkdir "$TMPDIR/new"
		for i in 0 1 2 3 4 5 6 7 8 9; do head -c 1024 /dev/urandom >"$TMPDIR/new/new$i"; done
		mkdir "$TMPDIR/got"
	)
	chmod -R a+rX "$data"
}

# Before the first turn of a row. 1: the row cannot be.
prepare_row() {
	case $1 in
	list)
		[ -d "$data/many" ] && return
		mkdir "$data/many"
		(cd "$data/many" && seq -f 'entry%06.0f' "$entries" | xargs touch)
		chown -R "$server_uid:$server_uid" "$data/many"
		;;
	read-limited)
		server_stop
		server_rate=4000000
		server_start "$server" "$data"
		;;
	esac
}

finish_row() {
	case $1 in
	list) rm -rf "$data/many" ;;
	read-limited)
		server_stop
		server_rate=
		server_start "$server" "$data"
		;;
	esac
}

# --- rows: row_NAME PEER ---------------------------------------------------------------------------

row_walk() {
	case $1 in
	lftp) work walk lftp 'lftp_do "find -l tree"' '[ "$(grep -c file <"$out")" = 10000 ]' ;;
	*) fresh_mount walk "$1" && work walk "$1" 'ls -lR "$mnt/tree"' '[ "$(grep -c file <"$out")" = 10000 ]' ;;
	esac
}

row_cat() {
	local check='cat "$data"/small/* | cmp - "$out"'
	case $1 in
	curl) work cat curl 'curl -sS "${server_url}small/file[00-99]"' "$check" ;;
	lftp) work cat lftp 'lftp_do "glob cat small/*"' "$check" ;;
	*) fresh_mount cat "$1" && work cat "$1" 'cat "$mnt"/small/*' "$check" ;;
	esac
}

row_copy_out() {
	local check='diff -r "$data/small" "$TMPDIR/got/small"'
	case $1 in
	curl) work copy-out curl 'mkdir "$TMPDIR/got/small"; cd "$TMPDIR/got/small"; curl -sS --remote-name-all "${server_url}small/file[00-99]"' "$check" ;;
	lftp) work copy-out lftp 'lftp_do "mirror --parallel=4 small $TMPDIR/got/small"' "$check" ;;
	*) fresh_mount copy-out "$1" && work copy-out "$1" 'cp -r "$mnt/small" "$TMPDIR/got/"' "$check" ;;
	esac
	rm -rf "$TMPDIR/got/small"
}

# curl-each is the naive client: a login for each file.
row_copy_in() {
	local check='diff -r "$TMPDIR/new" "$data/in"'
	case $1 in
	curl) work copy-in curl 'cd "$TMPDIR/new"; curl -sS -T "{$(echo * | tr " " ,)}" "${server_url}in/"' "$check" ;;
	curl-each) work copy-in curl-each 'for f in "$TMPDIR"/new/*; do curl -sS -T "$f" "${server_url}in/" || exit 1; done' "$check" ;;
	lftp) work copy-in lftp 'lftp_do "mput -O in $TMPDIR/new/*"' "$check" ;;
	*) fresh_mount copy-in "$1" && work copy-in "$1" 'for f in "$TMPDIR"/new/*; do cp "$f" "$mnt/in/" || exit 1; done' "$check" ;;
	esac
	note_memory "copy-in:$1"
	unmount
	find "$data/in" -type f -delete
}

# The probes print the time themselves, so that no program's start is in it.
probe_row() {
	settle
	if attempt "$3"; then
		measured "$1" "$2" "$(sort -g "$TMPDIR/out" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')"
	else
		note "$1:$2" fails 1
	fi
}

row_stat() {
	fresh_mount stat "$1" && probe_row stat "$1" '"$BUILD/bench/probe" stat "$mnt/small/file42"'
}

row_stat_deep() {
	fresh_mount stat-deep "$1" && probe_row stat-deep "$1" '"$BUILD/bench/probe" stat "$mnt/tree/dir42/file42"'
}

row_first_byte() {
	fresh_mount first-byte "$1" || return
	attempt 'ls -l "$mnt/small"' || return
	probe_row first-byte "$1" '"$BUILD/bench/probe" first "$mnt/small/file42"'
}

# Counts are for the open file and twenty reads.
row_random() {
	fresh_mount random "$1" && probe_row random "$1" '"$BUILD/bench/probe" random 20 <"$mnt/big"'
}

# In an order that nobody can foresee, but the same for all: looking ahead must not harm here. ftpfs-off does not look.
row_shuffled() {
	local order='cd "$root/small"; cat file17 file83 file05 file61 file38 file94 file22 file70 file49 file11 file88 file33 file66 file02 file57 file29 file75 file40 file13 file99'
	fresh_mount shuffled "$1" && work shuffled "$1" "root=\$mnt; $order" "root=\$data; ($order) | cmp - \"\$out\""
}

# curl_second FILE PATH [OPTION...]: fetches a small file, then PATH on the same connection; the second is what counts.
curl_second() {
	curl -sS "${@:3}" -w '%{time_total}\n' -o /dev/null "${server_url}small/file00" -o "$1" "${server_url}$2" >"$TMPDIR/took"
}
export -f curl_second

read_by() {
	local check="[ \"\$(tail -n 1 \"\$out\")\" = $((mib * 1024 * 1024)) ]"
	case $2 in
	curl) work "$1" curl 'curl_second "$TMPDIR/got/big" big; stat -c %s "$TMPDIR/got/big"' "$check" ;;
	lftp) work "$1" lftp 'lftp_do "$READ_LFTP"; stat -c %s "$TMPDIR/got/big"' "$check" ;;
	*) fresh_mount "$1" "$2" && work "$1" "$2" 'dd if="$mnt/big" bs=1M status=none | wc -c' "$check" ;;
	esac
	rm -f "$TMPDIR/got/big"
}

row_read() { READ_LFTP="get big -o $TMPDIR/got/big" read_by read "$1"; }
row_read_limited() { READ_LFTP="pget -n 4 big -o $TMPDIR/got/big" read_by read-limited "$1"; }

row_mount() {
	settle
	if attempt "daemon_command $1"; then
		measured mount "$1" "$took"
	else
		note "mount:$1" fails 1
	fi
	fusermount3 -u "$mnt" || umount -l "$mnt"
}

row_list() {
	local check="[ \"\$(tail -n 1 \"\$out\")\" = $entries ]"
	case $1 in
	curl) work list curl 'curl_second "$TMPDIR/got/list" many/; grep -c entry "$TMPDIR/got/list"' "$check" ;;
	curl-mlsd)
		[ "$server" = vsftpd ] || work list curl-mlsd \
			'curl_second "$TMPDIR/got/list" many/ -X MLSD; grep -c entry "$TMPDIR/got/list"' "$check"
		;;
	*) fresh_mount list "$1" && work list "$1" 'ls -f "$mnt/many" | grep -c entry' "$check" ;;
	esac
}
