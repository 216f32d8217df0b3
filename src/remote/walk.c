#include "remote/walk.h"

#include <aftp/status.h>
#include <string.h>
#include <sys/param.h>

#include "remote/internal.h"

#define MOST_AHEAD  256u   /* directories */
#define FIRST_AHEAD 4u     /* after one hit; four times that with each further one */
#define BELOW       6u     /* levels below what the walker has seen */
#define SCAN_MOST   10000u /* entries of a listing ahead that are looked through for directories */
#define IDLE_MS     10000u /* a walker that rests for so long does not walk any more */

struct plan {
	struct site *site;
	unsigned left;   /* directories that may be ahead */
	size_t entries;  /* of what is listed already and not yet visited */
	unsigned starts; /* that may begin now */
};

static bool is_dir(const struct attr *a)
{
	return a->type == AFTP_TYPE_DIR;
}

/* --- what is next --------------------------------------------------------------------------------- */

static bool has_failed(const struct site *s, uint64_t ino)
{
	for (unsigned i = 0; i < WALK_FAILED; i++)
		if (s->walks.failed[i] == ino)
			return true;
	return false;
}

static void begin(struct plan *p, struct node *dir, const char *name)
{
	struct nodes *t = &p->site->nodes;
	struct node *n = node_get_child(t, dir, name);

	if (!n)
		return;
	node_ref(n);
	if (!has_failed(p->site, n->ino) && !listing_ahead(p->site, n))
		p->starts--;
	node_unref(t, n);
}

static bool spent(const struct plan *p)
{
	return p->left == 0 || p->starts == 0 || p->entries > p->site->o.cache_entries / 4;
}

static void consider(struct plan *p, struct node *dir, const char *name, unsigned below);

/* Those in a directory that is listed ahead, in the order of the listing: all of them come before anything else. */
static void descend(struct plan *p, struct node *dir, unsigned below)
{
	struct dirlist *list = dir->list;
	struct dirlist_entry e;

	if (!dirlist_has_dirs(list) || dirlist_count(list) > SCAN_MOST || below == 0)
		return;
	dirlist_ref(list);
	for (size_t i = 0; i < dirlist_count(list) && !spent(p); i++) {
		dirlist_get(list, i, &e);
		if (is_dir(&e.attr))
			consider(p, dir, e.name, below - 1);
	}
	dirlist_unref(list);
}

static void consider(struct plan *p, struct node *dir, const char *name, unsigned below)
{
	struct node *n = node_child(&p->site->nodes, dir, name);

	p->left--;
	if (n && n->listing)
		return;
	if (n && n->list && site_fresh(p->site, n->list_at)) {
		p->entries += dirlist_count(n->list);
		descend(p, n, below);
	} else {
		begin(p, dir, name);
	}
}

/* No further than the walker comes while the listings are still good. */
static unsigned most_ahead(const struct site *s, const struct walk *w)
{
	uint64_t most = FIRST_AHEAD;

	for (unsigned i = 1; i < w->hits && most < MOST_AHEAD; i++)
		most *= 4;
	most = MIN(most, MOST_AHEAD);
	if (w->pace > 0)
		most = MIN(most, MAX((uint64_t)s->o.attr_ttl_ms / 2 / w->pace, 2));
	return (unsigned)most;
}

static void look_ahead(struct site *s, struct walk *w)
{
	unsigned most_running = pool_limit(s->pool) + 2;
	struct plan p = { .site = s, .left = most_ahead(s, w) };
	enum order_kind kind = ORDER_LISTED;
	struct dirlist_entry e;

	if (w->hits == 0 || s->closing || s->walks.running >= most_running || site_now(s) - w->at > IDLE_MS)
		return;
	p.starts = most_running - s->walks.running;
	if (w->depth > 1 && w->stack[w->depth - 2].order)
		kind = order_best(w->stack[w->depth - 2].order);
	for (unsigned level = w->depth; level-- > 0;) {
		struct walk_frame *f = &w->stack[level];

		if (!f->order && f->dir->list && dirlist_has_dirs(f->dir->list))
			(void)order_new(&f->order, &s->nodes, f->dir, is_dir);
		for (size_t i = 0; f->order && !spent(&p); i++) {
			bool more = f->order->began ? order_next(f->order, i, &e) : order_at(f->order, kind, i, &e);
			if (!more)
				break;
			consider(&p, f->dir, e.name, BELOW);
		}
	}
}

