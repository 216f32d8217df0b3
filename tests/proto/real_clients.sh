#!/bin/sh
# time-limit: 300
# Clients that other people use, against memftpd: in the clear, and with TLS that is asked for or there from the start.
set -u
export LC_ALL=C.UTF-8 RCLONE_CONFIG=/dev/null HOME="$TMPDIR"
bad=0
pid=
site=$TMPDIR/site
python=${PYTHON:-/usr/bin/python3}
ca=
resuming=
stop() {
	[ -n "$pid" ] || return
	kill "$pid"
	wait "$pid"
	pid=
	exec 3<&-
}
trap stop EXIT
trap 'exit 1' HUP INT TERM

check() { # NAME COMMAND...
	_name="$1"
	shift
	if "$@" >"$TMPDIR/said" 2>&1; then
		echo "ok - $label: $_name"
	else
		tail -c 3000 "$TMPDIR/said"
		echo "not ok - $label: $_name"
		bad=1
	fi
}

# A tool that is not there, or an import that fails: said, and not failed.
has() {
	command -v "$1" >/dev/null && return
	echo "ok - $label: $1 # SKIP it is not installed"
	return 1
}

# --- the server -----------------------------------------------------------------------------------

make_site() {
	mkdir -p "$1/sub/deep" "$1/none"
	head -c 3000017 /dev/urandom >"$1/big"
	: >"$1/empty"
	echo leaf >"$1/sub/deep/leaf"
	echo two >"$1/sub/two words"
	printf 'no end' >"$1/sub/naïve ü.txt"
	touch -d '2021-02-03 04:05:06 UTC' "$1/big" "$1/sub/two words"
}

# start OPTION...: sets port, and ca: the server's own certificate.
start() {
	rm -f "$TMPDIR/first"
	mkfifo "$TMPDIR/first" || exit 1
	case $mode in
	plain) set -- --listen 127.0.0.1:0 "$@" ;;
	explicit) set -- --listen 127.0.0.1:0 --tls-required --tls-save "$TMPDIR/cert.pem" "$@" ;;
	implicit) set -- --listen-tls 127.0.0.1:0 --tls-save "$TMPDIR/cert.pem" "$@" ;;
	esac
	"$BUILD/memftpd" --user joe:secret:rw --user guest:guest:ro --load "$site" "$@" >"$TMPDIR/first" 2>"$TMPDIR/err" &
	pid=$!
	exec 3<"$TMPDIR/first"
	read -r line <&3
	port=${line##*:}
	port=${port%% *}
	[ "$mode" = plain ] || ca=$TMPDIR/cert.pem
}

# --- curl -----------------------------------------------------------------------------------------

curl_it() {
	_scheme=ftp
	_tls=
	case $mode in
	explicit) _tls="--ssl-reqd --cacert $ca" ;;
	implicit)
		_scheme=ftps
		_tls="--cacert $ca"
		;;
	esac
	# shellcheck disable=SC2086 # several words
	curl -sS --max-time 200 --user joe:secret $_tls "$@"
}

curl_url() {
	if [ "$mode" = implicit ]; then echo "ftps://127.0.0.1:$port"; else echo "ftp://127.0.0.1:$port"; fi
}

curl_gets() {
	curl_it -o "$TMPDIR/got" "$(curl_url)/big" && cmp "$TMPDIR/got" "$site/big" || return 1
	head -c 1000 "$site/big" >"$TMPDIR/got" && curl_it -C - -o "$TMPDIR/got" "$(curl_url)/big" &&
		cmp "$TMPDIR/got" "$site/big" || return 1
	curl_it -o "$TMPDIR/got" "$(curl_url)/sub/na%C3%AFve%20%C3%BC.txt" && cmp "$TMPDIR/got" "$site/sub/naïve ü.txt" || return 1
	curl_it -r 100-199 "$(curl_url)/big" | cmp -n 100 -i 0:100 - "$site/big" &&
		curl_it -I "$(curl_url)/big" | grep -q 'Last-Modified: Wed, 03 Feb 2021 04:05:06 GMT'
}

