/* mutate_remove - names that go: RMD, DELE. */
#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>

#include "remote/mutate.h"

struct removing {
	struct mutation m;
	bool was_there;    /* known, before */
	bool moved;        /* aside */
	struct node *node; /* of a file; holds a reference */
	char *aside;       /* its path then; NULL when that was not tried */
	char aside_name[ASIDE_SIZE];
};

static struct removing *removing_of(struct mutation *m)
{
	return (struct removing *)m;
}

static void finish(struct mutation *m)
{
	struct removing *d = removing_of(m);

	node_unref(&m->site->nodes, d->node);
	free(d->aside);
}

static int removed_end(struct mutation *m, int status)
{
	struct node *n = node_child(&m->site->nodes, m->dir, m->name);

	if (status)
		return status;
	node_list_remove(&m->site->nodes, m->dir, m->name);
	node_touch(m->dir);
	if (n)
		node_detach(&m->site->nodes, n);
	return 0;
}

static int begin_removal(
	struct site *s, const struct mutation_kind *kind, struct node *dir, const char *name, struct removing **out)
{
	struct removing *d = mutation_new(s, sizeof *d, kind, dir, name);
	const char *target;
	struct attr a;

	if (!d)
		return AFTP_ENOMEM;
	d->was_there = mutation_known(dir, node_child(&s->nodes, dir, name), name, &a, &target);
	*out = d;
	return 0;
}

/* After a look: is it gone, and was it there? */
static void recover_removal(struct mutation *m, mutation_step *again)
{
	if (m->seen_status == 0) {
		m->unsure = false;
		again(m);
	} else if (m->seen_status == AFTP_ENOENT && removing_of(m)->was_there) {
		m->unsure = false;
		mutation_end(m, 0);
	} else {
		mutation_end(m, AFTP_EIO);
	}
}

/* --- rmdir ---------------------------------------------------------------------------------------- */

static void explain_inside(struct mutation *m)
{
	mutation_end(m, m->seen_status == 0 && m->look.entries ? -ENOTEMPTY : AFTP_EACCES);
}

static void explain_rmdir(struct mutation *m)
{
	if (m->seen_status < 0)
		mutation_end(m, m->seen_status);
	else if (m->seen.type != AFTP_TYPE_DIR)
		mutation_end(m, -ENOTDIR);
	else
		mutation_look_inside(m, m->path, explain_inside);
}

static void rmdir_answered(struct mutation *m)
{
	if (mutation_done(&m->reply[0]))
		mutation_end(m, 0);
	else if (m->reply[0].error == -EEXIST)
		mutation_end(m, -ENOTEMPTY);
	else
		mutation_refused(m, explain_rmdir);
}

static void rmdir_begin(struct mutation *m)
{
	mutation_send(m, "RMD", m->path);
	mutation_wait(m, rmdir_answered);
}

static void rmdir_recovered(struct mutation *m)
{
	recover_removal(m, rmdir_begin);
}

static void rmdir_recover(struct mutation *m)
{
	mutation_look(m, m->path, rmdir_recovered);
}

static const struct mutation_kind rmdir_kind = { rmdir_begin, rmdir_recover, removed_end, finish };

int site_rmdir(struct site *s, uint64_t parent, const char *name, struct site_op **op, site_done_cb *cb, void *arg)
{
	struct node *dir, *n;
	struct removing *d;
	int rc = mutation_enter(s, parent, name, &dir);

	if (rc)
		return rc;
	n = node_child(&s->nodes, dir, name);
	if (n && n->attr_at && n->attr.type != AFTP_TYPE_DIR)
		return -ENOTDIR;
	rc = begin_removal(s, &rmdir_kind, dir, name, &d);
	if (rc == 0)
		rc = mutation_ask(&d->m, op, NULL, cb, arg);
	if (rc == 0)
		mutation_run(&d->m);
	return rc;
}

/* --- unlink --------------------------------------------------------------------------------------- */

static void explain_unlink(struct mutation *m)
{
	if (m->seen_status < 0)
		mutation_end(m, m->seen_status);
	else
		mutation_end(m, m->seen.type == AFTP_TYPE_DIR ? -EISDIR : AFTP_EACCES);
}

static void unlink_answered(struct mutation *m)
{
	if (mutation_done(&m->reply[0]))
		mutation_end(m, 0);
	else
		mutation_refused(m, explain_unlink);
}

static void delete_it(struct mutation *m)
{
	mutation_send(m, "DELE", m->path);
	mutation_wait(m, unlink_answered);
}

static void moved_aside(struct mutation *m)
{
	struct removing *d = removing_of(m);

	m->unsure = false;
	d->moved = true;
	mutation_end(m, 0);
}

/* Where nothing can be renamed, the holders lose it: a server that has it open for them may still finish. */
static void aside_answered(struct mutation *m)
{
	if (m->pair == 0)
		moved_aside(m);
	else
		delete_it(m);
}

static void move_aside(struct mutation *m)
{
	struct removing *d = removing_of(m);

	mutation_pair(m, m->path, d->aside, aside_answered);
}

static void unlink_begin(struct mutation *m)
{
	struct removing *d = removing_of(m);

	free(d->aside);
	d->aside = NULL;
	if (!d->node || !mutate_is_open(m->site, d->node)) {
		delete_it(m);
		return;
	}
	d->aside = node_path(&m->site->nodes, m->dir, d->aside_name);
	if (d->aside)
		move_aside(m);
	else
		mutation_end(m, AFTP_ENOMEM);
}

static void aside_recovered(struct mutation *m)
{
	if (m->seen_status == 0)
		moved_aside(m);
	else
		recover_removal(m, unlink_begin);
}

static void unlink_recovered(struct mutation *m)
{
	struct removing *d = removing_of(m);

	if (m->seen_status == AFTP_ENOENT && d->aside)
		mutation_look(m, d->aside, aside_recovered);
	else
		recover_removal(m, unlink_begin);
}

static void unlink_recover(struct mutation *m)
{
	mutation_look(m, m->path, unlink_recovered);
}

static int unlink_end(struct mutation *m, int status)
{
	struct removing *d = removing_of(m);
	struct nodes *nodes = &m->site->nodes;

	if (status || !d->moved)
		return removed_end(m, status);
	node_list_remove(nodes, m->dir, m->name);
	node_touch(m->dir);
	if (node_move(nodes, d->node, m->dir, d->aside_name) == 0)
		mutate_doom(m->site, d->node);
	return 0;
}

static const struct mutation_kind unlink_kind = { unlink_begin, unlink_recover, unlink_end, finish };

int site_unlink(struct site *s, uint64_t parent, const char *name, struct site_op **op, site_done_cb *cb, void *arg)
{
	struct node *dir, *n;
	struct removing *d;
	int rc = mutation_enter(s, parent, name, &dir);

	if (rc)
		return rc;
	n = node_child(&s->nodes, dir, name);
	if (n && n->attr.type == AFTP_TYPE_DIR)
		return -EISDIR;
	rc = begin_removal(s, &unlink_kind, dir, name, &d);
	if (rc)
		return rc;
	if (n) {
		d->node = node_ref(n);
		mutate_aside_name(d->aside_name);
	}
	rc = mutation_ask(&d->m, op, NULL, cb, arg);
	if (rc)
		return rc;
	if (n)
		mutation_hold(&d->m, n);
	mutation_run(&d->m);
	return 0;
}
