#!/bin/sh
# time-limit: 300
# Writing to vsftpd with TLS 1.3 and required reuse.
. "$SRC/tests/interop/lib.sh"
run_writing vsftpd tls
