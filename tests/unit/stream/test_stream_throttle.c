#include "pair.h"

#define MS 1000000ull

/* Made-up time: a timer moves it on by a millisecond for each millisecond of the loop's, however slow the machine
 * is. */
struct clock {
	struct pair *p;
	uv_timer_t timer;
	uint64_t now;
};

static uint64_t clock_now(void *arg)
{
	return ((struct clock *)arg)->now;
}

static void clock_tick(uv_timer_t *timer)
{
	struct clock *c = timer->data;

	c->now += MS;
}

static void clock_start(struct clock *c, struct pair *p)
{
	*c = (struct clock){ .p = p, .now = 1000000 * MS };
	uv_timer_init(&p->loop, &c->timer);
	c->timer.data = c;
	uv_timer_start(&c->timer, clock_tick, 1, 1);
}

static void clock_stop(struct clock *c)
{
	uv_close((uv_handle_t *)&c->timer, NULL);
	pair_turn(c->p, 2);
}

static void limits(struct aftp_stream_throttle *st, struct clock *c, uint64_t read, uint64_t write)
{
	assert_int_equal(aftp_stream_throttle_from_limits(st, &c->p->loop, read, write), 0);
	aftp_throttle_set_clock(st->read, clock_now, c);
	aftp_throttle_set_clock(st->write, clock_now, c);
}

static void test_names(void **state)
{
	struct pair *p = *state;
	struct aftp_stream_throttle st;
	const struct aftp_stream_throttle *got;
	char name[] = "n0";

	assert_int_equal(aftp_stream_throttle_from_limits(&st, &p->loop, 10, 20), 0);
	assert_null(aftp_stream_get_throttle(p->a, "one"));
	assert_int_equal(aftp_stream_remove_throttle(p->a, "one"), AFTP_ENOENT);
	assert_int_equal(aftp_stream_add_throttle(p->a, "a name of more than thirty-one bytes", &st), AFTP_EINVAL);
	for (int i = 0; i < 8; i++, name[1]++)
		assert_int_equal(aftp_stream_add_throttle(p->a, name, &st), 0);
	assert_int_equal(aftp_stream_add_throttle(p->a, "ninth", &st), AFTP_ETOOBIG);
	assert_int_equal(aftp_stream_add_throttle(p->a, "n3", &(struct aftp_stream_throttle){ .read = st.read }), 0);
	got = aftp_stream_get_throttle(p->a, "n3");
	assert_ptr_equal(got->read, st.read);
	assert_null(got->write);
	assert_int_equal(aftp_stream_remove_throttle(p->a, "n3"), 0);
	assert_null(aftp_stream_get_throttle(p->a, "n3"));
	assert_non_null(aftp_stream_get_throttle(p->a, "n7"));
	assert_int_equal(aftp_stream_add_throttle(p->a, "ninth", &st), 0);
	aftp_stream_throttle_unref(&st); /* the streams hold their own */
	assert_int_equal(aftp_throttle_limit(aftp_stream_get_throttle(p->a, "ninth")->write), 20);
}

static void test_foreign_loop_is_refused(void **state)
{
	struct pair *p = *state;
	struct aftp_stream_throttle st;
	uv_loop_t other;

	assert_int_equal(uv_loop_init(&other), 0);
	assert_int_equal(aftp_stream_throttle_from_limits(&st, &other, 10, 20), 0);
	assert_int_equal(aftp_stream_add_throttle(p->a, "x", &st), AFTP_EINVAL);
	assert_null(aftp_stream_get_throttle(p->a, "x"));
	aftp_stream_throttle_unref(&st);
	assert_int_equal(uv_loop_close(&other), 0);
}

/* What moved in the time that went by is what the limit says: not more at any time, and not much less in the end. */
static void check_rate(struct clock *c, uint64_t from, uint64_t moved, uint64_t limit)
{
	double ideal = (double)limit * (double)(c->now - from) / 1e9;

	assert_false(c->p->late);
	assert_true((double)moved <= ideal + (double)limit / 100 + 1);
	if (c->now - from > 150 * MS)
		assert_true((double)moved >= ideal * 0.9);
}

