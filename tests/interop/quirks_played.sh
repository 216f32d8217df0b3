#!/bin/sh
# time-limit: 400
# The same with memftpd in the place of each; and sessions and data connections that it ends while nobody uses them.
. "$SRC/tests/interop/quirks_lib.sh"

impatient=

_server_memftpd() {
	# shellcheck disable=SC2086 # several words
	_server_spawn "$BUILD/memftpd" --listen "127.0.0.1:$server_port" --user ftpuser:secret --load "$server_data" --play "$playing" $impatient
}

after_being_ended() {
	still_works && sleep 4 && still_works && cmp "$mnt/big" "$data/big"
}

begin
make_files
for playing in vsftpd proftpd pure-ftpd pyftpdlib aioftp; do
	quirks $playing memftpd
done
impatient='--data-timeout 1 --idle-timeout 3'
for playing in vsftpd proftpd pure-ftpd pyftpdlib aioftp; do
	server_start memftpd "$data"
	must "$playing: mount where nothing may rest" mount_site max_conns=1,direct_io
	check "$playing: data connections and sessions that are ended at rest" after_being_ended
	must "$playing: unmount" unmount_site
	server_stop
done
exit $bad
