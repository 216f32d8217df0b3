#!/bin/sh
# Certificates and servers that are not good enough: the reason in one line, in time, and nothing is mounted.
. "$(dirname "$0")/lib.sh"
require_fuse
require openssl
require python3
cd "$work" || exit 1

# --- certificates ---------------------------------------------------------------------------------

# key_and_request NAME SUBJECT
key_and_request() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -keyout "$1.key" -out "$1.csr" \
		2>/dev/null || fail "openssl req $1"
}

# signed NAME SUBJECT EXTENSION [OPTION...]: by our own authority; NAME.pem has the key too.
signed() {
	_name=$1
	_extension=$3
	key_and_request "$1" "$2"
	shift 3
	echo "$_extension" >"$_name.ext"
	openssl ca -batch -config ca.conf -notext -in "$_name.csr" -out "$_name.crt" -extfile "$_name.ext" "$@" \
		2>"$work/openssl.log" || fail "openssl ca $_name: $(cat "$work/openssl.log")"
	cat "$_name.key" "$_name.crt" >"$_name.pem"
}

printf '%s\n' '[ca]' 'default_ca = here' '[here]' "dir = $work" "new_certs_dir = $work" "database = $work/index" \
	"serial = $work/serial" "certificate = $work/ca.crt" "private_key = $work/ca.key" 'default_md = sha256' \
	'default_days = 2' 'unique_subject = no' 'policy = any' '[any]' 'commonName = supplied' >ca.conf
: >index
echo 01 >serial
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=test authority' -keyout ca.key \
	-out ca.crt 2>/dev/null || fail 'no authority'
signed good localhost 'subjectAltName=DNS:localhost,IP:127.0.0.1'
signed other ftp.example.org 'subjectAltName=DNS:ftp.example.org,DNS:www.example.org'
signed expired localhost 'subjectAltName=DNS:localhost,IP:127.0.0.1' -startdate 20200101000000Z -enddate 20200201000000Z
signed early localhost 'subjectAltName=DNS:localhost,IP:127.0.0.1' -startdate 20900101000000Z -enddate 20910101000000Z
signed client joe 'extendedKeyUsage=clientAuth'
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
	-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout self.key -out self.crt 2>/dev/null
cat self.key self.crt >self.pem
openssl ec -in client.key -aes128 -passout pass:keysecret -out locked.key 2>/dev/null || fail 'no locked key'
mkdir certs
cp ca.crt certs/
openssl rehash certs || fail 'openssl rehash'

pin_of() {
	openssl x509 -in "$1.crt" -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary |
		openssl base64
}

# --- mounting -------------------------------------------------------------------------------------

has_port() { [ -s "$work/site.out" ]; }

# start_site CERT [MODE...]
start_site() {
	: >"$work/site.out"
	_cert=$1
	shift
	python3 "$SRC/tests/mount/tls_site.py" "$work/$_cert.pem" "$@" >"$work/site.out" 2>"$work/site.log" &
	server=$!
	servers="$servers $server"
	wait_for 60 has_port || fail 'the site does not start'
	url=joe:secret@127.0.0.1:$(cat "$work/site.out")
}

# refused WORDS SCHEME [OPTIONS]
refused() {
	seconds_of timeout 100 "$BUILD/ftpfs" ${3:+-o "$3"} "$2://$url" "$mnt" >"$work/said" 2>&1
	say "$2 ${3:-} ($code, $took s): $(cat "$work/said")"
	[ $code = 1 ] || fail "exit code $code"
	[ $took -lt 60 ] || fail "took $took seconds"
	[ "$(wc -l <"$work/said")" = 1 ] || fail 'not one line'
	grep -q -- "^ftpfs: .*$1" "$work/said" || fail "does not say '$1'"
	! grep -q secret "$work/said" || fail 'says the password'
	is_not_mounted "$mnt" || fail 'something is mounted'
	[ -z "$(pid_of "$mnt")" ] || fail 'a process is left'
}

# mounts SCHEME OPTIONS [WARNING]
mounts() {
	timeout 100 "$BUILD/ftpfs" -o "$2" "$1://$url" "$mnt" 2>"$work/said" || fail "$1 $2: $(cat "$work/said")"
	ftpfs=$(pid_of "$mnt")
	[ "$(wc -c <"$mnt/file")" = 300000 ] || fail "$1 $2: cannot read"
	if [ -n "${3:-}" ]; then
		[ "$(wc -l <"$work/said")" = 1 ] && grep -q "$3" "$work/said" || fail "$1 $2: no warning: $(cat "$work/said")"
	else
		[ ! -s "$work/said" ] || fail "$1 $2: says: $(cat "$work/said")"
	fi
	unmount_site
}

