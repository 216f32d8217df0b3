/* vfs - the files that the server serves, behind an asynchronous interface; and the one in memory.
 *
 * A server only ever talks to `struct aftp_vfs`. Every operation takes a request that the caller keeps until its
 * callback; the results are in the request. The async contract is the one in status.h; statuses are -errno. There is
 * no cancel: a caller that loses interest waits for the callback, and closes what it was given.
 *
 * Paths are bytes, absolute, without "." or ".." components and without doubled or trailing slashes ("/" is the
 * root). Symbolic links are followed inside the vfs and never lead out of it.
 *
 * Content is never copied on its way: read() lends memory that holds the file's bytes, lend() lends memory where the
 * next bytes of an upload may land. A reader sees the one version of the file that was there when it was opened. */
#ifndef AFTP_VFS_H
#define AFTP_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include <aftp/entry.h>

struct aftp_vfs_stat {
	enum aftp_type type;
	uint32_t mode; /* 07777 */
	uint32_t nlink, uid, gid;
	uint64_t size;   /* of files: bytes; of links: length of the target; of directories: 0 */
	uint64_t unique; /* stable for the life of the file, also when it is renamed; never reused */
	int64_t mtime;   /* seconds since 1970 UTC */
	uint32_t mtime_nsec;
};

struct aftp_vfs_dirent {
	const char *name;
	const char *target;      /* of a symbolic link, else NULL */
	struct aftp_vfs_stat st; /* of the link itself, not of what it leads to */
};

struct aftp_vfs;
struct aftp_vfs_file;
struct aftp_vfs_dir;

typedef void aftp_vfs_cb(void *arg, int status);

/* One operation under way. The caller's memory, untouched by the caller until the callback; need not be zeroed. */
struct aftp_vfs_req {
	void *reserved[8];       /* the vfs's own while the operation runs */
	aftp_vfs_cb *cb;         /* likewise */
	void *arg;               /* likewise */
	struct aftp_vfs_stat st; /* stat, open */
	/* stat: of a symbolic link that was not followed, else NULL; valid during the callback */
	const char *target;
	struct aftp_vfs_file *file;            /* open */
	struct aftp_vfs_dir *dir;              /* opendir */
	const char *data;                      /* read: lent until release() or close() */
	size_t len;                            /* read: 0 at the end of the file */
	const struct aftp_vfs_dirent *entries; /* readdir: lent until the next readdir() or closedir() */
	size_t count;                          /* readdir: 0 at the end of the directory */
	uint64_t space;                        /* space: bytes */
};

enum {
	AFTP_VFS_READ = 1 << 0,
	AFTP_VFS_WRITE = 1 << 1,
	AFTP_VFS_CREATE = 1 << 2,
	AFTP_VFS_TRUNCATE = 1 << 3,  /* to the offset that is given to open() */
	AFTP_VFS_APPEND = 1 << 4,    /* the offset given to open() is not used: writing starts at the end */
	AFTP_VFS_EXCLUSIVE = 1 << 5, /* with CREATE: -EEXIST when it is there */
	AFTP_VFS_FOLLOW = 1 << 6,    /* stat: a link at the end is followed */
};

/* Who decides what may be done in a view. Paths are where things really are in it, with every link followed, and also
 * of what is not there. Asked from inside the calls of the operations only; what it refuses gets -EACCES. */
struct aftp_vfs_guard {
	/* `need`: AFTP_VFS_READ, AFTP_VFS_WRITE, both, or 0 (to be told that it is there). `tree`: and to all that
	 * may lie below. */
	bool (*allows)(void *arg, const char *path, unsigned need, bool tree);
	/* May what is at `from` come to lie at `to`? Both are allowed already. */
	bool (*moves)(void *arg, const char *from, const char *to);
	void *arg;
};

