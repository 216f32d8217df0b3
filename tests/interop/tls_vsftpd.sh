#!/bin/sh
# time-limit: 300
# vsftpd with TLS 1.3: data connections must resume the session of the login.
. "$SRC/tests/interop/lib.sh"
mtime_precision=listing
run_all vsftpd tls
