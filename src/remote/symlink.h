/* symlink - what a program may see of where a symbolic link points.
 *
 * A target is resolved by the kernel here, not by the server: an absolute one would lead into this machine's own files, and
 * so would one that climbs out of the mount. Whoever runs the server could so have local files read or overwritten. */
#ifndef REMOTE_SYMLINK_H
#define REMOTE_SYMLINK_H

#include <stdbool.h>

struct symlink_rules {
	bool contain;     /* -EPERM for what leads, or could lead, out of the mount */
	bool transform;   /* absolute targets below `base` are made relative */
	const char *base; /* the path of the mount's root on the server */
};

/* The target of a link whose directory is `depth` levels below the root. Malloc'ed in *out; 0, -EPERM, AFTP_ENOMEM.
 *
 * Names may be links themselves, so ".." is only understood where no name comes before it. */
int symlink_shape(char **out, const struct symlink_rules *rules, const char *target, unsigned depth);

#endif
