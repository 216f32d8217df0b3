#include "mount/request.h"

#include <errno.h>
#include <fcntl.h>

#include <aftp/status.h>

struct handle *handle_of_file(struct ops *ops, const struct site_open_result *result, struct fuse_file_info *fi)
{
	struct handle *h = handle_new(ops);
	if (h == NULL) {
		site_release(result->file);
		return NULL;
	}
	h->file = result->file;
	fi->fh = (uintptr_t)h;
	fi->direct_io = ops->direct_io || result->unknown_size;
	fi->keep_cache = ops->kernel_cache || result->keep_cache;
	/* Who has written nothing need not be told at close(2) that it was saved. */
	fi->noflush = (fi->flags & O_ACCMODE) == O_RDONLY && !(fi->flags & O_TRUNC);
	h->writes = !fi->noflush;
	return h;
}

static void on_open(void *arg, int status, const struct site_open_result *result)
{
	struct request *r = arg;
	if (status < 0) {
		request_fail(r, status);
		return;
	}
	struct fuse_file_info fi = r->fi;
	struct handle *h = handle_of_file(r->ops, result, &fi);
	if (h == NULL)
		request_fail(r, AFTP_ENOMEM);
	else if (reply_lost(fuse_reply_open(request_end(r), &fi)))
		handle_free(h);
}

void ops_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
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

static void on_released(void *arg, int status)
{
	struct request *r = arg;
	if (status < 0)
		ops_tell_lost(r->ops, r->handle->file, aftp_strerror(status));
	handle_free(r->handle);
	fuse_reply_err(request_end(r), 0);
}

/* What a program has written through its memory may come after its last close(2). */
void ops_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct handle *h = handle_of(fi);
	(void)ino;
	if (h->writes && h->ops->draining) {
		fuse_reply_err(req, 0); /* it is saved with the rest */
		return;
	}
	struct request *r = h->writes ? request_begin(req) : NULL;
	if (r == NULL) {
		if (!h->writes)
			fuse_reply_err(req, 0);
		handle_free(h);
		return;
	}
	r->handle = h;
	r->patient = true;
	int rc = site_flush(h->file, &r->op, on_released, r);
	if (rc < 0)
		on_released(r, rc);
}
