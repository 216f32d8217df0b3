/* retrieve - RETR, from an offset by REST (RFC 3659 section 5).
 *
 * REST and RETR leave in one segment. Until the REST is known to be accepted, no byte is taken: it could be the wrong
 * one. */
#include <stdio.h>
#include <stdlib.h>

#include "client/client_impl.h"
#include "client/xfer.h"

struct retrieve {
	struct aftp_transfer t; /* first */
	struct aftp_sink sink;
	bool placed; /* the server will begin at the offset */
};

static struct retrieve *retrieve_of(struct aftp_transfer *t)
{
	return (struct retrieve *)t;
}

static void flow(struct aftp_transfer *t)
{
	if (retrieve_of(t)->placed)
		xfer_read_start(t);
}

static void on_rest(void *arg, int status, const struct aftp_reply *r)
{
	struct retrieve *x = arg;

	if (status < 0)
		return;
	if (r->code / 100 != 3) {
		client_set_error(x->t.c, aftp_reply_message(r));
		xfer_fail(&x->t, AFTP_ENOTSUP);
		return;
	}
	x->placed = true;
	if (x->t.connected && x->t.phase == XFER_RUNNING && !x->t.stopping)
		flow(&x->t);
}

static int command(struct aftp_transfer *t)
{
	struct retrieve *x = retrieve_of(t);
	char offset[24];
	int rc = 0;

	x->placed = t->offset == 0;
	snprintf(offset, sizeof offset, "%llu", (unsigned long long)t->offset);
	if (t->offset > 0)
		rc = wire_command(&t->c->wire, 0, on_rest, x, "REST", offset);
	return rc < 0 ? rc : xfer_command(t, "RETR", t->path);
}

static void early(struct aftp_transfer *t, const struct aftp_reply *r)
{
	const struct aftp_sink *sink = &retrieve_of(t)->sink;
	uint64_t size = UINT64_MAX;

	if (aftp_reply_transfer_size(r, &size) < 0)
		size = UINT64_MAX;
	if (sink->started)
		sink->started(sink->arg, size);
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

static void done(struct aftp_transfer *t)
{
	const struct aftp_sink *sink = &retrieve_of(t)->sink;
	struct aftp_transfer_result result = { .bytes = t->bytes, .code = t->code, .message = t->message };

	sink->done(sink->arg, t->status, &result);
	xfer_finish(t);
}

static const struct xfer_kind retrieve_kind = {
	.command = command,
	.flow = flow,
	.early = early,
	.lend = lend,
	.landed = landed,
	.done = done,
};

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
	rc = xfer_init(&x->t, c, &retrieve_kind, path);
	if (rc == 0)
		rc = client_ask(c, &x->t.op);
	if (rc < 0) {
		xfer_finish(&x->t);
		return rc;
	}
	x->t.offset = offset;
	*out = &x->t;
	return 0;
}
