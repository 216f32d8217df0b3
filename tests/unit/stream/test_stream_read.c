#include "pair.h"

/* --- pull ----------------------------------------------------------------------------------------- */

static void test_read_some(void **state)
{
	struct pair *p = *state;
	struct answer got = { .p = p };
	char buf[64];

	assert_int_equal(aftp_stream_read(p->b, NULL, 1, on_bytes, &got), AFTP_EINVAL);
	assert_int_equal(aftp_stream_read(p->b, buf, 0, on_bytes, &got), AFTP_EINVAL);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, buf, sizeof(buf), on_bytes, &got)), 0);
	assert_int_equal(aftp_stream_read(p->b, buf, sizeof(buf), on_bytes, &got), AFTP_EBUSY);
	assert_int_equal(aftp_stream_read_line(p->b, 10, on_bytes, &got), AFTP_EBUSY);
	pair_send(p, p->a, "hello");
	PAIR_UNTIL(p, got.calls);
	assert_int_equal(got.n, 5);
	assert_string_equal(got.line, "hello");
	pair_fin(p, p->a);
	for (int i = 2; i < 4; i++) { /* the end stays the end */
		assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, buf, sizeof(buf), on_bytes, &got)), 0);
		PAIR_UNTIL(p, got.calls == i);
		assert_int_equal(got.n, AFTP_EOF);
	}
	assert_int_equal(aftp_stream_bytes_read(p->b), 5);
	assert_int_equal(aftp_stream_bytes_written(p->a), 5);
}

static void test_read_exactly(void **state)
{
	struct pair *p = *state;
	struct answer got = { .p = p };
	char buf[64];

	assert_int_equal(PAIR_CALL(p, aftp_stream_read_exactly(p->b, buf, 8, on_bytes, &got)), 0);
	pair_send(p, p->a, "abc");
	pair_turn(p, 3);
	assert_int_equal(got.calls, 0);
	pair_send(p, p->a, "defgh12");
	PAIR_UNTIL(p, got.calls);
	assert_int_equal(got.n, 8);
	assert_string_equal(got.line, "abcdefgh");
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_exactly(p->b, buf, 3, on_bytes, &got)), 0);
	pair_fin(p, p->a);
	PAIR_UNTIL(p, got.calls == 2);
	assert_int_equal(got.n, AFTP_EINCOMPLETE);
	assert_memory_equal(buf, "12", 2);
	assert_ptr_equal(got.data, buf + 2);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_exactly(p->b, buf, 3, on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 3);
	assert_int_equal(got.n, AFTP_EOF);
}

/* --- lines ---------------------------------------------------------------------------------------- */

struct lines_case {
	const char *sent;
	size_t max;
	const char *lines[6];
	int end;
};

static const struct lines_case lines_cases[] = {
	{ "", 80, { NULL }, AFTP_EOF },
	{ "one\r\ntwo\n", 80, { "one", "two" }, AFTP_EOF },
	{ "\r\n\n\r\r\n", 80, { "", "", "\r" }, AFTP_EOF },
	{ "no end", 80, { "no end" }, AFTP_EOF },
	{ "one\r\nno end\r", 80, { "one", "no end\r" }, AFTP_EOF },
	{ "fits\r\nlonger\r\n", 6, { "fits" }, AFTP_ELINETOOLONG },
	{ "sevenby", 6, { NULL }, AFTP_ELINETOOLONG },
	{ "six bb", 6, { NULL }, AFTP_ELINETOOLONG },
	{ "five.\n", 6, { "five." }, AFTP_EOF },
	{ "\n", 1, { "" }, AFTP_EOF },
	{ "x\n", 1, { NULL }, AFTP_ELINETOOLONG },
};
#define N_CASES (sizeof(lines_cases) / sizeof(lines_cases[0]))

