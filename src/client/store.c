/* store - STOR and APPE, from an offset by REST.
 *
 * Nothing is sent before the server wants it (1xx), except to one that does one thing after the other, when the source
 * allows it: there the first bytes leave as soon as the command has left and the data connection stands. They are kept
 * until the server has begun, in case that connection stood in advance and was dead. The end is our half-close; only the server's final reply says that all of it has arrived. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "client/client_impl.h"
#include "client/xfer.h"

enum { EARLY_MAX = 64 << 10, UNSENT_MAX = 1 << 20 };

struct store {
	struct aftp_transfer t; /* first */
	struct aftp_source source;
	enum aftp_store how;
	bool begun;  /* bytes may be sent */
	bool asked;  /* ready() was called the first time */
	bool wanted; /* it was, and is not answered */
	/* What was given, and how much of it is sent. */
	const char *data;
	size_t size, sent;
	bool busy;       /* a write is under way */
	bool finished;   /* all was given */
	bool shut;       /* and the end was said */
	struct buf kept; /* the first bytes, until the server has begun */
	size_t replayed; /* so many of them are sent on the data connection of now */
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

/* The connection is known to be broken, and the server may still say why. */
static void broken(struct aftp_transfer *t, int rc)
{
	if (rc == 0)
		return;
	t->ended = true;
	t->status = rc;
	wire_hold(&t->c->wire, false);
}

/* --- bytes ---------------------------------------------------------------------------------------- */

static void advance(struct store *x);

static void wrote(void *arg, int status)
{
	struct dataconn *d = arg;
	struct store *x;

	if (!d->transfer)
		return;
	x = store_of(d->transfer);
	x->busy = false;
	if (x->t.stopping || x->t.ended)
		return;
	if (status < 0)
		stop_writing(x, status);
	else
		advance(x);
}

static void on_shut(void *arg, int status)
{
	struct dataconn *d = arg;

	if (d->transfer)
		stop_writing(store_of(d->transfer), status);
}

static void put(struct store *x, const char *bytes, size_t n)
{
	x->busy = true;
	broken(&x->t, aftp_stream_write(x->t.data->stream, bytes, n, wrote, x->t.data));
}

/* So much of what is left may leave now. */
static size_t allowed(const struct store *x)
{
	size_t left = x->size - x->sent;

	if (x->t.accepted)
		return left;
	return left < EARLY_MAX - buf_len(&x->kept) ? left : EARLY_MAX - buf_len(&x->kept);
}

static void send_more(struct store *x)
{
	size_t n = allowed(x);

	if (n == 0)
		return;
	if (!x->t.accepted) {
		if (buf_append(&x->kept, x->data + x->sent, n) < 0)
			return; /* then it waits */
		x->replayed = buf_len(&x->kept);
	}
	x->sent += n;
	put(x, x->data + x->sent - n, n);
}

static void ask(struct store *x)
{
	x->asked = x->wanted = true;
	x->data = NULL;
	x->size = x->sent = 0;
	x->source.ready(x->source.arg);
}

/* With what can be done now: what was kept, what was given, the end, the next question. */
static void advance(struct store *x)
{
	struct aftp_transfer *t = &x->t;

	if (!x->begun || x->busy || x->wanted || x->shut || t->stopping || t->ended)
		return;
	if (x->replayed < buf_len(&x->kept)) {
		x->replayed = buf_len(&x->kept);
		put(x, buf_bytes(&x->kept), x->replayed);
	} else if (x->sent < x->size) {
		send_more(x);
	} else if (x->finished) {
		x->shut = true;
		broken(t, aftp_stream_shutdown(t->data->stream, on_shut, t->data));
		t->c->arm.now = t->c->features.in_order;
		client_wake(t->c);
	} else {
		t->bytes += x->size;
		ask(x);
	}
}

/* A server that does several things at a time may look at the data connection before the command, and take fright. */
static bool may_begin(const struct store *x)
{
	const struct aftp_features *f = &x->t.c->features;
	bool early = x->source.early && f->downloads_in_order == AFTP_ORDER_YES;

	return x->t.placed && (x->t.accepted || early);
}

static void flow(struct aftp_transfer *t)
{
	struct store *x = store_of(t);

	if (t->stopping || t->ended || !may_begin(x))
		return;
	/* From here on it is the source that may be slow. */
	if (t->accepted && !x->shut)
		wire_hold(&t->c->wire, true);
	if (t->accepted && !x->busy && x->replayed == buf_len(&x->kept)) {
		buf_finish(&x->kept);
		x->replayed = 0;
	}
	/* What the kernel takes counts as sent, and is lost with the connection: let it be little. */
	if (!x->begun)
		(void)aftp_stream_set_unsent(t->data->stream, UNSENT_MAX);
	x->begun = true;
	wire_flush(&t->c->wire); /* the command goes first */
	advance(x);
}

/* --- the command ---------------------------------------------------------------------------------- */

static int command(struct aftp_transfer *t)
{
	return xfer_command_at(t, store_of(t)->how == AFTP_APPEND ? "APPE" : "STOR");
}

/* A confirmation of what has not been sent yet is none. */
static void final(struct aftp_transfer *t, const struct aftp_reply *r)
{
	(void)r;
	if (t->code < 400 && !store_of(t)->shut) {
		t->ended = true;
		if (t->status == 0)
			t->status = AFTP_ESHORT;
	}
}

/* Only what was kept has left, and the server has not begun. */
static bool repeat(struct aftp_transfer *t)
{
	struct store *x = store_of(t);

	if (t->accepted)
		return false;
	x->begun = x->busy = x->shut = false;
	x->replayed = 0;
	return true;
}

/* --- the end -------------------------------------------------------------------------------------- */

static void done(struct aftp_transfer *t)
{
	struct store *x = store_of(t);
	const struct aftp_source *source = &x->source;
	struct aftp_transfer_result result = {
		.bytes = t->bytes, .accepted = t->accepted, .code = t->code, .message = t->message
	};

	source->done(source->arg, t->status, &result);
	buf_finish(&x->kept);
	xfer_finish(t);
}

static const struct xfer_kind store_kind = {
	.command = command,
	.flow = flow,
	.final = final,
	.repeat = repeat,
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
	buf_init(&x->kept, EARLY_MAX);
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

/* --- the calls ------------------------------------------------------------------------------------ */

static int usable(const struct aftp_transfer *t)
{
	const struct store *x = (const struct store *)t;

	if (t->kind != &store_kind)
		return AFTP_EINVAL;
	if (t->stopping || t->ended || t->phase == XFER_OVER || t->c->state != CLIENT_READY)
		return AFTP_ECANCELED;
	return x->wanted ? 0 : AFTP_EBUSY;
}

int aftp_transfer_write(struct aftp_transfer *t, const char *data, size_t n)
{
	struct store *x = store_of(t);
	int rc = usable(t);

	if (rc < 0)
		return rc;
	if (!data && n > 0)
		return AFTP_EINVAL;
	x->wanted = false;
	x->data = data;
	x->size = n;
	/* Nothing is something, too: ready() comes again, but not from inside this call. */
	if (n == 0 && x->begun)
		put(x, "", 0);
	else
		advance(x);
	return 0;
}

int aftp_transfer_finish(struct aftp_transfer *t)
{
	struct store *x = store_of(t);
	int rc = usable(t);

	if (rc < 0)
		return rc;
	x->wanted = false;
	x->finished = true;
	advance(x);
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
