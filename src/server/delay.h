/* delay - things that happen a given time later, in the order in which they fall due, on one timer.
 *
 * Links are slow by the same amount for everyone, so nearly every item is appended at the end; the list costs a
 * step an item. An item runs no earlier than its time, and never from inside delay_add(). */
#ifndef SERVER_DELAY_H
#define SERVER_DELAY_H

#include <stdint.h>
#include <uv.h>

struct delay;

struct delay_item { /* embedded in what waits; zero it before first use */
	void (*run)(struct delay_item *item);
	uint64_t due_ns;                /* of uv_hrtime() */
	struct delay_item *prev, *next; /* prev is NULL while not queued */
};

int delay_new(struct delay **out, uv_loop_t *loop);
/* async; items still queued are dropped; accepts a pointer to NULL */
void delay_close(struct delay **d);

void delay_add(struct delay *d, struct delay_item *item, uint64_t ms); /* not while it is queued */
void delay_add_at(struct delay *d, struct delay_item *item, uint64_t due_ns);
void delay_remove(struct delay *d, struct delay_item *item); /* no effect when it is not queued */

#endif
