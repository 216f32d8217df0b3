#!/bin/sh
# time-limit: 300
# The same with TLS 1.2.
. "$SRC/tests/interop/lib.sh"
mtime_precision=listing
run_all vsftpd tls1.2
