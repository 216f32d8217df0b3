#!/bin/sh
# time-limit: 240
# Random operations on a few files, against a model: no difference, also when connections break.  fsexer prints its seed;
# SEED=N repeats a run.
. "$(dirname "$0")/lib.sh"
require_fuse
seed=${SEED:-$(date +%s)}
scale=1
sanitized && scale=3

# exercise OPERATIONS MOUNT-OPTIONS SERVER-OPTION...
exercise() {
	_steps=$(($1 / scale))
	_options=$2
	shift 2
	start_server "$@"
	mount_site "timeout=10,log_file=$work/mount.log,$_options"
	"$BUILD/tests/tools/fsexer" -s "$seed" -n "$_steps" "$mnt" >"$work/exerciser.log" || {
		cat "$work/exerciser.log"
		fail "seed $seed: $_options $*"
	}
	say "ok - $_steps operations, seed $seed: $_options $*"
	unmount_site
	stop_server
	seed=$((seed + 1))
}

exercise 4000 max_conns=4
exercise 3000 max_conns=1
exercise 1500 attr_timeout=0,spool_memory=64K
# At a rate: a reset that comes before anything was read takes what was sent with it, and nothing gets on.
exercise 400 max_conns=4 --drop-after 100000 --rate 4M
exercise 400 max_conns=1 --drop-after 200000 --rate 4M
exercise 400 max_conns=4 --drop-all-after 100000 --rate 4M
exercise 400 max_conns=1 --drop-all-after 300000 --rate 4M
exercise 1000 max_conns=4 --drop-after-commands 40
exercise 1000 max_conns=1 --drop-control-after 3000
