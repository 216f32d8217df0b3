#include "remote/times.h"

#include <aftp/status.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 200 };

struct question {
	struct times *times;
	size_t about; /* in the list */
};

static void take(struct times *t, size_t i, const struct aftp_reply *r)
{
	struct dirlist_entry e;
	int rc;

	dirlist_get(*t->list, i, &e);
	if (aftp_reply_mdtm(r, &e.attr.mtime, &e.attr.mtime_nsec) < 0)
		return;
	e.attr.have |= AFTP_HAVE_MTIME;
	rc = dirlist_set(t->list, e.name, &e.attr, NULL);
	if (rc < 0)
		t->status = rc;
}

static void go_on(struct times *t);

static void on_mdtm(void *arg, int status, const struct aftp_reply *r)
{
	struct question *q = arg;
	struct times *t = q->times;

	t->owed--;
	if (status < 0)
		t->status = status;
	else if (r->code == 500 || r->code == 502) /* there is no such command */
		t->next = dirlist_count(*t->list);
	else
		take(t, q->about, r);
	free(q);
	go_on(t);
	if (t->owed == 0)
		t->cb(t, t->status);
}

static int ask(struct times *t, const char *name, size_t about)
{
	const char *slash = strcmp(t->dir, "/") == 0 ? "" : "/";
	size_t size = strlen(t->dir) + strlen(name) + 2;
	struct question *q = malloc(sizeof *q);
	char *path = malloc(size);
	int rc = AFTP_ENOMEM;

	if (q && path) {
		*q = (struct question){ t, about };
		snprintf(path, size, "%s%s%s", t->dir, slash, name);
		rc = aftp_client_command(t->client, on_mdtm, q, "MDTM", path);
	}
	free(path);
	if (rc < 0)
		free(q);
	else
		t->owed++;
	return rc;
}

static void go_on(struct times *t)
{
	struct dirlist_entry e;

	while (t->status == 0 && t->owed < AT_ONCE && t->next < dirlist_count(*t->list)) {
		int rc = 0;

		dirlist_get(*t->list, t->next, &e);
		if (e.attr.type == AFTP_TYPE_FILE)
			rc = ask(t, e.name, t->next);
		/* A name that no command can have keeps the time of its listing. */
		if (rc < 0 && rc != AFTP_EBADNAME && rc != -EILSEQ)
			t->status = rc;
		t->next++;
	}
}

int times_ask(struct times *t, struct aftp_client *client, struct dirlist **list, const char *dir)
{
	const struct aftp_features *f = aftp_client_features(client);

	if (f->no_mdtm || (f->feat && !f->mdtm))
		return 1;
	*t = (struct times){ .cb = t->cb, .client = client, .list = list, .dir = dir };
	go_on(t);
	if (t->owed > 0)
		return 0;
	return t->status < 0 ? t->status : 1;
}
