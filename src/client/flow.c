#include "client/flow.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "client/high.h"
#include "client/rawdata.h"

/* --- the end -------------------------------------------------------------------------------------- */

static void end(struct aftp_data *d)
{
	void (*closed)(void *arg) = d->closed;
	void *arg = d->closed_arg;

	flow_read_finish(d);
	flow_throttle_finish(d);
	later_close(&d->later);
	free(d);
	if (closed)
		closed(arg);
}

static int verdict(const struct aftp_data *d)
{
	bool known = d->code > 0;

	/* What is wrong with a transfer whose code is at least 400 is that code. */
	if (known && aftp_code_match(d->code, d->expected) && (d->status == 0 || d->early || d->code >= 400))
		return 0;
	if (known && aftp_code_match(d->code, d->wait))
		return d->status;
	if (known && (d->status == 0 || (d->early && d->status == AFTP_ECANCELED)))
		return AFTP_EREPLY;
	return d->status == 0 ? AFTP_EREPLY : d->status;
}

static void tell_finished(struct aftp_data *d)
{
	aftp_finish_cb *cb = d->finished;

	if (!cb)
		return;
	d->finished = NULL;
	cb(d->finished_arg, d->canceled ? AFTP_ECANCELED : verdict(d), d->code, d->message);
}

static void tell_canceled(struct aftp_data *d)
{
	aftp_op_cb *cb = d->cancel_cb;

	if (!cb)
		return;
	d->cancel_cb = NULL;
	cb(d->cancel_arg, d->lost ? AFTP_ENOTCONN : 0);
}

/* Each callback may ask for the next thing, but the flow stays until its last call here. */
static void settle(struct aftp_data *d)
{
	if (d->writes)
		flow_write_serve(d);
	else
		flow_read_serve(d);
	if (!d->over)
		return;
	tell_finished(d);
	tell_canceled(d);
	if (d->closing)
		end(d);
}

static void turn(struct later_item *item)
{
	struct aftp_data *d = (struct aftp_data *)((char *)item - offsetof(struct aftp_data, turn));

	if (d->transfer && !d->writes) {
		flow_attach(d);
		aftp_transfer_resume(d->transfer);
	}
	settle(d);
}

void flow_kick(struct aftp_data *d)
{
	later_add(d->later, &d->turn);
}

static void on_started(void *arg, uint64_t size)
{
	((struct aftp_data *)arg)->size = size;
}

static void on_done(void *arg, int status, const struct aftp_transfer_result *result)
{
	struct aftp_data *d = arg;
	struct aftp_session *s = d->s;

	d->over = true;
	d->status = status;
	d->code = result->code;
	d->bytes = result->bytes;
	snprintf(d->message, sizeof d->message, "%s", result->message);
	d->lost = !s->client || !aftp_client_alive(s->client);
	d->transfer = NULL;
	d->s = NULL;
	DL_DELETE(s->flows, d);
	settle(d);
	high_ended(s);
}

/* --- birth ---------------------------------------------------------------------------------------- */

static int begin(struct aftp_session *s, struct aftp_data **out, bool writes)
{
	struct aftp_data *d;
	int rc;

	if (!out)
		return AFTP_EINVAL;
	if (!s->client)
		return AFTP_ENOTCONN;
	d = calloc(1, sizeof *d);
	if (!d)
		return AFTP_ENOMEM;
	rc = later_new(&d->later, s->loop);
	if (rc < 0) {
		free(d);
		return rc;
	}
	d->turn.run = turn;
	d->s = s;
	d->writes = writes;
	d->size = UINT64_MAX;
	buf_init(&d->rd.in, SIZE_MAX / 4);
	*out = d;
	return 0;
}

/* rc: of the call that starts the transfer. */
static int begun(struct aftp_data **out, int rc)
{
	struct aftp_data *d = *out;

	if (rc == 0) {
		DL_APPEND(d->s->flows, d);
		return 0;
	}
	*out = NULL;
	later_close(&d->later);
	free(d);
	return rc;
}

