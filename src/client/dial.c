#include "client/dial.h"

#include <aftp/status.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dial {
	uv_loop_t *loop;
	struct dial_target target;
	struct proxy *proxy;
	uv_getaddrinfo_t lookup;
	uv_timer_t timer; /* bounds the lookup, and calls back what is known at once */
	struct addrinfo *first, *next;
	unsigned tried;
	struct aftp_stream *stream;
	int64_t limit_ms;
	int status;    /* of the addresses so far */
	unsigned busy; /* lookup, timer and streams that still hold this memory */
	dial_cb *cb;   /* NULL: over */
	void *arg;
};

static void try_next(struct dial *d);

static void release(struct dial *d)
{
	if (--d->busy > 0)
		return;
	if (d->first)
		uv_freeaddrinfo(d->first);
	free(d);
}

static void stream_closed(void *arg)
{
	release(arg);
}

static void timer_closed(uv_handle_t *timer)
{
	release(timer->data);
}

/* Ends it, but for what libuv still holds. */
static void stop(struct dial *d)
{
	d->cb = NULL;
	proxy_abandon(&d->proxy);
	/* Fails when the lookup runs already. */
	uv_cancel((uv_req_t *)&d->lookup);
	aftp_stream_close(&d->stream, false, stream_closed, d);
	uv_close((uv_handle_t *)&d->timer, timer_closed);
}

static void end(struct dial *d, int status, struct aftp_stream *stream, const char *why)
{
	dial_cb *cb = d->cb;
	void *arg = d->arg;

	if (stream) {
		d->stream = NULL;
		d->busy--;
	}
	stop(d);
	cb(arg, status, stream, why);
}

/* Of several failures, one that the host itself gave says most. */
static bool says_little(int status)
{
	return status == 0 || status == -ENETUNREACH || status == -EAFNOSUPPORT || status == -EADDRNOTAVAIL ||
		status == -EINVAL;
}

static void failed(struct dial *d, int status)
{
	if (says_little(d->status))
		d->status = status;
	aftp_stream_close(&d->stream, false, stream_closed, d);
	try_next(d);
}

static void on_proxy(void *arg, int status, const char *why)
{
	struct dial *d = arg;

	d->proxy = NULL;
	if (status == 0)
		aftp_stream_set_timeouts(d->stream, -1, 0, 0, -1);
	end(d, status, status == 0 ? d->stream : NULL, why);
}

static void ask_proxy(struct dial *d)
{
	int rc;

	aftp_stream_set_timeouts(d->stream, -1, d->limit_ms, d->limit_ms, -1);
	rc = proxy_start(&d->proxy, d->stream, d->target.proxy, d->target.host, d->target.port, on_proxy, d);
	if (rc < 0)
		end(d, rc, NULL,
			rc == AFTP_EINVAL ? "the proxy cannot be asked for this host, or with this login" : "");
}

static void connected(void *arg, int status)
{
	struct dial *d = arg;

	if (!d->cb)
		return;
	if (status < 0)
		failed(d, status);
	else if (d->target.proxy->kind != PROXY_NONE)
		ask_proxy(d);
	else
		end(d, 0, d->stream, "");
}

static int connect_to(struct dial *d, const struct sockaddr *addr)
{
	int rc = aftp_stream_new(&d->stream, d->loop);

	if (rc < 0)
		return rc;
	d->busy++;
	aftp_stream_set_timeouts(d->stream, d->limit_ms, -1, -1, -1);
	return aftp_stream_connect(d->stream, addr, connected, d);
}

static void try_next(struct dial *d)
{
	while (d->next && d->tried < DIAL_ADDRESSES_MAX) {
		const struct addrinfo *ai = d->next;
		int rc;

		d->next = ai->ai_next;
		d->tried++;
		rc = connect_to(d, ai->ai_addr);
		if (rc == 0)
			return;
		if (says_little(d->status))
			d->status = rc;
		aftp_stream_close(&d->stream, false, stream_closed, d);
	}
	end(d, d->status ? d->status : AFTP_ERESOLVE, NULL, d->status ? "" : "the name has no address");
}

static void looked_up(uv_getaddrinfo_t *req, int status, struct addrinfo *res)
{
	struct dial *d = req->data;

	d->first = d->next = res;
	if (!d->cb) {
		release(d);
		return;
	}
	uv_timer_stop(&d->timer);
	if (status < 0)
		end(d, AFTP_ERESOLVE, NULL, uv_strerror(status));
	else
		try_next(d);
	release(d);
}

static void lookup_late(uv_timer_t *timer)
{
	struct dial *d = timer->data;

	end(d, AFTP_ERESOLVE, NULL, "the name service does not answer");
}

int dial_start(
	struct dial **out, uv_loop_t *loop, const struct dial_target *target, int64_t limit_ms, dial_cb *cb, void *arg)
{
	bool proxied = target->proxy->kind != PROXY_NONE;
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct dial *d = calloc(1, sizeof *d);
	char service[8];
	int rc;

	if (!d)
		return AFTP_ENOMEM;
	snprintf(service, sizeof service, "%u", (unsigned)(proxied ? target->proxy->port : target->port));
	d->loop = loop;
	d->target = *target;
	d->limit_ms = limit_ms;
	d->cb = cb;
	d->arg = arg;
	d->lookup.data = d;
	rc = uv_getaddrinfo(loop, &d->lookup, looked_up, proxied ? target->proxy->host : target->host, service, &hints);
	if (rc < 0) {
		free(d);
		return rc == UV_ENOMEM ? AFTP_ENOMEM : AFTP_ERESOLVE;
	}
	uv_timer_init(loop, &d->timer);
	d->timer.data = d;
	/* The loop's clock may be as old as its last turn. */
	uv_timer_start(&d->timer, lookup_late, uv_hrtime() / 1000000 - uv_now(loop) + (uint64_t)limit_ms, 0);
	d->busy = 2;
	*out = d;
	return 0;
}

void dial_abandon(struct dial **d)
{
	struct dial *old = *d;

	*d = NULL;
	if (old)
		stop(old);
}
