#include "client/high.h"

#include <stddef.h>
#include <stdlib.h>
#include <utlist.h>

static void end(struct aftp_op *op)
{
	struct aftp_session *s = op->s;
	const struct high_op_kind *kind = op->kind;

	later_remove(s->later, &op->turn);
	DL_DELETE(s->ops, op);
	op->canceled = true; /* it is too late for that */
	kind->done(op);
	kind->free(op);
	high_ended(s);
}

static void turn(struct later_item *item)
{
	end((struct aftp_op *)((char *)item - offsetof(struct aftp_op, turn)));
}

/* Nothing is owed. */
static void go_on(struct aftp_op *op)
{
	if (op->finished)
		end(op);
	else
		op->kind->step(op);
}

int high_op_begin(struct aftp_session *s, struct aftp_op *op, const struct high_op_kind *kind, struct aftp_op **out)
{
	int status;

	if (!op)
		return AFTP_ENOMEM;
	op->s = s;
	op->kind = kind;
	op->turn.run = turn;
	if (s->client)
		kind->step(op);
	else
		high_op_finish(op, AFTP_ENOTCONN);
	status = op->status;
	if (op->finished && op->owed == 0 && status < 0) {
		kind->free(op);
		return status;
	}
	op->begun = true;
	DL_APPEND(s->ops, op);
	if (op->finished && op->owed == 0)
		later_add(s->later, &op->turn);
	if (out)
		*out = op;
	return 0;
}

void high_op_owe(struct aftp_op *op, int rc)
{
	if (rc == 0)
		op->owed++;
	else
		high_op_finish(op, rc);
}

void high_op_settle(struct aftp_op *op)
{
	op->owed--;
	if (!op->s->client)
		aftp_op_cancel(op);
	if (op->owed == 0)
		go_on(op);
}

void high_op_finish(struct aftp_op *op, int status)
{
	if (!op->finished)
		op->status = status;
	op->finished = true;
	if (op->begun && op->owed == 0)
		later_add(op->s->later, &op->turn);
}

void aftp_op_cancel(struct aftp_op *op)
{
	if (op->canceled)
		return;
	op->canceled = true;
	if (!op->finished && op->kind->stop)
		op->kind->stop(op);
	high_op_finish(op, AFTP_ECANCELED);
}

bool high_fatal(int rc)
{
	return rc == AFTP_ENOTCONN || rc == AFTP_ENOMEM || rc == AFTP_ETOOBIG;
}

uint64_t aftp_op_bytes(const struct aftp_op *op)
{
	return op->bytes;
}
