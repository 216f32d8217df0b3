#include "client/high.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include <aftp/data.h>

#include "client/flow.h"

/* --- birth and end -------------------------------------------------------------------------------- */

int aftp_session_new(struct aftp_session **out, uv_loop_t *loop, const struct aftp_client_options *o)
{
	struct aftp_session *s;
	int rc;

	if (!out || !loop || !o)
		return AFTP_EINVAL;
	s = calloc(1, sizeof *s);
	if (!s)
		return AFTP_ENOMEM;
	s->loop = loop;
	rc = later_new(&s->later, loop);
	if (rc < 0)
		goto free_session;
	rc = aftp_client_new(&s->client, loop, o);
	if (rc < 0)
		goto close_later;
	*out = s;
	return 0;

close_later:
	later_close(&s->later);
free_session:
	free(s);
	return rc;
}

int aftp_session_connect(struct aftp_session *s, aftp_client_cb *cb, void *arg)
{
	return aftp_client_connect(s->client, cb, arg);
}

struct aftp_client *aftp_session_client(const struct aftp_session *s)
{
	return s->client;
}

void high_ended(struct aftp_session *s)
{
	void (*closed)(void *arg) = s->closed;
	void *arg = s->closed_arg;

	if (!s->client_gone || s->ops || s->flows)
		return;
	later_close(&s->later);
	free(s);
	if (closed)
		closed(arg);
}

static void client_gone(void *arg)
{
	struct aftp_session *s = arg;

	s->client_gone = true;
	high_ended(s);
}

static void leave(struct aftp_session **sp, void (*how)(struct aftp_client **, void (*)(void *), void *),
	void (*closed)(void *arg), void *arg)
{
	struct aftp_session *s = *sp;
	struct aftp_op *op;

	*sp = NULL;
	if (!s)
		return;
	s->closed = closed;
	s->closed_arg = arg;
	DL_FOREACH (s->ops, op)
		aftp_op_cancel(op);
	how(&s->client, client_gone, s);
}

void aftp_session_close(struct aftp_session **s, void (*closed)(void *arg), void *arg)
{
	leave(s, aftp_client_close, closed, arg);
}

void aftp_session_quit(struct aftp_session **s, void (*closed)(void *arg), void *arg)
{
	leave(s, aftp_client_quit, closed, arg);
}

/* --- abort ---------------------------------------------------------------------------------------- */

struct abort_op {
	struct aftp_op op; /* first */
	aftp_op_cb *done;
	void *arg;
	bool busy; /* there was something to abort */
	bool asked;
};

static void on_answer(void *arg, int status, const struct aftp_reply *r)
{
	struct abort_op *a = arg;

	if (status < 0)
		high_op_finish(&a->op, status);
	else if (a->busy || r->code / 100 == 2)
		high_op_finish(&a->op, 0);
	else
		high_op_finish(&a->op, AFTP_EREPLY);
	high_op_settle(&a->op);
}

/* What is canceled goes first: this command waits until the connection has been proven in step, and its answer shows
 * that it is. */
static void abort_step(struct aftp_op *op)
{
	struct abort_op *a = (struct abort_op *)op;

	high_op_owe(op, aftp_client_command(op->s->client, on_answer, a, a->busy ? "NOOP" : "ABOR", NULL));
}

static void abort_done(struct aftp_op *op)
{
	struct abort_op *a = (struct abort_op *)op;

	if (a->done)
		a->done(a->arg, op->status);
}

static void abort_free(struct aftp_op *op)
{
	free(op);
}

static const struct high_op_kind abort_kind = { .step = abort_step, .done = abort_done, .free = abort_free };

int aftp_session_abort(struct aftp_session *s, struct aftp_op **out, aftp_op_cb *done, void *arg)
{
	struct abort_op *a = calloc(1, sizeof *a);
	struct aftp_op *op;
	struct aftp_data *d;

	if (!a)
		return AFTP_ENOMEM;
	a->done = done;
	a->arg = arg;
	a->busy = s->ops || s->flows;
	DL_FOREACH (s->ops, op)
		aftp_op_cancel(op);
	DL_FOREACH (s->flows, d)
		(void)aftp_data_cancel(d, NULL, NULL);
	return high_op_begin(s, &a->op, &abort_kind, out);
}

/* --- paths ---------------------------------------------------------------------------------------- */

char *high_join(const char *dir, const char *name, size_t name_len)
{
	size_t n = strlen(dir);
	bool slash = n > 0 && dir[n - 1] != '/';
	char *path = malloc(n + slash + name_len + 1);

	if (!path)
		return NULL;
	memcpy(path, dir, n);
	if (slash)
		path[n++] = '/';
	memcpy(path + n, name, name_len);
	path[n + name_len] = '\0';
	return path;
}

char *high_trimmed(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	return strndup(path, n);
}

const char *high_last(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *high_parent(const char *path)
{
	const char *name = high_last(path);
	size_t n = (size_t)(name - path);

	return strndup(path, n > 1 ? n - 1 : n);
}

bool high_name_ok(const char *name, size_t n)
{
	bool dots = (n == 1 && name[0] == '.') || (n == 2 && name[0] == '.' && name[1] == '.');

	return n > 0 && !dots && !memchr(name, '/', n) && !memchr(name, '\0', n);
}

int high_verdict(const struct aftp_reply *r)
{
	if (r->code / 100 == 2)
		return 0;
	return r->code >= 400 ? aftp_reply_error(r) : AFTP_EPROTO;
}
