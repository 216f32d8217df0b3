#include "remote/peek.h"

#include <aftp/status.h>
#include <stdlib.h>
#include <sys/param.h>
#include <utlist.h>

#include "remote/content.h"

#define SMALL         (128u * 1024)      /* files up to this size */
#define MOST_BYTES    (8u * 1024 * 1024) /* of all of them */
#define MOST_FILES    64u
#define FIRST_FILES   4u     /* after one hit; twice that with each further one */
#define GOOD_MS       20000u /* no longer than attributes are believed, at most */
#define TRACK_IDLE_MS 10000u

static bool is_small(const struct attr *a)
{
	return a->type == AFTP_TYPE_FILE && a->have & AFTP_HAVE_SIZE && a->size > 0 && a->size <= SMALL;
}

/* --- what was fetched ----------------------------------------------------------------------------- */

static struct peek *find(const struct node *n)
{
	return n->content ? n->content->peek : NULL;
}

/* The content stays with its other handles, if there are any. */
static void let_go(struct site *s, struct peek *p)
{
	struct content *c = p->content;

	DL_DELETE(s->peeks.list, p);
	s->peeks.count--;
	s->peeks.bytes -= p->seen.size;
	c->peek = NULL;
	free(p);
	content_put(c);
}

static bool is_good(const struct site *s, const struct peek *p)
{
	const struct attr *a = &p->content->node->attr, *b = &p->seen;
	uint64_t age = site_now(s) - p->at;

	return age < MIN(GOOD_MS, (uint64_t)s->o.attr_ttl_ms) && !p->content->gone && a->type == b->type &&
		a->size == b->size && a->mtime == b->mtime && a->mtime_nsec == b->mtime_nsec && a->have == b->have;
}

void peek_check(struct site *s, struct node *n)
{
	struct peek *p = find(n);

	if (p && !is_good(s, p))
		let_go(s, p);
}

void peek_drop(struct site *s, struct node *n)
{
	struct peek *p = find(n);

	if (p)
		let_go(s, p);
}

void peeks_tick(struct site *s)
{
	struct peek *p, *next;

	DL_FOREACH_SAFE (s->peeks.list, p, next)
		if (!is_good(s, p))
			let_go(s, p);
}

/* --- fetching ------------------------------------------------------------------------------------- */

static bool has_room(const struct site *s, uint64_t size)
{
	return s->peeks.count < MOST_FILES && s->peeks.bytes + size <= MOST_BYTES;
}

static bool fetch(struct site *s, struct node *n)
{
	struct peek *p = calloc(1, sizeof *p);
	struct reader *r;

	if (!p)
		return false;
	p->content = content_of(s, n);
	if (!p->content) {
		free(p);
		return false;
	}
	p->content->handles++;
	p->content->peek = p;
	p->seen = n->attr;
	p->at = site_now(s);
	DL_APPEND(s->peeks.list, p);
	s->peeks.count++;
	s->peeks.bytes += p->seen.size;
	site_tick(s);
	if (reader_new(&r, p->content, 0) == 0 && reader_prefetch(r, (size_t)p->seen.size) == 0)
		return true;
	let_go(s, p);
	return false;
}

/* True: it is there, or on its way, or need not be. */
static bool consider(struct site *s, struct node *dir, const char *name)
{
	struct node *n;
	bool ok = true;

	if (lookup_cached(s, dir, name, &n) != 1)
		return false;
	node_ref(n);
	if (!n->content && !n->writer && is_small(&n->attr))
		ok = has_room(s, n->attr.size) && fetch(s, n);
	node_unref(&s->nodes, n);
	return ok;
}

static void look_ahead(struct site *s, struct peek_track *t)
{
	unsigned most = FIRST_FILES;
	struct dirlist_entry e;

	for (unsigned i = 1; i < t->hits && most < MOST_FILES; i++)
		most *= 2;
	for (unsigned i = 0; i < MIN(most, MOST_FILES) && order_next(t->order, i, &e); i++)
		if (!consider(s, t->dir, e.name))
			return;
}

/* --- evidence ------------------------------------------------------------------------------------- */

static void forget(struct site *s, struct peek_track *t)
{
	order_free(t->order);
	node_unref(&s->nodes, t->dir);
	*t = (struct peek_track){ 0 };
}

static struct peek_track *track_of(struct site *s, struct node *dir)
{
	struct peek_track *oldest = &s->peeks.tracks[0];

	for (int i = 0; i < PEEK_TRACKS; i++) {
		struct peek_track *t = &s->peeks.tracks[i];

		if (t->dir == dir)
			return t;
		if (t->at < oldest->at)
			oldest = t;
	}
	forget(s, oldest);
	oldest->dir = node_ref(dir);
	return oldest;
}

/* A list that has changed gives another order; not more often than it is worth. */
static bool renew(struct site *s, struct peek_track *t, const char *name, uint64_t idle)
{
	struct order *old = t->order;

	if (old && (old->list == t->dir->list || (dirlist_index(old->list, name) != SIZE_MAX && idle < TRACK_IDLE_MS)))
		return true;
	t->order = NULL;
	order_free(old);
	return t->dir->list && order_new(&t->order, &s->nodes, t->dir, is_small) == 0;
}

void peek_opened(struct site *s, struct node *n)
{
	struct peek_track *t;
	uint64_t idle;

	peek_drop(s, n);
	if (s->o.lookahead != SITE_LOOKAHEAD_FULL || s->o.attr_ttl_ms == 0 || s->o.close_to_open || !n->parent ||
		!is_small(&n->attr))
		return;
	t = track_of(s, n->parent);
	idle = site_now(s) - t->at;
	t->at = site_now(s);
	if (!renew(s, t, n->name, idle))
		return;
	t->hits = order_took(t->order, n->name);
	if (t->hits == 0)
		return;
	/* The first of all is only a reason to be ready. */
	pool_expect(s->pool);
	if (t->hits > 1)
		look_ahead(s, t);
}

void peeks_finish(struct site *s)
{
	while (s->peeks.list)
		let_go(s, s->peeks.list);
	for (int i = 0; i < PEEK_TRACKS; i++)
		if (s->peeks.tracks[i].dir)
			forget(s, &s->peeks.tracks[i]);
}
