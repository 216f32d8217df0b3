#include "client/active.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/client_impl.h"
#include "client/xfer.h"

enum { BACKLOG = 4, ADDRESS_TEXT = 64 };

struct active {
	struct aftp_client *client;
	struct aftp_transfer *transfer; /* NULL: given up */
	struct active **owner;
	uv_tcp_t listener;
	uv_timer_t timer;
	int uses;     /* its handles, and the answer that is owed */
	bool told;    /* the server has said yes */
	bool waiting; /* it was faster with its connection, which is not taken yet */
	uint16_t port;
	char address[ADDRESS_TEXT]; /* as the server is told */
};

static uint16_t port_of(const struct sockaddr_storage *a)
{
	return ntohs(a->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)a)->sin6_port
					      : ((const struct sockaddr_in *)a)->sin_port);
}

static void set_port(struct sockaddr_storage *a, uint16_t port)
{
	if (a->ss_family == AF_INET6)
		((struct sockaddr_in6 *)a)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)a)->sin_port = htons(port);
}

static bool same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in *a4 = (const struct sockaddr_in *)a, *b4 = (const struct sockaddr_in *)b;
	const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)a, *b6 = (const struct sockaddr_in6 *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET6)
		return memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof a6->sin6_addr) == 0;
	return a4->sin_addr.s_addr == b4->sin_addr.s_addr;
}

/* --- the end -------------------------------------------------------------------------------------- */

static void release(struct active *a)
{
	struct aftp_client *c = a->client;

	if (--a->uses > 0)
		return;
	free(a);
	client_connection_closed(c);
}

static void handle_closed(uv_handle_t *handle)
{
	release(handle->data);
}

void active_close(struct active **ap)
{
	struct active *a = *ap;

	*ap = NULL;
	if (!a)
		return;
	a->transfer = NULL;
	uv_close((uv_handle_t *)&a->listener, handle_closed);
	uv_close((uv_handle_t *)&a->timer, handle_closed);
}

/* --- waiting -------------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
	struct active *a = timer->data;
	struct aftp_transfer *t = a->transfer;

	client_set_error(a->client, "the server does not connect to us");
	active_close(a->owner);
	xfer_connected(t, AFTP_ETIMEDOUT);
}

static bool from_server(const struct active *a, const struct dataconn *d)
{
	struct sockaddr_storage peer, server;

	return aftp_stream_peer(d->stream, &peer) == 0 && aftp_stream_peer(a->client->wire.stream, &server) == 0 &&
		same_host(&peer, &server);
}

static void take(struct active *a)
{
	struct aftp_transfer *t = a->transfer;
	struct dataconn *d = NULL;

	a->waiting = false;
	if (dataconn_accept(&d, t, a->client, (uv_stream_t *)&a->listener) < 0)
		return;
	if (!from_server(a, d)) {
		aftp_log(&a->client->log, AFTP_LOG_WARN, "a data connection from somebody else was refused");
		dataconn_close(&d, true);
		return;
	}
	t->data = d;
	active_close(a->owner);
	xfer_connected(t, 0);
}

/* Until it is taken, libuv looks for no other. */
static void on_connection(uv_stream_t *listener, int status)
{
	struct active *a = listener->data;

	if (!a->transfer || status < 0)
		return;
	a->waiting = !a->told;
	if (a->told)
		take(a);
}

static void on_waiting(uv_timer_t *timer)
{
	struct active *a = timer->data;

	uv_timer_start(timer, on_timer, a->client->timeout_ms, 0);
	take(a);
}

/* --- listening ------------------------------------------------------------------------------------ */

/* The next port of the range that is free, from a place that changes: one that was used a moment ago may still have a
 * connection in the server's memory. Without a range, any port. */
static int bind_somewhere(int fd, const struct client_active *o, struct sockaddr_storage *addr)
{
	socklen_t len = addr->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	unsigned span = (unsigned)(o->port_max - o->port_min) + 1, from = (unsigned)(uv_hrtime() / 1000 % span);
	int on = 1, rc = -1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	errno = EADDRINUSE;
	for (unsigned i = 0; i < span && rc < 0 && errno == EADDRINUSE; i++) {
		set_port(addr, (uint16_t)(o->port_min + (from + i) % span));
		rc = bind(fd, (const struct sockaddr *)addr, len);
		if (rc == 0)
			rc = listen(fd, BACKLOG);
	}
	return rc < 0 ? -errno : 0;
}

