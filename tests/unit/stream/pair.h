/* pair - two streams that are connected to each other over loopback, in one loop; and callbacks that keep a record. */
#ifndef TESTS_STREAM_PAIR_H
#define TESTS_STREAM_PAIR_H

#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <aftp/status.h>
#include <aftp/stream.h>

#define PAIR_MAX_MS  60000 /* no test takes as long */
#define PAIR_TICK_MS 10

struct pair {
	uv_loop_t loop;
	uv_tcp_t listener;
	uv_timer_t guard; /* ticks, so that no turn sleeps for long past what is waited for */
	int ticks;
	struct sockaddr_in addr;
	struct aftp_stream *a, *b; /* a connected, b accepted */
	bool accept;               /* take what comes as b */
	bool calling;              /* inside a call of the library */
	bool late;
	int closed;
};

/* One answer of one operation. */
struct answer {
	struct pair *p;
	int calls;
	int status;
	ssize_t n;
	const char *data; /* to be compared, not looked at */
	char line[256];
};

/* Marks the time inside a call: no callback may come then. */
#define PAIR_CALL(p, call) ((p)->calling = true, pair_called((p), (call)))

static inline int pair_called(struct pair *p, int rc)
{
	p->calling = false;
	return rc;
}

static inline void pair_guard(uv_timer_t *timer)
{
	struct pair *p = timer->data;

	p->late = ++p->ticks > PAIR_MAX_MS / PAIR_TICK_MS;
}

static inline void on_status(void *arg, int status)
{
	struct answer *a = arg;

	assert_false(a->p->calling);
	a->calls++;
	a->status = status;
}

static inline void on_bytes(void *arg, ssize_t n, const char *data)
{
	struct answer *a = arg;

	assert_false(a->p->calling);
	a->calls++;
	a->n = n;
	a->data = data;
	a->line[0] = '\0';
	if (data && n >= 0 && (size_t)n < sizeof(a->line)) {
		memcpy(a->line, data, (size_t)n);
		a->line[n] = '\0';
	}
}

static inline void on_closed_count(void *arg)
{
	struct pair *p = arg;

	assert_false(p->calling);
	p->closed++;
}

static inline void pair_incoming(uv_stream_t *listener, int status)
{
	struct pair *p = listener->data;

	assert_int_equal(status, 0);
	if (!p->accept)
		return;
	assert_int_equal(aftp_stream_new(&p->b, &p->loop), 0);
	assert_int_equal(aftp_stream_accept(p->b, listener), 0);
}

/* Turns the loop until `done` holds; fails when that takes for ever. */
#define PAIR_UNTIL(p, done)                              \
	do {                                             \
		while (!(done) && !(p)->late)            \
			uv_run(&(p)->loop, UV_RUN_ONCE); \
		assert_false((p)->late);                 \
	} while (0)

/* A few turns, in which nothing more should come. */
static inline void pair_turn(struct pair *p, int turns)
{
	while (turns-- > 0)
		uv_run(&p->loop, UV_RUN_NOWAIT);
}

