#!/bin/sh
# Other people's clients where TLS is required and every data connection must resume its control connection's session.
set -u
BUILD=${BUILD:-build} SRC=${SRC:-.}
memftpd=$BUILD/memftpd
work=$(mktemp -d) || exit 1
pid=
trap 'stop; rm -rf "$work"' EXIT
failures=0

check() { # name command...
	name=$1
	shift
	if "$@" >"$work/check.log" 2>&1; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		tail -n 20 "$work/check.log" | sed 's/^/# /'
		failures=$((failures + 1))
	fi
}
have() { # name tool
	command -v "$2" >/dev/null && return 0
	echo "ok - $1 # SKIP no $2"
	return 1
}

# Starts it with more options; sets port, and tls_port where TLS begins with the connection.
start() {
	mkfifo "$work/said"
	"$memftpd" --listen 127.0.0.1:0 --user joe:secret --load "$site" "$@" >"$work/said" 2>"$work/err" &
	pid=$!
	port=
	tls_port=
	while read -r line; do
		case $line in
		*' with TLS') tls_port=${line##*:} tls_port=${tls_port% with TLS} ;;
		*listening*) port=${line##*:} ;;
		esac
	done <<-END
		$(head -n "$lines" "$work/said")
	END
	rm "$work/said"
}
stop() {
	[ -n "$pid" ] || return 0
	kill -TERM "$pid" 2>/dev/null
	wait "$pid"
	pid=
}

site=$work/site
mkdir -p "$site/dir/sub" "$site/with space"
printf 'hello\n' >"$site/dir/hello.txt"
head -c 3000000 /dev/urandom >"$site/big.bin"
: >"$site/dir/sub/empty"
printf 'x' >"$site/with space/a [b] {c}"

# --- each way to begin, with the hardest demands -------------------------------------------------------

by_curl() { # url
	curl -sS --cacert "$work/ca.pem" "$1/big.bin" | cmp - "$site/big.bin" &&
		curl -sS --cacert "$work/ca.pem" -r 1000000- "$1/big.bin" | cmp -i 0:1000000 - "$site/big.bin" &&
		curl -sS --cacert "$work/ca.pem" -T "$site/big.bin" --ftp-create-dirs "$1/new/by_curl" &&
		curl -sS --cacert "$work/ca.pem" "$1/new/by_curl" | cmp - "$site/big.bin" &&
		curl -sS --cacert "$work/ca.pem" -l "$1/dir/" | tr -d '\r' | grep -qx hello.txt
}
by_curl_explicit() {
	curl -sS --ssl-reqd --cacert "$work/ca.pem" "ftp://joe:secret@127.0.0.1:$port/big.bin" | cmp - "$site/big.bin" &&
		curl -sS --ssl-reqd --cacert "$work/ca.pem" -T "$site/big.bin" "ftp://joe:secret@127.0.0.1:$port/up" &&
		curl -sS --ssl-reqd --cacert "$work/ca.pem" "ftp://joe:secret@127.0.0.1:$port/up" | cmp - "$site/big.bin" &&
		! curl -sS "ftp://joe:secret@127.0.0.1:$port/up" -o "$work/plain"
}
by_lftp() {
	rm -rf "$work/back"
	lftp -u joe,secret "ftp://127.0.0.1:$port" <<-END
		set ssl:ca-file $work/ca.pem
		set ftp:ssl-force true
		set ftp:ssl-protect-data true
		set net:max-retries 1
		set net:timeout 60
		set cmd:fail-exit true
		mirror -R --no-perms $site/dir /by-lftp
		mirror /by-lftp $work/back/dir
		mirror "/with space" "$work/back/with space"
	END
	diff -r "$site/dir" "$work/back/dir" && diff -r "$site/with space" "$work/back/with space"
}
python=/usr/bin/python3
by_ftplib() {
	timeout 200 "$python" - "$port" "$site/big.bin" "$work/ca.pem" <<-'END'
		import ftplib, io, ssl, sys
		class Client(ftplib.FTP_TLS):
		    def ntransfercmd(self, cmd, rest=None):
		        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
		        return self.context.wrap_socket(conn, server_hostname=self.host, session=self.sock.session), size
		big = open(sys.argv[2], 'rb').read()
		f = Client(context=ssl.create_default_context(cafile=sys.argv[3]), timeout=60)
		f.connect('127.0.0.1', int(sys.argv[1]))
		f.login('joe', 'secret')
		f.prot_p()
		b = io.BytesIO()
		f.retrbinary('RETR big.bin', b.write)
		assert b.getvalue() == big
		f.storbinary('STOR by-ftplib', io.BytesIO(big * 2))
		assert f.size('by-ftplib') == 2 * len(big)
		assert 'with space' in f.nlst() and 'with space' in dict(f.mlsd())
		assert f.quit().startswith('221')
	END
}

for version in 1.2 1.3; do
	lines=3
	start --listen-tls 127.0.0.1:0 --tls-required --tls-reuse --tls-max $version --tls-save "$work/ca.pem"
	if have "curl, TLS $version" curl; then
		check "curl, TLS $version" by_curl_explicit
		check "curl, TLS $version from the first byte on" by_curl "ftps://joe:secret@127.0.0.1:$tls_port"
	fi
	! have "lftp mirrors both ways, TLS $version" lftp || check "lftp mirrors both ways, TLS $version" by_lftp
	! have "ftplib, TLS $version" $python || check "ftplib, TLS $version" by_ftplib
	stop
done

exit $((failures > 0))
