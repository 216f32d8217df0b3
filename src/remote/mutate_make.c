/* mutate_make - new names: MKD, SITE SYMLINK. */
#include <aftp/status.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "remote/mutate.h"

struct making {
	struct mutation m;
	bool was_absent; /* proven, before */
	bool done;
	mode_t mode;
	unsigned mode_tried;
	struct attr attr;
	char *target; /* of a link */
};

static struct making *making_of(struct mutation *m)
{
	return (struct making *)m;
}

static void finish(struct mutation *m)
{
	free(making_of(m)->target);
}

/* --- what is made --------------------------------------------------------------------------------- */

static void set_mode(struct mutation *m);

static void mode_is_set(struct mutation *m)
{
	struct making *d = making_of(m);
	int rc = mutation_mode_set(m);

	if (rc == 0) {
		d->attr.mode = (uint16_t)d->mode;
		d->attr.have |= AFTP_HAVE_MODE;
	}
	if (rc == AFTP_ENOTSUP)
		set_mode(m);
	else
		mutation_end(m, 0);
}

/* What cannot be set stays as the server made it: the directory is there all the same. */
static void set_mode(struct mutation *m)
{
	struct making *d = making_of(m);
	mode_t is = d->attr.have & AFTP_HAVE_MODE ? d->attr.mode : 0755;

	if ((is & 0777) == (d->mode & 0777) || !mutation_send_mode(m, d->mode, &d->mode_tried))
		mutation_end(m, 0);
	else
		mutation_wait(m, mode_is_set);
}

static void made(struct mutation *m, enum aftp_type type)
{
	struct making *d = making_of(m);

	m->unsure = false;
	d->done = true;
	if (m->seen_status == 0 && m->seen.type == type)
		d->attr = m->seen;
	else
		d->attr = (struct attr){ .type = (uint8_t)type, .mtime = time(NULL), .have = AFTP_HAVE_MTIME };
	if (type == AFTP_TYPE_DIR) {
		d->mode |= d->attr.mode & 07000; /* a server's group bit is not ours to take away */
		set_mode(m);
	} else {
		mutation_end(m, 0);
	}
}

static void explain_make(struct mutation *m)
{
	mutation_end(m, m->seen_status == 0 ? -EEXIST : AFTP_EACCES);
}

static int made_end(struct mutation *m, int status)
{
	struct making *d = making_of(m);
	struct site *s = m->site;
	struct node *n;

	if (!d->done)
		return status;
	n = node_child(&s->nodes, m->dir, m->name);
	if (n && n->attr.type != d->attr.type)
		node_detach(&s->nodes, n);
	n = node_get_child(&s->nodes, m->dir, m->name);
	node_list_put(&s->nodes, m->dir, m->name, &d->attr, d->target);
	node_touch(m->dir);
	if (!n)
		return AFTP_ENOMEM;
	m->made = node_ref(n);
	node_set_attr(n, &d->attr, d->target, site_now(s));
	return 0;
}

/* --- mkdir ---------------------------------------------------------------------------------------- */

static void mkdir_answered(struct mutation *m)
{
	if (mutation_done(&m->reply[0]))
		made(m, AFTP_TYPE_DIR);
	else if (m->reply[0].error == AFTP_EREPLY && m->seen_status == 0)
		mutation_end(m, -EEXIST);
	else
		mutation_refused(m, explain_make);
}

static void mkdir_begin(struct mutation *m)
{
	const struct aftp_features *f = pool_features(m->site->pool);

	if (making_of(m)->done) {
		set_mode(m);
		return;
	}
	mutation_send(m, "MKD", m->path);
	if (f && f->mlst && !f->no_mlst)
		mutation_stat(m, m->path);
	mutation_wait(m, mkdir_answered);
}

/* It was not there before, and is now: it was ours. */
static void mkdir_recovered(struct mutation *m)
{
	if (m->seen_status == AFTP_ENOENT) {
		m->unsure = false;
		mkdir_begin(m);
	} else if (m->seen_status == 0 && m->seen.type == AFTP_TYPE_DIR && making_of(m)->was_absent) {
		made(m, AFTP_TYPE_DIR);
	} else {
		mutation_end(m, AFTP_EIO);
	}
}

static void mkdir_recover(struct mutation *m)
{
	if (making_of(m)->done)
		set_mode(m);
	else
		mutation_look(m, m->path, mkdir_recovered);
}

/* What is in a new directory is known: nothing. */
static void know_empty(struct site *s, struct node *n)
{
	struct dirlist *list;

	if (dirlist_new(&list))
		return;
	dirlist_seal(list, true, true);
	node_set_list(&s->nodes, n, list, site_now(s));
	dirlist_unref(list);
}

