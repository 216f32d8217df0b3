#!/bin/sh
# Everything that can be done to a site, on pure-ftpd.
. "$SRC/tests/interop/write_lib.sh"
write_all pure-ftpd
