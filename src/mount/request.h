/* request - one request of the kernel that waits for the site, and what all operations share. */
#ifndef MOUNT_REQUEST_H
#define MOUNT_REQUEST_H

#include <stdbool.h>

#include "mount/ops.h"
#include "mount/stale.h"

struct request {
	fuse_req_t req;
	struct ops *ops;
	struct site_op *op;          /* the site's; NULL before it is known */
	struct request *prev, *next; /* ops::requests */
	struct fuse_file_info fi;
	struct handle *handle;         /* of mknod, release and readdir */
	struct fuse_entry_param entry; /* of mknod */
	size_t size;                   /* of an extended attribute or entries: the room for it */
	off_t off;                     /* of entries */
	void (*reply_entries)(fuse_req_t req, struct handle *h, size_t size, off_t off);
	bool canceled;
	bool patient; /* a release: what it saves is not given up when the mount ends */
};

struct handle { /* what fi->fh points to */
	struct ops *ops;
	struct site_file *file; /* one of the two */
	struct site_dir *dir;
	bool writes;                /* there may be something to save when it is closed */
	struct handle *prev, *next; /* ops::handles */
};

struct ops {
	struct site *site;
	const struct aftp_log *log;
	struct channel *channel;
	struct stale *stale;
	struct request *requests;
	struct handle *handles;
	char *scratch; /* for directory replies; as large as the largest so far */
	size_t scratch_size;
	uint64_t negative_ms; /* the most that a name may be believed missing */
	uid_t uid;
	gid_t gid;
	bool direct_io, kernel_cache, read_only, ignore_chown, xattr;
	bool draining, stale_closed;
	bool saving;        /* the requests are answered: what handles have not saved is next */
	unsigned unsaved;   /* handles whose flush is under way */
	unsigned lost;      /* files that could not be saved */
	uv_async_t checked; /* looks, a little later, whether all is drained */
	void (*drained)(void *arg);
	void *drained_arg;
};

/* NULL when there is no request to work on: it has been answered with an error already. */
struct request *request_begin(fuse_req_t req);

/* After the call to the site: rc < 0 means that its callback will never run, and answers; else the request can be
 * interrupted from now on. */
void request_started(struct request *r, int rc);

/* In the site's callback, first: r is gone, and the kernel's request is left to answer. */
fuse_req_t request_end(struct request *r);

/* The programs that wrote it are not there to be told. */
void ops_tell_lost(struct ops *ops, const struct site_file *file, const char *why);

/* The callback will come soon. */
void request_cancel(struct request *r);

/* As request_end(), and answers with the errno of `status`. */
void request_fail(struct request *r, int status);

/* A reply that did not reach the kernel leaves it without what was handed over (a lookup count, an open file). */
static inline bool reply_lost(int rc)
{
	return rc != 0;
}

/* Milliseconds to the seconds that libfuse wants. */
static inline double seconds(uint64_t ms)
{
	return (double)ms / 1000;
}

/* The site's entry as the kernel wants it. */
void entry_from_attr(struct fuse_entry_param *e, const struct site_attr *attr);
/* For site_getattr() and site_setattr(): replies. */
void on_attr(void *arg, int status, const struct site_attr *attr);

struct handle *handle_new(struct ops *ops); /* NULL when out of memory */
/* For a file that was opened, with what the kernel is told of it in *fi. NULL when out of memory: the file is released. */
struct handle *handle_of_file(struct ops *ops, const struct site_open_result *result, struct fuse_file_info *fi);
static inline struct handle *handle_of(const struct fuse_file_info *fi)
{
	return (struct handle *)(uintptr_t)fi->fh;
}
void handle_free(struct handle *h); /* closes what it holds; accepts NULL */

/* ops_dir.c */
void ops_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void ops_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void ops_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void ops_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

/* ops_file.c */
void ops_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void ops_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void ops_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

/* ops_change.c */
void ops_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void ops_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void ops_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi);
void ops_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev);
void ops_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void ops_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void ops_rename(
	fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to, const char *to_name, unsigned flags);
void ops_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name);
void ops_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int which, struct fuse_file_info *fi);
void ops_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void ops_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);
void ops_copy_file_range(fuse_req_t req, fuse_ino_t ino, off_t off, struct fuse_file_info *fi, fuse_ino_t to,
	off_t to_off, struct fuse_file_info *to_fi, size_t len, int flags);
void ops_statfs(fuse_req_t req, fuse_ino_t ino);
void ops_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t off, struct fuse_file_info *fi);
void ops_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void ops_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);

#endif
