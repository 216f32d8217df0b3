/* xfer_tls - TLS on the data connection of a transfer. */
#include <stdio.h>
#include <string.h>

#include "client/client_impl.h"
#include "client/xfer.h"
#include "stream/tls_sessions.h"

enum {
	REFUSED_MAX = 4,
	PATIENCE_MS = 500, /* for a 150 that must come before TLS */
	LAST_WORDS_MS = 5000,
};

static void secure(struct aftp_transfer *t)
{
	int rc;

	wire_nudge(&t->c->wire, 0, NULL, NULL);
	t->securing = true;
	rc = dataconn_secure(t->data);
	if (rc < 0)
		xfer_secured(t, rc);
}

/* A server that does several things at a time may see what TLS says before it sees the command, when the connection
 * stood before; pyftpdlib then ends it. Others begin with TLS, and say 150 when that is done. */
static bool may_secure(const struct aftp_transfer *t)
{
	const struct aftp_features *f = &t->c->features;

	return !t->stood || t->accepted || f->tls_at_once || f->downloads_in_order == AFTP_ORDER_YES;
}

static void no_150(void *arg)
{
	struct aftp_transfer *t = arg;

	if (t->securing || t->stopping || t->phase != XFER_RUNNING)
		return;
	t->nudged = true;
	secure(t);
}

void xfer_go_on(struct aftp_transfer *t)
{
	if (!t->connected || t->stopping || t->phase != XFER_RUNNING)
		return;
	if (t->c->tls.data && !t->ready) {
		if (!t->securing && may_secure(t))
			secure(t);
		else if (!t->securing)
			wire_nudge(&t->c->wire, PATIENCE_MS, no_150, t);
		return;
	}
	t->ready = true;
	t->kind->flow(t);
}

/* The server may be about to say why, and its words are better: some end the data connection before they refuse. */
static void failed(struct aftp_transfer *t, int status)
{
	if (dataconn_tls_error(t->data)[0])
		client_set_error(t->c, dataconn_tls_error(t->data));
	dataconn_close(&t->data, true);
	/* Or it waits for another data connection. */
	wire_set_deadline(&t->c->wire, LAST_WORDS_MS);
	xfer_data_ended(t, status);
}

void xfer_secured(struct aftp_transfer *t, int status)
{
	if (t->stopping || t->phase != XFER_RUNNING)
		return;
	if (status < 0) {
		failed(t, status);
		return;
	}
	if (t->nudged && !t->accepted)
		t->c->features.tls_at_once = true;
	if (aftp_stream_tls_resumed(t->data->stream))
		t->c->features.tls_resumes = true;
	else
		aftp_log(&t->c->log, AFTP_LOG_DEBUG, "data connection: a session of its own");
	t->ready = true;
	t->kind->flow(t);
}

bool xfer_was_cut(struct aftp_transfer *t)
{
	if (!t->unclean || !(t->c->features.tls_ends & t->kind->ends))
		return false;
	client_set_error(t->c, "the data was cut off: TLS was not told its end");
	return true;
}

/* --- refused sessions ------------------------------------------------------------------------------ */

static bool speaks_of_sessions(const char *text)
{
	return strcasestr(text, "session") || strcasestr(text, "reuse") || strcasestr(text, "resum");
}

/* vsftpd says 522; FileZilla Server 425 or 450; ProFTPD says 425 and nothing about it, but the connection did stand. */
static bool says_so(const struct aftp_transfer *t)
{
	switch (t->code) {
	case 425: return t->bytes == 0;
	case 522: return speaks_of_sessions(t->message);
	case 426:
	case 450: return speaks_of_sessions(t->message) && (strstr(t->message, "TLS") || strstr(t->message, "SSL"));
	default: return false;
	}
}

bool xfer_session_refused(struct aftp_transfer *t)
{
	struct aftp_client *c = t->c;
	char why[XFER_MESSAGE_MAX];

	if (!c->tls.data || !t->connected || t->status == AFTP_ECANCELED || t->status == AFTP_ECERT)
		return false;
	if (!says_so(t)) {
		if (t->status == 0 && t->ready && c->features.tls_refused < TLS_REFUSED_MAX)
			c->features.tls_refused = 0;
		return false;
	}
	/* Nothing has helped. */
	if (++c->features.tls_refused >= REFUSED_MAX) {
		t->status = AFTP_ETLS;
		return false;
	}
	aftp_log(&c->log, AFTP_LOG_INFO, "the server refused a data connection (%d %s): a new login", t->code,
		t->message);
	t->status = AFTP_ECONNRESET;
	snprintf(why, sizeof why, "%s", t->message);
	wire_lose(&c->wire, AFTP_ECONNRESET, why);
	return true;
}

/* A new session would be refused after the command, which may have emptied a file by then. */
bool xfer_session_expired(struct aftp_transfer *t)
{
	struct aftp_client *c = t->c;

	if (!c->tls.data || !c->features.tls_resumes || !tls_sessions_ran_out(c->tls.sessions))
		return false;
	t->status = AFTP_ECONNRESET;
	wire_lose(&c->wire, AFTP_ECONNRESET, "the TLS session has expired");
	return true;
}
