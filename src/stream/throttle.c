#include <stdlib.h>

#include <aftp/status.h>

#include "stream/throttle_state.h"

#define NS_PER_S    1000000000u
#define NS_MAX      (INT64_MAX / 8) /* sums of a few such times do not overflow */
#define DEPTH_MS    10              /* the default burst */
#define SLACK_NS    1000000         /* timers count in milliseconds */
#define OWED_MAX_NS 200000000       /* a longer pause of the process is a pause of its users, too */

__extension__ typedef unsigned __int128 u128;

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static int64_t min_ns(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t clamp_ns(u128 ns)
{
	return ns > NS_MAX ? NS_MAX : (int64_t)ns;
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
	uint64_t limit = t->limit > 0 ? t->limit : 1;
	u128 cost;

	t->depth = depth > 0 ? depth : 1;
	cost = (u128)t->depth * NS_PER_S;
	t->depth_ns = clamp_ns((cost + limit - 1) / limit);
	if (t->depth_ns == NS_MAX)
		t->depth = ns_to_bytes(NS_MAX, limit);
	t->depth_part = (uint64_t)((u128)(uint64_t)t->depth_ns * limit - (u128)t->depth * NS_PER_S);
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
	t->paid_ns = -NS_MAX;
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
		free(t); /* whoever holds the line open holds a reference, too */
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

/* More than the burst has come together: the rest of it is not there. */
static bool is_full(const struct aftp_throttle *t, uint64_t now_ns)
{
	int64_t credit = (int64_t)now_ns - t->paid_ns;

	return credit > t->depth_ns || (credit == t->depth_ns && t->part <= t->depth_part);
}

/* Unused time; negative is debt. `part` is to be taken off. */
static int64_t credit_ns(const struct aftp_throttle *t, uint64_t now_ns, uint64_t *part)
{
	bool full = is_full(t, now_ns);

	*part = full ? t->depth_part : t->part;
	return full ? t->depth_ns : (int64_t)now_ns - t->paid_ns;
}

void aftp_throttle_set_limit(struct aftp_throttle *t, uint64_t bytes_per_s)
{
	int64_t now = (int64_t)throttle_now(t);
	uint64_t part;
	int64_t credit = t->limit > 0 ? credit_ns(t, (uint64_t)now, &part) : 0;
	uint64_t bytes = t->limit > 0 ? ns_to_bytes(credit < 0 ? -credit : credit, t->limit) : 0;

	t->limit = bytes_per_s;
	t->part = 0;
	t->owed_ns = t->rebate_ns = 0;
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
	t->paid_ns = -NS_MAX; /* times of two clocks do not compare */
	t->part = 0;
	t->owed_ns = t->rebate_ns = 0;
}

uint64_t aftp_throttle_allow(const struct aftp_throttle *t, uint64_t want, uint64_t now_ns)
{
	int64_t credit;
	uint64_t part;
	u128 due;

	if (t->limit == 0)
		return want;
	credit = credit_ns(t, now_ns, &part);
	if (credit <= 0)
		return 0;
	/* A nanosecond is worth more than the part. */
	due = ((u128)(uint64_t)credit * t->limit - part) / NS_PER_S;
	return due < want ? (uint64_t)due : want;
}

uint64_t aftp_throttle_delay(const struct aftp_throttle *t, uint64_t want, uint64_t now_ns)
{
	int64_t credit;
	u128 cost;
	uint64_t ns, part;

	if (t->limit == 0 || want == 0)
		return 0;
	credit = credit_ns(t, now_ns, &part);
	cost = (u128)min_u64(want, t->depth) * NS_PER_S + part;
	ns = (uint64_t)clamp_ns((cost + t->limit - 1) / t->limit);
	if (credit >= 0 && ns <= (uint64_t)credit)
		return 0;
	return credit >= 0 ? ns - (uint64_t)credit : ns + (uint64_t)-credit;
}

/* What came together beyond the burst is gone; the time that was lost. */
static int64_t spill(struct aftp_throttle *t, uint64_t now_ns)
{
	int64_t lost;

	if (!is_full(t, now_ns))
		return 0;
	lost = (int64_t)now_ns - t->depth_ns - t->paid_ns;
	t->paid_ns += lost;
	t->part = t->depth_part;
	return lost;
}

void aftp_throttle_charge(struct aftp_throttle *t, uint64_t n, uint64_t now_ns)
{
	if (t->limit > 0 && n > 0) {
		u128 cost;

		if (spill(t, now_ns) > t->depth_ns) /* idle: what is owed is forgotten */
			t->owed_ns = t->rebate_ns = 0;
		cost = (u128)n * NS_PER_S + t->part;
		t->part = (uint64_t)(cost % t->limit);
		t->paid_ns += clamp_ns(cost / t->limit) - t->rebate_ns;
		t->rebate_ns = 0;
		if (t->paid_ns > NS_MAX * 2)
			t->paid_ns = NS_MAX * 2;
	}
	t->total += n;
	if (t->observer && n > 0)
		t->observer(t->observer_arg, n, t->total, now_ns);
}

/* What came together while the first in line waited longer than it had to. It gets no more than a timer's slack at
 * once: a late timer must not show as a burst. */
static int64_t hold_back(struct aftp_throttle *t, uint64_t now_ns)
{
	int64_t lost = spill(t, now_ns);
	int64_t most = bytes_to_ns(throttle_wait_quantum(t), t->limit) + SLACK_NS;
	int64_t extra = (int64_t)now_ns - t->paid_ns - most;

	if (extra <= 0)
		return lost;
	t->paid_ns += extra;
	return lost + extra;
}

/* What was held back is owed. It comes as a rebate of at most a quarter of the time that goes by; not as credit,
 * which a full bucket could not hold. */
void throttle_late(struct aftp_throttle *t, uint64_t now_ns)
{
	int64_t since = (int64_t)now_ns - t->late_ns;
	int64_t lost;

	if (t->limit == 0)
		return;
	lost = min_ns(hold_back(t, now_ns), OWED_MAX_NS);
	t->rebate_ns = min_ns(t->owed_ns, min_ns(since, t->depth_ns) / 4);
	t->owed_ns = min_ns(t->owed_ns - t->rebate_ns + lost, OWED_MAX_NS);
	t->late_ns = (int64_t)now_ns;
}

/* --- pairs ---------------------------------------------------------------------------------------- */

int aftp_stream_throttle_from_limits(
	struct aftp_stream_throttle *out, uv_loop_t *loop, uint64_t read_bps, uint64_t write_bps)
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
