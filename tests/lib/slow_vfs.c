#include "lib/slow_vfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct slow_vfs {
	struct aftp_vfs base; /* first */
	struct aftp_vfs *inner;
	uv_loop_t *loop;
	uint64_t answers;
	unsigned under_way, open;
};

struct slow_file {
	struct aftp_vfs_file base; /* first */
	struct aftp_vfs_file *inner;
};

struct slow_dir {
	struct aftp_vfs_dir base; /* first */
	struct aftp_vfs_dir *inner;
};

/* One answer that is late. */
struct late {
	uv_timer_t timer;
	struct slow_vfs *slow;
	struct aftp_vfs_req *r;
	aftp_vfs_cb *cb;
	void *arg;
	int status;
	bool wants_target;
	char *target;
};

static struct slow_vfs *slow_of(struct aftp_vfs *vfs)
{
	return (struct slow_vfs *)(void *)vfs;
}

static void free_late(uv_handle_t *h)
{
	struct late *l = h->data;
	free(l->target);
	free(l);
}

static void on_time(uv_timer_t *timer)
{
	struct late *l = timer->data;
	l->slow->under_way--;
	l->slow->answers++;
	if (l->wants_target)
		l->r->target = l->target;
	l->cb(l->arg, l->status);
	uv_close((uv_handle_t *)timer, free_late);
}

static void on_answer(void *arg, int status)
{
	struct late *l = arg;
	l->status = status;
	l->target = status == 0 && l->wants_target && l->r->target ? strdup(l->r->target) : NULL;
	uv_timer_start(&l->timer, on_time, 1 + l->slow->answers % 4, 0);
}

static struct late *late(struct aftp_vfs *vfs, struct aftp_vfs_req *r, aftp_vfs_cb *cb, void *arg)
{
	struct late *l = calloc(1, sizeof(*l));
	assert_non_null(l);
	l->slow = slow_of(vfs);
	l->r = r;
	l->cb = cb;
	l->arg = arg;
	l->timer.data = l;
	uv_timer_init(l->slow->loop, &l->timer);
	l->slow->under_way++;
	return l;
}

/* The operation has begun, or has not: then nobody is called. */
static int begun(struct late *l, int rc)
{
	if (rc == 0)
		return 0;
	l->slow->under_way--;
	uv_close((uv_handle_t *)&l->timer, free_late);
	return rc;
}

/* --- names ----------------------------------------------------------------------------------------- */

#define INNER(vfs) slow_of(vfs)->inner

static void on_stat(void *arg, int status)
{
	struct late *l = arg;
	l->wants_target = true;
	on_answer(l, status);
}

static int op_stat(
	struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *path, unsigned flags, aftp_vfs_cb *cb, void *arg)
{
	struct late *l = late(vfs, r, cb, arg);
	return begun(l, INNER(vfs)->ops->stat(INNER(vfs), r, path, flags, on_stat, l));
}

static int op_mkdir(
	struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *path, uint32_t mode, aftp_vfs_cb *cb, void *arg)
{
	struct late *l = late(vfs, r, cb, arg);
	return begun(l, INNER(vfs)->ops->mkdir(INNER(vfs), r, path, mode, on_answer, l));
}

static int op_rmdir(struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *path, aftp_vfs_cb *cb, void *arg)
{
	struct late *l = late(vfs, r, cb, arg);
	return begun(l, INNER(vfs)->ops->rmdir(INNER(vfs), r, path, on_answer, l));
}

static int op_unlink(struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *path, aftp_vfs_cb *cb, void *arg)
{
	struct late *l = late(vfs, r, cb, arg);
	return begun(l, INNER(vfs)->ops->unlink(INNER(vfs), r, path, on_answer, l));
}

static int op_rename(
	struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *from, const char *to, aftp_vfs_cb *cb, void *arg)
{
	struct late *l = late(vfs, r, cb, arg);
	return begun(l, INNER(vfs)->ops->rename(INNER(vfs), r, from, to, on_answer, l));
}

static int op_set_mtime(struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *path, int64_t sec, uint32_t nsec,
	aftp_vfs_cb *cb, void *arg)
{
	struct late *l = late(vfs, r, cb, arg);
	return begun(l, INNER(vfs)->ops->set_mtime(INNER(vfs), r, path, sec, nsec, on_answer, l));
}

static int op_chmod(
	struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *path, uint32_t mode, aftp_vfs_cb *cb, void *arg)
{
	struct late *l = late(vfs, r, cb, arg);
	return begun(l, INNER(vfs)->ops->chmod(INNER(vfs), r, path, mode, on_answer, l));
}

static int op_symlink(
	struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *target, const char *path, aftp_vfs_cb *cb, void *arg)
{
	struct late *l = late(vfs, r, cb, arg);
	return begun(l, INNER(vfs)->ops->symlink(INNER(vfs), r, target, path, on_answer, l));
}

/* --- files ----------------------------------------------------------------------------------------- */

static struct slow_file *file_of(struct aftp_vfs_file *f)
{
	return (struct slow_file *)(void *)f;
}

