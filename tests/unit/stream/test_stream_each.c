/* Iterating by line and by block: pauses, stops, limits, and what is left behind. */
#include "pair.h"

struct walker {
	struct pair *p;
	char text[4096]; /* every line or block, each followed by '|' */
	int calls, ends;
	ssize_t end;
	size_t largest;
	int pause_at, stop_at; /* at that call; 0 = never */
	bool pause_always;     /* after each */
	bool resume_inside;    /* before AFTP_PAUSE is answered */
	uint64_t bytes;
};

static enum aftp_next walk(void *arg, ssize_t n, const char *data)
{
	struct walker *w = arg;
	size_t len = strlen(w->text);

	assert_false(w->p->calling);
	assert_int_equal(w->ends, 0);
	if (n < 0) {
		assert_null(data);
		w->ends++;
		w->end = n;
		return AFTP_PAUSE; /* means nothing any more */
	}
	assert_non_null(data);
	w->bytes += (uint64_t)n;
	w->largest = (size_t)n > w->largest ? (size_t)n : w->largest;
	if (len + (size_t)n + 2 < sizeof w->text) {
		memcpy(w->text + len, data, (size_t)n);
		memcpy(w->text + len + n, "|", 2);
	}
	w->calls++;
	if (w->resume_inside)
		aftp_stream_resume(w->p->b);
	if (w->calls == w->stop_at)
		return AFTP_STOP;
	return w->calls == w->pause_at || w->pause_always ? AFTP_PAUSE : AFTP_GO_ON;
}

static void test_lines_pause(void **state)
{
	struct pair *p = *state;
	struct walker w = { .p = p, .pause_always = true };
	static const char *const after[] = { "one|", "one|two|", "one|two||", "one|two||four|" };

	assert_int_equal(PAIR_CALL(p, aftp_stream_each_line(p->b, 80, walk, &w)), 0);
	pair_send(p, p->a, "one\ntwo\r\n\nfour");
	pair_fin(p, p->a);
	for (int i = 0; i < 4; i++) {
		PAIR_UNTIL(p, w.calls == i + 1);
		pair_turn(p, 5);
		assert_string_equal(w.text, after[i]);
		assert_int_equal(w.ends, 0);
		aftp_stream_resume(p->b);
		aftp_stream_resume(p->b);
		assert_int_equal(w.calls, i + 1);
	}
	PAIR_UNTIL(p, w.ends);
	assert_int_equal(w.end, AFTP_EOF);
}

static void test_blocks_pause(void **state)
{
	struct pair *p = *state;
	struct walker w = { .p = p, .pause_always = true };

	assert_int_equal(PAIR_CALL(p, aftp_stream_each_block(p->b, 4, walk, &w)), 0);
	pair_send(p, p->a, "123456789");
	pair_fin(p, p->a);
	for (int i = 0; i < 3; i++) {
		PAIR_UNTIL(p, w.calls == i + 1);
		pair_turn(p, 5);
		assert_int_equal(w.calls, i + 1);
		aftp_stream_resume(p->b);
	}
	PAIR_UNTIL(p, w.ends);
	assert_string_equal(w.text, "1234|5678|9|");
	assert_int_equal(w.end, AFTP_EOF);
}

/* What a stop leaves is there for the next reader, of whatever kind. */
static void test_stops(void **state)
{
	struct pair *p = *state;
	struct walker lines = { .p = p, .stop_at = 2 }, blocks = { .p = p, .stop_at = 1 }, rest = { .p = p };
	struct answer got = { .p = p };

	pair_send(p, p->a, "one\ntwo\nthree\nfour\nfive\nsix");
	pair_fin(p, p->a);
	assert_int_equal(PAIR_CALL(p, aftp_stream_each_line(p->b, 80, walk, &lines)), 0);
	assert_int_equal(aftp_stream_each_line(p->b, 80, walk, &lines), AFTP_EBUSY);
	assert_int_equal(aftp_stream_each_block(p->b, 80, walk, &lines), AFTP_EBUSY);
	PAIR_UNTIL(p, lines.calls == 2);
	pair_turn(p, 5);
	assert_string_equal(lines.text, "one|two|");
	assert_int_equal(PAIR_CALL(p, aftp_stream_each_block(p->b, 3, walk, &blocks)), 0);
	PAIR_UNTIL(p, blocks.calls == 1);
	pair_turn(p, 5);
	assert_string_equal(blocks.text, "thr|");
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_line(p->b, 80, on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls);
	assert_string_equal(got.line, "ee");
	assert_int_equal(PAIR_CALL(p, aftp_stream_each_line(p->b, 80, walk, &rest)), 0);
	PAIR_UNTIL(p, rest.ends);
	assert_string_equal(rest.text, "four|five|six|");
	assert_int_equal(lines.ends + blocks.ends, 0);
}

