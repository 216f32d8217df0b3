#!/bin/sh
# time-limit: 300
# memftpd with implicit TLS.
. "$SRC/tests/interop/lib.sh"
many=1000
run_all memftpd ftps
