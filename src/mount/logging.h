/* logging - where the mount's messages go: standard error in the foreground, the system log or a file behind it. */
#ifndef MOUNT_LOGGING_H
#define MOUNT_LOGGING_H

#include <stdio.h>

#include <aftp/log.h>

#include "mount/options.h"

struct logging {
	struct aftp_log log; /* for whoever has something to say; points into this struct */
	FILE *file;          /* owned unless it is stderr; NULL = the system log */
};

/* 0, or -errno when the log file cannot be opened. */
int logging_init(struct logging *l, const struct options *o);
void logging_finish(struct logging *l);

#endif
