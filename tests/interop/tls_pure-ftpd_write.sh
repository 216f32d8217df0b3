#!/bin/sh
# time-limit: 300
# Writing to Pure-FTPd with TLS required.
. "$SRC/tests/interop/lib.sh"
without='tab\ttab
back\\slash'
run_writing pure-ftpd tls
