#include "server/memtree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NAME_CAP = 255, LINKS_CAP = 40, OWNER_ID = 1000 };

/* --- nodes ----------------------------------------------------------------------------------------- */

void memtree_touch(struct memnode *n)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	n->mtime = ts.tv_sec;
	n->mtime_nsec = (uint32_t)ts.tv_nsec;
}

void memtree_ref(struct memnode *n)
{
	n->refs++;
}

void memtree_unref(struct memnode *n)
{
	if (!n || --n->refs > 0)
		return;
	content_unref(n->content);
	free(n->target);
	free(n->name);
	free(n);
}

static struct memnode *node_new(
	struct memtree *t, const char *name, enum aftp_type type, uint32_t mode, const char *target)
{
	struct memnode *n = calloc(1, sizeof(*n));
	if (!n)
		return NULL;
	n->refs = 1;
	n->type = type;
	n->mode = mode & 07777;
	n->unique = ++t->last_unique;
	n->name = strdup(name);
	if (type == AFTP_TYPE_FILE)
		n->content = content_new();
	if (target)
		n->target = strdup(target);
	if (!n->name || (type == AFTP_TYPE_FILE && !n->content) || (target && !n->target)) {
		memtree_unref(n);
		return NULL;
	}
	memtree_touch(n);
	return n;
}

void memtree_stat(const struct memnode *n, struct aftp_vfs_stat *st)
{
	*st = (struct aftp_vfs_stat){
		.type = n->type,
		.mode = n->mode,
		.nlink = n->type == AFTP_TYPE_DIR ? 2 + n->subdirs : 1,
		.uid = OWNER_ID,
		.gid = OWNER_ID,
		.size = n->content  ? n->content->size
			: n->target ? strlen(n->target)
				    : 0,
		.unique = n->unique,
		.mtime = n->mtime,
		.mtime_nsec = n->mtime_nsec,
	};
}

int memtree_init(struct memtree *t)
{
	t->last_unique = 0;
	t->root = node_new(t, "", AFTP_TYPE_DIR, 0755, NULL);
	return t->root ? 0 : -ENOMEM;
}

void memtree_finish(struct memtree *t)
{
	if (!t->root)
		return;
	memtree_remove(t->root);
	memtree_unref(t->root);
	t->root = NULL;
}

/* --- the tree -------------------------------------------------------------------------------------- */

struct memnode *memtree_child(struct memnode *dir, const char *name, size_t len)
{
	struct memnode *n = NULL;
	HASH_FIND(hh, dir->children, name, len, n);
	return n;
}

static int node_attach(struct memnode *n, struct memnode *dir)
{
	n->hh.tbl = NULL;
	HASH_ADD_KEYPTR(hh, dir->children, n->name, strlen(n->name), n);
	if (!n->hh.tbl)
		return -ENOMEM;
	n->parent = dir;
	if (n->type == AFTP_TYPE_DIR)
		dir->subdirs++;
	memtree_touch(dir);
	return 0;
}

static void node_detach(struct memnode *n)
{
	struct memnode *dir = n->parent;
	if (!dir)
		return;
	HASH_DELETE(hh, dir->children, n);
	n->parent = NULL;
	if (n->type == AFTP_TYPE_DIR)
		dir->subdirs--;
	memtree_touch(dir);
}

