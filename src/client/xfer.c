#include "client/xfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_impl.h"

static int start(struct op *op);
static void lost(struct op *op, int status);
static void turn(struct op *op);

int xfer_init(struct aftp_transfer *t, struct aftp_client *c, const struct xfer_kind *kind, const char *path)
{
	t->op = (struct op){ .exclusive = true, .start = start, .fail = lost, .turn = turn };
	t->c = c;
	t->kind = kind;
	return client_take_path(c, &t->path, path);
}

void xfer_finish(struct aftp_transfer *t)
{
	aftp_reply_finish(&t->kept);
	free(t->path);
	free(t);
}

/* --- the end -------------------------------------------------------------------------------------- */

static void end_data(struct aftp_transfer *t)
{
	active_close(&t->active);
	if (t->ended && !t->stopping && t->status == 0)
		dataconn_retire(&t->data);
	else
		dataconn_close(&t->data, false);
}

static void conclude(struct aftp_transfer *t)
{
	struct aftp_client *c = t->c;

	t->phase = XFER_OVER;
	end_data(t);
	wire_hold(&c->wire, false);
	wire_set_deadline(&c->wire, 0);
	wire_nudge(&c->wire, 0, NULL, NULL);
	c->arm.due |= t->connected;
	queue_done(&c->queue, &t->op);
	client_wake(c);
	t->kind->done(t);
}

bool xfer_moved_nothing(struct aftp_transfer *t)
{
	return t->bytes == 0;
}

/* One that was made in advance may have been dead for long, without a sign. */
static bool is_worth_repeating(const struct aftp_transfer *t)
{
	bool broken = t->status == AFTP_ECONNRESET || t->status == -EPIPE || t->status == AFTP_EINCOMPLETE;

	return t->armed && broken && t->replied && !t->repeated && !t->stopping && t->kind->repeat &&
		t->c->state == CLIENT_READY && t->kind->repeat((struct aftp_transfer *)t);
}

void xfer_over(struct aftp_transfer *t)
{
	end_data(t);
	if (is_worth_repeating(t)) {
		aftp_log(&t->c->log, AFTP_LOG_DEBUG, "the data connection made in advance was dead");
		arm_failed(t->c);
		t->repeated = true;
		xfer_attempt(t);
		return;
	}
	if (xfer_session_refused(t))
		return;
	if (t->kind->again && t->kind->again(t))
		return;
	conclude(t);
}

/* The control connection is gone, but bytes that have arrived are good: a resumed transfer need not ask for them again. */
static void take_the_rest(struct aftp_transfer *t)
{
	size_t len = 0, n;
	char *room;

	while (t->reading && t->data && !t->stopping && (room = t->kind->lend(t, &len)) && len > 0) {
		n = aftp_stream_take(t->data->stream, room, len);
		if (n == 0)
			return;
		t->bytes += n;
		t->kind->landed(t, n);
	}
}

/* The connection is gone, or the client closes. */
static void lost(struct op *op, int status)
{
	struct aftp_transfer *t = (struct aftp_transfer *)op;

	if (t->status == 0)
		t->status = status; /* and no other, whatever is thought of the rest */
	if (t->c->state == CLIENT_DEAD)
		take_the_rest(t);
	conclude(t);
}

void xfer_data_ended(struct aftp_transfer *t, int status)
{
	bool nothing = t->bytes == 0 && (status < 0 || t->kind->lend);

	t->ended = true;
	/* The server may have lost it long ago, and wait for another one. */
	if (t->armed && nothing && !t->replied)
		wire_set_deadline(&t->c->wire, XFER_DEAD_MS);
	if (status < 0 && t->status == 0)
		t->status = status;
	wire_hold(&t->c->wire, false);
	if (t->replied)
		xfer_over(t);
}

/* --- replies -------------------------------------------------------------------------------------- */

