#include "remote/order.h"

#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SORT_AT_MOST 20000u /* candidates; sorting more than that would be felt */
#define SKIP_AT_MOST 3u     /* a program may leave some out, once its order is known */

struct sortable {
	const char *name;
	uint64_t ino;
	uint32_t at;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct sortable *)a)->name, ((const struct sortable *)b)->name);
}

static int by_folded_name(const void *a, const void *b)
{
	int c = strcasecmp(((const struct sortable *)a)->name, ((const struct sortable *)b)->name);

	return c ? c : by_name(a, b);
}

static int by_ino(const void *a, const void *b)
{
	uint64_t x = ((const struct sortable *)a)->ino, y = ((const struct sortable *)b)->ino;

	return (x > y) - (x < y);
}

static int choose(struct order *o, bool (*wanted)(const struct attr *a))
{
	size_t all = dirlist_count(o->list);
	struct dirlist_entry e;

	o->items = malloc((all + 1) * sizeof *o->items);
	if (!o->items)
		return AFTP_ENOMEM;
	for (size_t i = 0; i < all; i++) {
		dirlist_get(o->list, i, &e);
		if (wanted(&e.attr))
			o->items[o->count++] = (uint32_t)i;
	}
	return 0;
}

static int arrange(struct order *o, enum order_kind kind, const struct sortable *sorted)
{
	o->seq[kind] = malloc((o->count + 1) * sizeof(uint32_t));
	o->place[kind] = malloc((o->count + 1) * sizeof(uint32_t));
	if (!o->seq[kind] || !o->place[kind])
		return AFTP_ENOMEM;
	for (uint32_t i = 0; i < o->count; i++) {
		o->seq[kind][i] = sorted[i].at;
		o->place[kind][sorted[i].at] = i;
	}
	return 0;
}

static int sort_all(struct order *o, struct nodes *t, struct node *dir)
{
	static int (*const compare[ORDERS])(const void *, const void *) = { NULL, by_name, by_folded_name, by_ino };
	struct sortable *s = malloc((o->count + 1) * sizeof *s);
	int rc = s ? 0 : AFTP_ENOMEM;
	struct dirlist_entry e;

	for (uint32_t i = 0; !rc && i < o->count; i++) {
		dirlist_get(o->list, o->items[i], &e);
		s[i] = (struct sortable){ .name = e.name, .ino = node_child_ino(t, dir, e.name), .at = i };
	}
	for (enum order_kind k = ORDER_NAME; !rc && k < ORDERS; k++) {
		qsort(s, o->count, sizeof *s, compare[k]);
		rc = arrange(o, k, s);
	}
	free(s);
	return rc;
}

int order_new(struct order **out, struct nodes *t, struct node *dir, bool (*wanted)(const struct attr *a))
{
	struct order *o = calloc(1, sizeof *o);
	int rc;

	if (!o)
		return AFTP_ENOMEM;
	o->list = dirlist_ref(dir->list);
	rc = choose(o, wanted);
	if (!rc && o->count <= SORT_AT_MOST)
		rc = sort_all(o, t, dir);
	if (rc)
		order_free(o);
	else
		*out = o;
	return rc;
}

void order_free(struct order *o)
{
	if (!o)
		return;
	for (int k = 0; k < ORDERS; k++) {
		free(o->seq[k]);
		free(o->place[k]);
	}
	free(o->items);
	dirlist_unref(o->list);
	free(o);
}

static bool find(const struct order *o, const char *name, uint32_t *candidate)
{
	size_t at = dirlist_index(o->list, name), low = 0, high = o->count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (o->items[mid] < at)
			low = mid + 1;
		else
			high = mid;
	}
	*candidate = (uint32_t)low;
	return low < o->count && o->items[low] == at;
}

static bool known(const struct order *o, enum order_kind kind)
{
	return kind == ORDER_LISTED || o->place[kind];
}

static uint32_t place(const struct order *o, enum order_kind kind, uint32_t candidate)
{
	return kind == ORDER_LISTED ? candidate : o->place[kind][candidate];
}

static bool foretold(const struct order *o, enum order_kind kind, uint32_t candidate)
{
	uint32_t at = place(o, kind, candidate), skip = o->hits[kind] > 1 ? SKIP_AT_MOST : 1, before;

	if (!o->began)
		return at == 0;
	before = place(o, kind, o->last);
	return at > before && at - before <= skip;
}

unsigned order_took(struct order *o, const char *name)
{
	uint32_t candidate;

	if (!find(o, name, &candidate))
		return 0;
	if (!o->began || candidate != o->last)
		for (enum order_kind k = 0; k < ORDERS; k++)
			if (known(o, k))
				o->hits[k] = foretold(o, k, candidate) ? o->hits[k] + 1 : 0;
	o->began = true;
	o->last = candidate;
	return o->hits[order_best(o)];
}

enum order_kind order_best(const struct order *o)
{
	enum order_kind best = ORDER_LISTED;

	for (enum order_kind k = 0; k < ORDERS; k++)
		if (known(o, k) && o->hits[k] > o->hits[best])
			best = k;
	return best;
}

bool order_at(const struct order *o, enum order_kind kind, size_t i, struct dirlist_entry *e)
{
	if (i >= o->count)
		return false;
	dirlist_get(o->list, o->items[known(o, kind) && kind != ORDER_LISTED ? o->seq[kind][i] : i], e);
	return true;
}

bool order_next(const struct order *o, size_t i, struct dirlist_entry *e)
{
	enum order_kind kind = order_best(o);

	return order_at(o, kind, o->began ? place(o, kind, o->last) + 1 + i : i, e);
}
