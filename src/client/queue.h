/* queue - what callers have asked for and the connection has no turn for yet.
 *
 * Commands start at once and are pipelined. What needs the connection to itself (a transfer, a probe by CWD) starts
 * when nothing else of its kind is under way, and nothing starts until it has said queue_done(). */
#ifndef CLIENT_QUEUE_H
#define CLIENT_QUEUE_H

#include <stdbool.h>

enum { QUEUE_MAX = 1000, QUEUE_AGAIN = 1 };

struct op {
	struct op *prev, *next; /* queue::ops */
	bool exclusive;
	bool canceled; /* while it waits: it will not start, and fails with AFTP_ECANCELED */
	/* Sends its first commands. QUEUE_AGAIN: something else must be done first, and has become `current`; the op goes
	 * back in front. < 0: it could not, and fail() is called with that. */
	int (*start)(struct op *op);
	/* Ends it, whether it waits or is current: calls back and frees. */
	void (*fail)(struct op *op, int status);
	/* Of an exclusive one, in a turn of its own after client_wake(); may be NULL. */
	void (*turn)(struct op *op);
};

struct queue {
	bool open;      /* something may be started */
	bool held;      /* but not now */
	struct op *ops; /* waiting */
	unsigned waiting;
	struct op *current; /* the exclusive one that is under way */
};

void queue_add(struct queue *q, struct op *op);
void queue_add_first(struct queue *q, struct op *op);
void queue_run(struct queue *q);                 /* starts what can be started, while it is open */
void queue_done(struct queue *q, struct op *op); /* before the op's memory goes */
void queue_fail(struct queue *q, int status);    /* shuts it, and fails all that is in it */

#endif
