#include "remote/window.h"

#include <stdlib.h>

#define MAX_SPARES 8
#define SMALLEST   4096u

static struct chunk *chunk_get(struct window_memory *m, uint64_t fit)
{
	uint32_t cap = fit < CHUNK_SIZE ? ((uint32_t)fit + SMALLEST - 1) / SMALLEST * SMALLEST : CHUNK_SIZE;
	struct chunk *k = cap == CHUNK_SIZE ? m->spare : NULL;

	if (k) {
		m->spare = k->next;
		m->spares--;
	} else {
		k = malloc(sizeof *k + cap);
	}
	if (!k)
		return NULL;
	k->next = NULL;
	k->cap = cap;
	k->len = 0;
	m->used += cap;
	return k;
}

static void chunk_put(struct window_memory *m, struct chunk *k)
{
	m->used -= k->cap;
	if (k->cap < CHUNK_SIZE || m->spares >= MAX_SPARES) {
		free(k);
		return;
	}
	k->next = m->spare;
	m->spare = k;
	m->spares++;
}

static void drop_first(struct window *w)
{
	struct chunk *k = w->first;

	w->first = k->next;
	if (!w->first)
		w->last = NULL;
	w->base += k->len;
	chunk_put(w->memory, k);
}

void window_init(struct window *w, struct window_memory *m, uint64_t off)
{
	*w = (struct window){ .memory = m, .base = off, .end = off };
}

void window_drop(struct window *w, uint64_t off)
{
	while (w->first)
		drop_first(w);
	w->base = w->end = off;
}

char *window_lend(struct window *w, uint64_t fit, size_t *len)
{
	if (!w->last || w->last->len == w->last->cap) {
		struct chunk *k = chunk_get(w->memory, fit);

		if (!k)
			return NULL;
		if (w->last)
			w->last->next = k;
		else
			w->first = k;
		w->last = k;
	}
	*len = w->last->cap - w->last->len;
	if (*len > fit)
		*len = (size_t)fit;
	return w->last->data + w->last->len;
}

void window_landed(struct window *w, size_t n)
{
	w->last->len += (uint32_t)n;
	w->end += n;
}

void window_trim(struct window *w, uint64_t low)
{
	/* The last one is still being filled. */
	while (w->first && (w->first->next || w->first->len == w->first->cap) && w->base + w->first->len <= low)
		drop_first(w);
}

int window_map(const struct window *w, uint64_t off, size_t len, struct iovec *iov, int max)
{
	const struct chunk *k = w->first;
	uint64_t at = w->base;
	int n = 0;

	for (; k && at + k->len <= off; k = k->next)
		at += k->len;
	for (; k && len > 0 && n < max; k = k->next) {
		size_t skip = off > at ? (size_t)(off - at) : 0;
		size_t part = k->len - skip < len ? k->len - skip : len;

		at += k->len;
		if (part == 0)
			continue;
		iov[n].iov_base = (char *)(uintptr_t)k->data + skip;
		iov[n++].iov_len = part;
		len -= part;
	}
	return n;
}

void window_join(struct window *w, struct window *next)
{
	if (next->first) {
		if (w->last)
			w->last->next = next->first;
		else
			w->first = next->first;
		w->last = next->last;
	}
	w->end = next->end;
	next->first = next->last = NULL;
	next->base = next->end;
}

void window_memory_finish(struct window_memory *m)
{
	while (m->spare) {
		struct chunk *k = m->spare;

		m->spare = k->next;
		free(k);
	}
	m->spares = 0;
}