static void test_read_line(void **state)
{
	for (size_t i = 0; i < N_CASES; i++) {
		const struct lines_case *c = &lines_cases[i];
		struct pair *p;
		struct answer got;
		int calls = 0;

		assert_int_equal(pair_setup(state), 0);
		p = *state;
		got = (struct answer){ .p = p };
		pair_send(p, p->a, c->sent);
		pair_fin(p, p->a);
		for (int k = 0; c->lines[k]; k++) {
			assert_int_equal(PAIR_CALL(p, aftp_stream_read_line(p->b, c->max, on_bytes, &got)), 0);
			PAIR_UNTIL(p, got.calls > calls);
			assert_int_equal(got.calls, ++calls);
			assert_int_equal(got.n, strlen(c->lines[k]));
			assert_string_equal(got.line, c->lines[k]);
		}
		for (int k = 0; k < 2; k++) {
			assert_int_equal(PAIR_CALL(p, aftp_stream_read_line(p->b, c->max, on_bytes, &got)), 0);
			PAIR_UNTIL(p, got.calls > calls);
			assert_int_equal(got.calls, ++calls);
			assert_int_equal(got.n, c->end);
		}
		assert_int_equal(pair_teardown(state), 0);
	}
}

struct lister {
	struct pair *p;
	const struct lines_case *c;
	int lines, ends;
	ssize_t end;
	int stop_at; /* after so many lines; 0 = never */
	uint64_t bytes;
};

static enum aftp_next lister_line(void *arg, ssize_t n, const char *line)
{
	struct lister *l = arg;

	assert_false(l->p->calling);
	assert_int_equal(l->ends, 0);
	if (n < 0) {
		assert_null(line);
		l->ends++;
		l->end = n;
		return AFTP_GO_ON;
	}
	if (l->c) {
		assert_non_null(l->c->lines[l->lines]);
		assert_int_equal(n, strlen(l->c->lines[l->lines]));
		assert_memory_equal(line, l->c->lines[l->lines], (size_t)n);
	}
	l->bytes += (uint64_t)n;
	return ++l->lines == l->stop_at ? AFTP_STOP : AFTP_GO_ON;
}

static void test_each_line(void **state)
{
	for (size_t i = 0; i < N_CASES; i++) {
		struct lister l = { .c = &lines_cases[i] };
		struct pair *p;

		assert_int_equal(pair_setup(state), 0);
		p = *state;
		l.p = p;
		assert_int_equal(PAIR_CALL(p, aftp_stream_each_line(p->b, l.c->max, lister_line, &l)), 0);
		pair_send(p, p->a, l.c->sent);
		pair_fin(p, p->a);
		PAIR_UNTIL(p, l.ends);
		assert_int_equal(l.end, l.c->end);
		assert_null(l.c->lines[l.lines]);
		assert_int_equal(pair_teardown(state), 0);
	}
}

/* Lines that are cut anywhere by the network, and many of them in a read. */
static void test_each_line_of_many(void **state)
{
	enum { LINES = 100000 };
	struct pair *p = *state;
	struct lister l = { .p = p };
	struct answer sent = { .p = p };
	char *text = malloc(LINES * 101);
	size_t len = 0;
	uint64_t bytes = 0;

	for (int i = 0; i < LINES; i++) {
		size_t n = (size_t)i % 98;

		memset(text + len, 'a' + i % 26, n);
		len += n;
		bytes += n;
		text[len++] = '\r';
		text[len++] = '\n';
	}
	assert_int_equal(PAIR_CALL(p, aftp_stream_each_line(p->b, 100, lister_line, &l)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->a, text, len, on_status, &sent)), 0);
	PAIR_UNTIL(p, sent.calls && l.lines == LINES);
	assert_int_equal(l.bytes, bytes);
	assert_int_equal(aftp_stream_bytes_read(p->b), len);
	free(text);
}

/* --- all ------------------------------------------------------------------------------------------ */

