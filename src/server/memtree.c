#include "server/memtree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NAME_CAP = 255, LINKS_CAP = 40, OWNER_ID = 1000 };

/* What a node takes of the budget: the same whatever it is named, so that renaming changes nothing. */
enum { NODE_BYTES = sizeof(struct memnode) + NAME_CAP + 1 + sizeof(struct content) };

/* --- nodes ----------------------------------------------------------------------------------------- */

void memtree_touch(struct memnode *n)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	n->mtime = ts.tv_sec;
	n->mtime_nsec = (uint32_t)ts.tv_nsec;
}

void memtree_resized(struct memnode *n, uint64_t before)
{
	n->tree->bytes += n->content->size - before;
}

uint64_t memtree_left(const struct memtree *t)
{
	return t->quota == 0 ? UINT64_MAX : t->quota > t->bytes ? t->quota - t->bytes : 0;
}

void memtree_ref(struct memnode *n)
{
	n->refs++;
}

static uint64_t node_bytes(const char *target)
{
	return NODE_BYTES + (target ? strlen(target) : 0);
}

void memtree_unref(struct memnode *n)
{
	if (!n || --n->refs > 0)
		return;
	if (n->content)
		n->tree->bytes -= n->content->size;
	budget_give(&n->tree->budget, node_bytes(n->target));
	content_unref(n->content);
	free(n->target);
	free(n->name);
	free(n);
}

static struct memnode *node_new(
	struct memtree *t, const char *name, enum aftp_type type, uint32_t mode, const char *target)
{
	if (!budget_take(&t->budget, node_bytes(target)))
		return NULL;
	struct memnode *n = calloc(1, sizeof(*n));
	char *own_name = strdup(name), *own_target = target ? strdup(target) : NULL;
	struct content *content = type == AFTP_TYPE_FILE ? content_new(&t->budget) : NULL;
	if (!n || !own_name || (target && !own_target) || (type == AFTP_TYPE_FILE && !content)) {
		budget_give(&t->budget, node_bytes(target));
		content_unref(content);
		free(own_target);
		free(own_name);
		free(n);
		return NULL;
	}
	*n = (struct memnode){ .tree = t,
		.name = own_name,
		.refs = 1,
		.type = type,
		.mode = mode & 07777,
		.unique = ++t->last_unique,
		.content = content,
		.target = own_target };
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
	*t = (struct memtree){ 0 };
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

/* Goes on with what a link says, and then with what was left. */
static int walk_link(struct memtree_walk *w, const struct memnode *link, const char *left)
{
	char *text;
	if (++w->links > LINKS_CAP)
		return -ELOOP;
	if (asprintf(&text, "%s/%s", link->target, left) < 0)
		return -ENOMEM;
	w->at = link->target[0] == '/' ? w->root : link->parent;
	free(w->text);
	w->rest = w->text = text;
	return 0;
}

static int walk_name(struct memtree_walk *w, size_t len, const char *left)
{
	const char *name = w->rest;
	struct memnode *n = w->at;
	if (n->type != AFTP_TYPE_DIR)
		return -ENOTDIR;
	if ((w->how & MEMTREE_MODES) && !(n->mode & 0100))
		return -EACCES;
	if (len > NAME_CAP)
		return -ENAMETOOLONG;
	if (len == 2 && name[0] == '.' && name[1] == '.')
		n = n == w->root ? n : n->parent;
	else if (len != 1 || name[0] != '.')
		n = memtree_child(n, name, len);
	if (!n)
		return -ENOENT;
	if (n->type == AFTP_TYPE_LINK && (*left || (w->how & MEMTREE_FOLLOW)))
		return walk_link(w, n, left);
	w->at = n;
	w->rest = left;
	return 0;
}

int memtree_walk(struct memtree_walk *w, struct memnode *root, const char *path, unsigned how)
{
	*w = (struct memtree_walk){ .root = root, .at = root, .rest = path, .how = how };
	for (;;) {
		w->rest += strspn(w->rest, "/");
		size_t len = strcspn(w->rest, "/");
		if (len == 0)
			return 0;
		int rc = walk_name(w, len, w->rest + len + strspn(w->rest + len, "/"));
		if (rc < 0)
			return rc;
	}
}

void memtree_walk_finish(struct memtree_walk *w)
{
	free(w->text);
	w->text = NULL;
}

int memtree_find(struct memnode *root, const char *path, unsigned how, struct memnode **out)
{
	struct memtree_walk w;
	int rc = memtree_walk(&w, root, path, how);
	memtree_walk_finish(&w);
	*out = w.at;
	return rc;
}
