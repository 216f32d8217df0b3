/* flow_throttle - the named throttles of a data stream, which are there before its data connection is. */
#include <string.h>

#include "client/dataconn.h"
#include "client/flow.h"
#include "client/xfer.h"

static struct aftp_stream *stream_of(const struct aftp_data *d)
{
	return d->transfer && d->transfer->data ? d->transfer->data->stream : NULL;
}

static struct flow_throttle *find(struct aftp_data *d, const char *name)
{
	for (unsigned i = 0; i < d->n_throttles; i++)
		if (strcmp(d->throttles[i].name, name) == 0)
			return &d->throttles[i];
	return NULL;
}

void flow_attach(struct aftp_data *d)
{
	struct aftp_stream *s = stream_of(d);

	if (d->attached || !s)
		return;
	d->attached = true;
	for (unsigned i = 0; i < d->n_throttles; i++) {
		const struct flow_throttle *t = &d->throttles[i];
		int rc = aftp_stream_add_throttle(s, t->name, &t->pair);

		/* Too fast is not what was asked for. */
		if (rc < 0)
			aftp_transfer_cancel(d->transfer);
	}
}

static struct aftp_stream_throttle refs(const struct aftp_stream_throttle *st)
{
	struct aftp_stream_throttle pair = { 0 };

	if (st->read)
		pair.read = aftp_throttle_ref(st->read);
	if (st->write)
		pair.write = aftp_throttle_ref(st->write);
	return pair;
}

int aftp_data_add_throttle(struct aftp_data *d, const char *name, const struct aftp_stream_throttle *st)
{
	struct flow_throttle *t;
	int rc = 0;

	if (!name || !st || strlen(name) >= FLOW_NAME_MAX)
		return AFTP_EINVAL;
	t = find(d, name);
	if (!t && d->n_throttles == FLOW_THROTTLES_MAX)
		return AFTP_ETOOBIG;
	if (d->attached && stream_of(d))
		rc = aftp_stream_add_throttle(stream_of(d), name, st);
	if (rc < 0)
		return rc;
	if (t) {
		struct aftp_stream_throttle old = t->pair;

		t->pair = refs(st);
		aftp_stream_throttle_unref(&old);
		return 0;
	}
	t = &d->throttles[d->n_throttles++];
	memcpy(t->name, name, strlen(name) + 1);
	t->pair = refs(st);
	return 0;
}

int aftp_data_remove_throttle(struct aftp_data *d, const char *name)
{
	struct flow_throttle *t = name ? find(d, name) : NULL;

	if (!t)
		return AFTP_ENOENT;
	if (d->attached && stream_of(d))
		(void)aftp_stream_remove_throttle(stream_of(d), name);
	aftp_stream_throttle_unref(&t->pair);
	*t = d->throttles[--d->n_throttles];
	return 0;
}

const struct aftp_stream_throttle *aftp_data_get_throttle(const struct aftp_data *d, const char *name)
{
	struct flow_throttle *t = name ? find((struct aftp_data *)d, name) : NULL;

	return t ? &t->pair : NULL;
}

void flow_throttle_finish(struct aftp_data *d)
{
	while (d->n_throttles > 0)
		aftp_stream_throttle_unref(&d->throttles[--d->n_throttles].pair);
}
