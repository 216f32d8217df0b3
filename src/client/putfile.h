/* putfile - a local file to the server.
 *
 * The local file is opened first: what cannot be read makes nothing on the server. The thread pool reads one block while
 * the other is on its way. */
#ifndef CLIENT_PUTFILE_H
#define CLIENT_PUTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <aftp/client.h>

#include "client/local.h"

typedef void putfile_cb(void *arg, int status);

struct putfile_block {
	char *data;
	size_t len;
};

struct putfile_order {
	int root; /* an open folder, or AT_FDCWD */
	const char *from;
	const char *to;
	enum aftp_store how;
	uint64_t offset;    /* the server's file is gone on with, from here */
	uint64_t read_from; /* where in the local one to begin */
	uint64_t *count;    /* bytes moved are added as they go */
};

/* Caller's memory, which stays until the callback. */
struct putfile {
	struct putfile_order o; /* `from` and `to` are copies */
	char *from, *to;
	uv_loop_t *loop;
	struct aftp_client *client;
	struct aftp_transfer *transfer; /* NULL: not begun, or over */
	struct local_job job;
	bool busy;
	int fd; /* -1: not open */
	struct stat st;
	struct putfile_block block[2];
	struct putfile_block *reading; /* what the job fills */
	ssize_t n_read;
	unsigned send; /* the next to be sent */
	bool sending;  /* it is lent to the transfer */
	bool wanted;   /* the transfer takes something */
	bool all_read;
	uint64_t position; /* in the file, of the next read */
	uint64_t bytes;    /* moved */
	bool ended;
	int status;
	putfile_cb *cb;
	void *arg;
};

int putfile_start(struct putfile *p, uv_loop_t *loop, struct aftp_client *c, const struct putfile_order *o,
	putfile_cb *cb, void *arg);
void putfile_stop(struct putfile *p); /* the callback comes sooner, with AFTP_ECANCELED */

#endif
