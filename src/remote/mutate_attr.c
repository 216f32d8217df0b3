/* mutate_attr - modes and times. There are several ways to set each, and servers have some of them: what a server does not know
 * is not tried again on the site, and what worked is tried first. */
#include <aftp/status.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "remote/mutate.h"
#include "remote/writer.h"

struct way {
	unsigned bit;
	const char *verb;
	bool (*offered)(const struct aftp_features *f);
};

static bool offers_mff(const struct aftp_features *f)
{
	return f->mff;
}

static bool may_mfmt(const struct aftp_features *f)
{
	return f->mfmt || !f->feat;
}

/* FEAT does not tell. */
static bool unknown(const struct aftp_features *f)
{
	(void)f;
	return true;
}

/* All but vsftpd. */
static bool may_utime(const struct aftp_features *f)
{
	return !f->stat_lists;
}

/* The best of those that are left; 0 when none is. */
static unsigned choose(const struct way *ways, size_t n, const struct aftp_features *f, unsigned known, unsigned used)
{
	if (known & ~used)
		return known;
	for (size_t i = 0; i < n; i++)
		if (!(ways[i].bit & used) && f && ways[i].offered(f))
			return ways[i].bit;
	return 0;
}

/* --- modes ---------------------------------------------------------------------------------------- */

enum { MODE_CHMOD = 1, MODE_MFF = 2 };

static const struct way mode_ways[] = {
	{ MODE_CHMOD, "SITE", unknown },
	{ MODE_MFF, "MFF", offers_mff },
};

static unsigned next_mode_way(const struct site *s, unsigned tried)
{
	return choose(mode_ways, sizeof mode_ways / sizeof *mode_ways, pool_features(s->pool), s->can.mode,
		tried | s->can.mode_refused);
}

bool mutation_send_mode(struct mutation *m, mode_t mode, unsigned *tried)
{
	unsigned way = next_mode_way(m->site, *tried);
	char *argument = NULL;

	m->way = way;
	if (!way)
		return false;
	if (asprintf(&argument, way == MODE_CHMOD ? "CHMOD %03o %s" : "UNIX.mode=%04o; %s", (unsigned)mode, m->path) <
		0)
		return false;
	*tried |= way;
	mutation_send(m, way == MODE_CHMOD ? "SITE" : "MFF", argument);
	free(argument);
	return true;
}

int mutation_mode_set(struct mutation *m)
{
	const struct mutation_reply *r = &m->reply[0];

	if (mutation_unknown(r)) {
		m->site->can.mode_refused |= m->way;
		return AFTP_ENOTSUP;
	}
	if (!mutation_done(r))
		return r->error ? r->error : AFTP_EPROTO;
	m->site->can.mode = m->way;
	return 0;
}

/* --- times ---------------------------------------------------------------------------------------- */

enum { TIME_MFMT = 1, TIME_MFF = 2, TIME_UTIME = 4, TIME_UTIME_UTC = 8, TIME_MDTM = 16 };

static const struct way time_ways[] = {
	{ TIME_MFMT, "MFMT", may_mfmt },
	{ TIME_MFF, "MFF", offers_mff },
	{ TIME_UTIME_UTC, "SITE", may_utime },
	{ TIME_UTIME, "SITE", may_utime },
	{ TIME_MDTM, "MDTM", unknown },
};

static char *time_argument(unsigned way, const char *t, const char *path)
{
	char *out = NULL;
	int n = -1;

	switch (way) {
	case TIME_MFF: n = asprintf(&out, "Modify=%s; %s", t, path); break;
	case TIME_UTIME: n = asprintf(&out, "UTIME %s %s", t, path); break;
	case TIME_UTIME_UTC: n = asprintf(&out, "UTIME %s %s %s %s UTC", path, t, t, t); break;
	default: n = asprintf(&out, "%s %s", t, path); break;
	}
	return n < 0 ? NULL : out;
}