static void test_read_all(void **state)
{
	struct pair *p = *state;
	struct answer got = { .p = p };

	assert_int_equal(aftp_stream_read_all(p->b, 0, on_bytes, &got), AFTP_EINVAL);
	assert_int_equal(aftp_stream_read_all(p->b, 10, NULL, &got), AFTP_EINVAL);
	pair_send(p, p->a, "first\nthen ");
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_line(p->b, 80, on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 1);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_all(p->b, 80, on_bytes, &got)), 0);
	assert_int_equal(aftp_stream_read_all(p->b, 80, on_bytes, &got), AFTP_EBUSY);
	pair_turn(p, 5);
	pair_send(p, p->a, "the rest");
	pair_turn(p, 5);
	assert_int_equal(got.calls, 1);
	pair_fin(p, p->a);
	PAIR_UNTIL(p, got.calls == 2);
	assert_int_equal(got.n, 13);
	assert_string_equal(got.line, "then the rest");
	/* Nothing is all there is, after an end. */
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_all(p->b, 80, on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 3);
	assert_int_equal(got.n, 0);
}

static void test_read_all_is_capped(void **state)
{
	struct pair *p = *state;
	struct answer got = { .p = p };

	pair_send(p, p->a, "0123456789");
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_all(p->b, 9, on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 1);
	assert_int_equal(got.n, AFTP_ETOOBIG);
	pair_fin(p, p->a);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_all(p->b, 10, on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 2);
	assert_string_equal(got.line, "0123456789");
}

static void test_read_all_keeps_what_came(void **state)
{
	struct pair *p = *state;
	struct answer got = { .p = p };
	char buf[20];

	aftp_stream_set_timeouts(p->b, -1, 50, -1, -1);
	pair_send(p, p->a, "abc");
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_all(p->b, 100, on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 1);
	assert_int_equal(got.n, AFTP_ETIMEDOUT);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, buf, sizeof buf, on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 2);
	assert_string_equal(got.line, "abc");
	aftp_stream_set_timeouts(p->b, -1, 0, -1, -1);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_all(p->b, 100, on_bytes, &got)), 0);
	aftp_stream_close(&p->a, true, NULL, NULL);
	PAIR_UNTIL(p, got.calls == 3);
	assert_true(got.n < 0 && got.n != AFTP_EOF);
}

static void test_read_all_of_much(void **state)
{
	enum { SIZE = 3000000 };
	struct pair *p = *state;
	struct answer got = { .p = p }, sent = { .p = p };
	char *all = malloc(SIZE);

	pattern(all, SIZE, 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_all(p->b, SIZE, on_bytes, &got)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->a, all, SIZE, on_status, &sent)), 0);
	PAIR_UNTIL(p, sent.calls);
	pair_fin(p, p->a);
	PAIR_UNTIL(p, got.calls);
	assert_int_equal(got.n, SIZE);
	free(all);
}

/* --- push ----------------------------------------------------------------------------------------- */

static void test_push_with_pauses(void **state)
{
	struct pair *p = *state;
	struct sink k = { .p = p, .cap = 3000000, .lend = 70000, .pause_at = 100000 };
	struct answer sent = { .p = p };
	char *all = malloc(k.cap);

	k.data = malloc(k.cap);
	pattern(all, k.cap, 0);
	assert_int_equal(aftp_stream_read_start(p->b, NULL, sink_data, &k), AFTP_EINVAL);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_start(p->b, sink_lend, sink_data, &k)), 0);
	assert_int_equal(aftp_stream_read_start(p->b, sink_lend, sink_data, &k), AFTP_EBUSY);
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->a, all, k.cap, on_status, &sent)), 0);
	while (k.len < k.cap) {
		int pauses = k.pauses;

		PAIR_UNTIL(p, k.pauses > pauses || k.len == k.cap);
		pair_turn(p, 3);
		assert_int_equal(k.pauses, pauses + (k.len < k.cap || k.pauses > pauses)); /* asked once a pause */
		k.pause_at += 100000;
		PAIR_CALL(p, (aftp_stream_resume(p->b), 0));
		PAIR_CALL(p, (aftp_stream_resume(p->b), 0));
	}
	PAIR_UNTIL(p, sent.calls);
	assert_memory_equal(all, k.data, k.cap);
	pair_fin(p, p->a);
	k.pause_at = k.len = 0;
	aftp_stream_resume(p->b);
	PAIR_UNTIL(p, k.ends);
	assert_int_equal(k.end, AFTP_EOF);
	free(all);
	free(k.data);
}

