/* opening - from connect to a session that is ready: TLS (RFC 4217), the greeting, the login, then PBSZ, PROT, TYPE I, what
 * the caller has asked for meanwhile, FEAT, and the first EPSV, where a data connection is wanted in advance, in one
 * segment. FEAT comes late because a long answer fills a new connection's window (ProFTPD), and what is behind it waits for
 * a round trip. OPTS, when FEAT makes it worth while, leaves with what comes first.
 *
 * Where an earlier login to this server was USER, 331, PASS, 230, all of it leaves right behind the greeting. When anything
 * about that is refused, or not answered, the connection is given up and the features say so (AFTP_LOGIN_STEPS). */
#include <stdio.h>
#include <string.h>

#include "client/client_impl.h"
#include "client/dial.h"
#include "client/features.h"

enum { KEEPALIVE_S = 60, AT_ONCE_MS = 10000 };

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
	/* No room is no room, in any order. */
	if (c->opening.cb && c->opening.at_once && status != AFTP_ETOOMANY)
		c->features.login = AFTP_LOGIN_STEPS;
	if (c->opening.cb)
		end(c, status);
}

/* The connection is of no use: whoever asked for it hears why. */
static void refuse(struct aftp_client *c, int status, const char *words)
{
	wire_lose(&c->wire, status, words);
}

/* --- setting the session up ------------------------------------------------------------------------ */

/* Nothing depends on the answers: what is sent behind is done behind. */
static void wish(struct aftp_client *c, const char *argument)
{
	int rc = wire_command(&c->wire, WIRE_OWN, NULL, NULL, "OPTS", argument);

	if (rc < 0)
		refuse(c, rc, "");
}

static void options(struct aftp_client *c)
{
	char facts[sizeof c->features.mlst_facts + 8];

	if (c->features.utf8)
		wish(c, "UTF8 ON");
	if (features_facts(&c->features, FEATURES_USEFUL, facts, sizeof facts))
		wish(c, facts);
}

