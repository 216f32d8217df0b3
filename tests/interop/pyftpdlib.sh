#!/bin/sh
# time-limit: 300
# pyftpdlib answers 501 to names that are not UTF-8.
. "$SRC/tests/interop/lib.sh"
byte_names=no
run_all pyftpdlib
