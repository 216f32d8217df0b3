#include "remote/pool_impl.h"

#include <aftp/status.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <utlist.h>

#include "remote/pool_options.h"

#define ASK_EVERY_MS   50    /* how often holders are asked to yield */
#define SPARE_MS       3000  /* between two things that are asked for one after the other */
#define RETRY_LIMIT_MS 60000 /* a learned limit is tested again after this */

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

/* Somebody who was asked for something. Nobody gives a connection up for one who only looks ahead. */
static struct pool_request *first_in_need(const struct pool *p)
{
	struct pool_request *r = first_waiting(p);

	return r && r->class != POOL_AHEAD ? r : NULL;
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

static bool concerns(const struct pool *p, const struct pool_request *r, enum pool_who who)
{
	return who == WHO_WAITS || (who == WHO_TRIES_ONCE && r->once) || r->deadline <= pool_now(p);
}

void pool_fail_requests(struct pool *p, int status, enum pool_who who)
{
	struct pool_request *r, *next;

	for (int k = 0; k < POOL_CLASSES; k++)
		DL_FOREACH_SAFE (p->queue[k], r, next)
			if (concerns(p, r, who))
				answer(p, r, status, NULL);
}

void pool_prepare(struct pool *p, pool_prepare_cb *prepare, void *arg)
{
	p->prepare = prepare;
	p->prepare_arg = arg;
}

void pool_acquire(struct pool *p, struct pool_request *r, enum pool_class class, pool_cb *cb, void *arg)
{
	r->pool = p;
	r->class = class;
	r->cb = cb;
	r->arg = arg;
	r->asked = pool_now(p);
	/* A site that has been away for longer than anyone would wait gets one fresh try, and no more patience. */
	if (p->failing_since && pool_now(p) - p->failing_since > (uint64_t)p->o.wait_ms)
		r->once = true;
	r->deadline = r->asked + (uint64_t)p->o.wait_ms;
	r->state = POOL_REQUEST_QUEUED;
	DL_APPEND(p->queue[class], r);
	p->ask_now |= class != POOL_AHEAD;
	if (p->closing)
		answer(p, r, AFTP_ECANCELED, NULL);
	else
		pool_run(p);
}

void pool_promote(struct pool_request *r, enum pool_class class)
{
	struct pool *p = r->pool;

	if (r->state != POOL_REQUEST_QUEUED || class >= r->class)
		return;
	DL_DELETE(p->queue[r->class], r);
	r->class = class;
	r->asked = pool_now(p);
	r->deadline = r->asked + (uint64_t)p->o.wait_ms;
	DL_APPEND(p->queue[class], r);
	p->ask_now = true;
	pool_run(p);
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

/* --- what is known -------------------------------------------------------------------------------- */

void pool_learn(struct pool *p, const struct aftp_client *client)
{
	const struct aftp_features old = p->features;

	p->features = *aftp_client_features(client);
	if (p->features.downloads_in_order == AFTP_ORDER_UNKNOWN)
		p->features.downloads_in_order = old.downloads_in_order;
	if (old.login == AFTP_LOGIN_STEPS)
		p->features.login = old.login;
}

void pool_catch_up(struct pool *p)
{
	const struct pool_conn *c;

	DL_FOREACH (p->conns, c) {
		const struct aftp_features *f = c->client ? aftp_client_features(c->client) : &p->features;

		if (p->features.downloads_in_order == AFTP_ORDER_UNKNOWN)
			p->features.downloads_in_order = f->downloads_in_order;
		p->features.data_works |= f->data_works;
	}
}

/* One that was opened before the others knew. */
static void teach(struct pool *p, struct aftp_client *client)
{
	const struct aftp_features *f = aftp_client_features(client);

	pool_catch_up(p);
	if (f->downloads_in_order == AFTP_ORDER_UNKNOWN || f->data_works < p->features.data_works)
		aftp_client_assume(client, &p->features);
}

/* --- who gets what -------------------------------------------------------------------------------- */

static bool better(const struct pool *p, const struct pool_conn *c, const struct pool_conn *than)
{
	bool arms = p->o.client.arm && !p->features.no_arm;

	return arms && !aftp_client_armed(than->client) && (aftp_client_armed(c->client) || c->since <= than->since);
}

/* One with a data connection that stands, if there is any; else the one that has had the longest to get one. */
static struct pool_conn *find_idle(struct pool *p)
{
	struct pool_conn *c, *next, *found = NULL;

	DL_FOREACH_SAFE (p->conns, c, next) {
		if (c->state != CONN_IDLE)
			continue;
		if (!aftp_client_idle(c->client))
			conn_close(c, false);
		else if (!found || better(p, c, found))
			found = c;
	}
	return found;
}

/* How many connections are still to be asked for. */
static unsigned needed(const struct pool *p)
{
	const struct pool_request *r;
	const struct pool_conn *c;
	unsigned n = 0, coming = 0;

	for (int k = 0; k < POOL_AHEAD; k++)
		DL_FOREACH (p->queue[k], r)
			n++;
	DL_FOREACH (p->conns, c)
		coming += c->giving || c->state == CONN_DIALING;
	return n > coming ? n - coming : 0;
}

static void ask_holders(struct pool *p, const struct pool_request *r)
{
	uint64_t waited = pool_now(p) - r->asked;
	enum pool_class wanted = r->class;
	unsigned left = needed(p);
	struct pool_conn *c, *next;

	for (int k = POOL_CLASSES; k-- > 0;)
		DL_FOREACH_SAFE (p->conns, c, next) {
			if (left == 0)
				return;
			if (c->state != CONN_OUT || !c->yield || c->giving || c->class != (enum pool_class)k)
				continue;
			c->giving = c->yield(c->yield_arg, wanted, waited);
			left -= c->giving;
		}
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
	if (first_waiting(p) && p->redial_at > pool_now(p))
		at = MIN(at, p->redial_at);
	if (first_in_need(p))
		at = MIN(at, pool_now(p) + (p->ask_now ? 0 : ASK_EVERY_MS));
	return at;
}

static void on_timer(uv_timer_t *timer)
{
	struct pool *p = timer->data;
	struct pool_conn *c, *next;

	if (p->closing)
		return;
	DL_FOREACH_SAFE (p->conns, c, next)
		if (c->state == CONN_IDLE && p->o.idle_ms > 0 && pool_now(p) - c->since >= (uint64_t)p->o.idle_ms)
			conn_close(c, true);
	pool_fail_requests(p, p->failing_since ? p->last_status : AFTP_ETIMEDOUT, WHO_IS_LATE);
	p->ask_now = false;
	pool_run(p);
	if (first_in_need(p))
		ask_holders(p, first_in_need(p));
}

static void arm_timer(struct pool *p)
{
	uint64_t at = next_event(p);

	if (at == UINT64_MAX)
		uv_timer_stop(&p->timer);
	else
		uv_timer_start(&p->timer, on_timer, at > pool_now(p) ? at - pool_now(p) : 0, 0);
}

/* A connection that was used needs two round trips until it has a data connection again. So whoever asks for one thing
 * after the other gets another one to take turns with. */
static void want_spare(struct pool *p, enum pool_class class)
{
	bool again = pool_now(p) - p->moved_at < SPARE_MS;
	const struct pool_conn *c;

	if (class == POOL_AHEAD)
		return;
	p->moved_at = pool_now(p);
	if (!again || !p->o.client.arm || p->features.no_arm || p->failing_since || pool_now(p) < p->redial_at ||
		pool_live(p) >= p->limit)
		return;
	DL_FOREACH (p->conns, c)
		if (c->state == CONN_DIALING || (c->state == CONN_IDLE && aftp_client_armed(c->client)))
			return;
	(void)pool_dial(p); /* it would have been a comfort */
}

static void hand_out(struct pool *p)
{
	struct pool_request *r;
	struct pool_conn *c;

	while ((r = first_waiting(p)) && (c = find_idle(p))) {
		conn_set_state(c, CONN_OUT);
		c->class = r->class;
		teach(p, c->client);
		answer(p, r, 0, c);
		want_spare(p, r->class);
	}
}

void pool_run(struct pool *p)
{
	bool asked_once;

	hand_out(p);
	if (p->limit < p->o.max_conns && pool_now(p) - p->limit_at > RETRY_LIMIT_MS) {
		p->limit++;
		p->limit_at = pool_now(p);
	}
	asked_once = first_waiting(p) && first_waiting(p)->once;
	while (waiting(p) > pool_count(p, CONN_DIALING) && pool_live(p) < p->limit &&
		(pool_now(p) >= p->redial_at || asked_once)) {
		if (pool_dial(p))
			break;
		asked_once = false;
	}
	arm_timer(p);
}

void pool_expect(struct pool *p)
{
	if (p->closing || !p->has_features || p->failing_since || pool_now(p) < p->redial_at)
		return;
	while (pool_live(p) < p->limit)
		if (pool_dial(p))
			break;
	arm_timer(p);
}

void pool_release(struct pool_conn *c)
{
	struct pool *p = c->pool;

	c->yield = NULL;
	c->giving = false;
	if (c->state == CONN_CLOSING)
		return;
	pool_learn(p, c->client); /* a lost connection has learned something too */
	if (!aftp_client_idle(c->client)) {
		conn_close(c, false);
	} else {
		conn_set_state(c, CONN_IDLE);
		DL_DELETE(p->conns, c);
		DL_PREPEND(p->conns, c);
	}
	if (!p->closing)
		pool_run(p);
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
	const struct pool_request *r = first_in_need(p);

	if (!r || pool_live(p) < p->limit)
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
	return pool_count(p, CONN_IDLE) + pool_count(p, CONN_OUT);
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
	pool_maybe_closed(p);
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
	pool_fail_requests(p, AFTP_ECANCELED, WHO_WAITS);
	DL_FOREACH_SAFE (p->conns, c, next)
		conn_close(c, c->state == CONN_IDLE);
	uv_close((uv_handle_t *)&p->timer, timer_closed);
}
