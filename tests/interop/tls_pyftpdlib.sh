#!/bin/sh
# time-limit: 300
# pyftpdlib with TLS required for control and data. It resets the data connections of curl, which speaks first there.
. "$SRC/tests/interop/lib.sh"
without='caf\0351'
plain_client=none
run_all pyftpdlib tls
