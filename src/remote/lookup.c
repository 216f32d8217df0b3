/* lookup - what is this name? From the cache, from a listing of its directory, or by asking for it alone.
 *
 * The first names asked for in a directory cost one MLST each, where the server has it; then a pattern shows, and one
 * listing answers for all. A name is absent only when a whole listing lacks it or the server said so in clear words. */
#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>

#include "remote/internal.h"
#include "remote/job.h"
#include "remote/writer.h"

#define SINGLES_BEFORE_LISTING 1
#define MAX_OVERTAKEN          3 /* questions about one name whose answers our own changes overtake */

struct lookup {
	struct site_op op;
	struct listing_wait wait;
	struct stat_answer *stat; /* the single question under way */
	struct node *dir;         /* holds a reference */
	char *name;
	struct node *found; /* holds a reference; with status 0 */
	bool listed, asked; /* done already */
	bool fresh;         /* what is cached is not believed */
	bool following;     /* of a link that was found: what does it lead to? */
	unsigned overtaken;
	bool remember; /* a lookup: counts for the kernel */
	site_attr_cb *cb;
	void *arg;
};

/* The single question outlives its asker: a cancelled one still has a reply coming. */
struct stat_answer {
	struct job job;
	struct site *site;
	char *path;
	struct lookup *asker; /* NULL when it left */
	unsigned edits;       /* of the directory, when the question left */
	bool through;         /* what a link leads to is asked for */
	struct attr attr;
	char *target;
};

int lookup_cached(struct site *s, struct node *dir, const char *name, struct node **child)
{
	struct node *n = node_child(&s->nodes, dir, name);
	struct dirlist_entry e;

	/* Nobody knows a file better than who is writing it. */
	if (n && n->writer && writer_has_content(n->writer)) {
		*child = n;
		return 1;
	}
	if (dir->list && site_fresh(s, dir->list_at) && (!n || n->attr_at <= dir->list_at)) {
		switch (dirlist_find(dir->list, name, &e)) {
		case DIRLIST_LACKS: return AFTP_ENOENT;
		case DIRLIST_HAS:
			n = node_get_child(&s->nodes, dir, name);
			if (!n)
				return AFTP_ENOMEM;
			if (n->attr_at != dir->list_at)
				node_set_attr(n, &e.attr, e.target, dir->list_at);
			*child = n;
			return 1;
		case DIRLIST_CANNOT_TELL: break;
		}
	}
	if (!n || !site_fresh(s, n->attr_at))
		return 0;
	*child = n;
	return 1;
}

static void next_step(struct lookup *k);

static void lookup_end(struct site_op *op)
{
	struct lookup *k = (struct lookup *)op;
	struct nodes *nodes = &op->site->nodes;
	site_attr_cb *cb = k->cb;
	void *arg = k->arg;
	struct site_attr attr;
	int status = op->status;

	if (status == 0) {
		site_fill_attr(op->site, k->found, &attr);
		if (k->remember)
			k->found->nlookup++;
	}
	node_unref(nodes, k->found);
	node_unref(nodes, k->dir);
	free(k->name);
	op_free(op);
	cb(arg, status, status ? NULL : &attr);
}

static void ask_alone(struct lookup *k);

static void found(struct lookup *k, struct node *n)
{
	k->found = node_ref(n);
	if (k->op.site->o.follow_symlinks && n->attr.type == AFTP_TYPE_LINK && n->parent) {
		k->following = true;
		ask_alone(k);
		return;
	}
	op_complete(&k->op, 0);
}

/* A link that leads nowhere is shown as what it is. */
static void follow(struct lookup *k, const struct attr *target, int status)
{
	if (status == 0 && target->type != AFTP_TYPE_LINK)
		node_set_attr(k->found, target, NULL, site_now(k->op.site));
	else if (job_is_network(status))
		node_unref(&k->op.site->nodes, k->found);
	if (job_is_network(status))
		k->found = NULL;
	op_complete(&k->op, job_is_network(status) ? status : 0);
}

/* --- by a listing --------------------------------------------------------------------------------- */

static void on_listing(struct listing_wait *w, int status, struct dirlist *list)
{
	struct lookup *k = (struct lookup *)((char *)w - offsetof(struct lookup, wait));
	struct dirlist_entry e;
	struct node *n;

	k->listed = true;
	if (status < 0) {
		if (job_is_network(status))
			op_complete(&k->op, status);
		else
			next_step(k);
		return;
	}
	switch (dirlist_find(list, k->name, &e)) {
	case DIRLIST_LACKS: op_complete(&k->op, AFTP_ENOENT); return;
	case DIRLIST_HAS:
		n = node_get_child(&k->op.site->nodes, k->dir, k->name);
		if (!n) {
			op_complete(&k->op, AFTP_ENOMEM);
			return;
		}
		node_set_attr(n, &e.attr, e.target, site_now(k->op.site));
		found(k, n);
		return;
	case DIRLIST_CANNOT_TELL: next_step(k); return;
	}
}

static void ask_listing(struct lookup *k)
{
	int rc;

	k->wait.cb = on_listing;
	rc = listing_fetch(k->op.site, k->dir, &k->wait);
	if (rc)
		op_complete(&k->op, rc);
}

/* --- alone ---------------------------------------------------------------------------------------- */

static void on_stat(void *arg, int status, const struct aftp_entry *e)
{
	struct stat_answer *a = arg;

	if (status == 0) {
		attr_from_entry(&a->attr, e);
		if (e->target)
			a->target = strndup(e->target, e->target_len);
	}
	job_ended(&a->job, status);
}

