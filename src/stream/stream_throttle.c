#include <string.h>

#include "stream/stream_io.h"
#include "stream/throttle_state.h"

static struct aftp_throttle *side(const struct stream_throttle *t, enum stream_direction dir)
{
	return dir == STREAM_READ ? t->pair.read : t->pair.write;
}

static struct throttle_waiter *waiter(struct aftp_stream *s, enum stream_direction dir)
{
	return dir == STREAM_READ ? &s->rd.waiter : &s->wr.waiter;
}

/* Throttles mostly share the real clock: it is read once. */
static uint64_t clock_of(const struct aftp_throttle *t, uint64_t *real)
{
	if (t->clock)
		return throttle_now(t);
	if (*real == 0)
		*real = uv_hrtime();
	return *real;
}

/* What all throttles allow now; less than is worth a call is nothing, and the slowest is waited for. */
uint64_t stream_throttle_grant(struct aftp_stream *s, enum stream_direction dir, uint64_t want)
{
	struct throttle_waiter *w = waiter(s, dir);
	struct aftp_throttle *slowest = NULL;
	uint64_t grant = want, real = 0, longest = 0, need_there = 0;

	for (unsigned i = 0; i < s->n_throttles; i++) {
		struct aftp_throttle *t = side(&s->throttles[i], dir);
		uint64_t need, delay, now, have;
		bool must;

		if (!t || t->limit == 0)
			continue;
		now = clock_of(t, &real);
		need = throttle_wait_quantum(t);
		need = want < need ? want : need;
		delay = aftp_throttle_delay(t, need, now);
		must = throttle_wait_must(t, w);
		if ((delay > 0 || must) && (!slowest || delay > longest)) {
			slowest = t;
			longest = delay;
			need_there = need;
		}
		have = aftp_throttle_allow(t, want, now);
		grant = have < grant ? have : grant;
	}
	if (!slowest)
		return grant;
	throttle_wait_add(slowest, w, need_there);
	return 0;
}

void stream_throttle_charge(struct aftp_stream *s, enum stream_direction dir, uint64_t n)
{
	uint64_t real = 0;

	for (unsigned i = 0; i < s->n_throttles; i++) {
		struct aftp_throttle *t = side(&s->throttles[i], dir);

		if (t && (t->limit > 0 || t->observer))
			aftp_throttle_charge(t, n, clock_of(t, &real));
		else if (t)
			t->total += n;
	}
}

/* --- names ---------------------------------------------------------------------------------------- */

static struct stream_throttle *find(const struct aftp_stream *s, const char *name)
{
	for (unsigned i = 0; i < s->n_throttles; i++) {
		if (strcmp(s->throttles[i].name, name) == 0)
			return (struct stream_throttle *)&s->throttles[i];
	}
	return NULL;
}

static int open_side(struct aftp_stream *s, struct aftp_throttle *t)
{
	if (!t)
		return 0;
	return t->loop == s->loop ? throttle_wait_open(t) : AFTP_EINVAL;
}

static void close_pair(struct aftp_stream_throttle *pair)
{
	if (pair->read)
		throttle_wait_close(pair->read);
	if (pair->write)
		throttle_wait_close(pair->write);
	*pair = (struct aftp_stream_throttle){ 0 };
}

static int open_pair(struct aftp_stream *s, const struct aftp_stream_throttle *pair)
{
	int rc = open_side(s, pair->read);

	if (rc < 0)
		return rc;
	rc = open_side(s, pair->write);
	if (rc < 0 && pair->read)
		throttle_wait_close(pair->read);
	return rc;
}

/* Whoever waits asks anew: what it waits for may be gone. Its time limit starts here. */
static void ask_anew(struct aftp_stream *s)
{
	bool reads = s->rd.waiter.on, writes = s->wr.waiter.on;

	throttle_wait_cancel(&s->rd.waiter);
	throttle_wait_cancel(&s->wr.waiter);
	if (reads || writes)
		s->rd.since = s->wr.since = stream_limit_now();
	if (reads)
		stream_kick(s, DUE_READ);
	if (writes)
		stream_kick(s, DUE_WRITE);
}

int aftp_stream_add_throttle(struct aftp_stream *s, const char *name, const struct aftp_stream_throttle *st)
{
	struct stream_throttle *t;
	int rc;

	if (!name || !st || strlen(name) >= STREAM_NAME_MAX)
		return AFTP_EINVAL;
	t = find(s, name);
	if (!t && s->n_throttles == STREAM_THROTTLES_MAX)
		return AFTP_ETOOBIG;
	rc = open_pair(s, st);
	if (rc < 0)
		return rc;
	ask_anew(s);
	if (t) {
		close_pair(&t->pair);
	} else {
		t = &s->throttles[s->n_throttles++];
		memcpy(t->name, name, strlen(name) + 1);
	}
	t->pair = *st;
	return 0;
}

int aftp_stream_remove_throttle(struct aftp_stream *s, const char *name)
{
	struct stream_throttle *t = find(s, name);

	if (!t)
		return AFTP_ENOENT;
	ask_anew(s);
	close_pair(&t->pair);
	*t = s->throttles[--s->n_throttles];
	return 0;
}

const struct aftp_stream_throttle *aftp_stream_get_throttle(const struct aftp_stream *s, const char *name)
{
	struct stream_throttle *t = find(s, name);

	return t ? &t->pair : NULL;
}

void stream_throttle_finish(struct aftp_stream *s)
{
	throttle_wait_cancel(&s->rd.waiter);
	throttle_wait_cancel(&s->wr.waiter);
	while (s->n_throttles > 0)
		close_pair(&s->throttles[--s->n_throttles].pair);
}
