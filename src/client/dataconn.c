#include "client/dataconn.h"

#include <stdlib.h>

#include "client/client_impl.h"
#include "client/xfer.h"

static void closed(void *arg)
{
	struct dataconn *d = arg;
	struct aftp_client *c = d->client;

	free(d);
	client_connection_closed(c);
}

static void connected(void *arg, int status)
{
	struct dataconn *d = arg;

	if (d->transfer)
		xfer_connected(d->transfer, status);
}

static int begin(struct dataconn *d, const struct sockaddr *addr)
{
	const struct aftp_client *c = d->client;
	int rc = 0;

	aftp_stream_set_timeouts(d->stream, (int64_t)c->connect_ms, (int64_t)c->timeout_ms, (int64_t)c->timeout_ms, -1);
	if (c->throttle.read || c->throttle.write)
		rc = aftp_stream_add_throttle(d->stream, "client", &c->throttle);
	return rc < 0 ? rc : aftp_stream_connect(d->stream, addr, connected, d);
}

int dataconn_open(struct dataconn **out, struct aftp_transfer *t, struct aftp_client *c, const struct sockaddr *addr)
{
	struct dataconn *d = calloc(1, sizeof *d);
	int rc;

	if (!d)
		return AFTP_ENOMEM;
	d->client = c;
	d->transfer = t;
	rc = aftp_stream_new(&d->stream, c->loop);
	if (rc < 0) {
		free(d);
		return rc;
	}
	c->open++;
	rc = begin(d, addr);
	if (rc < 0)
		dataconn_close(&d, false);
	*out = d;
	return rc;
}

void dataconn_close(struct dataconn **d, bool abort)
{
	struct dataconn *old = *d;

	*d = NULL;
	if (!old)
		return;
	old->transfer = NULL;
	aftp_stream_close(&old->stream, abort, closed, old);
}
