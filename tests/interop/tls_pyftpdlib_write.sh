#!/bin/sh
# time-limit: 300
# Writing to pyftpdlib with TLS.
. "$SRC/tests/interop/lib.sh"
without='caf\0351'
run_writing pyftpdlib tls