static void test_push_stops(void **state)
{
	struct pair *p = *state;
	char data[100];
	struct sink k = { .p = p, .data = data, .cap = 100, .lend = 4 };
	struct answer got = { .p = p };

	assert_int_equal(PAIR_CALL(p, aftp_stream_read_start(p->b, sink_lend, sink_data, &k)), 0);
	pair_send(p, p->a, "abcdefgh");
	PAIR_UNTIL(p, k.len == 8);
	aftp_stream_read_stop(p->b);
	aftp_stream_read_stop(p->b);
	aftp_stream_resume(p->b);
	pair_send(p, p->a, "stays");
	pair_turn(p, 5);
	assert_int_equal(k.len, 8);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, data, 100, on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls);
	assert_string_equal(got.line, "stays");
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_start(p->b, sink_lend, sink_data, &k)), 0);
	pair_send(p, p->a, "xy");
	PAIR_UNTIL(p, k.len == 10);
}

static void test_push_sees_a_reset(void **state)
{
	struct pair *p = *state;
	char data[100];
	struct sink k = { .p = p, .data = data, .cap = 100, .lend = 100 };

	assert_int_equal(PAIR_CALL(p, aftp_stream_read_start(p->b, sink_lend, sink_data, &k)), 0);
	aftp_stream_close(&p->a, true, on_closed_count, p);
	PAIR_UNTIL(p, k.ends && p->closed);
	assert_int_equal(k.end, AFTP_ECONNRESET);
}

/* The last bytes and the reset wait together when the reading begins. */
static void test_a_reset_behind_bytes_is_no_end(void **state)
{
	struct pair *p = *state;
	char data[100];
	struct sink k = { .p = p, .data = data, .cap = 100, .lend = 100 };

	pair_send(p, p->a, "last bytes");
	aftp_stream_close(&p->a, true, on_closed_count, p);
	PAIR_UNTIL(p, p->closed);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_start(p->b, sink_lend, sink_data, &k)), 0);
	PAIR_UNTIL(p, k.ends);
	assert_int_equal(k.end, AFTP_ECONNRESET);
}

/* Both sides have shut down: there is no peer any more, and yet it was an orderly end. */
static void test_an_end_after_our_own(void **state)
{
	struct pair *p = *state;
	char data[100];
	struct sink k = { .p = p, .data = data, .cap = 100, .lend = 100 };

	pair_fin(p, p->b);
	pair_send(p, p->a, "bye");
	pair_fin(p, p->a);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_start(p->b, sink_lend, sink_data, &k)), 0);
	PAIR_UNTIL(p, k.ends);
	assert_int_equal(k.end, AFTP_EOF);
	assert_int_equal(k.len, 3);
}

/* --- from one way of reading to another ----------------------------------------------------------- */

