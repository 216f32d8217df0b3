/* stat - one path: MLST, else SIZE and MDTM in one segment, and CWD when both refuse (it may be a directory). With a server
 * whose MLST does not say why it refuses, SIZE leaves with it, and does.
 *
 * "Does not exist" is a strong thing to say: it takes the server's words, and no other answer that speaks against. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_impl.h"
#include "client/features.h"

struct stat_op {
	struct op op; /* first */
	struct aftp_client *c;
	aftp_stat_cb *cb;
	void *arg;
	char *path; /* as the server has it */
	char *name; /* as it was given */
	unsigned owed;
	int failed; /* the connection was lost meanwhile */
	int mlst_status, size_status,
		mdtm_status; /* 0, or what the refusal means; AFTP_ENOTSUP when it was not asked */
	bool target;         /* not of a link */
	struct aftp_entry entry;
};

static void release(struct stat_op *s)
{
	free(s->path);
	free(s->name);
	free(s);
}

static void end(struct stat_op *s, int status)
{
	aftp_stat_cb *cb = s->cb;
	void *arg = s->arg;

	queue_done(&s->c->queue, &s->op);
	client_wake(s->c);
	cb(arg, status, status == 0 ? &s->entry : NULL);
	release(s);
}

static void fail(struct op *op, int status)
{
	end((struct stat_op *)op, status);
}

/* The last component, as everywhere else; "/" and "" have none. */
static void set_name(struct stat_op *s)
{
	size_t n = strlen(s->name);
	const char *slash;

	while (n > 1 && s->name[n - 1] == '/')
		n--;
	slash = n > 1 ? memrchr(s->name, '/', n) : NULL;
	s->entry.name = slash ? slash + 1 : s->name;
	s->entry.name_len = n - (size_t)(s->entry.name - s->name);
	s->entry.dot = false;
}

static int refused(struct stat_op *s, const struct aftp_reply *r)
{
	client_set_error(s->c, aftp_reply_message(r));
	return r->code < 400 ? AFTP_EPROTO : aftp_reply_error(r);
}

/* --- CWD ------------------------------------------------------------------------------------------ */

static int verdict(const struct stat_op *s, int cwd_status)
{
	const int all[] = { s->size_status, s->mdtm_status, cwd_status };
	bool missing = s->size_status == AFTP_ENOENT || s->mdtm_status == AFTP_ENOENT ||
		(s->mlst_status == AFTP_EREPLY && cwd_status == AFTP_ENOENT);

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i] != AFTP_ENOENT && all[i] != AFTP_EREPLY && all[i] != AFTP_ENOTSUP)
			return all[i];
	/* CWD says so of files, too. */
	return missing ? AFTP_ENOENT : AFTP_EREPLY;
}

static void on_cwd(void *arg, int status, const struct aftp_reply *r)
{
	struct stat_op *s = arg;

	if (status < 0)
		return;
	if (r->code / 100 == 2) {
		s->entry.type = AFTP_TYPE_DIR;
		end(s, 0);
		return;
	}
	status = refused(s, r);
	if (status == -ENOTDIR) {
		s->entry.type = AFTP_TYPE_FILE;
		end(s, 0);
		return;
	}
	s->c->features.mlst_vague |= s->mlst_status == AFTP_EREPLY && status == AFTP_ENOENT;
	/* Something with a time is there. */
	end(s, s->mdtm_status == 0 ? 0 : verdict(s, status));
}

static void on_pwd(void *arg, int status, const struct aftp_reply *r)
{
	struct stat_op *s = arg;

	if (status < 0)
		return;
	s->entry.type = AFTP_TYPE_DIR;
	end(s, r->code == 257 ? 0 : refused(s, r));
}

static int start_cwd(struct op *op)
{
	struct stat_op *s = (struct stat_op *)op;

	/* Where we are. */
	if (!s->path[0])
		return wire_command(&s->c->wire, 0, on_pwd, s, "PWD", NULL);
	return cwd_go(&s->c->cwd, s->path, on_cwd, s);
}

/* In a turn of its own: it leaves the working directory, and nothing may be sent between. */
static void ask_cwd(struct stat_op *s)
{
	s->op.exclusive = true;
	s->op.start = start_cwd;
	queue_add_first(&s->c->queue, &s->op);
	client_wake(s->c);
}

/* --- SIZE and MDTM -------------------------------------------------------------------------------- */

/* MLST was enough. */
static bool told(const struct stat_op *s)
{
	return s->mlst_status != AFTP_ENOTSUP && (s->mlst_status != AFTP_EREPLY || !s->path[0]);
}

/* A reply is in, or will not come. */
static void answered(struct stat_op *s)
{
	if (--s->owed > 0)
		return;
	if (s->failed) {
		end(s, s->failed);
	} else if (told(s)) {
		end(s, s->mlst_status);
	} else if (s->size_status == 0) {
		s->entry.type = AFTP_TYPE_FILE;
		end(s, 0);
	} else if (s->mlst_status == AFTP_EREPLY && s->size_status == AFTP_ENOENT) {
		end(s, AFTP_ENOENT);
	} else {
		ask_cwd(s);
	}
}

