#include "throttle_fixture.h"

static const uint64_t limits[] = { 7, 100, 999, 10 * KB, 12345, MB, 3333333, 100 * MB, GB, 10 * GB };
#define N_LIMITS (sizeof(limits) / sizeof(limits[0]))

/* --- arithmetic ----------------------------------------------------------------------------------- */

static void test_no_limit(void **state)
{
	struct fixture *f = *state;
	struct aftp_throttle *t = make(f, 0, 0);

	assert_int_equal(aftp_throttle_allow(t, UINT64_MAX, f->now), UINT64_MAX);
	aftp_throttle_charge(t, 100 * GB, f->now);
	assert_int_equal(aftp_throttle_allow(t, 5, f->now), 5);
	assert_int_equal(aftp_throttle_delay(t, 5, f->now), 0);
	aftp_throttle_unref(t);
	aftp_throttle_unref(NULL);
}

static void test_default_burst(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < N_LIMITS; i++) {
		struct aftp_throttle *t = make(f, limits[i], 0);
		uint64_t burst = limits[i] / 100 > 0 ? limits[i] / 100 : 1;

		assert_int_equal(empty_bucket(t, f->now), burst);
		assert_int_equal(aftp_throttle_allow(t, 1, f->now), 0);
		aftp_throttle_unref(t);
	}
}

/* However long nobody moved a byte: the burst is all there is. */
static void test_idle_buys_the_burst(void **state)
{
	static const uint64_t idle[] = { 20 * MS, SECOND, 3600 * SECOND, 30 * 24 * 3600 * SECOND };
	static const uint64_t bursts[] = { 1, 64, 4096, MB };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bursts) / sizeof(bursts[0]); i++) {
		for (size_t k = 0; k < sizeof(idle) / sizeof(idle[0]); k++) {
			struct aftp_throttle *t = make(f, 2 * MB, bursts[i]);
			uint64_t now = f->now, got;

			empty_bucket(t, now);
			now += idle[k];
			got = empty_bucket(t, now);
			assert_true(got <= bursts[i]);
			if (idle[k] >= SECOND)
				assert_int_equal(got, bursts[i]);
			assert_int_equal(aftp_throttle_allow(t, 1, now), 0);
			aftp_throttle_unref(t);
		}
	}
}

/* What delay() promises holds: not a nanosecond earlier, and then for sure. */
static void test_delay_is_exact(void **state)
{
	static const uint64_t wants[] = { 1, 2, 3, 17, 1000, 65536, UINT64_MAX };
	struct fixture *f = *state;

	for (size_t i = 0; i < N_LIMITS; i++) {
		struct aftp_throttle *t = make(f, limits[i], 0);
		uint64_t now = f->now;

		for (size_t k = 0; k < 1000; k++) {
			uint64_t want = wants[k % 7];
			uint64_t due = want < t->depth ? want : t->depth;
			uint64_t delay = aftp_throttle_delay(t, want, now);

			if (delay > 0)
				assert_true(aftp_throttle_allow(t, want, now + delay - 1) < due);
			now += delay;
			assert_int_equal(aftp_throttle_delay(t, want, now), 0);
			assert_int_equal(aftp_throttle_allow(t, want, now), due);
			aftp_throttle_charge(t, due, now);
		}
		aftp_throttle_unref(t);
	}
}

/* No rounding adds up: single bytes, as soon as they are due, for as many as can be counted. */
static void test_no_drift(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < N_LIMITS; i++) {
		struct aftp_throttle *t = make(f, limits[i], 0);
		uint64_t now = f->now, n = 200000;
		double ideal;

		empty_bucket(t, now);
		for (uint64_t k = 0; k < n; k++) {
			now += aftp_throttle_delay(t, 1, now);
			assert_int_equal(aftp_throttle_allow(t, 1, now), 1);
			aftp_throttle_charge(t, 1, now);
		}
		ideal = (double)n * 1e9 / (double)limits[i];
		assert_true((double)(now - f->now) < ideal * 1.0001 + 2);
		assert_true((double)(now - f->now) > ideal * 0.9999 - 2);
		aftp_throttle_unref(t);
	}
}

static void test_debt_is_paid(void **state)
{
	struct fixture *f = *state;
	struct aftp_throttle *t = make(f, MB, 1000);

	empty_bucket(t, f->now);
	aftp_throttle_charge(t, MB, f->now); /* moved without having been allowed */
	assert_int_equal(aftp_throttle_allow(t, 1, f->now + SECOND - MS), 0);
	assert_int_equal(aftp_throttle_delay(t, 1, f->now), SECOND + 1000);
	assert_int_equal(aftp_throttle_allow(t, 5, f->now + SECOND + 5000), 5);
	aftp_throttle_unref(t);
}

