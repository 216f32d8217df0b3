#include "client/high_put.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- folders -------------------------------------------------------------------------------------- */

static void pop(struct put_op *p)
{
	struct put_dir *d = p->here;

	p->here = d->up;
	local_list_finish(&d->list);
	free(d->from);
	free(d->to);
	free(d);
}

/* Takes the paths, which may be NULL. */
static void push(struct put_op *p, char *from, char *to)
{
	struct put_dir *d = from && to ? calloc(1, sizeof *d) : NULL;

	if (!d) {
		free(from);
		free(to);
		high_op_finish(&p->c.op, AFTP_ENOMEM);
		return;
	}
	*d = (struct put_dir){ .up = p->here, .from = from, .to = to, .depth = p->here ? p->here->depth + 1 : 0 };
	p->here = d;
}

static void note(struct put_op *p, const char *from, const char *to, int status)
{
	char *path = put_local_path(p, from);

	copy_note(&p->c, path ? path : from, to, status);
	free(path);
}

/* The folder is done with. */
static void leave(struct put_op *p, int status)
{
	p->c.result.folders += status == AFTP_COPIED;
	note(p, p->here->from, p->here->to, status);
	pop(p);
}

static int scan(void *arg)
{
	struct put_op *p = arg;

	return local_scan(&p->here->list, p->root, p->here->from);
}

static void scanned(void *arg, int status)
{
	struct put_op *p = arg;

	if (status < 0)
		leave(p, status);
	high_op_settle(&p->c.op);
}

static void is_there(void *arg, int status)
{
	struct put_op *p = arg;

	p->sub = NULL;
	if (status == 0)
		status = -ENOTDIR;
	if (status < 0)
		leave(p, status);
	else if (!p->c.op.finished)
		high_op_owe(&p->c.op, local_run(&p->job, p->c.op.s->loop, scan, scanned, p));
	high_op_settle(&p->c.op);
}

static void on_made(void *arg, int status)
{
	struct put_op *p = arg;
	struct aftp_op *op = &p->c.op;

	p->sub = NULL;
	if (status == -EEXIST && !op->finished)
		high_op_owe(op, aftp_session_is_dir(op->s, &p->sub, p->here->to, is_there, p));
	else if (status < 0)
		leave(p, status);
	else if (!op->finished)
		high_op_owe(op, local_run(&p->job, op->s->loop, scan, scanned, p));
	high_op_settle(op);
}

/* MKD, then what is in it here. */
static void enter(struct put_op *p, char *from, char *to)
{
	struct aftp_op *op = &p->c.op;
	int rc;

	push(p, from, to);
	if (op->finished)
		return;
	rc = p->here->depth > COPY_DEPTH_MAX ? -ELOOP : aftp_session_mkdir(op->s, &p->sub, p->here->to, 0, on_made, p);
	if (rc < 0 && !high_fatal(rc))
		leave(p, rc);
	else
		high_op_owe(op, rc);
}

/* The next entry of the present folder, until something is under way. */
static void tree_step(struct put_op *p)
{
	struct aftp_op *op = &p->c.op;

	while (!op->finished && op->owed == 0 && p->here) {
		struct put_dir *d = p->here;
		const struct local_entry *x = d->next < d->list.n ? &d->list.entries[d->next++] : NULL;
		char *from, *to;

		if (!x) {
			leave(p, AFTP_COPIED);
			continue;
		}
		from = d->from[0] ? high_join(d->from, x->name, strlen(x->name)) : strdup(x->name);
		to = high_join(d->to, x->name, strlen(x->name));
		if (S_ISDIR(x->mode)) {
			enter(p, from, to);
		} else if (S_ISREG(x->mode)) {
			put_file_begin(p, from, to);
			if (!op->finished)
				put_file_step(p);
		} else {
			note(p, from ? from : x->name, to ? to : x->name, AFTP_COPY_SKIPPED);
			free(from);
			free(to);
		}
	}
	if (!p->here && op->owed == 0)
		high_op_finish(op, p->c.failure);
}

/* --- the beginning -------------------------------------------------------------------------------- */

/* Nothing of it can be done. */
static void refuse(struct put_op *p, int status)
{
	copy_note(&p->c, p->from, p->to, status);
	high_op_finish(&p->c.op, status);
}