static void on_size(void *arg, int status, const struct aftp_reply *r)
{
	struct stat_op *s = arg;

	s->failed = status;
	if (status == 0) {
		s->size_status = aftp_reply_size(r, &s->entry.size);
		if (s->size_status == 0)
			s->entry.have |= AFTP_HAVE_SIZE;
		else
			s->size_status = refused(s, r);
		s->c->features.no_size |= features_unknown_command(r->code);
	}
	answered(s);
}

static void on_mdtm(void *arg, int status, const struct aftp_reply *r)
{
	struct stat_op *s = arg;

	s->failed = status;
	if (status == 0) {
		s->mdtm_status = aftp_reply_mdtm(r, &s->entry.mtime, &s->entry.mtime_nsec);
		if (s->mdtm_status == 0) {
			s->entry.have |= AFTP_HAVE_MTIME;
			s->entry.precision = s->entry.mtime_nsec ? AFTP_TIME_NANO : AFTP_TIME_SECOND;
		} else {
			s->mdtm_status = refused(s, r);
		}
		s->c->features.no_mdtm |= features_unknown_command(r->code);
	}
	answered(s);
}

/* < 0 only when nothing was sent. */
static int ask_size(struct stat_op *s)
{
	const struct aftp_features *f = &s->c->features;
	int rc = 0;

	if (s->path[0] && features_may_size(f)) {
		rc = wire_command(&s->c->wire, 0, on_size, s, "SIZE", s->path);
		s->owed += rc == 0;
	}
	if (rc == 0 && s->path[0] && features_may_mdtm(f)) {
		rc = wire_command(&s->c->wire, 0, on_mdtm, s, "MDTM", s->path);
		s->owed += rc == 0;
	}
	if (s->owed > 0)
		return 0;
	if (rc == 0)
		ask_cwd(s);
	return rc;
}

/* --- MLST ----------------------------------------------------------------------------------------- */

/* The facts are on a line between the first and the last, behind a space; some servers leave the space out. */
static bool take_facts(struct stat_op *s, const struct aftp_reply *r)
{
	for (size_t i = 0; i < r->lines; i++) {
		size_t n;
		const char *line = aftp_reply_line(r, i, &n);

		if (i == 0 && r->lines > 1)
			continue;
		while (n > 0 && *line == ' ')
			line++, n--;
		if (memchr(line, '=', n) && aftp_entry_parse_mlsx(&s->entry, line, n) == AFTP_LINE_ENTRY)
			return true;
	}
	return false;
}

static void on_mlst(void *arg, int status, const struct aftp_reply *r)
{
	struct stat_op *s = arg;

	s->failed = status;
	if (status == 0 && features_unknown_command(r->code)) {
		s->c->features.no_mlst = true;
		s->failed = ask_size(s);
	} else if (status == 0 && r->code / 100 != 2) {
		s->mlst_status = refused(s, r);
	} else if (status == 0) {
		s->mlst_status = take_facts(s, r) ? 0 : AFTP_EPROTO;
		set_name(s);
	}
	answered(s);
}

/* < 0 only when nothing was sent. */
static int ask_mlst(struct stat_op *s)
{
	const struct aftp_features *f = &s->c->features;
	const char *path = s->path[0] ? s->path : NULL;
	int rc = wire_command(&s->c->wire, 0, on_mlst, s, "MLST", path);

	s->owed = rc == 0;
	if (rc == 0 && path && f->mlst_vague && features_may_size(f))
		s->owed += wire_command(&s->c->wire, 0, on_size, s, "SIZE", path) == 0;
	return rc;
}

static int start(struct op *op)
{
	struct stat_op *s = (struct stat_op *)op;
	struct aftp_client *c = s->c;
	int rc = s->path[0] == '/' ? 0 : cwd_return(&c->cwd);

	if (rc != 0)
		return rc;
	return s->target || !features_may_mlst(&c->features) ? ask_size(s) : ask_mlst(s);
}

static int ask(struct aftp_client *c, const char *path, bool target, aftp_stat_cb *cb, void *arg)
{
	struct stat_op *s;
	int rc;

	if (!path || !cb)
		return AFTP_EINVAL;
	s = calloc(1, sizeof *s);
	if (!s)
		return AFTP_ENOMEM;
	s->op.start = start;
	s->op.fail = fail;
	s->c = c;
	s->target = target;
	s->cb = cb;
	s->arg = arg;
	s->mlst_status = s->size_status = s->mdtm_status = AFTP_ENOTSUP;
	s->name = strdup(path);
	rc = s->name ? client_take_path(c, &s->path, path) : AFTP_ENOMEM;
	if (rc == 0)
		rc = client_ask(c, &s->op);
	if (rc < 0)
		release(s);
	else
		set_name(s);
	return rc;
}

int aftp_client_stat(struct aftp_client *c, const char *path, aftp_stat_cb *cb, void *arg)
{
	return ask(c, path, false, cb, arg);
}

int aftp_client_stat_target(struct aftp_client *c, const char *path, aftp_stat_cb *cb, void *arg)
{
	return ask(c, path, true, cb, arg);
}