static void test_extremes(void **state)
{
	struct fixture *f = *state;
	struct aftp_throttle *slow = make(f, 1, UINT64_MAX), *fast = make(f, UINT64_MAX, UINT64_MAX);

	assert_true(aftp_throttle_allow(slow, 100, f->now) == 100);
	aftp_throttle_charge(slow, UINT64_MAX, f->now);
	aftp_throttle_charge(slow, UINT64_MAX, f->now);
	assert_int_equal(aftp_throttle_allow(slow, 1, f->now), 0);
	assert_true(aftp_throttle_delay(slow, UINT64_MAX, f->now) > 3600 * SECOND);
	assert_int_equal(aftp_throttle_allow(fast, UINT64_MAX, f->now + SECOND), UINT64_MAX);
	aftp_throttle_unref(slow);
	aftp_throttle_unref(fast);
}

/* --- a stream of grants --------------------------------------------------------------------------- */

struct grant {
	uint64_t at, n;
};

struct run {
	struct grant *grants;
	size_t n;
	uint64_t total, largest;
};

/* A greedy consumer behind a timer that counts in whole milliseconds and comes late: by up to `late` ns, and
 * every hundredth time by `hiccup`. */
static void consume(
	struct run *r, struct aftp_throttle *t, uint64_t from, uint64_t until, uint64_t late, uint64_t hiccup)
{
	uint64_t quantum = throttle_wait_quantum(t);
	uint64_t now = from;
	unsigned seed = 1;

	r->grants = calloc((until - from) / MS + 2, sizeof(*r->grants));
	assert_non_null(r->grants);
	for (;;) {
		uint64_t delay = aftp_throttle_delay(t, quantum, now);
		uint64_t n;

		if (delay > 0) {
			now = (now / MS + (delay + MS - 1) / MS) * MS + (late > 0 ? (unsigned)rand_r(&seed) % late : 0);
			now += hiccup > 0 && rand_r(&seed) % 100 == 0 ? hiccup : 0;
			if (aftp_throttle_delay(t, quantum, now) > 0)
				continue;
		}
		if (now >= until)
			return;
		throttle_late(t, now);
		n = aftp_throttle_allow(t, UINT64_MAX, now);
		aftp_throttle_charge(t, n, now);
		r->grants[r->n++] = (struct grant){ now, n };
		r->total += n;
		r->largest = n > r->largest ? n : r->largest;
	}
}

/* The most that any window of 10 ms carried. */
static uint64_t worst_window(const struct run *r)
{
	uint64_t worst = 0, sum = 0;

	for (size_t i = 0, k = 0; i < r->n; i++) {
		sum += r->grants[i].n;
		while (r->grants[k].at + 10 * MS <= r->grants[i].at)
			sum -= r->grants[k++].n;
		worst = sum > worst ? sum : worst;
	}
	return worst;
}

static void check_run(struct fixture *f, uint64_t limit, uint64_t late, uint64_t hiccup)
{
	struct aftp_throttle *t = make(f, limit, 0);
	struct run r = { 0 };
	double ideal = 5 * (double)limit, bound;
	double turn = 0.0035 * (double)limit + 1; /* a quantum, and a timer's slack */

	empty_bucket(t, f->now);
	consume(&r, t, f->now, f->now + 5 * SECOND, late, hiccup);
	assert_true((double)r.total > ideal * 0.99 - 1);
	assert_true((double)r.total < ideal * 1.01 + 1);
	assert_true((double)r.largest <= turn);
	/* What is being made up may add a quarter to the first grant, too. */
	bound = 1.25 * (double)limit / 100 + (hiccup > 0 ? 1.25 : 1) * turn;
	assert_true((double)worst_window(&r) <= bound);
	free(r.grants);
	aftp_throttle_unref(t);
}

static void test_average_and_windows(void **state)
{
	for (size_t i = 0; i < N_LIMITS; i++)
		check_run(*state, limits[i], MS, 0);
}

/* A busy machine wakes us late, by more than the burst covers: the average stands, and no window shows the making
 * up. */
static void test_average_on_a_busy_machine(void **state)
{
	for (size_t i = 0; i < N_LIMITS; i++) {
		if (limits[i] >= 10 * KB) /* below, a turn is a few bytes, and they cannot be cut */
			check_run(*state, limits[i], 2 * MS, 25 * MS);
	}
}

