/* retrieve - RETR, from an offset by REST (RFC 3659 section 5), or a range by RANG (draft-bryan-ftp-range).
 *
 * REST and RETR leave in one segment. Until the REST is known to be accepted, no byte is taken: it could be the wrong
 * one. Where TLS did not say its end, anybody on the way could have cut the data, and 226 proves nothing: then the size
 * decides. */
#include <stdio.h>
#include <stdlib.h>

#include "client/client_impl.h"
#include "client/features.h"
#include "client/xfer.h"

struct retrieve {
	struct aftp_transfer t; /* first */
	struct aftp_sink sink;
	bool told;     /* started() was called */
	bool judged;   /* the end has been looked at */
	uint64_t size; /* as the 1xx tells, or UINT64_MAX */
};

static struct retrieve *retrieve_of(struct aftp_transfer *t)
{
	return (struct retrieve *)t;
}

static void flow(struct aftp_transfer *t)
{
	if (t->placed)
		xfer_read_start(t);
}

static int command(struct aftp_transfer *t)
{
	return xfer_command_at(t, "RETR");
}

static void early(struct aftp_transfer *t, const struct aftp_reply *r)
{
	struct retrieve *x = retrieve_of(t);

	if (aftp_reply_transfer_size(r, &x->size) < 0)
		x->size = UINT64_MAX;
	if (x->sink.started && !x->told)
		x->sink.started(x->sink.arg, x->size);
	x->told = true;
}

static char *lend(struct aftp_transfer *t, size_t *len)
{
	const struct aftp_sink *sink = &retrieve_of(t)->sink;

	return sink->lend(sink->arg, len);
}

static void landed(struct aftp_transfer *t, size_t n)
{
	const struct aftp_sink *sink = &retrieve_of(t)->sink;

	sink->data(sink->arg, n);
}

/* --- an end that TLS did not confirm --------------------------------------------------------------- */

static void nothing_proves_it(struct retrieve *x)
{
	if (x->size == x->t.offset + x->t.bytes)
		return;
	if (xfer_was_cut(&x->t) && x->t.status == 0)
		x->t.status = AFTP_EINCOMPLETE;
	aftp_log(&x->t.c->log, AFTP_LOG_WARN, "%s: the end of the data is not confirmed, and the server tells no size",
		x->t.path);
}

static void on_size(void *arg, int status, const struct aftp_reply *r)
{
	struct retrieve *x = arg;
	uint64_t size;

	if (status < 0)
		return;
	if (aftp_reply_size(r, &size) < 0)
		nothing_proves_it(x);
	else if (size != x->t.offset + x->t.bytes && x->t.status == 0)
		x->t.status = AFTP_EINCOMPLETE;
	xfer_over(&x->t);
}

static bool again(struct aftp_transfer *t)
{
	struct retrieve *x = retrieve_of(t);
	int rc;

	if (!t->unclean || t->status != 0 || t->stopping || x->judged)
		return false;
	x->judged = true;
	/* Servers tell the size of the file, or of what is left of it: all of what is left is enough by either. */
	if (x->size == t->bytes || t->offset + t->bytes == t->until)
		return false;
	if (!features_may_size(&t->c->features)) {
		nothing_proves_it(x);
		return false;
	}
	t->phase = XFER_ASKING;
	rc = wire_command(&t->c->wire, 0, on_size, x, "SIZE", t->path);
	if (rc < 0)
		wire_lose(&t->c->wire, rc, "");
	return true;
}

static void done(struct aftp_transfer *t)
{
	const struct aftp_sink *sink = &retrieve_of(t)->sink;
	struct aftp_transfer_result result = {
		.bytes = t->bytes, .code = t->code, .message = t->message, .accepted = t->accepted
	};

	sink->done(sink->arg, t->status, &result);
	xfer_finish(t);
}

static const struct xfer_kind retrieve_kind = {
	.ends = XFER_ENDS_FILE,
	.command = command,
	.flow = flow,
	.early = early,
	.lend = lend,
	.landed = landed,
	.repeat = xfer_moved_nothing,
	.again = again,
	.done = done,
};

bool aftp_client_ranges(const struct aftp_client *c)
{
	return c->features.rang && !c->features.no_rang;
}

int aftp_client_retrieve(struct aftp_client *c, struct aftp_transfer **out, const char *path, uint64_t offset,
	const struct aftp_sink *sink)
{
	struct retrieve *x;
	int rc;

	if (!out || !path || !path[0] || !sink || !sink->lend || !sink->data || !sink->done)
		return AFTP_EINVAL;
	x = calloc(1, sizeof *x);
	if (!x)
		return AFTP_ENOMEM;
	x->sink = *sink;
	x->size = UINT64_MAX;
	rc = xfer_init(&x->t, c, &retrieve_kind, path);
	if (rc == 0)
		rc = client_ask(c, &x->t.op);
	if (rc < 0) {
		xfer_finish(&x->t);
		return rc;
	}
	x->t.offset = offset;
	x->t.brief = sink->brief;
	x->t.until = aftp_client_ranges(c) ? sink->until : 0;
	*out = &x->t;
	return 0;
}
