/* pool_dial - the connections of a pool: how they come, and how they go. */
#include <aftp/status.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "remote/pool_impl.h"
#include "remote/pool_options.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 5000

unsigned pool_count(const struct pool *p, enum conn_state state)
{
	const struct pool_conn *c;
	unsigned n = 0;

	DL_FOREACH (p->conns, c)
		n += c->state == state;
	return n;
}

unsigned pool_live(const struct pool *p)
{
	const struct pool_conn *c;
	unsigned n;

	DL_COUNT(p->conns, c, n);
	return n;
}

/* --- connections ---------------------------------------------------------------------------------- */

void pool_maybe_closed(struct pool *p)
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
		pool_run(p);
	pool_maybe_closed(p);
}

void conn_set_state(struct pool_conn *c, enum conn_state state)
{
	c->state = state;
	c->since = pool_now(c->pool);
}

void conn_close(struct pool_conn *c, bool politely)
{
	if (c->state == CONN_CLOSING)
		return;
	conn_set_state(c, CONN_CLOSING);
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
		conn_close(c, false);
	if (!c->pool->closing)
		pool_run(c->pool);
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
	unsigned others = pool_count(p, CONN_IDLE) + pool_count(p, CONN_OUT);

	remember_why(p, status, text);
	p->backoff_ms = p->backoff_ms ? p->backoff_ms * 2 : BACKOFF_MIN_MS;
	if (p->backoff_ms > BACKOFF_MAX_MS)
		p->backoff_ms = BACKOFF_MAX_MS;
	p->redial_at = pool_now(p) + p->backoff_ms;
	if (others > 0) {
		/* The site is there for the others: whatever it says, it means no more than this many. Those that are still
		 * on their way will tell. */
		p->limit = others + pool_count(p, CONN_DIALING);
		p->limit_at = pool_now(p);
		return;
	}
	if (!p->failing_since)
		p->failing_since = pool_now(p) ? pool_now(p) : 1;
	pool_fail_requests(p, status, is_final(status) ? WHO_WAITS : WHO_TRIES_ONCE);
}

/* It was too quick for this server: the next one logs in step by step. */
static bool was_hasty(struct pool *p, const struct aftp_client *client)
{
	bool hasty = p->has_features && p->features.login != AFTP_LOGIN_STEPS &&
		aftp_client_features(client)->login == AFTP_LOGIN_STEPS;

	if (hasty)
		p->features.login = AFTP_LOGIN_STEPS;
	return hasty;
}

static void dialed(void *arg, int status)
{
	struct pool_conn *c = arg;
	struct pool *p = c->pool;

	if (p->closing || c->state != CONN_DIALING)
		return;
	if (status < 0 && was_hasty(p, c->client)) {
		conn_close(c, false);
	} else if (status < 0) {
		char text[256];
		snprintf(text, sizeof text, "%s", aftp_client_error(c->client));
		conn_close(c, false);
		dial_failed(p, status, text);
	} else {
		p->backoff_ms = p->redial_at = p->failing_since = 0;
		pool_learn(p, c->client);
		p->has_features = true;
		conn_set_state(c, CONN_IDLE);
		if (pool_connected(p) > p->max_seen)
			p->max_seen = pool_connected(p);
	}
	pool_run(p);
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
	conn_set_state(c, CONN_DIALING);
	DL_APPEND(p->conns, c);
	aftp_client_on_lost(c->client, conn_lost, c);
	pool_catch_up(p);
	if (p->has_features)
		aftp_client_assume(c->client, &p->features);
	if (p->prepare)
		p->prepare(p->prepare_arg, c->client);
	rc = aftp_client_connect(c->client, dialed, c);
	if (rc)
		conn_close(c, false);
	return rc;
}

int pool_dial(struct pool *p)
{
	int rc = dial(p);

	if (rc)
		dial_failed(p, rc, "");
	return rc;
}
