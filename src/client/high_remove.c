/* high_remove - DELE, RMD, and what is below a folder.
 *
 * Nothing is removed through a symbolic link. DELE comes first, always: it takes a link away, and not what it leads to. A
 * folder is entered only when it is known to be one and no link: RMD has called it not empty, or LIST, which shows
 * links, has called it a folder. */
#include <stdlib.h>
#include <string.h>

#include "client/high.h"
#include "client/peek.h"
#include "client/roll.h"

enum { DEPTH_MAX = 128, BATCH = 32 };

enum state {
	REMOVE_ASK, /* DELE and RMD of the folder itself */
	REMOVE_JUDGE,
	REMOVE_PROVE, /* by LIST of its parent */
	REMOVE_PEEK,  /* of the first: is it there at all? */
	REMOVE_LIST,
	REMOVE_FILES,
	REMOVE_FOLDERS,
	REMOVE_LAST, /* RMD */
};

struct remove_dir {
	struct remove_dir *up;
	char *path;
	unsigned depth;
	enum state state;
	int dele, rmd; /* what they were answered */
	bool real;     /* a folder, and no link */
	struct roll roll;
	size_t next;
};

struct sent {
	struct remove_op *r;
	struct roll_entry *entry;
};

struct remove_op {
	struct aftp_op op; /* first */
	unsigned flags;
	struct remove_dir *here;
	int failure; /* the first */
	struct sent sent[BATCH];
	struct peek peek;
	bool peeking, rolling;
	struct aftp_transfer *listing; /* of the parent */
	aftp_op_cb *done;
	void *arg;
};

/* --- folders -------------------------------------------------------------------------------------- */

static void pop(struct remove_op *r)
{
	struct remove_dir *d = r->here;

	r->here = d->up;
	roll_finish(&d->roll);
	free(d->path);
	free(d);
}

static void push(struct remove_op *r, char *path, bool real)
{
	struct remove_dir *d = path ? calloc(1, sizeof *d) : NULL;

	if (!d) {
		free(path);
		high_op_finish(&r->op, AFTP_ENOMEM);
		return;
	}
	*d = (struct remove_dir){
		.up = r->here, .path = path, .depth = r->here ? r->here->depth + 1 : 0, .real = real
	};
	r->here = d;
}

static void fail(struct remove_op *r, int status)
{
	if (r->failure == 0)
		r->failure = status;
	if (!(r->flags & AFTP_KEEP_GOING))
		high_op_finish(&r->op, status);
}

/* The present folder is done with. */
static void leave(struct remove_op *r, int status)
{
	pop(r);
	if (status < 0)
		fail(r, status);
}

/* --- is it a folder? ------------------------------------------------------------------------------ */

/* The better of two refusals. */
static int refusal(const struct remove_dir *d)
{
	return d->rmd == AFTP_EREPLY || d->rmd == AFTP_ENOENT || d->rmd == -ENOTDIR ? d->dele : d->rmd;
}

static void on_dele(void *arg, int status, const struct aftp_reply *r)
{
	struct remove_op *x = arg;

	x->here->dele = status < 0 ? status : high_verdict(r);
	if (status < 0)
		high_op_finish(&x->op, status);
	high_op_settle(&x->op);
}

static void on_rmd(void *arg, int status, const struct aftp_reply *r)
{
	struct remove_op *x = arg;

	x->here->rmd = status < 0 ? status : high_verdict(r);
	if (status < 0)
		high_op_finish(&x->op, status);
	high_op_settle(&x->op);
}

static void peeked(void *arg, int status, const struct aftp_entry *e)
{
	struct remove_op *r = arg;
	struct remove_dir *d = r->here;

	r->peeking = false;
	if (status == AFTP_ENOENT)
		leave(r, AFTP_ENOENT);
	else if (status < 0 && status != AFTP_EREPLY && status != AFTP_ENOTSUP)
		leave(r, status);
	else if (status == 0 && e->type != AFTP_TYPE_DIR && e->type != AFTP_TYPE_UNKNOWN)
		leave(r, d->dele);
	else if (!(r->flags & AFTP_RECURSIVE))
		leave(r, d->rmd == -ENOTDIR ? d->dele : d->rmd);
	else
		d->state = REMOVE_PROVE;
	high_op_settle(&r->op);
}

