#!/bin/sh
# time-limit: 300
# ProFTPD with mod_tls, which wants sessions reused.
. "$SRC/tests/interop/lib.sh"
run_all proftpd tls
