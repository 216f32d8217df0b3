/* throttle_state - what throttle.c (the arithmetic) and throttle_wait.c (the line of waiters) share. */
#ifndef STREAM_THROTTLE_STATE_H
#define STREAM_THROTTLE_STATE_H

#include <stdbool.h>

#include "stream/throttle_wait.h"

struct throttle_line;

struct aftp_throttle {
	uint64_t limit;              /* bytes a second; 0 = none */
	uint64_t burst;              /* bytes, as asked for; 0 = follows the limit */
	uint64_t depth;              /* the burst in effect, bytes */
	int64_t depth_ns;            /* and in time */
	int64_t paid_ns;             /* the virtual clock: all bytes so far are paid up to here; ahead of now = debt */
	uint64_t part;               /* and this many bytes * 10^9, less than one ns' worth of the limit */
	int64_t owed_ns;             /* time lost by waking late while somebody waited; paid back at a quarter a byte */
	uint64_t total;              /* bytes since birth */
	unsigned refs;
	uv_loop_t *loop;
	aftp_clock *clock;
	void *clock_arg;
	aftp_throttle_observer *observer;
	void *observer_arg;
	struct throttle_line *line;  /* NULL until somebody opens it */
};

uint64_t throttle_now(const struct aftp_throttle *t);
/* The first in line is being served late: what the cap on the burst takes from it is owed, not lost. */
void throttle_late(struct aftp_throttle *t, uint64_t now_ns);
/* The limit has changed: the line is looked at anew. */
void throttle_line_wake(struct throttle_line *line);

#endif
