#!/bin/sh
# memftpd --play aioftp, beside the real one.
# time-limit: 500
. "$SRC/tests/interop/play_lib.sh"
play aioftp