/* What the user names may be a link. Of a folder: a descriptor, to look below. */
static int look(void *arg)
{
	struct put_op *p = arg;

	if (stat(p->from, &p->st) < 0)
		return -errno;
	return S_ISDIR(p->st.st_mode) ? local_open(AT_FDCWD, p->from, O_RDONLY | O_DIRECTORY, 0) : 0;
}

static void looked(void *arg, int status)
{
	struct put_op *p = arg;

	p->phase = PUT_PARENTS;
	p->tree = status >= 0 && S_ISDIR(p->st.st_mode);
	if (p->tree)
		p->root = status;
	if (status < 0)
		refuse(p, status);
	else if (p->tree && p->c.flags & AFTP_APPENDED)
		refuse(p, -EISDIR);
	high_op_settle(&p->c.op);
}

static void on_parents(void *arg, int status)
{
	struct put_op *p = arg;

	p->sub = NULL;
	if (status < 0)
		refuse(p, status);
	high_op_settle(&p->c.op);
}

/* True: it is under way. */
static bool make_parents(struct put_op *p)
{
	char *parent;

	p->phase = PUT_TOP;
	if (!(p->c.flags & AFTP_PARENTS))
		return false;
	parent = high_parent(p->to);
	if (!parent)
		high_op_finish(&p->c.op, AFTP_ENOMEM);
	else if (parent[0] && strcmp(parent, "/") != 0)
		high_op_owe(&p->c.op, aftp_session_mkdir(p->c.op.s, &p->sub, parent, AFTP_PARENTS, on_parents, p));
	free(parent);
	return p->c.op.owed > 0;
}

static void step(struct aftp_op *op)
{
	struct put_op *p = (struct put_op *)op;

	if (p->phase == PUT_LOOK) {
		high_op_owe(op, local_run(&p->job, op->s->loop, look, looked, p));
		return;
	}
	if (p->phase == PUT_PARENTS && make_parents(p))
		return;
	if (op->finished)
		return;
	if (p->phase == PUT_TOP && p->tree) {
		p->phase = PUT_TREE;
		enter(p, strdup(""), strdup(p->to));
	} else if (p->phase == PUT_TOP) {
		put_file_begin(p, strdup(p->from), strdup(p->to));
	}
	if (op->finished)
		return;
	if (p->phase != PUT_TREE)
		put_file_step(p);
	if (p->phase == PUT_TREE && !op->finished && op->owed == 0)
		tree_step(p);
}

static void stop(struct aftp_op *op)
{
	struct put_op *p = (struct put_op *)op;

	if (p->sub)
		aftp_op_cancel(p->sub);
	if (p->peeking)
		peek_stop(&p->peek);
	if (p->moving)
		putfile_stop(&p->mover);
}

static void free_op(struct aftp_op *op)
{
	struct put_op *p = (struct put_op *)op;

	while (p->here)
		pop(p);
	put_file_finish(p);
	if (p->root >= 0)
		close(p->root);
	free(p->from);
	free(p->to);
	copy_free(&p->c);
}

static const struct high_op_kind put_kind = { .step = step, .stop = stop, .done = copy_done, .free = free_op };

int aftp_session_upload(struct aftp_session *s, struct aftp_op **out, const char *from, const char *to, unsigned flags,
	aftp_copy_item_cb *item, aftp_copy_cb *done, void *arg)
{
	const unsigned known =
		AFTP_INTO | AFTP_PARENTS | AFTP_RESUME | AFTP_KEEP_TIMES | AFTP_KEEP_GOING | AFTP_APPENDED;
	struct put_op *p;

	if (!from || !from[0] || !to || !to[0] || !done || flags & ~known)
		return AFTP_EINVAL;
	if (flags & AFTP_APPENDED && flags & AFTP_RESUME)
		return AFTP_EINVAL;
	p = calloc(1, sizeof *p);
	if (!p)
		return AFTP_ENOMEM;
	p->c.flags = flags;
	p->c.item = item;
	p->c.done = done;
	p->c.arg = arg;
	p->root = AT_FDCWD;
	p->from = high_trimmed(from);
	p->to = copy_target(from, to, flags);
	if (!p->from || !p->to) {
		free_op(&p->c.op);
		return AFTP_ENOMEM;
	}
	/* cppcheck-suppress memleak ; the operation owns itself */
	return high_op_begin(s, &p->c.op, &put_kind, out);
}