static void peek(struct remove_op *r)
{
	int rc = peek_start(&r->peek, r->op.s->client, r->here->path, peeked, r);

	r->peeking = rc == 0;
	high_op_owe(&r->op, rc);
}

static int on_entry(void *arg, const struct aftp_entry *e)
{
	struct remove_dir *d = ((struct remove_op *)arg)->here;
	const char *name = high_last(d->path);

	if (!e->dot && e->name_len == strlen(name) && memcmp(e->name, name, e->name_len) == 0)
		d->real = e->type == AFTP_TYPE_DIR;
	return 0;
}

static void on_listed(void *arg, int status, const struct aftp_list_result *result)
{
	struct remove_op *r = arg;

	r->listing = NULL;
	if (status == 0 && r->here->real && result->kind == AFTP_LISTING_LIST)
		r->here->state = REMOVE_LIST;
	else
		leave(r, status < 0 ? status : refusal(r->here));
	high_op_settle(&r->op);
}

static void prove(struct remove_op *r)
{
	char *parent = high_parent(r->here->path);
	int rc = parent ? aftp_client_list_plain(r->op.s->client, &r->listing, parent, on_entry, on_listed, r)
			: AFTP_ENOMEM;

	free(parent);
	high_op_owe(&r->op, rc);
}

/* DELE and RMD have been answered. */
static void judge(struct remove_op *r)
{
	struct remove_dir *d = r->here;

	if (d->dele == 0 || d->rmd == 0)
		leave(r, 0);
	else if (d->rmd == -ENOTEMPTY && r->flags & AFTP_RECURSIVE)
		d->state = REMOVE_LIST;
	else if (d->rmd == -ENOTEMPTY)
		leave(r, d->rmd);
	else if (!d->up)
		d->state = REMOVE_PEEK;
	else if (d->real && d->rmd != -ENOTDIR)
		d->state = REMOVE_LIST;
	else
		d->state = REMOVE_PROVE;
}

/* --- what is below -------------------------------------------------------------------------------- */

static void rolled(void *arg, int status)
{
	struct remove_op *r = arg;

	r->rolling = false;
	r->here->state = REMOVE_FILES;
	if (status < 0)
		leave(r, status);
	high_op_settle(&r->op);
}

static void list(struct remove_op *r)
{
	int rc;

	if (r->here->depth > DEPTH_MAX) {
		leave(r, -ELOOP);
		return;
	}
	rc = roll_start(&r->here->roll, r->op.s->client, r->here->path, rolled, r);
	r->rolling = rc == 0;
	if (rc < 0 && !high_fatal(rc))
		leave(r, rc);
	else
		high_op_owe(&r->op, rc);
}

/* What may be a folder is looked at again when the files are gone. */
static void on_file(void *arg, int status, const struct aftp_reply *reply)
{
	const struct sent *s = arg;
	struct remove_op *r = s->r;
	struct aftp_entry *e = &s->entry->e;
	int verdict = status < 0 ? status : high_verdict(reply);

	if (status < 0)
		high_op_finish(&r->op, status);
	else if (verdict == 0)
		s->entry->name[0] = '\0';
	else if (e->type != AFTP_TYPE_DIR && e->type != AFTP_TYPE_UNKNOWN)
		fail(r, verdict);
	high_op_settle(&r->op);
}

/* Many at once. */
static void remove_files(struct remove_op *r)
{
	struct remove_dir *d = r->here;

	for (unsigned i = 0; i < BATCH && d->next < d->roll.n && !r->op.finished; i++) {
		struct roll_entry *x = &d->roll.entries[d->next++];
		char *path = high_join(d->path, x->name, strlen(x->name));
		int rc;

		r->sent[i] = (struct sent){ r, x };
		rc = path ? aftp_client_command(r->op.s->client, on_file, &r->sent[i], "DELE", path) : AFTP_ENOMEM;
		free(path);
		if (rc < 0 && !high_fatal(rc))
			fail(r, rc);
		else
			high_op_owe(&r->op, rc);
	}
	if (d->next < d->roll.n)
		return;
	d->next = 0;
	d->state = REMOVE_FOLDERS;
}