static int make_socket(struct active *a, struct sockaddr_storage *addr)
{
	int rc = aftp_stream_local(a->client->wire.stream, addr);
	int fd = rc < 0 ? -1 : socket(addr->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (rc == 0 && fd < 0)
		return -errno;
	if (rc == 0)
		rc = bind_somewhere(fd, &a->client->active, addr);
	if (rc == 0)
		rc = uv_tcp_open(&a->listener, fd);
	if (rc < 0 && fd >= 0)
		close(fd);
	return rc;
}

static int listen_for(struct active *a)
{
	struct sockaddr_storage addr;
	int len = sizeof addr;
	int rc = make_socket(a, &addr);

	if (rc == 0)
		rc = uv_listen((uv_stream_t *)&a->listener, BACKLOG, on_connection);
	if (rc == 0)
		rc = uv_tcp_getsockname(&a->listener, (struct sockaddr *)&addr, &len);
	if (rc < 0)
		return rc;
	a->port = port_of(&addr);
	if (a->client->active.address)
		snprintf(a->address, sizeof a->address, "%s", a->client->active.address);
	else if (addr.ss_family == AF_INET6)
		rc = uv_ip6_name((const struct sockaddr_in6 *)&addr, a->address, sizeof a->address);
	else
		rc = uv_ip4_name((const struct sockaddr_in *)&addr, a->address, sizeof a->address);
	return rc;
}

/* --- asking --------------------------------------------------------------------------------------- */

static bool is_six(const struct active *a)
{
	return strchr(a->address, ':') != NULL;
}

static void told(struct active *a, int status)
{
	struct aftp_transfer *t = a->transfer;

	a->told = true;
	if (status < 0)
		active_close(a->owner);
	else if (a->waiting)
		uv_timer_start(&a->timer, on_waiting, 0, 0);
	else
		uv_timer_start(&a->timer, on_timer, a->client->timeout_ms, 0);
	if (!t->sent)
		xfer_listening(t, status);
	else if (status < 0)
		xfer_fail(t, status);
}

static void on_port(void *arg, int status, const struct aftp_reply *r)
{
	struct active *a = arg;

	if (a->transfer && status == 0 && r->code / 100 == 2) {
		told(a, 0);
	} else if (a->transfer && status == 0) {
		a->client->features.data_works = false;
		client_set_error(a->client, aftp_reply_message(r));
		told(a, r->code < 400 ? AFTP_EPROTO : aftp_reply_error(r));
	}
	release(a);
}

static int ask_port(struct active *a)
{
	char argument[ADDRESS_TEXT + 16];
	size_t n = strlen(a->address);

	memcpy(argument, a->address, n);
	for (size_t i = 0; i < n; i++)
		if (argument[i] == '.')
			argument[i] = ',';
	snprintf(argument + n, sizeof argument - n, ",%u,%u", a->port / 256u, a->port % 256u);
	return wire_command(&a->client->wire, 0, on_port, a, "PORT", argument);
}

static void on_eprt(void *arg, int status, const struct aftp_reply *r)
{
	struct active *a = arg;
	int rc;

	if (status == 0 && r->code >= 500 && !is_six(a))
		a->client->features.no_eprt = true;
	if (status < 0 || r->code < 400 || is_six(a) || !a->transfer || a->transfer->stopping || a->transfer->sent) {
		on_port(arg, status, r);
		return;
	}
	rc = ask_port(a);
	if (rc == 0)
		return;
	told(a, rc);
	release(a);
}

static int ask(struct active *a)
{
	char argument[ADDRESS_TEXT + 16];

	if (a->client->features.no_eprt && !is_six(a))
		return ask_port(a);
	snprintf(argument, sizeof argument, "|%d|%s|%u|", is_six(a) ? 2 : 1, a->address, (unsigned)a->port);
	return wire_command(&a->client->wire, 0, on_eprt, a, "EPRT", argument);
}

int active_ask(struct active **out, struct aftp_transfer *t, struct aftp_client *c)
{
	struct active *a = calloc(1, sizeof *a);
	int rc;

	if (!a)
		return AFTP_ENOMEM;
	*a = (struct active){ .client = c, .transfer = t, .owner = out, .uses = 2 };
	rc = uv_tcp_init(c->loop, &a->listener);
	if (rc < 0) {
		free(a);
		return rc;
	}
	uv_timer_init(c->loop, &a->timer);
	a->listener.data = a->timer.data = a;
	c->open++;
	*out = a;
	rc = listen_for(a);
	if (rc < 0) {
		active_close(out);
		client_set_error(c, "no port to listen on");
		xfer_listening(t, rc);
		return 0;
	}
	rc = ask(a);
	if (rc < 0) {
		active_close(out);
		return rc;
	}
	a->uses++;
	if (c->features.data_works)
		xfer_listening(t, 0);
	return 0;
}
