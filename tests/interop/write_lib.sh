# write_lib.sh - everything that a mount can do to a site, on one server, and what docs/servers.md says of it.
# Sourced by the test of each server (write_*.sh), not run.  Needs SRC, BUILD and TMPDIR.
#
# fsops and fsnames do the work and check it in a second view: the server's own folder, or, for a server that keeps
# its files in memory, a second mount that caches nothing. What each row gives is the server's column in docs/servers.md;
# tests/interop/servers_table.sh writes that table anew.
# shellcheck shell=sh

. "$SRC/tests/interop/lib.sh"

truth=$data
truth_mounted=no

# The rows of all operations, "name TAB outcome" a line, in $1.
operate() {
	mkdir "$mnt/$2" || return 1
	{
		"$BUILD/tests/tools/fsops" "$mnt/$2" "$truth/$2"
		"$BUILD/tests/tools/fstree" "$mnt/$2" "$truth/$2"
		"$BUILD/tests/tools/fsnames" "$mnt/$2" "$truth/$2"
	} >"$1"
	! grep -a "WRONG:" "$1" && [ "$(wc -l <"$1")" -gt 60 ]
}

# The server's column of the table, as such rows.
column_of() {
	awk -F ' *[|] *' -v server="$1" '
		$2 == "operation" {
			for (i = 3; i < NF; i++)
				if ($i == server)
					column = i
			next
		}
		column && NF > 3 && $2 !~ /^-/ {
			gsub(/\\/, "", $2)
			print $2 "\t" $column
		}' "$SRC/docs/servers.md"
}

# For a name in the first column of a table.
documented() {
	[ -z "${SERVERS_TABLE:-}" ] || return 0 # it is being written
	column_of "$1" >"$TMPDIR/documented"
	sed 's/|/¦/g' "$2" >"$TMPDIR/rows"
	same "$TMPDIR/rows" "$TMPDIR/documented"
}

leaves_nothing() {
	rm -r "$mnt/${1:?}" && ! [ -e "$truth/$1" ]
}

see_truth() {
	[ -z "$server_tls" ] && [ "$server_name" = memftpd ] || return 0
	truth=$TMPDIR/truth
	mkdir "$truth"
	timeout 100 "$BUILD/ftpfs" "$server_url" "$truth" -o attr_timeout=0 && truth_mounted=yes
}

write_clean_up() {
	[ $truth_mounted = no ] || fusermount3 -u -z "$truth"
	clean_up
}

# write_all SERVER
write_all() {
	needs_fuse
	trap write_clean_up EXIT
	trap 'exit 1' HUP INT TERM
	mkdir "$data" "$mnt"
	server_start "$1" "$data"
	must 'a second view' see_truth
	must 'mount' mount_site no_contain_symlinks
	check 'everything' operate "$TMPDIR/four" four
	[ -z "${SERVERS_TABLE:-}" ] || cp "$TMPDIR/four" "$SERVERS_TABLE/$1"
	check 'as docs/servers.md says' documented "$1" "$TMPDIR/four"
	check 'rm -r' leaves_nothing four
	must 'unmount' unmount_site

	must 'mount with one connection' mount_site max_conns=1,no_contain_symlinks
	check 'one connection: everything' operate "$TMPDIR/one" one
	check 'one connection: as docs/servers.md says' documented "$1" "$TMPDIR/one"
	check 'one connection: rm -r' leaves_nothing one
	must 'unmount of one connection' unmount_site
	exit $bad
}
