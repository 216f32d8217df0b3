/* Everything at once, by the dice: each side writes pieces of a pattern and reads it in ways that change, with pauses,
 * limits and throttles that come and go. Whatever happens, each byte arrives once, in order, and then the end. */
#include "pair.h"

#include "certificate.h"

struct side {
	struct pair *p;
	struct aftp_stream *s;
	const char *name;
	unsigned *seed;
	/* writing */
	char out[200000];
	uint64_t sent, size;
	int writes;
	bool writing, shut;
	/* reading */
	char in[100000];
	uint64_t got;
	size_t asked;
	bool reading, pushing, paused, ended;
	int left; /* callbacks until push is stopped */
};

static unsigned dice(struct side *d, unsigned sides)
{
	return (unsigned)rand_r(d->seed) % sides;
}

static void check(struct side *d, const char *data, size_t n)
{
	static const size_t at_once = 4096;
	char want[4096];

	for (size_t i = 0; i < n; i += at_once) {
		size_t part = n - i < at_once ? n - i : at_once;

		pattern(want, part, d->got);
		assert_memory_equal(data + i, want, part);
		d->got += part;
	}
}

static void on_end(struct side *d, ssize_t n)
{
	assert_true(n == AFTP_EOF || n == AFTP_EINCOMPLETE);
	d->ended = true;
}

static void on_some(void *arg, ssize_t n, const char *data)
{
	struct side *d = arg;

	assert_false(d->p->calling);
	assert_true(d->reading);
	d->reading = false;
	if (n > 0)
		check(d, data, (size_t)n);
	else if (n == AFTP_EINCOMPLETE)
		check(d, d->in, (size_t)(aftp_stream_bytes_read(d->s) - d->got));
	if (n < 0 && n != AFTP_ETIMEDOUT)
		on_end(d, n);
}

static char *on_lend(void *arg, size_t *len)
{
	struct side *d = arg;

	assert_false(d->p->calling);
	if (dice(d, 8) == 0) {
		d->paused = true;
		return NULL;
	}
	*len = 1 + dice(d, sizeof(d->in) - 1);
	return d->in;
}

static void on_data(void *arg, ssize_t n)
{
	struct side *d = arg;

	assert_false(d->p->calling);
	assert_true(d->pushing);
	if (n > 0)
		check(d, d->in, (size_t)n);
	else if (n != AFTP_ETIMEDOUT)
		on_end(d, n);
	if (n < 0)
		d->pushing = false;
	else if (--d->left == 0) {
		d->pushing = false;
		aftp_stream_read_stop(d->s);
	}
}

static void begin_reading(struct side *d)
{
	unsigned way = dice(d, 3);
	int rc;

	d->paused = false;
	if (way == 0) {
		d->pushing = true;
		d->left = 1 + (int)dice(d, 20);
		rc = PAIR_CALL(d->p, aftp_stream_read_start(d->s, on_lend, on_data, d));
	} else {
		size_t n = 1 + dice(d, dice(d, 2) ? 100 : sizeof(d->in) - 1);

		d->reading = true;
		if (way == 1)
			rc = PAIR_CALL(d->p, aftp_stream_read(d->s, d->in, n, on_some, d));
		else
			rc = PAIR_CALL(d->p, aftp_stream_read_exactly(d->s, d->in, n, on_some, d));
	}
	assert_int_equal(rc, 0);
}

static void on_written(void *arg, int status)
{
	struct side *d = arg;

	assert_false(d->p->calling);
	assert_true(d->writing);
	d->writing = false;
	assert_true(status == 0 || status == AFTP_ETIMEDOUT);
	d->sent = aftp_stream_bytes_written(d->s);
}

static void on_shut(void *arg, int status)
{
	struct side *d = arg;

	assert_true(status == 0 || status == AFTP_ETIMEDOUT);
	d->writing = false;
	d->shut = status == 0;
}

