/* ops - the filesystem operations: each takes a request of the kernel apart, makes one call to the site, and replies
 * when that calls back.
 *
 * Every request under way is on one list, so that the kernel's interrupts and an unmount can cancel it; every open
 * file and directory is on another, so that an unmount can close it. Statuses become errno numbers in one place,
 * request_fail(). */
#ifndef MOUNT_OPS_H
#define MOUNT_OPS_H

#include <uv.h>

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include "mount/channel.h"
#include "mount/options.h"
#include "remote/site.h"

struct ops;

/* The options are read here only. */
int ops_new(struct ops **out, uv_loop_t *loop, struct site *site, const struct options *o, const struct aftp_log *log);

/* What to hand to libfuse, with the ops as userdata. */
const struct fuse_lowlevel_ops *ops_table(void);
void ops_set_channel(struct ops *ops, struct channel *channel);

/* From now on requests are refused with EIO; those under way are cancelled. When all have been answered, and what
 * programs have written is saved, `drained` runs, later. The channel must go on serving until then. */
void ops_drain(struct ops *ops, void (*drained)(void *arg), void *arg);

/* Files whose last changes could not be saved; each was logged as an error. */
unsigned ops_lost(const struct ops *ops);
/* The time is over: what is not saved by now is lost, and logged. As ops_lost(). */
unsigned ops_give_up(struct ops *ops);

/* Is something being saved? */
bool ops_is_saving(const struct ops *ops);

/* After draining: closes what the kernel has left open, and frees. Accepts a NULL *ops. */
void ops_free(struct ops **ops);

#endif
