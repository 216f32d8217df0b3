#include "remote/mutate.h"

#include <aftp/status.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "remote/writer.h"

/* --- who waits for it ----------------------------------------------------------------------------- */

struct mutation_op {
	struct site_op op;
	struct mutation *mutation; /* NULL when it is over */
	struct node *made;         /* holds a reference */
	site_attr_cb *attr;
	site_done_cb *done;
	void *arg;
	bool counts; /* a success counts for the kernel */
};

static void answer_attr(struct mutation_op *o, int status)
{
	site_attr_cb *cb = o->attr;
	void *arg = o->arg;
	struct site *s = o->op.site;
	struct site_attr attr;

	if (status == 0 && !o->made)
		status = -ESTALE;
	if (status == 0) {
		site_fill_attr(s, o->made, &attr);
		o->made->nlookup += o->counts;
	}
	node_unref(&s->nodes, o->made);
	op_free(&o->op);
	cb(arg, status, status ? NULL : &attr);
}

static void op_end(struct site_op *op)
{
	struct mutation_op *o = (struct mutation_op *)op;
	site_done_cb *done = o->done;
	void *arg = o->arg;
	int status = op->status;

	if (o->attr) {
		answer_attr(o, status);
		return;
	}
	op_free(op);
	done(arg, status);
}

static void detach(struct site_op *op)
{
	struct mutation_op *o = (struct mutation_op *)op;

	if (o->mutation)
		o->mutation->asker = NULL;
	o->mutation = NULL;
}

/* --- writers that wait ---------------------------------------------------------------------------- */

struct mutation_hold {
	struct mutation *mutation;
	struct writer *writer;
	bool held;
	struct mutation_hold *next;
};

static void release_holds(struct mutation *m)
{
	while (m->holds) {
		struct mutation_hold *h = m->holds;

		m->holds = h->next;
		if (h->held)
			writer_resume(h->writer);
		writer_put(h->writer);
		free(h);
	}
}

static void on_held(void *arg, int status)
{
	struct mutation_hold *h = arg;
	struct mutation *m = h->mutation;

	h->held = status == 0;
	if (--m->holding > 0)
		return;
	if (!m->asker)
		mutation_free(m); /* nothing has been done */
	else if (m->hold_failed)
		mutation_settled(m, m->hold_failed);
	else
		job_run(&m->job, POOL_METADATA);
}

static bool is_below(const struct node *n, const struct node *top)
{
	while (n && n != top)
		n = n->parent;
	return n != NULL;
}

void mutation_hold(struct mutation *m, const struct node *n)
{
	struct writer *w;

	DL_FOREACH (m->site->writers, w) {
		struct mutation_hold *h;

		if (!is_below(w->node, n))
			continue;
		h = calloc(1, sizeof *h);
		if (!h || writer_hold(w, on_held, h)) {
			m->hold_failed = AFTP_ENOMEM;
			free(h);
			return;
		}
		h->mutation = m;
		h->writer = w;
		w->refs++;
		h->next = m->holds;
		m->holds = h;
		m->holding++;
	}
}

/* --- birth and end -------------------------------------------------------------------------------- */

void mutation_free(struct mutation *m)
{
	struct nodes *nodes = &m->site->nodes;

	release_holds(m);
	if (m->kind->finish)
		m->kind->finish(m);
	look_finish(&m->look);
	node_unref(nodes, m->made);
	node_unref(nodes, m->dir);
	free(m->pair_to);
	free(m->name);
	free(m->path);
	free(m);
}

/* Does a refusal speak against what is cached? */
static bool contradicts(int status)
{
	return status == AFTP_ENOENT || status == -EEXIST || status == -ENOTDIR || status == -EISDIR;
}

