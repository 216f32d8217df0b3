#include "client/flow.h"

static void answer(struct aftp_data *d, int status)
{
	aftp_op_cb *cb = d->wr.cb;

	d->wr.cb = NULL;
	d->wr.given = false;
	cb(d->wr.arg, status);
}

/* A transfer that takes nothing any more says why when it is over. */
static void give(struct aftp_data *d)
{
	d->wr.wanted = false;
	d->wr.given = true;
	(void)aftp_transfer_write(d->transfer, d->wr.data, d->wr.len);
}

void flow_ready(void *arg)
{
	struct aftp_data *d = arg;

	flow_attach(d);
	d->wr.wanted = true;
	if (d->wr.cb && d->wr.given)
		answer(d, 0);
	else if (d->wr.cb && d->wr.len > 0)
		give(d);
	if (!d->finish_due || !d->wr.wanted)
		return;
	d->wr.wanted = false;
	(void)aftp_transfer_finish(d->transfer);
}

void flow_write_serve(struct aftp_data *d)
{
	if (!d->wr.cb)
		return;
	if (d->over)
		answer(d, d->status < 0 ? d->status : AFTP_ECANCELED);
	else if (d->wr.len == 0)
		answer(d, 0);
}

int aftp_data_write(struct aftp_data *d, const char *data, size_t n, aftp_op_cb *cb, void *arg)
{
	if (!d->writes || !cb || (!data && n > 0))
		return AFTP_EINVAL;
	if (d->finishing || d->canceled || d->closing)
		return AFTP_ECANCELED;
	if (d->wr.cb)
		return AFTP_EBUSY;
	d->wr.data = data;
	d->wr.len = n;
	d->wr.cb = cb;
	d->wr.arg = arg;
	if (d->over || n == 0)
		flow_kick(d);
	else if (d->wr.wanted)
		give(d);
	return 0;
}
