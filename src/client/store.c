/* store - STOR and APPE, from an offset by REST.
 *
 * Nothing is sent before the server wants it (1xx). The end is our half-close; only the server's final reply says that
 * all of it has arrived. */
#include <stdio.h>
#include <stdlib.h>

#include "client/client_impl.h"
#include "client/xfer.h"

struct store {
	struct aftp_transfer t; /* first */
	struct aftp_source source;
	enum aftp_store how;
	bool placed;   /* REST was accepted, or is not needed */
	bool asked;    /* ready() was called the first time */
	bool wanted;   /* it was, and is not answered */
	size_t size;   /* of what is being written */
	bool finished; /* all was given */
};

static struct store *store_of(struct aftp_transfer *t)
{
	return (struct store *)t;
}

/* Writing is over, well or not. Replies count again. */
static void stop_writing(struct store *x, int status)
{
	x->wanted = false;
	if (status == AFTP_ETIMEDOUT)
		wire_lose(&x->t.c->wire, status, "the server takes no data");
	else if (!x->t.ended)
		xfer_data_ended(&x->t, status);
}

static void ask(struct store *x)
{
	x->wanted = true;
	x->source.ready(x->source.arg);
}

static void flow(struct aftp_transfer *t)
{
	struct store *x = store_of(t);

	if (x->asked || !x->placed || !t->accepted || t->stopping || t->ended)
		return;
	x->asked = true;
	wire_hold(&t->c->wire, true);
	ask(x);
}

static void on_rest(void *arg, int status, const struct aftp_reply *r)
{
	struct store *x = arg;

	if (status < 0)
		return;
	if (r->code / 100 != 3) {
		client_set_error(x->t.c, aftp_reply_message(r));
		xfer_fail(&x->t, AFTP_ENOTSUP);
		return;
	}
	x->placed = true;
	if (x->t.ready && x->t.phase == XFER_RUNNING)
		flow(&x->t);
}

static int command(struct aftp_transfer *t)
{
	struct store *x = store_of(t);
	char offset[24];
	int rc = 0;

	x->placed = t->offset == 0;
	snprintf(offset, sizeof offset, "%llu", (unsigned long long)t->offset);
	if (t->offset > 0)
		rc = wire_command(&t->c->wire, 0, on_rest, x, "REST", offset);
	return rc < 0 ? rc : xfer_command(t, x->how == AFTP_APPEND ? "APPE" : "STOR", t->path);
}

/* A confirmation of what has not been sent yet is none. */
static void final(struct aftp_transfer *t, const struct aftp_reply *r)
{
	struct store *x = store_of(t);

	if (r->code < 400 && !x->finished) {
		t->ended = true;
		if (t->status == 0)
			t->status = AFTP_ESHORT;
	}
}

static void done(struct aftp_transfer *t)
{
	const struct aftp_source *source = &store_of(t)->source;
	struct aftp_transfer_result result = {
		.bytes = t->bytes, .accepted = t->accepted, .code = t->code, .message = t->message
	};

	source->done(source->arg, t->status, &result);
	xfer_finish(t);
}

static const struct xfer_kind store_kind = {
	.command = command,
	.flow = flow,
	.final = final,
	.done = done,
};

int aftp_client_store(struct aftp_client *c, struct aftp_transfer **out, enum aftp_store how, const char *path,
	uint64_t offset, const struct aftp_source *source)
{
	struct store *x;
	int rc;

	if (!out || !path || !path[0] || !source || !source->ready || !source->done)
		return AFTP_EINVAL;
	x = calloc(1, sizeof *x);
	if (!x)
		return AFTP_ENOMEM;
	x->source = *source;
	x->how = how;
	rc = xfer_init(&x->t, c, &store_kind, path);
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

/* --- writing -------------------------------------------------------------------------------------- */

static void wrote(void *arg, int status)
{
	struct dataconn *d = arg;
	struct store *x;

	if (!d->transfer)
		return;
	x = store_of(d->transfer);
	if (x->t.stopping || x->t.ended)
		return;
	if (status < 0) {
		stop_writing(x, status);
		return;
	}
	x->t.bytes += x->size;
	ask(x);
}

static int usable(const struct aftp_transfer *t)
{
	if (t->stopping || t->ended || t->phase == XFER_OVER || t->c->state != CLIENT_READY)
		return AFTP_ECANCELED;
	return t->data && ((const struct store *)t)->wanted ? 0 : AFTP_EBUSY;
}

/* The connection is known to be broken, and the server may still say why. */
static void broken(struct aftp_transfer *t, int rc)
{
	if (rc == 0)
		return;
	t->ended = true;
	t->status = rc;
	wire_hold(&t->c->wire, false);
}

int aftp_transfer_write(struct aftp_transfer *t, const char *data, size_t n)
{
	struct store *x = store_of(t);
	int rc = t->kind == &store_kind ? usable(t) : AFTP_EINVAL;

	if (rc < 0)
		return rc;
	if (!data && n > 0)
		return AFTP_EINVAL;
	x->wanted = false;
	x->size = n;
	broken(t, aftp_stream_write(t->data->stream, data, n, wrote, t->data));
	return 0;
}

static void shut(void *arg, int status)
{
	struct dataconn *d = arg;

	if (d->transfer)
		stop_writing(store_of(d->transfer), status);
}

int aftp_transfer_finish(struct aftp_transfer *t)
{
	struct store *x = store_of(t);
	int rc = t->kind == &store_kind ? usable(t) : AFTP_EINVAL;

	if (rc < 0)
		return rc;
	x->wanted = false;
	x->finished = true;
	broken(t, aftp_stream_shutdown(t->data->stream, shut, t->data));
	return 0;
}

int aftp_transfer_follow(struct aftp_transfer *t, aftp_reply_cb *cb, void *arg, const char *verb)
{
	int rc;

	if (t->kind != &store_kind || !cb || !store_of(t)->finished)
		return AFTP_EINVAL;
	if (t->stopping || t->replied || t->gathering || t->phase != XFER_RUNNING || t->c->state != CLIENT_READY)
		return AFTP_ECANCELED;
	rc = wire_command(&t->c->wire, 0, cb, arg, verb, t->path);
	if (rc < 0)
		return rc;
	t->followers++;
	client_wake(t->c);
	return 0;
}