/* --- what happened -------------------------------------------------------------------------------- */

static void pop(struct site *s, struct walk *w, unsigned depth)
{
	while (w->depth > depth) {
		struct walk_frame *f = &w->stack[--w->depth];

		order_free(f->order);
		node_unref(&s->nodes, f->dir);
		*f = (struct walk_frame){ 0 };
	}
}

/* The level of dir in the walk, or of the parent when it is not there itself; -1: neither is. */
static int level_of(const struct walk *w, const struct node *dir)
{
	int level = -1;

	for (unsigned i = 0; i < w->depth; i++)
		if (w->stack[i].dir == dir || (level < 0 && w->stack[i].dir == dir->parent))
			level = (int)i;
	return level;
}

static struct walk *find_walk(struct walks *all, const struct node *dir, int *level)
{
	struct walk *oldest = &all->walk[0];

	for (int i = 0; i < WALKS; i++) {
		struct walk *w = &all->walk[i];

		*level = level_of(w, dir);
		if (*level >= 0)
			return w;
		if (w->at < oldest->at)
			oldest = w;
	}
	return oldest;
}

/* The directory was listed anew meanwhile: what was known of the order stays. */
static void renew(struct site *s, struct walk_frame *f)
{
	struct order *old = f->order;
	struct dirlist_entry last;

	if (!f->dir->list || (old && old->list == f->dir->list))
		return;
	f->order = NULL;
	if (!order_new(&f->order, &s->nodes, f->dir, is_dir) && old && old->began) {
		dirlist_get(old->list, old->items[old->last], &last);
		order_took(f->order, last.name);
		memcpy(f->order->hits, old->hits, sizeof old->hits);
	}
	order_free(old);
}

static void push(struct walk *w, struct node *dir)
{
	if (w->depth < WALK_DEPTH)
		w->stack[w->depth++].dir = node_ref(dir);
}

static void keep_pace(struct site *s, struct walk *w)
{
	uint64_t now = site_now(s);

	w->pace = (w->pace * 7 + MIN(now - w->at, IDLE_MS)) / 8;
	w->at = now;
}

void walk_opened(struct site *s, struct node *dir)
{
	int level;
	struct walk *w;

	if (s->o.lookahead == SITE_LOOKAHEAD_OFF || s->o.attr_ttl_ms == 0)
		return;
	w = find_walk(&s->walks, dir, &level);
	if (level < 0) {
		pop(s, w, 0);
		*w = (struct walk){ .at = site_now(s) };
		push(w, dir);
		return;
	}
	keep_pace(s, w);
	pop(s, w, (unsigned)level + 1);
	if (w->stack[level].dir == dir)
		return;
	renew(s, &w->stack[level]);
	if (w->stack[level].order && order_took(w->stack[level].order, dir->name))
		w->hits++;
	else
		w->hits = 0;
	push(w, dir);
	if (w->hits == 0)
		return;
	pool_expect(s->pool);
	look_ahead(s, w);
}

void walk_listed(struct site *s)
{
	for (int i = 0; i < WALKS; i++)
		look_ahead(s, &s->walks.walk[i]);
}

void walk_failed(struct site *s, const struct node *dir)
{
	s->walks.failed[s->walks.next_failed++ % WALK_FAILED] = dir->ino;
}

void walks_finish(struct site *s)
{
	for (int i = 0; i < WALKS; i++)
		pop(s, &s->walks.walk[i], 0);
}
