/* mutate_rename - rename(2) over RNFR and RNTO.
 *
 * Most servers rename over a file as rename(2) does. Where one refuses, what is in the way is moved aside, and deleted after,
 * or moved back when the rename fails all the same. A file that somebody has open is moved aside from the start, because
 * its holders must still find it. A directory in the way must be empty, and is removed first. */
#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>

#include "remote/mutate_rename.h"

#define NOREPLACE 1u /* RENAME_NOREPLACE */

static struct renaming *renaming_of(struct mutation *m)
{
	return (struct renaming *)m;
}

static void go(struct mutation *m, enum rename_phase phase);

/* --- what may be in the way ----------------------------------------------------------------------- */

static void looked_before(struct mutation *m)
{
	if (m->seen_status == AFTP_ENOENT)
		go(m, RENAME_MOVE);
	else
		mutation_end(m, m->seen_status == 0 ? -EEXIST : m->seen_status);
}

static void inside_told(struct mutation *m)
{
	mutation_end(m, m->seen_status == 0 && m->look.entries ? -ENOTEMPTY : AFTP_EACCES);
}

static void removal_answered(struct mutation *m)
{
	struct renaming *r = renaming_of(m);
	int error = m->reply[0].error;

	if (mutation_done(&m->reply[0]) || error == AFTP_ENOENT) {
		r->removed = error == 0;
		go(m, RENAME_MOVE);
	} else if (error == AFTP_EREPLY) {
		mutation_look_inside(m, r->to_path, inside_told);
	} else {
		mutation_end(m, error == -EEXIST ? -ENOTEMPTY : mutation_refusal(error));
	}
}

static void is_aside(struct mutation *m)
{
	struct renaming *r = renaming_of(m);

	m->unsure = false;
	r->aside = true;
	/* Its holders read on under the new name. */
	if (r->target && node_move(&m->site->nodes, r->target, r->to, r->aside_name) == 0)
		r->held = mutate_is_open(m->site, r->target);
	go(m, RENAME_MOVE);
}

static void aside_answered(struct mutation *m)
{
	struct renaming *r = renaming_of(m);

	if (m->pair == 0)
		is_aside(m);
	else if (r->error)
		mutation_end(m, r->error);
	else
		go(m, RENAME_MOVE); /* the holders lose it */
}

/* --- the rename ----------------------------------------------------------------------------------- */

static void fail(struct mutation *m, int error)
{
	struct renaming *r = renaming_of(m);

	r->error = error;
	if (r->aside || r->removed)
		go(m, RENAME_RESTORE);
	else
		mutation_end(m, error);
}

static void source_told(struct mutation *m)
{
	fail(m, m->seen_status == AFTP_ENOENT ? AFTP_ENOENT : AFTP_EACCES);
}

static void target_told(struct mutation *m)
{
	struct renaming *r = renaming_of(m);
	int error = mutation_refusal(m->pair);

	r->looked = true;
	if (m->seen_status < 0) {
		if (m->seen_status == AFTP_ENOENT && m->pair == AFTP_EREPLY)
			mutation_look(m, m->path, source_told);
		else
			fail(m, error);
		return;
	}
	if (r->attr_known && (r->attr.type == AFTP_TYPE_DIR) != (m->seen.type == AFTP_TYPE_DIR)) {
		fail(m, m->seen.type == AFTP_TYPE_DIR ? -EISDIR : -ENOTDIR);
	} else {
		r->in_way = true;
		r->error = error == -EEXIST ? AFTP_EACCES : error;
		go(m, m->seen.type == AFTP_TYPE_DIR ? RENAME_REMOVE : RENAME_ASIDE);
	}
}

/* Could it be that the server does not rename over what exists? */
static bool may_be_in_way(const struct renaming *r)
{
	switch (r->m.pair) {
	case AFTP_EREPLY:
	case AFTP_EACCES:
	case -EEXIST:
	case -ENOTEMPTY:
	case -EISDIR:
	case -ENOTDIR: return !r->m.from_refused && !r->looked && !r->aside && !r->removed;
	default: return false;
	}
}

