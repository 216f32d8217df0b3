/* truncate - a new size for a file, by handle or by path. */
#include <aftp/status.h>

#include "remote/writer.h"

struct truncate_op {
	struct site_op op;
	struct writer *writer;
	struct site_op *inner; /* the request to the writer */
	bool by_path;
	site_attr_cb *cb;
	void *arg;
};

static void truncate_end(struct site_op *sop)
{
	struct truncate_op *t = (struct truncate_op *)sop;
	struct writer *w = t->writer;
	site_attr_cb *cb = t->cb;
	void *arg = t->arg;
	int status = sop->status;
	struct site_attr attr;

	site_fill_attr(sop->site, w->node, &attr);
	op_free(sop);
	cb(arg, status, status < 0 ? NULL : &attr);
	writer_put(w);
}

static void truncate_detach(struct site_op *sop)
{
	struct truncate_op *t = (struct truncate_op *)sop;

	if (t->inner)
		site_cancel(t->inner);
}

static void on_saved(void *arg, int status)
{
	struct truncate_op *t = arg;

	t->inner = NULL;
	op_complete(&t->op, status);
}

static void on_resized(void *arg, int status)
{
	struct truncate_op *t = arg;

	t->inner = NULL;
	if (status == 0 && t->by_path && !t->op.completed)
		status = writer_flush(t->writer, &t->inner, on_saved, t);
	else
		op_complete(&t->op, status);
	if (status < 0)
		op_complete(&t->op, status);
}

int writer_truncate(struct site *s, struct node *n, struct site_file *f, uint64_t size, struct site_op **op,
	site_attr_cb *cb, void *arg)
{
	struct truncate_op *t = op_new(s, sizeof *t, truncate_end, op);
	int rc;

	if (!t)
		return AFTP_ENOMEM;
	t->writer = writer_get(s, n);
	if (!t->writer) {
		op_free(&t->op);
		return AFTP_ENOMEM;
	}
	t->by_path = !f || !file_writer(f);
	t->cb = cb;
	t->arg = arg;
	t->op.detach = truncate_detach;
	rc = writer_resize(t->writer, size, &t->inner, on_resized, t);
	if (rc)
		op_complete(&t->op, rc);
	return 0;
}
