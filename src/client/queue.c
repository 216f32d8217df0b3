#include "client/queue.h"

#include <aftp/status.h>
#include <stddef.h>
#include <utlist.h>

void queue_add(struct queue *q, struct op *op)
{
	DL_APPEND(q->ops, op);
	q->waiting++;
}

void queue_add_first(struct queue *q, struct op *op)
{
	DL_PREPEND(q->ops, op);
	q->waiting++;
}

static void take(struct queue *q, struct op *op)
{
	DL_DELETE(q->ops, op);
	q->waiting--;
}

static void start(struct queue *q, struct op *op)
{
	int rc;

	take(q, op);
	if (op->exclusive)
		q->current = op;
	rc = op->start(op);
	if (rc < 0)
		op->fail(op, rc);
	else if (rc == QUEUE_AGAIN)
		queue_add_first(q, op);
}

/* Callbacks may change the queue, so each look begins anew. */
static struct op *find_canceled(struct queue *q)
{
	struct op *op;

	DL_FOREACH (q->ops, op)
		if (op->canceled)
			return op;
	return NULL;
}

void queue_run(struct queue *q)
{
	struct op *op;

	while (q->open && (op = find_canceled(q)) != NULL) {
		take(q, op);
		op->fail(op, AFTP_ECANCELED);
	}
	if (q->open && q->current && q->current->turn)
		q->current->turn(q->current);
	while (q->open && !q->held && !q->current && q->ops)
		start(q, q->ops);
}

void queue_done(struct queue *q, struct op *op)
{
	if (q->current == op)
		q->current = NULL;
}

void queue_fail(struct queue *q, int status)
{
	q->open = false;
	if (q->current)
		q->current->fail(q->current, status);
	while (q->ops) {
		struct op *op = q->ops;

		take(q, op);
		op->fail(op, status);
	}
}