static void job_done(struct job *job, int status)
{
	struct mutation *m = (struct mutation *)job;
	struct mutation_op *o = m->asker;

	if (status == AFTP_EACCES && m->name && strlen(m->name) > NAME_MAX)
		status = -ENAMETOOLONG;
	if (m->unsure || contradicts(status))
		mutation_doubt(m->site, m->dir, m->name);
	status = m->kind->end(m, status);
	if (o) {
		o->mutation = NULL;
		if (status == 0 && m->made)
			o->made = node_ref(m->made);
		op_complete(&o->op, status);
	}
	if (m->told)
		m->told(m->told_arg, status);
	mutation_free(m);
}

static int job_start(struct job *job, struct aftp_client *client)
{
	struct mutation *m = (struct mutation *)job;

	free(m->path);
	m->path = node_is_gone(m->dir) ? NULL : node_path(&m->site->nodes, m->dir, m->name);
	if (!m->path)
		return node_is_gone(m->dir) ? -ESTALE : AFTP_ENOMEM;
	m->client = client;
	m->failed = 0;
	m->owed = m->replies = 0;
	if (m->unsure)
		m->kind->recover(m);
	else
		m->kind->begin(m);
	return 0;
}

int mutation_enter(struct site *s, uint64_t ino, const char *name, struct node **dir)
{
	struct node *n = node_by_ino(&s->nodes, ino);

	if (!n || s->closing || node_is_gone(n))
		return -ESTALE;
	if (s->o.read_only)
		return -EROFS;
	*dir = n;
	return name ? site_check_name(s, name) : 0;
}

void *mutation_new(struct site *s, size_t size, const struct mutation_kind *kind, struct node *dir, const char *name)
{
	struct mutation *m = calloc(1, size);

	if (!m)
		return NULL;
	m->kind = kind;
	m->site = s;
	m->dir = node_ref(dir);
	m->job.pool = s->pool;
	m->job.start = job_start;
	m->job.done = job_done;
	m->name = name ? strdup(name) : NULL;
	if (name && !m->name) {
		mutation_free(m);
		return NULL;
	}
	return m;
}

int mutation_ask(struct mutation *m, struct site_op **op, site_attr_cb *attr, site_done_cb *done, void *arg)
{
	struct mutation_op *o = op_new(m->site, sizeof *o, op_end, op);

	if (!o) {
		mutation_free(m);
		return AFTP_ENOMEM;
	}
	o->op.detach = detach;
	o->mutation = m;
	o->attr = attr;
	o->done = done;
	o->arg = arg;
	o->counts = m->name != NULL;
	m->asker = o;
	return 0;
}

void mutation_run(struct mutation *m)
{
	if (m->holding)
		return;
	if (m->hold_failed)
		mutation_settled(m, m->hold_failed);
	else
		job_run(&m->job, POOL_METADATA);
}

void mutation_abandon(struct mutation *m)
{
	m->told = NULL;
}

void mutation_settled(struct mutation *m, int status)
{
	m->asker->mutation = NULL;
	op_complete(&m->asker->op, status);
	mutation_free(m);
}

/* --- steps ---------------------------------------------------------------------------------------- */

void mutation_end(struct mutation *m, int status)
{
	job_ended(&m->job, status);
}

static void answered(struct mutation *m)
{
	if (m->owed > 0)
		return;
	if (m->failed) {
		mutation_end(m, m->failed);
		return;
	}
	m->unsure = false;
	m->next(m);
}

static void on_reply(void *arg, int status, const struct aftp_reply *r)
{
	struct mutation *m = arg;
	struct mutation_reply *to = &m->reply[m->replies++];

	m->owed--;
	if (status < 0) {
		m->failed = status;
	} else {
		*to = (struct mutation_reply){ .code = r->code, .error = aftp_reply_error(r) };
		snprintf(to->text, sizeof to->text, "%s", aftp_reply_message(r));
	}
	answered(m);
}

static void on_stat(void *arg, int status, const struct aftp_entry *e)
{
	struct mutation *m = arg;

	m->owed--;
	m->seen_status = status;
	if (status == 0)
		attr_from_entry(&m->seen, e);
	answered(m);
}

