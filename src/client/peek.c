#include "client/peek.h"

#include <stdlib.h>
#include <string.h>

#include "client/high.h"

static void end(struct peek *l, int status)
{
	char *path = l->path, *target = l->target;

	l->cb(l->arg, status, status == 0 ? &l->entry : NULL);
	free(path);
	free(target);
}

static void keep(struct peek *l, const struct aftp_entry *e)
{
	l->entry = *e;
	l->entry.name = high_last(l->path);
	l->entry.name_len = strlen(l->entry.name);
	l->entry.unique = l->entry.target = NULL;
	l->entry.unique_len = l->entry.target_len = 0;
	free(l->target);
	l->target = e->target ? strndup(e->target, e->target_len) : NULL;
	if (!l->target)
		return;
	l->entry.target = l->target;
	l->entry.target_len = e->target_len;
}

static int on_entry(void *arg, const struct aftp_entry *e)
{
	struct peek *l = arg;
	const char *name = high_last(l->path);

	if (e->dot || e->name_len != strlen(name) || memcmp(e->name, name, e->name_len) != 0)
		return 0;
	l->found = true;
	keep(l, e);
	return 0;
}

static bool lacks_it(int status, const struct aftp_list_result *r)
{
	if (status == AFTP_ENOENT || status == -ENOTDIR) /* the parent */
		return true;
	return status == 0 && r->unknown == 0 && !r->truncated;
}

static void on_listed(void *arg, int status, const struct aftp_list_result *r)
{
	struct peek *l = arg;

	l->listing = NULL;
	if (l->found && (status == 0 || status == AFTP_EREPLY))
		end(l, 0);
	else if (status == AFTP_ECANCELED || !aftp_client_alive(l->client))
		end(l, status);
	else if (l->status == 0) /* stat knows it, and not all of it */
		end(l, 0);
	else
		end(l, lacks_it(status, r) ? AFTP_ENOENT : l->status);
}

static int list_parent(struct peek *l)
{
	char *parent = high_parent(l->path);
	int rc;

	if (!parent)
		return AFTP_ENOMEM;
	rc = aftp_client_list(l->client, &l->listing, parent, on_entry, on_listed, l);
	free(parent);
	return rc;
}

static bool has_parent(const char *path)
{
	const char *name = high_last(path);

	return high_name_ok(name, strlen(name));
}

static bool is_vague(const struct aftp_entry *e)
{
	return e->type == AFTP_TYPE_UNKNOWN || (e->type == AFTP_TYPE_FILE && !(e->have & AFTP_HAVE_SIZE));
}

static void on_stat(void *arg, int status, const struct aftp_entry *e)
{
	struct peek *l = arg;
	bool vague = status == 0 ? is_vague(e) : status == AFTP_EREPLY || status == AFTP_ENOTSUP;

	l->status = status;
	if (status == 0)
		keep(l, e);
	if (vague && has_parent(l->path) && aftp_client_alive(l->client) && list_parent(l) == 0)
		return;
	end(l, status);
}

int peek_start(struct peek *l, struct aftp_client *c, const char *path, peek_cb *cb, void *arg)
{
	int rc;

	*l = (struct peek){ .client = c, .cb = cb, .arg = arg };
	l->path = high_trimmed(path);
	if (!l->path)
		return AFTP_ENOMEM;
	rc = aftp_client_stat(c, l->path, on_stat, l);
	if (rc < 0)
		free(l->path);
	return rc;
}

void peek_stop(struct peek *l)
{
	if (l->listing)
		aftp_transfer_cancel(l->listing);
}