struct aftp_vfs_ops {
	/* `flags`: AFTP_VFS_FOLLOW, and what the guard is asked for. -ENOENT, -ENOTDIR, -EACCES, -ELOOP, -ENAMETOOLONG
	 * as in POSIX, here and below. */
	int (*stat)(struct aftp_vfs *fs, struct aftp_vfs_req *r, const char *path, unsigned flags, aftp_vfs_cb *cb,
		void *arg);
	/* Reading or writing, one of them; each handle has its own position, which starts at `offset`. A reader that
	 * starts past the end gets the end; a writer fills the gap with zeros. -EISDIR for a directory, -EINVAL for
	 * senseless flags. */
	int (*open)(struct aftp_vfs *fs, struct aftp_vfs_req *r, const char *path, unsigned flags, uint64_t offset,
		aftp_vfs_cb *cb, void *arg);
	int (*opendir)(struct aftp_vfs *fs, struct aftp_vfs_req *r, const char *path, aftp_vfs_cb *cb, void *arg);
	int (*mkdir)(struct aftp_vfs *fs, struct aftp_vfs_req *r, const char *path, uint32_t mode, aftp_vfs_cb *cb,
		void *arg);
	int (*rmdir)(struct aftp_vfs *fs, struct aftp_vfs_req *r, const char *path, aftp_vfs_cb *cb, void *arg);
	int (*unlink)(struct aftp_vfs *fs, struct aftp_vfs_req *r, const char *path, aftp_vfs_cb *cb, void *arg);
	/* As rename(2): replaces a file, or an empty directory by a directory. */
	int (*rename)(struct aftp_vfs *fs, struct aftp_vfs_req *r, const char *from, const char *to, aftp_vfs_cb *cb,
		void *arg);
	int (*set_mtime)(struct aftp_vfs *fs, struct aftp_vfs_req *r, const char *path, int64_t sec, uint32_t nsec,
		aftp_vfs_cb *cb, void *arg);
	int (*chmod)(struct aftp_vfs *fs, struct aftp_vfs_req *r, const char *path, uint32_t mode, aftp_vfs_cb *cb,
		void *arg);
	int (*symlink)(struct aftp_vfs *fs, struct aftp_vfs_req *r, const char *target, const char *path,
		aftp_vfs_cb *cb, void *arg);

	/* The next 1..max bytes, lent; several loans may be out at once. One read at a time for each file. */
	int (*read)(struct aftp_vfs_file *f, struct aftp_vfs_req *r, size_t max, aftp_vfs_cb *cb, void *arg);
	void (*release)(struct aftp_vfs_file *f, const char *data);
	/* Room for the next bytes, *len of it (at least 1); NULL when there is none now: then writable() tells when
	 * or why not. One loan at a time. filled() says that n bytes landed at its start (n may be 0) and ends the
	 * loan. */
	char *(*lend)(struct aftp_vfs_file *f, size_t *len);
	void (*filled)(struct aftp_vfs_file *f, size_t n);
	/* 0, or -ENOSPC, -EDQUOT, -EFBIG */
	int (*writable)(struct aftp_vfs_file *f, struct aftp_vfs_req *r, aftp_vfs_cb *cb, void *arg);
	/* Ends every loan and the handle, also when it fails. The status is that of what was written. */
	int (*close)(struct aftp_vfs_file *f, struct aftp_vfs_req *r, aftp_vfs_cb *cb, void *arg);

	/* The next entries of the directory as it was when it was opened; "." and ".." are not among them. */
	int (*readdir)(struct aftp_vfs_dir *d, struct aftp_vfs_req *r, aftp_vfs_cb *cb, void *arg);
	void (*closedir)(struct aftp_vfs_dir *d);

	/* --- what a vfs may lack: NULL, and the commands that need it answer 504 --- */

	/* A file, also behind a link, with its mode and time; replaces a file. Content is shared where it can be.
	 * -EISDIR. */
	int (*copy)(struct aftp_vfs *fs, struct aftp_vfs_req *r, const char *from, const char *to, aftp_vfs_cb *cb,
		void *arg);
	/* How many bytes may still be written below `path`. */
	int (*space)(struct aftp_vfs *fs, struct aftp_vfs_req *r, const char *path, aftp_vfs_cb *cb, void *arg);
	/* The directory `base` as a vfs of its own, whose links and ".." do not leave it, behind a guard (may be NULL).
	 * Used like any other, and given back when nothing of it is open any more. A base that is not there makes
	 * everything -ENOENT. 0, -ENOMEM. */
	int (*view)(struct aftp_vfs *fs, const char *base, const struct aftp_vfs_guard *guard, struct aftp_vfs **out);
	void (*unview)(struct aftp_vfs *view); /* accepts NULL */
};

