#include "remote/pool.h"

#include <aftp/status.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <utlist.h>

#include "remote/pool_options.h"

#define ASK_EVERY_MS   50 /* how often holders are asked to yield */
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 5000
#define RETRY_LIMIT_MS 60000 /* a learned limit is tested again after this */

enum conn_state { CONN_DIALING, CONN_IDLE, CONN_OUT, CONN_CLOSING };

struct pool_conn {
	struct pool *pool;
	struct aftp_client *client; /* NULL once it is closing */
	enum conn_state state;
	uint64_t since; /* ms: in this state */
	pool_yield_cb *yield;
	void *yield_arg;
	struct pool_conn *prev, *next; /* pool::conns; idle ones: the latest used first */
};

struct pool {
	uv_loop_t *loop;
	struct later *later;
	struct pool_options o;
	struct aftp_log log;
	struct pool_conn *conns;
	struct pool_request *queue[POOL_CLASSES];
	unsigned limit, max_seen; /* the limit is learned, <= o.max_conns */
	uint64_t limit_at;
	uint64_t backoff_ms, redial_at; /* no dial before redial_at */
	uint64_t failing_since;         /* 0: the latest dial worked */
	int last_status;
	char why[300];
	bool has_features;
	struct aftp_features features;
	uv_timer_t timer;
	bool closing, timer_closed;
	void (*closed)(void *arg);
	void *closed_arg;
};

static void run(struct pool *p);

static uint64_t now(const struct pool *p)
{
	return uv_now(p->loop);
}

static unsigned count(const struct pool *p, enum conn_state state)
{
	const struct pool_conn *c;
	unsigned n = 0;

	DL_FOREACH (p->conns, c)
		n += c->state == state;
	return n;
}

/* Those on their way out count: the server may still count them too. */
static unsigned live(const struct pool *p)
{
	const struct pool_conn *c;
	unsigned n;

	DL_COUNT(p->conns, c, n);
	return n;
}

static unsigned waiting(const struct pool *p)
{
	const struct pool_request *r;
	unsigned n = 0;

	for (int k = 0; k < POOL_CLASSES; k++)
		DL_FOREACH (p->queue[k], r)
			n++;
	return n;
}

static struct pool_request *first_waiting(const struct pool *p)
{
	for (int k = 0; k < POOL_CLASSES; k++)
		if (p->queue[k])
			return p->queue[k];
	return NULL;
}

/* --- requests ------------------------------------------------------------------------------------- */

static void request_due(struct later_item *item)
{
	struct pool_request *r = (struct pool_request *)((char *)item - offsetof(struct pool_request, due));
	struct pool_conn *conn = r->conn;

	r->state = POOL_REQUEST_IDLE;
	r->conn = NULL;
	r->cb(r->arg, r->status, conn, r->status ? r->pool->why : "");
}

static void answer(struct pool *p, struct pool_request *r, int status, struct pool_conn *conn)
{
	DL_DELETE(p->queue[r->class], r);
	r->state = POOL_REQUEST_DUE;
	r->status = status;
	r->conn = conn;
	r->due.run = request_due;
	later_add(p->later, &r->due);
}

enum who { WHO_IS_LATE, WHO_TRIES_ONCE, WHO_WAITS };

static bool concerns(const struct pool *p, const struct pool_request *r, enum who who)
{
	return who == WHO_WAITS || (who == WHO_TRIES_ONCE && r->once) || r->deadline <= now(p);
}

static void fail_requests(struct pool *p, int status, enum who who)
{
	struct pool_request *r, *next;

	for (int k = 0; k < POOL_CLASSES; k++)
		DL_FOREACH_SAFE (p->queue[k], r, next)
			if (concerns(p, r, who))
				answer(p, r, status, NULL);
}

