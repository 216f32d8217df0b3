#!/bin/sh
# time-limit: 300
# pyftpdlib with implicit TLS; see tls_pyftpdlib.sh.
. "$SRC/tests/interop/lib.sh"
without='caf\0351'
plain_client=none
many=1000
run_all pyftpdlib ftps
