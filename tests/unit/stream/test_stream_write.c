#include "pair.h"

static void test_write_is_one_at_a_time(void **state)
{
	struct pair *p = *state;
	struct answer sent = { .p = p }, got = { .p = p };
	char buf[32];

	assert_int_equal(aftp_stream_write(p->a, NULL, 1, on_status, &sent), AFTP_EINVAL);
	assert_int_equal(aftp_stream_write(p->a, "x", 1, NULL, NULL), AFTP_EINVAL);
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->a, "abc", 3, on_status, &sent)), 0);
	assert_int_equal(aftp_stream_write(p->a, "x", 1, on_status, &sent), AFTP_EBUSY);
	PAIR_UNTIL(p, sent.calls);
	assert_int_equal(sent.status, 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->a, NULL, 0, on_status, &sent)), 0);
	PAIR_UNTIL(p, sent.calls == 2);
	assert_int_equal(sent.status, 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, buf, sizeof(buf), on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls);
	assert_string_equal(got.line, "abc");
	pair_turn(p, 3);
	assert_int_equal(sent.calls, 2);
}

static void test_big_write_to_a_slow_reader(void **state)
{
	enum { SIZE = 8 * 1024 * 1024 };
	struct pair *p = *state;
	struct sink k = { .p = p, .cap = SIZE, .lend = 65536, .pause_at = 65536 };
	struct answer sent = { .p = p };
	char *all = malloc(SIZE);

	k.data = malloc(SIZE);
	pattern(all, SIZE, 0);
	assert_int_equal(aftp_stream_set_buffers(p->b, 32768, 0), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->a, all, SIZE, on_status, &sent)), 0);
	pair_turn(p, 10);
	assert_int_equal(sent.calls, 0); /* the kernel cannot have it all */
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_start(p->b, sink_lend, sink_data, &k)), 0);
	while (k.len < SIZE) {
		int pauses = k.pauses;

		PAIR_UNTIL(p, k.pauses > pauses || k.len == SIZE);
		k.pause_at += 65536;
		aftp_stream_resume(p->b);
	}
	PAIR_UNTIL(p, sent.calls);
	assert_int_equal(sent.status, 0);
	assert_memory_equal(all, k.data, SIZE);
	assert_int_equal(aftp_stream_bytes_written(p->a), SIZE);
	free(all);
	free(k.data);
}

/* However much room its buffer has. */
static void test_little_waits_in_the_kernel(void **state)
{
	enum { SIZE = 8 * 1024 * 1024 };
	struct pair *p = *state;
	struct answer sent = { .p = p };
	char *all = calloc(1, SIZE);

	assert_int_equal(aftp_stream_set_buffers(p->a, 0, SIZE), 0);
	assert_int_equal(aftp_stream_set_buffers(p->b, 32768, 0), 0);
	assert_int_equal(aftp_stream_set_unsent(p->a, 65536), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->a, all, SIZE, on_status, &sent)), 0);
	pair_turn(p, 100);
	assert_in_range(aftp_stream_bytes_written(p->a), 1, 1000000);
	aftp_stream_close(&p->a, true, NULL, NULL);
	PAIR_UNTIL(p, sent.calls);
	free(all);
}

/* Both sides send more than fits, and both read: neither may hold up the other. */
static void test_both_ways_at_once(void **state)
{
	enum { SIZE = 4 * 1024 * 1024 };
	struct pair *p = *state;
	struct sink ka = { .p = p, .cap = SIZE, .lend = 1 << 20 }, kb = { .p = p, .cap = SIZE, .lend = 9999 };
	struct answer sa = { .p = p }, sb = { .p = p };
	char *all = malloc(SIZE + 1);

	ka.data = malloc(SIZE);
	kb.data = malloc(SIZE);
	pattern(all, SIZE + 1, 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->a, all, SIZE, on_status, &sa)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->b, all + 1, SIZE, on_status, &sb)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_start(p->a, sink_lend, sink_data, &ka)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_start(p->b, sink_lend, sink_data, &kb)), 0);
	PAIR_UNTIL(p, sa.calls && sb.calls && ka.len == SIZE && kb.len == SIZE);
	assert_memory_equal(kb.data, all, SIZE);
	assert_memory_equal(ka.data, all + 1, SIZE);
	free(all);
	free(ka.data);
	free(kb.data);
}

static void test_half_close_both_ways(void **state)
{
	struct pair *p = *state;
	struct answer got = { .p = p }, shut = { .p = p };
	char buf[32];

	pair_send(p, p->a, "last");
	pair_fin(p, p->a);
	assert_int_equal(aftp_stream_write(p->a, "x", 1, on_status, &shut), -EPIPE);
	assert_int_equal(aftp_stream_shutdown(p->a, on_status, &shut), AFTP_EALREADY);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, buf, sizeof(buf), on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 1);
	assert_string_equal(got.line, "last");
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, buf, sizeof(buf), on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 2);
	assert_int_equal(got.n, AFTP_EOF);
	/* The other way is still open. */
	pair_send(p, p->b, "answer");
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->a, buf, sizeof(buf), on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 3);
	assert_string_equal(got.line, "answer");
	pair_fin(p, p->b);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->a, buf, sizeof(buf), on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 4);
	assert_int_equal(got.n, AFTP_EOF);
}