void pool_acquire(struct pool *p, struct pool_request *r, enum pool_class class, pool_cb *cb, void *arg)
{
	r->pool = p;
	r->class = class;
	r->cb = cb;
	r->arg = arg;
	r->asked = now(p);
	/* A site that has been away for longer than anyone would wait gets one fresh try, and no more patience. */
	if (p->failing_since && now(p) - p->failing_since > (uint64_t)p->o.wait_ms)
		r->once = true;
	r->deadline = r->asked + (uint64_t)p->o.wait_ms;
	r->state = POOL_REQUEST_QUEUED;
	DL_APPEND(p->queue[class], r);
	if (p->closing)
		answer(p, r, AFTP_ECANCELED, NULL);
	else
		run(p);
}

void pool_abandon(struct pool_request *r)
{
	if (r->state == POOL_REQUEST_QUEUED)
		DL_DELETE(r->pool->queue[r->class], r);
	if (r->state == POOL_REQUEST_DUE) {
		later_remove(r->pool->later, &r->due);
		if (r->conn)
			pool_release(r->conn);
	}
	r->conn = NULL;
	r->state = POOL_REQUEST_IDLE;
}

/* --- connections ---------------------------------------------------------------------------------- */

static void maybe_closed(struct pool *p)
{
	void (*closed)(void *arg) = p->closed;
	void *arg = p->closed_arg;

	if (!p->closing || p->conns || !p->timer_closed)
		return;
	pool_options_finish(&p->o);
	free(p);
	if (closed)
		closed(arg);
}

static void conn_closed(void *arg)
{
	struct pool_conn *c = arg;
	struct pool *p = c->pool;

	DL_DELETE(p->conns, c);
	free(c);
	if (!p->closing)
		run(p);
	maybe_closed(p);
}

static void set_state(struct pool_conn *c, enum conn_state state)
{
	c->state = state;
	c->since = now(c->pool);
}

static void close_conn(struct pool_conn *c, bool politely)
{
	if (c->state == CONN_CLOSING)
		return;
	set_state(c, CONN_CLOSING);
	if (politely)
		aftp_client_quit(&c->client, conn_closed, c);
	else
		aftp_client_close(&c->client, conn_closed, c);
}

static void conn_lost(void *arg, int status)
{
	struct pool_conn *c = arg;

	(void)status;
	if (c->state == CONN_IDLE)
		close_conn(c, false);
	if (!c->pool->closing)
		run(c->pool);
}

static void remember_why(struct pool *p, int status, const char *text)
{
	p->last_status = status;
	/* The text of some says the status too. */
	if (strncmp(text, "certificate", 11) == 0 || strncmp(text, "TLS", 3) == 0)
		snprintf(p->why, sizeof p->why, "%s", text);
	else if (text[0])
		snprintf(p->why, sizeof p->why, "%s: %s", aftp_strerror(status), text);
	else
		snprintf(p->why, sizeof p->why, "%s", aftp_strerror(status));
	aftp_log(&p->log, AFTP_LOG_WARN, "cannot connect: %s", p->why);
}

/* Waiting helps against a server that is down or full, not against one that does not want us. */
static bool is_final(int status)
{
	return status == AFTP_ELOGIN || status == AFTP_ENOMEM || status == AFTP_ECERT || status == AFTP_EBADNAME;
}

static void dial_failed(struct pool *p, int status, const char *text)
{
	unsigned others = count(p, CONN_IDLE) + count(p, CONN_OUT);

	remember_why(p, status, text);
	p->backoff_ms = p->backoff_ms ? p->backoff_ms * 2 : BACKOFF_MIN_MS;
	if (p->backoff_ms > BACKOFF_MAX_MS)
		p->backoff_ms = BACKOFF_MAX_MS;
	p->redial_at = now(p) + p->backoff_ms;
	if (others > 0) {
		/* The site is there for the others: whatever it says, it means no more than this many. */
		p->limit = others;
		p->limit_at = now(p);
		return;
	}
	if (!p->failing_since)
		p->failing_since = now(p) ? now(p) : 1;
	fail_requests(p, status, is_final(status) ? WHO_WAITS : WHO_TRIES_ONCE);
}

