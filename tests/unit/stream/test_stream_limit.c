#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "pair.h"

#define LIMIT 100 /* ms: what the limits are set to */

/* --- connect -------------------------------------------------------------------------------------- */

/* A listener whose queue is full leaves further SYNs without an answer. */
static void fill_queue(int listener, const struct sockaddr_in *addr, int *clients, int n)
{
	assert_int_equal(listen(listener, 0), 0);
	for (int i = 0; i < n; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		assert_true(clients[i] >= 0);
		(void)connect(clients[i], (const struct sockaddr *)addr, sizeof(*addr));
	}
}

static void test_connect_limit(void **state)
{
	struct pair *p = *state;
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct answer connected = { .p = p };
	struct aftp_stream *s;
	int listener = socket(AF_INET, SOCK_STREAM, 0), clients[4];
	socklen_t len = sizeof(addr);

	assert_int_equal(bind(listener, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	fill_queue(listener, &addr, clients, 4);
	assert_int_equal(aftp_stream_new(&s, &p->loop), 0);
	aftp_stream_set_timeouts(s, LIMIT, -1, -1, -1);
	assert_int_equal(PAIR_CALL(p, aftp_stream_connect(s, (struct sockaddr *)&addr, on_status, &connected)), 0);
	PAIR_UNTIL(p, connected.calls);
	assert_int_equal(connected.status, AFTP_ETIMEDOUT);
	assert_int_equal(aftp_stream_write(s, "x", 1, on_status, &connected), AFTP_ETIMEDOUT);
	aftp_stream_close(&s, false, on_closed_count, p);
	PAIR_UNTIL(p, p->closed);
	assert_int_equal(connected.calls, 1);
	for (int i = 0; i < 4; i++)
		close(clients[i]);
	close(listener);
}

/* --- read ----------------------------------------------------------------------------------------- */

/* The stream is as it was: the next read gets what comes. */
static void test_read_limit(void **state)
{
	struct pair *p = *state;
	struct answer got = { .p = p };
	char buf[16];

	aftp_stream_set_timeouts(p->b, -1, LIMIT, -1, -1);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, buf, sizeof(buf), on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 1);
	assert_int_equal(got.n, AFTP_ETIMEDOUT);
	pair_send(p, p->a, "late");
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, buf, sizeof(buf), on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 2);
	assert_string_equal(got.line, "late");
}

static void test_no_byte_is_lost(void **state)
{
	struct pair *p = *state;
	struct answer got = { .p = p };
	char buf[16] = "";

	aftp_stream_set_timeouts(p->b, -1, LIMIT, -1, -1);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_exactly(p->b, buf, 8, on_bytes, &got)), 0);
	pair_send(p, p->a, "abc");
	PAIR_UNTIL(p, got.calls == 1);
	assert_int_equal(got.n, AFTP_ETIMEDOUT);
	memset(buf, 0, sizeof(buf));
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_line(p->b, 80, on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 2);
	assert_int_equal(got.n, AFTP_ETIMEDOUT);
	pair_send(p, p->a, "defgh");
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_exactly(p->b, buf, 8, on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 3);
	assert_string_equal(got.line, "abcdefgh");
}

struct dripper {
	uv_timer_t timer;
	struct pair *p;
	struct aftp_stream *s;
	struct answer sent;
};

static void drip(uv_timer_t *timer)
{
	struct dripper *d = timer->data;

	(void)aftp_stream_write(d->s, ".", 1, on_status, &d->sent);
}

/* Slow is not dead: each byte starts the limit anew, whoever waits for how many. */
static void test_progress_counts(void **state)
{
	enum { DRIP = 125, DRIPS = 16, PATIENT = 1500 };
	struct pair *p = *state;
	struct dripper d = { .p = p, .s = p->a, .sent.p = p };
	struct answer got = { .p = p };
	char buf[16];

	uv_timer_init(&p->loop, &d.timer);
	d.timer.data = &d;
	uv_timer_start(&d.timer, drip, DRIP, DRIP);
	aftp_stream_set_timeouts(p->b, -1, PATIENT, -1, -1);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_exactly(p->b, buf, DRIPS, on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 1);
	assert_int_equal(got.n, DRIPS);
	uv_close((uv_handle_t *)&d.timer, NULL);
	pair_turn(p, 2);
}

