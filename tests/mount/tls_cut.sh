#!/bin/sh
# TLS data connections that are cut off, with a plain FIN and a server that says 226: nothing short is taken for whole.
. "$(dirname "$0")/lib.sh"
require_fuse
require openssl
require python3

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
	-addext subjectAltName=IP:127.0.0.1 -keyout "$work/key" -out "$work/cert" 2>/dev/null || fail 'no certificate'
cat "$work/key" "$work/cert" >"$work/both"
python3 -c 'import sys; sys.stdout.buffer.write(bytes(i * 7 % 251 for i in range(300000)))' >"$work/file"

has_port() { [ -s "$work/site.out" ]; }

# start_site MODE...
start_site() {
	: >"$work/site.out"
	python3 "$SRC/tests/mount/tls_site.py" "$work/both" "$@" >"$work/site.out" 2>"$work/site.log" &
	server=$!
	servers="$servers $server"
	wait_for 60 has_port || fail 'the site does not start'
	url=ftpes://joe:secret@127.0.0.1:$(cat "$work/site.out")
}

names() {
	ls "$mnt" >"$work/names" 2>"$work/said"
}

# A file: what is missing is fetched again.
start_site cut-files=2
mount_site "cacert=$work/cert,max_conns=1"
same "$mnt/file" "$work/file"
unmount_site
stop_server
start_site cut-files=1
mount_site "cacert=$work/cert,max_conns=1,direct_io"
same "$mnt/file" "$work/file"
unmount_site
stop_server

# A server that cuts each time: an error, never a short file.
start_site cut-files=1000
mount_site "cacert=$work/cert,max_conns=1,timeout=5"
timeout 100 cat "$mnt/file" >"$work/out" 2>"$work/said"
code=$?
[ $code != 124 ] || fail 'reading hangs'
# Each attempt brings a half of what is left, so it may well be whole in the end.
[ $code != 0 ] || same "$work/out" "$work/file"
[ "$(head -c "$(wc -c <"$work/out")" "$work/file" | cksum)" = "$(cksum <"$work/out")" ] || fail 'wrong bytes'
unmount_site
stop_server

# The same of a server that tells no size but in its listing.
start_site cut-files=1 no-size
mount_site "cacert=$work/cert,max_conns=1"
same "$mnt/file" "$work/file"
unmount_site
stop_server

# A listing that was cut proves no absence: each name is asked for.
start_site cut-lists=1
mount_site "cacert=$work/cert,max_conns=1"
names || fail "ls: $(cat "$work/said")"
! grep -q '^file$' "$work/names" || fail 'the listing was not cut'
same "$mnt/file" "$work/file"
fails_with 'No such file' cat "$mnt/nothing"
unmount_site
stop_server
