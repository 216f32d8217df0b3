/* readahead - the kernel's readahead for one mount.
 *
 * A reader gets data in requests that the kernel sizes by the mount's readahead, 128 KiB by default; larger ones are
 * several times faster. The setting lives in sysfs and is root's to change. */
#ifndef MOUNT_READAHEAD_H
#define MOUNT_READAHEAD_H

#include <stdint.h>

/* 0 or -errno. Never touches the mount itself. */
int readahead_raise(const char *mountpoint, int64_t kb);

#endif
