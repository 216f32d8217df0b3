/* site - a remote FTP site as files: what the mount translates to.
 *
 * The path of a read(2): fuse channel -> mount/ops -> site/file -> reader -> pool -> aftp client -> stream ->
 * socket. Nothing here knows FUSE. Things are named by inode number, which is stable for a path as long as the site
 * lives.
 *
 * Every request follows the async contract (status.h), and can be cancelled through its op until its callback has
 * run. */
#ifndef REMOTE_SITE_H
#define REMOTE_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <uv.h>

#include <aftp/client.h>
#include <aftp/entry.h>
#include <aftp/log.h>

struct site;
struct site_op;   /* a request under way; valid until its callback has run */
struct site_dir;  /* an open directory: one picture of it */
struct site_file; /* an open file handle */

#define SITE_ROOT 1u

/* How the server is reached. The members that aftp_client_options has too mean the same. */
struct site_transport {
	enum aftp_tls_mode tls_mode;
	bool prot_clear;
	struct aftp_tls *tls; /* a reference is taken */
	struct aftp_proxy proxy;
	bool active, no_eprt;
	const char *active_address;
	uint16_t active_port_min, active_port_max;
	uint64_t read_limit, write_limit;           /* bytes/s of all data connections together; 0 = none */
	uint64_t conn_read_limit, conn_write_limit; /* of those of each login */
};
enum site_lookahead { SITE_LOOKAHEAD_FULL, SITE_LOOKAHEAD_METADATA, SITE_LOOKAHEAD_OFF };

struct site_options {
	const char *host;
	uint16_t port;
	const char *user, *password, *account; /* NULL = anonymous */
	const char *path;              /* directory on the server that becomes the root; "" or NULL = login directory */
	unsigned max_conns;            /* 0 = 4 */
	int64_t connect_timeout_ms;    /* 0 = 15000 */
	int64_t timeout_ms;            /* 0 = 30000: silence of the server before a request fails */
	int64_t idle_timeout_ms;       /* 0 = 60000: unused connections are closed after it */
	int64_t attr_ttl_ms;           /* < 0 = 20000; 0 = never trust the cache */
	size_t readahead;              /* bytes a reader may run ahead; 0 = 16 MiB */
	unsigned segments;             /* connections for one big file; 0 = as many as help */
	enum site_lookahead lookahead; /* directories and small files that will be wanted; or directories; or nothing */
	size_t cache_entries;          /* directory entries kept; 0 = 200000 */
	bool no_epsv, no_mlsd;
	bool no_arm;          /* no data connections in advance */
	const char *encoding; /* the character set of the server's names; NULL = they are bytes */
	struct site_transport transport;
	bool read_only;
	bool atomic;             /* whole uploads go to a name of their own, and are renamed when they are confirmed */
	bool close_to_open;      /* an open asks the server what is there */
	bool exact_times;        /* where a listing tells minutes or days, files are asked for their seconds (MDTM) */
	bool uncached;           /* nobody keeps what is read: an open need not wait for reads that are under way */
	bool follow_symlinks;    /* links look like what they lead to */
	bool loose_symlinks;     /* their targets may lead out of the mount */
	bool transform_symlinks; /* absolute targets are made relative */
	size_t spool_memory;     /* bytes of an open file kept in memory before a temporary file is used; 0 = 4 MiB */
	const char *spool_dir;   /* for temporary files; NULL = $TMPDIR or /var/tmp */
	uid_t uid;
	gid_t gid;                  /* owner of everything */
	mode_t file_mask, dir_mask; /* permission bits taken away */
	const struct aftp_log *log; /* copied */
};

/* All strings are copied. */
int site_new(struct site **out, uv_loop_t *loop, const struct site_options *o);

/* Connects, logs in, and makes sure that the path is a directory. `why`: one line for the user, "" on success; valid
 * during the call. */
typedef void site_start_cb(void *arg, int status, const char *why);
int site_start(struct site *s, site_start_cb *cb, void *arg);

/* Everything under way gets AFTP_ECANCELED; then closed(arg). Dirs and files that are still open end with it. Sets
 * *s to NULL. */
void site_close(struct site **s, void (*closed)(void *arg), void *arg);

/* The callback runs soon with AFTP_ECANCELED, unless it is already due with its real outcome. */
void site_cancel(struct site_op *op);

