#include "mount/request.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include <aftp/status.h>

#define LEND_SIZE (512u * 1024) /* a write of this size keeps the memory that it came in, which is not much larger */

/* --- new names ------------------------------------------------------------------------------------ */

static void on_made(void *arg, int status, const struct site_attr *attr)
{
	struct request *r = arg;
	struct fuse_entry_param e;
	if (status < 0) {
		request_fail(r, status);
		return;
	}
	struct site *site = r->ops->site;
	entry_from_attr(&e, attr);
	if (reply_lost(fuse_reply_entry(request_end(r), &e)))
		site_forget(site, e.ino, 1);
}

void ops_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct request *r = request_begin(req);
	if (r != NULL)
		request_started(r, site_mkdir(r->ops->site, parent, name, mode, &r->op, on_made, r));
}

void ops_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	struct request *r = request_begin(req);
	if (r != NULL)
		request_started(r, site_symlink(r->ops->site, target, parent, name, &r->op, on_made, r));
}

static void on_create(void *arg, int status, const struct site_attr *attr, const struct site_open_result *result)
{
	struct request *r = arg;
	struct fuse_entry_param e;
	if (status < 0) {
		request_fail(r, status);
		return;
	}
	struct site *site = r->ops->site;
	struct fuse_file_info fi = r->fi;
	struct handle *h = handle_of_file(r->ops, result, &fi);
	entry_from_attr(&e, attr);
	if (h == NULL) {
		site_forget(site, e.ino, 1);
		request_fail(r, AFTP_ENOMEM);
	} else if (reply_lost(fuse_reply_create(request_end(r), &e, &fi))) {
		site_forget(site, e.ino, 1);
		handle_free(h);
	}
}

void ops_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi)
{
	struct request *r = request_begin(req);
	if (r == NULL)
		return;
	r->fi = *fi;
	request_started(r, site_create(r->ops->site, parent, name, mode, fi->flags, &r->op, on_create, r));
}

/* --- mknod: create, and close again --------------------------------------------------------------- */

static void on_node_saved(void *arg, int status)
{
	struct request *r = arg;
	struct handle *h = r->handle;
	struct fuse_entry_param e = r->entry;
	struct site *site = r->ops->site;
	handle_free(h);
	if (status < 0) {
		site_forget(site, e.ino, 1);
		request_fail(r, status);
	} else if (reply_lost(fuse_reply_entry(request_end(r), &e))) {
		site_forget(site, e.ino, 1);
	}
}

static void on_node_made(void *arg, int status, const struct site_attr *attr, const struct site_open_result *result)
{
	struct request *r = arg;
	if (status < 0) {
		request_fail(r, status);
		return;
	}
	struct site *site = r->ops->site;
	struct handle *h = handle_of_file(r->ops, result, &r->fi);
	entry_from_attr(&r->entry, attr);
	if (h == NULL) {
		site_forget(site, attr->st.st_ino, 1);
		request_fail(r, AFTP_ENOMEM);
		return;
	}
	r->handle = h;
	r->op = NULL;
	int rc = site_flush(h->file, &r->op, on_node_saved, r);
	if (rc < 0)
		on_node_saved(r, rc);
	else if (r->canceled)
		site_cancel(r->op);
}

void ops_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	struct ops *ops = fuse_req_userdata(req);
	(void)rdev;
	if (!S_ISREG(mode)) {
		fuse_reply_err(req, ops->read_only ? EROFS : EPERM);
		return;
	}
	struct request *r = request_begin(req);
	if (r == NULL)
		return;
	const int flags = O_CREAT | O_EXCL | O_WRONLY;
	request_started(r, site_create(r->ops->site, parent, name, mode, flags, &r->op, on_node_made, r));
}

/* --- names that go or move ------------------------------------------------------------------------ */

static void on_done(void *arg, int status)
{
	struct request *r = arg;
	if (status < 0)
		request_fail(r, status);
	else
		fuse_reply_err(request_end(r), 0);
}

