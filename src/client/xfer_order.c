/* xfer_order - whose answer is it? Commands have left right behind a transfer's, and servers that do several things at a
 * time answer them first.
 *
 * Behind the first one's: PWD, to learn whether the server does one thing after the other; then, behind a download's, the
 * next EPSV, if it does. What their success looks like (257, 229), a transfer's never does. Only a refusal can be of either, and then the
 * other reply decides, for there are two commands and two answers.
 *
 * Behind an upload's data: SIZE, MDTM or MLST of its path (aftp_transfer_follow()), and the next EPSV, where uploads are known
 * to be in order. The upload's reply is the one that says well; where all say no, the first. Questions that were answered
 * before it are not (AFTP_EBUSY). */
#include <stdio.h>

#include "client/client_impl.h"
#include "client/xfer.h"

static int keep(struct aftp_transfer *t, const struct aftp_reply *r)
{
	char line[XFER_MESSAGE_MAX + 8];
	int n = snprintf(line, sizeof line, "%d %s", r->code, aftp_reply_message(r));

	int rc;

	if (t->kept.max == 0)
		aftp_reply_init(&t->kept, sizeof line);
	aftp_reply_reset(&t->kept);
	rc = aftp_reply_add_line(&t->kept, line, n < (int)sizeof line ? (size_t)n : sizeof line - 1);
	return rc < 0 ? rc : 0;
}

/* --- behind the command ------------------------------------------------------------------------------ */

static void on_probe(void *arg, int status, const struct aftp_reply *r)
{
	struct aftp_client *c = arg;

	if (status < 0 || c->features.downloads_in_order != AFTP_ORDER_UNKNOWN)
		return;
	c->features.downloads_in_order = r->code == XFER_PWD ? AFTP_ORDER_YES : AFTP_ORDER_NO;
}

int xfer_follow(struct aftp_transfer *t)
{
	struct aftp_client *c = t->c;
	int rc = 0;

	if (!c->arm.on || c->active.on || c->features.no_arm || t->repeated)
		return 0;
	if (c->features.downloads_in_order == AFTP_ORDER_UNKNOWN) {
		rc = wire_command(&c->wire, WIRE_OWN, on_probe, c, "PWD", NULL);
		t->behind = XFER_PWD;
	} else if (c->features.downloads_in_order == AFTP_ORDER_YES && t->kind->lend) {
		rc = arm_ask(c);
		if (c->passive.pending)
			t->behind = c->passive.pasv ? XFER_PASV : XFER_EPSV;
	}
	return rc;
}

/* What is behind was answered, or refused, too early. */
static void overtaken(struct aftp_transfer *t)
{
	t->c->features.downloads_in_order = AFTP_ORDER_NO;
	t->behind = XFER_NONE;
	wire_give_up_next(&t->c->wire, AFTP_EBUSY);
}

static bool ends_transfer(int code)
{
	return code == 200 || code == 225 || code == 226 || code == 250;
}

/* The second reply of two, behind a refusal. */
static bool second(struct aftp_transfer *t, const struct aftp_reply *r)
{
	struct aftp_client *c = t->c;

	t->held = false;
	if (ends_transfer(r->code)) {
		overtaken(t);
		return c->state == CLIENT_READY;
	}
	t->behind = XFER_NONE;
	wire_pass_on(&c->wire, r);
	if (c->state == CLIENT_READY)
		xfer_final(t, &t->kept);
	return false;
}

/* A server that opens another port meanwhile has given the transfer up, or will. */
static void give_up(struct aftp_transfer *t)
{
	wire_lose(&t->c->wire, AFTP_ECONNRESET, "the server does not end a transfer before it goes on");
}

static bool is_first_end(struct aftp_transfer *t, const struct aftp_reply *r)
{
	if (t->held)
		return second(t, r);
	if (r->code == (int)t->behind) {
		bool port = t->behind != XFER_PWD;

		overtaken(t);
		if (port)
			give_up(t);
		return false;
	}
	if (r->code < 400)
		return true;
	t->held = keep(t, r) == 0;
	if (!t->held)
		wire_lose(&t->c->wire, AFTP_ENOMEM, "");
	return false;
}

/* --- behind an upload's data ----------------------------------------------------------------------- */

static bool is_port(const struct aftp_reply *r)
{
	return r->code == (int)XFER_EPSV || r->code == (int)XFER_PASV;
}

/* A transfer's end, and no answer to SIZE, MDTM or MLST? */
static bool says_well(const struct aftp_reply *r)
{
	return r->code / 100 == 2 && r->code != 213 && !(r->code == 250 && r->lines > 2);
}

/* A refusal; of an upload that was begun, "unknown command" is none, so that another one speaks for it. */
static bool says_no(const struct aftp_transfer *t, const struct aftp_reply *r)
{
	if (r->code < 400)
		return false;
	return t->kept.lines == 0 || (t->kept.code >= 500 && t->kept.code <= 504);
}

/* One of the replies to the upload and its followers, where they may come in any order. */
static void gather(struct aftp_transfer *t, const struct aftp_reply *r)
{
	bool over = says_well(r) || t->followers == 0;
	int rc = 0;

	if (says_well(r) || says_no(t, r))
		rc = keep(t, r);
	if (rc < 0 || (over && t->kept.lines == 0)) {
		wire_lose(&t->c->wire, rc < 0 ? rc : AFTP_EPROTO, "no final reply to an upload");
		return;
	}
	t->gathering = !over;
	if (over) {
		wire_settle(&t->c->wire);
		xfer_final(t, &t->kept);
		return;
	}
	t->followers--;
	wire_give_up_next(&t->c->wire, AFTP_EBUSY);
}

bool xfer_is_ours(struct aftp_transfer *t, const struct aftp_reply *r)
{
	if (t->behind && !is_first_end(t, r))
		return false;
	if (is_port(r)) {
		give_up(t);
		return false;
	}
	if (t->gathering || (t->followers > 0 && !says_well(r))) {
		gather(t, r);
		return false;
	}
	return true;
}
