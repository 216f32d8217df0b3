#!/bin/sh
# time-limit: 300
# Pure-FTPd cuts a listing at 10,000 matches, "." and ".." counted, and says so. It hides names with control characters,
# and refuses to open names with a backslash.
. "$SRC/tests/interop/lib.sh"
listing_cut=yes
without='tab\ttab
back\\slash'
run_all pure-ftpd
