/* copy - the content of one file into another, new one by the server itself (SITE CPFR and CPTO, ProFTPD's mod_copy and others).
 *
 * Only whole files into empty ones. The target's writer holds still meanwhile. */
#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>

#include "remote/content.h"
#include "remote/job.h"
#include "remote/mutate.h"
#include "remote/writer.h"

#define BYTES_PER_MS 30000u /* a server that copies in silence for longer than it may be silent is taken for dead */

struct copy_op {
	struct site_op op;
	struct copying *copying; /* NULL: not begun, or over */
	site_write_cb *cb;
	void *arg;
	ssize_t copied;
};

/* Outlives its asker: what was sent cannot be unsent. */
struct copying {
	struct job job;
	struct site *site;
	struct copy_op *asker;
	struct node *from; /* holds a reference */
	struct writer *to; /* the same */
	char *from_path, *to_path;
	uint64_t size;
	bool held;
	unsigned owed;
	int status;
	bool has_size;
	uint64_t now_size;
	struct attr known; /* the time of the copy */
};

static void copy_end(struct site_op *op)
{
	struct copy_op *c = (struct copy_op *)op;
	site_write_cb *cb = c->cb;
	void *arg = c->arg;
	ssize_t n = op->status < 0 ? op->status : c->copied;

	op_free(op);
	cb(arg, n);
}

static void detach(struct site_op *op)
{
	struct copy_op *c = (struct copy_op *)op;

	if (c->copying)
		c->copying->asker = NULL;
	c->copying = NULL;
}

static void finish(struct copying *k, int status)
{
	struct copy_op *c = k->asker;

	if (status == 0)
		writer_filled(k->to, k->size, &k->known);
	if (k->held)
		writer_resume(k->to);
	if (c) {
		c->copying = NULL;
		c->copied = (ssize_t)k->size;
		op_complete(&c->op, status);
	}
	writer_put(k->to);
	node_unref(&k->site->nodes, k->from);
	free(k->from_path);
	free(k->to_path);
	free(k);
}

/* --- on the server -------------------------------------------------------------------------------- */

static void answered(struct copying *k)
{
	if (--k->owed > 0)
		return;
	if (k->status == 0 && k->has_size && k->now_size != k->size)
		k->status = AFTP_EIO;
	job_ended(&k->job, k->status);
}

static void on_copied(void *arg, int status, const struct aftp_reply *r)
{
	struct copying *k = arg;

	if (status == 0 && r->code >= 400 && k->status == 0) {
		k->site->can.no_copy |= aftp_reply_error(r) == AFTP_ENOTSUP || r->code == 501;
		status = AFTP_ENOTSUP;
	}
	if (k->status == 0)
		k->status = status;
	answered(k);
}

static void on_size(void *arg, int status, const struct aftp_reply *r)
{
	struct copying *k = arg;

	if (status < 0)
		k->status = status;
	else
		k->has_size = aftp_reply_size(r, &k->now_size) == 0;
	answered(k);
}

static void on_mdtm(void *arg, int status, const struct aftp_reply *r)
{
	struct copying *k = arg;

	if (status < 0)
		k->status = status;
	else if (aftp_reply_mdtm(r, &k->known.mtime, &k->known.mtime_nsec) == 0)
		k->known.have = AFTP_HAVE_MTIME;
	answered(k);
}

static int say(struct copying *k, struct aftp_client *client, const char *verb, const char *path, aftp_reply_cb *cb)
{
	int rc = aftp_client_command(client, cb, k, verb, path);

	k->owed += rc == 0;
	return rc;
}

static int start(struct job *job, struct aftp_client *client)
{
	struct copying *k = (struct copying *)job;
	int rc;

	k->owed = 0;
	k->status = 0;
	k->has_size = false;
	k->known = (struct attr){ 0 };
	rc = say(k, client, "SITE CPFR", k->from_path, on_copied);
	if (rc == 0)
		rc = say(k, client, "SITE CPTO", k->to_path, on_copied);
	if (rc == 0)
		rc = say(k, client, "SIZE", k->to_path, on_size);
	if (rc == 0)
		rc = say(k, client, "MDTM", k->to_path, on_mdtm);
	if (k->owed == 0)
		return rc;
	if (rc < 0)
		k->status = rc;
	return 0;
}

static void done(struct job *job, int status)
{
	finish((struct copying *)job, status);
}

/* --- before it ------------------------------------------------------------------------------------ */

static void on_held(void *arg, int status)
{
	struct copying *k = arg;

	k->held = status == 0;
	if (status == 0 && (!k->asker || k->site->closing))
		status = AFTP_ECANCELED;
	if (status == 0 && (writer_has_content(k->to) || k->to->size > 0))
		status = AFTP_ENOTSUP;
	if (status < 0)
		finish(k, status);
	else
		job_run(&k->job, POOL_METADATA);
}

static bool is_possible(const struct site_file *from, const struct site_file *to, uint64_t len)
{
	const struct node *a = from->content->node, *b = to->content->node;
	const struct site *s = from->content->site;

	if (a == b || a->doomed || b->doomed || node_is_gone(a) || node_is_gone(b) || from->content->gone)
		return false;
	if ((a->writer && writer_has_content(a->writer)) || !(a->attr.have & AFTP_HAVE_SIZE) || len < a->attr.size)
		return false;
	return to->writer->size == 0 && !to->append && !s->can.no_copy && !s->o.atomic && a->attr.size > 0 &&
		a->attr.size / BYTES_PER_MS < (uint64_t)s->o.timeout_ms;
}

static bool is_at_end(const struct site_file *from, uint64_t off)
{
	const struct node *n = from->content->node;

	return off > 0 && n->attr.have & AFTP_HAVE_SIZE && off >= n->attr.size && !n->writer;
}

int site_copy(struct site_file *from, uint64_t off, struct site_file *to, uint64_t to_off, uint64_t len,
	struct site_op **op, site_write_cb *cb, void *arg)
{
	struct site *s = from->content->site;
	struct copying *k;
	struct copy_op *c;

	if (!to->writer)
		return -EBADF;
	if (!is_at_end(from, off) && (off || to_off || !is_possible(from, to, len)))
		return AFTP_ENOTSUP;
	c = op_new(s, sizeof *c, copy_end, op);
	if (!c)
		return AFTP_ENOMEM;
	c->cb = cb;
	c->arg = arg;
	k = is_at_end(from, off) ? NULL : calloc(1, sizeof *k);
	if (!k) {
		op_complete(&c->op, is_at_end(from, off) ? 0 : AFTP_ENOMEM);
		return 0;
	}
	c->copying = k;
	c->op.detach = detach;
	k->asker = c;
	k->site = s;
	k->size = from->content->node->attr.size;
	k->from = node_ref(from->content->node);
	k->to = to->writer;
	k->to->refs++;
	k->job.pool = s->pool;
	k->job.start = start;
	k->job.done = done;
	k->from_path = node_path(&s->nodes, k->from, NULL);
	k->to_path = node_path(&s->nodes, k->to->node, NULL);
	if (!k->from_path || !k->to_path || writer_hold(k->to, on_held, k))
		finish(k, AFTP_ENOMEM);
	return 0;
}