static void test_reading_keeps_the_limit(void **state)
{
	enum { SIZE = 500000, LIMIT = 1000000 };
	struct pair *p = *state;
	struct sink k = { .p = p, .cap = SIZE, .lend = 1 << 20 };
	struct answer sent = { .p = p };
	struct aftp_stream_throttle st;
	struct clock c;
	char *all = malloc(SIZE);
	uint64_t from;

	k.data = malloc(SIZE);
	pattern(all, SIZE, 0);
	clock_start(&c, p);
	limits(&st, &c, LIMIT, 0);
	assert_int_equal(aftp_stream_add_throttle(p->b, "x", &st), 0);
	aftp_stream_set_timeouts(p->b, -1, 1000, -1, -1);
	from = c.now;
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->a, all, SIZE, on_status, &sent)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_start(p->b, sink_lend, sink_data, &k)), 0);
	while (k.len < 300000 && !p->late) {
		uv_run(&p->loop, UV_RUN_ONCE);
		check_rate(&c, from, k.len, LIMIT);
	}
	aftp_throttle_set_limit(st.read, 0); /* and the rest at once */
	from = c.now;
	PAIR_UNTIL(p, k.len == SIZE);
	assert_true(c.now - from < 100 * MS);
	assert_memory_equal(k.data, all, SIZE);
	aftp_stream_throttle_unref(&st);
	clock_stop(&c);
	free(all);
	free(k.data);
}

static void test_writing_keeps_the_limit(void **state)
{
	enum { SIZE = 300000, LIMIT = 1000000 };
	struct pair *p = *state;
	struct sink k = { .p = p, .cap = SIZE, .lend = 1 << 20 };
	struct answer sent = { .p = p }, shut = { .p = p };
	struct aftp_stream_throttle fast, slow;
	struct clock c;
	char *all = malloc(SIZE);
	uint64_t from;

	k.data = malloc(SIZE);
	pattern(all, SIZE, 0);
	clock_start(&c, p);
	limits(&fast, &c, 0, LIMIT * 100);
	limits(&slow, &c, 0, LIMIT);
	assert_int_equal(aftp_stream_add_throttle(p->a, "fast", &fast), 0);
	assert_int_equal(aftp_stream_add_throttle(p->a, "slow", &slow), 0);
	from = c.now;
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->a, all, SIZE, on_status, &sent)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_start(p->b, sink_lend, sink_data, &k)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_shutdown(p->a, on_status, &shut)), 0);
	while (k.len < SIZE && k.ends == 0 && !p->late) {
		uv_run(&p->loop, UV_RUN_ONCE);
		check_rate(&c, from, aftp_stream_bytes_written(p->a), LIMIT);
	}
	assert_int_equal(k.len, SIZE);
	PAIR_UNTIL(p, sent.calls && shut.calls);
	assert_int_equal(shut.status, 0);
	assert_memory_equal(k.data, all, SIZE);
	aftp_stream_throttle_unref(&fast);
	aftp_stream_throttle_unref(&slow);
	clock_stop(&c);
	free(all);
	free(k.data);
}

struct second_pair {
	struct aftp_stream *a, *b;
};

static void connect_second(struct pair *p, struct second_pair *q)
{
	struct aftp_stream *a = p->a, *b = p->b;

	p->b = NULL;
	pair_connect(p);
	*q = (struct second_pair){ p->a, p->b };
	p->a = a;
	p->b = b;
}

/* Two streams, one throttle: together they get the limit, and each about half of it. */
static void test_streams_share(void **state)
{
	enum { SIZE = 4000000, LIMIT = 1000000 };
	struct pair *p = *state;
	struct second_pair q;
	struct sink k1 = { .p = p, .cap = SIZE, .lend = 1 << 20 }, k2 = { .p = p, .cap = SIZE, .lend = 3000 };
	struct answer s1 = { .p = p }, s2 = { .p = p };
	struct aftp_stream_throttle st;
	struct clock c;
	char *all = calloc(1, SIZE);
	uint64_t from;

	k1.data = malloc(SIZE);
	k2.data = malloc(SIZE);
	connect_second(p, &q);
	clock_start(&c, p);
	limits(&st, &c, LIMIT, 0);
	assert_int_equal(aftp_stream_add_throttle(p->b, "x", &st), 0);
	assert_int_equal(aftp_stream_add_throttle(q.b, "y", &st), 0);
	from = c.now;
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->a, all, SIZE, on_status, &s1)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(q.a, all, SIZE, on_status, &s2)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_start(p->b, sink_lend, sink_data, &k1)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_start(q.b, sink_lend, sink_data, &k2)), 0);
	while (k1.len + k2.len < 400000 && !p->late) {
		uv_run(&p->loop, UV_RUN_ONCE);
		check_rate(&c, from, k1.len + k2.len, LIMIT);
	}
	assert_in_range(k1.len, 120000, 280000);
	/* One that goes leaves all of it to the other. */
	aftp_stream_close(&q.b, true, NULL, NULL);
	from = c.now;
	s1.calls = 0;
	k2.len = k1.len;
	while (k1.len - k2.len < 300000 && !p->late) {
		uv_run(&p->loop, UV_RUN_ONCE);
		check_rate(&c, from, k1.len - k2.len, LIMIT);
	}
	aftp_stream_close(&q.a, true, NULL, NULL);
	aftp_stream_close(&p->a, true, on_closed_count, p);
	PAIR_UNTIL(p, p->closed && s2.calls == 1);
	aftp_stream_throttle_unref(&st);
	clock_stop(&c);
	free(all);
	free(k1.data);
	free(k2.data);
}