static struct aftp_sink sink_of(struct aftp_data *d)
{
	return (struct aftp_sink){ flow_lend, flow_landed, on_started, on_done, d, false, 0 };
}

int aftp_download_stream(struct aftp_session *s, struct aftp_data **out, const char *path, uint64_t offset)
{
	struct aftp_sink sink;
	int rc = begin(s, out, false);

	if (rc < 0)
		return rc;
	sink = sink_of(*out);
	return begun(out, aftp_client_retrieve(s->client, &(*out)->transfer, path, offset, &sink));
}

int aftp_command_stream(struct aftp_session *s, struct aftp_data **out, const char *verb, const char *argument)
{
	struct aftp_sink sink;
	int rc = begin(s, out, false);

	if (rc < 0)
		return rc;
	sink = sink_of(*out);
	return begun(out, rawdata_start(s->client, &(*out)->transfer, verb, argument, &sink));
}

static int store(struct aftp_session *s, struct aftp_data **out, enum aftp_store how, const char *path, uint64_t offset)
{
	struct aftp_source source = { .ready = flow_ready, .done = on_done };
	int rc = begin(s, out, true);

	if (rc < 0)
		return rc;
	source.arg = *out;
	return begun(out, aftp_client_store(s->client, &(*out)->transfer, how, path, offset, &source));
}

int aftp_upload_stream(struct aftp_session *s, struct aftp_data **out, const char *path, uint64_t offset)
{
	return store(s, out, AFTP_STORE, path, offset);
}

int aftp_append_stream(struct aftp_session *s, struct aftp_data **out, const char *path, uint64_t offset)
{
	return store(s, out, AFTP_APPEND, path, offset);
}

/* --- the calls that end it ------------------------------------------------------------------------ */

static bool take_mask(char *out, const char *mask, const char *standard)
{
	int n = snprintf(out, FLOW_MASK_MAX, "%s", mask ? mask : standard);

	return n < FLOW_MASK_MAX;
}

int aftp_data_finish(struct aftp_data *d, const char *expected, const char *wait, aftp_finish_cb *cb, void *arg)
{
	if (d->finishing || d->canceled || d->closing)
		return AFTP_EALREADY;
	if (d->rd.mode != FLOW_IDLE || d->wr.cb)
		return AFTP_EBUSY;
	if (!cb || !take_mask(d->expected, expected, "2xx") || !take_mask(d->wait, wait, "1xx"))
		return AFTP_EINVAL;
	d->finishing = true;
	d->finished = cb;
	d->finished_arg = arg;
	if (d->over) {
		flow_kick(d);
	} else if (!d->writes) {
		d->probing = true;
		aftp_transfer_resume(d->transfer);
	} else if (d->wr.wanted) {
		d->wr.wanted = false;
		(void)aftp_transfer_finish(d->transfer); /* what is wrong with it comes by on_done() */
	} else {
		d->finish_due = true;
	}
	return 0;
}

static void break_off(struct aftp_data *d)
{
	d->canceled = true;
	if (d->over)
		flow_kick(d);
	else
		aftp_transfer_cancel(d->transfer);
}

int aftp_data_cancel(struct aftp_data *d, aftp_op_cb *cb, void *arg)
{
	if (d->canceled || d->closing)
		return AFTP_EALREADY;
	d->cancel_cb = cb;
	d->cancel_arg = arg;
	break_off(d);
	return 0;
}

void aftp_data_close(struct aftp_data **dp, void (*closed)(void *arg), void *arg)
{
	struct aftp_data *d = *dp;

	*dp = NULL;
	if (!d)
		return;
	d->closing = true;
	d->closed = closed;
	d->closed_arg = arg;
	break_off(d);
}

/* --- facts ---------------------------------------------------------------------------------------- */

int aftp_data_code(const struct aftp_data *d)
{
	return d->code;
}

const char *aftp_data_message(const struct aftp_data *d)
{
	return d->message;
}

uint64_t aftp_data_size(const struct aftp_data *d)
{
	return d->size;
}

uint64_t aftp_data_bytes(const struct aftp_data *d)
{
	return d->transfer ? aftp_transfer_bytes(d->transfer) : d->bytes;
}
