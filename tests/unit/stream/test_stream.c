#include <sys/socket.h>
#include <unistd.h>

#include "pair.h"

/* --- connect, accept, options --------------------------------------------------------------------- */

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
	assert_int_equal(aftp_stream_accept(p->b, (uv_stream_t *)&p->listener), AFTP_EBUSY);
}

static void test_options(void **state)
{
	struct pair *p = *state;
	struct answer connected = { .p = p };
	struct aftp_stream *first;

	assert_int_equal(aftp_stream_set_keepalive(p->a, 30), 0);
	assert_int_equal(aftp_stream_set_keepalive(p->a, 0), 0);
	assert_int_equal(aftp_stream_set_buffers(p->a, 100000, 200000), 0);
	assert_int_equal(aftp_stream_set_buffers(p->a, -1, 0), AFTP_EINVAL);
	assert_int_equal(aftp_stream_set_unsent(p->a, 100000), 0);
	assert_int_equal(aftp_stream_set_unsent(p->a, -1), AFTP_EINVAL);
	/* And before there is a socket. */
	aftp_stream_close(&p->a, false, NULL, NULL);
	first = p->b;
	p->b = NULL;
	assert_int_equal(aftp_stream_new(&p->a, &p->loop), 0);
	assert_int_equal(aftp_stream_set_keepalive(p->a, 30), 0);
	assert_int_equal(aftp_stream_set_buffers(p->a, 100000, 200000), 0);
	assert_int_equal(aftp_stream_connect(p->a, NULL, on_status, &connected), AFTP_EINVAL);
	assert_int_equal(
		PAIR_CALL(p, aftp_stream_connect(p->a, (struct sockaddr *)&p->addr, on_status, &connected)), 0);
	PAIR_UNTIL(p, connected.calls && p->b);
	assert_int_equal(connected.status, 0);
	aftp_stream_close(&first, false, NULL, NULL);
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
	assert_int_equal(aftp_stream_shutdown(s, on_status, &answer), AFTP_ENOTCONN);
	assert_int_equal(PAIR_CALL(p, aftp_stream_connect(s, (struct sockaddr *)&nobody, on_status, &answer)), 0);
	assert_int_equal(aftp_stream_write(s, "x", 1, on_status, &answer), AFTP_ENOTCONN);
	PAIR_UNTIL(p, answer.calls);
	assert_int_equal(answer.status, AFTP_ECONNREFUSED);
	assert_int_equal(aftp_stream_write(s, "x", 1, on_status, &answer), AFTP_ECONNREFUSED);
	aftp_stream_close(&s, false, on_closed_count, p);
	uv_close((uv_handle_t *)&probe, NULL);
	PAIR_UNTIL(p, p->closed);
	assert_int_equal(answer.calls, 1);
}

/* --- the end -------------------------------------------------------------------------------------- */

/* Everything that can be under way is, and nothing of it can end by itself. */
struct doomed {
	struct answer read, write, shut;
	char buf[8];
	char *big;
};

enum { BIG = 32 * 1024 * 1024 };

static void doom(struct pair *p, struct doomed *d)
{
	*d = (struct doomed){ .read.p = p, .write.p = p, .shut.p = p };
	d->big = calloc(1, BIG);
	assert_int_equal(aftp_stream_set_buffers(p->b, 8192, 0), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_read_exactly(p->a, d->buf, 8, on_bytes, &d->read)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->a, d->big, BIG, on_status, &d->write)), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_shutdown(p->a, on_status, &d->shut)), 0);
}

static void check_doomed(struct pair *p, struct doomed *d)
{
	assert_int_equal(d->read.calls + d->write.calls + d->shut.calls, 0); /* not from inside close */
	PAIR_UNTIL(p, p->closed);
	assert_int_equal(d->read.calls, 1);
	assert_int_equal(d->read.n, AFTP_ECANCELED);
	assert_int_equal(d->write.calls, 1);
	assert_int_equal(d->write.status, AFTP_ECANCELED);
	assert_int_equal(d->shut.calls, 1);
	assert_int_equal(d->shut.status, AFTP_ECANCELED);
	pair_turn(p, 3);
	assert_int_equal(d->read.calls + d->write.calls + d->shut.calls, 3);
	free(d->big);
}

