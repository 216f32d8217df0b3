/* run - one mount from its start to its end.
 *
 *   STARTING   the site is asked: connect, log in, is the path a directory? Nothing is mounted yet.
 *   MOUNTING   mounted; the kernel's first request is not answered yet.
 *   LIVE       it can be used; the program goes to the background.
 *   STOPPING   a signal, an unmount from outside or a failure: drain, unmount, say goodbye to the server. Bounded.
 *
 * Everything is built top-down by run_mount() and taken down in reverse; each step down starts when the one before has
 * ended. */
#ifndef MOUNT_RUN_H
#define MOUNT_RUN_H

#include "mount/daemon.h"
#include "mount/options.h"
#include "mount/transport.h"

/* Mounts, serves, and returns the exit status once all is over. `mountpoint` is absolute. Does not return when taking
 * down takes too long: then it exits. */
int run_mount(
	const struct options *o, const struct transport *transport, const char *mountpoint, struct daemon *daemon);

#endif
