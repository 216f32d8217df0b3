#include "mount/request.h"

#include <errno.h>
#include <fcntl.h>

#include <aftp/status.h>

static void on_open(void *arg, int status, const struct site_open_result *result)
{
	struct request *r = arg;
	if (status < 0) {
		request_fail(r, status);
		return;
	}
	struct handle *h = handle_new(r->ops);
	if (h == NULL) {
		site_release(result->file);
		request_fail(r, AFTP_ENOMEM);
		return;
	}
	struct fuse_file_info fi = r->fi;
	h->file = result->file;
	fi.fh = (uintptr_t)h;
	fi.direct_io = r->ops->direct_io || result->unknown_size;
	fi.keep_cache = r->ops->kernel_cache || result->keep_cache;
	fi.noflush = 1;
	if (reply_lost(fuse_reply_open(request_end(r), &fi)))
		handle_free(h);
}

void ops_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	if ((fi->flags & O_ACCMODE) != O_RDONLY || fi->flags & (O_TRUNC | O_CREAT)) {
		fuse_reply_err(req, EROFS);
		return;
	}
	struct request *r = request_begin(req);
	if (r == NULL)
		return;
	r->fi = *fi;
	request_started(r, site_open(r->ops->site, ino, fi->flags, &r->op, on_open, r));
}

/* The bytes go from where they arrived straight to the kernel. */
static void on_read(void *arg, ssize_t status, const struct iovec *iov, int n)
{
	struct request *r = arg;
	if (status < 0)
		request_fail(r, (int)status);
	else
		fuse_reply_iov(request_end(r), iov, n);
}

void ops_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct handle *h = handle_of(fi);
	struct request *r = request_begin(req);
	(void)ino;
	if (r != NULL)
		request_started(r, site_read(h->file, (uint64_t)off, size, &r->op, on_read, r));
}

void ops_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	handle_free(handle_of(fi));
	fuse_reply_err(req, 0);
}