/* YYYYMMDDHHMMSS */
static bool time_text(char out[15], int64_t sec)
{
	struct tm tm;
	time_t t = sec;

	if (!gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
		return false;
	return strftime(out, 15, "%Y%m%d%H%M%S", &tm) == 14;
}

/* A server that takes the time for part of a name may still say yes, and tell the time of something. */
static bool time_agrees(const struct mutation_reply *r, const char *t)
{
	const char *told = strcasestr(r->text, "modify=");

	told = told ? told + strlen("modify=") : r->text;
	if (strspn(told, "0123456789") < 14)
		return true; /* words */
	return !strncmp(told, t, 14);
}

/* --- setattr -------------------------------------------------------------------------------------- */

struct setting {
	struct mutation m; /* dir is the node itself */
	struct site_change change;
	unsigned tried;
	int error;
	bool changed;
	char time[15];
};

static struct setting *setting_of(struct mutation *m)
{
	return (struct setting *)m;
}

/* The server's "permission denied" for what only the owner may do. */
static void refuse(struct mutation *m)
{
	int error = mutation_refusal(setting_of(m)->error ? setting_of(m)->error : AFTP_ENOTSUP);

	mutation_end(m, error == AFTP_EACCES ? -EPERM : error);
}

/* What is known is mended, and no fresher than it was. */
static void learn(struct mutation *m, const struct attr *a)
{
	struct node *n = m->dir;

	if (n->parent && !n->gone && !n->doomed)
		node_list_put(&m->site->nodes, n->parent, n->name, a, n->target);
	n->attr = *a;
}

static bool newest(struct mutation *m, struct attr *a)
{
	struct node *n = m->dir;
	const char *target;

	*a = n->attr;
	return !n->parent || n->gone || mutation_known(n->parent, n, n->name, a, &target);
}

static void begin(struct mutation *m);

/* A server that knows no such command looks for what it takes for a name; the file may well be there. */
static int time_refusal(const struct mutation *m)
{
	int error = m->reply[0].error;
	bool understood = m->way & (TIME_MFMT | TIME_MFF | m->site->can.mtime);

	return error == AFTP_ENOENT && !understood ? AFTP_EREPLY : error;
}

static void time_answered(struct mutation *m)
{
	struct setting *t = setting_of(m);
	const struct mutation_reply *r = &m->reply[0];
	struct attr a;

	if (mutation_done(r) && time_agrees(r, t->time)) {
		m->site->can.mtime = m->way;
		if (newest(m, &a)) {
			a.mtime = t->change.mtime.tv_sec;
			a.mtime_nsec = 0;
			a.have |= AFTP_HAVE_MTIME;
			learn(m, &a);
		}
		t->change.set &= ~SITE_SET_MTIME;
		begin(m);
		return;
	}
	if (mutation_unknown(r) || mutation_done(r))
		m->site->can.mtime_refused |= m->way;
	else if (!t->error || t->error == AFTP_EREPLY)
		t->error = time_refusal(m);
	if (m->site->can.mtime & m->way)
		refuse(m); /* it is the right way, and says no to this one */
	else
		begin(m);
}

static void set_time(struct mutation *m)
{
	struct setting *t = setting_of(m);
	const struct site *s = m->site;
	char *argument;

	m->way = choose(time_ways, sizeof time_ways / sizeof *time_ways, pool_features(s->pool), s->can.mtime,
		t->tried | s->can.mtime_refused);
	if (!m->way) {
		refuse(m);
		return;
	}
	t->tried |= m->way;
	argument = time_argument(m->way, t->time, m->path);
	if (!argument) {
		mutation_end(m, AFTP_ENOMEM);
		return;
	}
	for (size_t i = 0; i < sizeof time_ways / sizeof *time_ways; i++)
		if (time_ways[i].bit == m->way)
			mutation_send(m, time_ways[i].verb, argument);
	free(argument);
	mutation_wait(m, time_answered);
}

static void mode_answered(struct mutation *m)
{
	struct setting *t = setting_of(m);
	int rc = mutation_mode_set(m);
	struct attr a;

	if (rc == AFTP_ENOTSUP) {
		begin(m);
		return;
	}
	if (rc) {
		t->error = rc;
		refuse(m);
		return;
	}
	if (newest(m, &a)) {
		a.mode = (uint16_t)(t->change.mode & 07777);
		a.have |= AFTP_HAVE_MODE;
		learn(m, &a);
	}
	t->change.set &= ~SITE_SET_MODE;
	t->tried = 0;
	begin(m);
}

/* What is left to be set. To set it twice does no harm. */
static void begin(struct mutation *m)
{
	struct setting *t = setting_of(m);

	if (t->change.set & SITE_SET_MODE) {
		if (mutation_send_mode(m, t->change.mode & 07777, &t->tried))
			mutation_wait(m, mode_answered);
		else
			refuse(m);
	} else if (t->change.set & SITE_SET_MTIME) {
		set_time(m);
	} else {
		mutation_end(m, 0);
	}
}

static void begin_anew(struct mutation *m)
{
	setting_of(m)->tried = 0;
	begin(m);
}

static int end(struct mutation *m, int status)
{
	if (status == 0)
		m->made = node_ref(m->dir);
	return status;
}

static const struct mutation_kind setting = { begin_anew, begin_anew, end, NULL };

static int set_by_name(struct site *s, struct node *n, const struct site_change *change, struct site_op **op,
	site_attr_cb *cb, void *arg)
{
	struct setting *t = mutation_new(s, sizeof *t, &setting, n, NULL);
	int rc;

	if (!t)
		return AFTP_ENOMEM;
	t->change = *change;
	if (change->set & SITE_SET_MTIME && !time_text(t->time, change->mtime.tv_sec)) {
		mutation_free(&t->m);
		return AFTP_EINVAL;
	}
	rc = mutation_ask(&t->m, op, cb, NULL, arg);
	if (rc)
		return rc;
	if (change->set & SITE_SET_MODE && n->writer)
		n->writer->mode_due = false; /* this one is later */
	mutation_hold(&t->m, n);
	mutation_run(&t->m);
	return 0;
}

struct mutation *mutate_mode(struct site *s, struct node *n, mode_t mode, site_done_cb *told, void *arg)
{
	struct setting *t = mutation_new(s, sizeof *t, &setting, n, NULL);

	if (!t)
		return NULL;
	t->change = (struct site_change){ .set = SITE_SET_MODE, .mode = mode };
	t->m.told = told;
	t->m.told_arg = arg;
	mutation_run(&t->m);
	return &t->m;
}

/* --- a size, and something else ------------------------------------------------------------------- */

struct resize {
	struct site_op op;
	struct site_op *inner; /* the change under way */
	uint64_t ino;
	struct site_change rest;
	struct site_attr attr;
	site_attr_cb *cb;
	void *arg;
};

static void resize_end(struct site_op *op)
{
	struct resize *z = (struct resize *)op;
	struct site_attr attr = z->attr;
	site_attr_cb *cb = z->cb;
	void *arg = z->arg;
	int status = op->status;

	op_free(op);
	cb(arg, status, status < 0 ? NULL : &attr);
}

static void resize_detach(struct site_op *op)
{
	struct resize *z = (struct resize *)op;

	if (z->inner)
		site_cancel(z->inner);
}

static void on_changed(void *arg, int status, const struct site_attr *attr)
{
	struct resize *z = arg;
	struct site *s = z->op.site;
	struct node *n = node_by_ino(&s->nodes, z->ino);

	z->inner = NULL;
	if (z->op.completed)
		return;
	if (attr)
		z->attr = *attr;
	if (status == 0 && z->rest.set) {
		struct site_change rest = z->rest;

		z->rest.set = 0;
		status = n ? set_by_name(s, n, &rest, &z->inner, on_changed, z) : -ESTALE;
		if (status == 0)
			return;
	}
	op_complete(&z->op, status);
}

static int resize(struct site *s, struct node *n, struct site_file *file, const struct site_change *change,
	struct site_op **op, site_attr_cb *cb, void *arg)
{
	struct resize *z = op_new(s, sizeof *z, resize_end, op);
	int rc;

	if (!z)
		return AFTP_ENOMEM;
	z->ino = n->ino;
	z->rest = *change;
	z->rest.set &= SITE_SET_MODE | SITE_SET_MTIME;
	z->cb = cb;
	z->arg = arg;
	z->op.detach = resize_detach;
	rc = writer_truncate(s, n, file, change->size, &z->inner, on_changed, z);
	if (rc)
		op_complete(&z->op, rc);
	return 0;
}

int site_setattr(struct site *s, uint64_t ino, struct site_file *file, const struct site_change *change,
	struct site_op **op, site_attr_cb *cb, void *arg)
{
	struct node *n;
	int rc = mutation_enter(s, ino, NULL, &n);

	if (rc)
		return rc;
	if (change->set & SITE_SET_OWNER)
		return -EPERM;
	if (change->set & SITE_SET_SIZE && n->attr.type == AFTP_TYPE_DIR)
		return -EISDIR;
	if (change->set & SITE_SET_SIZE)
		return resize(s, n, file, change, op, cb, arg);
	if (!(change->set & (SITE_SET_MODE | SITE_SET_MTIME)))
		return site_getattr(s, ino, op, cb, arg);
	return set_by_name(s, n, change, op, cb, arg);
}
