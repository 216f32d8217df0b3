/* job - one idempotent piece of work on any connection of the pool, tried again when a connection dies under it. */
#ifndef REMOTE_JOB_H
#define REMOTE_JOB_H

#include <stdbool.h>

#include "remote/pool.h"

struct job {
	struct pool *pool;
	struct pool_request request;
	struct pool_conn *conn;
	unsigned attempts;
	/* Starts the work on a connection: 0 when a callback will follow, which must end in job_ended(); < 0
	 * otherwise. */
	int (*start)(struct job *job, struct aftp_client *client);
	/* The end, exactly once. The job's memory is its owner's again. */
	void (*done)(struct job *job, int status);
};

/* Fill pool, start and done before. done() runs later, never from inside this call. */
void job_run(struct job *job, enum pool_class class);

/* While it waits for a connection, or for its next try. */
void job_promote(struct job *job, enum pool_class class);

/* The work on this connection is over. A lost connection leads to another start(), at most twice. */
void job_ended(struct job *job, int status);

/* Does this status speak of the connection rather than of the thing asked for? */
bool job_is_network(int status);

#endif