static void move_answered(struct mutation *m)
{
	struct renaming *r = renaming_of(m);

	if (m->pair == 0) {
		r->moved = true;
		r->error = 0;
		go(m, RENAME_CLEAN);
	} else if (may_be_in_way(r)) {
		mutation_look(m, r->to_path, target_told);
	} else if (m->pair == AFTP_EREPLY) {
		mutation_look(m, m->path, source_told);
	} else {
		fail(m, mutation_refusal(m->pair));
	}
}

/* --- after it ------------------------------------------------------------------------------------- */

static void cleaned(struct mutation *m)
{
	if (m->reply[0].error && m->reply[0].error != AFTP_ENOENT)
		aftp_log(&m->site->log, AFTP_LOG_WARN, "%s: what was replaced is left behind: %s",
			renaming_of(m)->aside_path, m->reply[0].text);
	mutation_end(m, 0);
}

static void clean(struct mutation *m)
{
	struct renaming *r = renaming_of(m);

	if (!r->aside || r->held) {
		mutation_end(m, 0);
		return;
	}
	mutation_send(m, "DELE", r->aside_path);
	mutation_wait(m, cleaned);
}

static void is_back(struct mutation *m)
{
	struct renaming *r = renaming_of(m);

	m->unsure = false;
	r->aside = r->removed = false;
	if (r->target && !r->target->gone)
		node_move(&m->site->nodes, r->target, r->to, r->to_name);
	mutation_end(m, r->error);
}

static void restored(struct mutation *m)
{
	struct renaming *r = renaming_of(m);

	if (m->pair) {
		aftp_log(&m->site->log, AFTP_LOG_ERROR, "%s: could not be moved back, and is now %s: %s", r->to_path,
			r->aside_path, m->pair_reply.text);
		mutation_end(m, r->error);
		return;
	}
	is_back(m);
}

static void made_again(struct mutation *m)
{
	if (m->reply[0].error)
		mutation_end(m, renaming_of(m)->error);
	else
		is_back(m);
}

static void restore(struct mutation *m)
{
	struct renaming *r = renaming_of(m);

	if (r->aside) {
		mutation_pair(m, r->aside_path, r->to_path, restored);
	} else {
		mutation_send(m, "MKD", r->to_path);
		mutation_wait(m, made_again);
	}
}

static void settled(struct mutation *m)
{
	struct renaming *r = renaming_of(m);

	if (m->seen_status == AFTP_ENOENT) {
		go(m, RENAME_RESTORE);
		return;
	}
	aftp_log(&m->site->log, AFTP_LOG_ERROR, "%s: a rename over it was cut short; what was there is now %s",
		r->to_path, r->aside ? r->aside_path : "gone");
	mutation_end(m, AFTP_EIO);
}

/* --- phases --------------------------------------------------------------------------------------- */

static void go(struct mutation *m, enum rename_phase phase)
{
	struct renaming *r = renaming_of(m);

	r->phase = phase;
	switch (phase) {
	case RENAME_LOOK: mutation_look_for_none(m, r->to_path, looked_before); break;
	case RENAME_REMOVE:
		mutation_send(m, "RMD", r->to_path);
		mutation_wait(m, removal_answered);
		break;
	case RENAME_ASIDE: mutation_pair(m, r->to_path, r->aside_path, aside_answered); break;
	case RENAME_MOVE: mutation_pair(m, m->path, r->to_path, move_answered); break;
	case RENAME_CLEAN: clean(m); break;
	case RENAME_RESTORE: restore(m); break;
	case RENAME_SETTLE: mutation_look(m, r->to_path, settled); break;
	}
}

static int make_paths(struct renaming *r)
{
	struct nodes *nodes = &r->m.site->nodes;

	free(r->to_path);
	free(r->aside_path);
	r->to_path = r->aside_path = NULL;
	if (node_is_gone(r->to))
		return -ESTALE;
	r->to_path = node_path(nodes, r->to, r->to_name);
	r->aside_path = node_path(nodes, r->to, r->aside_name);
	return r->to_path && r->aside_path ? 0 : AFTP_ENOMEM;
}

static void begin(struct mutation *m)
{
	struct renaming *r = renaming_of(m);
	int rc = make_paths(r);

	if (rc)
		mutation_end(m, rc);
	else
		go(m, r->phase);
}

