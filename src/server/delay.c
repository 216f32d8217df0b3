#include "server/delay.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

struct delay {
	uv_timer_t timer;
	struct delay_item *items; /* sorted by due_ns */
};

static void delay_arm(struct delay *d);

static void on_timer(uv_timer_t *timer)
{
	struct delay *d = timer->data;
	uint64_t now = uv_hrtime();
	while (d->items && d->items->due_ns <= now) {
		struct delay_item *item = d->items;
		delay_remove(d, item);
		item->run(item);
	}
	delay_arm(d);
}

static void delay_arm(struct delay *d)
{
	if (!d->items) {
		uv_timer_stop(&d->timer);
		return;
	}
	uint64_t now = uv_hrtime(), due = d->items->due_ns;
	uv_update_time(d->timer.loop);
	uv_timer_start(&d->timer, on_timer, due > now ? (due - now + 999999) / 1000000 : 0, 0);
}

int delay_new(struct delay **out, uv_loop_t *loop)
{
	struct delay *d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	int rc = uv_timer_init(loop, &d->timer);
	if (rc < 0) {
		free(d);
		return rc;
	}
	d->timer.data = d;
	*out = d;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void delay_close(struct delay **dp)
{
	struct delay *d = *dp;
	*dp = NULL;
	if (!d)
		return;
	d->items = NULL;
	uv_close((uv_handle_t *)&d->timer, on_closed);
}

void delay_add_at(struct delay *d, struct delay_item *item, uint64_t due_ns)
{
	struct delay_item *last = d->items ? d->items->prev : NULL;
	item->due_ns = due_ns;
	while (last && last->due_ns > due_ns)
		last = last == d->items ? NULL : last->prev;
	DL_APPEND_ELEM(d->items, last, item);
	if (d->items == item)
		delay_arm(d);
}

void delay_add(struct delay *d, struct delay_item *item, uint64_t ms)
{
	delay_add_at(d, item, uv_hrtime() + ms * 1000000);
}

void delay_remove(struct delay *d, struct delay_item *item)
{
	if (!item->prev)
		return;
	DL_DELETE(d->items, item);
	item->prev = item->next = NULL;
}