curl_puts() {
	curl_it -T "$site/big" "$(curl_url)/curl%20up" && curl_it -o "$TMPDIR/got" "$(curl_url)/curl%20up" &&
		cmp "$TMPDIR/got" "$site/big" || return 1
	curl_it --append -T "$site/sub/two words" "$(curl_url)/curl%20up" &&
		curl_it -o "$TMPDIR/got" "$(curl_url)/curl%20up" && cat "$site/big" "$site/sub/two words" | cmp - "$TMPDIR/got" &&
		curl_it --ftp-create-dirs -T "$site/empty" "$(curl_url)/curl/made/here" &&
		curl_it -I "$(curl_url)/curl/made/here" | grep 'Content-Length: 0' || return 1
	curl_it -Q 'DELE /curl up' -Q 'DELE /curl/made/here' -Q 'RMD /curl/made' -Q 'RMD /curl' -l "$(curl_url)/" |
		tr -d '\r' >"$TMPDIR/names" && ! grep curl "$TMPDIR/names" && grep '^big$' "$TMPDIR/names"
}

curl_active() {
	curl_it --ftp-port - -o "$TMPDIR/got" "$(curl_url)/big" && cmp "$TMPDIR/got" "$site/big"
}

curl_fails() {
	curl_it "$(curl_url)/missing" && return 1
	[ $? = 78 ] || return 1
	curl_it --user joe:wrong "$(curl_url)/"
	[ $? = 67 ] && ! curl_it --user guest:guest -T "$site/empty" "$(curl_url)/x" || return 1
	[ "$mode" != explicit ] || ! curl -sS --user joe:secret "$(curl_url)/"
}

# --- lftp -----------------------------------------------------------------------------------------

lftp_it() {
	case $mode in
	plain) _open="set ftp:ssl-allow no; open ftp://joe:secret@127.0.0.1:$port" ;;
	explicit) _open="set ftp:ssl-force yes; set ftp:ssl-protect-data yes; open ftp://joe:secret@127.0.0.1:$port" ;;
	implicit) _open="open ftps://joe:secret@127.0.0.1:$port" ;;
	esac
	timeout 200 lftp --norc -c "set cmd:fail-exit yes; set net:max-retries 1; set net:timeout 60; set ssl:ca-file '$ca'
		$_open
		$1"
}

lftp_mirrors_down() {
	rm -rf "$TMPDIR/down" && lftp_it "mirror --parallel=3 / '$TMPDIR/down'" && diff -r "$site" "$TMPDIR/down" &&
		[ "$(stat -c %Y "$TMPDIR/down/big")" = "$(stat -c %Y "$site/big")" ]
}

lftp_mirrors_up() {
	lftp_it "mirror -R --parallel=3 '$site' /lftp" && rm -rf "$TMPDIR/down" && lftp_it "mirror /lftp '$TMPDIR/down'" &&
		diff -r "$site" "$TMPDIR/down" || return 1
	# Nothing to do the second time.
	lftp_it "mirror -R --verbose '$site' /lftp" >"$TMPDIR/again" && ! grep -i 'new\|transferring' "$TMPDIR/again" || return 1
	rm -rf "$TMPDIR/less" && cp -rp "$site" "$TMPDIR/less" && rm -r "$TMPDIR/less/sub" &&
		lftp_it "mirror -R --delete '$TMPDIR/less' /lftp; cls -1 /lftp" >"$TMPDIR/names" && ! grep sub "$TMPDIR/names" &&
		lftp_it 'rm -r /lftp'
}

lftp_segments() {
	rm -f "$TMPDIR/got" && lftp_it "pget -n 4 /big -o '$TMPDIR/got'" && cmp "$TMPDIR/got" "$site/big"
}

# --- rclone ---------------------------------------------------------------------------------------

