#!/bin/sh
# memftpd --play pyftpdlib, beside the real one.
# time-limit: 500
. "$SRC/tests/interop/play_lib.sh"
# Its answer to ABOR depends on how far the upload has come.
play pyftpdlib 'ABOR of an upload'
