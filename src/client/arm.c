#include "client/arm.h"

#include "client/client_impl.h"
#include "client/dataconn.h"
#include "client/xfer.h"

static bool is_useful(const struct aftp_client *c)
{
	return c->arm.on && !c->active.on && !c->features.no_arm;
}

void arm_drop(struct aftp_client *c)
{
	c->arm.stands = false;
	dataconn_close(&c->arm.data, false);
}

void arm_failed(struct aftp_client *c)
{
	if (++c->arm.failures < ARM_FAILURES_MAX || c->features.no_arm)
		return;
	c->features.no_arm = true;
	aftp_log(&c->log, AFTP_LOG_INFO, "the server keeps no data connection open in advance");
}

void arm_worked(struct aftp_client *c)
{
	c->arm.failures = 0;
}

/* --- asking --------------------------------------------------------------------------------------- */

int arm_ask(struct aftp_client *c)
{
	c->arm.due = c->arm.now = false;
	if (!is_useful(c) || c->arm.data || c->passive.pending)
		return 0;
	return passive_ask(&c->passive, NULL);
}

void arm_turn(struct aftp_client *c)
{
	if (c->state == CLIENT_READY && (c->arm.now || (c->arm.due && !c->queue.current)))
		(void)arm_ask(c); /* out of memory: then not */
}

bool arm_holds(const struct aftp_client *c)
{
	return c->passive.pending && !c->passive.transfer && c->features.downloads_in_order != AFTP_ORDER_YES;
}

void arm_address(struct aftp_client *c, int status, const struct sockaddr *addr, uint16_t port)
{
	if (status == 0)
		status = dataconn_open(&c->arm.data, NULL, c, addr, port);
	if (status < 0)
		arm_failed(c);
}

/* --- standing ------------------------------------------------------------------------------------- */

static char *lend(void *arg, size_t *len)
{
	struct aftp_client *c = arg;

	*len = sizeof c->arm.land;
	return c->arm.land;
}

static void landed(void *arg, ssize_t n)
{
	struct aftp_client *c = arg;

	aftp_log(&c->log, AFTP_LOG_DEBUG, "the data connection made in advance %s",
		n > 0 ? "speaks unasked" : "was ended by the server");
	if (n > 0 || uv_now(c->loop) - c->arm.since < ARM_QUICK_MS)
		arm_failed(c);
	arm_drop(c);
}

void arm_connected(struct aftp_client *c, int status)
{
	struct aftp_stream *stream = c->arm.data->stream;

	if (status == 0) {
		aftp_stream_set_timeouts(stream, -1, 0, -1, -1);
		/* Keepalive is a comfort. */
		(void)aftp_stream_set_keepalive(stream, ARM_KEEPALIVE_S);
		status = aftp_stream_read_start(stream, lend, landed, c);
	}
	if (status < 0) {
		arm_failed(c);
		arm_drop(c);
		return;
	}
	c->arm.stands = true;
	c->arm.since = uv_now(c->loop);
	c->features.data_works = true;
}

bool arm_take(struct aftp_client *c, struct aftp_transfer *t)
{
	struct arm *a = &c->arm;

	if (a->stands && uv_now(c->loop) - a->since > ARM_AGE_MAX_MS)
		arm_drop(c);
	if (!a->data)
		return false;
	t->data = a->data;
	t->data->transfer = t;
	t->armed = t->connected = a->stands;
	a->data = NULL;
	a->stands = false;
	if (t->armed) {
		aftp_stream_read_stop(t->data->stream);
		dataconn_set_limits(t->data);
	}
	return true;
}
