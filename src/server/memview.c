#include "server/memview.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/path.h"

static struct memview *memview_of(struct aftp_vfs *vfs)
{
	return (struct memview *)(void *)vfs;
}

/* The base may come, go and be replaced: it is looked for anew each time. */
static int view_root(const struct memview *v, struct memnode **root)
{
	*root = v->fs->tree.root;
	if (!v->base)
		return 0;
	int rc = memtree_find(*root, v->base, MEMTREE_FOLLOW, root);
	return rc < 0 || (*root)->type == AFTP_TYPE_DIR ? rc : -ENOTDIR;
}

/* Where a node is below `root`. -ENAMETOOLONG. */
static int node_path(const struct memnode *root, const struct memnode *n, char *out)
{
	size_t at = PATH_CAP - 1;
	out[at] = '\0';
	for (; n && n != root; n = n->parent) {
		size_t len = strlen(n->name);
		if (len + 1 > at)
			return -ENAMETOOLONG;
		at -= len + 1;
		out[at] = '/';
		memcpy(out + at + 1, n->name, len);
	}
	memmove(out, out + at, PATH_CAP - at);
	return 0;
}

/* Asks the guard for `rest`, and `name` behind it, from the node on. */
static int view_check(
	const struct memview *v, const struct memtree_walk *w, const char *name, unsigned need, bool tree, char *where)
{
	char dir[PATH_CAP], upper[PATH_CAP], path[PATH_CAP];
	if (!v->guard.allows)
		return 0;
	int rc = node_path(w->root, w->at, dir);
	if (rc == 0)
		rc = path_resolve(dir, w->rest[0] == '/' ? w->rest + 1 : w->rest, upper);
	if (rc == 0)
		rc = path_resolve(upper, name, path);
	if (rc < 0 || !v->guard.allows(v->guard.arg, path, need, tree))
		return -EACCES;
	if (where)
		memcpy(where, path, strlen(path) + 1);
	return 0;
}

int memview_find(struct memview *v, const char *path, unsigned how, unsigned need, struct memnode **out)
{
	struct memnode *root;
	struct memtree_walk w;
	int rc = view_root(v, &root);
	if (rc < 0)
		return rc;
	rc = memtree_walk(&w, root, path, how | MEMTREE_MODES);
	if (view_check(v, &w, "", need, false, NULL) < 0)
		rc = -EACCES;
	*out = w.at;
	memtree_walk_finish(&w);
	return rc;
}

static int parent_usable(const struct memnode *dir)
{
	return dir->type != AFTP_TYPE_DIR ? -ENOTDIR : dir->mode & 0100 ? 0 : -EACCES;
}

int memview_find_parent(struct memview *v, const char *path, unsigned need, bool tree, char *where,
	struct memnode **dir, const char **name)
{
	const char *slash = strrchr(path, '/');
	struct memnode *root;
	struct memtree_walk w;
	if (!slash || slash[1] == '\0')
		return slash == path ? -EBUSY : -EINVAL;
	int rc = view_root(v, &root);
	if (rc < 0)
		return rc;
	char *up = strndup(path, (size_t)(slash - path));
	if (!up)
		return -ENOMEM;
	*name = slash + 1;
	rc = memtree_walk(&w, root, up, MEMTREE_FOLLOW | MEMTREE_MODES);
	*dir = w.at;
	if (rc == 0)
		rc = parent_usable(w.at);
	if (view_check(v, &w, *name, need, tree, where) < 0)
		rc = -EACCES;
	memtree_walk_finish(&w);
	free(up);
	return rc;
}

bool memview_moves(const struct memview *v, const char *from, const char *to)
{
	return !v->guard.allows || v->guard.moves(v->guard.arg, from, to);
}

int memview_new(struct aftp_vfs *vfs, const char *base, const struct aftp_vfs_guard *guard, struct aftp_vfs **out)
{
	struct memview *v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->vfs.ops = vfs->ops;
	v->fs = memview_of(vfs)->fs;
	if (guard)
		v->guard = *guard;
	if (base && strcmp(base, "/") != 0 && !(v->base = strdup(base))) {
		free(v);
		return -ENOMEM;
	}
	v->fs->handles++;
	*out = &v->vfs;
	return 0;
}

void memview_free(struct aftp_vfs *view)
{
	struct memview *v = view ? memview_of(view) : NULL;
	if (!v)
		return;
	v->fs->handles--;
	free(v->base);
	free(v);
}
