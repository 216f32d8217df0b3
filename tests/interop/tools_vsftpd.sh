#!/bin/sh
# time-limit: 300
# Everyday programs on a mount of vsftpd.
. "$SRC/tests/interop/tools_lib.sh"
dir_times=no
time_window=86400
tools_all vsftpd
