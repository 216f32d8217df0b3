/* later - callbacks that are due now, but not from inside the call that caused them.
 *
 * The async contract forbids a callback from inside its call, even when the answer is already known (a
 * cache hit). Such answers go on this list, which is drained before the loop sleeps again, in order. */
#ifndef STREAM_LATER_H
#define STREAM_LATER_H

#include <uv.h>

struct later; /* one for a loop; owned by whoever builds the graph */

struct later_item { /* embedded in what waits; zero it before first use */
	void (*run)(struct later_item *item);
	struct later_item *prev, *next; /* NULL while not queued */
};

int later_new(struct later **out, uv_loop_t *loop);
void later_close(struct later **l); /* async; items still queued are dropped */

void later_add(struct later *l, struct later_item *item);    /* a queued item is left where it is; cannot fail */
void later_remove(struct later *l, struct later_item *item); /* no effect when it is not queued */

#endif
