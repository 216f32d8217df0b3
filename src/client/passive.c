#include "client/passive.h"

#include <netinet/in.h>

#include "client/client_impl.h"
#include "client/xfer.h"

/* The peer of the control connection, with another port. A proxy is reached as it was, and told the port. */
static int address(const struct aftp_client *c, uint16_t port, struct sockaddr_storage *addr)
{
	int rc = aftp_stream_peer(c->wire.stream, addr);

	if (rc < 0 || c->proxy.kind != PROXY_NONE)
		return rc;
	if (addr->ss_family == AF_INET6)
		((struct sockaddr_in6 *)addr)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)addr)->sin_port = htons(port);
	return 0;
}

static void found(struct passive *p, uint16_t port)
{
	struct sockaddr_storage addr;
	int rc = address(p->client, port, &addr);

	xfer_address(p->transfer, rc, (const struct sockaddr *)&addr, port);
}

static void on_pasv(void *arg, int status, const struct aftp_reply *r)
{
	struct passive *p = arg;
	uint16_t port;

	if (status < 0)
		return;
	if (aftp_reply_pasv(r, NULL, &port) == 0) {
		found(p, port);
		return;
	}
	client_set_error(p->client, aftp_reply_message(r));
	/* An answer to something else: replies and commands have come apart. */
	if (r->code < 400 && r->code != 227)
		wire_lose(&p->client->wire, AFTP_EPROTO, "no answer to PASV");
	else
		xfer_address(p->transfer, r->code < 400 ? AFTP_EPROTO : aftp_reply_error(r), NULL, 0);
}

static int ask_pasv(struct passive *p)
{
	p->pasv = true;
	return wire_command(&p->client->wire, 0, on_pasv, p, "PASV", NULL);
}

static void on_epsv(void *arg, int status, const struct aftp_reply *r)
{
	struct passive *p = arg;
	uint16_t port;
	int rc;

	if (status < 0)
		return;
	if (aftp_reply_epsv_port(r, &port) == 0) {
		found(p, port);
		return;
	}
	if (r->code < 400 && r->code != 229) {
		wire_lose(&p->client->wire, AFTP_EPROTO, "no answer to EPSV");
		return;
	}
	if (r->code < 400 || r->code >= 500)
		p->client->features.no_epsv = true;
	rc = p->transfer->stopping ? AFTP_ECANCELED : ask_pasv(p);
	if (rc < 0)
		xfer_address(p->transfer, rc, NULL, 0);
}

int passive_ask(struct passive *p)
{
	p->pasv = false;
	if (p->client->features.no_epsv)
		return ask_pasv(p);
	return wire_command(&p->client->wire, 0, on_epsv, p, "EPSV", NULL);
}

bool passive_retry(struct passive *p)
{
	return !p->pasv && ask_pasv(p) == 0;
}
