#include "client/cwd.h"

#include <aftp/status.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void give_up(struct op *op, int status)
{
	struct cwd *d = (struct cwd *)op;

	(void)status;
	d->lost = true;
	queue_done(d->queue, op);
}

void cwd_init(struct cwd *d, struct wire *w, struct queue *q, const struct aftp_features *f)
{
	*d = (struct cwd){ .op = { .exclusive = true, .fail = give_up }, .wire = w, .queue = q, .features = f };
}

void cwd_finish(struct cwd *d)
{
	free(d->dir);
	d->dir = NULL;
}

static void on_pwd(void *arg, int status, const struct aftp_reply *r)
{
	struct cwd *d = arg;
	char path[PATH_MAX];

	if (status < 0 || aftp_reply_quoted_path(r, path, sizeof path) < 0)
		return;
	free(d->dir);
	d->dir = strdup(path);
}

static void on_same(void *arg, int status, const struct aftp_reply *r)
{
	(void)arg;
	(void)status;
	(void)r;
}

int cwd_go(struct cwd *d, const char *path, wire_reply_cb *cb, void *arg)
{
	int rc = 0;

	if (!d->dir && !d->away)
		rc = wire_command(d->wire, 0, on_pwd, d, "PWD", NULL);
	if (rc == 0)
		rc = wire_command(d->wire, 0, cb, arg, "CWD", path);
	if (rc == 0)
		d->away = true;
	/* If that is refused, this one makes good for it. */
	if (rc == 0 && d->features->pure_ftpd)
		wire_command(d->wire, 0, on_same, NULL, "CWD", ".");
	return rc;
}

static void on_return(void *arg, int status, const struct aftp_reply *r)
{
	struct cwd *d = arg;

	if (status < 0)
		return;
	d->away = d->lost = r->code / 100 != 2;
	queue_done(d->queue, &d->op);
	d->wire->wake(d->wire->arg);
}

int cwd_return(struct cwd *d)
{
	int rc;

	if (!d->away)
		return 0;
	if (!d->dir || d->lost)
		return AFTP_ENOTSUP;
	rc = wire_command(d->wire, 0, on_return, d, "CWD", d->dir);
	if (rc < 0)
		return rc;
	d->queue->current = &d->op;
	return QUEUE_AGAIN;
}

static bool is_one_of(const char *verb, const char *const *list)
{
	for (; *list; list++)
		if (strcasecmp(verb, *list) == 0)
			return true;
	return false;
}

/* Those that change it: even an absolute path may be refused, and leaves things where they are. */
static bool changes(const char *verb)
{
	static const char *const verbs[] = { "CWD", "XCWD", "CDUP", "XCUP", "SMNT", "REIN", "USER", "PASS", NULL };

	return is_one_of(verb, verbs);
}

static bool matters(const char *verb, const char *argument)
{
	static const char *const never[] = { "NOOP", "SYST", "FEAT", "OPTS", "TYPE", "MODE", "STRU", "HELP", "ALLO",
		"REST", "CLNT", "LANG", "QUIT", "ABOR", NULL };

	if (changes(verb))
		return true;
	if (is_one_of(verb, never))
		return false;
	return !argument || argument[0] != '/';
}

int cwd_before(struct cwd *d, const char *verb, const char *argument)
{
	bool fresh = changes(verb) && argument && argument[0] == '/';
	int rc = 0;

	if (!matters(verb, argument))
		return 0;
	/* The caller goes somewhere else by itself. */
	if (!fresh || (d->dir && !d->lost))
		rc = cwd_return(d);
	if (rc == 0 && changes(verb)) {
		cwd_finish(d);
		d->away = d->lost = false;
	}
	return rc;
}
