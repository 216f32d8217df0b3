# servers.sh - starts and stops real FTP servers for a test.  Sourced, not run.
#
#   server_start NAME DATA [TLS]   NAME: vsftpd proftpd pure-ftpd pyftpdlib aioftp memftpd
#                                  serves the folder DATA on a free port of 127.0.0.1
#                                  TLS: tls (required, on data connections too, with session reuse where the server
#                                  can require it), tls1.2 (the same, and no higher), ftps (implicit; not pure-ftpd)
#   server_stop                    ends it and its sessions
#
# server_start sets server_url (for ftpfs), server_curl_url, and server_curl: the options that curl needs for it. With
# TLS, server_cert is the server's certificate, and its own authority.
#
# The one account is ftpuser, password secret. Nothing of the machine is changed: no account, no file outside
# TMPDIR. Servers that switch users give DATA to uid 54321, which need not exist. Needs TMPDIR, BUILD and SRC.
#
# Settings, to be made before server_start: server_host, the address to listen on; server_enter, words before the
# server's command that put it in another place (the benchmarks' network namespace); server_rate, bytes a second
# that each connection is held to (vsftpd and proftpd).
# shellcheck shell=sh

server_host=127.0.0.1
server_enter=
server_rate=
server_uid=54321
# "secret" as crypt(3) with SHA-512 prints it.
# shellcheck disable=SC2016 # these are no variables
server_hash='$6$ftpfs$7tdSZl2GCl2qUQ.KPiuMW8atyNPjpuW1N37h4s9MDHNw500iPVx38J1UlfZaGtrhZOC/QPX17UUXZz5Qdmm5d/'
server_root=$SRC/build/servers
server_group=
server_tls=
server_cert=
server_tries=0

_server_needs_root() {
	[ "$(id -u)" = 0 ] && return
	echo "skip: $1 needs root to switch users"
	exit 77
}

_server_needs_program() {
	[ -x "$1" ] && return
	echo "skip: no $1 (scripts/setup test)"
	exit 77
}

# Ports below the range that the kernel gives to clients, spread by process id so that tests side by side do not meet.
_server_pick_port() {
	server_tries=$((server_tries + 1))
	server_port=$((10000 + $$ % 2000 * 10 + server_tries % 10))
}

