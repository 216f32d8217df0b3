#!/bin/sh
# memftpd --play pure-ftpd, beside the real one.
# time-limit: 500
. "$SRC/tests/interop/play_lib.sh"
# It puts a name before what is in one of several directories, also of those that are not there.
play pure-ftpd 'LIST two words'