/* What lines read ahead comes first, whoever reads next. */
static void test_switching(void **state)
{
	struct pair *p = *state;
	struct lister l = { .p = p, .stop_at = 2 };
	struct answer got = { .p = p };
	char data[100], buf[10];
	struct sink k = { .p = p, .data = data, .cap = 100, .lend = 3, .pause_at = 7 };

	pair_send(p, p->a, "one\r\ntwo\r\nthree\r\n123456789\nfour\nrest");
	assert_int_equal(PAIR_CALL(p, aftp_stream_each_line(p->b, 80, lister_line, &l)), 0);
	PAIR_UNTIL(p, l.lines == 2);
	pair_turn(p, 3);
	assert_int_equal(l.lines, 2);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_line(p->b, 80, on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 1);
	assert_string_equal(got.line, "three");
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_exactly(p->b, buf, 2, on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 2);
	assert_memory_equal(buf, "12", 2);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_start(p->b, sink_lend, sink_data, &k)), 0);
	PAIR_UNTIL(p, k.pauses);
	assert_int_equal(k.len, 9);
	assert_memory_equal(data, "3456789\nf", 9);
	aftp_stream_read_stop(p->b);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, buf, 3, on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 3);
	assert_string_equal(got.line, "our");
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_line(p->b, 80, on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 4);
	assert_string_equal(got.line, "");
	/* More than was read ahead: the rest comes from the network. */
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_exactly(p->b, buf, 8, on_bytes, &got)), 0);
	pair_turn(p, 3);
	assert_int_equal(got.calls, 4);
	pair_send(p, p->a, "+net");
	PAIR_UNTIL(p, got.calls == 5);
	assert_string_equal(got.line, "rest+net");
}

/* The next reader is started from inside the callback of the one before. */
struct chain {
	struct pair *p;
	struct answer line, some;
	char buf[40];
	int lines;
};

static enum aftp_next chain_line(void *arg, ssize_t n, const char *line)
{
	struct chain *c = arg;

	(void)line;
	assert_int_equal(n, 3);
	c->lines++;
	aftp_stream_read_stop(c->p->b);
	assert_int_equal(PAIR_CALL(c->p, aftp_stream_read(c->p->b, c->buf, sizeof(c->buf), on_bytes, &c->some)), 0);
	return AFTP_GO_ON;
}

static void test_switching_from_inside(void **state)
{
	struct pair *p = *state;
	struct chain c = { .p = p, .some = { .p = p } };

	pair_send(p, p->a, "one\r\nnot a line\r\nany more\r\n");
	assert_int_equal(PAIR_CALL(p, aftp_stream_each_line(p->b, 80, chain_line, &c)), 0);
	PAIR_UNTIL(p, c.some.calls);
	assert_int_equal(c.lines, 1);
	assert_string_equal(c.some.line, "not a line\r\nany more\r\n");
}

enum { FLOOD = 20000 };

struct flood {
	struct pair *p;
	struct answer got;
	char in[FLOOD];
};

static void flood_line(void *arg, ssize_t n, const char *line)
{
	struct flood *f = arg;

	(void)line;
	assert_int_equal(n, 3);
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_read_exactly(f->p->b, f->in, FLOOD, on_bytes, &f->got)), 0);
}

/* A read that fills its room makes libuv read on at once, before the kick has served what was read ahead. */
static void test_switching_in_the_middle_of_a_flood(void **state)
{
	struct pair *p = *state;
	struct flood *f = calloc(1, sizeof(*f));
	struct answer sent = { .p = p };
	char *all = malloc(FLOOD + 4);

	f->p = f->got.p = p;
	memcpy(all, "one\n", 4);
	pattern(all + 4, FLOOD, 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->a, all, FLOOD + 4, on_status, &sent)), 0);
	PAIR_UNTIL(p, sent.calls);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_line(p->b, 80, flood_line, f)), 0);
	PAIR_UNTIL(p, f->got.calls);
	assert_int_equal(f->got.n, FLOOD);
	assert_memory_equal(f->in, all + 4, FLOOD);
	free(all);
	free(f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_read_some),
		T(test_read_exactly),
		cmocka_unit_test(test_read_line),
		cmocka_unit_test(test_each_line),
		T(test_each_line_of_many),
		T(test_read_all),
		T(test_read_all_is_capped),
		T(test_read_all_keeps_what_came),
		T(test_read_all_of_much),
		T(test_push_with_pauses),
		T(test_push_stops),
		T(test_push_sees_a_reset),
		T(test_a_reset_behind_bytes_is_no_end),
		T(test_an_end_after_our_own),
		T(test_switching),
		T(test_switching_from_inside),
		T(test_switching_in_the_middle_of_a_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
