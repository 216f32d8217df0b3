/* Every way of reading and writing waits for a throttle, and every change of the throttles wakes it. */
#include "pair.h"

enum way { SOME, EXACTLY, LINE, ALL, EACH_LINE, EACH_BLOCK, PUSH, WRITE, WAYS };
enum change { REMOVE, REPLACE, REPLACE_BY_NONE, NO_LIMIT, HIGH_LIMIT, CHANGES };

static const char text[] = "twelve bytes";

struct mover {
	struct pair *p;
	unsigned calls;
	char buf[64];
};

static void on_read(void *arg, ssize_t n, const char *data)
{
	struct mover *m = arg;

	(void)data;
	assert_false(m->p->calling);
	assert_true(n > 0);
	m->calls++;
}

static enum aftp_next on_each(void *arg, ssize_t n, const char *data)
{
	on_read(arg, n, data);
	return AFTP_STOP;
}

static char *lend(void *arg, size_t *len)
{
	*len = sizeof((struct mover *)arg)->buf;
	return ((struct mover *)arg)->buf;
}

static void landed(void *arg, ssize_t n)
{
	on_read(arg, n, NULL);
	aftp_stream_read_stop(((struct mover *)arg)->p->b);
}

static void on_written(void *arg, int status)
{
	on_read(arg, status == 0 ? 1 : status, NULL);
}

static void begin(struct pair *p, struct mover *m, enum way way)
{
	struct aftp_stream *s = p->b;
	int rc = AFTP_EINVAL;

	p->calling = true;
	switch (way) {
	case SOME: rc = aftp_stream_read(s, m->buf, sizeof m->buf, on_read, m); break;
	case EXACTLY: rc = aftp_stream_read_exactly(s, m->buf, 12, on_read, m); break;
	case LINE: rc = aftp_stream_read_line(s, 100, on_read, m); break;
	case ALL: rc = aftp_stream_read_all(s, 100, on_read, m); break;
	case EACH_LINE: rc = aftp_stream_each_line(s, 100, on_each, m); break;
	case EACH_BLOCK: rc = aftp_stream_each_block(s, 100, on_each, m); break;
	case PUSH: rc = aftp_stream_read_start(s, lend, landed, m); break;
	case WRITE: rc = aftp_stream_write(s, text, 12, on_written, m); break;
	case WAYS: break;
	}
	p->calling = false;
	assert_int_equal(rc, 0);
}

static void make(struct aftp_stream_throttle *st, struct pair *p, uint64_t limit)
{
	assert_int_equal(aftp_stream_throttle_from_limits(st, &p->loop, limit, limit), 0);
}

static void change(struct pair *p, struct aftp_stream_throttle *st, enum change how)
{
	const struct aftp_stream_throttle none = { 0 };
	struct aftp_stream_throttle fresh;

	switch (how) {
	case REMOVE: assert_int_equal(aftp_stream_remove_throttle(p->b, "slow"), 0); break;
	case REPLACE:
		make(&fresh, p, 1000000000);
		assert_int_equal(aftp_stream_add_throttle(p->b, "slow", &fresh), 0);
		aftp_stream_throttle_unref(&fresh);
		break;
	case REPLACE_BY_NONE: assert_int_equal(aftp_stream_add_throttle(p->b, "slow", &none), 0); break;
	case NO_LIMIT:
		aftp_throttle_set_limit(st->read, 0);
		aftp_throttle_set_limit(st->write, 0);
		break;
	case HIGH_LIMIT:
		aftp_throttle_set_limit(st->read, UINT64_C(1000000000000000));
		aftp_throttle_set_limit(st->write, UINT64_C(1000000000000000));
		break;
	case CHANGES: break;
	}
}

/* In debt for a thousand years. */
static void one(enum way way, enum change how)
{
	struct aftp_stream_throttle slow, idle;
	struct mover m = { 0 };
	struct pair *p;
	void *state;

	assert_int_equal(pair_setup(&state), 0);
	p = m.p = state;
	make(&slow, p, 1);
	make(&idle, p, 1000000000);
	aftp_throttle_charge(slow.read, UINT64_C(30000000000), uv_hrtime());
	aftp_throttle_charge(slow.write, UINT64_C(30000000000), uv_hrtime());
	assert_int_equal(aftp_stream_add_throttle(p->b, "idle", &idle), 0);
	assert_int_equal(aftp_stream_add_throttle(p->b, "slow", &slow), 0);
	pair_send(p, p->a, text);
	if (way == ALL || way == LINE || way == EACH_LINE)
		pair_fin(p, p->a);
	begin(p, &m, way);
	pair_run_for(p, 10);
	assert_int_equal(m.calls, 0);
	p->calling = true;
	change(p, &slow, how);
	p->calling = false;
	PAIR_UNTIL(p, m.calls);
	pair_turn(p, 3);
	assert_int_equal(m.calls, 1);
	aftp_stream_throttle_unref(&slow);
	aftp_stream_throttle_unref(&idle);
	assert_int_equal(pair_teardown(&state), 0);
}

static void test_every_change_wakes_every_way(void **state)
{
	(void)state;
	for (int way = 0; way < WAYS; way++)
		for (int how = 0; how < CHANGES; how++)
			one((enum way)way, (enum change)how);
}

/* One that comes in the middle holds what has not moved yet. */
static void test_added_in_the_middle(void **state)
{
	struct pair *p = *state;
	struct aftp_stream_throttle slow;
	struct answer got = { .p = p };
	char buf[8];

	pair_send(p, p->a, text);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, buf, 4, on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 1);
	make(&slow, p, 1);
	aftp_throttle_charge(slow.read, UINT64_C(30000000000), uv_hrtime());
	assert_int_equal(aftp_stream_add_throttle(p->b, "slow", &slow), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, buf, 4, on_bytes, &got)), 0);
	pair_run_for(p, 20);
	assert_int_equal(got.calls, 1);
	assert_int_equal(aftp_stream_remove_throttle(p->b, "slow"), 0);
	PAIR_UNTIL(p, got.calls == 2);
	assert_string_equal(got.line, "ve b");
	aftp_stream_throttle_unref(&slow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_change_wakes_every_way),
		cmocka_unit_test_setup_teardown(test_added_in_the_middle, pair_setup, pair_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
