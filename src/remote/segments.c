#include "remote/segments.h"

#include <aftp/status.h>
#include <stdlib.h>
#include <sys/param.h>

#include "remote/content.h"

#define MEASURE_MS 200u
#define STEADY     2u     /* measurements, each of which is within a quarter of the one before */
#define AGAIN_MS   30000u /* after it did not help */
#define LEAST_PART (1024u * 1024)
#define MOST_PARTS 16u
#define WORTH      4u /* a part takes so many times what a transfer takes to begin */

static unsigned most_parts(const struct reader *r)
{
	const struct site *s = r->content->site;
	unsigned limit = MIN(pool_limit(s->pool), MOST_PARTS);

	return s->o.segments ? MIN(s->o.segments, limit) : limit;
}

/* Large, for each costs the beginning of a transfer: together they are half as much again as the readahead. */
static uint64_t part_size(const struct reader *r)
{
	return MAX(r->content->site->o.readahead / most_parts(r) / 2 * 3, LEAST_PART);
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

static bool add_part(struct reader *r)
{
	struct reader *before = last_part(r) ? last_part(r) : r, *p;
	uint64_t size = r->content->version.size, part = part_size(r);

	if (before->stop == UINT64_MAX || before->stop > r->served + r->content->site->o.readahead)
		return false;
	p = reader_bare(r->content, before->stop);
	if (!p)
		return false;
	p->lead = r;
	/* What would be left behind it is no part of its own. */
	if (size - before->stop > part + part / 4)
		p->stop = before->stop + part;
	if (fetch_start(p, POOL_AHEAD)) {
		reader_free_bare(p);
		return false;
	}
	if (before == r)
		r->split.parts = p;
	else
		before->part = p;
	return true;
}

void segments_extend(struct reader *r)
{
	uint64_t left = r->content->version.size - r->window.end;

	if (r->split.state != SPLIT_TRIED && r->split.state != SPLIT_ON)
		return;
	if (!r->split.parts && r->fetch && left > 2 * part_size(r))
		r->stop = r->window.end + part_size(r);
	while (count(r) + 1 < most_parts(r) && add_part(r))
		;
	if (!r->split.parts)
		r->stop = UINT64_MAX; /* nobody has what follows */
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
	r->split.from = r->window.end;
	r->split.joined = 0;
}

/* Bytes per ms since the measurement began; 0: nothing can be said, since it was who reads that was slow. */
static uint64_t measured(struct reader *r)
{
	uint64_t took = site_now(r->content->site) - r->split.since, bytes = r->window.end - r->split.from;

	if (r->was_paused || took == 0)
		return 0;
	return MAX(bytes / took, 1);
}

static bool may_split(const struct reader *r)
{
	const struct site *s = r->content->site;
	uint64_t left = r->content->version.size - r->window.end;

	return s->o.segments != 1 && r->content->version.known && r->content->version.size != UNKNOWN_SIZE &&
		site_now(s) >= s->split_again_at && most_parts(r) > 1 && left > 2 * part_size(r) &&
		r->split.one * s->pace.begin_ms * WORTH <= part_size(r);
}

static void split(struct reader *r)
{
	r->split.state = SPLIT_TRIED;
	r->ahead = r->content->site->o.readahead;
	pool_expect(r->content->site->pool);
	measure_anew(r);
	segments_extend(r);
}

/* One transfer alone. */
void segments_consider(struct reader *r)
{
	struct link_pace *pace = &r->content->site->pace;
	struct split *m = &r->split;
	uint64_t rate;

	if (m->state != SPLIT_ONE || (m->since && site_now(r->content->site) - m->since < MEASURE_MS))
		return;
	rate = m->since ? measured(r) : 0;
	measure_anew(r);
	m->steady = rate && rate * 4 >= m->one * 3 && rate * 4 <= m->one * 5 ? m->steady + 1 : 0;
	if (rate)
		pace->bytes_per_ms = m->one = rate;
	if (m->steady >= STEADY && may_split(r))
		split(r);
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

	if (r->split.joined < most_parts(r))
		return;
	measure_anew(r);
	r->was_paused = false;
	if (!rate)
		return;
	if (rate * 4 >= r->split.one * 5)
		r->split.state = SPLIT_ON;
	else
		give_up(r);
}

/* --- the leader ----------------------------------------------------------------------------------- */

void segments_join(struct reader *r)
{
	struct reader *p;

	while ((p = r->split.parts) && r->window.end == r->stop) {
		r->split.parts = p->part;
		if (r->fetch)
			fetch_detach(r->fetch);
		window_join(&r->window, &p->window);
		r->stop = p->stop;
		r->fetch = p->fetch;
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
	reader_need_fetch(r);
}

void segments_landed(struct reader *part)
{
	if (part->window.end == part->stop && part->fetch)
		fetch_detach(part->fetch);
}
