#include "server/memfs.h"

#include <aftp/server.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/memview.h"
#include "server/path.h"

enum { BATCH = 256 };

static_assert((int)AFTP_MAY_READ == (int)AFTP_VFS_READ && (int)AFTP_MAY_WRITE == (int)AFTP_VFS_WRITE,
	"what a user may is what a guard is asked for");

/* Lives in aftp_vfs_req.reserved. */
struct answer {
	struct later_item item; /* first: an answer, and the request around it, is found from it */
	char *target;           /* freed after the callback */
	int status;
};
static_assert(sizeof(struct answer) <= sizeof(((struct aftp_vfs_req *)0)->reserved), "an answer fits into a request");

static struct answer *answer_of(struct aftp_vfs_req *r)
{
	return (struct answer *)(void *)r->reserved;
}

static void answer_run(struct later_item *item)
{
	struct aftp_vfs_req *r = (struct aftp_vfs_req *)(void *)item;
	struct answer *a = answer_of(r);
	char *target = a->target;
	r->cb(r->arg, a->status);
	free(target);
}

void memfs_answer(struct aftp_memfs *fs, struct aftp_vfs_req *r, int status, aftp_vfs_cb *cb, void *arg)
{
	struct answer *a = answer_of(r);
	*a = (struct answer){ .item = { .run = answer_run }, .status = status };
	r->cb = cb;
	r->arg = arg;
	later_add(fs->later, &a->item);
}

static struct memview *view_of(struct aftp_vfs *vfs)
{
	return (struct memview *)(void *)vfs;
}

static struct aftp_memfs *memfs_of(struct aftp_vfs *vfs)
{
	return view_of(vfs)->fs;
}

/* What has no room in the budget is a full disk to those who ask. */
static int no_space(int rc)
{
	return rc == -ENOMEM ? -ENOSPC : rc;
}

/* --- names ----------------------------------------------------------------------------------------- */

static int op_stat(
	struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *path, unsigned flags, aftp_vfs_cb *cb, void *arg)
{
	struct aftp_memfs *fs = memfs_of(vfs);
	struct memnode *n;
	char *target = NULL;
	int rc = memview_find(view_of(vfs), path, flags & AFTP_VFS_FOLLOW ? MEMTREE_FOLLOW : 0,
		flags & (AFTP_VFS_READ | AFTP_VFS_WRITE), &n);
	if (rc == 0) {
		memtree_stat(n, &r->st);
		if (n->target && !(target = strdup(n->target)))
			return -ENOMEM;
	}
	memfs_answer(fs, r, rc, cb, arg);
	r->target = answer_of(r)->target = target;
	return 0;
}

/* The directory to change, and the name in it. */
static int find_writable_parent(struct memview *v, const char *path, struct memnode **dir, const char **name)
{
	int rc = memview_find_parent(v, path, AFTP_VFS_WRITE, false, NULL, dir, name);
	if (rc == 0 && !((*dir)->mode & 0200))
		rc = -EACCES;
	return rc;
}

static int op_mkdir(
	struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *path, uint32_t mode, aftp_vfs_cb *cb, void *arg)
{
	struct aftp_memfs *fs = memfs_of(vfs);
	struct memnode *dir;
	const char *name;
	int rc = find_writable_parent(view_of(vfs), path, &dir, &name);
	if (rc == 0)
		rc = memtree_add(&fs->tree, dir, name, AFTP_TYPE_DIR, mode, NULL, NULL);
	memfs_answer(fs, r, rc == -EBUSY ? -EEXIST : no_space(rc), cb, arg);
	return 0;
}

static int op_symlink(
	struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *target, const char *path, aftp_vfs_cb *cb, void *arg)
{
	struct aftp_memfs *fs = memfs_of(vfs);
	struct memnode *dir;
	const char *name;
	int rc = target[0] ? find_writable_parent(view_of(vfs), path, &dir, &name) : -ENOENT;
	if (rc == 0)
		rc = memtree_add(&fs->tree, dir, name, AFTP_TYPE_LINK, 0777, target, NULL);
	memfs_answer(fs, r, rc == -EBUSY ? -EEXIST : no_space(rc), cb, arg);
	return 0;
}

