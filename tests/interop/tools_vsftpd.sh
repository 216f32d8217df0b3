#!/bin/sh
# time-limit: 300
# Everyday programs on a mount of vsftpd.
. "$SRC/tests/interop/tools_lib.sh"
dir_times=no
mount_again=exact_times
tools_all vsftpd
