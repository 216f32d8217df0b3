#!/bin/sh
# memftpd --play proftpd, beside the real one.
# time-limit: 500
. "$SRC/tests/interop/play_lib.sh"
# Its second reply to ABOR waits for the client to close the data connection; it refuses RNFR only while it has not seen
# the end of the data.
play proftpd 'ABOR of an upload' 'RNFR in an upload'
