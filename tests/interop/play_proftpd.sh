#!/bin/sh
# memftpd --play proftpd, beside the real one.
# time-limit: 500
. "$SRC/tests/interop/play_lib.sh"
# Its second reply to ABOR waits for the client to close the data connection. What it says to a command in an upload
# depends on when it reads the command: now, after the upload, or 450.
play proftpd 'ABOR of an upload' 'SIZE in an upload' 'EPSV in an upload' 'RNFR in an upload' 'PWD in an upload'
