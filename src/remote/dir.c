/* dir - an open directory: one picture of it, from opendir to closedir. */
#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "remote/internal.h"
#include "remote/writer.h"

struct site_dir {
	struct site *site;
	struct node *node; /* holds a reference */
	struct dirlist *list;
	uint64_t list_at;
	struct site_dir *prev, *next; /* site::dirs */
};

struct opendir {
	struct site_op op;
	struct listing_wait wait;
	struct site_dir *dir;
	site_dir_cb *cb;
	void *arg;
};

static void free_dir(struct site_dir *d)
{
	DL_DELETE(d->site->dirs, d);
	dirlist_unref(d->list);
	node_unref(&d->site->nodes, d->node);
	free(d);
}

static void opendir_end(struct site_op *op)
{
	struct opendir *o = (struct opendir *)op;
	site_dir_cb *cb = o->cb;
	void *arg = o->arg;
	struct site_dir *d = o->dir;
	int status = op->status;

	op_free(op);
	if (status < 0)
		free_dir(d);
	cb(arg, status, status ? NULL : d);
}

static void take_list(struct opendir *o, struct dirlist *list, uint64_t at)
{
	o->dir->list = dirlist_ref(list);
	o->dir->list_at = at;
	op_complete(&o->op, 0);
}

static void on_listing(struct listing_wait *w, int status, struct dirlist *list)
{
	struct opendir *o = (struct opendir *)((char *)w - offsetof(struct opendir, wait));

	if (status < 0)
		op_complete(&o->op, status == AFTP_EREPLY ? AFTP_EACCES : status);
	else
		take_list(o, list, site_now(o->op.site));
}

static void detach(struct site_op *op)
{
	listing_leave(&((struct opendir *)op)->wait);
}

int site_opendir(struct site *s, uint64_t ino, struct site_op **op, site_dir_cb *cb, void *arg)
{
	struct node *n = node_by_ino(&s->nodes, ino);
	struct opendir *o;

	if (!n || s->closing || node_is_gone(n))
		return -ESTALE;
	o = op_new(s, sizeof *o, opendir_end, op);
	if (!o)
		return AFTP_ENOMEM;
	o->dir = calloc(1, sizeof *o->dir);
	if (!o->dir) {
		op_free(&o->op);
		return AFTP_ENOMEM;
	}
	DL_APPEND(s->dirs, o->dir);
	o->dir->site = s;
	o->dir->node = node_ref(n);
	o->cb = cb;
	o->arg = arg;
	o->op.detach = detach;
	o->wait.cb = on_listing;
	if (n->list && site_fresh(s, n->list_at)) {
		take_list(o, n->list, n->list_at);
	} else {
		int rc = listing_fetch(s, n, &o->wait);
		if (rc)
			op_complete(&o->op, rc);
	}
	walk_opened(s, n);
	return 0;
}

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
