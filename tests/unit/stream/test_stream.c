#include <unistd.h>

#include "pair.h"

/* --- connect -------------------------------------------------------------------------------------- */

static void test_connect_and_addresses(void **state)
{
	struct pair *p = *state;
	struct sockaddr_storage peer, local;

	assert_int_equal(aftp_stream_peer(p->a, &peer), 0);
	assert_int_equal(((struct sockaddr_in *)&peer)->sin_port, p->addr.sin_port);
	assert_int_equal(aftp_stream_local(p->a, &local), 0);
	assert_int_equal(aftp_stream_peer(p->b, &peer), 0);
	assert_int_equal(((struct sockaddr_in *)&peer)->sin_port, ((struct sockaddr_in *)&local)->sin_port);
	assert_null(aftp_stream_ssl(p->a));
	assert_int_equal(aftp_stream_connect(p->a, (struct sockaddr *)&p->addr, on_status, NULL), AFTP_EBUSY);
}

static void test_connect_refused(void **state)
{
	struct pair *p = *state;
	struct answer answer = { .p = p };
	struct sockaddr_in nobody = p->addr;
	struct aftp_stream *s;
	uv_tcp_t probe;
	int len = sizeof(nobody);
	char c;

	/* A port that is bound and does not listen refuses, and nobody else can take it meanwhile. */
	uv_tcp_init(&p->loop, &probe);
	nobody.sin_port = 0;
	assert_int_equal(uv_tcp_bind(&probe, (struct sockaddr *)&nobody, 0), 0);
	assert_int_equal(uv_tcp_getsockname(&probe, (struct sockaddr *)&nobody, &len), 0);
	assert_int_equal(aftp_stream_new(&s, &p->loop), 0);
	assert_int_equal(aftp_stream_read(s, &c, 1, on_bytes, &answer), AFTP_ENOTCONN);
	assert_int_equal(PAIR_CALL(p, aftp_stream_connect(s, (struct sockaddr *)&nobody, on_status, &answer)), 0);
	PAIR_UNTIL(p, answer.calls);
	assert_int_equal(answer.status, AFTP_ECONNREFUSED);
	assert_int_equal(aftp_stream_write(s, "x", 1, on_status, &answer), AFTP_ECONNREFUSED);
	aftp_stream_close(&s, false, on_closed_count, p);
	uv_close((uv_handle_t *)&probe, NULL);
	PAIR_UNTIL(p, p->closed);
	assert_int_equal(answer.calls, 1);
}

/* --- pull ----------------------------------------------------------------------------------------- */

static void test_read_some(void **state)
{
	struct pair *p = *state;
	struct answer got = { .p = p };
	char buf[64];

	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, buf, sizeof(buf), on_bytes, &got)), 0);
	assert_int_equal(aftp_stream_read(p->b, buf, sizeof(buf), on_bytes, &got), AFTP_EBUSY);
	pair_send(p, p->a, "hello");
	PAIR_UNTIL(p, got.calls);
	assert_int_equal(got.n, 5);
	assert_string_equal(got.line, "hello");
	pair_fin(p, p->a);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, buf, sizeof(buf), on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 2);
	assert_int_equal(got.n, AFTP_EOF);
	/* The end stays the end. */
	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, buf, sizeof(buf), on_bytes, &got)), 0);
	PAIR_UNTIL(p, got.calls == 3);
	assert_int_equal(got.n, AFTP_EOF);
	assert_int_equal(aftp_stream_bytes_read(p->b), 5);
	assert_int_equal(aftp_stream_bytes_written(p->a), 5);
}

static void test_push(void **state)
{
	struct pair *p = *state;
	struct sink k = { .p = p, .cap = 1000000, .lend = 1000 };
	struct answer sent = { .p = p };
	char *all = malloc(k.cap);

	k.data = malloc(k.cap);
	pattern(all, k.cap, 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_start(p->b, sink_lend, sink_data, &k)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->a, all, k.cap, on_status, &sent)), 0);
	PAIR_UNTIL(p, sent.calls && k.len == k.cap);
	assert_memory_equal(all, k.data, k.cap);
	pair_fin(p, p->a);
	k.len = 0;
	aftp_stream_resume(p->b);        /* it had no room left, and was asked in vain */
	PAIR_UNTIL(p, k.ends);
	assert_int_equal(k.end, AFTP_EOF);
	free(all);
	free(k.data);
}

#define T(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_connect_and_addresses),
		T(test_connect_refused),
		T(test_read_some),
		T(test_push),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
