#!/bin/sh
# The benchmarks' slow link: it delays, it counts what an FTP client says, and nothing of it stays.
set -u
link=$BUILD/bench/delaylink
bad=0

[ "$(id -u)" = 0 ] && [ -c /dev/net/tun ] || { echo "skip: needs root and /dev/net/tun"; exit 77; }
"$link" 1 -- true 2>/dev/null || { echo "skip: no network namespaces or TUN devices here"; exit 77; }

check() {
	name=$1
	shift
	if "$@"; then
		echo "ok - $name"
	else
		cat "$TMPDIR/said" "$TMPDIR/counts"
		echo "not ok - $name"
		bad=1
	fi
}

# Runs in the near namespace: a server in the far one, and curl at it, which sends USER PASS PWD EPSV TYPE SIZE RETR QUIT.
cat >"$TMPDIR/inside" <<'END'
nsenter --net="$DELAYLINK_FAR" "$BUILD/memftpd" --listen 10.99.0.2:2121 --user joe:secret --load "$TMPDIR/data" \
	>"$TMPDIR/server" 2>&1 &
until grep -q listening "$TMPDIR/server"; do
	kill -0 $! || exit 9
	sleep 0.05
done
curl -sS -w '%{time_total}\n' -o "$TMPDIR/got" ftp://joe:secret@10.99.0.2:2121/file >"$TMPDIR/seconds" || exit 8
until grep -q '^stat QUIT 1$' "$TMPDIR/server"; do
	kill -USR1 $! || exit 6
	sleep 0.05
done
kill $!
wait
exit 7
END

mkdir "$TMPDIR/data"
head -c 100000 /dev/urandom >"$TMPDIR/data/file"
BUILD=$(cd "$BUILD" && pwd) "$link" -c "$TMPDIR/counts" 20 -- sh "$TMPDIR/inside" >"$TMPDIR/said" 2>&1
code=$?
read -r connections commands turns up down <"$TMPDIR/counts"

check "the command's exit code" [ $code = 7 ]
check 'every byte' cmp "$TMPDIR/data/file" "$TMPDIR/got"
# Login to data takes eight answers at least, and each of them 40 ms.
check 'the delay' awk 'NR == 1 && $1 < 8 * 0.04 { exit 1 }' "$TMPDIR/seconds"
check 'connections' [ "$connections" = 2 ]
check 'commands' [ "$commands" = 8 ]
check 'turns' [ "$turns" = 8 ]
check 'bytes' [ "$down" -ge 100000 ] && check 'bytes up' [ "$up" -lt 1000 ]
check 'how it is used' sh -c "'$link' 5; [ \$? = 2 ]" 2>/dev/null
exit $bad
