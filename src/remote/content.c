#include "remote/content.h"
#include "remote/mutate.h"
#include "remote/writer.h"

#include <aftp/status.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <utlist.h>

#define MAX_READ    (2u * 1024 * 1024) /* of one request; more than the kernel asks for */
#define WAIT        1
#define PATIENCE_MS 100 /* a pending read that is older than this goes first */

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
	c->node->attr = c->seen = a;
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
	c->seen = n->attr;
	growth_drop(c);
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

static bool is_busy(const struct content *c)
{
	const struct reader *r;

	DL_FOREACH (c->readers, r)
		if (r->waiting)
			return true;
	return false;
}

/* Those who read on must not keep a reader for ever from one who reads elsewhere. */
static bool others_first(const struct content *c)
{
	return c->pending && site_now(c->site) - c->pending->asked > PATIENCE_MS;
}

/* False: every reader is busy elsewhere. */
static bool assign(struct content *c, struct read_op *op)
{
	uint64_t from = c->seam.bytes ? MIN(op->off, c->seam.off) : op->off;
	unsigned most = c->seam.bytes ? 1 : most_readers(c);
	struct reader *r = nearest(c, op->off);

	if (!r && count_readers(c) < most) {
		if (reader_new(&r, c, from)) {
			op_complete(&op->op, AFTP_ENOMEM);
			return false;
		}
	}
	if (!r) {
		r = unused(c);
		if (r)
			reader_seek(r, from);
	}
	if (r)
		reader_add(r, op);
	return r != NULL;
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

/* 0, WAIT until no reader is busy, or an error. The kernel has one cache for all handles: pages of an old version must
 * not get there any more. */
static int may_read(const struct read_op *op)
{
	struct content *c = op->content;

	if (c->gone)
		return AFTP_ECHANGED;
	if (growth_concerns(op))
		return is_busy(c) ? WAIT : growth_begin(c, op->off);
	return c->superseded || growth_is_before(op) ? AFTP_ECHANGED : 0;
}

/* Only from the loop: readers may be freed. */
static void begin(struct read_op *op)
{
	struct content *c = op->content;
	int rc = may_read(op);

	if (rc == WAIT)
		DL_APPEND2(c->pending, op, before, after);
	else if (rc < 0 || op->off >= c->version.size || op->len == 0)
		op_complete(&op->op, rc);
	else if ((others_first(c) || !assign(c, op)) && !op->op.completed)
		DL_APPEND2(c->pending, op, before, after);
}

/* It begins once more, on a turn of its own. */
static void begin_again(struct read_op *op)
{
	leave(op);
	op->again = true;
	op_complete(&op->op, 0);
}

static void read_end(struct site_op *sop)
{
	struct read_op *op = (struct read_op *)sop;
	struct site *s = sop->site;

	if (sop->status == 0 && op->again) {
		op->again = sop->completed = false;
		begin(op);
		return;
	}
	if (sop->status == 0 && !op->content->gone && growth_concerns(op)) {
		sop->completed = false;
		begin_again(op);
		return;
	}
	if (sop->status == 0 && !growth_is_right(op)) {
		content_changed(op->content);
		sop->status = AFTP_ECHANGED;
	}
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

void content_reader_free(struct content *c, struct reader *r)
{
	struct read_op *op, *next;
	bool anew = !is_busy(c) && growth_awaited(c);

	DL_FOREACH_SAFE2(c->pending, op, next, after)
	{
		if (op->op.completed)
			continue;
		if (anew) {
			begin_again(op);
			continue;
		}
		if (growth_concerns(op) || (r->waiting && !nearest(c, op->off)))
			continue;
		DL_DELETE2(c->pending, op, before, after);
		if (!assign(c, op))
			DL_APPEND2(c->pending, op, before, after);
	}
}

int site_read(struct site_file *f, uint64_t off, size_t len, struct site_op **out, site_read_cb *cb, void *arg)
{
	struct content *c = f->content;
	struct read_op *op;

	if (c->node->writer && writer_has_content(c->node->writer))
		return writer_read(c->node->writer, off, len, out, cb, arg);
	op = op_new(c->site, sizeof *op, read_end, out);
	if (!op)
		return AFTP_ENOMEM;
	op->content = c;
	op->asked = site_now(c->site);
	op->off = off;
	op->len = len < MAX_READ ? len : MAX_READ;
	op->cb = cb;
	op->arg = arg;
	begin(op);
	return 0;
}

/* --- life ------------------------------------------------------------------------------------------ */

/* Something else is there now than what its handles read. */
static bool is_outdated(const struct content *c)
{
	const struct attr *a = &c->seen, *b = &c->node->attr;
	unsigned both = a->have & b->have;

	return c->version.known &&
		((both & AFTP_HAVE_SIZE && a->size != b->size) ||
			(both & AFTP_HAVE_MTIME && (a->mtime != b->mtime || a->mtime_nsec != b->mtime_nsec)));
}

struct content *content_of(struct site *s, struct node *n)
{
	struct content *c = n->content;

	if (c && (n->writer || (!is_outdated(c) && !c->seam.bytes)))
		return c;
	if (c)
		c->superseded = is_outdated(c);
	c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	c->site = s;
	c->node = node_ref(n);
	c->seen = n->attr;
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
	growth_drop(c);
	if (c->node->content == c)
		c->node->content = NULL;
	DL_DELETE(s->contents, c);
	mutate_released(s, c->node);
	node_unref(&s->nodes, c->node);
	free(c);
}

static const struct content *read_by(const struct site_op *op)
{
	return op->run == read_end ? ((const struct read_op *)op)->content : NULL;
}

bool content_is_open(const struct site *s, const struct node *n)
{
	const struct content *c;

	DL_FOREACH (s->contents, c)
		if (c->node == n && c->handles > (c->peek != NULL))
			return true;
	return false;
}

bool content_is_read(const struct content *c, const struct site_op *before)
{
	const struct site_op *op;

	DL_FOREACH (c->site->ops, op) {
		const struct content *other = read_by(op);
		if (op == before)
			break;
		if (other && other->node == c->node)
			return true;
	}
	return false;
}

/* The kernel has no read under way when it releases the last handle; a caller that has gets its answer here. */
static void cancel_reads(struct content *c)
{
	struct site_op *op, *next;

	DL_FOREACH_SAFE (c->site->ops, op, next) {
		if (read_by(op) != c)
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
