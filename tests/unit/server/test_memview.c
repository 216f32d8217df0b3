/* Views of the memory vfs: what a base and a guard keep in, what limits keep out, and copies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <aftp/vfs.h>

struct fixture {
	uv_loop_t loop;
	struct aftp_memfs *mem;
	struct aftp_vfs *fs; /* the one that calls go to */
	struct aftp_vfs_req req;
	int status, calls;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(aftp_memfs_new(&f->mem, &f->loop), 0);
	f->fs = aftp_memfs_vfs(f->mem);
	assert_int_equal(aftp_memfs_put(f->mem, "/home/joe/file", "joe's", 5), 0);
	assert_int_equal(aftp_memfs_put(f->mem, "/home/joe/dir/deep", "deep", 4), 0);
	assert_int_equal(aftp_memfs_put(f->mem, "/home/eve/secret", "eve's", 5), 0);
	assert_int_equal(aftp_memfs_put(f->mem, "/file", "root's", 6), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	aftp_memfs_close(&f->mem);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	free(f);
	return 0;
}

static void on_done(void *arg, int status)
{
	struct fixture *f = arg;
	f->calls++;
	f->status = status;
}

static int wait_for(struct fixture *f, int rc)
{
	if (rc < 0)
		return rc;
	f->calls = 0;
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(f->calls, 1);
	return f->status;
}

#define CALL(f, op, ...) wait_for(f, (f)->fs->ops->op((f)->fs, &(f)->req, __VA_ARGS__, on_done, f))

/* Opens, and reads or writes nothing. */
static int touch(struct fixture *f, const char *path, unsigned flags)
{
	int rc = CALL(f, open, path, flags, 0);
	return rc < 0 ? rc : wait_for(f, f->fs->ops->close(f->req.file, &f->req, on_done, f));
}

/* The file's first bytes as a string, or why not. */
static const char *get(struct fixture *f, const char *path, char *out, size_t size)
{
	int rc = CALL(f, open, path, AFTP_VFS_READ, 0);
	if (rc < 0) {
		snprintf(out, size, "%d", rc);
		return out;
	}
	struct aftp_vfs_file *file = f->req.file;
	assert_int_equal(wait_for(f, f->fs->ops->read(file, &f->req, size - 1, on_done, f)), 0);
	snprintf(out, size, "%.*s", (int)f->req.len, f->req.len ? f->req.data : "");
	assert_int_equal(wait_for(f, f->fs->ops->close(file, &f->req, on_done, f)), 0);
	return out;
}

/* Writes n bytes at `offset`; the status of the whole. */
static int put(struct fixture *f, const char *path, unsigned flags, uint64_t offset, size_t n)
{
	int rc = CALL(f, open, path, AFTP_VFS_WRITE | AFTP_VFS_CREATE | flags, offset);
	if (rc < 0)
		return rc;
	struct aftp_vfs_file *file = f->req.file;
	while (n > 0) {
		size_t len;
		char *room = f->fs->ops->lend(file, &len);
		if (!room) {
			rc = wait_for(f, f->fs->ops->writable(file, &f->req, on_done, f));
			break;
		}
		len = len < n ? len : n;
		memset(room, 'x', len);
		f->fs->ops->filled(file, len);
		n -= len;
	}
	int closed = wait_for(f, f->fs->ops->close(file, &f->req, on_done, f));
	assert_true(rc == 0 || rc == closed);
	return closed;
}

/* --- a base ---------------------------------------------------------------------------------------- */

static void test_base(void **state)
{
	struct fixture *f = *state;
	struct aftp_vfs *whole = f->fs;
	char text[64];
	assert_int_equal(whole->ops->view(whole, "/home/joe", NULL, &f->fs), 0);
	assert_string_equal(get(f, "/file", text, sizeof(text)), "joe's");
	assert_int_equal(CALL(f, stat, "/", AFTP_VFS_FOLLOW), 0);
	assert_int_equal(f->req.st.type, AFTP_TYPE_DIR);
	assert_int_equal(CALL(f, stat, "/home", 0), -ENOENT);
	assert_int_equal(CALL(f, mkdir, "/new", 0755), 0);
	assert_int_equal(CALL(f, rename, "/file", "/new/name"), 0);
	whole->ops->unview(f->fs);
	f->fs = whole;
	assert_string_equal(get(f, "/home/joe/new/name", text, sizeof(text)), "joe's");
	whole->ops->unview(NULL);
}