static void test_close_cancels(void **state)
{
	struct pair *p = *state;
	struct doomed d;

	doom(p, &d);
	PAIR_CALL(p, (aftp_stream_close(&p->a, false, on_closed_count, p), 0));
	assert_null(p->a);
	check_doomed(p, &d);
}

static void test_close_cancels_a_little_later(void **state)
{
	struct pair *p = *state;
	struct doomed d;

	doom(p, &d);
	pair_turn(p, 5);
	PAIR_CALL(p, (aftp_stream_close(&p->a, true, on_closed_count, p), 0));
	check_doomed(p, &d);
}

/* What is done, and only not told yet, is told as it is. */
static void test_close_keeps_what_is_done(void **state)
{
	struct pair *p = *state;
	struct answer sent = { .p = p };

	assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->a, "x", 1, on_status, &sent)), 0);
	PAIR_CALL(p, (aftp_stream_close(&p->a, false, on_closed_count, p), 0));
	PAIR_UNTIL(p, p->closed);
	assert_int_equal(sent.calls, 1);
	assert_int_equal(sent.status, 0);
}

static void test_close_cancels_connect(void **state)
{
	struct pair *p = *state;
	struct answer connected = { .p = p };
	struct aftp_stream *s;

	p->accept = false;
	assert_int_equal(aftp_stream_new(&s, &p->loop), 0);
	assert_int_equal(PAIR_CALL(p, aftp_stream_connect(s, (struct sockaddr *)&p->addr, on_status, &connected)), 0);
	PAIR_CALL(p, (aftp_stream_close(&s, false, on_closed_count, p), 0));
	PAIR_UNTIL(p, p->closed);
	assert_int_equal(connected.calls, 1);
	assert_int_equal(connected.status, AFTP_ECANCELED);
}

static void test_close_silences_push(void **state)
{
	struct pair *p = *state;
	char data[16];
	struct sink k = { .p = p, .data = data, .cap = 16, .lend = 16 };

	assert_int_equal(PAIR_CALL(p, aftp_stream_read_start(p->b, sink_lend, sink_data, &k)), 0);
	pair_send(p, p->a, "abc");
	aftp_stream_close(&p->b, false, on_closed_count, p);
	PAIR_UNTIL(p, p->closed);
	assert_int_equal(k.ends, 0);
}

static void test_close_is_lenient(void **state)
{
	struct pair *p = *state;
	struct aftp_stream *none = NULL, *fresh;

	aftp_stream_close(&none, false, on_closed_count, p);
	pair_turn(p, 3);
	assert_int_equal(p->closed, 0);
	assert_int_equal(aftp_stream_new(&fresh, &p->loop), 0);
	aftp_stream_close(&fresh, true, on_closed_count, p);
	PAIR_UNTIL(p, p->closed == 1);
	/* A shutdown before does not keep an abort from being one. */
	pair_fin(p, p->a);
	aftp_stream_close(&p->a, true, on_closed_count, p);
	PAIR_UNTIL(p, p->closed == 2);
}

static void test_abort_resets(void **state)
{
	struct pair *p = *state;
	struct answer got = { .p = p };
	char c;

	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, &c, 1, on_bytes, &got)), 0);
	aftp_stream_close(&p->a, true, on_closed_count, p);
	PAIR_UNTIL(p, got.calls);
	assert_int_equal(got.n, AFTP_ECONNRESET);
}

