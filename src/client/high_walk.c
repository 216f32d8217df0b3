/* high_walk - a folder and what is below it, nearest first.
 *
 * A server may show a link as the folder that it leads to, and so show a tree without an end. A folder that has the same
 * `unique` fact as one above it is not entered, and the depth has a limit. */
#include <stdlib.h>
#include <string.h>

#include "client/high.h"

enum { DEPTH_MAX = 128, PENDING_MAX = 1 << 20 };

struct walk_dir {
	struct walk_dir *up;   /* referenced */
	struct walk_dir *next; /* in the queue */
	unsigned refs, depth;
	uint64_t unique; /* a hash of the fact; 0 = none */
	char *path;
};

struct walk_op {
	struct aftp_op op; /* first */
	unsigned flags;
	aftp_walk_cb *entry;
	aftp_walk_done_cb *done;
	void *arg;
	struct walk_dir *first, **last; /* to be listed */
	unsigned pending;
	struct walk_dir *here;
	struct aftp_transfer *listing;
	struct aftp_walk_result result;
	int failure; /* the first, with AFTP_KEEP_GOING */
	char *failed_path;
};

/* --- folders -------------------------------------------------------------------------------------- */

static void unref(struct walk_dir *d)
{
	while (d && --d->refs == 0) {
		struct walk_dir *up = d->up;

		free(d->path);
		free(d);
		d = up;
	}
}

/* FNV-1a. */
static uint64_t hash(const char *s, size_t n)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 1099511628211u;
	return h ? h : 1;
}

static bool is_loop(const struct walk_dir *up, uint64_t unique)
{
	for (; unique && up; up = up->up)
		if (up->unique == unique)
			return true;
	return false;
}

/* Takes the path. */
static int add(struct walk_op *w, struct walk_dir *up, char *path, uint64_t unique)
{
	struct walk_dir *d = path ? calloc(1, sizeof *d) : NULL;
	int rc = 0;

	if (!d)
		rc = AFTP_ENOMEM;
	else if (up && up->depth + 1 > DEPTH_MAX)
		rc = -ELOOP;
	else if (w->pending >= PENDING_MAX)
		rc = AFTP_ETOOBIG;
	if (rc < 0) {
		free(path);
		free(d);
		return rc;
	}
	*d = (struct walk_dir){ .up = up, .refs = 1, .depth = up ? up->depth + 1 : 0, .unique = unique, .path = path };
	if (up)
		up->refs++;
	*w->last = d;
	w->last = &d->next;
	w->pending++;
	return 0;
}

static struct walk_dir *take(struct walk_op *w)
{
	struct walk_dir *d = w->first;

	if (!d)
		return NULL;
	w->first = d->next;
	if (!w->first)
		w->last = &w->first;
	w->pending--;
	return d;
}

/* --- listing -------------------------------------------------------------------------------------- */

static int on_entry(void *arg, const struct aftp_entry *e)
{
	struct walk_op *w = arg;
	uint64_t unique = e->have & AFTP_HAVE_UNIQUE ? hash(e->unique, e->unique_len) : 0;
	char *path;
	int rc;

	if (e->dot) {
		if (e->name_len == 1 && !w->here->unique)
			w->here->unique = unique;
		return 0;
	}
	if (!high_name_ok(e->name, e->name_len)) {
		w->result.unknown++;
		return 0;
	}
	path = high_join(w->here->path, e->name, e->name_len);
	if (!path)
		return AFTP_ENOMEM;
	w->result.entries++;
	rc = w->entry(w->arg, path, e);
	if (rc == 0 && w->flags & AFTP_RECURSIVE && e->type == AFTP_TYPE_DIR && !is_loop(w->here, unique))
		return add(w, w->here, path, unique);
	free(path);
	return rc;
}

static void note_failure(struct walk_op *w, int status)
{
	if (!w->failed_path)
		w->failed_path = strdup(w->here->path);
	if (w->failure == 0)
		w->failure = status;
}

/* Can the next folder be listed after this? */
static bool goes_on(const struct walk_op *w, int status)
{
	return w->flags & AFTP_KEEP_GOING && status < 0 && w->here->up && w->op.s->client &&
		aftp_client_alive(w->op.s->client) && status != AFTP_ENOMEM && status != AFTP_ETOOBIG;
}

static void leave(struct walk_op *w, int status)
{
	if (status == 0) {
		w->result.folders++;
	} else {
		note_failure(w, status);
		w->result.failed++;
		if (!goes_on(w, status))
			high_op_finish(&w->op, status);
	}
	unref(w->here);
	w->here = NULL;
}

static void on_listed(void *arg, int status, const struct aftp_list_result *r)
{
	struct walk_op *w = arg;

	w->listing = NULL;
	w->result.unknown += r->unknown;
	w->result.truncated |= r->truncated;
	leave(w, status);
	high_op_settle(&w->op);
}

static void step(struct aftp_op *op)
{
	struct walk_op *w = (struct walk_op *)op;
	struct aftp_client *c = op->s->client;
	int rc;

	while (!op->finished && op->owed == 0 && (w->here = take(w)) != NULL) {
		rc = (w->flags & AFTP_PLAIN_LIST ? aftp_client_list_plain : aftp_client_list)(
			c, &w->listing, w->here->path, on_entry, on_listed, w);
		if (rc == 0)
			high_op_owe(op, rc);
		else
			leave(w, rc);
	}
	if (op->owed == 0)
		high_op_finish(op, w->failure);
}

static void stop(struct aftp_op *op)
{
	struct walk_op *w = (struct walk_op *)op;

	if (w->listing)
		aftp_transfer_cancel(w->listing);
}

static void done(struct aftp_op *op)
{
	struct walk_op *w = (struct walk_op *)op;

	w->result.path = w->failed_path ? w->failed_path : "";
	w->done(w->arg, op->status, &w->result);
}

static void free_op(struct aftp_op *op)
{
	struct walk_op *w = (struct walk_op *)op;
	struct walk_dir *d;

	unref(w->here);
	while ((d = take(w)) != NULL)
		unref(d);
	free(w->failed_path);
	free(w);
}

static const struct high_op_kind walk_kind = { .step = step, .stop = stop, .done = done, .free = free_op };

int aftp_session_list(struct aftp_session *s, struct aftp_op **out, const char *path, unsigned flags,
	aftp_walk_cb *entry, aftp_walk_done_cb *done_cb, void *arg)
{
	struct walk_op *w;
	int rc;

	if (!path || !entry || !done_cb || flags & ~(unsigned)(AFTP_RECURSIVE | AFTP_KEEP_GOING | AFTP_PLAIN_LIST))
		return AFTP_EINVAL;
	w = calloc(1, sizeof *w);
	if (!w)
		return AFTP_ENOMEM;
	w->flags = flags;
	w->entry = entry;
	w->done = done_cb;
	w->arg = arg;
	w->last = &w->first;
	rc = add(w, NULL, high_trimmed(path), 0);
	if (rc < 0) {
		free(w);
		return rc;
	}
	return high_op_begin(s, &w->op, &walk_kind, out);
}
