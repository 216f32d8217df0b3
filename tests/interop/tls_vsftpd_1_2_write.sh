#!/bin/sh
# time-limit: 300
# The same with TLS 1.2.
. "$SRC/tests/interop/lib.sh"
run_writing vsftpd tls1.2
