/* ops_extra - what FTP was not made for: extended attributes, copies by the server, free space. */
#include "mount/request.h"

#include <errno.h>
#include <limits.h>

#include <aftp/status.h>

/* --- extended attributes -------------------------------------------------------------------------- */

static void on_value(void *arg, int status, const char *value, size_t len)
{
	struct request *r = arg;
	size_t room = r->size;
	if (status < 0) {
		request_fail(r, status);
		return;
	}
	fuse_req_t req = request_end(r);
	if (room == 0)
		fuse_reply_xattr(req, len);
	else if (len > room)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, value, len);
}

void ops_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct ops *ops = fuse_req_userdata(req);
	/* The kernel does not ask again then, not even in front of each write. */
	if (!ops->xattr) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	struct request *r = request_begin(req);
	if (r == NULL)
		return;
	r->size = size;
	request_started(r, site_getxattr(ops->site, ino, name, &r->op, on_value, r));
}

void ops_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct ops *ops = fuse_req_userdata(req);
	char names[4096];
	if (!ops->xattr) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	ssize_t n = site_listxattr(ops->site, ino, names, sizeof(names));
	if (n < 0)
		fuse_reply_err(req, aftp_errno((int)n));
	else if (size == 0)
		fuse_reply_xattr(req, (size_t)n);
	else if ((size_t)n > size)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, names, (size_t)n);
}

/* --- copies --------------------------------------------------------------------------------------- */

static void on_copied(void *arg, ssize_t n)
{
	struct request *r = arg;
	if (n < 0)
		request_fail(r, (int)n);
	else
		fuse_reply_write(request_end(r), (size_t)n);
}

/* EOPNOTSUPP makes the kernel read and write instead. */
void ops_copy_file_range(fuse_req_t req, fuse_ino_t ino, off_t off, struct fuse_file_info *fi, fuse_ino_t to,
	off_t to_off, struct fuse_file_info *to_fi, size_t len, int flags)
{
	struct handle *from_h = handle_of(fi), *to_h = handle_of(to_fi);
	(void)ino;
	(void)to;
	(void)flags;
	struct request *r = request_begin(req);
	if (r != NULL)
		request_started(r,
			site_copy(
				from_h->file, (uint64_t)off, to_h->file, (uint64_t)to_off, len, &r->op, on_copied, r));
}

/* --- space ---------------------------------------------------------------------------------------- */

#define UNIT 4096u

static void reply_space(fuse_req_t req, uint64_t bytes)
{
	/* Of what there is altogether FTP says nothing: it is at least what is free. Zeros are unknown. */
	const struct statvfs st = {
		.f_bsize = UNIT,
		.f_frsize = UNIT,
		.f_blocks = bytes / UNIT,
		.f_bfree = bytes / UNIT,
		.f_bavail = bytes / UNIT,
		.f_namemax = 255,
	};
	fuse_reply_statfs(req, &st);
}

static void on_space(void *arg, int status, uint64_t bytes)
{
	struct request *r = arg;
	reply_space(request_end(r), status < 0 ? 0 : bytes);
}

void ops_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct ops *ops = fuse_req_userdata(req);
	struct request *r = ops->draining ? NULL : request_begin(req);
	(void)ino;
	if (ops->draining)
		reply_space(req, 0);
	if (r == NULL)
		return;
	int rc = site_space(ops->site, &r->op, on_space, r);
	if (rc < 0)
		on_space(r, rc, 0);
	else
		request_started(r, 0);
}
