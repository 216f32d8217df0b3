#!/bin/sh
# time-limit: 300
# Mount, use, unmount: no leak and no wrong access.
. "$(dirname "$0")/lib.sh"
require_fuse
require valgrind openssl
sanitized && skip 'a sanitizer is built in'

pattern 1 2000000 >"$data/file"
mkdir -p "$data/a/b"
echo text >"$data/a/b/c"
ln -s file "$data/link"

# run OPTIONS HOW-TO-END
run() {
	valgrind --quiet --leak-check=full --show-leak-kinds=all --track-fds=no --error-exitcode=99 --log-file="$work/valgrind.log" \
		"$BUILD/ftpfs" -f -o "$1" "$url" "$mnt" 2>"$work/ftpfs.log" &
	ftpfs=$!
	wait_for 60 is_mounted "$mnt" || fail 'does not mount'
	ls -lR "$mnt" >/dev/null || fail 'ls'
	same "$mnt/file" "$data/file"
	[ "$(cat "$mnt/a/b/c")" = text ] || fail 'cat'
	readlink "$mnt/link" >/dev/null
	cat "$mnt/missing" 2>/dev/null
	head -c 10 "$mnt/file" >/dev/null
	touch "$mnt/x" 2>/dev/null
	case $2 in
	unmount) fusermount3 -u "$mnt" ;;
	signal) exec 8<"$mnt/file"; kill -TERM $ftpfs ;;
	esac
	wait $ftpfs
	code=$?
	exec 8<&-
	cat "$work/valgrind.log"
	[ $code = 0 ] || fail "$1, $2: exit code $code"
	[ ! -s "$work/valgrind.log" ] || fail "$1, $2: valgrind complains"
}
start_server
run max_conns=4 unmount
run max_conns=1,direct_io,attr_timeout=0 signal
stop_server
start_server --drop-after 300000 --rate 600K --no MLSD
run max_conns=2 unmount

# A start that fails.
valgrind --quiet --leak-check=full --show-leak-kinds=all --error-exitcode=99 --log-file="$work/valgrind.log" \
	"$BUILD/ftpfs" -f "$url/missing" "$mnt" 2>"$work/ftpfs.log"
[ $? = 1 ] || fail "a failed start: $(cat "$work/valgrind.log")"
