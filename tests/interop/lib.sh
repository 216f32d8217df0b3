# lib.sh - a folder of every awkward kind of file, and what must hold when a server's copy of it is mounted.
# Sourced by the test of each server, not run.  Needs SRC, BUILD and TMPDIR.
# shellcheck shell=sh

set -u
export LC_ALL=C
. "$SRC/tests/interop/servers.sh"

data=$TMPDIR/data
mnt=$TMPDIR/mnt
many=10000                   # files in the big directory

# What the test of a server may change, before run_all:
listing_cut=no               # yes: a listing of the big directory comes back cut
mtime_precision=second       # listing: what LIST prints: minutes for 180 days, then days
plain_client=curl            # none: no other client that is at hand gets data from this server
without=                     # names that the server itself hides or refuses, a line each, as printf %b reads them

bad=0

# --- checks ---------------------------------------------------------------------------------------

# check NAME COMMAND...: one line for the test's result, with what the command said when it failed.
check() {
	_name=$1
	shift
	if "$@" >"$TMPDIR/said" 2>&1; then
		echo "ok - $_name"
	else
		head -c 4000 "$TMPDIR/said"
		echo "not ok - $_name"
		bad=1
		return 1
	fi
}

# The same, where nothing that follows makes sense without it.
must() {
	check "$@" || exit 1
}

# same FILE FILE: equal and not empty.
same() {
	[ -s "$1" ] || { echo "$1 is empty"; return 1; }
	diff "$1" "$2" | head -n 20 >"$TMPDIR/difference"
	[ -s "$TMPDIR/difference" ] || return 0
	cat "$TMPDIR/difference"
	return 1
}

# --- the tree -------------------------------------------------------------------------------------

# pattern SEED BYTES: bytes that do not compress, do not repeat, and are the same in every run.
pattern() {
	openssl enc -aes-128-ctr -K "$(printf %032x "$1")" -iv 0 </dev/zero 2>/dev/null | head -c "$2"
}

make_sizes() {
	for n in 0 1 4095 4096 4097 65535 65536 65537 131071 1048575 1048577 67108864; do
		pattern $n $n >"$1/$n.bin"
	done
}

# shellcheck disable=SC2016 # names that only look like variables
make_names() {
	for n in 'a space' 'two  spaces' '[1]' 'x[ab]y' '*' 'what?' '{a,b}' 'back\slash' "it's" '"quoted"' '-dash' '--help' \
		'-la' '.hidden' '..twodots' 'a -> b' 'semi;colon' 'a=b;type=dir; c' '100%' '#hash' '~tilde' '$HOME' '`tick`' \
		'&amp;' 'naïve' '日本語' '😀' 'trailing.' 'a:b' '(paren)' 'tab	tab' 'plus+plus' '250 not a reply' 'total 12'; do
		printf 'the file named %s\n' "$n" >"$1/$n"
	done
	mkdir "$1/dir [1] *" "$1/-dir" "$1/.dotdir" "$1/dir with  spaces"
	for d in 'dir [1] *' '-dir' '.dotdir' 'dir with  spaces'; do
		printf 'inside %s\n' "$d" >"$1/$d/inside"
	done
	echo 'globbed' >"$1/1"
	mkdir "$1/dir 1 x"
	echo 'not this one' >"$1/dir 1 x/globbed"
	echo 'latin one' >"$1/$(printf 'caf\351')"
	echo "$without" | while IFS= read -r n; do
		[ -z "$n" ] || rm -r "${1:?}/$(printf %b "$n")"
	done
}

make_times() {
	for t in '1999-12-31 23:59:59' '2001-02-03 04:05:06' '2024-02-29 12:00:00' '2 hours ago' '5 days ago' '100 days ago' \
		'300 days ago'; do
		echo "$t" >"$1/$t"
		touch -d "$t UTC" "$1/$t" 2>/dev/null || touch -d "$t" "$1/$t"
	done
}

