#include "client/high_get.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- folders -------------------------------------------------------------------------------------- */

static void pop(struct get_op *g)
{
	struct get_dir *d = g->here;

	g->here = d->up;
	roll_finish(&d->roll);
	free(d->from);
	free(d->to);
	free(d);
}

/* Takes the paths, which may be NULL. */
static void push(struct get_op *g, char *from, char *to)
{
	struct get_dir *d = from && to ? calloc(1, sizeof *d) : NULL;

	if (!d) {
		free(from);
		free(to);
		high_op_finish(&g->c.op, AFTP_ENOMEM);
		return;
	}
	*d = (struct get_dir){ .up = g->here, .from = from, .to = to, .depth = g->here ? g->here->depth + 1 : 0 };
	g->here = d;
}

static void note(struct get_op *g, const char *from, const char *to, int status)
{
	char *path = get_local_path(g, to);

	copy_note(&g->c, from, path ? path : to, status);
	free(path);
}

/* The folder is done with. */
static void leave(struct get_op *g, int status)
{
	g->c.result.folders += status == AFTP_COPIED;
	note(g, g->here->from, g->here->to, status);
	pop(g);
}

static void on_rolled(void *arg, int status)
{
	struct get_op *g = arg;

	g->listing = false;
	if (status < 0)
		leave(g, status);
	high_op_settle(&g->c.op);
}

static void list(struct get_op *g)
{
	struct get_dir *d = g->here;
	int rc = roll_start(&d->roll, g->c.op.s->client, d->from, on_rolled, g);

	g->listing = rc == 0;
	if (rc < 0 && !high_fatal(rc))
		leave(g, rc);
	else
		high_op_owe(&g->c.op, rc);
}

static int make_folder(void *arg)
{
	const struct get_op *g = arg;

	return local_mkdir(g->root, g->here->to);
}

static void on_folder(void *arg, int status)
{
	struct get_op *g = arg;

	if (status < 0)
		leave(g, status);
	else if (!g->c.op.finished)
		list(g);
	high_op_settle(&g->c.op);
}

/* Both paths of an entry of the present folder; NULL: no memory. */
static void paths_of(const struct get_op *g, const char *name, char **from, char **to)
{
	*from = high_join(g->here->from, name, strlen(name));
	*to = g->here->to[0] ? high_join(g->here->to, name, strlen(name)) : strdup(name);
}

static void enter(struct get_op *g, const char *name)
{
	char *from, *to;

	paths_of(g, name, &from, &to);
	push(g, from, to);
	if (g->c.op.finished)
		return;
	if (g->here->depth > COPY_DEPTH_MAX)
		leave(g, -ELOOP);
	else
		high_op_owe(&g->c.op, local_run(&g->job, g->c.op.s->loop, make_folder, on_folder, g));
}

static void skip(struct get_op *g, const char *name)
{
	char *from, *to;

	paths_of(g, name, &from, &to);
	note(g, from ? from : name, to ? to : name, AFTP_COPY_SKIPPED);
	free(from);
	free(to);
}

static void take_file(struct get_op *g, const struct roll_entry *x)
{
	char *from, *to;

	paths_of(g, x->name, &from, &to);
	get_file_begin(g, from, to, &x->e);
	if (!g->c.op.finished)
		get_file_step(g);
}

/* The next entry of the present folder, until something is under way. */
static void tree_step(struct get_op *g)
{
	struct aftp_op *op = &g->c.op;

	while (!op->finished && op->owed == 0 && g->here) {
		struct get_dir *d = g->here;
		const struct roll_entry *x = d->next < d->roll.n ? &d->roll.entries[d->next++] : NULL;

		if (!x)
			leave(g, d->roll.holes ? AFTP_EINCOMPLETE : AFTP_COPIED);
		else if (x->e.type == AFTP_TYPE_DIR)
			enter(g, x->name);
		else if (x->e.type == AFTP_TYPE_FILE || x->e.type == AFTP_TYPE_UNKNOWN)
			take_file(g, x);
		else
			skip(g, x->name);
	}
	if (!g->here && op->owed == 0)
		high_op_finish(op, g->c.failure);
}

/* --- the beginning -------------------------------------------------------------------------------- */

