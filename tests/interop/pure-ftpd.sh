#!/bin/sh
# time-limit: 300
# Pure-FTPd cuts a listing at 10,000 matches, "." and ".." counted, and says so.
. "$SRC/tests/interop/lib.sh"
listing_cut=yes
run_all pure-ftpd
