#include "client/roll.h"

#include <stdlib.h>
#include <string.h>

#include "client/high.h"

enum { BYTES_MAX = 512 << 20 };

void roll_finish(struct roll *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->entries[i].name);
	free(r->entries);
	*r = (struct roll){ 0 };
}

static int grow(struct roll *r)
{
	size_t cap = r->cap ? r->cap * 2 : 32;
	struct roll_entry *entries = realloc(r->entries, cap * sizeof *entries);

	if (!entries)
		return AFTP_ENOMEM;
	r->entries = entries;
	r->cap = cap;
	return 0;
}

static int on_entry(void *arg, const struct aftp_entry *e)
{
	struct roll *r = arg;
	struct roll_entry *x;
	int rc;

	if (e->dot)
		return 0;
	if (!high_name_ok(e->name, e->name_len)) {
		r->holes = true;
		return 0;
	}
	r->bytes += sizeof *x + e->name_len + 1;
	if (r->bytes > BYTES_MAX)
		return AFTP_ETOOBIG;
	rc = r->n == r->cap ? grow(r) : 0;
	if (rc < 0)
		return rc;
	x = &r->entries[r->n];
	x->name = strndup(e->name, e->name_len);
	if (!x->name)
		return AFTP_ENOMEM;
	x->e = *e;
	x->e.name = x->e.target = x->e.unique = NULL;
	r->n++;
	return 0;
}

static void on_listed(void *arg, int status, const struct aftp_list_result *result)
{
	struct roll *r = arg;
	roll_cb *cb = r->cb;
	void *cb_arg = r->arg;

	r->listing = NULL;
	r->holes |= result->unknown > 0 || result->truncated;
	r->kind = result->kind;
	if (status < 0)
		roll_finish(r);
	cb(cb_arg, status);
}

int roll_start(struct roll *r, struct aftp_client *c, const char *path, roll_cb *cb, void *arg)
{
	*r = (struct roll){ .cb = cb, .arg = arg };
	return aftp_client_list(c, &r->listing, path, on_entry, on_listed, r);
}

void roll_stop(struct roll *r)
{
	if (r->listing)
		aftp_transfer_cancel(r->listing);
}
