#!/bin/sh
# time-limit: 300
# Pure-FTPd with TLS required (-Y 2); see pure-ftpd.sh.
. "$SRC/tests/interop/lib.sh"
listing_cut=yes
without='tab\ttab
back\\slash'
run_all pure-ftpd tls
