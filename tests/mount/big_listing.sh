#!/bin/sh
# A directory of 10,000 files is listed whole, with one command, and all attributes come with it. Programs get its entries
# while they arrive.
. "$(dirname "$0")/lib.sh"
require_fuse

mkdir "$data/many"
(cd "$data/many" && seq -f 'file %05g' 10000 | xargs -d '\n' touch)
(cd "$data/many" && find . -type f | sort) >"$work/want"
for no in '' MLSD; do
	start_server ${no:+--no $no}
	mount_site attr_timeout=600
	(cd "$mnt/many" && find . -type f | sort) >"$work/have"
	same "$work/have" "$work/want"
	[ "$(ls -l "$mnt/many" | wc -l)" = 10001 ] || fail 'ls -l'
	stat "$mnt/many/file 07777" >/dev/null || fail 'stat'
	fails_with 'No such file' stat "$mnt/many/missing"
	counters
	# Without facts, the root is listed too, to know what "many" is.
	[ "$(listings)" = "$([ -n "$no" ] && echo 2 || echo 1)" ] || fail "$(listings) listings${no:+ without $no}"
	# One question about the directory itself, none about what is in it.
	[ "$(counter MLST)" -le 1 ] || fail "$(counter MLST) MLST"
	for verb in SIZE MDTM; do
		[ "$(counter $verb)" = 0 ] || fail "$(counter $verb) $verb"
	done
	unmount_site
	stop_server
done

whole() {
	(cd "$mnt/many" && find . -type f | sort) >"$work/have"
	same "$work/have" "$work/want"
}

# There is no end: what has come can be seen, the rest be waited for and given up, and all else goes on.
echo text >"$data/file"
start_server --stall-after 400000 --times 1
mount_site timeout=60
ls -f "$mnt/many" >"$work/names" 2>/dev/null &
waiting=$!
a_thousand_came() { [ "$(grep -c '^file ' "$work/names")" -ge 1000 ]; }
wait_for 20 a_thousand_came || fail "$(wc -l <"$work/names") names came"
[ "$(cat "$mnt/file")" = text ] || fail 'a file while ls waits'
kill -TERM $waiting
wait_for 20 gone $waiting || fail 'ls cannot be ended'
unmount_site
stop_server

# An end that is none is an error, and nothing of it is kept.
start_server --stall-after 400000 --times 1
mount_site timeout=2
ls -f "$mnt/many" >"$work/names" 2>"$work/said" && fail 'a listing that was cut looks whole'
grep -q 'reading directory' "$work/said" || fail "said: $(cat "$work/said")"
a_thousand_came || fail "$(wc -l <"$work/names") names before the error"
whole
unmount_site
stop_server

# A connection that dies is replaced in the middle: nobody sees it, and no name comes twice.
start_server --drop-all-after 400000 --times 1
mount_site
whole
whole
counters
[ "$(listings)" = 2 ] || fail "$(listings) listings, one of them cut"
unmount_site
stop_server

# Places stay what they are, whatever has come meanwhile.
if command -v perl >/dev/null; then
	start_server --rate 600000
	mount_site
	perl -e '
		opendir(my $d, $ARGV[0]) or die "opendir: $!";
		my @first = map { scalar readdir $d } 1 .. 1500;
		my $place = telldir $d;
		my @next = map { scalar readdir $d } 1 .. 700;
		seekdir $d, $place;
		my @again = map { scalar readdir $d } 1 .. 700;
		"@next" eq "@again" or die "another 700 after seekdir";
		my @rest = readdir $d;
		my $all = join "/", sort @first, @next, @rest;
		seekdir $d, $place;
		readdir $d eq $next[0] or die "the place is lost at the end";
		rewinddir $d;
		join("/", sort readdir $d) eq $all or die "others after rewinddir";
		@first + @next + @rest == 10002 or die "not 10002 entries";
	' "$mnt/many" || fail 'places in a directory'
	unmount_site
	stop_server
fi