static int name_check(const char *name)
{
	if (strlen(name) > NAME_CAP)
		return -ENAMETOOLONG;
	if (name[0] == '\0' || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	return 0;
}

int memtree_add(struct memtree *t, struct memnode *dir, const char *name, enum aftp_type type, uint32_t mode,
	const char *target, struct memnode **out)
{
	int rc = name_check(name);
	if (rc < 0)
		return rc;
	if (memtree_child(dir, name, strlen(name)))
		return -EEXIST;
	struct memnode *n = node_new(t, name, type, mode, target);
	if (!n)
		return -ENOMEM;
	rc = node_attach(n, dir);
	if (rc < 0) {
		memtree_unref(n);
		return rc;
	}
	if (out)
		*out = n;
	return 0;
}

/* Walks down to a leaf, takes it, and goes on from its parent: no recursion, however deep the tree. */
void memtree_remove(struct memnode *top)
{
	struct memnode *n = top;
	for (;;) {
		while (n->children)
			n = n->children;
		struct memnode *parent = n->parent;
		if (n == top)
			break;
		node_detach(n);
		memtree_unref(n);
		n = parent;
	}
	if (top->parent) {
		node_detach(top);
		memtree_unref(top);
	}
}

int memtree_move(struct memnode *n, struct memnode *dir, const char *name)
{
	int rc = name_check(name);
	if (rc < 0)
		return rc;
	for (struct memnode *p = dir; p; p = p->parent)
		if (p == n)
			return -EINVAL;
	char *old = n->name, *copy = strdup(name);
	struct memnode *from = n->parent;
	if (!copy)
		return -ENOMEM;
	node_detach(n);
	n->name = copy;
	rc = node_attach(n, dir);
	if (rc == 0) {
		free(old);
		return 0;
	}
	n->name = old;
	free(copy);
	if (node_attach(n, from) < 0)
		memtree_unref(n);
	return rc;
}

/* --- paths ----------------------------------------------------------------------------------------- */

struct walk {
	struct memtree *tree;
	unsigned how;
	int links; /* followed so far */
};

static int walk_from(struct walk *w, struct memnode *at, const char *path, unsigned how, struct memnode **out);

static int walk_link(struct walk *w, struct memnode *link, struct memnode **out)
{
	if (++w->links > LINKS_CAP)
		return -ELOOP;
	struct memnode *from = link->target[0] == '/' ? w->tree->root : link->parent;
	return walk_from(w, from, link->target, w->how | MEMTREE_FOLLOW, out);
}

static int walk_step(
	struct walk *w, struct memnode *at, const char *name, size_t len, bool last, unsigned how, struct memnode **out)
{
	if (at->type != AFTP_TYPE_DIR)
		return -ENOTDIR;
	if ((how & MEMTREE_MODES) && !(at->mode & 0100))
		return -EACCES;
	if (len > NAME_CAP)
		return -ENAMETOOLONG;
	if (len == 1 && name[0] == '.') {
		*out = at;
		return 0;
	}
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		*out = at->parent ? at->parent : at;
		return 0;
	}
	struct memnode *n = memtree_child(at, name, len);
	if (!n)
		return -ENOENT;
	if (n->type == AFTP_TYPE_LINK && (!last || (how & MEMTREE_FOLLOW)))
		return walk_link(w, n, out);
	*out = n;
	return 0;
}

static int walk_from(struct walk *w, struct memnode *at, const char *path, unsigned how, struct memnode **out)
{
	for (;;) {
		path += strspn(path, "/");
		size_t len = strcspn(path, "/");
		if (len == 0)
			break;
		const char *rest = path + len + strspn(path + len, "/");
		int rc = walk_step(w, at, path, len, *rest == '\0', how, &at);
		if (rc < 0)
			return rc;
		path = rest;
	}
	*out = at;
	return 0;
}

int memtree_find(struct memtree *t, const char *path, unsigned how, struct memnode **out)
{
	struct walk w = { .tree = t, .how = how };
	return walk_from(&w, t->root, path, how, out);
}

int memtree_find_parent(struct memtree *t, const char *path, unsigned how, struct memnode **dir, const char **name)
{
	const char *slash = strrchr(path, '/');
	if (!slash || slash[1] == '\0')
		return slash == path ? -EBUSY : -EINVAL;
	*name = slash + 1;
	char *up = strndup(path, (size_t)(slash - path));
	if (!up)
		return -ENOMEM;
	int rc = memtree_find(t, up, how | MEMTREE_FOLLOW, dir);
	free(up);
	if (rc == 0 && (*dir)->type != AFTP_TYPE_DIR)
		rc = -ENOTDIR;
	if (rc == 0 && (how & MEMTREE_MODES) && !((*dir)->mode & 0100))
		rc = -EACCES;
	return rc;
}
