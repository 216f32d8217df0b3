#!/bin/sh
# time-limit: 300
# Writing to memftpd with TLS.
. "$SRC/tests/interop/lib.sh"
run_writing memftpd tls