static void on_open(void *arg, int status)
{
	struct late *l = arg;
	if (status == 0) {
		struct slow_file *f = calloc(1, sizeof(*f));
		assert_non_null(f);
		f->base.fs = &l->slow->base;
		f->inner = l->r->file;
		l->r->file = &f->base;
		l->slow->open++;
	}
	on_answer(l, status);
}

static int op_open(struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *path, unsigned flags, uint64_t offset,
	aftp_vfs_cb *cb, void *arg)
{
	struct late *l = late(vfs, r, cb, arg);
	return begun(l, INNER(vfs)->ops->open(INNER(vfs), r, path, flags, offset, on_open, l));
}

static int op_read(struct aftp_vfs_file *base, struct aftp_vfs_req *r, size_t max, aftp_vfs_cb *cb, void *arg)
{
	struct aftp_vfs_file *inner = file_of(base)->inner;
	struct late *l = late(base->fs, r, cb, arg);
	return begun(l, inner->fs->ops->read(inner, r, max, on_answer, l));
}

static void op_release(struct aftp_vfs_file *base, const char *data)
{
	struct aftp_vfs_file *inner = file_of(base)->inner;
	inner->fs->ops->release(inner, data);
}

/* Now and then there is none, for a while. */
static char *op_lend(struct aftp_vfs_file *base, size_t *len)
{
	struct aftp_vfs_file *inner = file_of(base)->inner;
	return ++slow_of(base->fs)->answers % 3 == 0 ? NULL : inner->fs->ops->lend(inner, len);
}

static void op_filled(struct aftp_vfs_file *base, size_t n)
{
	struct aftp_vfs_file *inner = file_of(base)->inner;
	inner->fs->ops->filled(inner, n);
}

static int op_writable(struct aftp_vfs_file *base, struct aftp_vfs_req *r, aftp_vfs_cb *cb, void *arg)
{
	struct aftp_vfs_file *inner = file_of(base)->inner;
	struct late *l = late(base->fs, r, cb, arg);
	return begun(l, inner->fs->ops->writable(inner, r, on_answer, l));
}

static int op_close(struct aftp_vfs_file *base, struct aftp_vfs_req *r, aftp_vfs_cb *cb, void *arg)
{
	struct aftp_vfs_file *inner = file_of(base)->inner;
	struct late *l = late(base->fs, r, cb, arg);
	slow_of(base->fs)->open--;
	free(file_of(base));
	return begun(l, inner->fs->ops->close(inner, r, on_answer, l));
}

/* --- directories ----------------------------------------------------------------------------------- */

static struct slow_dir *dir_of(struct aftp_vfs_dir *d)
{
	return (struct slow_dir *)(void *)d;
}

static void on_opendir(void *arg, int status)
{
	struct late *l = arg;
	if (status == 0) {
		struct slow_dir *d = calloc(1, sizeof(*d));
		assert_non_null(d);
		d->base.fs = &l->slow->base;
		d->inner = l->r->dir;
		l->r->dir = &d->base;
		l->slow->open++;
	}
	on_answer(l, status);
}

static int op_opendir(struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *path, aftp_vfs_cb *cb, void *arg)
{
	struct late *l = late(vfs, r, cb, arg);
	return begun(l, INNER(vfs)->ops->opendir(INNER(vfs), r, path, on_opendir, l));
}

static int op_readdir(struct aftp_vfs_dir *base, struct aftp_vfs_req *r, aftp_vfs_cb *cb, void *arg)
{
	struct aftp_vfs_dir *inner = dir_of(base)->inner;
	struct late *l = late(base->fs, r, cb, arg);
	return begun(l, inner->fs->ops->readdir(inner, r, on_answer, l));
}

static void op_closedir(struct aftp_vfs_dir *base)
{
	struct aftp_vfs_dir *inner = dir_of(base)->inner;
	slow_of(base->fs)->open--;
	free(dir_of(base));
	inner->fs->ops->closedir(inner);
}

/* --- life ------------------------------------------------------------------------------------------ */

static const struct aftp_vfs_ops slow_ops = {
	.stat = op_stat,
	.open = op_open,
	.opendir = op_opendir,
	.mkdir = op_mkdir,
	.rmdir = op_rmdir,
	.unlink = op_unlink,
	.rename = op_rename,
	.set_mtime = op_set_mtime,
	.chmod = op_chmod,
	.symlink = op_symlink,
	.read = op_read,
	.release = op_release,
	.lend = op_lend,
	.filled = op_filled,
	.writable = op_writable,
	.close = op_close,
	.readdir = op_readdir,
	.closedir = op_closedir,
};

struct slow_vfs *slow_vfs_new(uv_loop_t *loop, struct aftp_vfs *inner)
{
	struct slow_vfs *slow = calloc(1, sizeof(*slow));
	assert_non_null(slow);
	slow->base.ops = &slow_ops;
	slow->inner = inner;
	slow->loop = loop;
	return slow;
}

struct aftp_vfs *slow_vfs_get(struct slow_vfs *slow)
{
	return &slow->base;
}

void slow_vfs_free(struct slow_vfs *slow)
{
	assert_int_equal(slow->under_way, 0);
	assert_int_equal(slow->open, 0);
	free(slow);
}
