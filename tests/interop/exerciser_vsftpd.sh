#!/bin/sh
# time-limit: 300
# Random operations on files of vsftpd, against a model and the server's own folder; also when connections break.
. "$SRC/tests/interop/write_lib.sh"
seed=${SEED:-$(date +%s)}
dropper=

# Where connections break, those of the mount's own start break, too.
mount_at_last() {
	for _ in 1 2 3 4 5 6 7 8; do
		mount_site "$1" && return
	done
	return 1
}

exercise() {
	mount_at_last "timeout=10,$2" || return 1
	"$BUILD/tests/tools/fsexer" -s "$seed" -n "$1" -t "$data" "$mnt" || return 1
	rm -r "${mnt:?}"/* && unmount_site
	seed=$((seed + 1))
}

# vsftpd locks a file while it sends it. A reader that has paused must not keep a writer out.
appends_to_what_is_read() {
	mount_site "timeout=100,readahead=256K,$1" || return 1
	head -c 20000000 /dev/zero >"$TMPDIR/want" && cp "$TMPDIR/want" "$data/big" && chown $server_uid "$data/big" || return 1
	exec 7<"$mnt/big"
	head -c 100000 <&7 >/dev/null
	echo tail >>"$TMPDIR/want"
	timeout 60 dd of="$mnt/big" oflag=append conv=notrunc,fsync status=none <<-END || return 1
		tail
	END
	exec 7<&-
	cmp "$data/big" "$TMPDIR/want" && rm "$mnt/big" && unmount_site
}

through_dropper() {
	/usr/bin/python3 "$SRC/tests/interop/dropper.py" "$server_port" "$seed" 10 >"$TMPDIR/port" &
	dropper=$!
	for _ in $(seq 1200); do
		[ -s "$TMPDIR/port" ] && break
		sleep 0.05
	done
	server_url=ftp://ftpuser:secret@127.0.0.1:$(cat "$TMPDIR/port")/
	[ -s "$TMPDIR/port" ]
}

end() {
	[ -z "$dropper" ] || kill "$dropper"
	clean_up
}

needs_fuse
trap end EXIT
trap 'exit 1' HUP INT TERM
mkdir "$data" "$mnt"
server_start vsftpd "$data"
must 'a writer beside a reader' appends_to_what_is_read max_conns=4
must 'a writer beside a reader, one connection' appends_to_what_is_read max_conns=1
must 'four connections' exercise 3000 max_conns=4
must 'one connection' exercise 2000 max_conns=1
must 'a relay that breaks connections' through_dropper
must 'four connections that break' exercise 600 max_conns=4
must 'one connection that breaks' exercise 600 max_conns=1
exit $bad