/* --- after a lost connection: how far did it come? ------------------------------------------------ */

static bool fits(const struct renaming *r, const struct attr *now)
{
	return r->attr_known && r->attr.type == now->type &&
		(r->attr.type != AFTP_TYPE_FILE || !(r->attr.have & now->have & AFTP_HAVE_SIZE) ||
			r->attr.size == now->size);
}

static void target_after(struct mutation *m)
{
	struct renaming *r = renaming_of(m);
	bool was_free = r->aside || r->removed || !r->in_way;

	if (m->seen_status == 0 && (was_free || fits(r, &m->seen))) {
		m->unsure = false;
		m->pair = 0; /* it was done */
		move_answered(m);
	} else {
		mutation_end(m, AFTP_EIO);
	}
}

static void source_after(struct mutation *m)
{
	if (m->seen_status == 0) {
		m->unsure = false;
		go(m, RENAME_MOVE);
	} else if (m->seen_status == AFTP_ENOENT) {
		mutation_look(m, renaming_of(m)->to_path, target_after);
	} else {
		mutation_end(m, AFTP_EIO);
	}
}

/* Of REMOVE, ASIDE and RESTORE: is what had to go still there? */
static void rest_after(struct mutation *m)
{
	struct renaming *r = renaming_of(m);

	if (m->seen_status == 0) {
		m->unsure = false;
		go(m, r->phase);
	} else if (m->seen_status < 0 && m->seen_status != AFTP_ENOENT) {
		mutation_end(m, AFTP_EIO);
	} else if (r->phase == RENAME_REMOVE) {
		m->unsure = false;
		r->removed = true;
		go(m, RENAME_MOVE);
	} else if (r->phase == RENAME_ASIDE) {
		is_aside(m);
	} else {
		is_back(m);
	}
}

static void recover(struct mutation *m)
{
	struct renaming *r = renaming_of(m);
	int rc = make_paths(r);

	if (rc) {
		mutation_end(m, rc);
		return;
	}
	switch (r->phase) {
	case RENAME_LOOK:
	case RENAME_CLEAN:
	case RENAME_SETTLE: go(m, r->phase); break;
	case RENAME_MOVE: mutation_look(m, m->path, source_after); break;
	case RENAME_REMOVE:
	case RENAME_ASIDE: mutation_look(m, r->to_path, rest_after); break;
	case RENAME_RESTORE:
		if (r->aside)
			mutation_look(m, r->aside_path, rest_after);
		else
			go(m, RENAME_RESTORE);
		break;
	}
}

/* --- the end -------------------------------------------------------------------------------------- */

static void learn(struct renaming *r)
{
	struct site *s = r->m.site;
	struct node *source = r->source, *there = node_child(&s->nodes, r->to, r->to_name);

	node_list_remove(&s->nodes, r->m.dir, r->m.name);
	if (source && !source->gone)
		node_move(&s->nodes, source, r->to, r->to_name);
	else if (there)
		node_detach(&s->nodes, there);
	if (r->attr_known)
		node_list_put(&s->nodes, r->to, r->to_name, &r->attr, r->link);
	else
		node_list_doubt(r->to);
	node_touch(r->m.dir);
	if (r->to != r->m.dir)
		node_touch(r->to);
	if (r->held)
		mutate_doom(s, r->target);
	else if (r->aside && r->target)
		node_detach(&s->nodes, r->target);
}

/* The connections died on us in the middle. The asker has its answer; the rest is done when the site is back. */
static void settle_later(struct renaming *r)
{
	struct renaming *later = mutation_new(r->m.site, sizeof *later, &rename_kind, r->m.dir, r->m.name);

	if (!later)
		return;
	later->phase = RENAME_SETTLE;
	later->settling = true;
	later->to = node_ref(r->to);
	later->to_name = r->to_name;
	later->target = r->target;
	later->aside = r->aside;
	later->removed = r->removed;
	later->error = AFTP_EIO;
	memcpy(later->aside_name, r->aside_name, sizeof later->aside_name);
	r->to_name = NULL;
	r->target = NULL;
	mutation_run(&later->m);
}

