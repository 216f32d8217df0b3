#include "mount/request.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <utlist.h>

#include <aftp/status.h>

/* More of the kernel's readahead at once than its default of 12 lets several big files be read side by side. */
#define MAX_BACKGROUND 64
#define MAX_WRITE      (1024u * 1024)

static void ops_init(void *userdata, struct fuse_conn_info *conn)
{
	struct ops *ops = userdata;
	/* Splicing moves pages through a pipe; for replies from memory that costs more than one copy. */
	conn->want &= ~(unsigned)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
	/* The kernel's own cache of writes would answer close(2) before the server has. */
	conn->want &= ~(unsigned)FUSE_CAP_WRITEBACK_CACHE;
	conn->want |= conn->capable &
		(FUSE_CAP_ASYNC_READ | FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_PARALLEL_DIROPS |
			FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_ASYNC_DIO | FUSE_CAP_ATOMIC_O_TRUNC);
	if (conn->max_write > MAX_WRITE)
		conn->max_write = MAX_WRITE;
	conn->max_background = MAX_BACKGROUND;
	conn->congestion_threshold = MAX_BACKGROUND * 3 / 4;
	aftp_log(ops->log, AFTP_LOG_DEBUG, "kernel speaks FUSE %u.%u, writes up to %u, reads ahead up to %u",
		conn->proto_major, conn->proto_minor, conn->max_write, conn->max_readahead);
}

void entry_from_attr(struct fuse_entry_param *e, const struct site_attr *attr)
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

void on_attr(void *arg, int status, const struct site_attr *attr)
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
		request_started(r, site_getattr(r->ops->site, ino, &r->op, on_attr, r));
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

/* Only asked when the kernel does not check permission bits itself (default_permissions); then the server decides. */
static void ops_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
	struct ops *ops = fuse_req_userdata(req);
	(void)ino;
	fuse_reply_err(req, mask & W_OK && ops->read_only ? EROFS : 0);
}

/* Left out on purpose, so that libfuse says ENOSYS once and the kernel never asks again: lseek (the kernel's own is right:
 * all is data), fallocate, fsyncdir (a directory is as safe as it gets when a change of it returns), locks (kept
 * locally), setxattr and removexattr (EOPNOTSUPP). */
const struct fuse_lowlevel_ops *ops_table(void)
{
	static const struct fuse_lowlevel_ops table = {
		.init = ops_init,
		.lookup = ops_lookup,
		.forget = ops_forget,
		.forget_multi = ops_forget_multi,
		.getattr = ops_getattr,
		.setattr = ops_setattr,
		.readlink = ops_readlink,
		.mknod = ops_mknod,
		.mkdir = ops_mkdir,
		.unlink = ops_unlink,
		.rmdir = ops_rmdir,
		.symlink = ops_symlink,
		.rename = ops_rename,
		.link = ops_link,
		.opendir = ops_opendir,
		.readdir = ops_readdir,
		.readdirplus = ops_readdirplus,
		.releasedir = ops_releasedir,
		.create = ops_create,
		.open = ops_open,
		.read = ops_read,
		.write = ops_write,
		.flush = ops_flush,
		.fsync = ops_fsync,
		.release = ops_release,
		.statfs = ops_statfs,
		.access = ops_access,
		.getxattr = ops_getxattr,
		.listxattr = ops_listxattr,
		.copy_file_range = ops_copy_file_range,
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

void ops_tell_lost(struct ops *ops, const struct site_file *file, const char *why)
{
	char *path = site_file_path(file);
	aftp_log(ops->log, AFTP_LOG_ERROR, "%s: the last changes are lost: %s", path != NULL ? path : "a file", why);
	free(path);
	ops->lost++;
}

static void on_saved(void *arg, int status)
{
	struct handle *h = arg;
	struct ops *ops = h->ops;
	if (status < 0)
		ops_tell_lost(ops, h->file, aftp_strerror(status));
	ops->unsaved--;
	uv_async_send(&ops->checked);
}

/* What programs have written and not closed. */
static void save_handles(struct ops *ops)
{
	struct handle *h;
	ops->saving = true;
	DL_FOREACH (ops->handles, h) {
		if (!h->writes)
			continue;
		ops->unsaved++;
		int rc = site_flush(h->file, NULL, on_saved, h);
		if (rc < 0)
			on_saved(h, rc);
	}
}

unsigned ops_give_up(struct ops *ops)
{
	struct handle *h;
	DL_FOREACH (ops->handles, h)
		if (h->writes && site_file_unsaved(h->file))
			ops_tell_lost(ops, h->file, "there is no more time");
	return ops->lost;
}

unsigned ops_lost(const struct ops *ops)
{
	return ops->lost;
}

static void on_checked(uv_async_t *async)
{
	struct ops *ops = async->data;
	if (!ops->draining || ops->requests != NULL || !ops->stale_closed)
		return;
	if (!ops->saving)
		save_handles(ops);
	if (ops->unsaved == 0 && !uv_is_closing((uv_handle_t *)async))
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
	ops->read_only = o->read_only;
	ops->ignore_chown = o->ignore_chown;
	ops->xattr = o->xattr;
	ops->uid = (uid_t)o->uid;
	ops->gid = (gid_t)o->gid;
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

void ops_set_channel(struct ops *ops, struct channel *channel)
{
	ops->channel = channel;
	stale_set_session(ops->stale, channel_session(channel));
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
		if (!r->patient)
			request_cancel(r);
	stale_close(&ops->stale, on_stale_closed, ops);
}

bool ops_is_saving(const struct ops *ops)
{
	return ops->unsaved > 0 || ops->requests != NULL;
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
