#!/bin/sh
# The program: its options, its manual, its signals.
set -u
BUILD=${BUILD:-build} SRC=${SRC:-.}
memftpd=$BUILD/memftpd
work=$(mktemp -d) || exit 1
pid=
trap 'stop; rm -rf "$work"' EXIT
failures=0

ok() { echo "ok - $1"; }
not_ok() { echo "not ok - $1"; failures=$((failures + 1)); [ $# -lt 2 ] || printf '%s\n' "$2" | sed 's/^/# /'; }
check() { # name command...
	name=$1
	shift
	if "$@" >"$work/check.log" 2>&1; then ok "$name"; else not_ok "$name" "$(tail -n 20 "$work/check.log")"; fi
}
have() { # name tool
	command -v "$2" >/dev/null && return 0
	echo "ok - $1 # SKIP no $2"
	return 1
}

# Starts it on a free port with more options; sets port and pid.
start() {
	rm -f "$work/out"
	mkfifo "$work/first"
	"$memftpd" --listen 127.0.0.1:0 "$@" >"$work/first" 2>"$work/err" &
	pid=$!
	read -r line <"$work/first"
	rm "$work/first"
	port=${line##*:}
}
stop() {
	[ -n "$pid" ] || return 0
	kill -TERM "$pid" 2>/dev/null
	wait "$pid"
	status=$?
	pid=
	return $status
}

# --- options and manual ------------------------------------------------------------------------------

options_of_help() { "$memftpd" --help | sed -n 's/^  --\([a-z-]*\).*/\1/p' | sort; }
options_of_man() { sed -n 's/^\.It Fl -\([a-z-]*\).*/\1/p' "$SRC/man/memftpd.1" | sort; }
same_options() { options_of_help >"$work/help"; options_of_man >"$work/man"; [ -s "$work/help" ] && diff "$work/help" "$work/man"; }
check "the manual has every option of --help, and no other" same_options

# shellcheck disable=SC2016 # no variables
same_actions() {
	sed -n '/^} acts\[\] = {/,/^};/p; /acts\[\] = {/,/^};/p' "$SRC/src/memftpd/scenario.c" | grep -o '{ "[a-z-]*"' | tr -d '{ "' | sort -u >"$work/code"
	sed -n '/^\.Sh SCENARIOS/,/^\.Sh PROTOCOL/s/^\.It Cm \([a-z, -]*\).*/\1/p' "$SRC/man/memftpd.1" | tr ',' '\n' | tr -d ' ' | sort -u >"$work/man"
	[ -s "$work/code" ] && diff "$work/code" "$work/man"
}
check "the manual has every action of a scenario, and no other" same_actions

bad_options() {
	while IFS='|' read -r line; do
		# shellcheck disable=SC2086
		timeout 60 "$memftpd" $line >"$work/o" 2>"$work/e"
		[ $? = 2 ] || { echo "exit status of: $line"; return 1; }
		[ "$(wc -l <"$work/e")" = 1 ] && [ ! -s "$work/o" ] || { echo "output of: $line"; cat "$work/e"; return 1; }
		grep -q '^memftpd: ' "$work/e" || return 1
	done <<-END
		--nonsense
		nonsense
		--
		--latency
		--latency x
		--latency -1
		--latency 99999999999
		--rate 10X
		--rate 99999999999G
		--listen 127.0.0.1
		--listen localhost:21
		--listen ::1:0
		--listen [127.0.0.1]:0
		--listen 127.0.0.1:65536
		--user
		--user :secret
		--anonymous=rx
		--listing vms
		--help=1
		--pattern big:10
		--pattern /big
		--home joe:/x
		--user joe --home joe:x
		--user joe --home joe
		--user joe --base jo:/x
		--user joe --permit joe:/x
		--user joe --permit joe:/x:r
		--user joe --permit joe:x:rw
		--user joe --user-max joe
		--user joe --user-max joe:x
		--user joe --user-limit joe:1:2:3
		--user joe --user-connection-limit joe:
		--limit 1K:x
		--connection-limit x
		--limits /nonexistent/file
		--passive-ports 5000
		--passive-ports 5001-5000
		--passive-ports 0-5
		--passive-ports 5000-65536
		--login-delay x
		--quota -1
		--play wu-ftpd
		--on RETR
		--on=RETR_1_explode
		--scenario /nonexistent/file
		--tls-max 1.1
		--listen-tls 127.0.0.1
	END
}
check "a wrong option: one line and exit status 2" bad_options

exit_one() { # text options...
	text=$1
	shift
	timeout 60 "$memftpd" --listen 127.0.0.1:0 "$@" >"$work/o" 2>"$work/e"
	[ $? = 1 ] && [ "$(wc -l <"$work/e")" = 1 ] && grep -q "$text" "$work/e" || { cat "$work/e"; return 1; }
}
check "a folder that is not there: exit status 1" exit_one 'no such' --load "$work/none"
check "an unknown command to switch off: exit status 1" exit_one 'cannot be used' --no NONE
check "a certificate that is not there: exit status 1" exit_one TLS --tls-cert "$work/none"
check "a name that is used twice: exit status 1" exit_one 'cannot be used' --user a:b --user a:c

prints() { "$memftpd" "$1" | grep -q "$2"; }
check "--version" prints --version '^memftpd [0-9]'
check "--help" prints --help '^usage: memftpd'

# --- a site -------------------------------------------------------------------------------------------

site=$work/site
mkdir -p "$site/dir"
printf 'hello\n' >"$site/dir/hello.txt"
head -c 3000000 /dev/urandom >"$site/big.bin"
mkfifo "$site/fifo"

start --user joe:secret --load "$site" --tls --stats --count "$work/count.json"
case $line in
"memftpd: listening on 127.0.0.1:"[1-9]*) ok "the first line says where" ;;
*) not_ok "the first line says where" "$line" ;;
esac
check "what cannot be loaded is named" grep -q '/fifo: not a file, folder or link' "$work/err"

in_use() { exit_one 'in use' --listen "127.0.0.1:$port"; }
check "a port in use: exit status 1" in_use

python=/usr/bin/python3
if have "the manual names every command" "$python"; then
	verbs_agree() {
		"$python" - "$port" >"$work/help" <<-'END' || return 1
			import ftplib, sys
			f = ftplib.FTP()
			f.connect('127.0.0.1', int(sys.argv[1]), timeout=60)
			print('\n'.join(' '.join(f.sendcmd('HELP').split('\n')[1:-1]).split()))
		END
		sed -n '/^\.Sh PROTOCOL/,/^\.Pp/p' "$SRC/man/memftpd.1" | grep -v '^\.' | grep -oE '\b[A-Z][A-Z0-9]{2,6}\b' | sort >"$work/man"
		[ -s "$work/help" ] && diff "$work/help" "$work/man"
	}
	check "the manual names every command of HELP, and no other" verbs_agree
fi

counters() {
	kill -USR1 "$pid" || return 1
	i=0
	until grep -q '^stat end$' "$work/err"; do
		i=$((i + 1))
		[ "$i" -lt 600 ] || return 1
		sleep 0.1
	done
	grep -q '^stat HELP 1$' "$work/err" && grep -q '^stat sessions-now 0$' "$work/err"
}
check "SIGUSR1 prints the counters" counters
counted() {
	"$python" -c 'import json, sys; c = json.load(open(sys.argv[1])); assert c["verbs"]["HELP"] == 1 and c["turns"] > 0 \
and c["commands"] >= sum(c["verbs"].values()) > 0 and c["sessions_now"] == 0 and "bytes_sent" in c, c' "$work/count.json"
}
check "and writes them as JSON" counted
rm "$work/count.json"
check "SIGTERM ends it with exit status 0" stop
check "and writes them at the end" counted
check "--stats prints them at the end" test "$(grep -c '^stat end$' "$work/err")" = 2

cat >"$work/scenario" <<'END'
# what a client may meet
RETR 2   drop-after 1000
	DELE *  reply 550 Not today.

SIZE 1-2 reply 213 one\n2
STOR 1   final 226 All here.
END
scenario() {
	"$python" - "$port" <<-'END'
		import ftplib, io, sys
		f = ftplib.FTP()
		f.connect('127.0.0.1', int(sys.argv[1]), timeout=60)
		f.login('joe', 'secret')
		def refused(code, call, *args):
		    try:
		        call(*args)
		    except ftplib.Error as e:
		        assert str(e).startswith(code), e
		    else:
		        assert False
		    return True
		b = io.BytesIO()
		f.retrbinary('RETR big.bin', b.write)
		assert len(b.getvalue()) == 3000000
		try:
		    f.retrbinary('RETR big.bin', io.BytesIO().write)
		    assert False
		except ConnectionResetError:
		    assert f.getmultiline().startswith('426')
		f.retrbinary('RETR big.bin', io.BytesIO().write)
		assert refused('550', f.delete, 'big.bin') and refused('550', f.delete, 'big.bin')
		assert f.sendcmd('SIZE big.bin') == '213-one\n213 2' and f.sendcmd('SIZE big.bin') == '213-one\n213 2'
		assert f.sendcmd('SIZE big.bin') == '213 3000000'
		assert f.storbinary('STOR x', io.BytesIO(b'x')) == '226 All here.'
		assert refused('502', f.sendcmd, 'NOOP')
	END
}
if have "a scenario from a file, and a rule of its own" "$python"; then
	start --user joe:secret --load "$site" --scenario "$work/scenario" --on 'NOOP * missing'
	check "a scenario from a file, and a rule of its own" scenario
	stop
fi

# 3 MB at 100 bytes a second would take longer than any test: what is over soon was set free.
limits() { # how a line begins that limits
	printf '# slow\n%s100\n' "$1" >"$work/limits"
	start --user joe:secret --load "$site" --limits "$work/limits" || return 1
	rm -f "$work/got"
	curl -sSN -m 60 "ftp://joe:secret@127.0.0.1:$port/big.bin" >"$work/got" &
	got=$!
	until [ -s "$work/got" ]; do sleep 0.05; done
	[ "$(wc -c <"$work/got")" -lt 100000 ] || return 1
	echo nonsense >"$work/limits" && kill -HUP "$pid" || return 1
	until grep -q nonsense "$work/err"; do sleep 0.05; done
	printf '%s0\n' "$1" >"$work/limits" && kill -HUP "$pid" && wait "$got" && cmp "$work/got" "$site/big.bin" && stop
}
for limit in 'limit ' 'connection-limit ' 'user-limit joe:' 'user-connection-limit joe:'; do
	! have "${limit%% *} is read again at SIGHUP" curl || check "${limit%% *} is read again at SIGHUP" limits "$limit"
	stop
done
hung_up() {
	start
	kill -HUP "$pid"
	wait "$pid"
	[ $? = 129 ] && pid=
}
check "without --limits SIGHUP ends it" hung_up

start_six() {
	rm -f "$work/first"
	mkfifo "$work/first"
	"$memftpd" --listen '[::1]:0' --anonymous ro --pattern /p:10 >"$work/first" 2>"$work/err" &
	pid=$!
	read -r line <"$work/first"
	case $line in "memftpd: listening on [::1]:"[1-9]*) ;; *) return 1 ;; esac
	url="ftp://[::1]:${line##*:}"
	[ "$(curl -sS "$url/p" | wc -c)" = 10 ] && ! curl -sS -T "$site/dir/hello.txt" "$url/x" && stop
}
if have "IPv6, and anonymous who may only read" curl; then
	check "IPv6, and anonymous who may only read" start_six
	stop
fi

exit $((failures > 0))