/* Absolute links begin at the base, and ".." ends there. */
static void test_links_stay_inside(void **state)
{
	static const struct {
		const char *target, *text;
	} cases[] = {
		{ "/file", "joe's" },
		{ "/../file", "joe's" },
		{ "../file", "joe's" },
		{ "../../../../file", "joe's" },
		{ "../../file", "joe's" },
		{ "dir/../file", "joe's" },
		{ "./dir/deep", "deep" },
		{ "../eve/secret", "-2" },
		{ "/home/eve/secret", "-2" },
		{ "loop", "-40" },
	};
	struct fixture *f = *state;
	struct aftp_vfs *whole = f->fs;
	assert_int_equal(whole->ops->view(whole, "/home/joe", NULL, &f->fs), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[64];
		const char *name = strcmp(cases[i].target, "loop") == 0 ? "/loop" : "/link";
		assert_int_equal(CALL(f, symlink, cases[i].target, name), 0);
		assert_string_equal(get(f, name, text, sizeof(text)), cases[i].text);
		assert_int_equal(CALL(f, unlink, name), 0);
	}
	whole->ops->unview(f->fs);
	f->fs = whole;
}

static void test_base_comes_and_goes(void **state)
{
	struct fixture *f = *state;
	struct aftp_vfs *whole = f->fs;
	char text[64];
	assert_int_equal(whole->ops->view(whole, "/home/new", NULL, &f->fs), 0);
	assert_int_equal(CALL(f, stat, "/", 0), -ENOENT);
	assert_int_equal(put(f, "/x", 0, 0, 1), -ENOENT);
	assert_int_equal(CALL(f, mkdir, "/x", 0755), -ENOENT);
	assert_int_equal(aftp_memfs_put(f->mem, "/home/new/x", "here", 4), 0);
	assert_string_equal(get(f, "/x", text, sizeof(text)), "here");
	assert_int_equal(aftp_memfs_remove(f->mem, "/home/new"), 0);
	assert_int_equal(aftp_memfs_put(f->mem, "/home/new", "a file", 6), 0);
	assert_int_equal(CALL(f, stat, "/x", 0), -ENOTDIR);
	whole->ops->unview(f->fs);
	f->fs = whole;
}

/* --- a guard --------------------------------------------------------------------------------------- */

struct asked {
	const char *denied; /* this and all below it */
	const char *read_only;
	bool no_moves;
	char last[256];
	unsigned need;
	bool tree;
};

