/* slow_vfs - a vfs in front of another, whose every answer comes some milliseconds late: what the server does meanwhile,
 * and with answers for sessions that have gone, is what a real file system would make it do.
 *
 * Views, copies and free space are left out: a vfs may lack them. */
#ifndef TESTS_SLOW_VFS_H
#define TESTS_SLOW_VFS_H

#include <aftp/vfs.h>

struct slow_vfs;

struct slow_vfs *slow_vfs_new(uv_loop_t *loop, struct aftp_vfs *inner);
struct aftp_vfs *slow_vfs_get(struct slow_vfs *slow);
/* Nothing is open or under way any more. */
void slow_vfs_free(struct slow_vfs *slow);

#endif
