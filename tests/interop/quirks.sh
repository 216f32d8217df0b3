#!/bin/sh
# time-limit: 400
# What the design's table says of real servers, and what the mount makes of it.
. "$SRC/tests/interop/quirks_lib.sh"
begin
make_files
for name in vsftpd proftpd pure-ftpd pyftpdlib aioftp; do
	quirks $name $name
done
exit $bad