static int end(struct mutation *m, int status)
{
	struct renaming *r = renaming_of(m);

	if (r->moved) {
		if (!r->publishing)
			learn(r);
		return 0;
	}
	if (status == 0)
		status = AFTP_EIO;
	if (m->unsure || r->aside || r->removed) {
		if (!r->publishing)
			mutation_doubt(m->site, m->dir, m->name);
		mutation_doubt(m->site, r->to, r->to_name);
	}
	if ((r->aside || r->removed) && !r->settling && job_is_network(status) && !m->site->closing)
		settle_later(r);
	if (!r->to_name)
		return status;
	if (status == -EEXIST || status == -EISDIR || status == -ENOTEMPTY)
		mutation_doubt(m->site, r->to, r->to_name);
	return status;
}

static void finish(struct mutation *m)
{
	struct renaming *r = renaming_of(m);

	node_unref(&m->site->nodes, r->source);
	node_unref(&m->site->nodes, r->target);
	node_unref(&m->site->nodes, r->to);
	free(r->to_name);
	free(r->to_path);
	free(r->aside_path);
	free(r->link);
}

const struct mutation_kind rename_kind = { begin, recover, end, finish };

/* --- rename --------------------------------------------------------------------------------------- */

static int take_ends(struct renaming *r, struct node *to, const char *to_name, unsigned flags)
{
	struct site *s = r->m.site;
	const char *link = NULL;
	struct node *n = node_child(&s->nodes, r->m.dir, r->m.name), *t = node_child(&s->nodes, to, to_name);
	struct attr a;

	r->to = node_ref(to);
	r->to_name = strdup(to_name);
	r->source = n ? node_ref(n) : NULL;
	r->target = t ? node_ref(t) : NULL;
	mutate_aside_name(r->aside_name);
	r->attr_known = mutation_known(r->m.dir, n, r->m.name, &r->attr, &link);
	r->link = link ? strdup(link) : NULL;
	if (!r->to_name || (link && !r->link))
		return AFTP_ENOMEM;
	r->in_way = mutation_known(to, t, to_name, &a, &link);
	if (flags & NOREPLACE) {
		r->phase = RENAME_LOOK;
		return 0;
	}
	r->phase = RENAME_MOVE;
	if (!r->in_way || !r->attr_known)
		return 0;
	if (r->attr.type != AFTP_TYPE_DIR && a.type == AFTP_TYPE_DIR)
		return -EISDIR;
	if (r->attr.type == AFTP_TYPE_DIR && a.type != AFTP_TYPE_DIR)
		return -ENOTDIR;
	if (a.type == AFTP_TYPE_DIR)
		r->phase = RENAME_REMOVE;
	else if (t && mutate_is_open(s, t))
		r->phase = RENAME_ASIDE;
	return 0;
}

static bool is_below(const struct node *n, const struct node *top)
{
	while (n && n != top)
		n = n->parent;
	return n != NULL;
}

int site_rename(struct site *s, uint64_t parent, const char *name, uint64_t to, const char *to_name, unsigned flags,
	struct site_op **op, site_done_cb *cb, void *arg)
{
	struct node *dir, *to_dir, *n;
	struct renaming *r;
	int rc = flags & ~NOREPLACE ? AFTP_EINVAL : mutation_enter(s, parent, name, &dir);

	if (rc == 0)
		rc = mutation_enter(s, to, to_name, &to_dir);
	if (rc)
		return rc;
	n = node_child(&s->nodes, dir, name);
	if (n && is_below(to_dir, n))
		return AFTP_EINVAL;
	r = mutation_new(s, sizeof *r, &rename_kind, dir, name);
	if (!r)
		return AFTP_ENOMEM;
	rc = take_ends(r, to_dir, to_name, flags);
	if (rc) {
		mutation_free(&r->m);
		return rc;
	}
	rc = mutation_ask(&r->m, op, NULL, cb, arg);
	if (rc)
		return rc;
	if (dir == to_dir && !strcmp(name, to_name)) {
		mutation_settled(&r->m, flags & NOREPLACE ? -EEXIST : 0);
		return 0;
	}
	if (r->source)
		mutation_hold(&r->m, r->source);
	if (r->target)
		mutation_hold(&r->m, r->target);
	mutation_run(&r->m);
	return 0;
}
