#include "mount/request.h"

#include <errno.h>
#include <stdlib.h>

#include <utlist.h>

#include <aftp/status.h>

struct request *request_begin(fuse_req_t req)
{
	struct ops *ops = fuse_req_userdata(req);
	struct request *r = ops->draining ? NULL : calloc(1, sizeof(*r));
	if (r == NULL) {
		fuse_reply_err(req, ops->draining ? EIO : ENOMEM);
		return NULL;
	}
	r->req = req;
	r->ops = ops;
	DL_APPEND(ops->requests, r);
	return r;
}

void request_cancel(struct request *r)
{
	if (r->canceled)
		return;
	r->canceled = true;
	site_cancel(r->op);
}

/* libfuse calls this for an INTERRUPT, and at once when that has come before the request. */
static void on_interrupt(fuse_req_t req, void *data)
{
	(void)req;
	request_cancel(data);
}

void request_started(struct request *r, int rc)
{
	if (rc < 0)
		request_fail(r, rc);
	else
		fuse_req_interrupt_func(r->req, on_interrupt, r);
}

fuse_req_t request_end(struct request *r)
{
	struct ops *ops = r->ops;
	fuse_req_t req = r->req;
	/* An interrupt between here and the reply must not find the request. */
	fuse_req_interrupt_func(req, NULL, NULL);
	DL_DELETE(ops->requests, r);
	free(r);
	if (ops->draining)
		uv_async_send(&ops->checked);
	return req;
}

void request_fail(struct request *r, int status)
{
	int err = aftp_errno(status);
	if (status == AFTP_ECANCELED)
		err = r->canceled && !r->ops->draining ? EINTR : EIO;
	fuse_reply_err(request_end(r), err);
}

struct handle *handle_new(struct ops *ops)
{
	struct handle *h = calloc(1, sizeof(*h));
	if (h == NULL)
		return NULL;
	h->ops = ops;
	DL_APPEND(ops->handles, h);
	return h;
}

void handle_free(struct handle *h)
{
	if (h == NULL)
		return;
	DL_DELETE(h->ops->handles, h);
	if (h->file != NULL)
		site_release(h->file);
	if (h->dir != NULL)
		site_closedir(h->dir);
	free(h);
}