void ops_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct request *r = request_begin(req);
	if (r != NULL)
		request_started(r, site_rmdir(r->ops->site, parent, name, &r->op, on_done, r));
}

void ops_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct request *r = request_begin(req);
	if (r != NULL)
		request_started(r, site_unlink(r->ops->site, parent, name, &r->op, on_done, r));
}

void ops_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to, const char *to_name, unsigned flags)
{
	struct request *r = request_begin(req);
	if (r != NULL)
		request_started(r, site_rename(r->ops->site, parent, name, to, to_name, flags, &r->op, on_done, r));
}

/* FTP has no hard links. */
void ops_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	struct ops *ops = fuse_req_userdata(req);
	(void)ino;
	(void)parent;
	(void)name;
	fuse_reply_err(req, ops->read_only ? EROFS : EPERM);
}

/* --- attributes ----------------------------------------------------------------------------------- */

static bool changes_owner(const struct ops *ops, const struct stat *st, int which)
{
	if (ops->ignore_chown)
		return false;
	return (which & FUSE_SET_ATTR_UID && st->st_uid != ops->uid) ||
		(which & FUSE_SET_ATTR_GID && st->st_gid != ops->gid);
}

/* Times of the last access are not kept anywhere, and not complained about. */
static struct site_change change_from(const struct ops *ops, const struct stat *st, int which)
{
	struct site_change c = { .mode = st->st_mode & 07777, .size = (uint64_t)st->st_size, .mtime = st->st_mtim };
	if (which & FUSE_SET_ATTR_MODE)
		c.set |= SITE_SET_MODE;
	if (which & FUSE_SET_ATTR_SIZE)
		c.set |= SITE_SET_SIZE;
	/* What gets another size gets the time of now by itself. */
	if (which & FUSE_SET_ATTR_MTIME && !(which & FUSE_SET_ATTR_MTIME_NOW && which & FUSE_SET_ATTR_SIZE))
		c.set |= SITE_SET_MTIME;
	if (which & FUSE_SET_ATTR_MTIME_NOW)
		clock_gettime(CLOCK_REALTIME, &c.mtime);
	if (changes_owner(ops, st, which))
		c.set |= SITE_SET_OWNER;
	return c;
}

void ops_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int which, struct fuse_file_info *fi)
{
	struct request *r = request_begin(req);
	if (r == NULL)
		return;
	const struct site_change c = change_from(r->ops, st, which);
	struct site_file *file = fi != NULL ? handle_of(fi)->file : NULL;
	request_started(r, site_setattr(r->ops->site, ino, file, &c, &r->op, on_attr, r));
}

/* --- bytes ---------------------------------------------------------------------------------------- */

static void on_write(void *arg, ssize_t n)
{
	struct request *r = arg;
	if (n < 0)
		request_fail(r, (int)n);
	else
		fuse_reply_write(request_end(r), (size_t)n);
}

void ops_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct handle *h = handle_of(fi);
	struct request *r = request_begin(req);
	(void)ino;
	if (r == NULL)
		return;
	struct site_bytes bytes = { .data = data, .len = size };
	struct site_memory *m = &bytes.memory;
	if (size >= LEND_SIZE && !channel_lend(r->ops->channel, data, &m->start, &m->release, &m->arg))
		*m = (struct site_memory){ 0 };
	int rc = site_write(h->file, (uint64_t)off, &bytes, &r->op, on_write, r);
	if (rc < 0 && m->release != NULL)
		m->release(m->arg, m->start);
	request_started(r, rc);
}

/* At each close(2) of a file that can be written: here its programs are told whether all of it has arrived. */
void ops_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct handle *h = handle_of(fi);
	struct request *r = request_begin(req);
	(void)ino;
	if (r != NULL)
		request_started(r, site_flush(h->file, &r->op, on_done, r));
}

void ops_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	(void)datasync;
	ops_flush(req, ino, fi);
}
