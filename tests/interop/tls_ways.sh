#!/bin/sh
# time-limit: 200
# TLS together with active mode and with a proxy, on each server that has it.
. "$SRC/tests/interop/lib.sh"

makes_use() {
	cmp "$mnt/sizes/1048577.bin" "$data/sizes/1048577.bin" || return 1
	[ "$(ls "$mnt/sizes")" = "$(ls "$data/sizes")" ] || return 1
	cp "$data/sizes/1048577.bin" "$mnt/new" && : >"$mnt/empty" || return 1
	cmp "$data/new" "$data/sizes/1048577.bin" && [ -e "$data/empty" ] || return 1
	rm "$mnt/new" "$mnt/empty" && ! [ -e "$data/new" ]
}

begin
mkdir "$data/sizes"
for n in 0 1 65537 1048577; do
	pattern $n $n >"$data/sizes/$n.bin"
done
chmod -R u=rwX,go=rX "$data"
python3 "$SRC/tests/mount/proxy.py" socks5 >"$TMPDIR/proxy" 2>&1 &
proxy=$!
trap 'kill $proxy; clean_up' EXIT
for _ in $(seq 600); do
	[ -s "$TMPDIR/proxy" ] && break
	sleep 0.1
done
for server in vsftpd proftpd pure-ftpd pyftpdlib; do
	for tls in tls tls1.2; do
		server_start $server "$data" $tls
		for way in active active,disable_eprt,max_conns=1 "proxy=socks5://127.0.0.1:$(head -n 1 "$TMPDIR/proxy")"; do
			# Its control connections now and then stop reading after a transfer in active mode with TLS: the bytes of a
			# command arrive, and nobody takes them.
			case $server,$way in
			pyftpdlib,active*) continue ;;
			esac
			must "$server, $tls, ${way%%:*}: mount" mount_site "$way"
			check "$server, $tls, ${way%%:*}" makes_use
			must "$server, $tls, ${way%%:*}: unmount" unmount_site
		done
		server_stop
	done
done
exit $bad
