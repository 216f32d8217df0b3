/* writer_op - the requests to a writer, one after the other. */
#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "remote/writer.h"

#define WINDOW    (4u * 1024 * 1024) /* bytes that wait to be sent */
#define MAX_GAP   (1024u * 1024)     /* a hole of this size is streamed as zeros */
#define MAX_BLOCK (4u * 1024 * 1024)

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

/* --- what they do ------------------------------------------------------------------------------------- */

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
	writer_show(w);
	w->send_due = true;
}

static int fill_gap(struct writer *w, uint64_t to)
{
	size_t n = (size_t)(to - w->size);
	struct block *zeros = calloc(1, sizeof *zeros + n);

	if (!zeros)
		return AFTP_ENOMEM;
	zeros->data = zeros->bytes;
	zeros->len = n;
	take_block(w, zeros);
	return 0;
}

/* May these bytes go into a stream? */
static bool fits_stream(const struct writer *w, uint64_t off)
{
	if (off < w->size || off - w->size > MAX_GAP)
		return false;
	return w->state == WRITER_STREAM || writer_may_stream(w);
}

static int stream_write(struct writer *w, struct writer_op *op)
{
	int rc = w->state == WRITER_CLEAN ? writer_open_stream(w) : 0;

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
	rc = writer_become_spooled(w);
	if (rc != 1)
		return rc;
	if (w->upload)
		return 0; /* it reads the spool */
	rc = spool_write(w->spool, op->off, op->block->data, op->len);
	if (rc)
		return rc;
	w->dirty = true;
	w->size = spool_size(w->spool);
	writer_show(w);
	return 1;
}

static int do_read(struct writer *w, struct writer_op *op)
{
	int rc;

	if (w->state == WRITER_CLEAN && w->stale) {
		op->got = 0;
		return 1;
	}
	rc = writer_become_spooled(w);
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
	int rc = writer_settle_stream(w);

	if (rc != 1 || w->upload)
		return rc == 1 ? 0 : rc;
	spool_free(w->spool);
	w->spool = NULL;
	w->state = WRITER_CLEAN;
	w->dirty = false;
	w->stale = true;
	w->size = 0;
	writer_show(w);
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
	rc = writer_become_spooled(w);
	if (rc != 1)
		return rc;
	if (w->upload)
		return 0;
	rc = spool_truncate(w->spool, op->off);
	if (rc)
		return rc;
	w->dirty = true;
	w->size = op->off;
	writer_show(w);
	return 1;
}

static int hold(struct writer *w)
{
	if (w->state != WRITER_FAILED && writer_save(w) == 0)
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
	default: rc = writer_save(w); return rc == 1 ? writer_set_mode(w) : rc;
	}
}

static void leave_queue(struct writer_op *op)
{
	if (op->queued)
		DL_DELETE2(op->writer->todo, op, before, after);
	op->queued = false;
}

static void send_blocks(struct later_item *item)
{
	struct writer *w = (struct writer *)((char *)item - offsetof(struct writer, send));

	if (w->upload)
		upload_kick(w->upload);
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
	if (!w->send_due)
		return;
	w->send_due = false;
	w->send.run = send_blocks;
	later_add(w->site->later, &w->send);
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
	if (op->block)
		writer_free_block(op->block);
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

/* The memory is the lender's until this has succeeded. */
static struct block *new_block(const struct site_bytes *from)
{
	bool lent = from->memory.release;
	struct block *b = from->len > MAX_BLOCK ? NULL : malloc(sizeof *b + (lent ? 0 : from->len));

	if (!b)
		return NULL;
	*b = (struct block){ .len = from->len, .data = lent ? from->data : b->bytes };
	if (!lent)
		memcpy(b->bytes, from->data, from->len);
	return b;
}

int writer_write(struct writer *w, bool append, uint64_t off, const struct site_bytes *bytes, struct site_op **out,
	site_write_cb *cb, void *arg)
{
	struct block *b = new_block(bytes);
	struct writer_op *op = b ? new_op(w, DO_WRITE, arg, out) : NULL;

	if (!op) {
		free(b);
		return AFTP_ENOMEM;
	}
	b->memory = bytes->memory;
	op->block = b;
	op->append = append;
	op->off = off;
	op->len = b->len;
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
