#!/bin/sh
# Everything that can be done to a site, on pyftpdlib.
. "$SRC/tests/interop/write_lib.sh"
write_all pyftpdlib