make_tree() {
	mkdir -p "$1/sizes" "$1/names" "$1/times" "$1/links" "$1/empty" "$1/many" "$1/grid" "$1/deep/b/c/d/e/f/g/h/i/j"
	make_sizes "$1/sizes"
	make_names "$1/names"
	make_times "$1/times"
	echo deep >"$1/deep/b/c/d/e/f/g/h/i/j/file"
	ln -s ../sizes/4097.bin "$1/links/relative"
	(cd "$1/grid" && seq -f %02g 0 99 | xargs mkdir)
	awk -v dir="$1" -v many=$many 'function put(name, n) { printf "%*d\n", n % 300, n >name; close(name) }
		BEGIN {
			for (i = 0; i < many; i++)
				put(sprintf("%s/many/file %05d.txt", dir, i), i)
			for (i = 0; i < 10000; i++)
				put(sprintf("%s/grid/%02d/%02d", dir, i / 100, i % 100), i)
		}'
	chmod -R u=rwX,go=rX "$1"
}

# --- pictures of a tree, to compare ----------------------------------------------------------------

# Links are left out (servers show them as links or as what they lead to), and a big folder whose listing is cut.
find_in() {
	_left_out='./links/*'
	[ $listing_cut = yes ] && _left_out='./many/*'
	(cd "$1" && shift && find . ! -path './links/*' ! -path "$_left_out" "$@")
}

names_of() {
	find_in "$1" -printf '%y %P\n' | sort
}

sizes_of() {
	find_in "$1" -type f -printf '%s %P\n' | sort
}

# Every file but those of the two big folders; of them one in a hundred.
sums_of() {
	(cd "$1" && find . -type f ! -path './links/*' \( ! -path './many/*' ! -path './grid/*' -o -name '*00.txt' -o -name 00 \) \
		-print0 | sort -z | xargs -0 sha256sum)
}

times_of() {
	(cd "$1/times" && find . -type f -printf '%T@ %P\n') | sort -k 2
}

same_names() {
	names_of "$mnt" >"$TMPDIR/names" && same "$TMPDIR/names" "$TMPDIR/data.names"
}

same_sizes() {
	sizes_of "$mnt" >"$TMPDIR/sizes" && same "$TMPDIR/sizes" "$TMPDIR/data.sizes"
}

same_sums() {
	sums_of "$mnt" >"$TMPDIR/sums" && same "$TMPDIR/sums" "$TMPDIR/data.sums"
}

# How far apart a time may be: nothing, or what a listing leaves out.
same_times() {
	times_of "$mnt" >"$TMPDIR/times"
	[ "$(wc -l <"$TMPDIR/times")" = 7 ] || { cat "$TMPDIR/times"; return 1; }
	paste -d ' ' "$TMPDIR/times" "$TMPDIR/data.times" | awk -v precision=$mtime_precision -v now="$(date +%s)" '
		{
			theirs = int($1)
			ours = int($(NF / 2 + 1))
			slack = precision == "second" ? 0 : now - ours < 180 * 86400 ? 59 : 86399
			if (theirs > ours || ours - theirs > slack) {
				print "too far apart: " $0
				bad = 1
			}
		}
		END { exit bad }'
}

# --- mounting -------------------------------------------------------------------------------------

needs_fuse() {
	if [ ! -e /dev/fuse ]; then
		echo 'skip: no /dev/fuse'
		exit 77
	fi
}

# mount_site [OPTIONS]: returns when the mount is live.
mount_site() {
	_options=${1:-}
	[ -z "$server_tls" ] || _options=${_options:+$_options,}cacert=$server_cert
	timeout 100 "$BUILD/ftpfs" "$server_url" "$mnt" ${_options:+-o "$_options"} && mountpoint -q "$mnt"
}

# Its process says goodbye to the server, and ends.
unmount_site() {
	timeout 100 fusermount3 -u "$mnt" && ! mountpoint -q "$mnt" || return 1
	for _ in $(seq 1200); do
		pgrep -f -- "ftpfs .*$mnt" >/dev/null || return 0
		sleep 0.05
	done
	echo 'ftpfs does not end'
	return 1
}

clean_up() {
	if mountpoint -q "$mnt" 2>/dev/null; then
		fusermount3 -u -z "$mnt"
	fi
	server_stop
}

# fails_with WORDS COMMAND...: it fails, and says these words.
fails_with() {
	_words=$1
	shift
	"$@" >"$TMPDIR/failure" 2>&1 && { echo 'it succeeded'; return 1; }
	grep -q "$_words" "$TMPDIR/failure" || { cat "$TMPDIR/failure"; return 1; }
}

refuses_password() {
	timeout 100 "$BUILD/ftpfs" "$(echo "$server_url" | sed s/secret/wrong/)" "$mnt" ${server_cert:+-o cacert="$server_cert"} && { echo 'it mounted'; return 1; }
	[ $? != 124 ] && ! mountpoint -q "$mnt"
}

