#!/bin/sh
# time-limit: 300
# memftpd with TLS 1.3, which wants sessions reused.
. "$SRC/tests/interop/lib.sh"
run_all memftpd tls