rclone_remote() {
	case $mode in
	plain) _how= ;;
	explicit) _how=,explicit_tls=true,no_check_certificate=true ;;
	implicit) _how=,tls=true,no_check_certificate=true ;;
	esac
	echo ":ftp,host=127.0.0.1,port=$port,user=joe,pass=$(rclone obscure secret)$_how:"
}

rclone_it() {
	timeout 200 rclone --retries 1 --low-level-retries 1 --cache-dir "$TMPDIR/cache" "$@"
}

rclone_copies() {
	rm -rf "$TMPDIR/down"
	rclone_it lsf "$(rclone_remote)" >"$TMPDIR/names" && grep '^sub/$' "$TMPDIR/names" || return 1
	rclone_it copy --create-empty-src-dirs "$(rclone_remote)" "$TMPDIR/down" && diff -r "$site" "$TMPDIR/down" &&
		rclone_it copy --create-empty-src-dirs "$site" "$(rclone_remote)rclone" && rm -rf "$TMPDIR/down" &&
		rclone_it copy --create-empty-src-dirs "$(rclone_remote)rclone" "$TMPDIR/down" && diff -r "$site" "$TMPDIR/down"
}

rclone_syncs() {
	rm -rf "$TMPDIR/less" "$TMPDIR/down" && cp -rp "$site" "$TMPDIR/less" && rm -r "$TMPDIR/less/sub/deep" "$TMPDIR/less/none" &&
		echo more >"$TMPDIR/less/sub/new" && rclone_it sync "$TMPDIR/less" "$(rclone_remote)rclone" &&
		rclone_it sync "$(rclone_remote)rclone" "$TMPDIR/down" && diff -r "$TMPDIR/less" "$TMPDIR/down" &&
		rclone_it purge "$(rclone_remote)rclone" && rclone_it lsf "$(rclone_remote)" >"$TMPDIR/names" &&
		! grep rclone "$TMPDIR/names"
}

# --- Python ---------------------------------------------------------------------------------------

python_has() {
	"$python" -c "import $1" 2>/dev/null && return
	echo "ok - $label: $1 # SKIP it is not installed"
	return 1
}

python_it() {
	timeout 200 "$python" "$SRC/tests/proto/real_clients.py" "$1" "$mode" "$port" "${ca:--}" "$site"
}

# --- all of it ------------------------------------------------------------------------------------

clients() {
	if has curl; then
		check 'curl gets' curl_gets
		check 'curl puts' curl_puts
		# Together with TLS it fails by itself, before it says a word about it (7.88).
		[ "$mode" != plain ] || check 'curl in active mode' curl_active
		check 'curl is refused' curl_fails
	fi
	if has lftp; then
		check 'lftp mirrors down' lftp_mirrors_down
		check 'lftp mirrors up' lftp_mirrors_up
		check 'lftp gets in segments' lftp_segments
	fi
	if [ -z "$resuming" ] && has rclone; then
		check 'rclone copies both ways' rclone_copies
		check 'rclone syncs' rclone_syncs
	fi
}

python_clients() {
	if python_has ftplib; then
		check 'ftplib' python_it ftplib
	fi
}

# It takes the cdir and pdir of an MLSD for more folders of that name, so it gets a LIST. AUTH TLS came to it later (0.22).
aioftp_too() {
	if python_has aioftp; then
		check 'aioftp' python_it aioftp
	fi
}

# all MODE OPTION...
all() {
	label=$*
	mode=$1
	shift
	start "$@"
	clients
	stop
	start --pattern /huge:1G "$@"
	python_clients
	stop
	[ "$mode" != explicit ] && [ -z "$resuming" ] || return
	start --no MLSD --pattern /huge:1G "$@"
	aioftp_too
	stop
}

make_site "$site"
all plain
all explicit
all implicit
# rclone and aioftp resume no sessions.
resuming=yes
for version in 1.2 1.3; do
	all explicit --tls-reuse --tls-max $version
	all implicit --tls-reuse --tls-max $version
done
exit $bad
