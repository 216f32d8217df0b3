/* throttle_state - what throttle.c (the arithmetic) and throttle_wait.c (the line of waiters) share. */
#ifndef STREAM_THROTTLE_STATE_H
#define STREAM_THROTTLE_STATE_H

#include <stdbool.h>

#include "stream/throttle_wait.h"

struct throttle_line;

struct aftp_throttle {
	uint64_t limit;      /* bytes a second; 0 = none */
	uint64_t burst;      /* bytes, as asked for; 0 = follows the limit */
	uint64_t depth;      /* the burst in effect, bytes */
	int64_t depth_ns;    /* and in time, rounded up; */
	uint64_t depth_part; /* by this much, in bytes * 10^-9, less than a nanosecond's worth */
	int64_t paid_ns;     /* the virtual clock: all bytes so far are paid up to here; ahead of now = debt */
	uint64_t part;       /* and this much of the next nanosecond, in bytes * 10^-9 */
	int64_t owed_ns;     /* time that was lost by waking late while somebody waited */
	int64_t rebate_ns;   /* what of it the next charge gets back */
	int64_t late_ns;     /* when that was last looked at */
	uint64_t total;      /* bytes since birth */
	unsigned refs;
	uv_loop_t *loop;
	aftp_clock *clock;
	void *clock_arg;
	aftp_throttle_observer *observer;
	void *observer_arg;
	struct throttle_line *line; /* NULL until somebody opens it */
};

uint64_t throttle_now(const struct aftp_throttle *t);
/* The first in line is about to be served. What it gets less because its timer was late is owed, not lost. */
void throttle_late(struct aftp_throttle *t, uint64_t now_ns);
/* The limit has changed: the line is looked at anew. */
void throttle_line_wake(struct throttle_line *line);

#endif
