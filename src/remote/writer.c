#include "remote/writer.h"

#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utlist.h>

#include "remote/mutate.h"

#define WINDOW     (4u * 1024 * 1024) /* bytes that wait to be sent */
#define MAX_GAP    (1024u * 1024)     /* a hole of this size is streamed as zeros */
#define IDLE_MS    1500               /* a stream without writes is finished and confirmed */
#define MAX_BLOCK  (1024u * 1024)
#define USUAL_MODE 0644u /* what servers give to what is uploaded */

enum kind { DO_WRITE, DO_READ, DO_FLUSH, DO_RESIZE, DO_HOLD };

struct writer_op {
	struct site_op op;
	struct writer *writer;
	enum kind kind;
	bool append;
	uint64_t off; /* DO_RESIZE: the size */
	size_t len;
	struct block *block; /* DO_WRITE: the bytes, until they are taken */
	char *buf;           /* DO_READ: where they landed */
	ssize_t got;
	union {
		site_write_cb *write;
		site_read_cb *read;
		site_done_cb *done;
	} cb;
	void *arg;
	bool queued;
	struct writer_op *before, *after; /* writer::todo */
};

/* --- life ----------------------------------------------------------------------------------------- */

struct writer *writer_get(struct site *s, struct node *n)
{
	struct writer *w = n->writer;

	if (w) {
		w->refs++;
		return w;
	}
	w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	w->site = s;
	w->node = node_ref(n);
	w->refs = 1;
	w->size = n->attr.have & AFTP_HAVE_SIZE ? n->attr.size : 0;
	n->writer = w;
	DL_APPEND(s->writers, w);
	site_tick(s);
	return w;
}

void writer_drop_blocks(struct writer *w)
{
	while (w->first) {
		struct block *b = w->first;
		w->first = b->next;
		free(b);
	}
	w->last = NULL;
}

static bool unsaved(const struct writer *w)
{
	return w->state == WRITER_STREAM || (w->state == WRITER_SPOOLED && w->dirty) ||
		(w->state == WRITER_CLEAN && w->stale);
}

static void free_writer(struct writer *w)
{
	struct site *s = w->site;
	struct node *n = w->node;

	if (unsaved(w) && !n->doomed)
		aftp_log(&s->log, AFTP_LOG_ERROR, "%s: changes are lost", n->name);
	if (w->upload)
		upload_abandon(w->upload);
	if (w->load)
		load_abandon(w->load);
	if (w->setting)
		mutation_abandon(w->setting);
	writer_drop_blocks(w);
	spool_free(w->spool);
	n->writer = NULL;
	if (w->state == WRITER_FAILED || unsaved(w))
		n->attr_at = 0; /* what the server has now is for it to say */
	else
		n->opened = n->attr; /* the kernel's pages are what was written */
	DL_DELETE(s->writers, w);
	free(w);
	mutate_released(s, n);
	node_unref(&s->nodes, n);
}

void writer_put(struct writer *w)
{
	if (--w->refs == 0 && !w->todo)
		free_writer(w);
}

bool writer_has_content(const struct writer *w)
{
	return w->state != WRITER_CLEAN || w->stale;
}

/* What programs see of the file changes with each write. */
static void show(struct writer *w)
{
	struct attr *a = &w->node->attr;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	a->size = w->size;
	a->mtime = now.tv_sec;
	a->mtime_nsec = (uint32_t)now.tv_nsec;
	a->have |= AFTP_HAVE_SIZE | AFTP_HAVE_MTIME;
	w->node->attr_at = site_now(w->site);
}

/* --- what the upload tells ------------------------------------------------------------------------ */

void writer_fail(struct writer *w, int status)
{
	w->state = WRITER_FAILED;
	w->error = status;
	writer_drop_blocks(w);
	spool_free(w->spool);
	w->spool = NULL;
	writer_step(w);
}

