#!/bin/sh
# time-limit: 300
# ProFTPD.
. "$SRC/tests/interop/lib.sh"
run_all proftpd
