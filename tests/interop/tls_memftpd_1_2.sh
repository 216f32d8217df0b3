#!/bin/sh
# time-limit: 300
# memftpd with TLS 1.2, which wants sessions reused.
. "$SRC/tests/interop/lib.sh"
many=1000
run_all memftpd tls1.2
