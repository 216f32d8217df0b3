/* dir - an open directory: one picture of it, from opendir to closedir. That of a long one is shown while it grows. */
#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <utlist.h>

#include "remote/internal.h"
#include "remote/writer.h"

/* So many entries are worth showing before it is sure that there will be all of them. */
#define ENOUGH 1000u

struct dir_op {
	struct site_op op;
	struct site_dir *dir;
	bool opens;
	uint64_t index; /* what is asked for, if it does not open */
	site_dir_cb *cb;
	void *arg;
	struct dir_op *prev, *next; /* site_dir::asking */
};

struct site_dir {
	struct site *site;
	struct node *node; /* holds a reference */
	struct dirlist *list;
	uint64_t list_at; /* what is shown from now on is not older */
	unsigned edits;   /* the node's, when it was opened */
	struct listing_wait wait;
	bool whole;                   /* nothing will come any more */
	int status;                   /* why not */
	struct dir_op *asking;        /* for what has not come yet */
	struct site_dir *prev, *next; /* site::dirs */
};

static void op_done(struct dir_op *o, int status)
{
	DL_DELETE(o->dir->asking, o);
	op_complete(&o->op, status);
}

static void free_dir(struct site_dir *d)
{
	struct dir_op *o, *next;

	DL_FOREACH_SAFE (d->asking, o, next)
		op_done(o, AFTP_ECANCELED);
	listing_leave(&d->wait);
	DL_DELETE(d->site->dirs, d);
	dirlist_unref(d->list);
	node_unref(&d->site->nodes, d->node);
	free(d);
}

/* --- what comes ----------------------------------------------------------------------------------- */

bool site_dir_knows(const struct site_dir *d, uint64_t index)
{
	return index < 2 + dirlist_count(d->list) || (d->whole && d->status == 0);
}

static void answer(struct site_dir *d)
{
	struct dir_op *o, *next;

	DL_FOREACH_SAFE (d->asking, o, next) {
		if (d->status < 0 && (o->opens || !site_dir_knows(d, o->index)))
			op_done(o, d->status);
		else if (o->opens || site_dir_knows(d, o->index))
			op_done(o, 0);
	}
}

/* The least number of entries with which somebody gets an answer; 0: nobody waits. */
static size_t wanted(const struct site_dir *d)
{
	const struct dir_op *o;
	uint64_t index = 0;

	DL_FOREACH (d->asking, o)
		index = index ? MIN(index, o->index) : o->index;
	return index ? (size_t)index - 1 : 0;
}

static void take_list(struct site_dir *d, struct dirlist *list, uint64_t at)
{
	if (!d->list)
		d->list = dirlist_ref(list);
	d->list_at = at;
}

static struct site_dir *dir_of(struct listing_wait *w)
{
	return (struct site_dir *)((char *)w - offsetof(struct site_dir, wait));
}

/* What another attempt brings is taken when it has ended well. */
static void on_more(struct listing_wait *w, struct dirlist *list)
{
	struct site_dir *d = dir_of(w);

	if (d->list && d->list != list)
		return;
	take_list(d, list, site_now(d->site));
	answer(d);
	w->wanted = wanted(d);
}

static void on_listing(struct listing_wait *w, int status, struct dirlist *list)
{
	struct site_dir *d = dir_of(w);

	d->whole = true;
	if (status == 0 && d->list && d->list != list)
		status = dirlist_add_missing(d->list, list);
	if (status == 0)
		take_list(d, list, site_now(d->site));
	d->status = status == AFTP_EREPLY ? AFTP_EACCES : status;
	answer(d);
}

static void detach(struct site_op *op)
{
	struct dir_op *o = (struct dir_op *)op;

	DL_DELETE(o->dir->asking, o);
}

static void dir_op_end(struct site_op *op)
{
	struct dir_op *o = (struct dir_op *)op;
	site_dir_cb *cb = o->cb;
	void *arg = o->arg;
	struct site_dir *d = o->dir;
	bool opens = o->opens;
	int status = op->status;

	op_free(op);
	if (status < 0 && opens)
		free_dir(d);
	cb(arg, status, status ? NULL : d);
}