static int remove_node(struct memview *v, const char *path, bool want_dir)
{
	struct memnode *dir;
	const char *name;
	int rc = find_writable_parent(v, path, &dir, &name);
	if (rc < 0)
		return rc;
	struct memnode *n = memtree_child(dir, name, strlen(name));
	if (!n)
		return -ENOENT;
	if (want_dir && n->type != AFTP_TYPE_DIR)
		return -ENOTDIR;
	if (!want_dir && n->type == AFTP_TYPE_DIR)
		return -EISDIR;
	if (n->children)
		return -ENOTEMPTY;
	memtree_remove(n);
	return 0;
}

static int op_rmdir(struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *path, aftp_vfs_cb *cb, void *arg)
{
	memfs_answer(memfs_of(vfs), r, remove_node(view_of(vfs), path, true), cb, arg);
	return 0;
}

static int op_unlink(struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *path, aftp_vfs_cb *cb, void *arg)
{
	int rc = remove_node(view_of(vfs), path, false);
	memfs_answer(memfs_of(vfs), r, rc == -EBUSY ? -EISDIR : rc, cb, arg);
	return 0;
}

static int check_replace(const struct memnode *from, const struct memnode *to)
{
	if (from->type == AFTP_TYPE_DIR && to->type != AFTP_TYPE_DIR)
		return -ENOTDIR;
	if (from->type != AFTP_TYPE_DIR && to->type == AFTP_TYPE_DIR)
		return -EISDIR;
	return to->children ? -ENOTEMPTY : 0;
}

/* Both ends, with all below them, may be changed, and the one may become the other. */
static int rename_ends(struct memview *v, const char *from, const char *to, struct memnode **dir, const char **name)
{
	char old_path[PATH_CAP], new_path[PATH_CAP];
	int rc = memview_find_parent(v, from, AFTP_VFS_WRITE, true, old_path, &dir[0], &name[0]);
	if (rc == 0)
		rc = memview_find_parent(v, to, AFTP_VFS_WRITE, true, new_path, &dir[1], &name[1]);
	if (rc < 0)
		return rc;
	bool may = (dir[0]->mode & 0200) && (dir[1]->mode & 0200) && memview_moves(v, old_path, new_path);
	return may ? 0 : -EACCES;
}

static int rename_node(struct memview *v, const char *from, const char *to)
{
	struct memnode *dir[2];
	const char *name[2];
	int rc = rename_ends(v, from, to, dir, name);
	if (rc < 0)
		return rc;
	struct memnode *n = memtree_child(dir[0], name[0], strlen(name[0]));
	if (!n)
		return -ENOENT;
	struct memnode *old = memtree_child(dir[1], name[1], strlen(name[1]));
	if (old == n)
		return 0;
	for (const struct memnode *p = dir[1]; p; p = p->parent)
		if (p == n)
			return -EINVAL;
	rc = old ? check_replace(n, old) : 0;
	if (rc < 0)
		return rc;
	if (old)
		memtree_remove(old);
	return memtree_move(n, dir[1], name[1]);
}

static int op_rename(
	struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *from, const char *to, aftp_vfs_cb *cb, void *arg)
{
	memfs_answer(memfs_of(vfs), r, rename_node(view_of(vfs), from, to), cb, arg);
	return 0;
}

static int op_set_mtime(struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *path, int64_t sec, uint32_t nsec,
	aftp_vfs_cb *cb, void *arg)
{
	struct aftp_memfs *fs = memfs_of(vfs);
	struct memnode *n;
	int rc = memview_find(view_of(vfs), path, MEMTREE_FOLLOW, AFTP_VFS_WRITE, &n);
	if (rc == 0) {
		n->mtime = sec;
		n->mtime_nsec = nsec;
	}
	memfs_answer(fs, r, rc, cb, arg);
	return 0;
}

static int op_chmod(
	struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *path, uint32_t mode, aftp_vfs_cb *cb, void *arg)
{
	struct aftp_memfs *fs = memfs_of(vfs);
	struct memnode *n;
	int rc = memview_find(view_of(vfs), path, MEMTREE_FOLLOW, AFTP_VFS_WRITE, &n);
	if (rc == 0)
		n->mode = mode & 07777;
	memfs_answer(fs, r, rc, cb, arg);
	return 0;
}

