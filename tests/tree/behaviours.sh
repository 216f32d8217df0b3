#!/bin/sh
# Each test that tests/README.md names is there.
set -u
grep -o '`[a-z]*/[a-z_0-9./-]*\.\(c\|sh\)`\(: \(`[a-z_0-9]*`\(, \)\?\)*\)\?' "$SRC/tests/README.md" | tr -d '`,:' |
	while read -r file names; do
		[ -f "$SRC/tests/$file" ] || echo "no such file: $file"
		for name in $names; do
			grep -qE "(T|test|_teardown)\(${name}[,)]|cmocka_unit_test[a-z_]*\(${name}[,)]" "$SRC/tests/$file" || echo "$file: no such test: $name"
		done
	done >"$TMPDIR/missing"
[ "$(grep -c '| `' "$SRC/tests/README.md")" -gt 50 ] || echo 'the page has changed its form' >>"$TMPDIR/missing"
if [ -s "$TMPDIR/missing" ]; then
	cat "$TMPDIR/missing"
	echo 'not ok - every test that the page names is there'
	exit 1
fi
echo 'ok - every test that the page names is there'