/* What a refusal means here. After a 1xx, it is trouble and never absence. */
static int refusal(const struct aftp_transfer *t, const struct aftp_reply *r)
{
	int status = aftp_reply_error(r);

	if (r->code == 425 || r->code == 426)
		return AFTP_ECONNRESET;
	if (t->accepted && (status == AFTP_ENOENT || status == AFTP_EREPLY || status == AFTP_ENOTSUP))
		return AFTP_EIO;
	return status;
}

void xfer_final(struct aftp_transfer *t, const struct aftp_reply *r)
{
	t->replied = true;
	t->code = r->code;
	snprintf(t->message, sizeof t->message, "%s", aftp_reply_message(r));
	if (r->code / 100 == 3) {
		wire_lose(&t->c->wire, AFTP_EPROTO, t->message);
		return;
	}
	if (t->kind->final)
		t->kind->final(t, r);
	if (r->code >= 400) {
		client_set_error(t->c, t->message);
		/* The server's words are better than what the data connection went through. */
		if (!t->stopping)
			t->status = refusal(t, r);
	}
	/* What came before the server gave up is good: it is read to its end first. One that never began may leave the
	 * data connection as it is. */
	if (t->ended || t->stopping || (r->code >= 400 && !(t->reading && (t->accepted || t->bytes > 0))))
		xfer_over(t);
}

static void on_reply(void *arg, int status, const struct aftp_reply *r)
{
	struct aftp_transfer *t = arg;

	if (status < 0)
		return;
	if (t->phase == XFER_DRAINING) {
		xfer_drained(t, r);
		return;
	}
	if (r->code >= 200) {
		if (xfer_is_ours(t, r)) {
			wire_settle(&t->c->wire);
			xfer_final(t, r);
		}
		return;
	}
	if (!t->accepted) {
		t->accepted = true;
		if (t->armed)
			arm_worked(t->c);
		if (t->kind->early && !t->stopping)
			t->kind->early(t, r);
	}
	xfer_go_on(t);
}

int xfer_command(struct aftp_transfer *t, const char *verb, const char *argument)
{
	return wire_command(&t->c->wire, WIRE_HOLD, on_reply, t, verb, argument);
}

static void on_rest(void *arg, int status, const struct aftp_reply *r)
{
	struct aftp_transfer *t = arg;

	if (status < 0)
		return;
	if (r->code / 100 != 3) {
		client_set_error(t->c, aftp_reply_message(r));
		t->c->features.no_rang |= t->until > 0;
		xfer_fail(t, t->until > 0 ? AFTP_EBUSY : AFTP_ENOTSUP);
		return;
	}
	t->placed = true;
	if (t->ready && t->phase == XFER_RUNNING && !t->stopping)
		t->kind->flow(t);
}

int xfer_command_at(struct aftp_transfer *t, const char *verb)
{
	char place[48];
	int n = snprintf(place, sizeof place, "%llu", (unsigned long long)t->offset), rc = 0;

	t->placed = t->offset == 0 && t->until == 0;
	if (t->until > 0)
		snprintf(place + n, sizeof place - (size_t)n, " %llu", (unsigned long long)t->until - 1);
	if (!t->placed)
		rc = wire_command(&t->c->wire, 0, on_rest, t, t->until > 0 ? "RANG" : "REST", place);
	return rc < 0 ? rc : xfer_command(t, verb, t->path);
}

/* --- on the way ----------------------------------------------------------------------------------- */

static void send_command(struct aftp_transfer *t)
{
	int rc;

	t->phase = XFER_RUNNING;
	t->sent = true;
	t->stood = t->connected || t->c->active.on; /* in active mode it may wait to be taken */
	rc = t->kind->command(t);
	if (rc == 0)
		rc = xfer_follow(t);
	if (rc < 0)
		wire_lose(&t->c->wire, rc, "");
	else
		xfer_go_on(t);
}

static void end_early(struct aftp_transfer *t, int status)
{
	if (t->status == 0)
		t->status = status;
	xfer_over(t);
}

