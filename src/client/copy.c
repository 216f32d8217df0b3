#include "client/copy.h"

#include <stdlib.h>
#include <string.h>

static void fail(struct copy *c, const char *from, int status)
{
	c->result.failed++;
	if (c->failure != 0)
		return;
	c->failure = status;
	c->failed_path = strdup(from);
}

void copy_note(struct copy *c, const char *from, const char *to, int status)
{
	struct aftp_client *client = c->op.s->client;
	int stop = 0;

	if (status == AFTP_COPY_SKIPPED)
		c->result.skipped++;
	else if (status < 0)
		fail(c, from, status);
	if (c->op.canceled)
		return;
	if (c->item)
		stop = c->item(c->arg, from, to, status);
	else if (status < 0 && !(c->flags & AFTP_KEEP_GOING))
		stop = status;
	if (stop != 0)
		high_op_finish(&c->op, stop);
	else if (status < 0 && (!client || !aftp_client_alive(client)))
		high_op_finish(&c->op, status);
}

void copy_done(struct aftp_op *op)
{
	struct copy *c = (struct copy *)op;

	c->result.bytes = op->bytes;
	c->result.path = c->failed_path ? c->failed_path : "";
	c->done(c->arg, op->status, &c->result);
}

void copy_free(struct copy *c)
{
	free(c->failed_path);
	free(c);
}

char *copy_target(const char *from, const char *to, unsigned flags)
{
	char *source = high_trimmed(from), *target;
	const char *name;

	if (!source)
		return NULL;
	name = high_last(source);
	if (flags & AFTP_INTO && high_name_ok(name, strlen(name)))
		target = high_join(to, name, strlen(name));
	else
		target = high_trimmed(to);
	free(source);
	return target;
}
