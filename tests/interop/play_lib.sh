# play_lib.sh - a real server and memftpd playing it answer the same.  Sourced, not run.  Needs SRC, BUILD and TMPDIR.
#
#   play NAME [LINE...]   LINE: the name of a dialogue in which they are known to differ
# shellcheck shell=sh
set -u
export LC_ALL=C
. "$SRC/tests/interop/servers.sh"
trap server_stop EXIT

make_folder() {
	mkdir -p "$1/dir/sub" "$1/two words" "$1/two" "$1/d[1]" "$1/d1" "$1/-dash" "$1/{x}" "$1/back\\slash" "$1/many"
	printf hello >"$1/small"
	head -c $((32 << 20)) /dev/zero >"$1/big"
	for name in dir two 'two words' 'd[1]' d1 -dash '{x}' 'back\slash'; do
		echo x >"$1/$name/in_$(echo "$name" | tr ' ' _)"
	done
	(cd "$1/many" && seq -f 'f%05g' 10001 | xargs touch)
}

# The one that is played.
_server_memftpd() {
	_server_spawn "$BUILD/memftpd" --listen "127.0.0.1:$server_port" --user ftpuser:secret --load "$server_data" --play "$playing"
}

ask() { # NAME FILE
	mkdir "$TMPDIR/$1"
	make_folder "$TMPDIR/$1"
	server_start "$1" "$TMPDIR/$1"
	timeout 200 /usr/bin/python3 "$SRC/tests/interop/play.py" "$server_port" >"$2" || { cat "$2"; echo "not ok - the dialogues with $1"; exit 1; }
	server_stop
}

play() {
	playing=$1
	shift
	ask "$playing" "$TMPDIR/real"
	ask memftpd "$TMPDIR/played"
	for line in "$@"; do
		grep -qF "$line: " "$TMPDIR/real" || { echo "not ok - there is no dialogue '$line'"; exit 1; }
		grep -vF "$line: " "$TMPDIR/real" >"$TMPDIR/less" && mv "$TMPDIR/less" "$TMPDIR/real"
		grep -vF "$line: " "$TMPDIR/played" >"$TMPDIR/less" && mv "$TMPDIR/less" "$TMPDIR/played"
	done
	[ "$(wc -l <"$TMPDIR/real")" -ge 40 ] || { echo "not ok - too few dialogues"; exit 1; }
	diff "$TMPDIR/real" "$TMPDIR/played" && echo "ok - memftpd answers as $playing does" && exit 0
	echo "not ok - memftpd answers as $playing does"
	exit 1
}
