/* opening - from connect to a session that is ready: the greeting, the login, then FEAT and TYPE I in one segment, and
 * OPTS in a second round when FEAT makes it worth while. */
#include <string.h>

#include "client/client_impl.h"
#include "client/dial.h"
#include "client/features.h"

static void end(struct aftp_client *c, int status)
{
	aftp_client_cb *cb = c->opening.cb;

	c->opening.cb = NULL;
	dial_abandon(&c->opening.dial);
	if (cb)
		cb(c->opening.arg, status);
}

void opening_fail(struct aftp_client *c, int status)
{
	if (c->opening.cb)
		end(c, status);
}

/* The connection is of no use: whoever asked for it hears why. */
static void refuse(struct aftp_client *c, int status, const char *words)
{
	wire_lose(&c->wire, status, words);
}

/* --- setting the session up ------------------------------------------------------------------------ */

static void second_round(struct aftp_client *c);

static void round_over(struct aftp_client *c)
{
	if (--c->opening.owed > 0)
		return;
	if (!c->opening.second) {
		c->opening.second = true;
		second_round(c);
	}
	if (c->opening.owed > 0)
		return;
	wire_set_limit(&c->wire, (int64_t)c->timeout_ms);
	c->state = CLIENT_READY;
	c->queue.open = true;
	end(c, 0);
}

static void on_feat(void *arg, int status, const struct aftp_reply *r)
{
	struct aftp_client *c = arg;

	if (status < 0 || c->state != CLIENT_OPENING)
		return;
	features_parse(&c->features, r);
	round_over(c);
}

static void on_option(void *arg, int status, const struct aftp_reply *r)
{
	struct aftp_client *c = arg;

	(void)r;
	if (status == 0 && c->state == CLIENT_OPENING)
		round_over(c);
}

static void on_type(void *arg, int status, const struct aftp_reply *r)
{
	struct aftp_client *c = arg;

	if (status < 0 || c->state != CLIENT_OPENING)
		return;
	if (r->code / 100 != 2)
		refuse(c, AFTP_EREPLY, aftp_reply_message(r));
	else
		round_over(c);
}

static void say(struct aftp_client *c, wire_reply_cb *cb, const char *verb, const char *argument)
{
	int rc = wire_command(&c->wire, 0, cb, c, verb, argument);

	if (rc < 0)
		refuse(c, rc, "");
	else
		c->opening.owed++;
}

static void options(struct aftp_client *c)
{
	char wish[sizeof c->features.mlst_facts + 8];

	if (c->features.utf8)
		say(c, on_option, "OPTS", "UTF8 ON");
	if (features_wish(&c->features, wish, sizeof wish))
		say(c, on_option, "OPTS", wish);
}

static void second_round(struct aftp_client *c)
{
	options(c);
}

static void first_round(struct aftp_client *c)
{
	if (c->assumed) {
		c->opening.second = true;
		options(c);
	} else {
		say(c, on_feat, "FEAT", NULL);
	}
	say(c, on_type, "TYPE", "I");
}

/* --- logging in ------------------------------------------------------------------------------------ */

static void on_login(void *arg, int status, const struct aftp_reply *r);

static const char *credential(const struct aftp_client *c)
{
	switch (c->opening.at) {
	case LOGIN_USER: return c->user;
	case LOGIN_PASS: return c->password;
	case LOGIN_ACCT: return c->account;
	default: return NULL;
	}
}

static void log_in(struct aftp_client *c)
{
	const char *argument = credential(c);
	int rc;

	if (!argument) {
		refuse(c, AFTP_ELOGIN, "the server asks for an account");
		return;
	}
	rc = wire_command(&c->wire, 0, on_login, c, login_verb(c->opening.at), argument);
	if (rc < 0)
		refuse(c, rc, "");
}

static void on_login(void *arg, int status, const struct aftp_reply *r)
{
	struct aftp_client *c = arg;
	enum login next;

	if (status < 0 || c->state != CLIENT_OPENING)
		return;
	next = login_next(c->opening.at, r->code);
	if (next == LOGIN_DENIED) {
		refuse(c, login_error(r), aftp_reply_message(r));
		return;
	}
	c->opening.at = next;
	if (next == LOGIN_OK)
		first_round(c);
	else
		log_in(c);
}

static void on_greeting(void *arg, int status, const struct aftp_reply *r)
{
	struct aftp_client *c = arg;

	if (status < 0 || c->state != CLIENT_OPENING)
		return;
	if (r->code != 220) {
		refuse(c, login_greeting_error(r), aftp_reply_message(r));
		return;
	}
	wire_set_limit(&c->wire, (int64_t)c->timeout_ms);
	c->opening.at = LOGIN_USER;
	log_in(c);
}

/* --- connecting ------------------------------------------------------------------------------------ */

enum { KEEPALIVE_S = 60 };

static void on_dialed(void *arg, int status, struct aftp_stream *stream, const char *why)
{
	struct aftp_client *c = arg;

	c->opening.dial = NULL;
	if (status < 0) {
		refuse(c, status, why);
		return;
	}
	/* Keepalive is a comfort. */
	(void)aftp_stream_set_keepalive(stream, KEEPALIVE_S);
	wire_set_limit(&c->wire, (int64_t)c->connect_ms);
	status = wire_open(&c->wire, stream);
	if (status == 0)
		status = wire_expect(&c->wire, on_greeting, c);
	if (status < 0)
		refuse(c, status, "");
}

int opening_start(struct aftp_client *c, aftp_client_cb *cb, void *arg)
{
	int rc = dial_start(&c->opening.dial, c->loop, c->host, c->port, (int64_t)c->connect_ms, on_dialed, c);

	if (rc < 0)
		return rc;
	c->opening.cb = cb;
	c->opening.arg = arg;
	c->state = CLIENT_OPENING;
	return 0;
}
