# peers.sh - how each of those that are compared mounts, or fetches, the running server's files.  Sourced after lib.sh.
# shellcheck shell=bash disable=SC2154 # what servers.sh and lib.sh set

# Those that are on this machine, of the ones named.
installed_peers() {
	local p
	for p in "$@"; do
		case $p in
		ftpfs | ftpfs-off | curl-each | curl-mlsd) echo "$p" ;;
		sshfs) command -v sshfs >/dev/null && [ -x "$server_root/usr/sbin/sshd" ] && echo "$p" ;;
		passthrough) [ -x "$BUILD/bench/passthrough_ll" ] && echo "$p" ;;
		*) command -v "$p" >/dev/null && echo "$p" ;;
		esac
	done
}

# libfuse's own example of a mount, which hands everything to a local folder: what FUSE costs by itself.
build_passthrough() {
	local source=/usr/share/doc/libfuse3-dev/examples/passthrough_ll.c
	[ -f $source ] && command -v "${CC:-cc}" >/dev/null || return 0
	mkdir -p "$BUILD/bench"
	# shellcheck disable=SC2046 # several words
	"${CC:-cc}" -O2 -w -I"$(dirname $source)" $(pkg-config --cflags fuse3) -o "$BUILD/bench/passthrough_ll" $source \
		$(pkg-config --libs fuse3) 2>"$TMPDIR/cc.log" || echo "bench: libfuse's passthrough_ll does not build" >&2
}

# rclone_ftp ARG...: rclone, with the running server as ":ftp:".
rclone_ftp() {
	RCLONE_CONFIG=/dev/null RCLONE_FTP_HOST=$server_host RCLONE_FTP_PORT=$server_port RCLONE_FTP_USER=ftpuser \
		RCLONE_FTP_PASS=$(rclone obscure secret 2>/dev/null) exec rclone "$@"
}

ssh_options() {
	printf '%s' "port=$sshd_port,IdentityFile=$TMPDIR/sshd/key,IdentitiesOnly=yes,StrictHostKeyChecking=no"
	printf '%s' ",UserKnownHostsFile=/dev/null,GlobalKnownHostsFile=/dev/null,PreferredAuthentications=publickey"
}

# The command that mounts in the foreground, on $mnt. Each as it comes: default options.
mount_command() {
	case $1 in
	ftpfs) exec "$BUILD/ftpfs" -f "$server_url" "$mnt" ${FTPFS_OPTIONS:+-o "$FTPFS_OPTIONS"} ;;
	ftpfs-off) exec "$BUILD/ftpfs" -f "$server_url" "$mnt" -o "lookahead=off${FTPFS_OPTIONS:+,$FTPFS_OPTIONS}" ;;
	rclone) rclone_ftp mount :ftp:/ "$mnt" ;;
	sshfs) exec sshfs -f -F /dev/null -o "$(ssh_options)" "ftpuser@$server_host:$data" "$mnt" ;;
	curlftpfs) exec curlftpfs -f "$server_url" "$mnt" ;;
	passthrough) exec "$BUILD/bench/passthrough_ll" -f -o "source=$data" "$mnt" ;;
	esac
}

# The same in the background: done when the mount can be used.
daemon_command() {
	case $1 in
	ftpfs) exec "$BUILD/ftpfs" "$server_url" "$mnt" ${FTPFS_OPTIONS:+-o "$FTPFS_OPTIONS"} ;;
	rclone) rclone_ftp mount --daemon :ftp:/ "$mnt" ;;
	sshfs) exec sshfs -F /dev/null -o "$(ssh_options)" "ftpuser@$server_host:$data" "$mnt" ;;
	curlftpfs) exec curlftpfs "$server_url" "$mnt" ;;
	esac
}

# lftp_do COMMANDS: lftp at the running server, and nothing of its user's settings.
lftp_do() {
	lftp --norc -c "set net:timeout 30; set cmd:fail-exit true; set ftp:ssl-allow false; open $server_url; $1"
}
export -f rclone_ftp ssh_options mount_command daemon_command lftp_do

# sshd beside the FTP server, with the same data and account, for sshfs.
sshd_port=$((9000 + $$ % 900))
export sshd_port
sshd_group=

sshd_start() {
	local dir=$TMPDIR/sshd
	mkdir -p "$dir"
	ssh-keygen -q -t ed25519 -N '' -f "$dir/key" && ssh-keygen -q -t ed25519 -N '' -f "$dir/host" || return 1
	cp "$dir/key.pub" "$dir/authorized"
	chmod 755 "$dir" && chmod 644 "$dir/authorized"
	cat >"$dir/conf" <<-END
		Port $sshd_port
		ListenAddress $server_host
		HostKey $dir/host
		AuthorizedKeysFile $dir/authorized
		StrictModes no
		UsePAM no
		PidFile none
		Subsystem sftp internal-sftp
	END
	printf 'root:x:0:0::/:/bin/sh\nsshd:x:65533:65534::/:/bin/sh\nftpuser:*:%s:%s::%s:/bin/sh\n' \
		"$server_uid" "$server_uid" "$data" >"$dir/passwd"
	cat >"$dir/inside" <<-'END'
		awk '/ - fuse/ { print $5 }' /proc/self/mountinfo | while read -r point; do
			umount -l "$(printf %b "$point")"
		done
		mount --bind "$1/passwd" /etc/passwd && mount -t tmpfs none /run && mkdir /run/sshd && exec "$2" -D -e -f "$1/conf"
	END
	: >"$dir/log"
	# shellcheck disable=SC2086 # several words
	setsid $server_enter unshare --mount sh "$dir/inside" "$dir" "$server_root/usr/sbin/sshd" >"$dir/log" 2>&1 </dev/null &
	sshd_group=$!
	for _ in $(seq 100); do
		grep -q 'Server listening' "$dir/log" && return
		kill -0 $sshd_group 2>/dev/null || break
		sleep 0.05
	done
	cat "$dir/log" >&2
	sshd_stop
	return 1
}

sshd_stop() {
	[ -n "$sshd_group" ] || return 0
	kill -s KILL -- "-$sshd_group" 2>/dev/null
	wait "$sshd_group" 2>/dev/null
	sshd_group=
}