static struct dir_op *new_op(struct site *s, struct site_op **op, site_dir_cb *cb, void *arg)
{
	struct dir_op *o = op_new(s, sizeof *o, dir_op_end, op);

	if (!o)
		return NULL;
	o->op.detach = detach;
	o->cb = cb;
	o->arg = arg;
	return o;
}

static void ask(struct site_dir *d, struct dir_op *o)
{
	o->dir = d;
	DL_APPEND(d->asking, o);
}

int site_opendir(struct site *s, uint64_t ino, struct site_op **op, site_dir_cb *cb, void *arg)
{
	struct node *n = node_by_ino(&s->nodes, ino);
	struct site_dir *d;
	struct dir_op *o;
	int rc = 0;

	if (!n || s->closing || node_is_gone(n))
		return -ESTALE;
	d = calloc(1, sizeof *d);
	o = d ? new_op(s, op, cb, arg) : NULL;
	if (!o) {
		free(d);
		return AFTP_ENOMEM;
	}
	DL_APPEND(s->dirs, d);
	d->site = s;
	d->node = node_ref(n);
	d->edits = n->edits;
	d->wait = (struct listing_wait){ .cb = on_listing, .more = on_more, .wanted = ENOUGH };
	o->opens = true;
	ask(d, o);
	if (n->list && site_fresh(s, n->list_at)) {
		take_list(d, n->list, n->list_at);
		d->whole = true;
	} else {
		rc = listing_fetch(s, n, &d->wait);
	}
	if (d->whole || rc)
		op_done(o, rc);
	walk_opened(s, n);
	return 0;
}

int site_dir_wait(struct site_dir *d, uint64_t index, struct site_op **op, site_dir_cb *cb, void *arg)
{
	struct dir_op *o = new_op(d->site, op, cb, arg);

	if (!o)
		return AFTP_ENOMEM;
	o->index = index;
	ask(d, o);
	answer(d);
	listing_want(&d->wait, wanted(d));
	return 0;
}

/* --- entries -------------------------------------------------------------------------------------- */

static void fill_dot(struct site_dir *d, struct node *n, struct site_attr *attr)
{
	site_fill_attr(d->site, n, attr);
	attr->st.st_mode = S_IFDIR | (attr->st.st_mode & 07777);
}

bool site_dir_entry(struct site_dir *d, uint64_t index, const char **name, struct site_attr *attr)
{
	struct site *s = d->site;
	struct dirlist_entry e;

	if (index < 2) {
		*name = index ? ".." : ".";
		fill_dot(d, index && d->node->parent ? d->node->parent : d->node, attr);
		return true;
	}
	if (index - 2 >= dirlist_count(d->list))
		return false;
	dirlist_get(d->list, index - 2, &e);
	*name = e.name;
	attr_to_stat(&e.attr, node_child_ino(&s->nodes, d->node, e.name), &s->o, &attr->st);
	/* What it leads to is asked when somebody wants to know. */
	if (e.attr.type == AFTP_TYPE_LINK && s->o.follow_symlinks)
		attr->st.st_mode = 0;
	attr->valid_ms = 0;
	return true;
}

bool site_dir_current(const struct site_dir *d)
{
	return d->edits == d->node->edits;
}

bool site_dir_remember(struct site_dir *d, uint64_t index, struct site_attr *attr)
{
	struct site *s = d->site;
	struct dirlist_entry e;
	struct node *n;

	dirlist_get(d->list, index - 2, &e);
	n = node_get_child(&s->nodes, d->node, e.name);
	if (!n)
		return false;
	/* What has been learned since this picture was taken is better, also within the same millisecond. */
	if (n->attr_at < d->list_at && !(n->writer && writer_has_content(n->writer)))
		node_set_attr(n, &e.attr, e.target, d->list_at);
	n->nlookup++;
	site_fill_attr(s, n, attr);
	return true;
}

void site_closedir(struct site_dir *d)
{
	free_dir(d);
}

void dirs_free(struct site *s)
{
	while (s->dirs)
		free_dir(s->dirs);
}