static void begin_writing(struct side *d)
{
	size_t n = 1 + dice(d, dice(d, 2) ? 50 : sizeof(d->out) - 1);

	n = d->size - d->sent < n ? (size_t)(d->size - d->sent) : n;
	d->writing = true;
	if (n == 0) {
		assert_int_equal(PAIR_CALL(d->p, aftp_stream_shutdown(d->s, on_shut, d)), 0);
		return;
	}
	pattern(d->out, n, d->sent);
	assert_int_equal(PAIR_CALL(d->p, aftp_stream_write(d->s, d->out, n, on_written, d)), 0);
}

static void shake(struct side *d, const struct aftp_stream_throttle *st)
{
	switch (dice(d, 12)) {
	case 0: (void)aftp_stream_add_throttle(d->s, "x", st); break;
	case 1: (void)aftp_stream_remove_throttle(d->s, "x"); break;
	case 2: aftp_stream_set_timeouts(d->s, -1, dice(d, 3), dice(d, 3), -1); break;
	case 3: aftp_throttle_set_limit(dice(d, 2) ? st->read : st->write, dice(d, 3) * 20000000); break;
	case 4: (void)aftp_stream_set_buffers(d->s, 65536 << dice(d, 4), 65536 << dice(d, 4)); break;
	default: break;
	}
}

static void step(struct side *d, const struct aftp_stream_throttle *st)
{
	shake(d, st);
	if (!d->reading && !d->pushing && !d->ended && dice(d, 3) > 0)
		begin_reading(d);
	if (d->paused && dice(d, 2)) {
		d->paused = false;
		PAIR_CALL(d->p, (aftp_stream_resume(d->s), 0));
	}
	if (d->pushing && dice(d, 30) == 0) {
		d->pushing = false;
		aftp_stream_read_stop(d->s);
	}
	if (!d->writing && !d->shut && dice(d, 3) > 0)
		begin_writing(d);
}

static void shake_hands(struct pair *p)
{
	struct certificate cert = certificate_make("localhost", NULL);
	struct aftp_tls *client = certificate_client(&cert), *server = certificate_server(&cert);
	struct answer a = { .p = p }, b = { .p = p };

	assert_int_equal(PAIR_CALL(p, aftp_stream_start_tls(p->a, client, "localhost", NULL, on_status, &a)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_accept_tls(p->b, server, NULL, on_status, &b)), 0);
	PAIR_UNTIL(p, a.calls && b.calls);
	assert_int_equal(a.status | b.status, 0);
	aftp_tls_unref(client);
	aftp_tls_unref(server);
	certificate_free(&cert);
}

static void storm(unsigned seed, bool tls)
{
	struct aftp_stream_throttle st;
	struct side *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	unsigned dice_seed = seed;
	struct pair *p;
	void *state;

	assert_int_equal(pair_setup(&state), 0);
	p = state;
	if (tls)
		shake_hands(p);
	assert_int_equal(aftp_stream_throttle_from_limits(&st, &p->loop, 20000000, 20000000), 0);
	a->p = b->p = p;
	a->seed = b->seed = &dice_seed;
	a->s = p->a;
	b->s = p->b;
	a->size = rand_r(&dice_seed) % 3000000u;
	b->size = rand_r(&dice_seed) % 3000000u;
	while (!(a->ended && b->ended && a->shut && b->shut && !a->writing && !b->writing) && !p->late) {
		step(a, &st);
		step(b, &st);
		uv_run(&p->loop, UV_RUN_NOWAIT);
	}
	if (p->late || a->got != b->size || b->got != a->size)
		fail_msg("seed %u%s: %llu of %llu, %llu of %llu", seed, tls ? " with TLS" : "",
			(unsigned long long)a->got, (unsigned long long)b->size, (unsigned long long)b->got,
			(unsigned long long)a->size);
	aftp_stream_throttle_unref(&st);
	assert_int_equal(pair_teardown(&state), 0);
	free(a);
	free(b);
}

static void test_storm(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++)
		storm(seed, false);
}

static void test_storm_with_tls(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 10; seed++)
		storm(seed, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_storm),
		cmocka_unit_test(test_storm_with_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