# A certificate for 127.0.0.1 and localhost; with its key also in one file.
_server_certificate() {
	server_cert=$server_dir/cert.pem
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$server_dir/key.pem" -out "$server_cert" 2>/dev/null &&
		cat "$server_dir/key.pem" "$server_cert" >"$server_dir/both.pem" && chmod 600 "$server_dir"/*.pem &&
		chmod 644 "$server_cert"
}

# Caps the version for a server that has no setting for it: OpenSSL reads its own.
_server_openssl_conf() {
	cat >"$server_dir/openssl.cnf" <<-END
		openssl_conf = init
		[init]
		ssl_conf = ssl
		[ssl]
		system_default = all
		[all]
		MaxProtocol = TLSv1.2
	END
}

# Runs a command in a process group of its own, in the background.
_server_spawn() {
	if [ "$server_tls" = tls1.2 ]; then
		set -- env OPENSSL_CONF="$server_dir/openssl.cnf" "$@"
	fi
	# shellcheck disable=SC2086 # several words
	setsid $server_enter "$@" >"$server_dir/out" 2>&1 </dev/null &
	server_group=$!
}

# vsftpd asks PAM, and the system's list of users. It gets its own, in a mount namespace; mounts that other
# tests have made are let go there, so that they end when those tests unmount them.
_server_vsftpd() {
	mkdir -p "$server_dir/empty" "$server_dir/pam.d"
	cat >"$server_dir/conf" <<-END
		listen=YES
		listen_address=$server_host
		listen_port=$server_port
		background=NO
		anonymous_enable=NO
		local_enable=YES
		write_enable=YES
		chroot_local_user=YES
		allow_writeable_chroot=YES
		secure_chroot_dir=$server_dir/empty
		pam_service_name=ftpfs-test
		local_umask=022
		seccomp_sandbox=NO
		max_per_ip=100
	END
	[ -z "$server_rate" ] || echo "local_max_rate=$server_rate" >>"$server_dir/conf"
	[ -z "$server_tls" ] || cat >>"$server_dir/conf" <<-END
		ssl_enable=YES
		rsa_cert_file=$server_cert
		rsa_private_key_file=$server_dir/key.pem
		force_local_data_ssl=YES
		force_local_logins_ssl=YES
		require_ssl_reuse=YES
		ssl_ciphers=HIGH
		implicit_ssl=$([ "$server_tls" = ftps ] && echo YES || echo NO)
	END
	cat >"$server_dir/pam.d/ftpfs-test" <<-END
		auth required pam_unix.so nodelay
		account required pam_unix.so
		session required pam_permit.so
	END
	printf 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' | cat - "$server_dir/users" >"$server_dir/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\nftpuser:x:%s:\n' $server_uid >"$server_dir/group"
	cat >"$server_dir/inside" <<-'END'
		awk '/ - fuse/ { print $5 }' /proc/self/mountinfo | while read -r point; do
			umount -l "$(printf %b "$point")"
		done
		mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/group" /etc/group &&
			mount --bind "$1/pam.d" /etc/pam.d && exec "$2" "$1/conf"
	END
	_server_spawn unshare --mount sh "$server_dir/inside" "$server_dir" "$server_root/usr/sbin/vsftpd"
}

_server_proftpd() {
	cat >"$server_dir/conf" <<-END
		ServerName test
		ServerType standalone
		Port $server_port
		DefaultAddress $server_host
		SocketBindTight on
		User nobody
		Group nogroup
		UseIPv6 off
		UseReverseDNS off
		RequireValidShell off
		AuthOrder mod_auth_file.c
		AuthUserFile $server_dir/users
		DefaultRoot ~
		AllowOverwrite on
		AllowRetrieveRestart on
		AllowStoreRestart on
		PidFile $server_dir/pid
		ScoreboardFile $server_dir/scoreboard
		DelayTable none
		ModulePath $server_root/usr/lib/proftpd
		LoadModule mod_site_misc.c
		LoadModule mod_copy.c
		SystemLog $server_dir/log
		TransferLog none
		WtmpLog off
	END
	[ -z "$server_rate" ] || echo "TransferRate RETR $((server_rate / 1024))" >>"$server_dir/conf"
	[ -z "$server_tls" ] || cat >>"$server_dir/conf" <<-END
		LoadModule mod_tls.c
		TLSEngine on
		TLSRequired on
		TLSLog $server_dir/tls.log
		TLSECCertificateFile $server_cert
		TLSECCertificateKeyFile $server_dir/key.pem
		TLSProtocol TLSv1.2$([ "$server_tls" = tls1.2 ] || echo ' TLSv1.3')
		TLSOptions $([ "$server_tls" = ftps ] && echo UseImplicitSSL || echo NoEmptyFragments)
	END
	_server_spawn "$server_root/usr/sbin/proftpd" -n -c "$server_dir/conf"
}

_server_pure_ftpd() {
	sed "s|:/bin/sh\$|/./::::::::::::|" "$server_dir/users" >"$server_dir/pure"
	"$server_root/usr/bin/pure-pw" mkdb "$server_dir/pdb" -f "$server_dir/pure" || exit 1
	set --
	[ -z "$server_tls" ] || set -- -Y 2 -2 "$server_dir/both.pem"
	_server_spawn "$server_root/usr/sbin/pure-ftpd" -S "$server_host,$server_port" -l "puredb:$server_dir/pdb" \
		-E -H -c 200 -C 200 -u 100 -g "$server_dir/pid" "$@"
}

_server_python() {
	[ -n "$server_tls" ] && set -- "$1" "$([ "$server_tls" = ftps ] && echo ftps || echo tls)" "$server_dir/both.pem"
	_py=$1
	shift
	_server_spawn /usr/bin/python3 "$SRC/tests/interop/$_py.py" "$server_port" "$server_data" "$@"
}

_server_memftpd() {
	set -- --user ftpuser:secret --load "$server_data"
	case $server_tls in
	ftps) set -- --listen-tls "$server_host:$server_port" "$@" ;;
	tls1.2) set -- --listen "$server_host:$server_port" --tls-max 1.2 "$@" ;;
	*) set -- --listen "$server_host:$server_port" "$@" ;;
	esac
	[ -z "$server_tls" ] || set -- --tls-required --tls-reuse --tls-cert "$server_dir/both.pem" "$@"
	_server_spawn "$BUILD/memftpd" "$@"
}

_server_check_needs() {
	case $server_name in
	vsftpd | proftpd | pure-ftpd)
		_server_needs_root "$server_name"
		_server_needs_program "$server_root/usr/sbin/$server_name"
		chown -hR "$server_uid:$server_uid" "$server_data"
		;;
	pyftpdlib | aioftp)
		_server_needs_program /usr/bin/python3
		/usr/bin/python3 -c "import $server_name${server_tls:+, OpenSSL}" || {
			echo "skip: no $server_name${server_tls:+ with TLS} (scripts/setup test)"
			exit 77
		}
		;;
	memftpd) _server_needs_program "$BUILD/memftpd" ;;
	*)
		echo "servers.sh: no such server: $server_name"
		exit 1
		;;
	esac
}

_server_launch() {
	case $server_name in
	vsftpd) _server_vsftpd ;;
	proftpd) _server_proftpd ;;
	pure-ftpd) _server_pure_ftpd ;;
	pyftpdlib) _server_python pyftpdlib_server ;;
	aioftp) _server_python aioftp_server ;;
	memftpd) _server_memftpd ;;
	esac
}

# 0: it answers; 1: it has ended, or does not answer within a minute.
_server_wait() {
	for _ in $(seq 600); do
		kill -0 "$server_group" 2>/dev/null || return 1
		# shellcheck disable=SC2086 # several words
		if curl -s --max-time 5 -o /dev/null $server_curl "${server_curl_url}no-such-dir-$$/" || [ $? = 9 ]; then
			kill -0 "$server_group" 2>/dev/null
			return
		fi
		sleep 0.1
	done
	return 1
}

# shellcheck disable=SC2034 # for whoever sources this
_server_addresses() {
	_at=ftpuser:secret@$server_host:$server_port/
	server_curl=
	server_url=ftp://$_at
	server_curl_url=ftp://$_at
	case $server_tls in
	tls*)
		server_url=ftpes://$_at
		server_curl="--ssl-reqd --cacert $server_cert"
		;;
	ftps)
		server_url=ftps://$_at
		server_curl_url=ftps://$_at
		server_curl="--cacert $server_cert"
		;;
	esac
}

server_start() {
	server_name=$1
	server_data=$2
	server_tls=${3:-}
	server_dir=$(mktemp -d "$TMPDIR/$1.XXXXXX") || exit 1
	chmod 755 "$server_dir"
	printf 'ftpuser:%s:%s:%s::%s:/bin/sh\n' "$server_hash" $server_uid $server_uid "$server_data" >"$server_dir/users"
	chmod 600 "$server_dir/users"
	_server_check_needs
	if [ -n "$server_tls" ]; then
		_server_certificate && _server_openssl_conf || exit 1
	fi
	for _ in 1 2 3 4 5; do
		_server_pick_port
		_server_addresses
		# Somebody else's server on this port would be taken for ours.
		curl -s --max-time 5 -o /dev/null "telnet://$server_host:$server_port" </dev/null
		[ $? = 7 ] || continue
		_server_launch
		_server_wait && return
		server_stop
	done
	echo "servers.sh: $server_name does not start:"
	cat "$server_dir/out"
	exit 1
}

# Ends the group, sessions included: politely for 5 s, then for sure.
server_stop() {
	[ -n "$server_group" ] || return 0
	kill -s TERM -- "-$server_group" 2>/dev/null
	for _ in $(seq 50); do
		kill -s 0 -- "-$server_group" 2>/dev/null || break
		sleep 0.1
	done
	kill -s KILL -- "-$server_group" 2>/dev/null
	wait "$server_group" 2>/dev/null
	server_group=
	return 0
}