/* --- copies and room ------------------------------------------------------------------------------- */

/* What is to be there instead of what may be there; -EDQUOT when the files would be too big together. */
static int copy_content(struct memnode *from, struct memnode *to)
{
	struct content *c;
	uint64_t before = to->content->size, size = from->content->size;
	if (size > before && size - before > memtree_left(to->tree))
		return -EDQUOT;
	int rc = memfile_snapshot(from, &c);
	if (rc < 0)
		return rc;
	content_unref(to->content);
	to->content = c;
	memtree_resized(to, before);
	return 0;
}

static int copy_into(struct memnode *from, struct memnode *dir, const char *name)
{
	struct memnode *to = memtree_child(dir, name, strlen(name)), *made = NULL;
	if (to == from)
		return -EINVAL;
	if (to && to->type != AFTP_TYPE_FILE)
		return to->type == AFTP_TYPE_DIR ? -EISDIR : -EEXIST;
	if (to && !(to->mode & 0200))
		return -EACCES;
	int rc = to ? 0 : memtree_add(dir->tree, dir, name, AFTP_TYPE_FILE, from->mode, NULL, &made);
	to = made ? made : to;
	if (rc == 0)
		rc = copy_content(from, to);
	if (rc == 0) {
		to->mode = from->mode;
		to->mtime = from->mtime;
		to->mtime_nsec = from->mtime_nsec;
	} else if (made) {
		memtree_remove(made);
	}
	return rc;
}

static int copy_node(struct memview *v, const char *from, const char *to)
{
	struct memnode *n = NULL, *dir = NULL;
	const char *name = NULL;
	int rc = memview_find(v, from, MEMTREE_FOLLOW, AFTP_VFS_READ, &n);
	if (rc == 0)
		rc = n->type != AFTP_TYPE_FILE ? -EISDIR : n->mode & 0400 ? 0 : -EACCES;
	if (rc == 0)
		rc = memview_find_parent(v, to, AFTP_VFS_WRITE, false, NULL, &dir, &name);
	if (rc == 0 && !memtree_child(dir, name, strlen(name)) && !(dir->mode & 0200))
		rc = -EACCES;
	return rc == 0 ? no_space(copy_into(n, dir, name)) : rc;
}

static int op_copy(
	struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *from, const char *to, aftp_vfs_cb *cb, void *arg)
{
	memfs_answer(memfs_of(vfs), r, copy_node(view_of(vfs), from, to), cb, arg);
	return 0;
}