static void test_push_limit(void **state)
{
	struct pair *p = *state;
	char data[16];
	struct sink k = { .p = p, .data = data, .cap = 16, .lend = 16, .pause_at = 3 };

	aftp_stream_set_timeouts(p->b, -1, LIMIT, -1, -1);
	pair_send(p, p->a, "abc");
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_start(p->b, sink_lend, sink_data, &k)), 0);
	PAIR_UNTIL(p, k.len == 3);
	pair_send(p, p->a, "d");
	PAIR_UNTIL(p, k.pauses);
	pair_run_for(p, LIMIT * 3); /* the consumer's time, not the peer's */
	assert_int_equal(k.ends, 0);
	k.pause_at = 0;
	aftp_stream_set_timeouts(p->b, -1, LIMIT * 20, -1, -1);
	aftp_stream_resume(p->b);
	pair_run_for(p, LIMIT / 3); /* the limit begins anew */
	assert_int_equal(k.ends, 0);
	PAIR_UNTIL(p, k.ends);
	assert_int_equal(k.end, AFTP_ETIMEDOUT);
	assert_int_equal(k.len, 4);
	k.ends = 0;
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_start(p->b, sink_lend, sink_data, &k)), 0);
	pair_send(p, p->a, "e");
	PAIR_UNTIL(p, k.len == 5);
	assert_memory_equal(data, "abcde", 5);
}

static void test_idle_stream_has_no_limit(void **state)
{
	struct pair *p = *state;
	struct answer got = { .p = p };
	char c;

	aftp_stream_set_timeouts(p->b, LIMIT, LIMIT, LIMIT, -1);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, &c, 1, on_bytes, &got)), 0);
	pair_send(p, p->a, "x");
	PAIR_UNTIL(p, got.calls == 1);
	pair_run_for(p, LIMIT * 2);
	pair_send(p, p->a, "y");
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, &c, 1, on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 2);
	assert_int_equal(got.n, 1);
}

static void test_changed_limit_applies_at_once(void **state)
{
	struct pair *p = *state;
	struct answer got = { .p = p };
	char c;

	aftp_stream_set_timeouts(p->b, -1, 1000000, -1, -1);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, &c, 1, on_bytes, &got)), 0);
	pair_turn(p, 3);
	aftp_stream_set_timeouts(p->b, -1, LIMIT, -1, -1);
	PAIR_UNTIL(p, got.calls);
	assert_int_equal(got.n, AFTP_ETIMEDOUT);
	aftp_stream_set_timeouts(p->b, -1, LIMIT, -1, -1);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, &c, 1, on_bytes, &got)), 0);
	aftp_stream_set_timeouts(p->b, -1, 0, -1, -1);
	pair_run_for(p, LIMIT * 3);
	assert_int_equal(got.calls, 1);
	pair_send(p, p->a, "x");
	PAIR_UNTIL(p, got.calls == 2);
}

/* The whole program stood still (a suspended machine): what came meanwhile counts before the clock does. */
static void test_late_program_is_not_a_dead_peer(void **state)
{
	struct pair *p = *state;
	struct answer got = { .p = p }, sent = { .p = p };
	struct timespec pause = { .tv_nsec = LIMIT * 2 * 1000000 };
	char c;

	aftp_stream_set_timeouts(p->b, -1, LIMIT, -1, -1);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, &c, 1, on_bytes, &got)), 0);
	pair_turn(p, 2);
	assert_int_equal(got.calls, 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->a, "x", 1, on_status, &sent)), 0);
	nanosleep(&pause, NULL);
	PAIR_UNTIL(p, got.calls && sent.calls);
	assert_int_equal(got.n, 1);
}

/* --- write ---------------------------------------------------------------------------------------- */

