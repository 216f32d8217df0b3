#!/bin/sh
# Files of all sizes and names are what they are on the server.
. "$(dirname "$0")/lib.sh"
require_fuse
require openssl

n=0
for size in 0 1 4095 4096 4097 1048577 20971520; do
	n=$((n + 1))
	pattern $n $size >"$data/size $size"
done
mkdir -p "$data/sub/deep/er" "$data/empty" "$data/dir [1]" "$data/-dir"
for name in 'with space' ' leading' 'trailing ' "it's" '"quoted"' 'ünï' '日本' '[a]' '{b}' '*' '?' 'a -> b' '-rf' '--help' \
	'.hidden' 'back\slash' '#' '%41' '~' '&' ';' 'a:b' '|'; do
	echo "this is $name" >"$data/sub/$name"
done
echo inside >"$data/dir [1]/file"
echo inside >"$data/-dir/-file"
echo needle >"$data/sub/deep/er/hay"
echo '#!/bin/sh' >"$data/tool"
chmod 755 "$data/tool"
ln -s sub/deep "$data/link"
touch -d '2020-02-29 12:34:56 UTC' "$data/sub/deep/er/hay"

start_server
mount_site

(cd "$data" && find . -printf '%y %m %P\n' | sort) >"$work/want"
(cd "$mnt" && find . -printf '%y %m %P\n' | sort) >"$work/have"
same "$work/have" "$work/want"
(cd "$data" && find . -type f -printf '%s %T@ %P\n' | sed 's/\.[0-9]* / /' | sort) >"$work/want"
(cd "$mnt" && find . -type f -printf '%s %T@ %P\n' | sed 's/\.[0-9]* / /' | sort) >"$work/have"
same "$work/have" "$work/want"
(cd "$data" && find . -type f -exec sha256sum {} + | sort) >"$work/want"
(cd "$mnt" && find . -type f -exec sha256sum {} + | sort) >"$work/have"
same "$work/have" "$work/want"

[ "$(grep -r needle "$mnt")" = "$mnt/sub/deep/er/hay:needle" ] || fail 'grep -r'
[ "$(readlink "$mnt/link")" = sub/deep ] || fail 'readlink'
[ "$(cat "$mnt/link/er/hay")" = needle ] || fail 'through a link'
ls -la "$mnt" >/dev/null || fail 'ls'
cp -r "$mnt/sub" "$work/copy" || fail 'cp -r'
diff -r "$data/sub" "$work/copy" || fail 'the copy differs'
tar -cf - -C "$mnt" sub | tar -tf - | sort >"$work/have"
tar -cf - -C "$data" sub | tar -tf - | sort >"$work/want"
same "$work/have" "$work/want"
[ "$(stat -c %s "$mnt/size 20971520")" = 20971520 ] || fail 'stat'
[ "$(tail -c 5 "$mnt/size 20971520" | od -An -tx1)" = "$(tail -c 5 "$data/size 20971520" | od -An -tx1)" ] || fail 'tail'
cmp -n 1000 "$mnt/size 20971520" "$data/size 20971520" 9999999 9999999 || fail 'a piece in the middle'
fails_with 'Not a directory' ls "$mnt/tool/x"
fails_with 'Is a directory' cat "$mnt/sub"
stat -f -c '%S %l' "$mnt" | grep -q '^4096 255$' || fail 'statfs'
unmount_site