static int start_stat(struct job *job, struct aftp_client *client)
{
	struct stat_answer *a = (struct stat_answer *)job;

	if (a->asker)
		a->edits = a->asker->dir->edits;
	return a->through ? aftp_client_stat_target(client, a->path, on_stat, a)
			  : aftp_client_stat(client, a->path, on_stat, a);
}

static void answer_or_ask(struct lookup *k)
{
	struct node *n;
	int rc = lookup_cached(k->op.site, k->dir, k->name, &n);

	if (rc == 1)
		found(k, n);
	else if (rc < 0)
		op_complete(&k->op, rc);
	else
		next_step(k);
}

/* The directory was changed meanwhile, and the answer may tell of the state before. */
static void ask_again(struct lookup *k)
{
	k->overtaken++;
	answer_or_ask(k);
}

static void take_answer(struct lookup *k, const struct stat_answer *a, int status)
{
	struct node *n;

	k->stat = NULL;
	if (k->following) {
		follow(k, &a->attr, status);
		return;
	}
	if (a->edits != k->dir->edits && k->overtaken < MAX_OVERTAKEN) {
		ask_again(k);
		return;
	}
	k->asked = true;
	if (status == 0) {
		n = node_get_child(&k->op.site->nodes, k->dir, k->name);
		if (!n) {
			op_complete(&k->op, AFTP_ENOMEM);
			return;
		}
		node_set_attr(n, &a->attr, a->target, site_now(k->op.site));
		found(k, n);
	} else if (status == AFTP_EREPLY || status == AFTP_ENOTSUP) {
		next_step(k);
	} else {
		op_complete(&k->op, status);
	}
}

static void stat_done(struct job *job, int status)
{
	struct stat_answer *a = (struct stat_answer *)job;

	if (a->asker)
		take_answer(a->asker, a, status);
	free(a->target);
	free(a->path);
	free(a);
}

static void ask_alone(struct lookup *k)
{
	struct site *s = k->op.site;
	struct stat_answer *a = calloc(1, sizeof *a);

	if (a)
		a->path = node_path(&s->nodes, k->dir, k->name);
	if (!a || !a->path) {
		free(a);
		op_complete(&k->op, AFTP_ENOMEM);
		return;
	}
	k->dir->singles += !k->following;
	a->through = k->following;
	a->site = s;
	a->asker = k;
	a->job.pool = s->pool;
	a->job.start = start_stat;
	a->job.done = stat_done;
	k->stat = a;
	job_run(&a->job, POOL_METADATA);
}

/* --- which ---------------------------------------------------------------------------------------- */

static bool alone_is_cheaper(const struct lookup *k)
{
	const struct aftp_features *f = pool_features(k->op.site->pool);

	return f && f->mlst && !f->no_mlst && !k->dir->listing && k->dir->singles < SINGLES_BEFORE_LISTING;
}

static void next_step(struct lookup *k)
{
	if (!k->listed && (k->asked || !(k->fresh || alone_is_cheaper(k))))
		ask_listing(k);
	else if (!k->asked)
		ask_alone(k);
	else
		op_complete(&k->op, AFTP_EACCES); /* refused, and no look could tell that it is absent */
}

static void detach(struct site_op *op)
{
	struct lookup *k = (struct lookup *)op;

	listing_leave(&k->wait);
	if (k->stat)
		k->stat->asker = NULL;
	k->stat = NULL;
}

enum { REMEMBER = 1, FRESH = 2 };

static int start_lookup(
	struct site *s, struct node *dir, const char *name, int how, struct site_op **op, site_attr_cb *cb, void *arg)
{
	struct lookup *k = op_new(s, sizeof *k, lookup_end, op);

	if (!k)
		return AFTP_ENOMEM;
	k->name = strdup(name);
	if (!k->name) {
		op_free(&k->op);
		return AFTP_ENOMEM;
	}
	k->dir = node_ref(dir);
	k->remember = how & REMEMBER;
	k->fresh = how & FRESH;
	k->cb = cb;
	k->arg = arg;
	k->op.detach = detach;
	if (k->fresh)
		next_step(k);
	else
		answer_or_ask(k);
	return 0;
}

int lookup_start(struct site *s, struct node *dir, const char *name, struct site_op **op, site_attr_cb *cb, void *arg)
{
	return start_lookup(s, dir, name, REMEMBER, op, cb, arg);
}

int lookup_again(struct site *s, struct node *n, struct site_op **op, site_attr_cb *cb, void *arg)
{
	return start_lookup(s, n->parent, n->name, FRESH, op, cb, arg);
}

int site_lookup(struct site *s, uint64_t parent, const char *name, struct site_op **op, site_attr_cb *cb, void *arg)
{
	struct node *dir = node_by_ino(&s->nodes, parent);
	int rc;

	if (!dir || s->closing || node_is_gone(dir))
		return -ESTALE;
	rc = site_check_name(s, name);
	if (rc)
		return rc;
	return start_lookup(s, dir, name, REMEMBER, op, cb, arg);
}

int site_getattr(struct site *s, uint64_t ino, struct site_op **op, site_attr_cb *cb, void *arg)
{
	struct node *n = node_by_ino(&s->nodes, ino);
	struct lookup *k;

	if (!n || s->closing || node_is_gone(n))
		return -ESTALE;
	/* A doomed one is ours alone: nobody else knows better. */
	if (n->parent && !n->doomed)
		return start_lookup(s, n->parent, n->name, 0, op, cb, arg);
	k = op_new(s, sizeof *k, lookup_end, op); /* the root is there as long as the site is */
	if (!k)
		return AFTP_ENOMEM;
	k->cb = cb;
	k->arg = arg;
	found(k, n);
	return 0;
}