/* The end goes out behind the write that is under way, and both are answered, in order. */
static void test_shutdown_behind_a_write(void **state)
{
	enum { SIZE = 6 * 1024 * 1024 };
	struct pair *p = *state;
	struct sink k = { .p = p, .cap = SIZE + 1, .lend = 1 << 20 };
	struct answer sent = { .p = p }, shut = { .p = p };
	char *all = malloc(SIZE);

	k.data = malloc(SIZE + 1);
	pattern(all, SIZE, 5);
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->a, all, SIZE, on_status, &sent)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_shutdown(p->a, on_status, &shut)), 0);
	assert_int_equal(aftp_stream_shutdown(p->a, on_status, &shut), AFTP_EBUSY);
	pair_turn(p, 5);
	assert_int_equal(shut.calls, 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_start(p->b, sink_lend, sink_data, &k)), 0);
	PAIR_UNTIL(p, sent.calls);
	PAIR_UNTIL(p, shut.calls && k.ends);
	assert_int_equal(sent.status, 0);
	assert_int_equal(shut.status, 0);
	assert_int_equal(k.end, AFTP_EOF);
	assert_int_equal(k.len, SIZE);
	assert_memory_equal(k.data, all, SIZE);
	free(all);
	free(k.data);
}

static void test_write_to_the_dead(void **state)
{
	struct pair *p = *state;
	struct answer sent = { .p = p }, shut = { .p = p };
	int calls = 0, rc = 0;

	aftp_stream_close(&p->b, true, on_closed_count, p);
	PAIR_UNTIL(p, p->closed);
	/* Where it shows, in the call or in its answer, is the kernel's affair; it shows, and once. */
	while (rc == 0 && sent.status == 0) {
		rc = PAIR_CALL(p, aftp_stream_write(p->a, "x", 1, on_status, &sent));
		if (rc == 0) {
			calls++;
			PAIR_UNTIL(p, sent.calls == calls);
		}
	}
	assert_true(sent.status == AFTP_ECONNRESET || sent.status == -EPIPE);
	assert_int_equal(aftp_stream_write(p->a, "x", 1, on_status, &sent), sent.status);
	pair_turn(p, 3);
	assert_int_equal(sent.calls, calls);
	assert_int_equal(PAIR_CALL(p, aftp_stream_shutdown(p->a, on_status, &shut)), 0);
	PAIR_UNTIL(p, shut.calls);
	assert_true(shut.status < 0);
}

/* A byte goes to and fro: read and answered from inside callbacks. */
struct ping {
	struct pair *p;
	struct aftp_stream *s;
	int rounds;
	bool busy, owes; /* a byte is on its way; one has to follow it */
	char c;
};

static void ping_send(struct ping *g);

static void ping_sent(void *arg, int status)
{
	struct ping *g = arg;

	assert_false(g->p->calling);
	assert_true(status == 0 || status == AFTP_ECANCELED);
	g->busy = false;
	if (g->owes && status == 0)
		ping_send(g);
}

static void ping_send(struct ping *g)
{
	g->owes = g->busy;
	if (g->busy)
		return;
	g->busy = true;
	assert_int_equal(PAIR_CALL(g->p, aftp_stream_write(g->s, "p", 1, ping_sent, g)), 0);
}

static void ping_read(void *arg, ssize_t n, const char *data)
{
	struct ping *g = arg;

	assert_false(g->p->calling);
	if (n == AFTP_ECANCELED)
		return;
	assert_int_equal(n, 1);
	assert_int_equal(*data, 'p');
	g->rounds++;
	assert_int_equal(PAIR_CALL(g->p, aftp_stream_read(g->s, &g->c, 1, ping_read, g)), 0);
	ping_send(g);
}

static void test_ping_pong(void **state)
{
	struct pair *p = *state;
	struct ping a = { .p = p, .s = p->a }, b = { .p = p, .s = p->b };

	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->a, &a.c, 1, ping_read, &a)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, &b.c, 1, ping_read, &b)), 0);
	ping_send(&a);
	PAIR_UNTIL(p, a.rounds == 1000);
	assert_in_range(b.rounds, 1000, 1001);
	/* They are about to leave the stack. */
	aftp_stream_close(&p->a, false, on_closed_count, p);
	aftp_stream_close(&p->b, false, on_closed_count, p);
	PAIR_UNTIL(p, p->closed == 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_write_is_one_at_a_time),
		T(test_big_write_to_a_slow_reader),
		T(test_little_waits_in_the_kernel),
		T(test_both_ways_at_once),
		T(test_half_close_both_ways),
		T(test_shutdown_behind_a_write),
		T(test_write_to_the_dead),
		T(test_ping_pong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
