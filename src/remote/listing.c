/* listing - fetches a directory once for all who ask for it at the same time. */
#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <time.h>
#include <utlist.h>

#include "remote/internal.h"
#include "remote/job.h"
#include "remote/mutate.h"
#include "remote/times.h"
#include "remote/writer.h"

#define SMALL_LISTING (64u * 1024) /* bytes */
#define SMALL_DIR     (64u * 1024) /* the size that the server tells of a directory */

struct listing_job {
	struct job job;
	struct site *site;
	struct node *dir; /* holds a reference */
	char *path;
	struct dirlist *list;   /* being built; new for each attempt */
	struct changes changes; /* made since this attempt began */
	bool saw_dot;
	bool rough; /* times of files are no finer than minutes */
	struct times times;
	bool began_ahead, ahead;        /* nobody had asked for it; nobody has yet */
	bool yielded;                   /* it has made way for others */
	struct aftp_transfer *transfer; /* under way; or NULL */
	struct listing_wait *waiting;
	size_t wanted; /* the least that one of them wants */
};

static bool asks_times(const struct listing_job *l)
{
	return l->rough && l->site->o.exact_times;
}

static void tell(struct listing_job *l)
{
	size_t count = dirlist_count(l->list), least = SIZE_MAX;
	struct listing_wait *w;

	l->wanted = SIZE_MAX;
	if (asks_times(l))
		return;
	DL_FOREACH (l->waiting, w) {
		if (w->wanted && w->wanted <= count) {
			w->wanted = 0;
			w->more(w, l->list);
		}
		if (w->wanted)
			least = MIN(least, w->wanted);
	}
	l->wanted = least;
}

/* A file that was deleted here, and that its holders still have open, is nobody else's business. */
static bool is_doomed(const struct listing_job *l, const struct aftp_entry *e)
{
	const struct node *n;
	char name[ASIDE_SIZE];

	if (e->name_len != ASIDE_SIZE - 1 || memcmp(e->name, ASIDE_PREFIX, strlen(ASIDE_PREFIX)) != 0)
		return false;
	memcpy(name, e->name, e->name_len);
	name[e->name_len] = '\0';
	n = node_child(&l->site->nodes, l->dir, name);
	return n && n->doomed;
}

static int on_entry(void *arg, const struct aftp_entry *e)
{
	struct listing_job *l = arg;
	int rc;

	if (e->dot)
		l->saw_dot = true;
	l->rough |= e->type != AFTP_TYPE_DIR && e->precision < AFTP_TIME_SECOND;
	if (is_doomed(l, e))
		return 0;
	rc = dirlist_add(l->list, e);
	if (!rc && dirlist_count(l->list) >= l->wanted)
		tell(l);
	return rc;
}

static void on_times(struct times *t, int status)
{
	job_ended(&((struct listing_job *)((char *)t - offsetof(struct listing_job, times)))->job, status);
}

/* 1: on_times() follows. */
static int ask_times(struct listing_job *l)
{
	int rc;

	l->times.cb = on_times;
	rc = times_ask(&l->times, pool_client(l->job.conn), &l->list, l->path);
	return rc < 0 ? rc : !rc;
}

static void on_listed(void *arg, int status, const struct aftp_list_result *r)
{
	struct listing_job *l = arg;

	l->transfer = NULL;
	if (status == 0) {
		bool whole = !r->truncated && !r->unknown && r->kind != AFTP_LISTING_NLST;

		/* A LIST that shows no "." may hide every name that begins with a dot. */
		dirlist_seal(l->list, whole, r->kind == AFTP_LISTING_MLSD || l->saw_dot);
		if (!whole)
			aftp_log(&l->site->log, AFTP_LOG_WARN, "%s: listing has holes (%llu lines not understood%s)",
				l->path, (unsigned long long)r->unknown, r->truncated ? ", cut by the server" : "");
		/* Not one line that makes sense is trouble, not an empty directory. */
		if (r->unknown && dirlist_count(l->list) == 0)
			status = AFTP_EIO;
	}
	if (status == 0 && asks_times(l))
		status = ask_times(l);
	if (status <= 0)
		job_ended(&l->job, status);
}

static void forget_changes(struct changes *c)
{
	dirlist_unref(c->put);
	dirlist_unref(c->removed);
	*c = (struct changes){ 0 };
}

/* One that is nearly over costs less than to stop it. */
static bool on_yield(void *arg, enum pool_class wanted, uint64_t waited_ms)
{
	struct listing_job *l = arg;

	(void)wanted;
	(void)waited_ms;
	if (!l->ahead || !l->transfer || aftp_transfer_bytes(l->transfer) < SMALL_LISTING)
		return false;
	l->yielded = true;
	aftp_transfer_cancel(l->transfer);
	return true;
}

/* A name can make the short way lose the connection, and the other connections do not know: the second time by the long one. */
static int ask(struct listing_job *l, struct aftp_client *client)
{
	int rc = aftp_client_few_facts(client, true);

	if (rc < 0)
		return rc;
	if (l->dir->attr.size > SMALL_DIR || l->job.attempts > 1)
		return aftp_client_list(client, &l->transfer, l->path, on_entry, on_listed, l);
	return aftp_client_list_small(client, &l->transfer, l->path, on_entry, on_listed, l);
}

