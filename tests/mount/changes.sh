#!/bin/sh
# What changes on the server is seen when the caches have had their time; two versions are never mixed.
. "$(dirname "$0")/lib.sh"
require_fuse
require openssl curl

pattern 1 4000000 >"$data/file"
pattern 2 5000000 >"$work/second"
pattern 3 4000000 >"$work/third"
start_server --rate 4M
mount_site attr_timeout=0.5
same "$mnt/file" "$data/file"
put() { curl -sS -T "$1" "$url/$2" || fail 'cannot change the site'; }

put "$work/second" file
sees() { cmp -s "$mnt/file" "$1"; }
wait_for 60 sees "$work/second" || fail 'the second version is not seen'
# The same size; only the time tells.
put "$work/third" file
touch_later() { curl -sS -Q "MFMT 20200101000000 /file" "$url/" >/dev/null; }
touch_later
put "$work/second" other
wait_for 60 sees "$work/third" || fail 'the third version is not seen'
ls_sees() { [ "$(ls "$mnt" | tr '\n' ' ')" = 'file other ' ]; }
wait_for 60 ls_sees || fail 'a new name is not seen'
same "$mnt/other" "$work/second"

# Changed while it is read: an error, or one of the two versions.
cat "$mnt/file" >"$work/read" 2>"$work/said" &
reader=$!
has_some() { [ -s "$work/read" ]; }
wait_for 60 has_some || fail 'the reader does not begin'
put "$work/second" file
if wait $reader; then
	cmp -s "$work/read" "$work/third" || cmp -s "$work/read" "$work/second" || fail 'two versions are mixed'
else
	grep -q 'Input/output\|Stale\|changed' "$work/said" || fail "an odd error: $(cat "$work/said")"
fi
curl -sS -Q 'DELE /other' "$url/" >/dev/null || fail 'cannot delete'
is_gone() { ! [ -e "$mnt/other" ]; }
wait_for 60 is_gone || fail 'a deleted name is still there'
unmount_site
