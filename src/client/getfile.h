/* getfile - one file of the server into a local one.
 *
 * The network fills one block while the thread pool writes the other. The local file is opened only when the server has
 * agreed to send. */
#ifndef CLIENT_GETFILE_H
#define CLIENT_GETFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <aftp/client.h>

#include "client/local.h"

typedef void getfile_cb(void *arg, int status);

struct getfile_block {
	char *data;
	size_t len;
};

/* What the caller sets. */
struct getfile_order {
	const char *from;
	int root; /* an open folder, or AT_FDCWD */
	const char *to;
	uint64_t offset; /* > 0: the file is there, and is gone on with */
	bool timed;
	int64_t mtime;
	uint32_t mtime_nsec;
	uint64_t *count; /* bytes moved are added as they come */
};

/* Caller's memory, which stays until the callback. */
struct getfile {
	struct getfile_order o; /* `to` is a copy */
	char *to;
	uv_loop_t *loop;
	struct aftp_transfer *transfer; /* NULL: over */
	struct local_job job;
	bool busy; /* the job runs */
	bool accepted;
	int fd; /* -1: not open */
	struct getfile_block block[2];
	unsigned fill; /* the one that is filled; the other may be on its way to the file */
	bool lent;
	uint64_t position; /* in the file, of the next write */
	uint64_t bytes;    /* moved */
	bool ended, stamp;
	int status;
	getfile_cb *cb;
	void *arg;
};

int getfile_start(struct getfile *g, uv_loop_t *loop, struct aftp_client *c, const struct getfile_order *o,
	getfile_cb *cb, void *arg);
void getfile_stop(struct getfile *g); /* the callback comes sooner, with AFTP_ECANCELED */

#endif
