/* mutate_publish - new content that was uploaded under a name of its own gets the file's name, by a rename that may leave the
 * old content or the new one, and nothing else. */
#include <stdlib.h>
#include <string.h>

#include "remote/mutate_rename.h"

struct mutation *mutate_publish(struct site *s, struct node *n, const char *temp, site_done_cb *told, void *arg)
{
	struct renaming *r = n->parent ? mutation_new(s, sizeof *r, &rename_kind, n->parent, temp) : NULL;

	if (!r)
		return NULL;
	r->publishing = true;
	r->phase = RENAME_MOVE;
	r->to = node_ref(n->parent);
	r->to_name = strdup(n->name);
	r->attr = n->attr;
	r->attr_known = true;
	mutate_aside_name(r->aside_name);
	if (!r->to_name) {
		mutation_free(&r->m);
		return NULL;
	}
	r->m.told = told;
	r->m.told_arg = arg;
	mutation_run(&r->m);
	return &r->m;
}
