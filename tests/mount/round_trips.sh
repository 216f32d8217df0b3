#!/bin/bash
# What everyday work costs: commands, and turns (commands that the server was waiting for), as the server counts them.
# Nothing here depends on how fast the machine is.
# time-limit: 240
. "$(dirname "$0")/lib.sh"
require_fuse
require openssl

mkdir -p "$data/tree" "$data/small" "$data/many" "$data/one"
for d in $(seq -w 0 99); do
	mkdir "$data/tree/d$d"
	(cd "$data/tree/d$d" && seq -f 'f%02.0f' 0 99 | xargs touch)
done
for f in $(seq -w 0 99); do pattern "1$f" 1024 >"$data/small/s$f"; done
(cd "$data/many" && seq -f 'f%05.0f' 20000 | xargs touch)
echo text >"$data/one/file"
pattern 7 20000000 >"$data/big"

# begin: from here on it counts.  cost WHAT MOST_COMMANDS MOST_TURNS: since begin.
begin() {
	counters
	commands0=$(counter commands) turns0=$(counter turns) listings0=$(listings) retr0=$(counter RETR)
}

# settled: what goes on in the background is over, and from here on it counts.
settled() {
	begin
	while _before=$commands0 && sleep 2 && begin && [ "$_before" != "$commands0" ]; do :; done
}

cost() {
	counters
	commands=$(($(counter commands) - commands0)) turns=$(($(counter turns) - turns0))
	listed=$(($(listings) - listings0)) fetched=$(($(counter RETR) - retr0))
	say "$1: $commands commands, $turns turns, $listed listings, $fetched files"
	[ "$commands" -le "$2" ] || fail "$1: $commands commands, not $2 at most"
	[ "$turns" -le "$3" ] || fail "$1: $turns turns, not $3 at most"
}

# Each one cold: another mount.  What was seen is believed to the end, however long that takes.
cold() {
	mount_site "attr_timeout=600${1:+,$1}"
	counters
	begin
}

start_server --latency 10

begin
mount_site
cost 'mount' 10 5
unmount_site

cold
stat "$mnt/one/file" >/dev/null || fail 'stat'
cost 'stat of one file in a directory not seen yet' 9 6
unmount_site

cold
ls -lR "$mnt/tree" >"$work/ls" || fail 'ls -lR'
[ "$(grep -c '^-' "$work/ls")" = 10000 ] || fail 'ls -lR shows too little'
cost 'ls -lR of 100 directories' 240 130
[ "$listed" = 101 ] || fail "101 directories took $listed listings"
unmount_site

cold
find "$mnt/tree" -type f >"$work/find" || fail 'find'
[ "$(wc -l <"$work/find")" = 10000 ] || fail 'find shows too little'
cost 'find in 100 directories' 240 130
[ "$listed" = 101 ] || fail "101 directories took $listed listings"
unmount_site

cold
cat "$mnt"/small/* >"$work/all" || fail 'cat'
cat "$data"/small/* | cmp - "$work/all" || fail 'cat'
cost 'cat of 100 small files' 440 130
[ "$fetched" = 100 ] || fail "100 files took $fetched transfers"
unmount_site

cold
cp -r "$mnt/small" "$work/copy" || fail 'cp -r'
diff -r "$data/small" "$work/copy" || fail 'cp -r'
cost 'cp -r of 100 small files' 440 130
[ "$fetched" = 100 ] || fail "100 files took $fetched transfers"
unmount_site

# No order in it: nothing is fetched that nobody reads.
cold
for f in $(seq 0 37 3700); do
	cmp "$mnt/small/s$(printf %02d $((f % 97)))" "$data/small/s$(printf %02d $((f % 97)))" || fail 'cmp'
done
cost '97 small files in no order' 440 160
[ "$fetched" -le 104 ] || fail "97 files took $fetched transfers"
unmount_site

cold
# shellcheck disable=SC2012 # it is ls that is counted
[ "$(ls -f "$mnt/many" | wc -l)" = 20002 ] || fail 'ls -f'
cost 'ls -f of 20000 files' 14 9
[ "$listed" = 1 ] || fail "a directory took $listed listings"
unmount_site

cold
ls "$mnt" >/dev/null
begin
[ "$(head -c 5 "$mnt/one/file")" = text ] || fail 'head'
cost 'open and first byte' 12 8
for n in 1 2 3 4 5 6 7 8 9; do [ ! -e "$mnt/one/no$n" ] || fail 'it is not there'; done
ls "$mnt/one" >/dev/null
begin
for n in 1 2 3 4 5 6 7 8 9; do [ ! -e "$mnt/one/nor$n" ] || fail 'it is not there'; done
cost 'names that a directory lacks' 0 0
unmount_site

cold
ls "$mnt/one" >/dev/null
settled
[ "$(head -c 5 "$mnt/one/file")" = text ] || fail 'head'
cost 'open and first byte of a file whose directory is cached' 6 2
unmount_site

cold segments=1
same "$mnt/big" "$data/big"
cost 'a big file from end to end' 14 9
[ "$fetched" = 1 ] || fail "a file took $fetched transfers"
unmount_site

cold
for n in 1 2 3 4 5 6 7 8 9 10; do
	cp "$data/small/s0$((n % 10))" "$mnt/new$n" || fail 'cp'
done
cost 'copying 10 small files in' 64 44
unmount_site

# Nothing is read but what is asked for.
cold
exec 7<"$mnt/big"
dd bs=4k count=1 skip=4000 iflag=direct status=none <&7 >/dev/null || fail 'dd'
settled
for at in 100 3000 900 2100 4100 600 1800 3900 1200 2700; do
	dd bs=4k count=1 skip=$at iflag=direct status=none <"$mnt/big" | cmp - <(dd bs=4k count=1 skip=$at status=none <"$data/big") || fail 'dd'
done
cost 'ten random reads of an open file' 80 26
[ "$fetched" = 10 ] || fail "ten reads took $fetched transfers"
exec 7<&-
unmount_site

# Each connection gets so little that others help.  How many parts there are depends on what is measured; none has less
# than 1 MiB.
stop_server
start_server --latency 10 --connection-limit 0:4M
cold
same "$mnt/big" "$data/big"
cost 'a big file in parts' 140 60
[ "$(counter bytes-sent)" -le 26000000 ] || fail "$(counter bytes-sent) bytes were sent for 20000000"
unmount_site

# What others do differently: vsftpd lists for one round trip, ProFTPD looks at one question while it receives.
stop_server
for play in vsftpd proftpd; do
	start_server --latency 10 --play $play
	cold
	for n in 1 2 3 4 5 6 7 8 9 10; do
		cp "$data/small/s0$((n % 10))" "$mnt/new$n" || fail "$play: cp"
	done
	cost "$play: copying 10 small files in" 76 40
	ls "$mnt" >/dev/null
	begin
	for n in 1 2 3; do mv "$mnt/new$n" "$mnt/moved$n" || fail "$play: mv"; done
	cost "$play: mv of 3 files" 18 8
	unmount_site
	rm -f "$data"/new* "$data"/moved*
	stop_server
done