void writer_confirmed(struct writer *w, const struct attr *known)
{
	struct attr *a = &w->node->attr;

	writer_drop_blocks(w);
	w->stale = w->dirty = w->finishing = false;
	if (w->state == WRITER_STREAM)
		w->state = WRITER_CLEAN;
	show(w);
	if (known) {
		a->mtime = known->mtime;
		a->mtime_nsec = known->mtime_nsec;
	}
	content_written(w->site, w->node);
	if (w->node->parent && !w->node->doomed)
		node_list_put(&w->site->nodes, w->node->parent, w->node->name, a, NULL);
	writer_step(w);
}

void writer_loaded(struct writer *w, int status, struct spool *spool)
{
	if (status < 0) {
		writer_fail(w, status);
		return;
	}
	w->spool = spool;
	w->state = WRITER_SPOOLED;
	w->dirty = false;
	writer_step(w);
}

/* --- moves between the states --------------------------------------------------------------------- */

/* Each returns 1 when it is done, 0 when something is under way that ends in writer_step(), < 0 when it cannot be. */

static int started(int rc)
{
	return rc < 0 ? rc : 0;
}

/* STREAM to CLEAN. */
static int settle_stream(struct writer *w)
{
	if (w->state != WRITER_STREAM)
		return 1;
	w->finishing = true;
	if (w->upload)
		upload_kick(w->upload);
	return 0;
}

static int open_stream(struct writer *w)
{
	w->state = WRITER_STREAM;
	w->append = !w->stale && w->size > 0;
	w->base = w->sent = w->append ? w->size : 0;
	w->finishing = false;
	w->by_append = true;
	w->busy_at = site_now(w->site);
	return upload_start(w);
}

/* To SPOOLED, with all that the server has. */
static int become_spooled(struct writer *w)
{
	int rc = settle_stream(w);

	if (rc != 1 || w->state == WRITER_SPOOLED)
		return rc;
	if (w->load)
		return 0;
	if (!w->stale && w->size > 0)
		return started(load_start(w));
	rc = spool_new(&w->spool, w->site->o.spool_memory, w->site->o.spool_dir);
	if (rc)
		return rc;
	w->state = WRITER_SPOOLED;
	w->dirty = w->stale;
	return 1;
}

static void on_mode_set(void *arg, int status)
{
	struct writer *w = arg;

	(void)status; /* what the server cannot do, it need not */
	w->setting = NULL;
	writer_step(w);
}

static int set_mode(struct writer *w)
{
	if (!w->mode_due && !w->setting)
		return 1;
	if (w->setting)
		return 0;
	w->mode_due = false;
	w->setting = mutate_mode(w->site, w->node, w->mode, on_mode_set, w);
	return w->setting ? 0 : 1;
}

/* The content confirmed. */
static int save(struct writer *w)
{
	if (w->upload)
		return w->state == WRITER_STREAM ? settle_stream(w) : 0;
	if (w->state == WRITER_SPOOLED && w->dirty)
		return started(upload_start(w));
	if (w->state == WRITER_CLEAN && w->stale) {
		int rc = open_stream(w);
		return rc < 0 ? rc : settle_stream(w);
	}
	return 1;
}

void writer_created(struct writer *w, mode_t mode)
{
	w->size = 0;
	w->stale = true;
	w->mode = mode & 0777;
	w->mode_due = w->mode != USUAL_MODE;
	show(w);
	if (w->state == WRITER_CLEAN && upload_may_stream(w->site) && open_stream(w) < 0)
		w->state = WRITER_CLEAN; /* the first write, or the flush, tries again */
}

/* --- requests ------------------------------------------------------------------------------------- */

static bool has_room(const struct writer *w)
{
	return w->size - w->sent < WINDOW;
}

static void take_block(struct writer *w, struct block *b)
{
	b->next = NULL;
	b->off = w->size;
	if (w->last)
		w->last->next = b;
	else
		w->first = b;
	w->last = b;
	w->size += b->len;
	w->busy_at = site_now(w->site);
	show(w);
	if (w->upload)
		upload_kick(w->upload);
}

