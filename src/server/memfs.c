#include "server/memfs.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 256 };

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

static struct aftp_memfs *memfs_of(struct aftp_vfs *vfs)
{
	return (struct aftp_memfs *)(void *)vfs;
}

/* --- names ----------------------------------------------------------------------------------------- */

static int op_stat(
	struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *path, bool follow, aftp_vfs_cb *cb, void *arg)
{
	struct aftp_memfs *fs = memfs_of(vfs);
	struct memnode *n;
	char *target = NULL;
	int rc = memtree_find(&fs->tree, path, MEMTREE_MODES | (follow ? MEMTREE_FOLLOW : 0), &n);
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
static int find_writable_parent(struct aftp_memfs *fs, const char *path, struct memnode **dir, const char **name)
{
	int rc = memtree_find_parent(&fs->tree, path, MEMTREE_MODES, dir, name);
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
	int rc = find_writable_parent(fs, path, &dir, &name);
	if (rc == 0)
		rc = memtree_add(&fs->tree, dir, name, AFTP_TYPE_DIR, mode, NULL, NULL);
	memfs_answer(fs, r, rc == -EBUSY ? -EEXIST : rc, cb, arg);
	return 0;
}

static int op_symlink(
	struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *target, const char *path, aftp_vfs_cb *cb, void *arg)
{
	struct aftp_memfs *fs = memfs_of(vfs);
	struct memnode *dir;
	const char *name;
	int rc = target[0] ? find_writable_parent(fs, path, &dir, &name) : -ENOENT;
	if (rc == 0)
		rc = memtree_add(&fs->tree, dir, name, AFTP_TYPE_LINK, 0777, target, NULL);
	memfs_answer(fs, r, rc, cb, arg);
	return 0;
}

static int remove_node(struct aftp_memfs *fs, const char *path, bool want_dir)
{
	struct memnode *dir;
	const char *name;
	int rc = find_writable_parent(fs, path, &dir, &name);
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
	memfs_answer(memfs_of(vfs), r, remove_node(memfs_of(vfs), path, true), cb, arg);
	return 0;
}

static int op_unlink(struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *path, aftp_vfs_cb *cb, void *arg)
{
	int rc = remove_node(memfs_of(vfs), path, false);
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

static int rename_node(struct aftp_memfs *fs, const char *from, const char *to)
{
	struct memnode *fdir, *tdir;
	const char *fname, *tname;
	int rc = find_writable_parent(fs, from, &fdir, &fname);
	if (rc == 0)
		rc = find_writable_parent(fs, to, &tdir, &tname);
	if (rc < 0)
		return rc;
	struct memnode *n = memtree_child(fdir, fname, strlen(fname));
	if (!n)
		return -ENOENT;
	struct memnode *old = memtree_child(tdir, tname, strlen(tname));
	if (old == n)
		return 0;
	for (const struct memnode *p = tdir; p; p = p->parent)
		if (p == n)
			return -EINVAL;
	rc = old ? check_replace(n, old) : 0;
	if (rc < 0)
		return rc;
	if (old)
		memtree_remove(old);
	return memtree_move(n, tdir, tname);
}

static int op_rename(
	struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *from, const char *to, aftp_vfs_cb *cb, void *arg)
{
	memfs_answer(memfs_of(vfs), r, rename_node(memfs_of(vfs), from, to), cb, arg);
	return 0;
}

static int op_set_mtime(struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *path, int64_t sec, uint32_t nsec,
	aftp_vfs_cb *cb, void *arg)
{
	struct aftp_memfs *fs = memfs_of(vfs);
	struct memnode *n;
	int rc = memtree_find(&fs->tree, path, MEMTREE_MODES | MEMTREE_FOLLOW, &n);
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
	int rc = memtree_find(&fs->tree, path, MEMTREE_MODES | MEMTREE_FOLLOW, &n);
	if (rc == 0)
		n->mode = mode & 07777;
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
	*d = (struct memdir){ .base.fs = &fs->vfs, .count = count, .text = text };
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
	int rc = memtree_find(&fs->tree, path, MEMTREE_MODES | MEMTREE_FOLLOW, &n);
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
};

int aftp_memfs_new(struct aftp_memfs **out, uv_loop_t *loop)
{
	struct aftp_memfs *fs = calloc(1, sizeof(*fs));
	if (!fs)
		return -ENOMEM;
	fs->vfs.ops = &memfs_ops;
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
	return &fs->vfs;
}
