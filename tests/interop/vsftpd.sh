#!/bin/sh
# time-limit: 300
# vsftpd has no MLSD: what it lists comes from LIST.
. "$SRC/tests/interop/lib.sh"
mtime_precision=listing
run_all vsftpd