# Readers of one file, and of others, all at once.
reads_at_once() {
	_pids=
	for f in "$@"; do
		sha256sum <"$mnt/$f" >"$TMPDIR/at-once.$(echo "$_pids" | wc -w)" &
		_pids="$_pids $!"
	done
	for p in $_pids; do
		wait "$p" || return 1
	done
	_n=0
	for f in "$@"; do
		[ "$(cat "$TMPDIR/at-once.$_n")" = "$(sha256sum <"$data/$f")" ] || { echo "wrong bytes: $f"; return 1; }
		_n=$((_n + 1))
	done
}

# The middle and the end of a file, backwards, without what lies between.
reads_in_pieces() {
	for at in 60000000 33333333 1000001 12; do
		cmp -n 70000 "$mnt/sizes/67108864.bin" "$data/sizes/67108864.bin" $at $at || return 1
	done
}

# Here and there in a file that stays open and was not read before, a page at a time, and then on from there.
reads_here_and_there() {
	exec 3<"$mnt/sizes/67108864.bin" || return 1
	for piece in 5000,1 1,1 9000,1 3000,1 14000,1 7000,1 12000,1 300,1 16000,1 11000,1 2000,1 16383,1 4000,700 6000,1; do
		for where in "$mnt" "$data"; do
			dd if="$where/sizes/67108864.bin" bs=4096 skip="${piece%,*}" count="${piece#*,}" 2>/dev/null |
				sha256sum >"$TMPDIR/piece.${#where}"
		done
		same "$TMPDIR/piece.${#mnt}" "$TMPDIR/piece.${#data}" || return 1
	done
	exec 3<&-
}

reads_link() {
	cmp "$mnt/links/relative" "$data/links/relative"
}

# Names that the listing had no room for can be opened all the same; what is in it is right.
opens_beyond_cut() {
	(cd "$data/many" && ls) >"$TMPDIR/all"
	(cd "$mnt/many" && ls) >"$TMPDIR/listed"
	comm -23 "$TMPDIR/all" "$TMPDIR/listed" >"$TMPDIR/beyond"
	[ -s "$TMPDIR/beyond" ] || { echo 'the listing was not cut'; return 1; }
	[ -z "$(comm -13 "$TMPDIR/all" "$TMPDIR/listed")" ] || return 1
	[ "$(wc -l <"$TMPDIR/listed")" -gt $((many - 100)) ] || return 1
	while read -r f; do
		cmp "$mnt/many/$f" "$data/many/$f" || return 1
	done <"$TMPDIR/beyond"
}

# It is there for others, too: the server's folder has it.
# fetch FILE: as the server has it.
fetch() {
	if [ $plain_client = none ]; then
		cat "$data/$1"
	else
		# shellcheck disable=SC2086 # several words
		curl -sS --max-time 200 $server_curl "$server_curl_url$1"
	fi
}

writes_and_removes() {
	pattern 7 300000 >"$TMPDIR/new"
	cp "$TMPDIR/new" "$mnt/new" && cmp "$mnt/new" "$TMPDIR/new" || return 1
	fetch new | cmp - "$TMPDIR/new" || return 1
	rm "$mnt/new" && ! [ -e "$mnt/new" ]
}

# --- writing --------------------------------------------------------------------------------------

big_bytes=200000003

# What is copied in: awkward sizes and names, and something deep and empty.
make_copy() {
	mkdir -p "$1/sizes" "$1/names" "$1/deep/b/c/d/e/f" "$1/empty"
	make_sizes "$1/sizes"
	make_names "$1/names"
	echo deep >"$1/deep/b/c/d/e/f/file"
	pattern 3 $big_bytes >"$TMPDIR/big"
}

copy_sums() {
	(cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum && find . -type d | sort)
}

# same_copy FOLDER: it is what was copied.
same_copy() {
	copy_sums "$1" >"$TMPDIR/copied" && same "$TMPDIR/copied" "$TMPDIR/source.sums"
}

copies_in() {
	cp -r "$TMPDIR/source" "$mnt/copy" && same_copy "$mnt/copy"
}

# memftpd keeps its files to itself; of the others we see what has arrived.
copied_to_server() {
	[ "$server_name" = memftpd ] || same_copy "$data/copy"
}