static inline void pair_rang(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

/* Lets the loop run for so long: for what must not happen meanwhile. */
static inline void pair_run_for(struct pair *p, uint64_t ms)
{
	uv_timer_t timer;
	bool rang = false;

	uv_timer_init(&p->loop, &timer);
	timer.data = &rang;
	uv_timer_start(&timer, pair_rang, ms, 0);
	PAIR_UNTIL(p, rang);
	uv_close((uv_handle_t *)&timer, NULL);
	pair_turn(p, 1);
}

static inline struct pair *pair_new(void)
{
	struct pair *p = calloc(1, sizeof(*p));
	int len = sizeof(p->addr);

	signal(SIGPIPE, SIG_IGN);
	assert_non_null(p);
	assert_int_equal(uv_loop_init(&p->loop), 0);
	uv_timer_init(&p->loop, &p->guard);
	p->guard.data = p;
	uv_timer_start(&p->guard, pair_guard, PAIR_TICK_MS, PAIR_TICK_MS);
	uv_unref((uv_handle_t *)&p->guard);
	uv_tcp_init(&p->loop, &p->listener);
	p->listener.data = p;
	p->accept = true;
	p->addr.sin_family = AF_INET;
	p->addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(uv_tcp_bind(&p->listener, (struct sockaddr *)&p->addr, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&p->listener, 8, pair_incoming), 0);
	assert_int_equal(uv_tcp_getsockname(&p->listener, (struct sockaddr *)&p->addr, &len), 0);
	return p;
}

static inline void pair_connect(struct pair *p)
{
	struct answer connected = { .p = p };

	assert_int_equal(aftp_stream_new(&p->a, &p->loop), 0);
	assert_int_equal(
		PAIR_CALL(p, aftp_stream_connect(p->a, (struct sockaddr *)&p->addr, on_status, &connected)), 0);
	PAIR_UNTIL(p, connected.calls == 1 && p->b);
	assert_int_equal(connected.status, 0);
}

static inline int pair_setup(void **state)
{
	struct pair *p = pair_new();

	pair_connect(p);
	*state = p;
	return 0;
}

/* Nothing may be left in the loop: no handle, no request. */
static inline int pair_teardown(void **state)
{
	struct pair *p = *state;
	int rc;

	aftp_stream_close(&p->a, false, NULL, NULL);
	aftp_stream_close(&p->b, false, NULL, NULL);
	uv_close((uv_handle_t *)&p->listener, NULL);
	uv_close((uv_handle_t *)&p->guard, NULL);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	rc = uv_loop_close(&p->loop);
	free(p);
	return rc;
}

/* Sends all of a string; the answer is waited for. */
static inline void pair_send(struct pair *p, struct aftp_stream *from, const char *text)
{
	struct answer sent = { .p = p };

	assert_int_equal(PAIR_CALL(p, aftp_stream_write(from, text, strlen(text), on_status, &sent)), 0);
	PAIR_UNTIL(p, sent.calls);
	assert_int_equal(sent.status, 0);
}

static inline void pair_fin(struct pair *p, struct aftp_stream *from)
{
	struct answer shut = { .p = p };

	assert_int_equal(PAIR_CALL(p, aftp_stream_shutdown(from, on_status, &shut)), 0);
	PAIR_UNTIL(p, shut.calls);
	assert_int_equal(shut.status, 0);
}

/* A consumer that is pushed to: what came, and when it has no room. */
struct sink {
	struct pair *p;
	struct aftp_stream *s;
	char *data;
	size_t cap, len;
	size_t lend;     /* bytes a time */
	size_t pause_at; /* no room from this length on; 0 = never */
	ssize_t end;     /* the n < 0 that came */
	int calls, ends, pauses;
};

static inline char *sink_lend(void *arg, size_t *len)
{
	struct sink *k = arg;

	assert_false(k->p->calling);
	if (k->pause_at > 0 && k->len >= k->pause_at) {
		k->pauses++;
		return NULL;
	}
	*len = k->cap - k->len < k->lend ? k->cap - k->len : k->lend;
	return k->data + k->len;
}

static inline void sink_data(void *arg, ssize_t n)
{
	struct sink *k = arg;

	assert_false(k->p->calling);
	assert_int_equal(k->ends, 0);
	k->calls++;
	if (n > 0) {
		k->len += (size_t)n;
		assert_true(k->len <= k->cap);
	} else {
		k->ends++;
		k->end = n;
	}
}

/* Bytes that tell their place: a gap or a swap shows. */
static inline void pattern(char *to, size_t n, uint64_t at)
{
	for (size_t i = 0; i < n; i++, at++)
		to[i] = (char)(at * 31 + (at >> 8) * 7 + (at >> 16));
}

#endif
