#include "remote/segments.h"

#include <aftp/status.h>
#include <stdlib.h>
#include <sys/param.h>

#include "remote/content.h"

#define MEASURE_MS 100u   /* at least; or what a transfer takes to begin */
#define STEADY     2u     /* measurements, each of which is within a quarter of the one before */
#define AGAIN_MS   60000u /* after it did not help */
#define LEAST_PART (1024u * 1024)
#define MOST_PARTS 16u
#define TRIAL      6u /* measurements long */

static unsigned most_parts(const struct reader *r)
{
	const struct site *s = r->content->site;
	unsigned limit = MIN(pool_limit(s->pool), MOST_PARTS);

	return s->o.segments ? MIN(s->o.segments, limit) : limit;
}

/* What parts may hold that wait for their turn. */
static uint64_t memory(const struct reader *r)
{
	return r->content->site->o.readahead / 2 * 3;
}

/* Large, for each costs the beginning of a transfer. The next is as good as fetched when one ends, the last has just begun:
 * each of the others is half there. */
static uint64_t full_part(const struct reader *r)
{
	unsigned others = MAX(most_parts(r), 2) - 1;

	return MAX(memory(r) * 2 / others, LEAST_PART);
}

/* The first are smaller, so that they end one after the other; and so are the last, so that they end together. */
static uint64_t next_size(const struct reader *r, uint64_t at)
{
	unsigned most = most_parts(r), n = MIN(r->split.given + 1, most);
	uint64_t left = r->content->version.size - at;

	return MAX(MIN(full_part(r) * n / most, left / most), LEAST_PART);
}

static uint64_t window_ms(const struct reader *r)
{
	return MAX(r->content->site->pace.begin_ms, MEASURE_MS);
}

/* Where the leader's own transfer ends when another is tried: there is time to see whether it helps. */
static uint64_t trial_size(const struct reader *r)
{
	return MAX(r->split.one * window_ms(r) * TRIAL, full_part(r) / most_parts(r));
}

static unsigned count(const struct reader *r)
{
	unsigned n = 0;

	for (const struct reader *p = r->split.parts; p; p = p->part)
		n++;
	return n;
}

static struct reader *last_part(struct reader *r)
{
	struct reader *p = r->split.parts;

	while (p && p->part)
		p = p->part;
	return p;
}

/* --- parts ---------------------------------------------------------------------------------------- */

static void set_stop(struct reader *r, struct reader *p)
{
	uint64_t size = next_size(r, p->window.base), end = MAX(p->window.base + size, p->window.end + LEAST_PART);

	/* What would be left behind it is no part of its own. */
	if (r->content->version.size > end + LEAST_PART / 2)
		p->stop = end;
	r->split.given++;
}

static struct reader *add_part(struct reader *r)
{
	struct reader *before = last_part(r) ? last_part(r) : r, *p;

	if (before->stop == UINT64_MAX)
		return NULL;
	p = reader_bare(r->content, before->stop);
	if (!p)
		return NULL;
	p->lead = r;
	if (fetch_start(p, POOL_AHEAD)) {
		reader_free_bare(p);
		return NULL;
	}
	if (before == r)
		r->split.parts = p;
	else
		before->part = p;
	return p;
}

static void extend(struct reader *r)
{
	struct reader *p;

	if (!r->split.parts && r->fetch && r->content->version.size - r->window.end > full_part(r))
		r->stop = r->window.end + LEAST_PART;
	while (count(r) + 1 < most_parts(r) && segments_has_room(r) && (p = add_part(r)))
		set_stop(r, p);
	if (!r->split.parts)
		r->stop = UINT64_MAX; /* nobody has what follows */
}

void segments_extend(struct reader *r)
{
	for (struct reader *p = r->split.parts; p; p = p->part)
		reader_resume(p);
	if (r->split.state == SPLIT_ON)
		extend(r);
}

bool segments_has_room(const struct reader *r)
{
	uint64_t held = 0;

	for (const struct reader *p = r->split.parts; p; p = p->part)
		held += p->window.end - p->window.base;
	if (r->window.end > r->served)
		held += r->window.end - r->served;
	return held < memory(r);
}

void segments_drop(struct reader *r)
{
	while (r->split.parts) {
		struct reader *p = r->split.parts;

		r->split.parts = p->part;
		reader_free_bare(p);
	}
	r->split = (struct split){ 0 };
	r->stop = UINT64_MAX;
}

/* --- does it help? -------------------------------------------------------------------------------- */

