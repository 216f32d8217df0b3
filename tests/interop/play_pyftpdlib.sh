#!/bin/sh
# memftpd --play pyftpdlib, beside the real one.
# time-limit: 500
. "$SRC/tests/interop/play_lib.sh"
# Its answer to ABOR depends on how far the upload has come. And it drops a data connection that it finds readable before it has
# read the command, which is a matter of luck: nothing is sent so early to a server that does several things at a time.
play pyftpdlib 'ABOR of an upload' 'upload before its 150'
