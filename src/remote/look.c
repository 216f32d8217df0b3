#include "remote/look.h"

#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>

#include "remote/job.h"

void look_finish(struct look *l)
{
	free(l->path);
	free(l->dir);
	free(l->target);
	l->path = l->dir = l->target = NULL;
}

static int begin(struct look *l, struct aftp_client *client, const char *path)
{
	look_finish(l);
	l->client = client;
	l->attr = (struct attr){ 0 };
	l->entries = 0;
	l->listed = l->dots = false;
	l->path = strdup(path);
	return l->path ? 0 : AFTP_ENOMEM;
}

static int take(struct look *l, const struct aftp_entry *e)
{
	attr_from_entry(&l->attr, e);
	free(l->target);
	l->target = NULL;
	if (e->type != AFTP_TYPE_LINK || !e->target || memchr(e->target, '\0', e->target_len))
		return 0;
	l->target = strndup(e->target, e->target_len);
	return l->target ? 0 : AFTP_ENOMEM;
}

/* --- in the listing of its directory -------------------------------------------------------------- */

static int on_entry(void *arg, const struct aftp_entry *e)
{
	struct look *l = arg;

	if (e->dot) {
		l->dots = true;
		return 0;
	}
	if (e->name_len != strlen(l->name) || memcmp(e->name, l->name, e->name_len) != 0)
		return 0;
	l->listed = true;
	return take(l, e);
}

static void on_listed(void *arg, int status, const struct aftp_list_result *r)
{
	struct look *l = arg;

	if (status == AFTP_ENOENT)
		status = AFTP_EACCES; /* of the directory; what may have been meant by it is not ours to guess */
	else if (status < 0)
		status = job_is_network(status) ? status : AFTP_EACCES;
	else if (!l->listed && (r->truncated || r->unknown || r->kind == AFTP_LISTING_NLST))
		status = AFTP_EACCES;
	else if (!l->listed && l->name[0] == '.' && r->kind != AFTP_LISTING_MLSD && !l->dots)
		status = AFTP_EACCES; /* a name with a dot may be hidden */
	else if (!l->listed)
		status = AFTP_ENOENT;
	l->cb(l, status);
}

typedef int lister(struct aftp_client *c, struct aftp_transfer **out, const char *path, aftp_entry_cb *entry,
	aftp_list_cb *done, void *arg);

static int list_directory(struct look *l, lister *list)
{
	struct aftp_transfer *t;
	const char *slash = strrchr(l->path, '/');

	if (!slash || slash[1] == '\0')
		return AFTP_EACCES;
	l->name = slash + 1;
	l->dir = strndup(l->path, slash == l->path ? 1 : (size_t)(slash - l->path));
	if (!l->dir)
		return AFTP_ENOMEM;
	return list(l->client, &t, l->dir, on_entry, on_listed, l);
}

/* --- alone ---------------------------------------------------------------------------------------- */

static void on_stat(void *arg, int status, const struct aftp_entry *e)
{
	struct look *l = arg;

	if (status == 0)
		status = take(l, e);
	if (status == AFTP_EREPLY || status == AFTP_ENOTSUP) {
		status = list_directory(l, aftp_client_list);
		if (status == 0)
			return;
	}
	l->cb(l, status);
}

int look_at(struct look *l, struct aftp_client *client, const char *path)
{
	int rc = begin(l, client, path);

	return rc ? rc : aftp_client_stat(client, path, on_stat, l);
}

int look_for_none(struct look *l, struct aftp_client *client, const char *path)
{
	const struct aftp_features *f = aftp_client_features(client);
	int rc;

	if (!f->stat_lists || f->no_stat_lists)
		return look_at(l, client, path);
	rc = begin(l, client, path);
	return rc ? rc : list_directory(l, aftp_client_list_small);
}

int look_for_link(struct look *l, struct aftp_client *client, const char *path)
{
	int rc = begin(l, client, path);

	return rc ? rc : list_directory(l, aftp_client_list_plain);
}

/* --- what is in a directory ----------------------------------------------------------------------- */

static int on_inner(void *arg, const struct aftp_entry *e)
{
	struct look *l = arg;

	l->entries += !e->dot;
	return 0;
}

static void on_inside(void *arg, int status, const struct aftp_list_result *r)
{
	struct look *l = arg;

	/* A line that makes no sense is something, too. */
	if (status == 0)
		l->entries += r->unknown + r->truncated;
	l->cb(l, status == AFTP_EREPLY ? AFTP_EACCES : status);
}

int look_inside(struct look *l, struct aftp_client *client, const char *path)
{
	struct aftp_transfer *t;
	int rc = begin(l, client, path);

	return rc ? rc : aftp_client_list(client, &t, path, on_inner, on_inside, l);
}
