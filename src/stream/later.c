#include "stream/later.h"

#include <stdlib.h>

#include <aftp/status.h>

/* Two rings, so that what is added while draining waits for the next turn and cannot starve the loop. A ring needs no
 * head to unlink an item, so later_remove() need not know which of the two it is in. */
struct later {
	uv_check_t check;        /* drains, right after the poll */
	uv_idle_t idle;          /* keeps the poll from sleeping */
	struct later_item queue; /* sentinels */
	struct later_item due;
	int open; /* handles that are not closed yet */
};

static void ring_init(struct later_item *ring)
{
	ring->prev = ring->next = ring;
}

static void ring_unlink(struct later_item *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	item->prev = item->next = NULL;
}

static void ring_append(struct later_item *ring, struct later_item *item)
{
	item->prev = ring->prev;
	item->next = ring;
	ring->prev->next = item;
	ring->prev = item;
}

static void ring_move(struct later_item *from, struct later_item *to)
{
	while (from->next != from) {
		struct later_item *item = from->next;

		ring_unlink(item);
		ring_append(to, item);
	}
}

static void ring_drop(struct later_item *ring)
{
	while (ring->next != ring)
		ring_unlink(ring->next);
}

static void sleep_again(struct later *l)
{
	uv_check_stop(&l->check);
	uv_idle_stop(&l->idle);
}

static void drain(uv_check_t *check)
{
	struct later *l = check->data;

	ring_move(&l->queue, &l->due);
	while (l->due.next != &l->due) {
		struct later_item *item = l->due.next;

		ring_unlink(item);
		item->run(item); /* may free the item, and may call later_close() */
	}
	if (l->queue.next == &l->queue)
		sleep_again(l);
}

static void wake(uv_idle_t *idle)
{
	(void)idle;
}

int later_new(struct later **out, uv_loop_t *loop)
{
	struct later *l = calloc(1, sizeof(*l));

	if (!l)
		return AFTP_ENOMEM;
	ring_init(&l->queue);
	ring_init(&l->due);
	uv_check_init(loop, &l->check);
	uv_idle_init(loop, &l->idle);
	l->check.data = l->idle.data = l;
	l->open = 2;
	*out = l;
	return 0;
}

static void closed(uv_handle_t *handle)
{
	struct later *l = handle->data;

	if (--l->open == 0)
		free(l);
}

void later_close(struct later **l)
{
	struct later *old = *l;

	*l = NULL;
	if (!old)
		return;
	ring_drop(&old->due);
	ring_drop(&old->queue);
	uv_close((uv_handle_t *)&old->check, closed);
	uv_close((uv_handle_t *)&old->idle, closed);
}

void later_add(struct later *l, struct later_item *item)
{
	if (item->next)
		return;
	if (l->queue.next == &l->queue) {
		uv_check_start(&l->check, drain);
		uv_idle_start(&l->idle, wake);
	}
	ring_append(&l->queue, item);
}

void later_remove(struct later *l, struct later_item *item)
{
	(void)l;
	if (item->next)
		ring_unlink(item);
}
