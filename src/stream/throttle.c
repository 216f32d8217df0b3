#include <stdlib.h>

#include <aftp/status.h>

#include "stream/throttle_state.h"

#define NS_PER_S 1000000000u
#define DEPTH_MS 10              /* the default burst */
#define OWED_MAX_NS 200000000    /* a longer pause of the process is a pause of its users, too */

__extension__ typedef unsigned __int128 u128;

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* An eighth of the range: sums of a few such times do not overflow. */
static int64_t clamp_ns(u128 ns)
{
	return ns > INT64_MAX / 8 ? INT64_MAX / 8 : (int64_t)ns;
}

static int64_t bytes_to_ns(uint64_t bytes, uint64_t limit)
{
	return clamp_ns((u128)bytes * NS_PER_S / limit);
}

static uint64_t ns_to_bytes(int64_t ns, uint64_t limit)
{
	u128 bytes = (u128)(uint64_t)ns * limit / NS_PER_S;

	return bytes > UINT64_MAX ? UINT64_MAX : (uint64_t)bytes;
}

static void set_depth(struct aftp_throttle *t)
{
	uint64_t depth = t->burst > 0 ? t->burst : t->limit / (1000 / DEPTH_MS);

	t->depth = depth > 0 ? depth : 1;
	/* Rounded up, and one more for the part of a nanosecond: a full bucket must hold all of its bytes. */
	t->depth_ns = t->limit > 0 ? bytes_to_ns(t->depth, t->limit) + 2 : 0;
}

int aftp_throttle_new(struct aftp_throttle **out, uv_loop_t *loop, uint64_t bytes_per_s, uint64_t burst)
{
	struct aftp_throttle *t;

	if (!out || !loop)
		return AFTP_EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return AFTP_ENOMEM;
	t->refs = 1;
	t->loop = loop;
	t->limit = bytes_per_s;
	t->burst = burst;
	t->paid_ns = INT64_MIN / 8;
	set_depth(t);
	*out = t;
	return 0;
}

struct aftp_throttle *aftp_throttle_ref(struct aftp_throttle *t)
{
	if (t)
		t->refs++;
	return t;
}

void aftp_throttle_unref(struct aftp_throttle *t)
{
	if (t && --t->refs == 0)
		free(t);         /* whoever holds the line open holds a reference, too */
}

int aftp_throttle_clone(struct aftp_throttle **out, const struct aftp_throttle *t)
{
	int rc = aftp_throttle_new(out, t->loop, t->limit, t->burst);

	if (rc < 0)
		return rc;
	aftp_throttle_set_clock(*out, t->clock, t->clock_arg);
	return 0;
}

uint64_t throttle_now(const struct aftp_throttle *t)
{
	return t->clock ? t->clock(t->clock_arg) : uv_hrtime();
}

/* Unused time, at most a burst of it; negative is debt. */
static int64_t credit_ns(const struct aftp_throttle *t, uint64_t now_ns)
{
	int64_t credit = (int64_t)now_ns - t->paid_ns;

	return credit > t->depth_ns ? t->depth_ns : credit;
}

void aftp_throttle_set_limit(struct aftp_throttle *t, uint64_t bytes_per_s)
{
	int64_t now = (int64_t)throttle_now(t);
	int64_t credit = t->limit > 0 ? credit_ns(t, (uint64_t)now) : 0;
	uint64_t bytes = t->limit > 0 ? ns_to_bytes(credit < 0 ? -credit : credit, t->limit) : 0;

	t->limit = bytes_per_s;
	t->part = 0;
	t->owed_ns = 0;
	set_depth(t);
	/* What was saved or owed stays the same in bytes. */
	if (bytes_per_s > 0 && credit < 0)
		t->paid_ns = now + bytes_to_ns(bytes, bytes_per_s);
	else if (bytes_per_s > 0)
		t->paid_ns = now - bytes_to_ns(min_u64(bytes, t->depth), bytes_per_s);
	if (t->line)
		throttle_line_wake(t->line);
}

uint64_t aftp_throttle_limit(const struct aftp_throttle *t)
{
	return t->limit;
}

void aftp_throttle_observe(struct aftp_throttle *t, aftp_throttle_observer *fn, void *arg)
{
	t->observer = fn;
	t->observer_arg = arg;
}

void aftp_throttle_set_clock(struct aftp_throttle *t, aftp_clock *clock, void *arg)
{
	t->clock = clock;
	t->clock_arg = arg;
	t->paid_ns = INT64_MIN / 8;      /* times of two clocks do not compare */
	t->part = 0;
	t->owed_ns = 0;
}

