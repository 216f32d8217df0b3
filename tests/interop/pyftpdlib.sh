#!/bin/sh
# time-limit: 300
# pyftpdlib answers 501 to names that are not UTF-8.
. "$SRC/tests/interop/lib.sh"
without='caf\0351'
run_all pyftpdlib
