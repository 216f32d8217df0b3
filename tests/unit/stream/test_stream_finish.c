#include "tls_pair.h"

#include "stream/tls_sessions.h"

enum { FLOOD = 8 * 1024 * 1024 };

/* The other end reads to the end of what was sent, and says how. */
static ssize_t end_of(struct fixture *f, char *buf, size_t n)
{
	struct answer got = { .p = f->p };
	int calls = 0;

	do {
		assert_int_equal(PAIR_CALL(f->p, aftp_stream_read(f->p->b, buf, n, on_bytes, &got)), 0);
		calls++;
		PAIR_UNTIL(f->p, got.calls == calls);
	} while (got.n > 0);
	return got.n;
}

static void finish(struct fixture *f, int64_t linger_ms, struct answer *a)
{
	*a = (struct answer){ .p = f->p };
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_finish(f->p->a, linger_ms, on_status, a)), 0);
}

static void test_plain(void **state)
{
	struct fixture *f = *state;
	struct answer done;
	char buf[100];

	pair_send(f->p, f->p->a, "last words");
	pair_send(f->p, f->p->b, "which nobody reads");
	finish(f, 60000, &done);
	assert_int_equal(end_of(f, buf, sizeof(buf)), AFTP_EOF);
	assert_int_equal(done.calls, 0); /* it waits for the other end */
	pair_fin(f->p, f->p->b);
	PAIR_UNTIL(f->p, done.calls);
	assert_int_equal(done.status, 0);
	pair_turn(f->p, 3);
	assert_int_equal(done.calls, 1);
}

/* Unread tickets must not turn the end of an upload into a reset. */
static void test_tickets(void **state)
{
	static const size_t sizes[] = { 0, 1, 16384, 65537, 10 * 1000 * 1000 };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct answer done, sent = { .p = f->p };
		char *all = calloc(1, sizes[i] + 1), *got = malloc(65536);
		struct aftp_tls_sessions *store;
		SSL_SESSION *ticket;
		struct answer a, b;

		assert_int_equal(aftp_tls_sessions_new(&store), 0);
		handshake_again(f, "ftp.example.org", store, NULL, &a, &b);
		assert_int_equal(a.status | b.status, 0);
		assert_int_equal(PAIR_CALL(f->p, aftp_stream_write(f->p->a, all, sizes[i], on_status, &sent)), 0);
		finish(f, 60000, &done);
		assert_int_equal(end_of(f, got, 65536), AFTP_EOF);
		assert_int_equal(aftp_stream_bytes_read(f->p->b), sizes[i]);
		aftp_stream_close(&f->p->b, false, NULL, NULL); /* FIN and no close_notify: good enough here */
		PAIR_UNTIL(f->p, done.calls);
		assert_int_equal(sent.status, 0);
		assert_int_equal(done.status, 0);
		ticket = tls_sessions_take(store);
		assert_non_null(ticket);
		SSL_SESSION_free(ticket);
		aftp_tls_sessions_unref(store);
		free(all);
		free(got);
		reconnect(f);
	}
}

static void test_after_shutdown(void **state)
{
	struct fixture *f = *state;
	struct answer done;

	secure(f);
	pair_fin(f->p, f->p->a);
	finish(f, 60000, &done);
	pair_fin(f->p, f->p->b);
	PAIR_UNTIL(f->p, done.calls);
	assert_int_equal(done.status, 0);
}

static void test_peer_stays(void **state)
{
	struct fixture *f = *state;
	struct answer done;

	secure(f);
	finish(f, 50, &done);
	PAIR_UNTIL(f->p, done.calls);
	assert_int_equal(done.status, AFTP_ETIMEDOUT);
	assert_int_equal(aftp_stream_finish(f->p->a, 50, on_status, &done), AFTP_ETIMEDOUT);
}

static void test_peer_resets(void **state)
{
	struct fixture *f = *state;
	struct answer done;

	finish(f, 60000, &done);
	pair_turn(f->p, 2);
	aftp_stream_close(&f->p->b, true, NULL, NULL);
	PAIR_UNTIL(f->p, done.calls);
	assert_int_equal(done.status, AFTP_ECONNRESET);
}

static void test_peer_floods(void **state)
{
	struct fixture *f = *state;
	struct answer done, sent = { .p = f->p };
	char *flood = calloc(1, FLOOD);

	assert_int_equal(PAIR_CALL(f->p, aftp_stream_write(f->p->b, flood, FLOOD, on_status, &sent)), 0);
	finish(f, 60000, &done);
	PAIR_UNTIL(f->p, done.calls);
	assert_int_equal(done.status, AFTP_ETOOBIG);
	aftp_stream_close(&f->p->b, true, on_closed_count, f->p);
	PAIR_UNTIL(f->p, f->p->closed);
	free(flood);
}

/* While our end is on its way, and after it. */
static void test_close_in_the_middle(void **state)
{
	struct fixture *f = *state;

	for (int turns = 0; turns < 3; turns++) {
		struct answer done;

		f->p->closed = 0;
		finish(f, 60000, &done);
		pair_turn(f->p, turns);
		PAIR_CALL(f->p, (aftp_stream_close(&f->p->a, false, on_closed_count, f->p), 0));
		PAIR_UNTIL(f->p, f->p->closed);
		assert_int_equal(done.calls, 1);
		assert_int_equal(done.status, AFTP_ECANCELED);
		aftp_stream_close(&f->p->b, false, NULL, NULL);
		pair_connect(f->p);
	}
}

static void test_refusals(void **state)
{
	struct fixture *f = *state;
	struct answer done = { .p = f->p }, got = { .p = f->p };
	char c;

	assert_int_equal(aftp_stream_finish(f->p->a, 0, on_status, &done), AFTP_EINVAL);
	assert_int_equal(aftp_stream_finish(f->p->a, 10, NULL, NULL), AFTP_EINVAL);
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_read(f->p->a, &c, 1, on_bytes, &got)), 0);
	assert_int_equal(aftp_stream_finish(f->p->a, 10, on_status, &done), AFTP_EBUSY);
	pair_send(f->p, f->p->b, "x");
	PAIR_UNTIL(f->p, got.calls);
	finish(f, 60000, &done);
	assert_int_equal(aftp_stream_finish(f->p->a, 10, on_status, &done), AFTP_EBUSY);
	assert_int_equal(aftp_stream_read(f->p->a, &c, 1, on_bytes, &got), AFTP_EBUSY);
	assert_int_equal(aftp_stream_write(f->p->a, &c, 1, on_status, &got), -EPIPE);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_plain),
		T(test_tickets),
		T(test_after_shutdown),
		T(test_peer_stays),
		T(test_peer_resets),
		T(test_peer_floods),
		T(test_close_in_the_middle),
		T(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