static uint64_t min_space(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static int op_space(struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *path, aftp_vfs_cb *cb, void *arg)
{
	struct aftp_memfs *fs = memfs_of(vfs);
	const struct budget *b = &fs->tree.budget;
	struct memnode *n;
	int rc = memview_find(view_of(vfs), path, MEMTREE_FOLLOW, 0, &n);
	r->space = min_space(memtree_left(&fs->tree), uv_get_free_memory());
	if (b->max > 0)
		r->space = min_space(r->space, b->max > b->used ? b->max - b->used : 0);
	memfs_answer(fs, r, rc, cb, arg);
	return 0;
}

/* --- directories ----------------------------------------------------------------------------------- */

/* A copy of the directory: nothing that happens to the tree afterwards shows in it. */
struct memdir {
	struct aftp_vfs_dir base; /* first */
	size_t at, count;
	char *text; /* the names and targets */
	struct aftp_vfs_dirent entries[];
};

static struct memdir *memdir_new(struct aftp_memfs *fs, const struct memnode *dir)
{
	size_t count = HASH_COUNT(dir->children), bytes = 0;
	for (const struct memnode *n = dir->children; n; n = n->hh.next)
		bytes += strlen(n->name) + 1 + (n->target ? strlen(n->target) + 1 : 0);
	struct memdir *d = malloc(sizeof(*d) + count * sizeof(d->entries[0]));
	char *text = malloc(bytes + 1), *p = text;
	if (!d || !text) {
		free(d);
		free(text);
		return NULL;
	}
	*d = (struct memdir){ .base.fs = &fs->whole.vfs, .count = count, .text = text };
	struct aftp_vfs_dirent *e = d->entries;
	for (const struct memnode *n = dir->children; n; n = n->hh.next, e++) {
		memtree_stat(n, &e->st);
		e->name = p;
		p = stpcpy(p, n->name) + 1;
		e->target = n->target ? p : NULL;
		if (n->target)
			p = stpcpy(p, n->target) + 1;
	}
	fs->handles++;
	return d;
}

static int op_opendir(struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *path, aftp_vfs_cb *cb, void *arg)
{
	struct aftp_memfs *fs = memfs_of(vfs);
	struct memnode *n;
	struct memdir *d = NULL;
	int rc = memview_find(view_of(vfs), path, MEMTREE_FOLLOW, AFTP_VFS_READ, &n);
	if (rc == 0 && n->type != AFTP_TYPE_DIR)
		rc = -ENOTDIR;
	if (rc == 0 && !(n->mode & 0400))
		rc = -EACCES;
	if (rc == 0 && !(d = memdir_new(fs, n)))
		rc = -ENOMEM;
	r->dir = d ? &d->base : NULL;
	memfs_answer(fs, r, rc, cb, arg);
	return 0;
}

static int op_readdir(struct aftp_vfs_dir *base, struct aftp_vfs_req *r, aftp_vfs_cb *cb, void *arg)
{
	struct memdir *d = (struct memdir *)(void *)base;
	size_t left = d->count - d->at;
	r->entries = d->entries + d->at;
	r->count = left < BATCH ? left : BATCH;
	d->at += r->count;
	memfs_answer(memfs_of(base->fs), r, 0, cb, arg);
	return 0;
}

static void op_closedir(struct aftp_vfs_dir *base)
{
	struct memdir *d = (struct memdir *)(void *)base;
	memfs_of(base->fs)->handles--;
	free(d->text);
	free(d);
}

/* --- life ------------------------------------------------------------------------------------------ */

static const struct aftp_vfs_ops memfs_ops = {
	.stat = op_stat,
	.open = memfile_open,
	.opendir = op_opendir,
	.mkdir = op_mkdir,
	.rmdir = op_rmdir,
	.unlink = op_unlink,
	.rename = op_rename,
	.set_mtime = op_set_mtime,
	.chmod = op_chmod,
	.symlink = op_symlink,
	.read = memfile_read,
	.release = memfile_release,
	.lend = memfile_lend,
	.filled = memfile_filled,
	.writable = memfile_writable,
	.close = memfile_close,
	.readdir = op_readdir,
	.closedir = op_closedir,
	.copy = op_copy,
	.space = op_space,
	.view = memview_new,
	.unview = memview_free,
};

int aftp_memfs_new(struct aftp_memfs **out, uv_loop_t *loop)
{
	struct aftp_memfs *fs = calloc(1, sizeof(*fs));
	if (!fs)
		return -ENOMEM;
	fs->whole.vfs.ops = &memfs_ops;
	fs->whole.fs = fs;
	int rc = memtree_init(&fs->tree);
	if (rc == 0)
		rc = later_new(&fs->later, loop);
	if (rc < 0) {
		memtree_finish(&fs->tree);
		free(fs);
		return rc;
	}
	*out = fs;
	return 0;
}

void aftp_memfs_close(struct aftp_memfs **fsp)
{
	struct aftp_memfs *fs = *fsp;
	if (!fs)
		return;
	*fsp = NULL;
	assert(fs->handles == 0);
	later_close(&fs->later);
	memtree_finish(&fs->tree);
	free(fs);
}

struct aftp_vfs *aftp_memfs_vfs(struct aftp_memfs *fs)
{
	return &fs->whole.vfs;
}

void aftp_memfs_set_limits(struct aftp_memfs *fs, uint64_t quota, uint64_t memory)
{
	fs->tree.quota = quota;
	fs->tree.budget.max = memory;
}

void aftp_memfs_usage(const struct aftp_memfs *fs, uint64_t *bytes, uint64_t *memory)
{
	*bytes = fs->tree.bytes;
	*memory = fs->tree.budget.used;
}
