#!/bin/sh
# time-limit: 300
# Writing to ProFTPD with mod_tls. It makes no directory with an asterisk in its name.
. "$SRC/tests/interop/lib.sh"
without='dir [1] *'
run_writing proftpd tls