static int fill_gap(struct writer *w, uint64_t to)
{
	size_t n = (size_t)(to - w->size);
	struct block *zeros = calloc(1, sizeof *zeros + n);

	if (!zeros)
		return AFTP_ENOMEM;
	zeros->len = n;
	take_block(w, zeros);
	return 0;
}

/* May these bytes go into a stream? */
static bool fits_stream(const struct writer *w, uint64_t off)
{
	if (off < w->size || off - w->size > MAX_GAP)
		return false;
	return w->state == WRITER_STREAM || (w->state == WRITER_CLEAN && upload_may_stream(w->site));
}

static int stream_write(struct writer *w, struct writer_op *op)
{
	int rc = w->state == WRITER_CLEAN ? open_stream(w) : 0;

	if (rc < 0)
		return rc;
	if (w->finishing)
		return 0; /* it is being confirmed; then another begins */
	if (!has_room(w))
		return 0;
	if (op->off > w->size)
		rc = fill_gap(w, op->off);
	if (rc < 0)
		return rc;
	w->by_append = w->by_append && op->append;
	take_block(w, op->block);
	op->block = NULL;
	return 1;
}

static int do_write(struct writer *w, struct writer_op *op)
{
	int rc;

	if (op->append)
		op->off = w->size;
	if (fits_stream(w, op->off))
		return stream_write(w, op);
	rc = become_spooled(w);
	if (rc != 1)
		return rc;
	if (w->upload)
		return 0; /* it reads the spool */
	rc = spool_write(w->spool, op->off, op->block->data, op->len);
	if (rc)
		return rc;
	w->dirty = true;
	w->size = spool_size(w->spool);
	show(w);
	return 1;
}

static int do_read(struct writer *w, struct writer_op *op)
{
	int rc;

	if (w->state == WRITER_CLEAN && w->stale) {
		op->got = 0;
		return 1;
	}
	rc = become_spooled(w);
	if (rc != 1)
		return rc;
	op->buf = malloc(op->len ? op->len : 1);
	if (!op->buf)
		return AFTP_ENOMEM;
	op->got = spool_read(w->spool, op->off, op->buf, op->len);
	return op->got < 0 ? (int)op->got : 1;
}

static int empty(struct writer *w)
{
	int rc = settle_stream(w);

	if (rc != 1 || w->upload)
		return rc == 1 ? 0 : rc;
	spool_free(w->spool);
	w->spool = NULL;
	w->state = WRITER_CLEAN;
	w->dirty = false;
	w->stale = true;
	w->size = 0;
	show(w);
	return 1;
}

static int do_resize(struct writer *w, struct writer_op *op)
{
	int rc;

	if (op->off == w->size)
		return 1;
	if (op->off == 0)
		return empty(w);
	if (fits_stream(w, op->off) && w->state == WRITER_STREAM && !w->finishing)
		return fill_gap(w, op->off) < 0 ? AFTP_ENOMEM : 1;
	rc = become_spooled(w);
	if (rc != 1)
		return rc;
	if (w->upload)
		return 0;
	rc = spool_truncate(w->spool, op->off);
	if (rc)
		return rc;
	w->dirty = true;
	w->size = op->off;
	show(w);
	return 1;
}

static int hold(struct writer *w)
{
	if (w->state != WRITER_FAILED && save(w) == 0)
		return 0;
	w->held++;
	return 1;
}

static int attempt(struct writer *w, struct writer_op *op)
{
	int rc;

	if (op->kind == DO_HOLD)
		return hold(w);
	if (w->state == WRITER_FAILED)
		return w->error;
	switch (op->kind) {
	case DO_WRITE: return do_write(w, op);
	case DO_READ: return do_read(w, op);
	case DO_RESIZE: return do_resize(w, op);
	default: rc = save(w); return rc == 1 ? set_mode(w) : rc;
	}
}

static void leave_queue(struct writer_op *op)
{
	if (op->queued)
		DL_DELETE2(op->writer->todo, op, before, after);
	op->queued = false;
}

