/* look - what is at this path now? Asked on a connection that the caller holds, where a refusal did not say why, or a lost
 * connection left open whether something was done. MLST or SIZE answer where they can; else a listing of the directory. */
#ifndef REMOTE_LOOK_H
#define REMOTE_LOOK_H

#include <stdbool.h>
#include <stddef.h>

#include <aftp/client.h>

#include "remote/attr.h"

struct look {
	struct aftp_client *client;
	/* 0: it is there. AFTP_ENOENT: proven that it is not. AFTP_EACCES: nothing can tell. Others: the connection's. */
	void (*cb)(struct look *l, int status);
	struct attr attr; /* with status 0 */
	char *target;     /* of a link, when it was told; owned */
	size_t entries;   /* of look_inside() */

	char *path, *dir;
	const char *name; /* in path */
	bool listed, dots;
};

/* Set cb before. The path is copied. The async contract. */
int look_at(struct look *l, struct aftp_client *client, const char *path);
/* The same of what is probably not there: where a listing costs no more than any question, it comes first. */
int look_for_none(struct look *l, struct aftp_client *client, const char *path);
/* Lists `path`: 0 and how many entries it has, or why it cannot be listed. */
int look_inside(struct look *l, struct aftp_client *client, const char *path);
/* As look_at(), in a LIST: it tells links, and where they lead, where nothing else does. */
int look_for_link(struct look *l, struct aftp_client *client, const char *path);
void look_finish(struct look *l); /* frees; when nothing is under way; accepts a zeroed value */

#endif
