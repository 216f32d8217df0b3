#include "remote/content.h"
#include "remote/mutate.h"
#include "remote/writer.h"

#include <aftp/status.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define MAX_READ    (2u * 1024 * 1024) /* of one request; more than the kernel asks for */
#define PATIENCE_MS 100                /* a pending read that is older than this goes first */

/* --- versions ------------------------------------------------------------------------------------- */

static bool same_version(const struct version *a, const struct version *b)
{
	if (a->size != UNKNOWN_SIZE && b->size != UNKNOWN_SIZE && a->size != b->size)
		return false;
	return !a->has_mtime || !b->has_mtime || (a->mtime == b->mtime && a->mtime_nsec == b->mtime_nsec);
}

/* The listing was older than the file: tell it to all who believed it. */
static void learn_size(struct content *c, const struct version *now)
{
	struct attr a = c->node->attr;

	if (now->size == UNKNOWN_SIZE || (a.size == now->size && (a.have & AFTP_HAVE_SIZE)))
		return;
	a.size = now->size;
	a.have |= AFTP_HAVE_SIZE;
	if (now->has_mtime) {
		a.mtime = now->mtime;
		a.mtime_nsec = now->mtime_nsec;
		a.have |= AFTP_HAVE_MTIME;
	}
	c->node->attr = a;
	c->node->attr_at = site_now(c->site);
	if (c->site->stale)
		c->site->stale(c->site->stale_arg, c->node->ino);
}

int content_check(struct content *c, const struct version *now)
{
	if (c->version.known)
		return same_version(&c->version, now) ? 0 : AFTP_ECHANGED;
	learn_size(c, now);
	if (now->size != UNKNOWN_SIZE)
		c->version.size = now->size;
	c->version.has_mtime = now->has_mtime;
	c->version.mtime = now->mtime;
	c->version.mtime_nsec = now->mtime_nsec;
	c->version.known = true;
	return 0;
}

static void fail_pending(struct content *c, int status)
{
	struct read_op *op;

	DL_FOREACH2(c->pending, op, after)
	op_complete(&op->op, status);
}

void content_changed(struct content *c)
{
	struct node *n = c->node;
	struct reader *r;

	aftp_log(&c->site->log, AFTP_LOG_WARN, "%s: changed on the server while it was being read", n->name);
	if (n->content == c)
		n->content = NULL;
	c->gone = true;
	n->attr_at = 0;
	if (n->parent && n->parent->list)
		n->parent->list_at = 0;
	fail_pending(c, AFTP_ECHANGED);
	DL_FOREACH (c->readers, r) {
		reader_fail(r, AFTP_ECHANGED);
		segments_drop(r);
		if (r->fetch)
			fetch_detach(r->fetch);
	}
	if (c->site->stale)
		c->site->stale(c->site->stale_arg, n->ino);
}

void content_written(struct site *s, struct node *n)
{
	struct content *c = n->content;
	struct reader *r, *next;

	(void)s;
	if (!c)
		return;
	c->version = (struct version){ .size = n->attr.size };
	DL_FOREACH_SAFE (c->readers, r, next) {
		if (r->waiting)
			reader_restart(r);
		else
			reader_free(r);
	}
}

void content_make_way(struct node *n)
{
	struct reader *r, *next;

	if (!n->content)
		return;
	DL_FOREACH_SAFE (n->content->readers, r, next)
		if (!r->waiting)
			reader_free(r);
}

/* --- which reader --------------------------------------------------------------------------------- */

static struct reader *nearest(const struct content *c, uint64_t off)
{
	struct reader *r, *best = NULL;

	DL_FOREACH (c->readers, r)
		if (reader_reaches(r, off) && (!best || r->window.base > best->window.base))
			best = r;
	return best;
}

static struct reader *unused(const struct content *c)
{
	struct reader *r, *last = NULL;

	DL_FOREACH (c->readers, r)
		if (!r->waiting)
			last = r; /* the one that has been idle longest */
	return last;
}

static unsigned count_readers(const struct content *c)
{
	struct reader *r;
	unsigned n = 0;

	DL_FOREACH (c->readers, r)
		n++;
	return n;
}

static unsigned most_readers(const struct content *c)
{
	unsigned conns = c->site->o.max_conns;

	return c->handles < conns ? c->handles : conns;
}

/* Those who read on must not keep a reader for ever from one who reads elsewhere. */
static bool others_first(const struct content *c)
{
	return c->pending && site_now(c->site) - c->pending->asked > PATIENCE_MS;
}

/* False: every reader is busy elsewhere. */
static bool assign(struct content *c, struct read_op *op)
{
	struct reader *r = nearest(c, op->off);

	if (!r && count_readers(c) < most_readers(c)) {
		if (reader_new(&r, c, op->off)) {
			op_complete(&op->op, AFTP_ENOMEM);
			return false;
		}
	}
	if (!r) {
		r = unused(c);
		if (r)
			reader_seek(r, op->off);
	}
	if (r)
		reader_add(r, op);
	return r != NULL;
}

