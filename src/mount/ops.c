#include "mount/request.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <utlist.h>

#include <aftp/status.h>

#include "mount/ops_refuse.h"

/* More of the kernel's readahead at once than its default of 12 lets several big files be read side by side. */
#define MAX_BACKGROUND 64

static void ops_init(void *userdata, struct fuse_conn_info *conn)
{
	struct ops *ops = userdata;
	/* Splicing moves pages through a pipe; for replies from memory that costs more than one copy. */
	conn->want &= ~(unsigned)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
	conn->want |= conn->capable &
		(FUSE_CAP_ASYNC_READ | FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_PARALLEL_DIROPS |
			FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_ASYNC_DIO);
	conn->max_background = MAX_BACKGROUND;
	conn->congestion_threshold = MAX_BACKGROUND * 3 / 4;
	aftp_log(ops->log, AFTP_LOG_DEBUG, "kernel speaks FUSE %u.%u, writes up to %u, reads ahead up to %u",
		conn->proto_major, conn->proto_minor, conn->max_write, conn->max_readahead);
}

static void entry_from_attr(struct fuse_entry_param *e, const struct site_attr *attr)
{
	*e = (struct fuse_entry_param){
		.ino = attr->st.st_ino,
		.attr = attr->st,
		.attr_timeout = seconds(attr->valid_ms),
		.entry_timeout = seconds(attr->valid_ms),
	};
}

/* A name that is not there may be remembered by the kernel too. */
static void reply_missing(struct request *r)
{
	uint64_t ms = site_negative_ms(r->ops->site);
	if (ms > r->ops->negative_ms)
		ms = r->ops->negative_ms;
	if (ms == 0) {
		request_fail(r, AFTP_ENOENT);
		return;
	}
	struct fuse_entry_param none = { .entry_timeout = seconds(ms) };
	fuse_reply_entry(request_end(r), &none);
}

static void on_lookup(void *arg, int status, const struct site_attr *attr)
{
	struct request *r = arg;
	struct fuse_entry_param e;
	if (status == AFTP_ENOENT) {
		reply_missing(r);
	} else if (status < 0) {
		request_fail(r, status);
	} else {
		struct site *site = r->ops->site;
		entry_from_attr(&e, attr);
		if (reply_lost(fuse_reply_entry(request_end(r), &e)))
			site_forget(site, e.ino, 1);
	}
}

static void ops_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct request *r = request_begin(req);
	if (r != NULL)
		request_started(r, site_lookup(r->ops->site, parent, name, &r->op, on_lookup, r));
}

static void ops_forget(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)
{
	struct ops *ops = fuse_req_userdata(req);
	site_forget(ops->site, ino, nlookup);
	fuse_reply_none(req);
}

static void ops_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	struct ops *ops = fuse_req_userdata(req);
	for (size_t i = 0; i < count; i++)
		site_forget(ops->site, forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

static void on_getattr(void *arg, int status, const struct site_attr *attr)
{
	struct request *r = arg;
	if (status < 0)
		request_fail(r, status);
	else
		fuse_reply_attr(request_end(r), &attr->st, seconds(attr->valid_ms));
}

static void ops_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct request *r = request_begin(req);
	(void)fi;
	if (r != NULL)
		request_started(r, site_getattr(r->ops->site, ino, &r->op, on_getattr, r));
}

static void on_readlink(void *arg, int status, const char *target)
{
	struct request *r = arg;
	if (status < 0)
		request_fail(r, status);
	else
		fuse_reply_readlink(request_end(r), target);
}

static void ops_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct request *r = request_begin(req);
	if (r != NULL)
		request_started(r, site_readlink(r->ops->site, ino, &r->op, on_readlink, r));
}

/* Never asks the server: FTP has no standard answer, and df(1) on a dead network must not hang. Zeros are what is
 * known. */
static void ops_statfs(fuse_req_t req, fuse_ino_t ino)
{
	const struct statvfs unknown = { .f_bsize = 4096, .f_frsize = 4096, .f_namemax = 255 };
	(void)ino;
	fuse_reply_statfs(req, &unknown);
}

/* Only asked when the kernel does not check permission bits itself (default_permissions); then the server decides. */
static void ops_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
	(void)ino;
	fuse_reply_err(req, mask & W_OK ? EROFS : 0);
}

/* Left out on purpose, so that libfuse says ENOSYS once and the kernel never asks again: flush and fsync (nothing is
 * ever written), the extended attributes (there are none: EOPNOTSUPP), lseek (the kernel's own is right), locks (kept
 * locally). */
const struct fuse_lowlevel_ops *ops_table(void)
{
	static const struct fuse_lowlevel_ops table = {
		.init = ops_init,
		.lookup = ops_lookup,
		.forget = ops_forget,
		.forget_multi = ops_forget_multi,
		.getattr = ops_getattr,
		.readlink = ops_readlink,
		.opendir = ops_opendir,
		.readdir = ops_readdir,
		.readdirplus = ops_readdirplus,
		.releasedir = ops_releasedir,
		.open = ops_open,
		.read = ops_read,
		.release = ops_release,
		.statfs = ops_statfs,
		.access = ops_access,
		REFUSED_OPS,
	};
	return &table;
}

static void on_stale(void *arg, uint64_t ino)
{
	struct ops *ops = arg;
	if (ops->stale != NULL)
		stale_add(ops->stale, ino);
}

static void on_checked_closed(uv_handle_t *handle)
{
	struct ops *ops = handle->data;
	ops->drained(ops->drained_arg);
}

static void on_checked(uv_async_t *async)
{
	struct ops *ops = async->data;
	if (ops->draining && ops->requests == NULL && ops->stale_closed && !uv_is_closing((uv_handle_t *)async))
		uv_close((uv_handle_t *)async, on_checked_closed);
}

int ops_new(struct ops **out, uv_loop_t *loop, struct site *site, const struct options *o, const struct aftp_log *log)
{
	struct ops *ops = calloc(1, sizeof(*ops));
	if (ops == NULL)
		return AFTP_ENOMEM;
	ops->site = site;
	ops->log = log;
	ops->direct_io = o->direct_io;
	ops->kernel_cache = o->kernel_cache;
	ops->negative_ms = (uint64_t)o->negative_ttl_ms;
	ops->checked.data = ops;
	ops->stale = stale_new(loop);
	int rc = ops->stale != NULL ? uv_async_init(loop, &ops->checked, on_checked) : AFTP_ENOMEM;
	if (rc < 0) {
		free(ops->stale);
		free(ops);
		return rc;
	}
	site_on_stale(site, on_stale, ops);
	*out = ops;
	return 0;
}

void ops_set_session(struct ops *ops, struct fuse_session *session)
{
	stale_set_session(ops->stale, session);
}

static void on_stale_closed(void *arg)
{
	struct ops *ops = arg;
	ops->stale_closed = true;
	uv_async_send(&ops->checked);
}

void ops_drain(struct ops *ops, void (*drained)(void *arg), void *arg)
{
	struct request *r;
	ops->draining = true;
	ops->drained = drained;
	ops->drained_arg = arg;
	site_on_stale(ops->site, NULL, NULL);
	DL_FOREACH (ops->requests, r)
		request_cancel(r);
	stale_close(&ops->stale, on_stale_closed, ops);
}

void ops_free(struct ops **ops_p)
{
	struct ops *ops = *ops_p;
	if (ops == NULL)
		return;
	*ops_p = NULL;
	while (ops->handles != NULL)
		handle_free(ops->handles);
	free(ops->scratch);
	free(ops);
}