static int start_listing(struct job *job, struct aftp_client *client)
{
	struct listing_job *l = (struct listing_job *)job;
	int rc;

	dirlist_unref(l->list);
	l->list = NULL;
	forget_changes(&l->changes);
	l->saw_dot = l->rough = false;
	rc = dirlist_new(&l->list);
	if (!rc)
		tell(l);
	if (!rc)
		rc = ask(l, client);
	if (!rc)
		pool_hold(job->conn, on_yield, l);
	return rc;
}

/* The server may have shown each of them before or after. */
static int merge_changes(struct listing_job *l)
{
	const struct changes *c = &l->changes;
	struct dirlist_entry e;
	int rc = c->lost ? AFTP_ENOMEM : 0;

	for (size_t i = 0; !rc && c->put && i < dirlist_count(c->put); i++) {
		dirlist_get(c->put, i, &e);
		rc = dirlist_set(&l->list, e.name, &e.attr, e.target);
	}
	for (size_t i = 0; !rc && c->removed && i < dirlist_count(c->removed); i++) {
		dirlist_get(c->removed, i, &e);
		rc = dirlist_remove(&l->list, e.name);
	}
	return rc;
}

static void learn(struct listing_job *l)
{
	struct attr self;
	struct writer *w;

	node_set_list(&l->site->nodes, l->dir, l->list, l->changes.doubted ? 0 : site_now(l->site));
	/* What is on its way to the server is not in its listing, or half. */
	DL_FOREACH (l->site->writers, w)
		if (w->node->parent == l->dir && !w->node->doomed && writer_has_content(w))
			node_list_put(&l->site->nodes, l->dir, w->node->name, &w->node->attr, NULL);
	if (l->dir->list) {
		dirlist_unref(l->list);
		l->list = dirlist_ref(l->dir->list);
	}
	if (l->dir == l->site->nodes.root && dirlist_self(l->list, &self) && self.type == AFTP_TYPE_DIR)
		node_set_attr(l->dir, &self, NULL, site_now(l->site));
}

static void listing_done(struct job *job, int status)
{
	struct listing_job *l = (struct listing_job *)job;
	struct site *s = l->site;
	struct listing_wait *w, *next;

	if (status == AFTP_ECANCELED && l->yielded && l->waiting && !s->closing) {
		l->yielded = false;
		job_run(job, POOL_METADATA);
		return;
	}
	l->dir->listing = NULL;
	l->dir->changes = NULL;
	if (status == 0)
		status = merge_changes(l);
	if (status == 0)
		learn(l);
	DL_FOREACH_SAFE (l->waiting, w, next) {
		DL_DELETE(l->waiting, w);
		w->job = NULL;
		w->cb(w, status, status ? NULL : l->list);
	}
	if (l->began_ahead)
		s->walks.running--;
	if (l->ahead && status)
		walk_failed(s, l->dir);
	dirlist_unref(l->list);
	forget_changes(&l->changes);
	node_unref(&s->nodes, l->dir);
	free(l->path);
	free(l);
	if (!s->closing && !status)
		walk_listed(s);
}

static int begin(struct site *s, struct node *dir, bool ahead)
{
	struct listing_job *l = calloc(1, sizeof *l);

	if (!l)
		return AFTP_ENOMEM;
	l->path = node_path(&s->nodes, dir, NULL);
	if (!l->path) {
		free(l);
		return AFTP_ENOMEM;
	}
	l->site = s;
	l->dir = node_ref(dir);
	l->ahead = l->began_ahead = ahead;
	l->job.pool = s->pool;
	l->job.start = start_listing;
	l->job.done = listing_done;
	dir->listing = l;
	dir->changes = &l->changes;
	job_run(&l->job, ahead ? POOL_AHEAD : POOL_METADATA);
	return 0;
}

/* The server may not show what we have changed. */
static bool lacks_changes(const struct listing_job *l)
{
	const struct changes *c = &l->changes;
	const struct writer *w;

	DL_FOREACH (l->site->writers, w)
		if (w->node->parent == l->dir && writer_has_content(w))
			return true;
	return c->put || c->removed || c->lost || c->doubted;
}

int listing_fetch(struct site *s, struct node *dir, struct listing_wait *w)
{
	int rc = dir->listing ? 0 : begin(s, dir, false);
	struct listing_job *l = dir->listing;

	if (rc)
		return rc;
	w->job = l;
	l->ahead = false;
	job_promote(&l->job, POOL_METADATA);
	DL_APPEND(l->waiting, w);
	if (lacks_changes(l))
		w->wanted = 0;
	listing_want(w, w->wanted);
	return 0;
}

void listing_want(struct listing_wait *w, size_t count)
{
	w->wanted = count;
	if (w->job && w->job->list)
		tell(w->job);
}

int listing_ahead(struct site *s, struct node *dir)
{
	int rc = begin(s, dir, true);

	s->walks.running += rc == 0;
	return rc;
}

void listing_leave(struct listing_wait *w)
{
	if (!w->job)
		return;
	DL_DELETE(w->job->waiting, w);
	w->job = NULL;
}
