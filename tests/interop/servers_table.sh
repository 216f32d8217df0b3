# servers_table.sh - writes the table in docs/servers.md anew, from what the servers do now.  Run by hand:
#   sh tests/interop/servers_table.sh
# shellcheck shell=sh
set -eu
cd "$(dirname "$0")/../.."
SERVERS_TABLE=$(mktemp -d)
export SERVERS_TABLE
trap 'rm -rf "$SERVERS_TABLE"' EXIT
servers='vsftpd proftpd pure-ftpd pyftpdlib memftpd'
tests=
for s in $servers; do
	tests="$tests tests/interop/write_$s.sh"
done
# shellcheck disable=SC2086 # a list of words
scripts/run-tests $tests >/dev/null || echo 'servers_table.sh: not all is well; see the tests' >&2
(
	cd "$SERVERS_TABLE"
	sed 's/|/¦/g' vsftpd | cut -f 1 >names
	for s in $servers; do
		[ "$(cut -f 1 "$s" | sed 's/|/¦/g' | cmp - names)" = '' ]
		cut -f 2 "$s" >"column.$s"
	done
	echo "operation $servers" | sed 's/ / | /g; s/.*/| & |/'
	echo '| --- | --- | --- | --- | --- | --- |'
	# shellcheck disable=SC2086,SC2046 # a list of words
	paste -d '|' names $(printf 'column.%s ' $servers) | sed 's/|/ | /g; s/.*/| & |/; s/[*_]/\\&/g'
) >"$SERVERS_TABLE/table"
awk -v table="$SERVERS_TABLE/table" '
	/^\| operation / { while ((getline line <table) > 0) print line; inside = 1 }
	!/^\|/ { inside = 0 }
	!inside' docs/servers.md >"$SERVERS_TABLE/page"
cat "$SERVERS_TABLE/page" >docs/servers.md