# Each certificate, and what is to be said of it.
for scheme in ftpes ftps; do
	mode=
	[ $scheme = ftpes ] || mode=implicit
	start_site good $mode
	mounts $scheme cacert=ca.crt
	mounts $scheme capath=certs
	mounts $scheme "tls_pin=sha256//$(pin_of good)"
	mounts $scheme "tls_pin=sha256//$(pin_of self);sha256//$(pin_of good)"
	refused "certificate refused: unable to get local issuer certificate; .*tls_pin=sha256//$(pin_of good)\$" $scheme
	refused 'certificate refused: its key is not the pinned one' $scheme "tls_pin=sha256//$(pin_of self)"
	refused 'no/such: No such file' $scheme cacert=/no/such
	mounts $scheme no_verify_peer 'no_verify_peer: whoever'
	stop_server

	start_site self $mode
	refused "certificate refused: self-signed certificate; to trust it, say -o tls_pin=sha256//$(pin_of self)\$" $scheme
	refused 'certificate refused: self-signed certificate' $scheme cacert=ca.crt
	mounts $scheme cacert=self.crt
	# What the message says can be copied.
	"$BUILD/ftpfs" "$scheme://$url" "$mnt" 2>"$work/said" && fail 'a self-signed certificate was taken'
	mounts $scheme "$(sed -n 's/.* -o //p' "$work/said")"
	stop_server
done

start_site other implicit
refused 'it is for ftp.example.org, www.example.org, not for 127.0.0.1; .*tls_pin=sha256//' ftps cacert=ca.crt
mounts ftps cacert=ca.crt,no_verify_hostname 'no_verify_hostname: whoever'
mounts ftps "tls_pin=sha256//$(pin_of other)"
stop_server
start_site expired implicit
refused 'certificate refused: certificate has expired; ' ftps cacert=ca.crt
mounts ftps "tls_pin=sha256//$(pin_of expired)"
stop_server
start_site early implicit
refused 'certificate refused: certificate is not yet valid; ' ftps cacert=ca.crt
stop_server

# --- servers --------------------------------------------------------------------------------------

start_site good no-auth
refused 'no TLS: unknown' ftpes cacert=ca.crt
refused 'no TLS: unknown' ftp cacert=ca.crt,tls=require
refused 'in the clear before TLS began\|TLS handshake failed' ftps cacert=ca.crt
stop_server
start_site good inject
refused 'in the clear before TLS began' ftpes cacert=ca.crt
refused 'in the clear before TLS began' ftp cacert=ca.crt,tls=try
stop_server
start_site good no-prot
refused 'does not protect data: no' ftpes cacert=ca.crt
stop_server
start_site good max=1.2
mounts ftpes cacert=ca.crt,tls_max=1.2
refused 'TLS handshake failed' ftpes cacert=ca.crt,tls_min=1.3
stop_server

# A server that wants to see a certificate of ours.
start_site good implicit "client=$work/ca.crt"
mounts ftps cacert=ca.crt,cert=client.pem
mounts ftps cacert=ca.crt,cert=client.crt,key=client.key
mounts ftps cacert=ca.crt,cert=client.crt,key=locked.key,key_password=keysecret
refused 'certificate required' ftps cacert=ca.crt,connect_timeout=5,timeout=5
refused 'locked.key: it needs a password' ftps cacert=ca.crt,cert=client.crt,key=locked.key
refused 'locked.key: its password is another' ftps cacert=ca.crt,cert=client.crt,key=locked.key,key_password=x
printf 'username=joe\npassword=secret\nkey_password=keysecret\n' >credentials
chmod 600 credentials
mounts ftps cacert=ca.crt,cert=client.crt,key=locked.key,credentials=credentials
stop_server

# What contradicts itself, or promises what would not happen, is a wrong command line.
for wrong in ftpes:tls=off ftps:tls=try ftp:cacert=ca.crt "ftp:tls_pin=sha256//$(pin_of good)"; do
	"$BUILD/ftpfs" -o "${wrong#*:}" "${wrong%%:*}://$url" "$mnt" 2>"$work/said"
	[ $? = 2 ] || fail "$wrong: $(cat "$work/said")"
	[ "$(wc -l <"$work/said")" = 1 ] || fail "$wrong: not one line"
done