static void remove_folders(struct remove_op *r)
{
	struct remove_dir *d = r->here;

	while (d->next < d->roll.n) {
		const struct roll_entry *x = &d->roll.entries[d->next++];
		bool shown = x->e.type == AFTP_TYPE_DIR;

		if (x->name[0] && (shown || x->e.type == AFTP_TYPE_UNKNOWN)) {
			push(r, high_join(d->path, x->name, strlen(x->name)),
				shown && d->roll.kind == AFTP_LISTING_LIST);
			return;
		}
	}
	d->state = REMOVE_LAST;
}

static void on_last(void *arg, int status, const struct aftp_reply *reply)
{
	struct remove_op *r = arg;

	leave(r, status < 0 ? status : high_verdict(reply));
	high_op_settle(&r->op);
}

/* Of what is below another, DELE has been tried. */
static void ask(struct remove_op *r)
{
	struct aftp_client *c = r->op.s->client;
	struct remove_dir *d = r->here;
	int rc = 0;

	d->state = REMOVE_JUDGE;
	d->dele = d->rmd = AFTP_EREPLY;
	if (!d->up) {
		rc = aftp_client_command(c, on_dele, r, "DELE", d->path);
		high_op_owe(&r->op, rc);
	}
	if (rc == 0)
		high_op_owe(&r->op, aftp_client_command(c, on_rmd, r, "RMD", d->path));
}

static void step(struct aftp_op *op)
{
	struct remove_op *r = (struct remove_op *)op;

	while (!op->finished && op->owed == 0 && r->here) {
		switch (r->here->state) {
		case REMOVE_ASK: ask(r); break;
		case REMOVE_JUDGE: judge(r); break;
		case REMOVE_PROVE: prove(r); break;
		case REMOVE_PEEK: peek(r); break;
		case REMOVE_LIST: list(r); break;
		case REMOVE_FILES: remove_files(r); break;
		case REMOVE_FOLDERS: remove_folders(r); break;
		case REMOVE_LAST:
			high_op_owe(op, aftp_client_command(op->s->client, on_last, r, "RMD", r->here->path));
			break;
		}
	}
	if (!r->here && op->owed == 0)
		high_op_finish(op, r->failure);
}

static void stop(struct aftp_op *op)
{
	struct remove_op *r = (struct remove_op *)op;

	if (r->peeking)
		peek_stop(&r->peek);
	if (r->rolling)
		roll_stop(&r->here->roll);
	if (r->listing)
		aftp_transfer_cancel(r->listing);
}

static void done(struct aftp_op *op)
{
	struct remove_op *r = (struct remove_op *)op;

	if (r->done)
		r->done(r->arg, op->status);
}

static void free_op(struct aftp_op *op)
{
	struct remove_op *r = (struct remove_op *)op;

	while (r->here)
		pop(r);
	free(r);
}

static const struct high_op_kind remove_kind = { .step = step, .stop = stop, .done = done, .free = free_op };

int aftp_session_remove(
	struct aftp_session *s, struct aftp_op **out, const char *path, unsigned flags, aftp_op_cb *done_cb, void *arg)
{
	struct remove_op *r;
	char *trimmed;

	if (!path || flags & ~(unsigned)(AFTP_RECURSIVE | AFTP_KEEP_GOING))
		return AFTP_EINVAL;
	trimmed = high_trimmed(path);
	if (!trimmed)
		return AFTP_ENOMEM;
	r = high_name_ok(high_last(trimmed), strlen(high_last(trimmed))) ? calloc(1, sizeof *r) : NULL;
	if (!r) {
		free(trimmed);
		return AFTP_EINVAL;
	}
	r->flags = flags;
	r->done = done_cb;
	r->arg = arg;
	push(r, trimmed, false);
	if (!r->here) {
		free(r);
		return AFTP_ENOMEM;
	}
	return high_op_begin(s, &r->op, &remove_kind, out);
}
