#!/bin/sh
# time-limit: 300
# ProFTPD with implicit TLS.
. "$SRC/tests/interop/lib.sh"
many=1000
run_all proftpd ftps
