#include "client/rawdata.h"

#include <stdlib.h>
#include <string.h>

#include "client/client_impl.h"
#include "client/xfer.h"

struct rawdata {
	struct aftp_transfer t; /* first; its path is the argument */
	struct aftp_sink sink;
	char verb[16];
	bool told; /* started() was called */
};

static struct rawdata *rawdata_of(struct aftp_transfer *t)
{
	return (struct rawdata *)t;
}

static int command(struct aftp_transfer *t)
{
	return xfer_command(t, rawdata_of(t)->verb, t->path[0] ? t->path : NULL);
}

static void early(struct aftp_transfer *t, const struct aftp_reply *r)
{
	struct rawdata *x = rawdata_of(t);
	const struct aftp_sink *sink = &x->sink;
	uint64_t size = UINT64_MAX;

	if (aftp_reply_transfer_size(r, &size) < 0)
		size = UINT64_MAX;
	if (sink->started && !x->told)
		sink->started(sink->arg, size);
	x->told = true;
}

static char *lend(struct aftp_transfer *t, size_t *len)
{
	const struct aftp_sink *sink = &rawdata_of(t)->sink;

	return sink->lend(sink->arg, len);
}

static void landed(struct aftp_transfer *t, size_t n)
{
	const struct aftp_sink *sink = &rawdata_of(t)->sink;

	sink->data(sink->arg, n);
}

static void done(struct aftp_transfer *t)
{
	const struct aftp_sink *sink = &rawdata_of(t)->sink;
	struct aftp_transfer_result result = {
		.bytes = t->bytes, .code = t->code, .message = t->message, .accepted = t->accepted
	};

	if (t->status == 0 && xfer_was_cut(t))
		t->status = AFTP_EINCOMPLETE;
	sink->done(sink->arg, t->status, &result);
	xfer_finish(t);
}

static const struct xfer_kind rawdata_kind = {
	.ends = XFER_ENDS_OTHER,
	.command = command,
	.flow = xfer_read_start,
	.early = early,
	.lend = lend,
	.landed = landed,
	.repeat = xfer_moved_nothing,
	.done = done,
};

int rawdata_start(struct aftp_client *c, struct aftp_transfer **out, const char *verb, const char *argument,
	const struct aftp_sink *sink)
{
	struct rawdata *x;
	int rc;

	if (!verb || !verb[0] || strlen(verb) >= sizeof x->verb)
		return AFTP_EINVAL;
	rc = client_check_path(c, verb);
	if (rc < 0)
		return rc;
	x = calloc(1, sizeof *x);
	if (!x)
		return AFTP_ENOMEM;
	x->sink = *sink;
	memcpy(x->verb, verb, strlen(verb) + 1);
	rc = xfer_init(&x->t, c, &rawdata_kind, argument ? argument : "");
	if (rc == 0)
		rc = client_ask(c, &x->t.op);
	if (rc < 0) {
		xfer_finish(&x->t);
		return rc;
	}
	*out = &x->t;
	return 0;
}
