#include "mount/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <aftp/status.h>

static void on_opendir(void *arg, int status, struct site_dir *dir)
{
	struct request *r = arg;
	if (status < 0) {
		request_fail(r, status);
		return;
	}
	struct handle *h = handle_new(r->ops);
	if (h == NULL) {
		site_closedir(dir);
		request_fail(r, AFTP_ENOMEM);
		return;
	}
	struct fuse_file_info fi = r->fi;
	h->dir = dir;
	fi.fh = (uintptr_t)h;
	if (reply_lost(fuse_reply_open(request_end(r), &fi)))
		handle_free(h);
}

void ops_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct request *r = request_begin(req);
	if (r == NULL)
		return;
	r->fi = *fi;
	request_started(r, site_opendir(r->ops->site, ino, &r->op, on_opendir, r));
}

static char *scratch(struct ops *ops, size_t size)
{
	if (ops->scratch_size < size) {
		char *bigger = realloc(ops->scratch, size);
		if (bigger == NULL)
			return NULL;
		ops->scratch = bigger;
		ops->scratch_size = size;
	}
	return ops->scratch;
}

/* Entries of which the kernel gets no more than the name. */
static bool is_bare(const struct handle *h, const char *name, const struct site_attr *attr)
{
	return !site_dir_current(h->dir) || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || attr->st.st_mode == 0;
}

static void reply_entries(fuse_req_t req, struct handle *h, size_t size, off_t off)
{
	char *out = scratch(h->ops, size);
	struct site_attr attr;
	const char *name;
	size_t used = 0;
	if (out == NULL) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	for (uint64_t i = (uint64_t)off; site_dir_entry(h->dir, i, &name, &attr); i++) {
		size_t n = fuse_add_direntry(req, out + used, size - used, name, &attr.st, (off_t)(i + 1));
		if (n > size - used)
			break;
		used += n;
	}
	fuse_reply_buf(req, out, used);
}

/* Adds entry i with its attributes. 1: added; 0: no room; < 0: no memory to remember it. Bare ones go without an inode,
 * which tells the kernel to leave them alone; every other one that was added has a lookup count. */
static int add_plus(fuse_req_t req, struct handle *h, uint64_t i, const char *name, struct site_attr *attr, char *out,
	size_t room, size_t *used)
{
	struct fuse_entry_param e = { 0 };
	size_t n = fuse_add_direntry_plus(req, NULL, 0, name, NULL, 0);
	if (n > room)
		return 0;
	if (!is_bare(h, name, attr)) {
		if (!site_dir_remember(h->dir, i, attr))
			return AFTP_ENOMEM;
		e.ino = attr->st.st_ino;
	}
	e.attr = attr->st;
	e.attr_timeout = e.entry_timeout = seconds(attr->valid_ms);
	*used += fuse_add_direntry_plus(req, out, room, name, &e, (off_t)(i + 1));
	return 1;
}

/* The kernel did not get entries [from, to): their lookup counts are given back. */
static void take_back(struct handle *h, uint64_t from, uint64_t to)
{
	struct site_attr attr;
	const char *name;
	for (uint64_t i = from; i < to && site_dir_entry(h->dir, i, &name, &attr); i++)
		if (!is_bare(h, name, &attr))
			site_forget(h->ops->site, attr.st.st_ino, 1);
}

static void reply_entries_plus(fuse_req_t req, struct handle *h, size_t size, off_t off)
{
	char *out = scratch(h->ops, size);
	struct site_attr attr;
	const char *name;
	size_t used = 0;
	uint64_t i = (uint64_t)off;
	int rc = out != NULL ? 1 : AFTP_ENOMEM;
	while (rc == 1 && site_dir_entry(h->dir, i, &name, &attr)) {
		rc = add_plus(req, h, i, name, &attr, out + used, size - used, &used);
		if (rc == 1)
			i++;
	}
	if (rc < 0 && used == 0)
		fuse_reply_err(req, ENOMEM);
	else if (reply_lost(fuse_reply_buf(req, out, used)))
		take_back(h, (uint64_t)off, i);
}

static void on_entries(void *arg, int status, struct site_dir *dir)
{
	struct request *r = arg, copy = *r;
	(void)dir;
	if (status < 0)
		request_fail(r, status);
	else
		copy.reply_entries(request_end(r), copy.handle, copy.size, copy.off);
}

/* An empty reply would be the end: it waits until there is something, or nothing more to come. */
static void read_entries(fuse_req_t req, size_t size, off_t off, struct fuse_file_info *fi,
	void (*reply)(fuse_req_t req, struct handle *h, size_t size, off_t off))
{
	struct handle *h = handle_of(fi);
	if (site_dir_knows(h->dir, (uint64_t)off)) {
		reply(req, h, size, off);
		return;
	}
	struct request *r = request_begin(req);
	if (r == NULL)
		return;
	r->handle = h;
	r->size = size;
	r->off = off;
	r->reply_entries = reply;
	request_started(r, site_dir_wait(h->dir, (uint64_t)off, &r->op, on_entries, r));
}

void ops_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)ino;
	read_entries(req, size, off, fi, reply_entries);
}

void ops_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)ino;
	read_entries(req, size, off, fi, reply_entries_plus);
}

void ops_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	handle_free(handle_of(fi));
	fuse_reply_err(req, 0);
}
