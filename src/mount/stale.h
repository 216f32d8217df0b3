/* stale - tells the kernel to drop what it has cached of an inode.
 *
 * Dropping pages waits for those that are being read, and those wait for us: said from the loop's thread it would be a
 * deadlock. So it is said from a worker thread, one batch at a time. */
#ifndef MOUNT_STALE_H
#define MOUNT_STALE_H

#include <stdint.h>
#include <uv.h>

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

struct stale;

struct stale *stale_new(uv_loop_t *loop); /* NULL when out of memory */

/* Without a session, or when too many wait, the inode is left to the timeouts of its attributes. */
void stale_set_session(struct stale *s, struct fuse_session *session);
void stale_add(struct stale *s, uint64_t ino);

/* Waits for the worker (the kernel's requests must be answered meanwhile), sets *s to NULL and runs `closed`, from
 * inside the call when nothing was to be waited for. */
void stale_close(struct stale **s, void (*closed)(void *arg), void *arg);

#endif
