/* xfer_stop - how a transfer ends before its end. */
#include <stdio.h>

#include "client/client_impl.h"
#include "client/xfer.h"

void xfer_fail(struct aftp_transfer *t, int status)
{
	if (t->stopping || t->phase == XFER_OVER)
		return;
	t->stopping = true;
	if (t->status == 0)
		t->status = status;
	if (t->phase == XFER_WAITING)
		t->op.canceled = true;
	else
		t->stop_due = true;
	client_wake(t->c);
}

/* A connection that is being made is waited for: the server, which waits for it, too, then sees it end. */
static void drain(struct aftp_transfer *t)
{
	bool writing = t->kind->lend == NULL;
	uint64_t limit = t->c->timeout_ms < XFER_DRAIN_MS ? t->c->timeout_ms : XFER_DRAIN_MS;
	int rc;

	t->phase = XFER_DRAINING;
	active_close(&t->active);
	if (t->connected)
		dataconn_close(&t->data, writing);
	wire_hold(&t->c->wire, false);
	wire_set_deadline(&t->c->wire, (int64_t)limit);
	t->answered = t->proven = false;
	/* PWD or EPSV are proof enough. */
	rc = t->behind ? 0 : wire_command_unowed(&t->c->wire, "PWD");
	if (rc < 0)
		wire_lose(&t->c->wire, rc, "");
}

bool xfer_leaves_rest(const struct aftp_transfer *t)
{
	return t->kind->ends == XFER_ENDS_LISTING && t->connected && t->c->features.pure_ftpd;
}

void xfer_stop(struct aftp_transfer *t)
{
	switch (t->phase) {
	case XFER_DIALING: xfer_over(t); break;
	case XFER_RUNNING:
		if (t->replied)
			xfer_over(t);
		else if (xfer_leaves_rest(t))
			wire_lose(&t->c->wire, t->status, "a listing was stopped");
		else if (t->followers > 0 || t->gathering || t->held || (t->c->passive.pending && !t->behind))
			wire_lose(&t->c->wire, t->status, "a transfer was stopped while its end was on the way");
		else
			drain(t);
		break;
	case XFER_WAITING:
	case XFER_ASKING: /* the answer ends it */
	case XFER_DRAINING:
	case XFER_OVER: break;
	}
}

static bool asks_for_port(const struct aftp_transfer *t)
{
	return t->behind == XFER_EPSV || t->behind == XFER_PASV;
}

/* The answer to the EPSV behind it. */
static void port_known(struct aftp_transfer *t, const struct aftp_reply *r)
{
	struct aftp_client *c = t->c;

	/* No other will come, or it will come when nobody knows what it is for. */
	if (!t->answered) {
		c->features.downloads_in_order = AFTP_ORDER_NO;
		wire_lose(&c->wire, AFTP_ECONNRESET, "the server does not end a transfer before it goes on");
		return;
	}
	wire_pass_on(&c->wire, r);
	if (c->state == CLIENT_READY)
		xfer_over(t);
}

/* Servers differ: 426, 451, 226, or a second 150; and some answer PWD before they have noticed the end of the data. */
void xfer_drained(struct aftp_transfer *t, const struct aftp_reply *r)
{
	if (asks_for_port(t) && (r->code == (int)t->behind || (t->answered && r->code >= 400))) {
		port_known(t, r);
		return;
	}
	if (r->code == (int)XFER_PWD && !t->proven) {
		t->proven = true;
		if (t->behind)
			wire_give_up_next(&t->c->wire, AFTP_EBUSY);
		t->behind = XFER_NONE;
	} else if (r->code < 200 && !t->accepted) {
		t->accepted = true;
	} else if (!t->answered) {
		t->answered = true;
		t->code = r->code;
		snprintf(t->message, sizeof t->message, "%s", aftp_reply_message(r));
	} else if (r->code >= 500) {
		wire_lose(&t->c->wire, AFTP_EPROTO, "PWD refused after a transfer that was stopped");
		return;
	}
	if (!t->proven || !t->answered)
		return;
	wire_settle(&t->c->wire);
	xfer_over(t);
}