void writer_step(struct writer *w)
{
	if (w->stepping)
		return;
	w->stepping = true;
	while (w->todo && !w->held) {
		struct writer_op *op = w->todo;
		int rc = attempt(w, op);

		if (rc == 0)
			break;
		leave_queue(op);
		op_complete(&op->op, rc < 0 ? rc : 0);
	}
	w->stepping = false;
}

static void end(struct site_op *sop)
{
	struct writer_op *op = (struct writer_op *)sop;
	struct writer *w = op->writer;
	int status = sop->status;
	struct iovec iov = { op->buf, op->got > 0 ? (size_t)op->got : 0 };

	leave_queue(op);
	switch (op->kind) {
	case DO_WRITE: op->cb.write(op->arg, status < 0 ? status : (ssize_t)op->len); break;
	case DO_READ:
		op->cb.read(op->arg, status < 0 ? status : op->got, &iov, status < 0 || op->got == 0 ? 0 : 1);
		break;
	default: op->cb.done(op->arg, status);
	}
	free(op->block);
	free(op->buf);
	op_free(sop);
	writer_put(w);
}

/* An interrupted program has not written these bytes; what is before and behind them in the queue stays. */
static void detach(struct site_op *sop)
{
	leave_queue((struct writer_op *)sop);
}

static struct writer_op *new_op(struct writer *w, enum kind kind, void *arg, struct site_op **out)
{
	struct writer_op *op = op_new(w->site, sizeof *op, end, out);

	if (!op)
		return NULL;
	w->refs++;
	op->writer = w;
	op->kind = kind;
	op->arg = arg;
	op->op.detach = detach;
	op->queued = true;
	DL_APPEND2(w->todo, op, before, after);
	return op;
}

int writer_write(struct writer *w, bool append, uint64_t off, const void *data, size_t len, struct site_op **out,
	site_write_cb *cb, void *arg)
{
	struct block *b = len > MAX_BLOCK * 4 ? NULL : malloc(sizeof *b + len);
	struct writer_op *op = b ? new_op(w, DO_WRITE, arg, out) : NULL;

	if (!op) {
		free(b);
		return AFTP_ENOMEM;
	}
	memcpy(b->data, data, len);
	b->len = len;
	op->block = b;
	op->append = append;
	op->off = off;
	op->len = len;
	op->cb.write = cb;
	writer_step(w);
	return 0;
}

int writer_read(struct writer *w, uint64_t off, size_t len, struct site_op **out, site_read_cb *cb, void *arg)
{
	struct writer_op *op = new_op(w, DO_READ, arg, out);

	if (!op)
		return AFTP_ENOMEM;
	op->off = off;
	op->len = len;
	op->cb.read = cb;
	writer_step(w);
	return 0;
}

int writer_flush(struct writer *w, struct site_op **out, site_done_cb *cb, void *arg)
{
	struct writer_op *op = new_op(w, DO_FLUSH, arg, out);

	if (!op)
		return AFTP_ENOMEM;
	op->cb.done = cb;
	writer_step(w);
	return 0;
}

int writer_hold(struct writer *w, site_done_cb *cb, void *arg)
{
	struct writer_op *op = new_op(w, DO_HOLD, arg, NULL);

	if (!op)
		return AFTP_ENOMEM;
	op->cb.done = cb;
	writer_step(w);
	return 0;
}

void writer_resume(struct writer *w)
{
	w->held--;
	writer_step(w);
}

int writer_resize(struct writer *w, uint64_t size, struct site_op **out, site_done_cb *cb, void *arg)
{
	struct writer_op *op = new_op(w, DO_RESIZE, arg, out);

	if (!op)
		return AFTP_ENOMEM;
	op->off = size;
	op->cb.done = cb;
	writer_step(w);
	return 0;
}

/* --- time ----------------------------------------------------------------------------------------- */

void writers_tick(struct site *s)
{
	struct writer *w;

	DL_FOREACH (s->writers, w)
		if (w->state == WRITER_STREAM && !w->finishing && site_now(s) - w->busy_at > IDLE_MS)
			settle_stream(w);
}

void writers_close(struct site *s)
{
	while (s->writers)
		free_writer(s->writers);
}
