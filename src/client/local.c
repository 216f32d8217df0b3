#include "client/local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENTRIES_MAX = 10 << 20 };

/* --- jobs ----------------------------------------------------------------------------------------- */

static void run(uv_work_t *req)
{
	struct local_job *j = req->data;

	j->status = j->work(j->arg);
}

static void after(uv_work_t *req, int status)
{
	struct local_job *j = req->data;

	j->done(j->arg, status < 0 ? status : j->status);
}

int local_run(struct local_job *j, uv_loop_t *loop, local_work *work, local_done *done, void *arg)
{
	j->work = work;
	j->done = done;
	j->arg = arg;
	j->req.data = j;
	return uv_queue_work(loop, &j->req, run, after);
}

/* --- paths ---------------------------------------------------------------------------------------- */

/* The next part of a path: 1..NAME_MAX bytes that are neither "." nor "..". The number of bytes; 0 at the end. */
static ssize_t next_part(const char **path, char part[256])
{
	size_t n;

	while (**path == '/')
		++*path;
	n = strcspn(*path, "/");
	if (n > 255)
		return -ENAMETOOLONG;
	memcpy(part, *path, n);
	part[n] = '\0';
	*path += n;
	if (strcmp(part, ".") == 0 || strcmp(part, "..") == 0)
		return -EINVAL;
	return (ssize_t)n;
}

static bool at_end(const char *path)
{
	return path[strspn(path, "/")] == '\0';
}

/* The folder that the last part of the path is in; `part` gets the last part, "" when the path has none. A new
 * descriptor. */
static int walk(int root, const char *path, char part[256])
{
	int dir = fcntl(root, F_DUPFD_CLOEXEC, 0), next;
	ssize_t n;

	part[0] = '\0';
	if (dir < 0)
		return -errno;
	while ((n = next_part(&path, part)) > 0 && !at_end(path)) {
		next = openat(dir, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			n = -errno;
		close(dir);
		if (next < 0)
			return (int)n;
		dir = next;
	}
	if (n < 0) {
		close(dir);
		return (int)n;
	}
	return dir;
}

int local_open(int root, const char *path, int flags, mode_t mode)
{
	char part[256];
	int dir, fd;

	if (root == AT_FDCWD) {
		fd = open(path, flags | O_CLOEXEC, mode);
		return fd < 0 ? -errno : fd;
	}
	dir = walk(root, path, part);
	if (dir < 0)
		return dir;
	fd = openat(dir, part[0] ? part : ".", flags | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		fd = -errno;
	close(dir);
	return fd;
}

/* A link to a folder is none. */
static int is_folder(int dir, const char *part)
{
	struct stat st;

	if (fstatat(dir, part, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -EEXIST;
}

int local_mkdir(int root, const char *path)
{
	char part[256];
	int dir = walk(root, path, part), rc = 0;

	if (dir < 0)
		return dir;
	if (part[0] && mkdirat(dir, part, 0777) < 0)
		rc = errno == EEXIST ? is_folder(dir, part) : -errno;
	close(dir);
	return rc;
}

int local_mkdir_named(const char *path)
{
	struct stat st;

	if (mkdir(path, 0777) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? 0 : -EEXIST;
}

int local_mkdirs(const char *path)
{
	char *copy = strdup(path);
	int rc = copy ? 0 : -ENOMEM;

	for (char *p = copy ? strchr(copy + 1, '/') : NULL; rc == 0 && p && !at_end(p); p = strchr(p + 1, '/')) {
		*p = '\0';
		rc = local_mkdir_named(copy);
		*p = '/';
	}
	free(copy);
	return rc;
}

/* --- folders -------------------------------------------------------------------------------------- */

static int add(struct local_list *l, int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno; /* gone meanwhile */
	if (l->n == ENTRIES_MAX)
		return -EOVERFLOW;
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		struct local_entry *entries = realloc(l->entries, cap * sizeof *entries);

		if (!entries)
			return -ENOMEM;
		l->entries = entries;
		l->cap = cap;
	}
	l->entries[l->n] = (struct local_entry){ .name = strdup(name), .mode = st.st_mode };
	if (!l->entries[l->n].name)
		return -ENOMEM;
	l->n++;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct local_entry *)a)->name, ((const struct local_entry *)b)->name);
}

static int read_folder(struct local_list *l, DIR *d)
{
	const struct dirent *e;
	int rc = 0;

	while (rc == 0 && (errno = 0, e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			rc = add(l, dirfd(d), e->d_name);
	return rc < 0 ? rc : -errno;
}

int local_scan(struct local_list *out, int root, const char *path)
{
	int fd = local_open(root, path, O_RDONLY | O_DIRECTORY, 0), rc;
	DIR *d;

	*out = (struct local_list){ 0 };
	if (fd < 0)
		return fd;
	d = fdopendir(fd);
	if (!d) {
		rc = -errno;
		close(fd);
		return rc;
	}
	rc = read_folder(out, d);
	closedir(d);
	if (rc < 0)
		local_list_finish(out);
	else if (out->n > 0)
		qsort(out->entries, out->n, sizeof *out->entries, by_name);
	return rc;
}

void local_list_finish(struct local_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->entries[i].name);
	free(l->entries);
	*l = (struct local_list){ 0 };
}
