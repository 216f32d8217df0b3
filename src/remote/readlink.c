/* readlink - where a symbolic link points. A listing of facts often tells that there is a link, and not to what;
 * then LIST is asked, once for all the links of the directory. */
#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>

#include "remote/internal.h"
#include "remote/job.h"
#include "remote/symlink.h"

struct readlink {
	struct site_op op;
	struct target_job *job; /* NULL when not waiting */
	char *target;
	site_link_cb *cb;
	void *arg;
};

/* Outlives its asker: a cancelled one still has a listing coming. */
struct target_job {
	struct job job;
	struct site *site;
	struct node *link; /* holds a reference */
	char *path;        /* of its directory */
	struct readlink *asker;
};

static void readlink_end(struct site_op *op)
{
	struct readlink *r = (struct readlink *)op;
	site_link_cb *cb = r->cb;
	void *arg = r->arg;
	char *target = r->target;
	int status = op->status;

	op_free(op);
	cb(arg, status, status ? NULL : target);
	free(target);
}

static void answer(struct readlink *r, const struct node *link)
{
	const struct site *s = r->op.site;
	const struct symlink_rules rules = {
		.contain = !s->o.loose_symlinks, .transform = s->o.transform_symlinks, .base = s->nodes.base
	};
	unsigned depth = 0;

	for (const struct node *dir = link->parent; dir && dir->parent; dir = dir->parent)
		depth++;
	/* A link whose target nobody tells cannot be followed, and must not look dangling. */
	op_complete(&r->op, link->target ? symlink_shape(&r->target, &rules, link->target, depth) : AFTP_EIO);
}

static int on_entry(void *arg, const struct aftp_entry *e)
{
	struct target_job *t = arg;
	struct node *n;
	char name[1024];

	if (e->type != AFTP_TYPE_LINK || !e->target || e->name_len >= sizeof name ||
		memchr(e->target, '\0', e->target_len))
		return 0;
	memcpy(name, e->name, e->name_len);
	name[e->name_len] = '\0';
	n = node_child(&t->site->nodes, t->link->parent, name);
	if (!n || n->attr.type != AFTP_TYPE_LINK)
		return 0;
	free(n->target);
	n->target = strndup(e->target, e->target_len);
	return n->target ? 0 : AFTP_ENOMEM;
}

static void on_listed(void *arg, int status, const struct aftp_list_result *result)
{
	(void)result;
	job_ended(&((struct target_job *)arg)->job, status);
}

static int start_listing(struct job *job, struct aftp_client *client)
{
	struct target_job *t = (struct target_job *)job;
	struct aftp_transfer *transfer;

	return aftp_client_list_plain(client, &transfer, t->path, on_entry, on_listed, t);
}

static void listing_done(struct job *job, int status)
{
	struct target_job *t = (struct target_job *)job;

	if (t->asker)
		t->asker->job = NULL;
	if (t->asker && status < 0)
		op_complete(&t->asker->op, job_is_network(status) ? status : AFTP_EIO);
	else if (t->asker)
		answer(t->asker, t->link);
	node_unref(&t->site->nodes, t->link);
	free(t->path);
	free(t);
}

static int ask(struct readlink *r, struct node *link)
{
	struct site *s = r->op.site;
	struct target_job *t = calloc(1, sizeof *t);

	if (!t)
		return AFTP_ENOMEM;
	t->path = node_path(&s->nodes, link->parent, NULL);
	if (!t->path) {
		free(t);
		return AFTP_ENOMEM;
	}
	t->job.pool = s->pool;
	t->job.start = start_listing;
	t->job.done = listing_done;
	t->site = s;
	t->link = node_ref(link);
	t->asker = r;
	r->job = t;
	job_run(&t->job, POOL_METADATA);
	return 0;
}

static void detach(struct site_op *op)
{
	struct readlink *r = (struct readlink *)op;

	if (r->job)
		r->job->asker = NULL;
	r->job = NULL;
}

int site_readlink(struct site *s, uint64_t ino, struct site_op **op, site_link_cb *cb, void *arg)
{
	struct node *n = node_by_ino(&s->nodes, ino);
	struct readlink *r;
	int rc;

	if (!n || s->closing || node_is_gone(n))
		return -ESTALE;
	if (n->attr.type != AFTP_TYPE_LINK || !n->parent)
		return AFTP_EINVAL;
	r = op_new(s, sizeof *r, readlink_end, op);
	if (!r)
		return AFTP_ENOMEM;
	r->cb = cb;
	r->arg = arg;
	r->op.detach = detach;
	if (n->target) {
		answer(r, n);
		return 0;
	}
	rc = ask(r, n);
	if (rc)
		op_complete(&r->op, rc);
	return 0;
}
