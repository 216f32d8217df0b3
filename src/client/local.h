/* local - files of this machine, from an asynchronous program.
 *
 * What blocks runs in libuv's thread pool, one job at a time for each struct local_job. Below a folder that was opened,
 * paths are walked part by part and no symbolic link is followed: whatever a server calls its files, and whatever is
 * already there, nothing outside of the folder is touched. */
#ifndef CLIENT_LOCAL_H
#define CLIENT_LOCAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

/* In the thread pool; 0 or a status. It may touch what its owner leaves alone meanwhile. */
typedef int local_work(void *arg);
typedef void local_done(void *arg, int status);

/* Caller's memory, which stays until `done`. */
struct local_job {
	uv_work_t req;
	local_work *work;
	local_done *done;
	void *arg;
	int status;
};

/* 0, or -errno: then `done` never runs. */
int local_run(struct local_job *j, uv_loop_t *loop, local_work *work, local_done *done, void *arg);

/* --- what blocks; all answer -errno when they fail ------------------------------------------------- */

/* Opens `path` below the folder `root` (AT_FDCWD and an absolute or relative path: as open(2) does it). A path with ".."
 * in it is -EINVAL. The descriptor. */
int local_open(int root, const char *path, int flags, mode_t mode);
/* A folder; 0 when it is there already. */
int local_mkdir(int root, const char *path);
/* A path that the user gave, as mkdir(2) sees it; 0 when it is there and a folder, or leads to one. */
int local_mkdir_named(const char *path);
/* Every part of such a path but the last. */
int local_mkdirs(const char *path);

struct local_entry {
	char *name;
	mode_t mode; /* S_IFMT bits, of the link itself */
};

struct local_list {
	struct local_entry *entries; /* by name */
	size_t n, cap;
};

/* The folder `path` below `root` ("" = root itself), "." and ".." left out. */
int local_scan(struct local_list *out, int root, const char *path);
void local_list_finish(struct local_list *l); /* accepts a zeroed value */

#endif