static bool below(const char *path, const char *top)
{
	size_t n = strlen(top);
	return strncmp(path, top, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static bool allows(void *arg, const char *path, unsigned need, bool tree)
{
	struct asked *a = arg;
	snprintf(a->last, sizeof(a->last), "%s", path);
	a->need = need;
	a->tree = tree;
	if (below(path, a->denied) || (tree && below(a->denied, path)))
		return false;
	return !(need & AFTP_VFS_WRITE) || !below(path, a->read_only);
}

static bool moves(void *arg, const char *from, const char *to)
{
	const struct asked *a = arg;
	(void)from;
	(void)to;
	return !a->no_moves;
}

static void guarded(struct fixture *f, struct asked *a)
{
	const struct aftp_vfs_guard guard = { .allows = allows, .moves = moves, .arg = a };
	struct aftp_vfs *whole = f->fs;
	assert_int_equal(whole->ops->view(whole, "/", &guard, &f->fs), 0);
}

static void unguarded(struct fixture *f)
{
	struct aftp_vfs *whole = aftp_memfs_vfs(f->mem);
	whole->ops->unview(f->fs);
	f->fs = whole;
}

/* Every operation, on a path that is denied, through every disguise, whether something is there or not. */
static void test_denied(void **state)
{
	static const char *const paths[] = { "/home/eve/secret", "/home/eve/none", "/home/eve/none/none", "/way/secret",
		"/way/none", "/straight", "/home/joe/up/secret", "/nowhere" };
	struct fixture *f = *state;
	struct asked a = { .denied = "/home/eve", .read_only = "/ro" };
	assert_int_equal(aftp_memfs_symlink(f->mem, "home/eve", "/way"), 0);
	assert_int_equal(aftp_memfs_symlink(f->mem, "/home/eve/secret", "/straight"), 0);
	assert_int_equal(aftp_memfs_symlink(f->mem, "../eve", "/home/joe/up"), 0);
	assert_int_equal(aftp_memfs_symlink(f->mem, "/home/eve/none/x", "/nowhere"), 0);
	guarded(f, &a);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const char *p = paths[i];
		assert_int_equal(CALL(f, stat, p, AFTP_VFS_FOLLOW), -EACCES);
		assert_int_equal(touch(f, p, AFTP_VFS_READ), -EACCES);
		assert_int_equal(touch(f, p, AFTP_VFS_WRITE), -EACCES);
		assert_int_equal(CALL(f, opendir, p), -EACCES);
		assert_int_equal(CALL(f, set_mtime, p, 1, 0), -EACCES);
		assert_int_equal(CALL(f, chmod, p, 0777), -EACCES);
		assert_int_equal(CALL(f, copy, p, "/stolen"), -EACCES);
		assert_int_equal(CALL(f, space, p), -EACCES);
	}
	for (size_t i = 0; i < 5; i++) {
		const char *p = paths[i];
		assert_int_equal(CALL(f, stat, p, 0), -EACCES);
		assert_int_equal(put(f, p, 0, 0, 1), -EACCES);
		assert_int_equal(CALL(f, mkdir, p, 0755), -EACCES);
		assert_int_equal(CALL(f, rmdir, p), -EACCES);
		assert_int_equal(CALL(f, unlink, p), -EACCES);
		assert_int_equal(CALL(f, rename, p, "/stolen"), -EACCES);
		assert_int_equal(CALL(f, rename, "/file", p), -EACCES);
		assert_int_equal(CALL(f, symlink, "x", p), -EACCES);
		assert_int_equal(CALL(f, copy, "/file", p), -EACCES);
	}
	unguarded(f);
	assert_int_equal(CALL(f, stat, "/stolen", 0), -ENOENT);
	assert_int_equal(CALL(f, stat, "/home/eve/none", 0), -ENOENT);
}

static void test_what_is_asked(void **state)
{
	struct fixture *f = *state;
	struct asked a = { .denied = "/home/eve", .read_only = "/ro" };
	assert_int_equal(aftp_memfs_put(f->mem, "/ro/file", "x", 1), 0);
	assert_int_equal(aftp_memfs_symlink(f->mem, "home/joe", "/joe"), 0);
	guarded(f, &a);
	assert_int_equal(CALL(f, stat, "/joe/file", AFTP_VFS_READ), 0);
	assert_string_equal(a.last, "/home/joe/file");
	assert_int_equal(a.need, AFTP_VFS_READ);
	assert_int_equal(CALL(f, stat, "/joe/dir/none", 0), -ENOENT);
	assert_string_equal(a.last, "/home/joe/dir/none");
	assert_int_equal(a.need, 0);
	assert_int_equal(CALL(f, mkdir, "/joe/new", 0755), 0);
	assert_string_equal(a.last, "/home/joe/new");
	assert_int_equal(a.need, AFTP_VFS_WRITE);
	assert_false(a.tree);
	assert_int_equal(CALL(f, stat, "/", 0), 0);
	assert_string_equal(a.last, "/");
	/* What may be read may not be written, and a folder takes along what lies in it. */
	assert_int_equal(touch(f, "/ro/file", AFTP_VFS_READ), 0);
	assert_int_equal(touch(f, "/ro/file", AFTP_VFS_WRITE), -EACCES);
	assert_int_equal(CALL(f, chmod, "/ro/file", 0600), -EACCES);
	assert_int_equal(CALL(f, rename, "/home", "/house"), -EACCES);
	assert_true(a.tree);
	assert_int_equal(CALL(f, rename, "/home/joe/dir", "/dir"), 0);
	a.no_moves = true;
	assert_int_equal(CALL(f, rename, "/dir", "/home/joe/dir"), -EACCES);
	unguarded(f);
}

/* --- limits ---------------------------------------------------------------------------------------- */

static uint64_t bytes_used(const struct fixture *f)
{
	uint64_t bytes, memory;
	aftp_memfs_usage(f->mem, &bytes, &memory);
	return bytes;
}

static void test_quota(void **state)
{
	struct fixture *f = *state;
	uint64_t start = bytes_used(f);
	assert_int_equal(start, 5 + 4 + 5 + 6);
	aftp_memfs_set_limits(f->mem, start + 1000, 0);
	assert_int_equal(CALL(f, space, "/"), 0);
	assert_int_equal(f->req.space, 1000);
	assert_int_equal(put(f, "/a", 0, 0, 600), 0);
	assert_int_equal(put(f, "/b", 0, 0, 600), -EDQUOT);
	assert_int_equal(CALL(f, stat, "/b", 0), 0);
	assert_int_equal(f->req.st.size, 400);
	assert_int_equal(bytes_used(f), start + 1000);
	assert_int_equal(CALL(f, space, "/"), 0);
	assert_int_equal(f->req.space, 0);
	/* What is there may be changed; gaps count; what shrinks or goes makes room. */
	assert_int_equal(put(f, "/a", 0, 100, 500), 0);
	assert_int_equal(put(f, "/a", 0, 100, 501), -EDQUOT);
	assert_int_equal(CALL(f, copy, "/a", "/c"), -EDQUOT);
	assert_int_equal(CALL(f, stat, "/c", 0), -ENOENT);
	assert_int_equal(CALL(f, copy, "/b", "/a"), 0);
	assert_int_equal(bytes_used(f), start + 800);
	assert_int_equal(put(f, "/a", 0, 599, 1), 0);
	assert_int_equal(put(f, "/a", 0, 700, 1), -EDQUOT);
	assert_int_equal(CALL(f, unlink, "/a"), 0);
	assert_int_equal(bytes_used(f), start + 400);
	assert_int_equal(put(f, "/b", AFTP_VFS_TRUNCATE, 0, 999), 0);
	assert_int_equal(put(f, "/b", AFTP_VFS_APPEND, 0, 2), -EDQUOT);
	assert_int_equal(bytes_used(f), start + 1000);
	/* Its owner is not held to it. */
	assert_int_equal(aftp_memfs_put_pattern(f->mem, "/big", 1 << 30, 1), 0);
	assert_int_equal(CALL(f, space, "/"), 0);
	assert_int_equal(f->req.space, 0);
	assert_int_equal(aftp_memfs_remove(f->mem, "/"), 0);
	assert_int_equal(bytes_used(f), 0);
}

/* Two writers who were both lent the last of it. */
static void test_quota_is_shared(void **state)
{
	struct fixture *f = *state;
	struct aftp_vfs_file *file[2];
	aftp_memfs_set_limits(f->mem, bytes_used(f) + 100, 0);
	for (int i = 0; i < 2; i++) {
		size_t len;
		assert_int_equal(CALL(f, open, i ? "/one" : "/two", AFTP_VFS_WRITE | AFTP_VFS_CREATE, 0), 0);
		file[i] = f->req.file;
		assert_non_null(f->fs->ops->lend(file[i], &len));
		assert_int_equal(len, 100);
	}
	f->fs->ops->filled(file[0], 70);
	f->fs->ops->filled(file[1], 70);
	assert_null(f->fs->ops->lend(file[1], &(size_t){ 0 }));
	assert_int_equal(wait_for(f, f->fs->ops->writable(file[1], &f->req, on_done, f)), -EDQUOT);
	assert_int_equal(wait_for(f, f->fs->ops->close(file[0], &f->req, on_done, f)), 0);
	assert_int_equal(wait_for(f, f->fs->ops->close(file[1], &f->req, on_done, f)), -EDQUOT);
	assert_int_equal(CALL(f, stat, "/one", 0), 0);
	assert_int_equal(f->req.st.size, 30);
}

static void test_memory(void **state)
{
	struct fixture *f = *state;
	uint64_t bytes, start, now;
	char name[64];
	int rc = 0;
	aftp_memfs_usage(f->mem, &bytes, &start);
	assert_true(start > 0);
	aftp_memfs_set_limits(f->mem, 0, start + (4 << 20));
	/* Content, */
	assert_int_equal(put(f, "/big", 0, 0, 10 << 20), -ENOSPC);
	aftp_memfs_usage(f->mem, &bytes, &now);
	assert_true(now <= start + (4 << 20));
	assert_int_equal(CALL(f, unlink, "/big"), 0);
	/* names, */
	for (unsigned i = 0; rc == 0; i++) {
		assert_true(i < 100000);
		snprintf(name, sizeof(name), "/%u", i);
		rc = CALL(f, mkdir, name, 0755);
	}
	assert_int_equal(rc, -ENOSPC);
	assert_int_equal(put(f, "/new", 0, 0, 1), -ENOSPC);
	assert_int_equal(CALL(f, symlink, "x", "/new"), -ENOSPC);
	aftp_memfs_usage(f->mem, &bytes, &now);
	assert_true(now <= start + (4 << 20));
	/* and all of it comes back. */
	assert_int_equal(aftp_memfs_remove(f->mem, "/"), 0);
	assert_int_equal(aftp_memfs_put(f->mem, "/file", "x", 1), 0);
	aftp_memfs_usage(f->mem, &bytes, &now);
	assert_true(now < start + 200000);
	/* A hole takes none, but its table does. */
	rc = 0;
	for (unsigned i = 0; rc == 0; i++) {
		assert_true(i < 100);
		snprintf(name, sizeof(name), "/hole%u", i);
		rc = put(f, name, 0, (uint64_t)500 << 30, 1);
	}
	assert_int_equal(rc, -ENOSPC);
}

/* --- copies ---------------------------------------------------------------------------------------- */

static void test_copy(void **state)
{
	struct fixture *f = *state;
	uint64_t bytes, before, after;
	char text[64];
	assert_int_equal(put(f, "/big", 0, 0, 5 << 20), 0);
	assert_int_equal(aftp_memfs_chmod(f->mem, "/big", 0640), 0);
	assert_int_equal(aftp_memfs_set_mtime(f->mem, "/big", 1000, 5), 0);
	aftp_memfs_usage(f->mem, &bytes, &before);
	assert_int_equal(CALL(f, copy, "/big", "/copy"), 0);
	aftp_memfs_usage(f->mem, &bytes, &after);
	assert_true(after - before < 10000); /* it is shared */
	assert_int_equal(CALL(f, stat, "/copy", 0), 0);
	assert_int_equal(f->req.st.size, 5 << 20);
	assert_int_equal(f->req.st.mode, 0640);
	assert_int_equal(f->req.st.mtime, 1000);
	assert_int_equal(f->req.st.mtime_nsec, 5);
	/* Neither notices what becomes of the other. */
	assert_int_equal(put(f, "/copy", AFTP_VFS_TRUNCATE, 0, 3), 0);
	assert_int_equal(CALL(f, stat, "/big", 0), 0);
	assert_int_equal(f->req.st.size, 5 << 20);
	/* In place of a file; from behind a link. */
	assert_int_equal(aftp_memfs_symlink(f->mem, "home/joe/file", "/link"), 0);
	assert_int_equal(CALL(f, copy, "/link", "/copy"), 0);
	assert_string_equal(get(f, "/copy", text, sizeof(text)), "joe's");
	/* What cannot be. */
	assert_int_equal(CALL(f, copy, "/home", "/copy"), -EISDIR);
	assert_int_equal(CALL(f, copy, "/file", "/home"), -EISDIR);
	assert_int_equal(CALL(f, copy, "/file", "/link"), -EEXIST);
	assert_int_equal(CALL(f, copy, "/file", "/file"), -EINVAL);
	assert_int_equal(CALL(f, copy, "/none", "/copy"), -ENOENT);
	assert_int_equal(CALL(f, copy, "/file", "/none/x"), -ENOENT);
	assert_int_equal(CALL(f, copy, "/file", "/"), -EBUSY);
	assert_int_equal(aftp_memfs_chmod(f->mem, "/file", 0200), 0);
	assert_int_equal(CALL(f, copy, "/file", "/copy"), -EACCES);
	assert_int_equal(aftp_memfs_chmod(f->mem, "/copy", 0400), 0);
	assert_int_equal(CALL(f, copy, "/big", "/copy"), -EACCES);
	assert_int_equal(aftp_memfs_chmod(f->mem, "/home", 0500), 0);
	assert_int_equal(CALL(f, copy, "/big", "/home/x"), -EACCES);
	assert_string_equal(get(f, "/copy", text, sizeof(text)), "joe's");
}

/* A writer that has been lent room in the middle changes nothing in a copy. */
static void test_copy_under_a_writer(void **state)
{
	struct fixture *f = *state;
	char text[64];
	size_t len;
	assert_int_equal(CALL(f, open, "/file", AFTP_VFS_WRITE, 0), 0);
	struct aftp_vfs_file *file = f->req.file;
	char *room = f->fs->ops->lend(file, &len);
	assert_non_null(room);
	assert_int_equal(CALL(f, copy, "/file", "/copy"), 0);
	memcpy(room, "ROOT", 4);
	f->fs->ops->filled(file, 4);
	assert_int_equal(wait_for(f, f->fs->ops->close(file, &f->req, on_done, f)), 0);
	assert_string_equal(get(f, "/file", text, sizeof(text)), "ROOT's");
	assert_string_equal(get(f, "/copy", text, sizeof(text)), "root's");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_base),
		TEST(test_links_stay_inside),
		TEST(test_base_comes_and_goes),
		TEST(test_denied),
		TEST(test_what_is_asked),
		TEST(test_quota),
		TEST(test_quota_is_shared),
		TEST(test_memory),
		TEST(test_copy),
		TEST(test_copy_under_a_writer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
