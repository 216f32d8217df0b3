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

/* No answer will come: it has been seen already. */
static void forget(struct passive *p)
{
	p->pending = false;
	p->transfer = NULL;
}

static void deliver(struct passive *p, int status, const struct sockaddr *addr, uint16_t port)
{
	struct aftp_transfer *t = p->transfer;

	forget(p);
	client_wake(p->client);
	if (t)
		xfer_address(t, status, addr, port);
	else
		arm_address(p->client, status, addr, port);
}

static void found(struct passive *p, uint16_t port)
{
	struct sockaddr_storage addr;
	int rc = address(p->client, port, &addr);

	deliver(p, rc, (const struct sockaddr *)&addr, port);
}

static int ask_next(struct passive *p);

/* The server has no port for us, and says so. */
static void refused(struct passive *p, const struct aftp_reply *r)
{
	int rc;

	client_set_error(p->client, aftp_reply_message(r));
	rc = p->transfer && p->transfer->stopping ? AFTP_ECANCELED : ask_next(p);
	if (rc == AFTP_ENOTSUP)
		rc = r->code < 400 ? AFTP_EPROTO : aftp_reply_error(r);
	if (rc < 0)
		deliver(p, rc, NULL, 0);
}

static void on_pasv(void *arg, int status, const struct aftp_reply *r)
{
	struct passive *p = arg;
	uint16_t port;

	if (status < 0) {
		forget(p);
		return;
	}
	if (aftp_reply_pasv(r, NULL, &port) == 0) {
		found(p, port);
		return;
	}
	/* An answer to something else: replies and commands have come apart. */
	if (r->code < 400 && r->code != 227) {
		wire_lose(&p->client->wire, AFTP_EPROTO, "no answer to PASV");
		return;
	}
	if (r->code < 400 || r->code >= 500)
		p->client->features.no_pasv = true;
	refused(p, r);
}

static void on_epsv(void *arg, int status, const struct aftp_reply *r)
{
	struct passive *p = arg;
	uint16_t port;

	if (status < 0) {
		forget(p);
		return;
	}
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
	refused(p, r);
}

static int ask(struct passive *p, bool pasv)
{
	int rc = wire_command(&p->client->wire, WIRE_OWN, pasv ? on_pasv : on_epsv, p, pasv ? "PASV" : "EPSV", NULL);

	p->pasv = pasv;
	*(pasv ? &p->pasv_asked : &p->epsv_asked) = true;
	p->pending = rc == 0;
	return rc;
}

static bool may_ask(const struct passive *p, bool pasv)
{
	enum aftp_passive order = p->client->passive_order;
	const struct aftp_features *f = &p->client->features;

	if (pasv)
		return order != AFTP_PASSIVE_EPSV && !p->pasv_asked && !f->no_pasv;
	return order != AFTP_PASSIVE_PASV && !p->epsv_asked && !f->no_epsv;
}

/* AFTP_ENOTSUP: there is nothing left to ask. */
static int ask_next(struct passive *p)
{
	bool pasv_first = p->client->passive_order == AFTP_PASSIVE_PASV_EPSV;

	if (may_ask(p, pasv_first))
		return ask(p, pasv_first);
	return may_ask(p, !pasv_first) ? ask(p, !pasv_first) : AFTP_ENOTSUP;
}

int passive_ask(struct passive *p, struct aftp_transfer *t)
{
	int rc;

	p->transfer = t;
	if (p->pending)
		return 0;
	p->epsv_asked = p->pasv_asked = false;
	rc = ask_next(p);
	/* Everything was refused once: what it says now is the answer. */
	return rc == AFTP_ENOTSUP ? ask(p, p->client->passive_order != AFTP_PASSIVE_EPSV) : rc;
}

bool passive_retry(struct passive *p, struct aftp_transfer *t)
{
	if (p->pending)
		return false;
	p->transfer = t;
	return ask_next(p) == 0;
}

void passive_retry_worked(struct passive *p)
{
	if (p->pasv)
		p->client->features.no_epsv = true;
	else
		p->client->features.no_pasv = true;
}