/* A peer that does not read; afterwards the stream goes on where it stopped, in order. */
static void test_write_limit(void **state)
{
	enum { SIZE = 32 * 1024 * 1024 };
	struct pair *p = *state;
	struct answer sent = { .p = p };
	struct sink k = { .p = p, .cap = SIZE + 4, .lend = 1 << 20 };
	char *all = malloc(SIZE);
	uint64_t done;

	k.data = malloc(SIZE + 4);
	pattern(all, SIZE, 0);
	aftp_stream_set_timeouts(p->a, -1, -1, LIMIT, -1);
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->a, all, SIZE, on_status, &sent)), 0);
	PAIR_UNTIL(p, sent.calls);
	assert_int_equal(sent.status, AFTP_ETIMEDOUT);
	done = aftp_stream_bytes_written(p->a);
	assert_in_range(done, 1, SIZE - 1);
	memset(all + done, 'X', SIZE - done); /* the memory is the caller's again */
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->a, "next", 4, on_status, &sent)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_start(p->b, sink_lend, sink_data, &k)), 0);
	PAIR_UNTIL(p, sent.calls == 2 && k.len == done + 4);
	assert_int_equal(sent.status, 0);
	assert_memory_equal(k.data, all, done);
	assert_memory_equal(k.data + done, "next", 4);
	free(all);
	free(k.data);
}

/* An end that could not be sent in time can be asked for again. */
static void test_shutdown_limit(void **state)
{
	enum { SIZE = 32 * 1024 * 1024 };
	struct pair *p = *state;
	struct answer sent = { .p = p }, shut = { .p = p };
	struct sink k = { .p = p, .cap = SIZE, .lend = 1 << 20 };
	char *all = calloc(1, SIZE);
	uint64_t done;

	k.data = malloc(SIZE);
	aftp_stream_set_timeouts(p->a, -1, -1, LIMIT, -1);
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->a, all, SIZE, on_status, &sent)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_shutdown(p->a, on_status, &shut)), 0);
	PAIR_UNTIL(p, sent.calls && shut.calls);
	assert_int_equal(sent.status, AFTP_ETIMEDOUT);
	assert_int_equal(shut.status, AFTP_ETIMEDOUT);
	done = aftp_stream_bytes_written(p->a);
	assert_int_equal(aftp_stream_write(p->a, all, 1, on_status, &sent), -EPIPE);
	assert_int_equal(PAIR_CALL(p, aftp_stream_shutdown(p->a, on_status, &shut)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_start(p->b, sink_lend, sink_data, &k)), 0);
	PAIR_UNTIL(p, shut.calls == 2 && k.ends);
	assert_int_equal(shut.status, 0);
	assert_int_equal(k.len, done);
	assert_int_equal(k.end, AFTP_EOF);
	free(all);
	free(k.data);
}

/* --- total ---------------------------------------------------------------------------------------- */

static void test_total_limit(void **state)
{
	struct pair *p = *state;
	struct dripper d = { .p = p, .s = p->a, .sent.p = p };
	struct answer got = { .p = p };
	char buf[1000];

	uv_timer_init(&p->loop, &d.timer);
	d.timer.data = &d;
	uv_timer_start(&d.timer, drip, 5, 5);
	aftp_stream_set_timeouts(p->b, -1, 1000, -1, LIMIT);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_exactly(p->b, buf, 1000, on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls);
	assert_int_equal(got.n, AFTP_ETIMEDOUT);
	assert_int_equal(aftp_stream_read(p->b, buf, 1, on_bytes, &got), AFTP_ETIMEDOUT);
	assert_int_equal(aftp_stream_write(p->b, buf, 1, on_status, &got), AFTP_ETIMEDOUT);
	aftp_stream_set_timeouts(p->b, -1, -1, -1, 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, buf, 1, on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 2);
	assert_int_equal(got.n, 1);
	uv_close((uv_handle_t *)&d.timer, NULL);
	pair_turn(p, 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_connect_limit),
		T(test_read_limit),
		T(test_no_byte_is_lost),
		T(test_progress_counts),
		T(test_push_limit),
		T(test_idle_stream_has_no_limit),
		T(test_changed_limit_applies_at_once),
		T(test_late_program_is_not_a_dead_peer),
		T(test_write_limit),
		T(test_shutdown_limit),
		T(test_total_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
