/* mountinfo - the lines of /proc/self/mountinfo (proc(5)).
 *
 * This is how a mount learns its own device number: stat() of the mountpoint would ask ourselves, and wait for ever. */
#ifndef MOUNT_MOUNTINFO_H
#define MOUNT_MOUNTINFO_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct mountinfo {
	unsigned major, minor;
	char mountpoint[PATH_MAX]; /* with its \040 and the like decoded */
	char type[64];             /* "fuse.ftpfs" */
};

/* One line without its end. False when it is none. */
bool mountinfo_parse(struct mountinfo *m, const char *line, size_t len);

/* The newest mount on `mountpoint` (an absolute path) in a whole text. */
bool mountinfo_find(struct mountinfo *m, const char *text, size_t len, const char *mountpoint);

/* The same in /proc/self/mountinfo. */
bool mountinfo_find_self(struct mountinfo *m, const char *mountpoint);

#endif