void mutation_send(struct mutation *m, const char *verb, const char *argument)
{
	int rc = m->failed ? m->failed : aftp_client_command(m->client, on_reply, m, verb, argument);

	if (m->owed == 0) {
		m->replies = 0;
		m->seen_status = AFTP_ENOTSUP;
	}
	if (rc) {
		m->failed = rc;
		return;
	}
	m->unsure = true;
	m->owed++;
}

void mutation_stat(struct mutation *m, const char *path)
{
	if (!m->failed && !aftp_client_stat(m->client, path, on_stat, m))
		m->owed++;
}

void mutation_wait(struct mutation *m, mutation_step *next)
{
	m->next = next;
	if (m->owed == 0)
		mutation_end(m, m->failed);
}

static void on_look(struct look *l, int status)
{
	struct mutation *m = (struct mutation *)((char *)l - offsetof(struct mutation, look));

	m->seen_status = status;
	m->seen = l->attr;
	if (status < 0 && job_is_network(status))
		mutation_end(m, status);
	else
		m->next(m);
}

static void look_began(struct mutation *m, int rc, mutation_step *next)
{
	if (rc < 0)
		mutation_end(m, rc);
	else
		m->next = next;
}

void mutation_look(struct mutation *m, const char *path, mutation_step *next)
{
	m->look.cb = on_look;
	look_began(m, look_at(&m->look, m->client, path), next);
}

/* A name can make the short way lose the connection. */
void mutation_look_for_none(struct mutation *m, const char *path, mutation_step *next)
{
	m->look.cb = on_look;
	look_began(m, (m->job.attempts > 1 ? look_at : look_for_none)(&m->look, m->client, path), next);
}

void mutation_look_for_link(struct mutation *m, const char *path, mutation_step *next)
{
	m->look.cb = on_look;
	look_began(m, look_for_link(&m->look, m->client, path), next);
}

void mutation_look_inside(struct mutation *m, const char *path, mutation_step *next)
{
	m->look.cb = on_look;
	look_began(m, look_inside(&m->look, m->client, path), next);
}

/* --- refusals ------------------------------------------------------------------------------------- */

int mutation_refusal(int error)
{
	if (error == AFTP_ENOTSUP)
		return -EPERM;
	return error == AFTP_EREPLY ? AFTP_EACCES : error;
}

void mutation_refused(struct mutation *m, mutation_step *explain)
{
	int error = m->reply[0].error;

	if (error == 0)
		mutation_end(m, AFTP_EPROTO);
	else if (error == AFTP_EREPLY)
		mutation_look(m, m->path, explain);
	else
		mutation_end(m, mutation_refusal(error));
}

bool mutation_unknown(const struct mutation_reply *r)
{
	return r->error == AFTP_ENOTSUP || r->code == 501 || r->code == 202;
}

/* --- what is known -------------------------------------------------------------------------------- */

bool mutation_known(struct node *dir, struct node *n, const char *name, struct attr *a, const char **target)
{
	struct dirlist_entry e;

	if (dir->list && (!n || n->attr_at <= dir->list_at) && dirlist_find(dir->list, name, &e) == DIRLIST_HAS) {
		*a = e.attr;
		*target = e.target ? e.target : n && n->attr.type == AFTP_TYPE_LINK ? n->target : NULL;
		return true;
	}
	if (!n || n->attr.type == AFTP_TYPE_UNKNOWN)
		return false;
	*a = n->attr;
	*target = n->target;
	return true;
}

void mutation_doubt(struct site *s, struct node *dir, const char *name)
{
	struct node *n = name ? node_child(&s->nodes, dir, name) : dir;

	node_list_doubt(dir);
	if (n)
		n->attr_at = 0;
	if (!name && dir->parent)
		node_list_doubt(dir->parent);
}
