#!/bin/sh
# The inputs that are kept of fuzzing, once each: what was found stays mended.
bad=0
for folder in "$SRC"/tests/fuzz/seeds/*/; do
	target=$(basename "$folder")
	if find "$folder" -type f | sort | xargs timeout 100 "$BUILD/tests/fuzz/replay_$target" >"$TMPDIR/said" 2>&1; then
		echo "ok - $target: $(cat "$TMPDIR/said")"
	else
		tail -n 40 "$TMPDIR/said"
		echo "not ok - $target"
		bad=1
	fi
done
exit $bad