static void test_stopped_from_outside(void **state)
{
	struct pair *p = *state;
	struct walker w = { .p = p, .pause_at = 1 }, again = { .p = p };

	assert_int_equal(PAIR_CALL(p, aftp_stream_each_block(p->b, 2, walk, &w)), 0);
	pair_send(p, p->a, "abcdef");
	PAIR_UNTIL(p, w.calls == 1);
	aftp_stream_read_stop(p->b);
	aftp_stream_resume(p->b);
	pair_turn(p, 5);
	assert_int_equal(w.calls, 1);
	assert_int_equal(PAIR_CALL(p, aftp_stream_each_block(p->b, 100, walk, &again)), 0);
	PAIR_UNTIL(p, again.bytes == 4);
	assert_string_equal(again.text, "cdef|");
}

/* While it pauses nobody waits for the peer. */
static void test_a_pause_is_not_silence(void **state)
{
	struct pair *p = *state;

	for (int blocks = 0; blocks < 2; blocks++) {
		struct walker w = { .p = p, .pause_at = 1 };

		aftp_stream_set_timeouts(p->b, -1, 30, -1, -1);
		if (blocks)
			assert_int_equal(PAIR_CALL(p, aftp_stream_each_block(p->b, 2, walk, &w)), 0);
		else
			assert_int_equal(PAIR_CALL(p, aftp_stream_each_line(p->b, 80, walk, &w)), 0);
		pair_send(p, p->a, "x\n");
		PAIR_UNTIL(p, w.calls == 1);
		pair_run_for(p, 200);
		assert_int_equal(w.ends, 0);
		aftp_stream_resume(p->b);
		PAIR_UNTIL(p, w.ends);
		assert_int_equal(w.end, AFTP_ETIMEDOUT);
	}
}

static void test_resumed_from_inside(void **state)
{
	struct pair *p = *state;
	struct walker w = { .p = p, .pause_at = 1, .resume_inside = true };

	/* The answer counts, not what was called before it. */
	assert_int_equal(PAIR_CALL(p, aftp_stream_each_line(p->b, 80, walk, &w)), 0);
	pair_send(p, p->a, "a\nb\n");
	PAIR_UNTIL(p, w.calls == 1);
	pair_turn(p, 5);
	assert_int_equal(w.calls, 1);
	aftp_stream_resume(p->b);
	PAIR_UNTIL(p, w.calls == 2);
}

static void test_many_blocks(void **state)
{
	enum { SIZE = 5000000 };
	struct pair *p = *state;
	struct walker w = { .p = p };
	struct answer sent = { .p = p };
	char *data = calloc(1, SIZE);

	assert_int_equal(aftp_stream_each_block(p->b, 0, walk, &w), AFTP_EINVAL);
	assert_int_equal(aftp_stream_each_block(p->b, 1000, NULL, &w), AFTP_EINVAL);
	assert_int_equal(PAIR_CALL(p, aftp_stream_each_block(p->b, 10000, walk, &w)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->a, data, SIZE, on_status, &sent)), 0);
	PAIR_UNTIL(p, sent.calls && w.bytes == SIZE);
	assert_true(w.largest <= 10000);
	free(data);
}

#define T(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_lines_pause),
		T(test_blocks_pause),
		T(test_stops),
		T(test_stopped_from_outside),
		T(test_a_pause_is_not_silence),
		T(test_resumed_from_inside),
		T(test_many_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
