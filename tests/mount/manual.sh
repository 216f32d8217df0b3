#!/bin/sh
# The manual and --help name the same options, and ftpfs knows them all.
. "$(dirname "$0")/lib.sh"
man=$SRC/man/ftpfs.1

"$BUILD/ftpfs" --help >"$work/help" || fail '--help'
sed -n 's/^  -o \([a-z_]*\).*/\1/p' "$work/help" | sort >"$work/in.help"
sed -n '/^\.Sh OPTIONS/,/^\.Ss Words of/p' "$man" | sed -n 's/^\.It \(Cm .*\)/\1/p' | tr ',' '\n' |
	sed -n 's/^ *Cm \([a-z_]*\).*/\1/p' | sort >"$work/in.man"
[ "$(wc -l <"$work/in.help")" -gt 30 ] || fail 'help shows too little'
diff "$work/in.help" "$work/in.man" || fail 'help (<) and the manual (>) differ'
sed -n 's/^  -\([a-zA-Z]\)[ ,].*/\1/p' "$work/help" | grep -v '^o$' | sort >"$work/in.help"
sed -n '/^\.Sh OPTIONS/,/^\.Ss/p' "$man" | sed -n 's/^\.It Fl \([a-zA-Z]\) *.*/\1/p' | grep -v '^o$' | sort >"$work/in.man"
diff "$work/in.help" "$work/in.man" || fail 'help (<) and the manual (>) differ in flags'

# Defaults and ranges that the manual tells are those of the program.
for pair in max_conns:4 connect_timeout:15 timeout:30 idle_timeout:60 attr_timeout:20 cache_entries:200000 readahead:16M \
	kernel_readahead:1024; do
	name=${pair%:*} value=${pair#*:}
	grep "^  -o $name=" "$work/help" | grep -q "default $value" || fail "help: $name"
	awk -v at="^[.]It Cm $name Ns" '$0 ~ at { on = 1; next } /^[.]It/ { on = 0 } on' "$man" | grep -q "default is $value" ||
		fail "manual: $name"
done
"$BUILD/ftpfs" --version | grep -q '^ftpfs [0-9]' || fail '--version'
if command -v mandoc >/dev/null; then
	mandoc -T lint -W warning "$man" || fail 'mandoc -T lint'
fi