static void dialed(void *arg, int status)
{
	struct pool_conn *c = arg;
	struct pool *p = c->pool;

	if (p->closing || c->state != CONN_DIALING)
		return;
	if (status < 0) {
		char text[256];
		snprintf(text, sizeof text, "%s", aftp_client_error(c->client));
		close_conn(c, false);
		dial_failed(p, status, text);
	} else {
		p->backoff_ms = p->redial_at = p->failing_since = 0;
		p->features = *aftp_client_features(c->client);
		p->has_features = true;
		set_state(c, CONN_IDLE);
		if (pool_connected(p) > p->max_seen)
			p->max_seen = pool_connected(p);
	}
	run(p);
}

static int dial(struct pool *p)
{
	struct pool_conn *c = calloc(1, sizeof *c);
	int rc;

	if (!c)
		return AFTP_ENOMEM;
	c->pool = p;
	rc = aftp_client_new(&c->client, p->loop, &p->o.client);
	if (rc) {
		free(c);
		return rc;
	}
	set_state(c, CONN_DIALING);
	DL_APPEND(p->conns, c);
	aftp_client_on_lost(c->client, conn_lost, c);
	if (p->has_features)
		aftp_client_assume(c->client, &p->features);
	rc = aftp_client_connect(c->client, dialed, c);
	if (rc)
		close_conn(c, false);
	return rc;
}

/* --- who gets what -------------------------------------------------------------------------------- */

static struct pool_conn *find_idle(struct pool *p)
{
	struct pool_conn *c, *next;

	DL_FOREACH_SAFE (p->conns, c, next) {
		if (c->state != CONN_IDLE)
			continue;
		if (aftp_client_idle(c->client))
			return c;
		close_conn(c, false);
	}
	return NULL;
}

static void ask_holders(struct pool *p, const struct pool_request *r)
{
	uint64_t waited = now(p) - r->asked;
	struct pool_conn *c, *next;

	DL_FOREACH_SAFE (p->conns, c, next)
		if (c->state == CONN_OUT && c->yield)
			c->yield(c->yield_arg, r->class, waited);
}

static uint64_t next_event(struct pool *p)
{
	uint64_t at = UINT64_MAX;
	const struct pool_conn *c;
	const struct pool_request *r;

	DL_FOREACH (p->conns, c)
		if (c->state == CONN_IDLE && p->o.idle_ms > 0)
			at = MIN(at, c->since + (uint64_t)p->o.idle_ms);
	for (int k = 0; k < POOL_CLASSES; k++)
		DL_FOREACH (p->queue[k], r)
			at = MIN(at, r->deadline);
	if (first_waiting(p)) {
		if (p->redial_at > now(p))
			at = MIN(at, p->redial_at);
		at = MIN(at, now(p) + ASK_EVERY_MS);
	}
	return at;
}

static void on_timer(uv_timer_t *timer)
{
	struct pool *p = timer->data;
	struct pool_conn *c, *next;

	if (p->closing)
		return;
	DL_FOREACH_SAFE (p->conns, c, next)
		if (c->state == CONN_IDLE && p->o.idle_ms > 0 && now(p) - c->since >= (uint64_t)p->o.idle_ms)
			close_conn(c, true);
	fail_requests(p, p->failing_since ? p->last_status : AFTP_ETIMEDOUT, WHO_IS_LATE);
	run(p);
	if (first_waiting(p))
		ask_holders(p, first_waiting(p));
}

static void arm_timer(struct pool *p)
{
	uint64_t at = next_event(p);

	if (at == UINT64_MAX)
		uv_timer_stop(&p->timer);
	else
		uv_timer_start(&p->timer, on_timer, at > now(p) ? at - now(p) : 0, 0);
}

