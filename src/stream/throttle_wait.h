/* throttle_wait - who waits for a throttle, and whose turn it is.
 *
 * Waiters stand in line, first come first served. When enough has become due for the first one, it gets the
 * turn: its run() is called, it moves bytes (and charges them) or lines up again. A turn that is not used
 * by the next tick of the throttle's timer passes to the next in line, so that nobody holds up the others. */
#ifndef STREAM_THROTTLE_WAIT_H
#define STREAM_THROTTLE_WAIT_H

#include <stdbool.h>

#include <aftp/throttle.h>

struct throttle_waiter {                        /* embedded in what waits; zero it before first use */
	void (*run)(struct throttle_waiter *w); /* may line up again, cancel, or close anything */
	uint64_t need;                          /* bytes that must be due before it is woken */
	struct aftp_throttle *on;               /* where it stands in line; NULL while it does not */
	struct aftp_throttle *turn;             /* whose turn it has; NULL for none */
	struct throttle_waiter *prev, *next;
};

/* A user of the waiting part holds it open: the timer lives from the first open to the last close, so that a throttle
 * itself needs no loop to be freed. 0 or AFTP_ENOMEM. */
int throttle_wait_open(struct aftp_throttle *t);
void throttle_wait_close(struct aftp_throttle *t);

/* Lines up at the end (gives up any turn). `need` > 0. */
void throttle_wait_add(struct aftp_throttle *t, struct throttle_waiter *w, uint64_t need);
/* Leaves the line and gives up the turn; no effect when there is neither. */
void throttle_wait_cancel(struct throttle_waiter *w);
/* Gives up the turn, so that the next in line need not wait for the tick. */
void throttle_wait_yield(struct throttle_waiter *w);
/* Others wait, and this one has no turn anywhere: it has to line up behind them. */
bool throttle_wait_must(const struct aftp_throttle *t, const struct throttle_waiter *w);

/* The least that is worth a system call: what is due in 2.5 ms, at most the burst, at least a byte. */
uint64_t throttle_wait_quantum(const struct aftp_throttle *t);

#endif