static void round_over(struct aftp_client *c)
{
	if (--c->opening.owed > 0)
		return;
	if (!c->assumed)
		options(c);
	if (c->state != CLIENT_OPENING)
		return;
	wire_set_limit(&c->wire, (int64_t)c->timeout_ms);
	c->state = CLIENT_READY;
	c->queue.open = true;
	client_wake(c);
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

/* The size is nothing but a formality. */
static void on_pbsz(void *arg, int status, const struct aftp_reply *r)
{
	on_option(arg, status, r);
}

static void on_prot(void *arg, int status, const struct aftp_reply *r)
{
	struct aftp_client *c = arg;
	bool done;

	if (status < 0 || c->state != CLIENT_OPENING)
		return;
	done = r->code / 100 == 2;
	/* Some servers with implicit TLS know no PROT: everything is protected there. */
	c->tls.data = done ? !c->tls.prot_clear : c->tls.mode == AFTP_TLS_IMPLICIT;
	if (!done && c->tls.mode == AFTP_TLS_REQUIRE && !c->tls.prot_clear) {
		char why[300];

		snprintf(why, sizeof why, "the server does not protect data: %.200s", aftp_reply_message(r));
		refuse(c, AFTP_ETLS, why);
		return;
	}
	if (!done && c->tls.mode == AFTP_TLS_TRY)
		aftp_log(&c->log, AFTP_LOG_WARN, "the server does not protect data: %s", aftp_reply_message(r));
	round_over(c);
}

/* Nothing but commands can have been asked for so early. */
static void say_what_was_asked(struct aftp_client *c)
{
	c->queue.open = true;
	queue_run(&c->queue);
	c->queue.open = false;
}

static void first_round(struct aftp_client *c)
{
	if (c->tls.on) {
		say(c, on_pbsz, "PBSZ", "0");
		say(c, on_prot, "PROT", c->tls.prot_clear ? "C" : "P");
	}
	if (c->assumed)
		options(c);
	say(c, on_type, "TYPE", "I");
	say_what_was_asked(c);
	if (!c->assumed)
		say(c, on_feat, "FEAT", NULL);
	if (c->state == CLIENT_OPENING && arm_ask(c) < 0)
		refuse(c, AFTP_ENOMEM, "");
}

/* --- logging in ------------------------------------------------------------------------------------ */

static void on_greeting(void *arg, int status, const struct aftp_reply *r);
static void on_login(void *arg, int status, const struct aftp_reply *r);

static const char *credential(const struct aftp_client *c, enum login step)
{
	switch (step) {
	case LOGIN_USER: return c->user;
	case LOGIN_PASS: return c->password;
	case LOGIN_ACCT: return c->account;
	default: return NULL;
	}
}

static void say_login(struct aftp_client *c, enum login step)
{
	const char *argument = credential(c, step);
	int rc;

	if (!argument) {
		refuse(c, AFTP_ELOGIN, "the server asks for an account");
		return;
	}
	rc = wire_command(&c->wire, 0, on_login, c, login_verb(step), argument);
	if (rc < 0)
		refuse(c, rc, "");
}

static enum aftp_login usual_login(const struct aftp_client *c)
{
	return c->tls.on ? AFTP_LOGIN_TLS : AFTP_LOGIN_CLEAR;
}

static void log_in(struct aftp_client *c)
{
	c->opening.at_once = c->features.login == usual_login(c);
	say_login(c, LOGIN_USER);
	if (!c->opening.at_once || c->state != CLIENT_OPENING)
		return;
	if (c->timeout_ms > AT_ONCE_MS)
		wire_set_limit(&c->wire, AT_ONCE_MS);
	say_login(c, LOGIN_PASS);
	if (c->state == CLIENT_OPENING)
		first_round(c);
}

static void on_login(void *arg, int status, const struct aftp_reply *r)
{
	struct aftp_client *c = arg;
	enum login at = c->opening.at, usual = at == LOGIN_USER ? LOGIN_PASS : LOGIN_OK, next;

	if (status < 0 || c->state != CLIENT_OPENING)
		return;
	next = login_next(at, r->code);
	if (next == LOGIN_DENIED || (c->opening.at_once && next != usual)) {
		refuse(c, login_error(r), aftp_reply_message(r));
		return;
	}
	c->opening.at = next;
	if (c->opening.at_once)
		return;
	if (next != LOGIN_OK) {
		say_login(c, next);
		return;
	}
	if (c->features.login == AFTP_LOGIN_UNKNOWN)
		c->features.login = at == LOGIN_PASS ? usual_login(c) : AFTP_LOGIN_STEPS;
	first_round(c);
}

/* --- TLS ------------------------------------------------------------------------------------------- */

static void secured(void *arg)
{
	struct aftp_client *c = arg;

	c->tls.on = true;
	if (c->tls.mode != AFTP_TLS_IMPLICIT)
		log_in(c);
	else if (wire_expect(&c->wire, on_greeting, c) < 0)
		refuse(c, AFTP_ENOMEM, "");
}

static void secure(struct aftp_client *c)
{
	wire_secure(&c->wire, c->tls.settings, c->tls.sessions, c->host, secured, c);
}

static void ask_for_tls(struct aftp_client *c);

static void no_tls(struct aftp_client *c, const struct aftp_reply *r)
{
	char why[300];

	/* Its older name, that a few servers know alone. */
	if (!c->opening.ssl && r->code / 100 == 5) {
		c->opening.ssl = true;
		ask_for_tls(c);
		return;
	}
	if (c->tls.mode == AFTP_TLS_TRY) {
		aftp_log(&c->log, AFTP_LOG_WARN, "the server has no TLS (%s): nothing is protected",
			aftp_reply_message(r));
		log_in(c);
		return;
	}
	snprintf(why, sizeof why, "the server has no TLS: %.200s", aftp_reply_message(r));
	refuse(c, AFTP_ETLS, why);
}

static void on_auth(void *arg, int status, const struct aftp_reply *r)
{
	struct aftp_client *c = arg;

	if (status < 0 || c->state != CLIENT_OPENING)
		return;
	if (r->code == 234)
		secure(c);
	else if (r->code >= 400)
		no_tls(c, r);
	else
		refuse(c, AFTP_EPROTO, aftp_reply_message(r));
}

static void ask_for_tls(struct aftp_client *c)
{
	int rc = wire_command(&c->wire, 0, on_auth, c, "AUTH", c->opening.ssl ? "SSL" : "TLS");

	if (rc < 0)
		refuse(c, rc, "");
}

/* --- connecting ------------------------------------------------------------------------------------ */

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
	features_greeted(&c->features, r);
	c->opening.at = LOGIN_USER;
	if (c->tls.mode == AFTP_TLS_TRY || c->tls.mode == AFTP_TLS_REQUIRE)
		ask_for_tls(c);
	else
		log_in(c);
}

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
	if (c->tls.sessions && c->features.tls_refused >= TLS_REFUSED_MAX)
		aftp_tls_sessions_limit(c->tls.sessions, AFTP_TLS_1_2);
	if (c->tls.mode == AFTP_TLS_IMPLICIT)
		secure(c);
	status = wire_open(&c->wire, stream);
	if (status == 0 && c->tls.mode != AFTP_TLS_IMPLICIT)
		status = wire_expect(&c->wire, on_greeting, c);
	if (status < 0)
		refuse(c, status, "");
}

int opening_start(struct aftp_client *c, aftp_client_cb *cb, void *arg)
{
	const struct dial_target target = { .host = c->host, .port = c->port, .proxy = &c->proxy };
	int rc = dial_start(&c->opening.dial, c->loop, &target, (int64_t)c->connect_ms, on_dialed, c);

	if (rc < 0)
		return rc;
	c->opening.cb = cb;
	c->opening.arg = arg;
	c->state = CLIENT_OPENING;
	return 0;
}