static void hand_out(struct pool *p)
{
	struct pool_request *r;
	struct pool_conn *c;

	while ((r = first_waiting(p)) && (c = find_idle(p))) {
		set_state(c, CONN_OUT);
		answer(p, r, 0, c);
	}
}

static void run(struct pool *p)
{
	bool asked_once;

	hand_out(p);
	if (p->limit < p->o.max_conns && now(p) - p->limit_at > RETRY_LIMIT_MS) {
		p->limit++;
		p->limit_at = now(p);
	}
	asked_once = first_waiting(p) && first_waiting(p)->once;
	while (waiting(p) > count(p, CONN_DIALING) && live(p) < p->limit && (now(p) >= p->redial_at || asked_once)) {
		int rc = dial(p);
		if (rc) {
			dial_failed(p, rc, "");
			break;
		}
		asked_once = false;
	}
	arm_timer(p);
}

void pool_release(struct pool_conn *c)
{
	struct pool *p = c->pool;

	c->yield = NULL;
	if (c->state == CONN_CLOSING)
		return;
	p->features = *aftp_client_features(c->client); /* a lost connection has learned something too */
	if (!aftp_client_idle(c->client)) {
		close_conn(c, false);
	} else {
		set_state(c, CONN_IDLE);
		DL_DELETE(p->conns, c);
		DL_PREPEND(p->conns, c);
	}
	if (!p->closing)
		run(p);
}

struct aftp_client *pool_client(const struct pool_conn *c)
{
	return c->client;
}

void pool_hold(struct pool_conn *c, pool_yield_cb *yield, void *arg)
{
	c->yield = yield;
	c->yield_arg = arg;
}

bool pool_wanted(const struct pool *p, enum pool_class *wanted)
{
	const struct pool_request *r = first_waiting(p);

	if (!r || live(p) < p->limit)
		return false;
	*wanted = r->class;
	return true;
}

const struct aftp_features *pool_features(const struct pool *p)
{
	return p->has_features ? &p->features : NULL;
}

unsigned pool_limit(const struct pool *p)
{
	return p->limit;
}

unsigned pool_connected(const struct pool *p)
{
	return count(p, CONN_IDLE) + count(p, CONN_OUT);
}

unsigned pool_connected_max(const struct pool *p)
{
	return p->max_seen;
}

/* --- birth and end -------------------------------------------------------------------------------- */

int pool_new(struct pool **out, uv_loop_t *loop, struct later *later, const struct pool_options *o)
{
	struct pool *p = calloc(1, sizeof *p);
	int rc;

	if (!p)
		return AFTP_ENOMEM;
	p->loop = loop;
	p->later = later;
	rc = pool_options_copy(&p->o, o);
	if (rc)
		goto fail;
	if (o->client.log)
		p->log = *o->client.log;
	p->o.client.log = &p->log;
	p->limit = p->o.max_conns;
	rc = uv_timer_init(loop, &p->timer);
	if (rc)
		goto fail;
	p->timer.data = p;
	*out = p;
	return 0;
fail:
	pool_options_finish(&p->o);
	free(p);
	return rc;
}

static void timer_closed(uv_handle_t *handle)
{
	struct pool *p = handle->data;

	p->timer_closed = true;
	maybe_closed(p);
}

void pool_close(struct pool **pp, void (*closed)(void *arg), void *arg)
{
	struct pool *p = *pp;
	struct pool_conn *c, *next;

	*pp = NULL;
	p->closing = true;
	p->closed = closed;
	p->closed_arg = arg;
	snprintf(p->why, sizeof p->why, "%s", aftp_strerror(AFTP_ECANCELED));
	fail_requests(p, AFTP_ECANCELED, WHO_WAITS);
	DL_FOREACH_SAFE (p->conns, c, next)
		close_conn(c, c->state == CONN_IDLE);
	uv_close((uv_handle_t *)&p->timer, timer_closed);
}
