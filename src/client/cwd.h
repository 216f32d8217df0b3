/* cwd - the server's working directory, which belongs to the caller.
 *
 * A few things can only be had by going somewhere (CWD, then a bare LIST). What goes there remembers where the caller
 * was, and nothing is sent to come back until a command depends on it; absolute paths do not. Then the way back is
 * waited for: a relative name in the wrong directory could be the name of another file. */
#ifndef CLIENT_CWD_H
#define CLIENT_CWD_H

#include <aftp/client.h>
#include <stdbool.h>

#include "client/queue.h"
#include "client/wire.h"

struct cwd {
	struct op op; /* the way back; first */
	struct wire *wire;
	struct queue *queue;
	const struct aftp_features *features;
	char *dir; /* the caller's; NULL = not known */
	bool away; /* the library has gone elsewhere */
	bool lost; /* and there is no way back */
};

void cwd_init(struct cwd *d, struct wire *w, struct queue *q, const struct aftp_features *f);
void cwd_finish(struct cwd *d);

/* CWD path; before it PWD, when the caller's directory is not known yet. `cb` gets the reply to CWD.
 * < 0 as wire_command(). */
int cwd_go(struct cwd *d, const char *path, wire_reply_cb *cb, void *arg);

/* In the start() of an op that depends on the working directory. 0: the caller is where it was; QUEUE_AGAIN: on the way
 * back; AFTP_ENOTSUP: there is none; < 0 as wire_command(). */
int cwd_return(struct cwd *d);

/* The same in the start() of a command of the caller's, if it depends on the working directory, and notes what it may
 * change. */
int cwd_before(struct cwd *d, const char *verb, const char *argument);

#endif
