/* memload - fills the memory vfs from a real folder, in two steps for each directory: what is in it, then its own
 * mode and time. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "server/memfs.h"

enum { DEPTH_CAP = 1000, PATH_BYTES = 64 << 10, LINK_BYTES = 4096 };

struct load {
	struct aftp_memfs *fs;
	aftp_memfs_report *report;
	void *arg;
	struct buf path; /* of the folder that is being read, for reports */
	int depth;
};

static void load_tell(struct load *l, const char *name, int status)
{
	char *path = NULL;
	if (!l->report || asprintf(&path, "%.*s/%s", (int)buf_len(&l->path), buf_bytes(&l->path), name) < 0)
		return;
	l->report(l->arg, path, status);
	free(path);
}

static void load_attributes(struct memnode *n, const struct stat *st)
{
	n->mode = st->st_mode & 07777;
	n->mtime = st->st_mtim.tv_sec;
	n->mtime_nsec = (uint32_t)st->st_mtim.tv_nsec;
}

/* Straight from the file into the chunks. */
static int load_bytes(int fd, struct content **c)
{
	uint64_t off = 0;
	for (;;) {
		struct chunk *pin;
		char *room;
		size_t len;
		int rc = content_room(c, off, &pin, &room, &len);
		if (rc < 0)
			return rc;
		ssize_t n = read(fd, room, len);
		rc = n < 0 ? -errno : content_landed(c, off, pin, (size_t)n);
		content_unpin(pin);
		if (rc < 0 && rc != -EINTR)
			return rc;
		if (n == 0)
			break;
		off += n > 0 ? (uint64_t)n : 0;
	}
	content_trim(*c);
	return 0;
}

static int load_file(struct load *l, int at, struct memnode *dir, const char *name)
{
	struct stat st;
	int fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	struct memnode *n = NULL;
	int rc = fstat(fd, &st) < 0 ? -errno : memtree_add(&l->fs->tree, dir, name, AFTP_TYPE_FILE, 0644, NULL, &n);
	if (rc == 0) {
		rc = load_bytes(fd, &n->content);
		memtree_resized(n, 0);
	}
	if (rc == 0)
		load_attributes(n, &st);
	else if (n)
		memtree_remove(n);
	close(fd);
	return rc;
}

static int load_link(struct load *l, int at, struct memnode *dir, const char *name, const struct stat *st)
{
	char target[LINK_BYTES];
	ssize_t len = readlinkat(at, name, target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = '\0';
	struct memnode *n;
	int rc = memtree_add(&l->fs->tree, dir, name, AFTP_TYPE_LINK, 0777, target, &n);
	if (rc == 0)
		load_attributes(n, st);
	return rc;
}

static int load_folder(struct load *l, int fd, struct memnode *dir);

static int load_subfolder(struct load *l, int at, struct memnode *dir, const char *name, const struct stat *st)
{
	if (l->depth >= DEPTH_CAP)
		return -ELOOP;
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	struct memnode *n = memtree_child(dir, name, strlen(name));
	int rc = n ? 0 : memtree_add(&l->fs->tree, dir, name, AFTP_TYPE_DIR, 0755, NULL, &n);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	size_t len = buf_len(&l->path);
	rc = buf_append(&l->path, "/", 1);
	if (rc == 0)
		rc = buf_append(&l->path, name, strlen(name));
	l->depth++;
	if (rc == 0)
		rc = load_folder(l, fd, n);
	else
		close(fd);
	l->depth--;
	l->path.end = l->path.start + len;
	load_attributes(n, st);
	return rc;
}

static int load_entry(struct load *l, int at, struct memnode *dir, const char *name)
{
	struct stat st;
	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return load_subfolder(l, at, dir, name, &st);
	if (S_ISLNK(st.st_mode))
		return load_link(l, at, dir, name, &st);
	if (S_ISREG(st.st_mode))
		return load_file(l, at, dir, name);
	return -ENOTSUP;
}

static int keep_entry(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

/* Takes over `fd`. */
static int load_folder(struct load *l, int fd, struct memnode *dir)
{
	struct dirent **names = NULL;
	int count = scandirat(fd, ".", &names, keep_entry, alphasort);
	int rc = count < 0 ? -errno : 0;
	for (int i = 0; i < count; i++) {
		int status = load_entry(l, fd, dir, names[i]->d_name);
		if (status < 0)
			load_tell(l, names[i]->d_name, status);
		free(names[i]);
	}
	free(names);
	close(fd);
	return rc;
}

int aftp_memfs_load(struct aftp_memfs *fs, const char *folder, const char *at, aftp_memfs_report *report, void *arg)
{
	struct load l = { .fs = fs, .report = report, .arg = arg };
	struct memnode *dir;
	int rc = aftp_memfs_mkdir(fs, at);
	if (rc == 0)
		rc = memtree_find(fs->tree.root, at, MEMTREE_FOLLOW, &dir);
	if (rc < 0)
		return rc;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	struct stat st;
	buf_init(&l.path, PATH_BYTES);
	size_t len = strlen(folder);
	while (len > 1 && folder[len - 1] == '/')
		len--;
	rc = fstat(fd, &st) < 0 ? -errno : buf_append(&l.path, folder, len);
	if (rc < 0)
		close(fd);
	else
		rc = load_folder(&l, fd, dir);
	if (rc == 0)
		load_attributes(dir, &st);
	buf_finish(&l.path);
	return rc;
}