big_up_and_down() {
	cp "$TMPDIR/big" "$mnt/big" || return 1
	[ "$server_name" = memftpd ] || cmp "$data/big" "$TMPDIR/big" || return 1
	: >"$mnt/big.empty" && [ -e "$mnt/big.empty" ] && [ ! -s "$mnt/big.empty" ]
}

big_again() {
	cmp "$mnt/big" "$TMPDIR/big" && rm "$mnt/big" "$mnt/big.empty" && ! [ -e "$mnt/big" ]
}

removes_copy() {
	rm -r "$mnt/copy" || return 1
	! [ -e "$mnt/copy" ] || return 1
	[ "$server_name" = memftpd ] || ! [ -e "$data/copy" ]
}

# check_writing NAME [OPTIONS]: a tree in, and out again with a fresh mount.
check_writing() {
	must "$1: mount to write" mount_site "${2:-}"
	check "$1: a tree is copied in" copies_in
	check "$1: the server has it" copied_to_server
	check "$1: a big file and an empty one are copied in" big_up_and_down
	must "$1: unmount" unmount_site
	must "$1: mount again" mount_site "${2:-}"
	check "$1: the tree comes back" same_copy "$mnt/copy"
	check "$1: the big file comes back, and goes" big_again
	check "$1: the tree is removed" removes_copy
	must "$1: unmount again" unmount_site
}

# --- all of it ------------------------------------------------------------------------------------

# A plain client gets the same tree from this server: what fails below is the mount's.
plain_client_reads() {
	# shellcheck disable=SC2086 # several words
	curl -sS --max-time 200 $server_curl "${server_curl_url}sizes/1048577.bin" | cmp - "$data/sizes/1048577.bin" || return 1
	# shellcheck disable=SC2086
	[ "$(curl -sS --max-time 200 $server_curl -l "${server_curl_url}sizes/" | grep -c '\.bin')" = 12 ]
}

check_tree() {
	check "$1: the same names" same_names
	check "$1: the same sizes" same_sizes
	check "$1: the same times" same_times
	check "$1: the same bytes" same_sums
	check "$1: a link is followed" reads_link
	check "$1: pieces of a big file" reads_in_pieces
	if [ $listing_cut = yes ]; then
		check "$1: names beyond a cut listing" opens_beyond_cut
	fi
	check "$1: a missing name is missing" fails_with 'No such file' cat "$mnt/many/no such file"
	check "$1: a file is written, and goes" writes_and_removes
}

begin() {
	needs_fuse
	trap clean_up EXIT
	trap 'exit 1' HUP INT TERM
	mkdir "$data" "$mnt"
}

run_all() {
	begin
	make_tree "$data"
	server_start "$1" "$data" "${2:-}"
	names_of "$data" >"$TMPDIR/data.names"
	sizes_of "$data" >"$TMPDIR/data.sizes"
	sums_of "$data" >"$TMPDIR/data.sums"
	times_of "$data" >"$TMPDIR/data.times"

	[ $plain_client = none ] || must 'a plain client reads' plain_client_reads
	check 'a wrong password is refused' refuses_password
	must 'mount' mount_site
	check_tree 'four connections'
	must 'unmount' unmount_site

	must 'mount read-only for readers at once' mount_site ro
	check 'writing is refused' fails_with 'Read-only file system' touch "$mnt/new"
	check 'pages here and there' reads_here_and_there
	check 'different files at once' reads_at_once sizes/67108864.bin sizes/1048577.bin sizes/1048575.bin sizes/131071.bin
	check 'the same file at once' reads_at_once sizes/67108864.bin sizes/67108864.bin sizes/67108864.bin sizes/67108864.bin
	must 'unmount after readers at once' unmount_site

	must 'mount with one connection' mount_site max_conns=1
	check_tree 'one connection'
	check 'one connection: files at once' reads_at_once sizes/67108864.bin sizes/1048577.bin sizes/67108864.bin
	must 'unmount of one connection' unmount_site
	exit $bad
}

# run_writing SERVER TLS: trees and big files in, with many connections and with one.
run_writing() {
	begin
	make_copy "$TMPDIR/source"
	copy_sums "$TMPDIR/source" >"$TMPDIR/source.sums"
	server_start "$1" "$data" "$2"
	check_writing 'four connections'
	check_writing 'one connection' max_conns=1
	exit $bad
}
