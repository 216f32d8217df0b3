#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/high.h"

static void free_op(struct aftp_op *op)
{
	free(op);
}

/* --- any command ---------------------------------------------------------------------------------- */

struct command_op {
	struct aftp_op op;           /* first */
	const char *verb, *argument; /* the caller's, in the first step only */
	char expected[64];
	aftp_reply_cb *done;
	void *arg;
	const struct aftp_reply *reply; /* while it is valid */
	bool told;
};

/* The reply is the client's and gone after this: so it is told here, and not at the end. */
static void command_answered(void *arg, int status, const struct aftp_reply *r)
{
	struct command_op *c = arg;

	if (status == 0 && !aftp_code_match(r->code, c->expected))
		status = AFTP_EREPLY;
	high_op_finish(&c->op, status);
	if (!c->op.canceled) {
		c->told = true;
		c->op.canceled = true;
		c->done(c->arg, status, r);
	}
	high_op_settle(&c->op);
}

static void command_step(struct aftp_op *op)
{
	struct command_op *c = (struct command_op *)op;

	high_op_owe(op, aftp_client_command(op->s->client, command_answered, c, c->verb, c->argument));
}

static void command_done(struct aftp_op *op)
{
	struct command_op *c = (struct command_op *)op;

	if (!c->told)
		c->done(c->arg, op->status, NULL);
}

static const struct high_op_kind command_kind = { .step = command_step, .done = command_done, .free = free_op };

int aftp_session_command(struct aftp_session *s, struct aftp_op **out, const char *verb, const char *argument,
	const char *expected, aftp_reply_cb *done, void *arg)
{
	struct command_op *c;
	int n;

	if (!verb || !done)
		return AFTP_EINVAL;
	c = calloc(1, sizeof *c);
	if (!c)
		return AFTP_ENOMEM;
	n = snprintf(c->expected, sizeof c->expected, "%s", expected ? expected : "2xx");
	if (n >= (int)sizeof c->expected) {
		free(c);
		return AFTP_EINVAL;
	}
	c->verb = verb;
	c->argument = argument;
	c->done = done;
	c->arg = arg;
	return high_op_begin(s, &c->op, &command_kind, out);
}

/* --- PWD ------------------------------------------------------------------------------------------ */

struct pwd_op {
	struct aftp_op op; /* first */
	aftp_path_cb *done;
	void *arg;
	char *path;
};

static void on_pwd(void *arg, int status, const struct aftp_reply *r)
{
	struct pwd_op *p = arg;

	char path[4096];

	if (status == 0)
		status = r->code == 257 ? aftp_reply_quoted_path(r, path, sizeof path) : high_verdict(r);
	if (status == 0 && !p->op.s->client)
		status = AFTP_ECANCELED;
	if (status == 0) {
		p->path = aftp_client_decode(p->op.s->client, path);
		status = p->path ? 0 : AFTP_ENOMEM;
	}
	high_op_finish(&p->op, status);
	high_op_settle(&p->op);
}

static void pwd_step(struct aftp_op *op)
{
	high_op_owe(op, aftp_client_command(op->s->client, on_pwd, op, "PWD", NULL));
}

static void pwd_done(struct aftp_op *op)
{
	struct pwd_op *p = (struct pwd_op *)op;

	p->done(p->arg, op->status, op->status == 0 ? p->path : NULL);
}

static void pwd_free(struct aftp_op *op)
{
	free(((struct pwd_op *)op)->path);
	free(op);
}

static const struct high_op_kind pwd_kind = { .step = pwd_step, .done = pwd_done, .free = pwd_free };

int aftp_session_pwd(struct aftp_session *s, struct aftp_op **out, aftp_path_cb *done, void *arg)
{
	struct pwd_op *p;

	if (!done)
		return AFTP_EINVAL;
	p = calloc(1, sizeof *p);
	if (!p)
		return AFTP_ENOMEM;
	p->done = done;
	p->arg = arg;
	return high_op_begin(s, &p->op, &pwd_kind, out);
}

/* --- CWD, RNFR and RNTO --------------------------------------------------------------------------- */

/* One or two commands that go together; both leave at once, so that nothing can come between them. */
struct simple_op {
	struct aftp_op op;       /* first */
	const char *verb[2];     /* the second may be NULL */
	const char *argument[2]; /* the caller's, in the first step only */
	int verdict[2];
	unsigned answers;
	aftp_op_cb *done;
	void *arg;
};

static void on_simple(void *arg, int status, const struct aftp_reply *r)
{
	struct simple_op *c = arg;
	unsigned i = c->answers++;
	bool last = !c->verb[1] || i == 1;

	if (status == 0)
		status = last                ? high_verdict(r)
			: r->code / 100 == 3 ? 0
			: r->code >= 400     ? aftp_reply_error(r)
					     : AFTP_EPROTO;
	c->verdict[i] = status;
	/* A second that fails because the first did says nothing. */
	if (last)
		high_op_finish(&c->op, c->verdict[0] < 0 ? c->verdict[0] : status);
	high_op_settle(&c->op);
}

static void simple_step(struct aftp_op *op)
{
	struct simple_op *c = (struct simple_op *)op;

	high_op_owe(op, aftp_client_command(op->s->client, on_simple, c, c->verb[0], c->argument[0]));
	if (c->verb[1] && op->owed == 1)
		high_op_owe(op, aftp_client_command(op->s->client, on_simple, c, c->verb[1], c->argument[1]));
}

static void simple_done(struct aftp_op *op)
{
	struct simple_op *c = (struct simple_op *)op;

	if (c->done)
		c->done(c->arg, op->status);
}

static const struct high_op_kind simple_kind = { .step = simple_step, .done = simple_done, .free = free_op };

static int simple(struct aftp_session *s, struct aftp_op **out, const struct simple_op *what)
{
	struct simple_op *c = malloc(sizeof *c);

	if (!c)
		return AFTP_ENOMEM;
	*c = *what;
	return high_op_begin(s, &c->op, &simple_kind, out);
}

int aftp_session_cwd(struct aftp_session *s, struct aftp_op **out, const char *path, aftp_op_cb *done, void *arg)
{
	struct simple_op c = { .verb = { "CWD" }, .argument = { path }, .done = done, .arg = arg };

	if (!path || !path[0])
		return AFTP_EINVAL;
	if (strcmp(path, "..") == 0) {
		c.verb[0] = "CDUP";
		c.argument[0] = NULL;
	}
	return simple(s, out, &c);
}

/* A RNTO that cannot be sent must not leave an RNFR behind that some later one would use. */
static bool sendable(const char *path)
{
	return path && path[0] && strlen(path) < 32 << 10 && !strpbrk(path, "\r\n");
}

int aftp_session_rename(
	struct aftp_session *s, struct aftp_op **out, const char *from, const char *to, aftp_op_cb *done, void *arg)
{
	struct simple_op c = { .verb = { "RNFR", "RNTO" }, .argument = { from, to }, .done = done, .arg = arg };

	if (!from || !from[0] || !to || !to[0])
		return AFTP_EINVAL;
	if (!sendable(from) || !sendable(to))
		return AFTP_EBADNAME;
	return simple(s, out, &c);
}
