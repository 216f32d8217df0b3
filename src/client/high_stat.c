#include <stdlib.h>

#include "client/high.h"
#include "client/peek.h"

enum question { ASK_ALL, ASK_EXISTS, ASK_FILE, ASK_DIR };

struct stat_op {
	struct aftp_op op; /* first */
	const char *path;  /* the caller's, in the first step only */
	enum question question;
	struct peek look;
	bool looking, told;
	aftp_stat_cb *stat_cb;
	aftp_op_cb *done;
	void *arg;
};

static int reply_to(enum question q, int status, const struct aftp_entry *e)
{
	if (status == AFTP_ENOENT)
		return 0;
	if (status < 0)
		return status;
	switch (q) {
	case ASK_FILE: return e->type == AFTP_TYPE_FILE;
	case ASK_DIR: return e->type == AFTP_TYPE_DIR;
	case ASK_ALL:
	case ASK_EXISTS: break;
	}
	return 1;
}

static void looked(void *arg, int status, const struct aftp_entry *e)
{
	struct stat_op *x = arg;

	x->looking = false;
	if (x->question != ASK_ALL)
		status = reply_to(x->question, status, e);
	high_op_finish(&x->op, status);
	if (x->question == ASK_ALL && !x->op.canceled) {
		x->told = x->op.canceled = true;
		x->stat_cb(x->arg, status, e);
	}
	high_op_settle(&x->op);
}

static void step(struct aftp_op *op)
{
	struct stat_op *x = (struct stat_op *)op;
	int rc = peek_start(&x->look, op->s->client, x->path, looked, x);

	x->looking = rc == 0;
	high_op_owe(op, rc);
}

static void stop(struct aftp_op *op)
{
	struct stat_op *x = (struct stat_op *)op;

	if (x->looking)
		peek_stop(&x->look);
}

static void done(struct aftp_op *op)
{
	struct stat_op *x = (struct stat_op *)op;

	if (x->question != ASK_ALL)
		x->done(x->arg, op->status);
	else if (!x->told)
		x->stat_cb(x->arg, op->status, NULL);
}

static void free_op(struct aftp_op *op)
{
	free(op);
}

static const struct high_op_kind stat_kind = { .step = step, .stop = stop, .done = done, .free = free_op };

static int ask(struct aftp_session *s, struct aftp_op **out, const char *path, enum question question,
	aftp_stat_cb *stat_cb, aftp_op_cb *op_cb, void *arg)
{
	struct stat_op *x;

	if (!path || (!stat_cb && !op_cb))
		return AFTP_EINVAL;
	x = calloc(1, sizeof *x);
	if (!x)
		return AFTP_ENOMEM;
	x->path = path;
	x->question = question;
	x->stat_cb = stat_cb;
	x->done = op_cb;
	x->arg = arg;
	return high_op_begin(s, &x->op, &stat_kind, out);
}

int aftp_session_stat(struct aftp_session *s, struct aftp_op **out, const char *path, aftp_stat_cb *cb, void *arg)
{
	return ask(s, out, path, ASK_ALL, cb, NULL, arg);
}

int aftp_session_exists(struct aftp_session *s, struct aftp_op **out, const char *path, aftp_op_cb *cb, void *arg)
{
	return ask(s, out, path, ASK_EXISTS, NULL, cb, arg);
}

int aftp_session_is_file(struct aftp_session *s, struct aftp_op **out, const char *path, aftp_op_cb *cb, void *arg)
{
	return ask(s, out, path, ASK_FILE, NULL, cb, arg);
}

int aftp_session_is_dir(struct aftp_session *s, struct aftp_op **out, const char *path, aftp_op_cb *cb, void *arg)
{
	return ask(s, out, path, ASK_DIR, NULL, cb, arg);
}
