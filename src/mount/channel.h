/* channel - the kernel's end of a mount on a libuv loop.
 *
 * libfuse parses requests and writes replies; this module only decides when to read: the device is non-blocking,
 * polled by the loop, and read a bounded number of times a wakeup, so that a busy kernel and busy sockets share the
 * loop. */
#ifndef MOUNT_CHANNEL_H
#define MOUNT_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include "mount/options.h"

struct channel;

struct channel_events {
	void (*live)(void *arg);              /* the kernel's first request was answered: the mount can be used */
	void (*ended)(void *arg, int status); /* once; nothing comes any more. 0: unmounted from outside; else -errno */
	void *arg;
};

/* `ops` is copied; `userdata` is what its functions get. Failures say why, in one line. */
int channel_new(struct channel **out, uv_loop_t *loop, const struct options *o, const struct fuse_lowlevel_ops *ops,
	void *userdata, const struct channel_events *events, char *why, size_t size);

/* Mounts on the absolute path `mountpoint` and begins to serve. */
int channel_mount(struct channel *c, const char *mountpoint, char *why, size_t size);

/* The memory of the request that is being served, with `data` in it, is the caller's until it calls *release. False: it
 * cannot be had. */
bool channel_lend(
	struct channel *c, const void *data, void **memory, void (**release)(void *arg, void *memory), void **arg);

struct fuse_session *channel_session(struct channel *c);

/* Only unmounts, at once, for a program that is about to exit. */
void channel_unmount(struct channel *c);

/* Unmounts if it is still mounted, sets *c to NULL, then runs `closed` (from inside the call when it was never
 * mounted). No request may be unanswered. */
void channel_close(struct channel **c, void (*closed)(void *arg), void *arg);

#endif
