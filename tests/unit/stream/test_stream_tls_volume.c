#include "tls_pair.h"

struct volume {
	struct sink k;
	struct answer sent, shut;
	char *all;
};

static void volume_begin(
	struct fixture *f, struct volume *v, struct aftp_stream *from, struct aftp_stream *to, size_t size, size_t lend)
{
	*v = (struct volume){ .k = { .p = f->p, .cap = size, .lend = lend }, .sent.p = f->p, .shut.p = f->p };
	v->all = malloc(size);
	v->k.data = malloc(size);
	pattern(v->all, size, lend);
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_write(from, v->all, size, on_status, &v->sent)), 0);
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_read_start(to, sink_lend, sink_data, &v->k)), 0);
}

static void volume_end(struct volume *v)
{
	assert_int_equal(v->sent.status, 0);
	assert_memory_equal(v->all, v->k.data, v->k.cap);
	free(v->all);
	free(v->k.data);
}

static void test_volume_both_ways(void **state)
{
	struct fixture *f = *state;
	struct volume there, back;
	size_t pause = 300000;

	secure(f);
	volume_begin(f, &there, f->p->a, f->p->b, 8 << 20, 1 << 20);
	volume_begin(f, &back, f->p->b, f->p->a, 5 << 20, 777);
	there.k.pause_at = pause;
	while (there.k.len < there.k.cap) {
		int pauses = there.k.pauses;

		PAIR_UNTIL(f->p, there.k.pauses > pauses || there.k.len == there.k.cap);
		there.k.pause_at += pause;
		aftp_stream_resume(f->p->b);
	}
	PAIR_UNTIL(f->p, back.k.len == back.k.cap && there.sent.calls && back.sent.calls);
	assert_int_equal(aftp_stream_bytes_written(f->p->a), 8 << 20);
	assert_int_equal(aftp_stream_bytes_read(f->p->b), 8 << 20);
	volume_end(&there);
	volume_end(&back);
}

static void test_shutdown_behind_volume(void **state)
{
	struct fixture *f = *state;
	struct volume v;

	secure(f);
	volume_begin(f, &v, f->p->a, f->p->b, 4 << 20, 1 << 20);
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_shutdown(f->p->a, on_status, &v.shut)), 0);
	PAIR_UNTIL(f->p, v.sent.calls && v.shut.calls && v.k.len == v.k.cap);
	assert_int_equal(v.shut.status, 0);
	aftp_stream_read_stop(f->p->b);
	v.k.lend = 0;
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_read(f->p->b, (char[1]){ 0 }, 1, on_bytes, &v.shut)), 0);
	PAIR_UNTIL(f->p, v.shut.calls == 2);
	assert_int_equal(v.shut.n, AFTP_EOF);
	volume_end(&v);
}

/* Throttled on both sides, in plain bytes. */
static void test_throttled(void **state)
{
	struct fixture *f = *state;
	struct aftp_stream_throttle st;
	struct volume v;

	assert_int_equal(aftp_stream_throttle_from_limits(&st, &f->p->loop, 5000000, 7000000), 0);
	secure(f);
	assert_int_equal(aftp_stream_add_throttle(f->p->a, "x", &st), 0);
	assert_int_equal(aftp_stream_add_throttle(f->p->b, "x", &st), 0);
	aftp_stream_throttle_unref(&st);
	volume_begin(f, &v, f->p->a, f->p->b, 600000, 1 << 20);
	PAIR_UNTIL(f->p, v.k.len >= 300000);
	assert_true(aftp_stream_bytes_written(f->p->a) < 600000);
	PAIR_UNTIL(f->p, v.k.len == v.k.cap && v.sent.calls);
	volume_end(&v);
}

/* After a write that timed out the records go on in order. */
static void test_write_limit(void **state)
{
	enum { SIZE = 32 << 20 };
	struct fixture *f = *state;
	struct answer sent = { .p = f->p };
	struct sink k = { .p = f->p, .cap = SIZE + 4, .lend = 1 << 20 };
	char *all = malloc(SIZE);
	uint64_t done;

	k.data = malloc(SIZE + 4);
	pattern(all, SIZE, 0);
	secure(f);
	aftp_stream_set_timeouts(f->p->a, -1, -1, 60, -1);
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_write(f->p->a, all, SIZE, on_status, &sent)), 0);
	PAIR_UNTIL(f->p, sent.calls);
	assert_int_equal(sent.status, AFTP_ETIMEDOUT);
	done = aftp_stream_bytes_written(f->p->a);
	assert_in_range(done, 1, SIZE - 1);
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_write(f->p->a, "next", 4, on_status, &sent)), 0);
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_read_start(f->p->b, sink_lend, sink_data, &k)), 0);
	PAIR_UNTIL(f->p, sent.calls == 2 && k.len == done + 4);
	assert_memory_equal(k.data, all, done);
	assert_memory_equal(k.data + done, "next", 4);
	free(all);
	free(k.data);
}

struct sipper {
	uv_timer_t timer;
	struct pair *p;
	struct answer got;
	int left; /* sips; then it reads no more */
	char buf[8192];
};

static void sip(uv_timer_t *timer)
{
	struct sipper *s = timer->data;

	if (s->left-- > 0)
		(void)aftp_stream_read(s->p->b, s->buf, sizeof(s->buf), on_bytes, &s->got);
}

static int write_to_sipper(struct fixture *f, int sips)
{
	enum { SIZE = 400000, LIMIT = 1500 };
	struct sipper *s = calloc(1, sizeof(*s));
	struct answer sent = { .p = f->p };
	char *all = calloc(1, SIZE);

	secure(f);
	s->p = s->got.p = f->p;
	s->left = sips;
	uv_timer_init(&f->p->loop, &s->timer);
	s->timer.data = s;
	uv_timer_start(&s->timer, sip, 0, 50);
	assert_int_equal(aftp_stream_set_buffers(f->p->a, 0, 32768), 0);
	assert_int_equal(aftp_stream_set_buffers(f->p->b, 32768, 0), 0);
	aftp_stream_set_timeouts(f->p->a, -1, -1, LIMIT, -1);
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_write(f->p->a, all, SIZE, on_status, &sent)), 0);
	PAIR_UNTIL(f->p, sent.calls);
	aftp_stream_close(&f->p->b, true, on_closed_count, f->p);
	uv_close((uv_handle_t *)&s->timer, NULL);
	PAIR_UNTIL(f->p, f->p->closed);
	free(all);
	free(s);
	return sent.status;
}

/* What libuv holds of a write goes slowly, and for longer than the limit; but it goes. Then it stops, and that shows. */
static void test_slow_peer_is_not_dead(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(write_to_sipper(f, 1000000), 0);
	reconnect(f);
	f->p->closed = 0;
	assert_int_equal(write_to_sipper(f, 12), AFTP_ETIMEDOUT);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_volume_both_ways),
		T(test_shutdown_behind_volume),
		T(test_throttled),
		T(test_write_limit),
		T(test_slow_peer_is_not_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
