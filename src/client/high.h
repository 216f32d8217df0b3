/* high - the inside of a session, for the files that make it up.
 *
 *   high.c       birth, the end, abort              high_op.c      an operation's life
 *   high_command.c  commands, pwd, cwd, rename      high_stat.c    stat, exists, is_file, is_dir
 *   high_walk.c  listings                           high_make.c    mkdir
 *   high_remove.c                                   high_get.c, high_put.c   files and trees, to and fro
 *   peek.c       what is at a path                  roll.c         a folder's entries, collected
 *   local.c      local files, in the thread pool    flow.c         streams (data.h)
 *
 * All of it uses the public calls of client.h only, and so queues as any caller does. */
#ifndef CLIENT_HIGH_H
#define CLIENT_HIGH_H

#include <stdbool.h>
#include <stdint.h>

#include <aftp/session.h>
#include <aftp/status.h>

#include "stream/later.h"

struct aftp_data;

struct aftp_session {
	uv_loop_t *loop;
	struct later *later;
	struct aftp_client *client; /* NULL: closed */
	struct aftp_op *ops;
	struct aftp_data *flows; /* whose transfers are not over */
	bool untimed;            /* MFMT and MDTM were refused: not tried again */
	bool closing, client_gone;
	void (*closed)(void *arg);
	void *closed_arg;
};

/* An operation is a row of steps. A step starts one or more things, each of which owes a callback; when all of them have
 * settled, the next step runs, or else the end. */
struct high_op_kind {
	void (*step)(struct aftp_op *op); /* starts something, or calls high_op_finish() */
	void (*stop)(struct aftp_op *op); /* hurries up what is under way; may be NULL */
	void (*done)(struct aftp_op *op); /* calls back with op->status; what it lends is valid until free() */
	void (*free)(struct aftp_op *op); /* and op itself */
};

struct aftp_op {
	struct aftp_op *prev, *next; /* aftp_session::ops */
	struct aftp_session *s;
	const struct high_op_kind *kind;
	struct later_item turn;
	unsigned owed; /* callbacks that have not come */
	bool begun, finished, canceled;
	int status;
	uint64_t bytes;
};

/* The first step, inside the call that asks for the operation. When it fails at once, op is freed and the status
 * returned; `done` will not be called. `out` may be NULL. op may be NULL: AFTP_ENOMEM. */
int high_op_begin(struct aftp_session *s, struct aftp_op *op, const struct high_op_kind *kind, struct aftp_op **out);

/* rc of a call that calls back when it is 0: then it owes, else the operation has failed. */
void high_op_owe(struct aftp_op *op, int rc);
/* Last in that callback: op may be gone after it. */
void high_op_settle(struct aftp_op *op);
/* Ends it, when nothing is owed any more; the first status stands. op may be gone after it, unless something is owed. */
void high_op_finish(struct aftp_op *op, int status);

/* rc of a call that could not be made: is it about the connection (or memory), and not only about this one path? */
bool high_fatal(int rc);

/* high.c: something of a session that closes is over. */
void high_ended(struct aftp_session *s);

/* Paths: NULL when there is no memory. */
char *high_join(const char *dir, const char *name, size_t name_len);
char *high_trimmed(const char *path);          /* without slashes at its end */
const char *high_last(const char *path);       /* what is behind the last slash; of a trimmed path */
char *high_parent(const char *path);           /* of a trimmed one; "" for a name alone */
bool high_name_ok(const char *name, size_t n); /* may become part of a path */

/* What MKD, DELE and the like were answered. */
int high_verdict(const struct aftp_reply *r); /* 0 for 2xx */

#endif