/* Before any command was sent. */
static void unreachable(struct aftp_transfer *t, int status)
{
	if (!t->stopping && passive_retry(&t->c->passive, t)) {
		t->phase = XFER_ASKING;
		t->retried = true;
		return;
	}
	if (t->c->proxy.kind == PROXY_NONE)
		client_set_error(t->c, "the data connection cannot be made");
	end_early(t, status);
}

/* The data connection stands or is being made. */
static void proceed(struct aftp_transfer *t)
{
	int status = t->stopping || !t->kind->check ? 0 : t->kind->check(t);

	if (status < 0 || t->stopping)
		end_early(t, status);
	else if (t->connected || t->c->features.data_works)
		send_command(t);
	else
		t->phase = XFER_DIALING;
}

void xfer_prepared(struct aftp_transfer *t)
{
	if (!t->waiting)
		return;
	t->waiting = false;
	if (t->phase != XFER_ASKING)
		return;
	/* Otherwise the address comes behind this answer. */
	if (t->data)
		proceed(t);
	else if (t->dialed < 0)
		unreachable(t, t->dialed);
}

static int find_connection(struct aftp_transfer *t)
{
	if (t->c->active.on)
		return active_ask(&t->active, t, t->c);
	if (!arm_take(t->c, t))
		return passive_ask(&t->c->passive, t);
	if (!t->waiting)
		proceed(t);
	return 0;
}

void xfer_attempt(struct aftp_transfer *t)
{
	int rc = 0;

	t->phase = XFER_ASKING;
	t->status = t->code = 0;
	t->behind = XFER_NONE;
	t->retried = t->connected = t->sent = t->accepted = t->replied = t->ended = t->reading = false;
	t->securing = t->ready = t->unclean = t->armed = t->held = t->gathering = false;
	t->stood = t->nudged = false;
	t->dialed = 0;
	t->followers = 0;
	wire_set_deadline(&t->c->wire, 0);
	wire_nudge(&t->c->wire, 0, NULL, NULL);
	aftp_reply_reset(&t->kept);
	t->message[0] = '\0';
	if (t->kind->alone)
		rc = t->kind->alone(t);
	if (rc < 0)
		wire_lose(&t->c->wire, rc, "");
	if (rc != 0 || xfer_session_expired(t))
		return;
	if (t->kind->before)
		rc = t->kind->before(t);
	t->waiting = rc == 1;
	if (rc >= 0)
		rc = find_connection(t);
	if (rc < 0)
		wire_lose(&t->c->wire, rc, "");
}

static int start(struct op *op)
{
	struct aftp_transfer *t = (struct aftp_transfer *)op;
	int rc = t->path[0] == '/' ? 0 : cwd_return(&t->c->cwd);

	if (rc == 0)
		xfer_attempt(t);
	return rc;
}

static void turn(struct op *op)
{
	struct aftp_transfer *t = (struct aftp_transfer *)op;

	if (!t->stop_due)
		return;
	t->stop_due = false;
	xfer_stop(t);
}

void xfer_listening(struct aftp_transfer *t, int status)
{
	if (status == 0 && !t->stopping && t->kind->check)
		status = t->kind->check(t);
	if (status < 0 || t->stopping)
		end_early(t, status);
	else
		send_command(t);
}

void xfer_address(struct aftp_transfer *t, int status, const struct sockaddr *addr, uint16_t port)
{
	if (status == 0 && !t->stopping && t->kind->check)
		status = t->kind->check(t);
	if (status < 0 || t->stopping) {
		end_early(t, status);
		return;
	}
	status = dataconn_open(&t->data, t, t->c, addr, port);
	if (status < 0)
		unreachable(t, status);
	else if (!t->waiting) /* EPSV may have left long before */
		proceed(t);
}

