/* memdirect - the memory vfs for whoever owns its content: synchronous, without asking modes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/memfs.h"

void aftp_memfs_pattern(uint64_t seed, uint64_t offset, void *buf, size_t n)
{
	content_generate(seed, offset, buf, n);
}

/* The directory of that path, made with its parents where it is missing. */
static int make_path(struct aftp_memfs *fs, const char *path, size_t len, struct memnode **out)
{
	struct memnode *at = fs->tree.root;
	size_t pos = 0;
	while (pos < len) {
		pos += strspn(path + pos, "/");
		size_t n = strcspn(path + pos, "/");
		if (pos >= len || n == 0)
			break;
		char *prefix = strndup(path, pos + n);
		if (!prefix)
			return -ENOMEM;
		struct memnode *next = NULL;
		int rc = memtree_find(fs->tree.root, prefix, MEMTREE_FOLLOW, &next);
		if (rc == -ENOENT)
			rc = memtree_add(&fs->tree, at, prefix + pos, AFTP_TYPE_DIR, 0755, NULL, &next);
		free(prefix);
		if (rc < 0)
			return rc;
		if (next->type != AFTP_TYPE_DIR)
			return -ENOTDIR;
		at = next;
		pos += n;
	}
	*out = at;
	return 0;
}

int aftp_memfs_mkdir(struct aftp_memfs *fs, const char *path)
{
	struct memnode *n;
	return make_path(fs, path, strlen(path), &n);
}

/* The directory for the last name of the path, made where it is missing, and that name. */
static int make_parent(struct aftp_memfs *fs, const char *path, struct memnode **dir, const char **name)
{
	const char *slash = strrchr(path, '/');
	if (path[0] != '/' || slash[1] == '\0')
		return -EINVAL;
	*name = slash + 1;
	return make_path(fs, path, (size_t)(slash - path), dir);
}

/* A file that is there keeps its identity and gets new content; readers keep theirs. */
static int put_content(struct aftp_memfs *fs, const char *path, struct content *c)
{
	struct memnode *dir, *n;
	const char *name;
	int rc = make_parent(fs, path, &dir, &name);
	if (rc < 0)
		return rc;
	n = memtree_child(dir, name, strlen(name));
	if (!n)
		rc = memtree_add(&fs->tree, dir, name, AFTP_TYPE_FILE, 0644, NULL, &n);
	else if (n->type != AFTP_TYPE_FILE)
		rc = n->type == AFTP_TYPE_DIR ? -EISDIR : -EEXIST;
	if (rc < 0)
		return rc;
	uint64_t before = n->content->size;
	content_unref(n->content);
	n->content = content_ref(c);
	memtree_resized(n, before);
	memtree_touch(n);
	return 0;
}

int aftp_memfs_put(struct aftp_memfs *fs, const char *path, const void *data, size_t len)
{
	struct content *c = content_new(&fs->tree.budget);
	int rc = c ? content_write(&c, 0, data, len) : -ENOMEM;
	if (rc == 0)
		rc = put_content(fs, path, c);
	content_unref(c);
	return rc;
}

int aftp_memfs_put_pattern(struct aftp_memfs *fs, const char *path, uint64_t size, uint64_t seed)
{
	struct content *c = content_new(&fs->tree.budget);
	if (!c)
		return -ENOMEM;
	c->size = c->pattern_size = size;
	c->seed = seed;
	int rc = put_content(fs, path, c);
	content_unref(c);
	return rc;
}

int aftp_memfs_symlink(struct aftp_memfs *fs, const char *target, const char *path)
{
	struct memnode *dir;
	const char *name;
	int rc = target[0] ? make_parent(fs, path, &dir, &name) : -ENOENT;
	if (rc == 0)
		rc = memtree_add(&fs->tree, dir, name, AFTP_TYPE_LINK, 0777, target, NULL);
	return rc;
}

int aftp_memfs_remove(struct aftp_memfs *fs, const char *path)
{
	struct memnode *n;
	int rc = memtree_find(fs->tree.root, path, 0, &n);
	if (rc == 0)
		memtree_remove(n);
	return rc;
}

int aftp_memfs_chmod(struct aftp_memfs *fs, const char *path, uint32_t mode)
{
	struct memnode *n;
	int rc = memtree_find(fs->tree.root, path, 0, &n);
	if (rc == 0)
		n->mode = mode & 07777;
	return rc;
}

int aftp_memfs_set_mtime(struct aftp_memfs *fs, const char *path, int64_t sec, uint32_t nsec)
{
	struct memnode *n;
	int rc = nsec < 1000000000 ? memtree_find(fs->tree.root, path, 0, &n) : -EINVAL;
	if (rc == 0) {
		n->mtime = sec;
		n->mtime_nsec = nsec;
	}
	return rc;
}

int aftp_memfs_stat(struct aftp_memfs *fs, const char *path, struct aftp_vfs_stat *st)
{
	struct memnode *n;
	int rc = memtree_find(fs->tree.root, path, 0, &n);
	if (rc == 0)
		memtree_stat(n, st);
	return rc;
}

ssize_t aftp_memfs_read(struct aftp_memfs *fs, const char *path, uint64_t offset, void *buf, size_t n)
{
	struct memnode *node;
	int rc = memtree_find(fs->tree.root, path, MEMTREE_FOLLOW, &node);
	if (rc < 0)
		return rc;
	if (node->type != AFTP_TYPE_FILE)
		return -EISDIR;
	return (ssize_t)content_copy_out(node->content, offset, buf, n);
}