/* What late timers cost is made up for while somebody waits; who goes away takes nothing of it along. */
static void test_nothing_is_owed_after_a_pause(void **state)
{
	struct fixture *f = *state;
	struct aftp_throttle *t = make(f, MB, 0);
	struct run r = { 0 };

	empty_bucket(t, f->now);
	throttle_late(t, f->now + 200 * MS);
	assert_true(t->owed_ns > (int64_t)(100 * MS));
	aftp_throttle_charge(t, 1, f->now + 10 * SECOND);
	aftp_throttle_charge(t, aftp_throttle_allow(t, MB, f->now + 10 * SECOND), f->now + 10 * SECOND);
	consume(&r, t, f->now + 10 * SECOND, f->now + 11 * SECOND, 0, 0);
	assert_in_range(r.total, 990 * KB, 1000 * KB);
	free(r.grants);
	aftp_throttle_unref(t);
}

/* --- settings ------------------------------------------------------------------------------------- */

static void test_clone_has_no_memory(void **state)
{
	struct fixture *f = *state;
	struct aftp_throttle *t = make(f, MB, 500), *c;

	aftp_throttle_charge(t, 50 * MB, f->now);
	assert_int_equal(aftp_throttle_clone(&c, t), 0);
	assert_int_equal(aftp_throttle_limit(c), MB);
	assert_int_equal(aftp_throttle_allow(c, UINT64_MAX, f->now), 500);
	aftp_throttle_set_limit(c, 5);
	assert_int_equal(aftp_throttle_limit(t), MB);
	aftp_throttle_unref(t);
	aftp_throttle_unref(c);
}

static void test_changed_limit(void **state)
{
	struct fixture *f = *state;
	struct aftp_throttle *t = make(f, KB, 100);

	empty_bucket(t, f->now);
	aftp_throttle_charge(t, 1000, f->now); /* a debt of a second */
	aftp_throttle_set_limit(t, MB);        /* the same debt is a millisecond now */
	assert_int_equal(aftp_throttle_allow(t, 1, f->now), 0);
	assert_int_equal(aftp_throttle_allow(t, 100, f->now + MS + 100000), 100);
	aftp_throttle_set_limit(t, 0);
	assert_int_equal(aftp_throttle_allow(t, GB, f->now), GB);
	aftp_throttle_set_limit(t, KB); /* a limit anew starts without credit */
	assert_int_equal(aftp_throttle_allow(t, GB, f->now), 0);
	assert_int_equal(aftp_throttle_allow(t, GB, f->now + 10 * MS), 10);
	aftp_throttle_unref(t);
}

struct observed {
	uint64_t n, total, now;
	int calls;
};

static void observe(void *arg, uint64_t n, uint64_t total, uint64_t now_ns)
{
	struct observed *o = arg;

	*o = (struct observed){ .n = n, .total = total, .now = now_ns, .calls = o->calls + 1 };
}

static void test_observer(void **state)
{
	struct fixture *f = *state;
	struct aftp_throttle *t = make(f, 0, 0);
	struct observed o = { 0 };

	aftp_throttle_charge(t, 10, f->now);
	aftp_throttle_observe(t, observe, &o);
	aftp_throttle_charge(t, 5, f->now + 7);
	assert_int_equal(o.n, 5);
	assert_int_equal(o.total, 15);
	assert_int_equal(o.now, f->now + 7);
	aftp_throttle_observe(t, NULL, NULL);
	aftp_throttle_charge(t, 5, f->now);
	assert_int_equal(o.calls, 1);
	aftp_throttle_unref(t);
}

static void test_pairs(void **state)
{
	struct fixture *f = *state;
	struct aftp_stream_throttle st, clone, one = { 0 };

	assert_int_equal(aftp_stream_throttle_from_limits(&st, &f->loop, 10 * KB, 0), 0);
	assert_int_equal(aftp_throttle_limit(st.read), 10 * KB);
	assert_int_equal(aftp_throttle_limit(st.write), 0);
	assert_int_equal(aftp_stream_throttle_clone(&clone, &st), 0);
	assert_ptr_not_equal(clone.read, st.read);
	assert_int_equal(aftp_throttle_limit(clone.read), 10 * KB);
	one.read = aftp_throttle_ref(st.read);
	aftp_stream_throttle_unref(&clone);
	assert_int_equal(aftp_stream_throttle_clone(&clone, &one), 0);
	assert_null(clone.write);
	aftp_stream_throttle_unref(&clone);
	aftp_stream_throttle_unref(&one);
	aftp_stream_throttle_unref(&st);
	assert_null(st.read);
	aftp_stream_throttle_unref(&st);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_no_limit),
		T(test_default_burst),
		T(test_idle_buys_the_burst),
		T(test_delay_is_exact),
		T(test_no_drift),
		T(test_debt_is_paid),
		T(test_extremes),
		T(test_average_and_windows),
		T(test_average_on_a_busy_machine),
		T(test_nothing_is_owed_after_a_pause),
		T(test_clone_has_no_memory),
		T(test_changed_limit),
		T(test_observer),
		T(test_pairs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