void content_reader_free(struct content *c, struct reader *r)
{
	struct read_op *op, *next;

	DL_FOREACH_SAFE2(c->pending, op, next, after)
	{
		if (op->op.completed)
			continue;
		if (r->waiting && !nearest(c, op->off))
			continue;
		DL_DELETE2(c->pending, op, before, after);
		if (!assign(c, op))
			DL_APPEND2(c->pending, op, before, after);
	}
}

/* --- read ----------------------------------------------------------------------------------------- */

static void leave(struct read_op *op)
{
	if (op->reader) {
		reader_remove(op->reader, op);
	} else if (op->before) {
		DL_DELETE2(op->content->pending, op, before, after);
		op->before = NULL;
	}
}

static void read_end(struct site_op *sop)
{
	struct read_op *op = (struct read_op *)sop;
	struct site *s = sop->site;

	if (sop->status < 0)
		op->cb(op->arg, sop->status, NULL, 0);
	else if (op->reader)
		read_op_deliver(op);
	else
		op->cb(op->arg, 0, NULL, 0); /* at or behind the end */
	leave(op);
	op_free(sop);
	if (s->gated)
		file_read_ended(s);
}

static int usable_version(struct site_file *f, uint64_t off)
{
	struct content *c = f->content;

	if (c->gone)
		return AFTP_ECHANGED;
	/* Behind the old end of a file that has grown (tail -f): nothing of the old version is mixed in. */
	if (off >= c->version.size && c->node->attr.size > off && c->version.known && !c->pending) {
		while (c->readers && !c->readers->waiting)
			reader_free(c->readers);
		if (c->readers)
			return AFTP_ECHANGED;
		c->version = (struct version){ .size = c->node->attr.size };
		c->generation++;
		f->generation = c->generation;
	}
	if (!f->generation)
		f->generation = c->generation;
	return f->generation == c->generation ? 0 : AFTP_ECHANGED;
}

int site_read(struct site_file *f, uint64_t off, size_t len, struct site_op **out, site_read_cb *cb, void *arg)
{
	struct content *c = f->content;
	int rc;
	struct read_op *op;

	if (c->node->writer && writer_has_content(c->node->writer))
		return writer_read(c->node->writer, off, len, out, cb, arg);
	rc = usable_version(f, off);

	if (rc < 0)
		return rc;
	op = op_new(c->site, sizeof *op, read_end, out);
	if (!op)
		return AFTP_ENOMEM;
	op->content = c;
	op->asked = site_now(c->site);
	op->off = off;
	op->len = len < MAX_READ ? len : MAX_READ;
	op->cb = cb;
	op->arg = arg;
	if (off >= c->version.size || len == 0)
		op_complete(&op->op, 0);
	else if ((others_first(c) || !assign(c, op)) && !op->op.completed)
		DL_APPEND2(c->pending, op, before, after);
	return 0;
}

/* --- life ------------------------------------------------------------------------------------------ */

struct content *content_of(struct site *s, struct node *n)
{
	struct content *c = n->content;

	if (c)
		return c;
	c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	c->site = s;
	c->node = node_ref(n);
	c->generation = 1;
	c->version.size = n->attr.have & AFTP_HAVE_SIZE ? n->attr.size : UNKNOWN_SIZE;
	n->content = c;
	DL_APPEND(s->contents, c);
	return c;
}

void content_free(struct content *c)
{
	struct site *s = c->site;
	struct site_file *f, *next;

	while (c->readers)
		reader_free(c->readers);
	DL_FOREACH_SAFE (c->files, f, next)
		free(f);
	if (c->node->content == c)
		c->node->content = NULL;
	DL_DELETE(s->contents, c);
	mutate_released(s, c->node);
	node_unref(&s->nodes, c->node);
	free(c);
}

static bool reads_of(const struct site_op *op, const struct content *c)
{
	return op->run == read_end && ((const struct read_op *)op)->content == c;
}

bool content_is_read(const struct content *c, const struct site_op *before)
{
	const struct site_op *op;

	DL_FOREACH (c->site->ops, op) {
		if (op == before)
			break;
		if (reads_of(op, c))
			return true;
	}
	return false;
}

/* The kernel has no read under way when it releases the last handle; a caller that has gets its answer here. */
static void cancel_reads(struct content *c)
{
	struct site_op *op, *next;

	DL_FOREACH_SAFE (c->site->ops, op, next) {
		if (!reads_of(op, c))
			continue;
		leave((struct read_op *)op);
		op_complete(op, AFTP_ECANCELED);
		op->status = AFTP_ECANCELED; /* also of those whose bytes were about to be handed out */
	}
}

void content_put(struct content *c)
{
	if (--c->handles > 0)
		return;
	cancel_reads(c);
	content_free(c);
}

void contents_free(struct site *s)
{
	while (s->contents)
		content_free(s->contents);
}

void contents_close(struct site *s)
{
	struct content *c;
	struct reader *r;

	DL_FOREACH (s->contents, c) {
		DL_FOREACH (c->readers, r) {
			segments_drop(r);
			if (r->fetch)
				fetch_detach(r->fetch);
		}
	}
}
