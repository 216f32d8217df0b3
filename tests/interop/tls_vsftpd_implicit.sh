#!/bin/sh
# time-limit: 300
# vsftpd with implicit TLS.
. "$SRC/tests/interop/lib.sh"
mtime_precision=listing
many=1000
run_all vsftpd ftps