uint64_t aftp_throttle_allow(const struct aftp_throttle *t, uint64_t want, uint64_t now_ns)
{
	int64_t credit;
	u128 due;

	if (t->limit == 0)
		return want;
	credit = credit_ns(t, now_ns);
	if (credit <= 0)
		return 0;
	due = (u128)(uint64_t)credit * t->limit;
	if (due < t->part)
		return 0;
	due = (due - t->part) / NS_PER_S;
	if (due > t->depth)
		due = t->depth;
	return due < want ? (uint64_t)due : want;
}

uint64_t aftp_throttle_delay(const struct aftp_throttle *t, uint64_t want, uint64_t now_ns)
{
	int64_t credit;
	u128 cost;
	uint64_t ns;

	if (t->limit == 0 || want == 0)
		return 0;
	credit = credit_ns(t, now_ns);
	cost = (u128)min_u64(want, t->depth) * NS_PER_S + t->part;
	ns = (uint64_t)clamp_ns((cost + t->limit - 1) / t->limit);
	if (credit >= 0 && ns <= (uint64_t)credit)
		return 0;
	return credit >= 0 ? ns - (uint64_t)credit : ns + (uint64_t)-credit;
}

/* Four fifths of the price while something is owed: that is a quarter more bytes, and no window sees more than that. */
static int64_t pay_back(struct aftp_throttle *t, int64_t ns)
{
	int64_t rebate = ns / 5;

	if (rebate > t->owed_ns)
		rebate = t->owed_ns;
	t->owed_ns -= rebate;
	return ns - rebate;
}

void aftp_throttle_charge(struct aftp_throttle *t, uint64_t n, uint64_t now_ns)
{
	if (t->limit > 0 && n > 0) {
		int64_t floor = (int64_t)now_ns - t->depth_ns;
		u128 cost;

		if (t->paid_ns < floor) {        /* idle time beyond the burst is gone, and with it what was owed */
			if (floor - t->paid_ns > t->depth_ns)
				t->owed_ns = 0;
			t->paid_ns = floor;
			t->part = 0;
		}
		cost = (u128)n * NS_PER_S + t->part;
		t->part = (uint64_t)(cost % t->limit);
		t->paid_ns += pay_back(t, clamp_ns(cost / t->limit));
		if (t->paid_ns > INT64_MAX / 4)
			t->paid_ns = INT64_MAX / 4;
	}
	t->total += n;
	if (t->observer && n > 0)
		t->observer(t->observer_arg, n, t->total, now_ns);
}

void throttle_late(struct aftp_throttle *t, uint64_t now_ns)
{
	int64_t floor = (int64_t)now_ns - t->depth_ns;

	if (t->limit == 0 || t->paid_ns >= floor)
		return;
	t->owed_ns += floor - t->paid_ns;
	if (t->owed_ns > OWED_MAX_NS || t->owed_ns < 0)
		t->owed_ns = OWED_MAX_NS;
	t->paid_ns = floor;
	t->part = 0;
}

/* --- pairs ---------------------------------------------------------------------------------------- */

int aftp_stream_throttle_from_limits(struct aftp_stream_throttle *out, uv_loop_t *loop, uint64_t read_bps, uint64_t write_bps)
{
	int rc;

	*out = (struct aftp_stream_throttle){ 0 };
	rc = aftp_throttle_new(&out->read, loop, read_bps, 0);
	if (rc < 0)
		return rc;
	rc = aftp_throttle_new(&out->write, loop, write_bps, 0);
	if (rc < 0)
		aftp_stream_throttle_unref(out);
	return rc;
}

int aftp_stream_throttle_clone(struct aftp_stream_throttle *out, const struct aftp_stream_throttle *st)
{
	int rc = 0;

	*out = (struct aftp_stream_throttle){ 0 };
	if (st->read)
		rc = aftp_throttle_clone(&out->read, st->read);
	if (rc == 0 && st->write)
		rc = aftp_throttle_clone(&out->write, st->write);
	if (rc < 0)
		aftp_stream_throttle_unref(out);
	return rc;
}

void aftp_stream_throttle_unref(struct aftp_stream_throttle *st)
{
	aftp_throttle_unref(st->read);
	aftp_throttle_unref(st->write);
	*st = (struct aftp_stream_throttle){ 0 };
}