struct site_attr {
	struct stat st;    /* complete: st_ino, mode with type, size, times, nlink, uid, gid, blksize, blocks */
	uint64_t valid_ms; /* how long it may be believed */
};

/* Each request stores its op in *op when op is not NULL. status < 0: attr is NULL. */
typedef void site_attr_cb(void *arg, int status, const struct site_attr *attr);

/* A success adds one to the lookup count of attr->st.st_ino. AFTP_ENOENT: for how long it may be believed is
 * site_negative_ms(). */
int site_lookup(struct site *s, uint64_t parent, const char *name, struct site_op **op, site_attr_cb *cb, void *arg);
uint64_t site_negative_ms(const struct site *s);
int site_getattr(struct site *s, uint64_t ino, struct site_op **op, site_attr_cb *cb, void *arg);
void site_forget(struct site *s, uint64_t ino, uint64_t nlookup);

typedef void site_link_cb(void *arg, int status, const char *target);
int site_readlink(struct site *s, uint64_t ino, struct site_op **op, site_link_cb *cb, void *arg);

/* What the server tells of a file beyond stat(2), as extended attributes: user.ftp.facts, the line of MLST, and
 * user.ftp.NAME for each fact in it; user.ftp.md5, .sha1, .sha256, .sha512 and .crc32, which it computes when asked.
 * -ENODATA: there is no such thing. The value is valid during the call. */
typedef void site_value_cb(void *arg, int status, const char *value, size_t len);
int site_getxattr(struct site *s, uint64_t ino, const char *name, struct site_op **op, site_value_cb *cb, void *arg);
/* Every name with its NUL, of what costs no more than a question. `size` 0: only how long it is. The length, or
 * -ERANGE, -ESTALE. */
ssize_t site_listxattr(struct site *s, uint64_t ino, char *out, size_t size);

/* Bytes that may still be written below the root (AVBL), as far as is known: AFTP_ENOTSUP when nobody tells. Never waits
 * for long. */
typedef void site_space_cb(void *arg, int status, uint64_t bytes);
int site_space(struct site *s, struct site_op **op, site_space_cb *cb, void *arg);

/* --- directories ---------------------------------------------------------------------------------- */

/* A long listing can be read while it arrives: then this is over with the first thousand entries or so. */
typedef void site_dir_cb(void *arg, int status, struct site_dir *dir);
int site_opendir(struct site *s, uint64_t ino, struct site_op **op, site_dir_cb *cb, void *arg);

/* Is entry `index` there, or is it sure that there is none? Else site_dir_wait() calls back when it is so. status < 0: the
 * listing was not to be had to its end, and this is past what there is of it. */
bool site_dir_knows(const struct site_dir *d, uint64_t index);
int site_dir_wait(struct site_dir *d, uint64_t index, struct site_op **op, site_dir_cb *cb, void *arg);

/* Entry `index` (from 0; "." and ".." come first). False past what there is. attr is filled with what is known (for plain
 * readdir: type and ino suffice); its st_mode is 0 when not even the type is known; name is valid until the next call. */
bool site_dir_entry(struct site_dir *d, uint64_t index, const char **name, struct site_attr *attr);
/* Have we changed nothing in the directory since it was opened? */
bool site_dir_current(const struct site_dir *d);
/* Takes a lookup count on entry `index`, as site_lookup() would, for readdirplus; not for "." and "..", nor where the type
 * is not known, nor when the picture is not current. False when out of memory. */
bool site_dir_remember(struct site_dir *d, uint64_t index, struct site_attr *attr);
void site_closedir(struct site_dir *d); /* waits get AFTP_ECANCELED */

/* --- files ---------------------------------------------------------------------------------------- */

struct site_open_result {
	struct site_file *file;
	bool keep_cache;   /* size and mtime are the same as at the open before */
	bool unknown_size; /* the server does not tell the size: only direct I/O can read to the end */
};
typedef void site_open_cb(void *arg, int status, const struct site_open_result *r);
/* flags as open(2). In this version only O_RDONLY; else -EROFS. */
int site_open(struct site *s, uint64_t ino, int flags, struct site_op **op, site_open_cb *cb, void *arg);

/* status >= 0: that many bytes in iov[0..n), fewer than asked only at the end of the file; the memory is valid
 * during the call, in which the file must not be released. */
