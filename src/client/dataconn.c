#include "client/dataconn.h"

#include <stdlib.h>
#include <utlist.h>

#include "client/client_impl.h"
#include "client/xfer.h"

static void closed(void *arg)
{
	struct dataconn *d = arg;
	struct aftp_client *c = d->client;

	free(d);
	client_connection_closed(c);
}

void dataconn_set_limits(struct dataconn *d)
{
	const struct aftp_client *c = d->client;

	aftp_stream_set_timeouts(d->stream, (int64_t)c->connect_ms, (int64_t)c->timeout_ms, (int64_t)c->timeout_ms, -1);
}

/* --- making --------------------------------------------------------------------------------------- */

static bool is_armed(const struct dataconn *d)
{
	return d->client->arm.data == d;
}

static void made(struct dataconn *d, int status)
{
	if (d->transfer)
		xfer_connected(d->transfer, status);
	else if (is_armed(d))
		arm_connected(d->client, status);
}

static void on_proxy(void *arg, int status, const char *why)
{
	struct dataconn *d = arg;

	d->proxy = NULL;
	dataconn_set_limits(d);
	if (status < 0 && why[0])
		client_set_error(d->client, why);
	made(d, status);
}

static void connected(void *arg, int status)
{
	struct dataconn *d = arg;
	const struct aftp_client *c = d->client;
	int64_t limit = (int64_t)c->connect_ms;

	if (!d->transfer && !is_armed(d))
		return;
	if (status < 0 || c->proxy.kind == PROXY_NONE) {
		made(d, status);
		return;
	}
	aftp_stream_set_timeouts(d->stream, -1, limit, limit, -1);
	status = proxy_start(&d->proxy, d->stream, &c->proxy, c->host, d->port, on_proxy, d);
	if (status < 0)
		made(d, status);
}

static int make(struct dataconn **out, struct aftp_transfer *t, struct aftp_client *c)
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
	dataconn_set_limits(d);
	/* Names that a stream of the caller does not use for its own. */
	if (c->throttle.read || c->throttle.write)
		rc = aftp_stream_add_throttle(d->stream, "\001client", &c->throttle);
	if (rc == 0 && (c->own_throttle.read || c->own_throttle.write))
		rc = aftp_stream_add_throttle(d->stream, "\001connection", &c->own_throttle);
	if (rc < 0)
		dataconn_close(&d, false);
	*out = d;
	return rc;
}

int dataconn_open(struct dataconn **out, struct aftp_transfer *t, struct aftp_client *c, const struct sockaddr *addr,
	uint16_t port)
{
	int rc = make(out, t, c);

	if (rc < 0)
		return rc;
	(*out)->port = port;
	rc = aftp_stream_connect((*out)->stream, addr, connected, *out);
	if (rc < 0)
		dataconn_close(out, false);
	return rc;
}

int dataconn_accept(struct dataconn **out, struct aftp_transfer *t, struct aftp_client *c, uv_stream_t *listener)
{
	int rc = make(out, t, c);

	if (rc < 0)
		return rc;
	rc = aftp_stream_accept((*out)->stream, listener);
	if (rc < 0)
		dataconn_close(out, false);
	return rc;
}

/* --- TLS ------------------------------------------------------------------------------------------ */

static void secured(void *arg, int status)
{
	struct dataconn *d = arg;

	if (d->transfer)
		xfer_secured(d->transfer, status);
}

int dataconn_secure(struct dataconn *d)
{
	const struct aftp_client *c = d->client;

	return aftp_stream_start_tls(d->stream, c->tls.settings, c->host, c->tls.sessions, secured, d);
}

const char *dataconn_tls_error(const struct dataconn *d)
{
	return aftp_stream_tls_error(d->stream);
}

/* --- the end -------------------------------------------------------------------------------------- */

void dataconn_close(struct dataconn **d, bool abort)
{
	struct dataconn *old = *d;

	*d = NULL;
	if (!old)
		return;
	old->transfer = NULL;
	proxy_abandon(&old->proxy);
	aftp_stream_close(&old->stream, abort, closed, old);
}

static void finished(void *arg, int status)
{
	struct dataconn *d = arg;

	(void)status;
	if (!d->stream)
		return;
	DL_DELETE(d->client->retiring, d);
	dataconn_close(&d, false);
}

void dataconn_retire(struct dataconn **d)
{
	struct dataconn *old = *d;

	if (!old)
		return;
	if (!aftp_stream_ssl(old->stream) || aftp_stream_finish(old->stream, DATACONN_RETIRE_MS, finished, old) < 0) {
		dataconn_close(d, false);
		return;
	}
	*d = NULL;
	old->transfer = NULL;
	DL_APPEND(old->client->retiring, old);
}

void dataconn_close_retiring(struct aftp_client *c)
{
	while (c->retiring) {
		struct dataconn *d = c->retiring;

		DL_DELETE(c->retiring, d);
		dataconn_close(&d, false);
	}
}