void xfer_connected(struct aftp_transfer *t, int status)
{
	if (status < 0 || t->phase == XFER_DRAINING)
		dataconn_close(&t->data, false);
	if (status < 0) {
		if (t->phase == XFER_DIALING)
			unreachable(t, status);
		else if (t->phase == XFER_RUNNING)
			xfer_fail(t, status);
		else
			t->dialed = status;
		return;
	}
	t->connected = true;
	t->c->features.data_works = true;
	if (t->retried)
		passive_retry_worked(&t->c->passive);
	if (t->phase == XFER_DIALING)
		send_command(t);
	else if (t->phase == XFER_RUNNING)
		xfer_go_on(t);
}

/* --- reading -------------------------------------------------------------------------------------- */

static bool deaf(const struct aftp_transfer *t)
{
	return t->stopping || t->c->state != CLIENT_READY;
}

static char *lend(void *arg, size_t *len)
{
	struct aftp_transfer *t = arg;
	char *room = deaf(t) ? NULL : t->kind->lend(t, len);

	return deaf(t) ? NULL : room;
}

static void begin_reading(struct aftp_transfer *t);

static void landed(void *arg, ssize_t n)
{
	struct aftp_transfer *t = arg;

	if (n > 0) {
		t->bytes += (uint64_t)n;
		if (!deaf(t))
			t->kind->landed(t, (size_t)n);
		return;
	}
	if (n == AFTP_ETIMEDOUT && wire_silence(&t->c->wire) < t->c->timeout_ms) {
		begin_reading(t);
		return;
	}
	/* Many servers end the connection and say nothing about it to TLS. What came is judged by other means. */
	if (n == AFTP_EOF && t->c->tls.data)
		t->c->features.tls_ends |= t->kind->ends;
	if (n == AFTP_EINCOMPLETE) {
		t->unclean = true;
		n = AFTP_EOF;
		aftp_log(&t->c->log, AFTP_LOG_DEBUG, "data connection: TLS was not told its end");
	}
	/* One that waits for this end before it says 226 shall not wait. */
	if (n == AFTP_EOF)
		dataconn_retire(&t->data);
	else
		dataconn_close(&t->data, false);
	if (n == AFTP_ETIMEDOUT)
		wire_lose(&t->c->wire, AFTP_ETIMEDOUT, "no data");
	else
		xfer_data_ended(t, n == AFTP_EOF ? 0 : (int)n);
}

static void begin_reading(struct aftp_transfer *t)
{
	int rc = aftp_stream_read_start(t->data->stream, lend, landed, t);

	if (rc < 0) {
		dataconn_close(&t->data, false);
		xfer_data_ended(t, rc);
	}
}

static void on_said(void *arg, int status)
{
	(void)arg;
	(void)status;
}

/* Some wait for the end of our side before they say 226. It can be said at once, for we send nothing; but what is on the way
 * may forget half a connection before long. */
static void end_our_side(struct aftp_transfer *t)
{
	const struct aftp_client *c = t->c;

	if (t->brief && c->features.waits_for_end && c->proxy.kind == PROXY_NONE && !aftp_stream_ssl(t->data->stream))
		(void)aftp_stream_shutdown(t->data->stream, on_said, NULL);
}

void xfer_read_start(struct aftp_transfer *t)
{
	if (t->reading || !t->data)
		return;
	t->reading = true;
	wire_hold(&t->c->wire, true);
	end_our_side(t);
	begin_reading(t);
}

/* --- the calls ------------------------------------------------------------------------------------ */

void aftp_transfer_resume(struct aftp_transfer *t)
{
	if (t->reading && t->data)
		aftp_stream_resume(t->data->stream);
}

void aftp_transfer_cancel(struct aftp_transfer *t)
{
	if (t->stopping || t->phase == XFER_OVER)
		return;
	t->status = 0;
	xfer_fail(t, AFTP_ECANCELED);
}

uint64_t aftp_transfer_bytes(const struct aftp_transfer *t)
{
	return t->bytes;
}
