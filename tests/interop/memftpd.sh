#!/bin/sh
# time-limit: 300
# memftpd, against the same tree as the others.
. "$SRC/tests/interop/lib.sh"
run_all memftpd
