#!/bin/sh
# memftpd --play vsftpd, beside the real one.
# time-limit: 500
. "$SRC/tests/interop/play_lib.sh"
play vsftpd