static void test_close_ends_orderly(void **state)
{
	struct pair *p = *state;
	struct answer got = { .p = p };
	char c;

	assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, &c, 1, on_bytes, &got)), 0);
	aftp_stream_close(&p->a, false, NULL, NULL);
	PAIR_UNTIL(p, got.calls);
	assert_int_equal(got.n, AFTP_EOF);
}

/* --- closing from inside every kind of callback --------------------------------------------------- */

struct closer {
	struct pair *p;
	struct aftp_stream **s;
	int calls;
	char room[64];
};

static void closer_close(struct closer *c)
{
	c->calls++;
	assert_false(c->p->calling);
	if (*c->s)
		PAIR_CALL(c->p, (aftp_stream_close(c->s, false, on_closed_count, c->p), 0));
}

static void closer_status(void *arg, int status)
{
	(void)status;
	closer_close(arg);
}

static void closer_bytes(void *arg, ssize_t n, const char *data)
{
	(void)n;
	(void)data;
	closer_close(arg);
}

static void closer_data(void *arg, ssize_t n)
{
	(void)n;
	closer_close(arg);
}

static enum aftp_next closer_line(void *arg, ssize_t n, const char *line)
{
	(void)n;
	(void)line;
	closer_close(arg);
	return AFTP_GO_ON;
}

static char *closer_lend(void *arg, size_t *len)
{
	struct closer *c = arg;

	*len = sizeof(c->room);
	return c->room;
}

static void close_inside(int way)
{
	struct pair *p;
	void *state;
	char buf[4];
	struct closer c;

	assert_int_equal(pair_setup(&state), 0);
	p = state;
	c = (struct closer){ .p = p, .s = &p->b };
	switch (way) {
	case 0: assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, buf, 4, closer_bytes, &c)), 0); break;
	case 1: assert_int_equal(PAIR_CALL(p, aftp_stream_read_exactly(p->b, buf, 4, closer_bytes, &c)), 0); break;
	case 2: assert_int_equal(PAIR_CALL(p, aftp_stream_read_line(p->b, 100, closer_bytes, &c)), 0); break;
	case 3: assert_int_equal(PAIR_CALL(p, aftp_stream_each_line(p->b, 100, closer_line, &c)), 0); break;
	case 4: assert_int_equal(PAIR_CALL(p, aftp_stream_read_start(p->b, closer_lend, closer_data, &c)), 0); break;
	case 5: assert_int_equal(PAIR_CALL(p, aftp_stream_write(p->b, "abc", 3, closer_status, &c)), 0); break;
	case 6: assert_int_equal(PAIR_CALL(p, aftp_stream_shutdown(p->b, closer_status, &c)), 0); break;
	case 7: assert_int_equal(PAIR_CALL(p, aftp_stream_each_block(p->b, 4, closer_line, &c)), 0); break;
	case 8: assert_int_equal(PAIR_CALL(p, aftp_stream_read_all(p->b, 4, closer_bytes, &c)), 0); break;
	default:
		aftp_stream_set_timeouts(p->b, -1, 10, -1, -1);
		assert_int_equal(PAIR_CALL(p, aftp_stream_read(p->b, buf, 4, closer_bytes, &c)), 0);
		break;
	}
	if (way < 9)
		pair_send(p, p->a, "one\ntwo\nthree\n");
	PAIR_UNTIL(p, p->closed);
	assert_int_equal(c.calls, 1);
	assert_int_equal(pair_teardown(&state), 0);
}

static void test_close_from_inside(void **state)
{
	(void)state;
	for (int way = 0; way < 10; way++)
		close_inside(way);
}

#define T(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_connect_and_addresses),
		T(test_options),
		T(test_connect_refused),
		T(test_close_cancels),
		T(test_close_cancels_a_little_later),
		T(test_close_keeps_what_is_done),
		T(test_close_cancels_connect),
		T(test_close_silences_push),
		T(test_close_is_lenient),
		T(test_abort_resets),
		T(test_close_ends_orderly),
		cmocka_unit_test(test_close_from_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