static void measure_anew(struct reader *r)
{
	r->split.since = site_now(r->content->site);
	r->split.bytes = 0;
	r->split.joined = 0;
	r->split.paused = false;
}

/* Bytes per ms of all transfers since the measurement began; 0: nothing can be said, since it was who reads that was slow. */
static uint64_t measured(const struct reader *r)
{
	uint64_t took = site_now(r->content->site) - r->split.since;

	if (r->split.paused || took == 0)
		return 0;
	return MAX(r->split.bytes / took, 1);
}

static bool may_split(const struct reader *r)
{
	const struct site *s = r->content->site;
	uint64_t left = r->content->version.size - r->window.end;

	return s->o.segments != 1 && r->content->version.known && r->content->version.size != UNKNOWN_SIZE &&
		site_now(s) >= s->split_again_at && most_parts(r) > 1 && left > 2 * trial_size(r) &&
		r->split.one * s->pace.begin_ms <= full_part(r);
}

/* One more shows whether several are faster. It goes to the end of the file, in case they are not. */
static void try_another(struct reader *r)
{
	r->ahead = r->content->site->o.readahead;
	r->stop = r->window.end + trial_size(r);
	pool_expect(r->content->site->pool);
	if (add_part(r))
		r->split.state = SPLIT_TRIED;
	else
		r->stop = UINT64_MAX;
}

static void consider_one(struct reader *r, uint64_t rate)
{
	struct split *m = &r->split;
	bool steady = rate && rate * 4 >= m->one * 3 && rate * 4 <= m->one * 5;

	m->steady = steady ? m->steady + 1 : 0;
	if (rate)
		r->content->site->pace.bytes_per_ms = m->one = steady ? MAX(m->one, rate) : rate;
	if (m->steady >= STEADY && may_split(r))
		try_another(r);
}

static void consider_two(struct reader *r, uint64_t rate)
{
	const struct reader *p = r->split.parts;

	if (p->window.end == p->window.base || rate * 3 < r->split.one * 4)
		return;
	r->split.state = SPLIT_ON;
	r->split.given = 1; /* the leader's */
	set_stop(r, r->split.parts);
	extend(r);
}

static void consider(struct reader *r)
{
	struct split *m = &r->split;
	uint64_t rate;

	if (m->state == SPLIT_OFF && !m->parts && site_now(r->content->site) >= r->content->site->split_again_at)
		m->state = SPLIT_ONE;
	if (m->state >= SPLIT_ON || (m->since && site_now(r->content->site) - m->since < window_ms(r)))
		return;
	rate = m->since ? measured(r) : 0;
	measure_anew(r);
	if (m->state == SPLIT_ONE)
		consider_one(r, rate);
	else
		consider_two(r, rate);
}

static void give_up(struct reader *r)
{
	struct site *s = r->content->site;

	/* What is fetched already will be read. */
	r->split.state = SPLIT_OFF;
	s->split_again_at = site_now(s) + AGAIN_MS;
	aftp_log(&s->log, AFTP_LOG_DEBUG, "%s: several connections are no faster than one", r->content->node->name);
}

/* Several: after each round of all of them. */
static void judge(struct reader *r)
{
	uint64_t rate = measured(r);

	if (r->split.state == SPLIT_TRIED)
		give_up(r);
	if (r->split.state != SPLIT_ON || r->split.joined < most_parts(r))
		return;
	measure_anew(r);
	if (rate && rate * 4 < r->split.one * 5)
		give_up(r);
}

/* --- the leader ----------------------------------------------------------------------------------- */

static void join(struct reader *r)
{
	struct reader *p;

	while ((p = r->split.parts) && r->window.end == r->stop) {
		r->split.parts = p->part;
		if (r->fetch)
			fetch_detach(r->fetch);
		window_join(&r->window, &p->window);
		r->stop = p->stop;
		r->fetch = p->fetch;
		r->paused = p->paused;
		p->fetch = NULL;
		if (r->fetch)
			fetch_hand_over(r->fetch, r);
		reader_free_bare(p);
		r->split.joined++;
		judge(r);
		segments_extend(r);
	}
	if (!r->split.parts)
		r->stop = UINT64_MAX;
	reader_resume(r);
	reader_need_fetch(r);
}

void segments_landed(struct reader *r, size_t n)
{
	struct reader *lead = r->lead ? r->lead : r;

	lead->split.bytes += n;
	if (r->lead && r->window.end == r->stop && r->fetch)
		fetch_detach(r->fetch);
	if (lead == r)
		join(r);
	consider(lead);
}