static int mkdir_end(struct mutation *m, int status)
{
	status = made_end(m, status);
	if (m->made)
		know_empty(m->site, m->made);
	return status;
}

static const struct mutation_kind mkdir_kind = { mkdir_begin, mkdir_recover, mkdir_end, finish };

static struct making *new_making(struct site *s, const struct mutation_kind *kind, struct node *dir, const char *name)
{
	struct making *d = mutation_new(s, sizeof *d, kind, dir, name);
	struct node *n;

	if (d)
		d->was_absent = lookup_cached(s, dir, name, &n) == AFTP_ENOENT;
	return d;
}

int site_mkdir(struct site *s, uint64_t parent, const char *name, mode_t mode, struct site_op **op, site_attr_cb *cb,
	void *arg)
{
	struct node *dir;
	struct making *d;
	int rc = mutation_enter(s, parent, name, &dir);

	if (rc)
		return rc;
	d = new_making(s, &mkdir_kind, dir, name);
	if (!d)
		return AFTP_ENOMEM;
	d->mode = mode & 07777;
	rc = mutation_ask(&d->m, op, cb, NULL, arg);
	if (rc == 0)
		mutation_run(&d->m);
	return rc;
}

/* --- symlink -------------------------------------------------------------------------------------- */

static void wrong_link_removed(struct mutation *m)
{
	mutation_end(m, mutation_done(&m->reply[0]) ? -EPERM : AFTP_EIO);
}

/* ProFTPD makes what it finds at the target into an absolute path: that is another link. */
static void symlink_seen(struct mutation *m)
{
	if (m->seen_status == 0 && m->look.target && strcmp(m->look.target, making_of(m)->target) == 0) {
		made(m, AFTP_TYPE_LINK);
		return;
	}
	mutation_send(m, "DELE", m->path);
	mutation_wait(m, wrong_link_removed);
}

static void symlink_answered(struct mutation *m)
{
	const struct mutation_reply *r = &m->reply[0];
	bool relative = making_of(m)->target[0] != '/';

	if (mutation_unknown(r)) {
		m->site->can.no_symlink = true;
		mutation_end(m, -EPERM);
	} else if (mutation_done(r) && relative) {
		mutation_look_for_link(m, m->path, symlink_seen);
	} else if (mutation_done(r)) {
		made(m, AFTP_TYPE_LINK);
	} else if (r->error == AFTP_ENOENT && relative) {
		mutation_end(m, -EPERM); /* it looks for the target, and in another directory */
	} else {
		mutation_refused(m, explain_make);
	}
}

static void symlink_begin(struct mutation *m)
{
	char *argument;

	if (asprintf(&argument, "SYMLINK %s %s", making_of(m)->target, m->path) < 0) {
		mutation_end(m, AFTP_ENOMEM);
		return;
	}
	mutation_send(m, "SITE", argument);
	free(argument);
	mutation_wait(m, symlink_answered);
}

static void symlink_recovered(struct mutation *m)
{
	if (m->seen_status == AFTP_ENOENT) {
		m->unsure = false;
		symlink_begin(m);
	} else if (m->seen_status == 0 && m->seen.type == AFTP_TYPE_LINK && making_of(m)->was_absent) {
		made(m, AFTP_TYPE_LINK);
	} else {
		mutation_end(m, AFTP_EIO);
	}
}

static void symlink_recover(struct mutation *m)
{
	mutation_look(m, m->path, symlink_recovered);
}

static const struct mutation_kind symlink_kind = { symlink_begin, symlink_recover, made_end, finish };

/* The two names are told apart by a space: with another one in them, servers would link something else. */
static bool can_be_linked(struct site *s, struct node *dir, const char *name, const char *target)
{
	char *path = node_path(&s->nodes, dir, name);
	bool can = path && !strchr(path, ' ') && !strchr(target, ' ') && !s->can.no_symlink;

	free(path);
	return can;
}

int site_symlink(struct site *s, const char *target, uint64_t parent, const char *name, struct site_op **op,
	site_attr_cb *cb, void *arg)
{
	struct node *dir;
	struct making *d;
	int rc = mutation_enter(s, parent, name, &dir);

	if (rc)
		return rc;
	if (!can_be_linked(s, dir, name, target))
		return -EPERM;
	d = new_making(s, &symlink_kind, dir, name);
	if (!d)
		return AFTP_ENOMEM;
	d->target = strdup(target);
	if (!d->target) {
		mutation_free(&d->m);
		return AFTP_ENOMEM;
	}
	rc = mutation_ask(&d->m, op, cb, NULL, arg);
	if (rc == 0)
		mutation_run(&d->m);
	return rc;
}