typedef void site_read_cb(void *arg, ssize_t status, const struct iovec *iov, int n);
int site_read(struct site_file *f, uint64_t off, size_t len, struct site_op **op, site_read_cb *cb, void *arg);
/* Where it is on the server, for people; malloc'ed, NULL when out of memory. */
char *site_file_path(const struct site_file *f);
/* Is there anything that was written and that the server has not confirmed? */
bool site_file_unsaved(const struct site_file *f);
void site_release(struct site_file *f); /* reads under way get AFTP_ECANCELED */

/* --- changing ------------------------------------------------------------------------------------- */

/* All of these give -EROFS on a site that was made read-only, and the errno that the server's refusal means
 * otherwise. After a success the caches show the change at once. A connection that is lost in the middle of a change
 * leaves it open whether it was made: a look decides, and only what is proven is reported as done or not done. */

typedef void site_done_cb(void *arg, int status);

/* A success adds one to the lookup count of what was made. mode: permission bits; applied where the server can. */
int site_mkdir(struct site *s, uint64_t parent, const char *name, mode_t mode, struct site_op **op, site_attr_cb *cb,
	void *arg);
int site_symlink(struct site *s, const char *target, uint64_t parent, const char *name, struct site_op **op,
	site_attr_cb *cb, void *arg);

int site_rmdir(struct site *s, uint64_t parent, const char *name, struct site_op **op, site_done_cb *cb, void *arg);
/* A file that is open stays readable and writable to its holders: it is renamed aside, and deleted at its last
 * release. */
int site_unlink(struct site *s, uint64_t parent, const char *name, struct site_op **op, site_done_cb *cb, void *arg);

/* rename(2): replaces a file by a file, an empty directory by a directory. flags: RENAME_NOREPLACE (1) or 0, else
 * -EINVAL. On a server that does not rename over what exists, the old one is moved aside first, and back when the
 * rename fails. */
int site_rename(struct site *s, uint64_t parent, const char *name, uint64_t to, const char *to_name, unsigned flags,
	struct site_op **op, site_done_cb *cb, void *arg);

enum { SITE_SET_MODE = 1, SITE_SET_SIZE = 2, SITE_SET_MTIME = 4, SITE_SET_OWNER = 8 };
struct site_change {
	unsigned set;
	mode_t mode;
	uint64_t size;
	struct timespec mtime;
};
/* file may be NULL (by path). -EPERM: the server has no way to do it (owners: never). */
int site_setattr(struct site *s, uint64_t ino, struct site_file *file, const struct site_change *change,
	struct site_op **op, site_attr_cb *cb, void *arg);

/* A new file, open. -EEXIST when it is there and flags have O_EXCL; else it is opened (and truncated with O_TRUNC). */
typedef void site_create_cb(void *arg, int status, const struct site_attr *attr, const struct site_open_result *r);
int site_create(struct site *s, uint64_t parent, const char *name, mode_t mode, int flags, struct site_op **op,
	site_create_cb *cb, void *arg);

/* Memory that is given away for a time. */
struct site_memory {
	void *start;
	void (*release)(void *arg, void *start); /* NULL: it is not given away, and is copied */
	void *arg;
};
struct site_bytes {
	const void *data; /* in `memory`, where that is given away: then it must not change any more */
	size_t len;
	struct site_memory memory; /* released at any time after a call that returns 0 */
};
/* Takes all of it, or fails. O_APPEND of the open: off is not used. */
typedef void site_write_cb(void *arg, ssize_t n);
int site_write(struct site_file *f, uint64_t off, const struct site_bytes *bytes, struct site_op **op,
	site_write_cb *cb, void *arg);
/* The server copies `from`, all of it, into `to`, which is empty. cb gets its size. AFTP_ENOTSUP, at once or later: it
 * cannot, or not this; nothing has happened. */
int site_copy(struct site_file *from, uint64_t off, struct site_file *to, uint64_t to_off, uint64_t len,
	struct site_op **op, site_write_cb *cb, void *arg);
/* 0 only when the server has confirmed everything that was written before, with its size. */
int site_flush(struct site_file *f, struct site_op **op, site_done_cb *cb, void *arg);

/* Told when cached pages or attributes of an inode must not be believed any more (the file changed on the server). */
typedef void site_stale_cb(void *arg, uint64_t ino);
void site_on_stale(struct site *s, site_stale_cb *cb, void *arg);

struct site_usage {
	unsigned connections, connected_max;
	uint64_t nodes, entries, readers;
	size_t read_memory;
};
void site_usage(const struct site *s, struct site_usage *u);

#endif