/* Nothing of it can be done. */
static void refuse(struct get_op *g, int status)
{
	copy_note(&g->c, g->from, g->to, status);
	high_op_finish(&g->c.op, status);
}

static void peeked(void *arg, int status, const struct aftp_entry *e)
{
	struct get_op *g = arg;

	g->peeking = false;
	g->phase = GET_PREPARE;
	/* What cannot be looked at may still be sent. */
	if (status == AFTP_EREPLY || status == AFTP_ENOTSUP)
		g->file.e = (struct aftp_entry){ .type = AFTP_TYPE_UNKNOWN };
	else if (status < 0)
		refuse(g, status);
	else
		g->file.e = *e;
	g->file.e.name = g->file.e.target = g->file.e.unique = NULL;
	g->tree = status == 0 && e->type == AFTP_TYPE_DIR;
	high_op_settle(&g->c.op);
}

static int prepare(void *arg)
{
	struct get_op *g = arg;
	int rc = g->c.flags & AFTP_PARENTS ? local_mkdirs(g->to) : 0;

	if (rc < 0 || !g->tree)
		return rc;
	rc = local_mkdir_named(g->to);
	return rc < 0 ? rc : local_open(AT_FDCWD, g->to, O_RDONLY | O_DIRECTORY, 0);
}

static void prepared(void *arg, int status)
{
	struct get_op *g = arg;
	struct aftp_entry e = g->file.e;

	if (status < 0) {
		refuse(g, status);
	} else if (g->tree) {
		g->root = status;
		g->phase = GET_TREE;
		push(g, strdup(g->from), strdup(""));
		if (!g->c.op.finished)
			list(g);
	} else {
		get_file_begin(g, strdup(g->from), strdup(g->to), &e);
	}
	high_op_settle(&g->c.op);
}

static void step(struct aftp_op *op)
{
	struct get_op *g = (struct get_op *)op;
	int rc;

	switch (g->phase) {
	case GET_PEEK:
		rc = peek_start(&g->peek, op->s->client, g->from, peeked, g);
		g->peeking = rc == 0;
		high_op_owe(op, rc);
		return;
	case GET_PREPARE: high_op_owe(op, local_run(&g->job, op->s->loop, prepare, prepared, g)); return;
	case GET_TREE: tree_step(g); return;
	default: break;
	}
	get_file_step(g);
	if (!op->finished && op->owed == 0)
		tree_step(g);
}

static void stop(struct aftp_op *op)
{
	struct get_op *g = (struct get_op *)op;

	if (g->peeking)
		peek_stop(&g->peek);
	if (g->listing)
		roll_stop(&g->here->roll);
	if (g->moving)
		getfile_stop(&g->mover);
}

static void free_op(struct aftp_op *op)
{
	struct get_op *g = (struct get_op *)op;

	while (g->here)
		pop(g);
	get_file_finish(g);
	if (g->root >= 0)
		close(g->root);
	free(g->from);
	free(g->to);
	copy_free(&g->c);
}

static const struct high_op_kind get_kind = { .step = step, .stop = stop, .done = copy_done, .free = free_op };

int aftp_session_download(struct aftp_session *s, struct aftp_op **out, const char *from, const char *to,
	unsigned flags, aftp_copy_item_cb *item, aftp_copy_cb *done, void *arg)
{
	const unsigned known = AFTP_INTO | AFTP_PARENTS | AFTP_RESUME | AFTP_KEEP_TIMES | AFTP_KEEP_GOING;
	struct get_op *g;

	if (!from || !from[0] || !to || !to[0] || !done || flags & ~known)
		return AFTP_EINVAL;
	g = calloc(1, sizeof *g);
	if (!g)
		return AFTP_ENOMEM;
	g->c.flags = flags;
	g->c.item = item;
	g->c.done = done;
	g->c.arg = arg;
	g->root = AT_FDCWD;
	g->from = high_trimmed(from);
	g->to = copy_target(from, to, flags);
	if (!g->from || !g->to) {
		free_op(&g->c.op);
		return AFTP_ENOMEM;
	}
	/* cppcheck-suppress memleak ; the operation owns itself */
	return high_op_begin(s, &g->c.op, &get_kind, out);
}
