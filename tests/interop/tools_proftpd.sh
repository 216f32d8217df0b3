#!/bin/sh
# time-limit: 300
# Everyday programs on a mount of proftpd.
. "$SRC/tests/interop/tools_lib.sh"
tools_all proftpd
