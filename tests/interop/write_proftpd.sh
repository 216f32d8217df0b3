#!/bin/sh
# Everything that can be done to a site, on proftpd.
. "$SRC/tests/interop/write_lib.sh"
write_all proftpd