/* Waiting for a throttle is nobody's fault: the limits stand still. And a throttle that is taken off lets go at
 * once. */
static void test_waiting_is_not_a_timeout(void **state)
{
	struct pair *p = *state;
	struct answer got = { .p = p }, sent = { .p = p };
	struct aftp_stream_throttle st;
	struct clock c;
	char buf[5];

	clock_start(&c, p);
	limits(&st, &c, 1, 1);
	aftp_throttle_charge(st.read, 1000, c.now);
	aftp_throttle_charge(st.write, 1000, c.now);
	assert_int_equal(aftp_stream_add_throttle(p->b, "x", &st), 0);
	aftp_stream_set_timeouts(p->b, -1, 50, 50, -1);
	pair_send(p, p->a, "hello");
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_exactly(p->b, buf, 5, on_bytes, &got)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->b, "hello", 5, on_status, &sent)), 0);
	pair_run_for(p, 200);
	assert_int_equal(got.calls + sent.calls, 0);
	assert_int_equal(aftp_stream_bytes_read(p->b), 0);
	PAIR_CALL(p, aftp_stream_remove_throttle(p->b, "x"));
	PAIR_UNTIL(p, got.calls && sent.calls);
	assert_string_equal(got.line, "hello");
	assert_int_equal(sent.status, 0);
	aftp_stream_throttle_unref(&st);
	clock_stop(&c);
}

static void test_closing_while_waiting(void **state)
{
	struct pair *p = *state;
	struct answer got = { .p = p }, sent = { .p = p };
	struct aftp_stream_throttle st;
	struct clock c;
	char buf[5];

	clock_start(&c, p);
	limits(&st, &c, 1, 1);
	aftp_throttle_charge(st.read, 1000, c.now);
	aftp_throttle_charge(st.write, 1000, c.now);
	assert_int_equal(aftp_stream_add_throttle(p->b, "x", &st), 0);
	aftp_stream_throttle_unref(&st);
	pair_send(p, p->a, "hello");
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_exactly(p->b, buf, 5, on_bytes, &got)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->b, "hello", 5, on_status, &sent)), 0);
	pair_turn(p, 5);
	PAIR_CALL(p, (aftp_stream_close(&p->b, false, on_closed_count, p), 0));
	PAIR_UNTIL(p, p->closed);
	assert_int_equal(got.calls, 1);
	assert_int_equal(got.n, AFTP_ECANCELED);
	assert_int_equal(sent.calls, 1);
	assert_int_equal(sent.status, AFTP_ECANCELED);
	clock_stop(&c);
}

struct meter {
	uint64_t bytes;
};

static void meter_count(void *arg, uint64_t n, uint64_t total, uint64_t now_ns)
{
	struct meter *m = arg;

	(void)now_ns;
	m->bytes += n;
	assert_int_equal(total, m->bytes);
}

static void test_observers_see_every_byte(void **state)
{
	struct pair *p = *state;
	struct aftp_stream_throttle st;
	struct meter in = { 0 }, out = { 0 };
	struct answer got = { .p = p };
	char buf[16];

	assert_int_equal(aftp_stream_throttle_from_limits(&st, &p->loop, 0, 0), 0);
	aftp_throttle_observe(st.read, meter_count, &in);
	aftp_throttle_observe(st.write, meter_count, &out);
	assert_int_equal(aftp_stream_add_throttle(p->b, "x", &st), 0);
	pair_send(p, p->a, "line\nmore");
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_line(p->b, 80, on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 1);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, buf, 16, on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 2);
	assert_string_equal(got.line, "more");
	pair_send(p, p->b, "seven b");
	assert_int_equal(in.bytes, 9); /* each byte once, also what was read ahead */
	assert_int_equal(out.bytes, 7);
	aftp_stream_throttle_unref(&st);
}

#define T(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_names),
		T(test_foreign_loop_is_refused),
		T(test_reading_keeps_the_limit),
		T(test_writing_keeps_the_limit),
		T(test_streams_share),
		T(test_waiting_is_not_a_timeout),
		T(test_closing_while_waiting),
		T(test_observers_see_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