/* An implementation embeds these as its first member. */
struct aftp_vfs {
	const struct aftp_vfs_ops *ops;
};
struct aftp_vfs_file {
	struct aftp_vfs *fs;
};
struct aftp_vfs_dir {
	struct aftp_vfs *fs;
};

/* --- the memory vfs ------------------------------------------------------------------------------- */

/* Hash directories, chunked copy-on-write content, nanosecond times, modes, symbolic links. The owner's bits of a
 * mode count, as they would for a user who owns all files: a file without 0400 cannot be read, one without 0200 not
 * be written. */
struct aftp_memfs;

int aftp_memfs_new(struct aftp_memfs **out, uv_loop_t *loop);
/* Sets *fs to NULL. Every handle is closed before. Its loop handle is closed asynchronously: run the loop once more.
 * Accepts a pointer to NULL. */
void aftp_memfs_close(struct aftp_memfs **fs);
struct aftp_vfs *aftp_memfs_vfs(struct aftp_memfs *fs);

/* Limits, in bytes; 0 = none. `quota`: what the sizes of all files together may reach by writing through the vfs; more
 * gets -EDQUOT. `memory`: what content, names and directories may take of it, chunks and all; more gets -ENOSPC. What
 * is there already stays, and direct access is not held to the quota. */
void aftp_memfs_set_limits(struct aftp_memfs *fs, uint64_t quota, uint64_t memory);
/* What counts for either now. */
void aftp_memfs_usage(const struct aftp_memfs *fs, uint64_t *bytes, uint64_t *memory);

/* Direct access for whoever owns the content, at any time, also while a server serves it. Statuses: 0 or -errno.
 * Modes are not asked. */

/* A file with this content, in place of one that may be there; missing parents are made. The bytes are copied. */
int aftp_memfs_put(struct aftp_memfs *fs, const char *path, const void *data, size_t len);
/* A file of `size` bytes that takes no memory: its content is aftp_memfs_pattern() of the seed. */
int aftp_memfs_put_pattern(struct aftp_memfs *fs, const char *path, uint64_t size, uint64_t seed);
/* Bytes offset..offset+n of the endless pattern of `seed`. No two aligned 8-byte words of a pattern are alike. */
void aftp_memfs_pattern(uint64_t seed, uint64_t offset, void *buf, size_t n);
int aftp_memfs_mkdir(struct aftp_memfs *fs, const char *path); /* with parents; 0 when it is there already */
int aftp_memfs_symlink(struct aftp_memfs *fs, const char *target, const char *path); /* with parents */
int aftp_memfs_remove(struct aftp_memfs *fs, const char *path); /* and all below it; the root is emptied */
int aftp_memfs_chmod(struct aftp_memfs *fs, const char *path, uint32_t mode);
/* links are not followed */
int aftp_memfs_set_mtime(struct aftp_memfs *fs, const char *path, int64_t sec, uint32_t nsec);
/* links are not followed */
int aftp_memfs_stat(struct aftp_memfs *fs, const char *path, struct aftp_vfs_stat *st);
/* Copies up to n bytes from `offset`. The count, 0 at the end, or -errno. */
ssize_t aftp_memfs_read(struct aftp_memfs *fs, const char *path, uint64_t offset, void *buf, size_t n);

/* Fills the directory `at` from a real folder: regular files, directories and symbolic links with their modes and
 * mtimes, in the order of their names. Blocks. What cannot be read and what is none of these is left out, and told
 * to `report` (may be NULL) with its path and -errno (-ENOTSUP: of another type). 0 when the folder itself could be
 * read, else -errno. */
typedef void aftp_memfs_report(void *arg, const char *path, int status);
int aftp_memfs_load(struct aftp_memfs *fs, const char *folder, const char *at, aftp_memfs_report *report, void *arg);

#endif
