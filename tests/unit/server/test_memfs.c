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
	struct aftp_vfs *fs;
	const struct aftp_vfs_ops *ops;
	struct aftp_vfs_req req;
	char target[64];
	int status, calls;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(aftp_memfs_new(&f->mem, &f->loop), 0);
	f->fs = aftp_memfs_vfs(f->mem);
	f->ops = f->fs->ops;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	aftp_memfs_close(&f->mem);
	assert_null(f->mem);
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
	snprintf(f->target, sizeof(f->target), "%s", status == 0 && f->req.target ? f->req.target : "");
}

/* The async contract of every operation: one callback, later. */
static int wait_for(struct fixture *f, int rc)
{
	if (rc < 0) {
		assert_int_equal(f->calls, 0);
		return rc;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(f->calls, 0);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(f->calls, 1);
	f->calls = 0;
	return f->status;
}

#define CALL(f, op, ...) wait_for(f, (f)->ops->op((f)->fs, &(f)->req, __VA_ARGS__, on_done, f))

static int open_file(struct fixture *f, const char *path, unsigned flags, uint64_t offset, struct aftp_vfs_file **file)
{
	int rc = CALL(f, open, path, flags, offset);
	*file = rc == 0 ? f->req.file : NULL;
	return rc;
}

static int close_file(struct fixture *f, struct aftp_vfs_file *file)
{
	return wait_for(f, f->ops->close(file, &f->req, on_done, f));
}

static void feed(struct fixture *f, struct aftp_vfs_file *file, const char *data, size_t n)
{
	while (n > 0) {
		size_t len = 0;
		char *room = f->ops->lend(file, &len);
		assert_non_null(room);
		len = len < n ? len : n;
		memcpy(room, data, len);
		f->ops->filled(file, len);
		data += len;
		n -= len;
	}
}

static int write_file(struct fixture *f, const char *path, unsigned flags, uint64_t offset, const char *text)
{
	struct aftp_vfs_file *file;
	int rc = open_file(f, path, AFTP_VFS_WRITE | flags, offset, &file);
	if (rc < 0)
		return rc;
	feed(f, file, text, strlen(text));
	return close_file(f, file);
}

/* Reads on to the end and closes; the length, and the bytes in `out`. */
static size_t drain_file(struct fixture *f, struct aftp_vfs_file *file, char *out, size_t max)
{
	size_t n = 0;
	for (;;) {
		assert_int_equal(wait_for(f, f->ops->read(file, &f->req, max, on_done, f)), 0);
		if (f->req.len == 0)
			break;
		assert_true(f->req.len <= max);
		memcpy(out + n, f->req.data, f->req.len);
		f->ops->release(file, f->req.data);
		n += f->req.len;
	}
	assert_int_equal(close_file(f, file), 0);
	return n;
}

static void assert_file(struct fixture *f, const char *path, const char *want, size_t len)
{
	struct aftp_vfs_file *file;
	char *got = malloc(len + 4096);
	assert_int_equal(open_file(f, path, AFTP_VFS_READ, 0, &file), 0);
	assert_int_equal(f->req.st.size, len);
	assert_int_equal(drain_file(f, file, got, 1000), len);
	assert_memory_equal(got, want, len);
	free(got);
}

/* --- names ----------------------------------------------------------------------------------------- */

enum op { STAT, LSTAT, OPENDIR, MKDIR, RMDIR, UNLINK, RENAME, READ, WRITE, CREATE, EXCLUSIVE, TIME, CHMOD, LINK };

static int call_op(struct fixture *f, enum op op, const char *path, const char *other)
{
	struct aftp_vfs_file *file;
	int rc;
	switch (op) {
	case STAT: return CALL(f, stat, path, AFTP_VFS_FOLLOW);
	case LSTAT: return CALL(f, stat, path, 0);
	case OPENDIR:
		rc = CALL(f, opendir, path);
		if (rc == 0)
			f->ops->closedir(f->req.dir);
		return rc;
	case MKDIR: return CALL(f, mkdir, path, 0755);
	case RMDIR: return CALL(f, rmdir, path);
	case UNLINK: return CALL(f, unlink, path);
	case RENAME: return CALL(f, rename, path, other);
	case TIME: return CALL(f, set_mtime, path, 1, 2);
	case CHMOD: return CALL(f, chmod, path, 0700);
	case LINK: return CALL(f, symlink, other, path);
	default: break;
	}
	rc = open_file(f, path,
		op == READ ? AFTP_VFS_READ
			   : AFTP_VFS_WRITE | (op == WRITE ? 0 : AFTP_VFS_CREATE) |
				(op == EXCLUSIVE ? AFTP_VFS_EXCLUSIVE : 0),
		0, &file);
	return rc < 0 ? rc : close_file(f, file);
}

static void grow_tree(struct fixture *f)
{
	assert_int_equal(aftp_memfs_put(f->mem, "/file", "content", 7), 0);
	assert_int_equal(aftp_memfs_put(f->mem, "/dir/inner", "x", 1), 0);
	assert_int_equal(aftp_memfs_mkdir(f->mem, "/empty"), 0);
	assert_int_equal(aftp_memfs_symlink(f->mem, "dir", "/to_dir"), 0);
	assert_int_equal(aftp_memfs_symlink(f->mem, "/file", "/dir/to_file"), 0);
	assert_int_equal(aftp_memfs_symlink(f->mem, "nowhere", "/dangling"), 0);
	assert_int_equal(aftp_memfs_symlink(f->mem, "loop", "/loop"), 0);
	assert_int_equal(aftp_memfs_symlink(f->mem, "../../../dir", "/dir/out"), 0);
	assert_int_equal(aftp_memfs_put(f->mem, "/locked/file", "x", 1), 0);
	assert_int_equal(aftp_memfs_mkdir(f->mem, "/locked/dir"), 0);
	assert_int_equal(aftp_memfs_put(f->mem, "/secret", "x", 1), 0);
	assert_int_equal(aftp_memfs_chmod(f->mem, "/secret", 0000), 0);
	assert_int_equal(aftp_memfs_put(f->mem, "/closed/file", "x", 1), 0);
	assert_int_equal(aftp_memfs_chmod(f->mem, "/closed", 0600), 0);
	assert_int_equal(aftp_memfs_chmod(f->mem, "/locked", 0500), 0);
}

#define N64       "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define LONG_NAME "/" N64 N64 N64 N64 /* one byte more than a name may have */

static const struct {
	enum op op;
	const char *path, *other;
	int want;
} outcomes[] = {
	{ STAT, "/", NULL, 0 },
	{ STAT, "/file", NULL, 0 },
	{ STAT, "/none", NULL, -ENOENT },
	{ STAT, "/file/x", NULL, -ENOTDIR },
	{ STAT, "/to_dir/inner", NULL, 0 },
	{ STAT, "/dir/out/inner", NULL, 0 },
	{ STAT, "/dangling", NULL, -ENOENT },
	{ LSTAT, "/dangling", NULL, 0 },
	{ STAT, "/loop", NULL, -ELOOP },
	{ STAT, "/loop/x", NULL, -ELOOP },
	{ LSTAT, "/loop", NULL, 0 },
	{ STAT, LONG_NAME, NULL, -ENAMETOOLONG },
	{ STAT, "/closed/file", NULL, -EACCES },
	{ STAT, "/secret", NULL, 0 },
	{ OPENDIR, "/", NULL, 0 },
	{ OPENDIR, "/to_dir", NULL, 0 },
	{ OPENDIR, "/file", NULL, -ENOTDIR },
	{ OPENDIR, "/none", NULL, -ENOENT },
	{ MKDIR, "/", NULL, -EEXIST },
	{ MKDIR, "/file", NULL, -EEXIST },
	{ MKDIR, "/dir", NULL, -EEXIST },
	{ MKDIR, "/dangling", NULL, -EEXIST },
	{ MKDIR, "/none/x", NULL, -ENOENT },
	{ MKDIR, "/file/x", NULL, -ENOTDIR },
	{ MKDIR, "/locked/x", NULL, -EACCES },
	{ MKDIR, LONG_NAME, NULL, -ENAMETOOLONG },
	{ MKDIR, "/to_dir/new", NULL, 0 },
	{ RMDIR, "/dir/new", NULL, 0 },
	{ RMDIR, "/none", NULL, -ENOENT },
	{ RMDIR, "/file", NULL, -ENOTDIR },
	{ RMDIR, "/dir", NULL, -ENOTEMPTY },
	{ RMDIR, "/to_dir", NULL, -ENOTDIR },
	{ RMDIR, "/", NULL, -EBUSY },
	{ RMDIR, "/locked/dir", NULL, -EACCES },
	{ UNLINK, "/none", NULL, -ENOENT },
	{ UNLINK, "/dir", NULL, -EISDIR },
	{ UNLINK, "/", NULL, -EISDIR },
	{ UNLINK, "/locked/file", NULL, -EACCES },
	{ UNLINK, "/file/x", NULL, -ENOTDIR },
	{ UNLINK, "/dir/to_file", NULL, 0 },
	{ STAT, "/file", NULL, 0 },
	{ READ, "/none", NULL, -ENOENT },
	{ READ, "/dir", NULL, -EISDIR },
	{ READ, "/secret", NULL, -EACCES },
	{ READ, "/file", NULL, 0 },
	{ WRITE, "/none", NULL, -ENOENT },
	{ CREATE, "/none/x", NULL, -ENOENT },
	{ CREATE, "/file/x", NULL, -ENOTDIR },
	{ CREATE, "/dir", NULL, -EISDIR },
	{ CREATE, "/locked/x", NULL, -EACCES },
	{ CREATE, "/secret", NULL, -EACCES },
	{ CREATE, "/dangling", NULL, -ENOENT },
	{ EXCLUSIVE, "/file", NULL, -EEXIST },
	{ EXCLUSIVE, "/fresh", NULL, 0 },
	{ UNLINK, "/fresh", NULL, 0 },
	{ RENAME, "/none", "/x", -ENOENT },
	{ RENAME, "/file", "/none/x", -ENOENT },
	{ RENAME, "/file", "/dir", -EISDIR },
	{ RENAME, "/empty", "/file", -ENOTDIR },
	{ RENAME, "/empty", "/dir", -ENOTEMPTY },
	{ RENAME, "/dir", "/dir/below", -EINVAL },
	{ RENAME, "/dir", "/dir/inner/x", -ENOTDIR },
	{ RENAME, "/", "/x", -EBUSY },
	{ RENAME, "/file", "/", -EBUSY },
	{ RENAME, "/file", "/locked/x", -EACCES },
	{ RENAME, "/locked/file", "/x", -EACCES },
	{ RENAME, "/file", LONG_NAME, -ENAMETOOLONG },
	{ RENAME, "/file", "/file", 0 },
	{ STAT, "/file", NULL, 0 },
	{ RENAME, "/file", "/dir/inner", 0 },
	{ STAT, "/file", NULL, -ENOENT },
	{ RENAME, "/dir/inner", "/back", 0 },
	{ RENAME, "/dir", "/empty", 0 },
	{ STAT, "/dir", NULL, -ENOENT },
	{ STAT, "/empty/out", NULL, -ENOENT },
	{ TIME, "/none", NULL, -ENOENT },
	{ TIME, "/back", NULL, 0 },
	{ CHMOD, "/none", NULL, -ENOENT },
	{ CHMOD, "/back", NULL, 0 },
	{ LINK, "/back", "x", -EEXIST },
	{ LINK, "/new", "", -ENOENT },
	{ LINK, "/locked/l", "x", -EACCES },
	{ LINK, "/new", "back", 0 },
	{ STAT, "/new", NULL, 0 },
};

static void test_outcomes(void **state)
{
	struct fixture *f = *state;
	grow_tree(f);
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
		int got = call_op(f, outcomes[i].op, outcomes[i].path, outcomes[i].other);
		if (got != outcomes[i].want)
			fail_msg("case %zu (%s): %d, not %d", i, outcomes[i].path, got, outcomes[i].want);
	}
}

static void test_senseless_flags(void **state)
{
	static const unsigned flags[] = { 0, AFTP_VFS_CREATE, AFTP_VFS_READ | AFTP_VFS_WRITE,
		AFTP_VFS_READ | AFTP_VFS_TRUNCATE, AFTP_VFS_READ | AFTP_VFS_CREATE };
	struct fixture *f = *state;
	struct aftp_vfs_file *file;
	grow_tree(f);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		assert_int_equal(open_file(f, "/file", flags[i], 0, &file), -EINVAL);
}

static void test_stat(void **state)
{
	struct fixture *f = *state;
	grow_tree(f);
	assert_int_equal(aftp_memfs_set_mtime(f->mem, "/file", 1577836800, 123456789), 0);
	assert_int_equal(aftp_memfs_chmod(f->mem, "/file", 04640), 0);
	assert_int_equal(CALL(f, stat, "/file", AFTP_VFS_FOLLOW), 0);
	uint64_t unique = f->req.st.unique;
	assert_int_equal(f->req.st.type, AFTP_TYPE_FILE);
	assert_int_equal(f->req.st.size, 7);
	assert_int_equal(f->req.st.mode, 04640);
	assert_int_equal(f->req.st.mtime, 1577836800);
	assert_int_equal(f->req.st.mtime_nsec, 123456789);
	assert_int_equal(f->req.st.nlink, 1);
	assert_null(f->req.target);
	assert_int_equal(CALL(f, rename, "/file", "/moved"), 0);
	assert_int_equal(CALL(f, stat, "/moved", AFTP_VFS_FOLLOW), 0);
	assert_int_equal(f->req.st.unique, unique);
	assert_int_equal(f->req.st.mtime, 1577836800);
	assert_int_equal(CALL(f, stat, "/dir", AFTP_VFS_FOLLOW), 0);
	assert_int_equal(f->req.st.type, AFTP_TYPE_DIR);
	assert_int_equal(f->req.st.nlink, 2);
	assert_int_equal(CALL(f, stat, "/", AFTP_VFS_FOLLOW), 0);
	assert_int_equal(f->req.st.nlink, 2 + 4);
	assert_int_equal(CALL(f, stat, "/to_dir", 0), 0);
	assert_int_equal(f->req.st.type, AFTP_TYPE_LINK);
	assert_int_equal(f->req.st.size, 3);
	assert_string_equal(f->target, "dir");
}

static void test_times_move(void **state)
{
	struct fixture *f = *state;
	struct aftp_vfs_stat before, after;
	grow_tree(f);
	assert_int_equal(aftp_memfs_set_mtime(f->mem, "/empty", 1, 0), 0);
	assert_int_equal(write_file(f, "/empty/new", AFTP_VFS_CREATE, 0, "x"), 0);
	assert_int_equal(aftp_memfs_stat(f->mem, "/empty", &after), 0);
	assert_true(after.mtime > 1);
	assert_int_equal(aftp_memfs_set_mtime(f->mem, "/empty/new", 1, 0), 0);
	assert_int_equal(aftp_memfs_set_mtime(f->mem, "/empty", 1, 0), 0);
	assert_int_equal(write_file(f, "/empty/new", 0, 0, "y"), 0);
	assert_int_equal(aftp_memfs_stat(f->mem, "/empty/new", &before), 0);
	assert_int_equal(aftp_memfs_stat(f->mem, "/empty", &after), 0);
	assert_true(before.mtime > 1);
	assert_int_equal(after.mtime, 1); /* content is not the directory's business */
}

/* --- content --------------------------------------------------------------------------------------- */

static void test_writing(void **state)
{
	static const struct {
		unsigned flags;
		uint64_t offset;
		const char *text, *want;
		size_t len;
	} cases[] = {
		{ AFTP_VFS_CREATE | AFTP_VFS_TRUNCATE, 0, "new", "new", 3 },
		{ 0, 0, "new", "newtent", 7 },
		{ 0, 3, "XYZ", "conXYZt", 7 },
		{ 0, 10, "end", "content\0\0\0end", 13 },
		{ AFTP_VFS_APPEND, 0, "+more", "content+more", 12 },
		{ AFTP_VFS_APPEND, 3, "+more", "content+more", 12 },
		{ AFTP_VFS_TRUNCATE, 3, "X", "conX", 4 },
		{ AFTP_VFS_TRUNCATE, 9, "X", "content\0\0X", 10 },
		{ AFTP_VFS_TRUNCATE, 0, "", "", 0 },
		{ 0, 100, "", "content", 7 },
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(aftp_memfs_put(f->mem, "/f", "content", 7), 0);
		assert_int_equal(write_file(f, "/f", cases[i].flags, cases[i].offset, cases[i].text), 0);
		assert_file(f, "/f", cases[i].want, cases[i].len);
	}
}

static void test_reading_from_an_offset(void **state)
{
	static const struct {
		uint64_t offset;
		const char *want;
	} cases[] = {
		{ 0, "content" },
		{ 3, "tent" },
		{ 7, "" },
		{ 8, "" },
		{ UINT64_MAX, "" },
	};
	struct fixture *f = *state;
	char got[16];
	grow_tree(f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct aftp_vfs_file *file;
		assert_int_equal(open_file(f, "/file", AFTP_VFS_READ, cases[i].offset, &file), 0);
		assert_int_equal(drain_file(f, file, got, 2), strlen(cases[i].want));
		assert_memory_equal(got, cases[i].want, strlen(cases[i].want));
	}
}

/* Each handle has its own position, and its own version of the file. */
static void test_handles_are_apart(void **state)
{
	struct fixture *f = *state;
	struct aftp_vfs_file *one, *two, *late;
	char got[64];
	grow_tree(f);
	assert_int_equal(open_file(f, "/file", AFTP_VFS_READ, 0, &one), 0);
	assert_int_equal(open_file(f, "/file", AFTP_VFS_READ, 0, &two), 0);
	assert_int_equal(wait_for(f, f->ops->read(one, &f->req, 4, on_done, f)), 0);
	assert_memory_equal(f->req.data, "cont", 4);
	assert_int_equal(write_file(f, "/file", AFTP_VFS_TRUNCATE, 0, "another text"), 0);
	assert_int_equal(open_file(f, "/file", AFTP_VFS_READ, 0, &late), 0);
	assert_int_equal(CALL(f, unlink, "/file"), 0);
	assert_int_equal(drain_file(f, two, got, 100), 7);
	assert_memory_equal(got, "content", 7);
	assert_int_equal(drain_file(f, one, got, 100), 3);
	assert_memory_equal(got, "ent", 3);
	assert_int_equal(drain_file(f, late, got, 100), 12);
	assert_memory_equal(got, "another text", 12);
}

static void test_reader_beside_writer(void **state)
{
	struct fixture *f = *state;
	struct aftp_vfs_file *writer, *reader;
	char got[64];
	size_t len;
	assert_int_equal(open_file(f, "/f", AFTP_VFS_WRITE | AFTP_VFS_CREATE, 0, &writer), 0);
	feed(f, writer, "first", 5);
	char *room = f->ops->lend(writer, &len);
	assert_non_null(room);
	assert_int_equal(open_file(f, "/f", AFTP_VFS_READ, 0, &reader), 0); /* while a loan is out */
	memcpy(room, "second", 6);
	f->ops->filled(writer, 6);
	assert_int_equal(drain_file(f, reader, got, 100), 5);
	assert_memory_equal(got, "first", 5);
	assert_file(f, "/f", "firstsecond", 11);
	assert_int_equal(close_file(f, writer), 0);
}

static void test_one_loan_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct aftp_vfs_file *file;
	size_t len;
	assert_int_equal(open_file(f, "/f", AFTP_VFS_WRITE | AFTP_VFS_CREATE, 0, &file), 0);
	assert_non_null(f->ops->lend(file, &len));
	assert_null(f->ops->lend(file, &len));
	f->ops->filled(file, 0);
	assert_non_null(f->ops->lend(file, &len));
	assert_int_equal(close_file(f, file), 0); /* ends the loan */
	assert_file(f, "/f", "", 0);
}

static void test_too_far(void **state)
{
	struct fixture *f = *state;
	struct aftp_vfs_file *file;
	size_t len;
	assert_int_equal(open_file(f, "/f", AFTP_VFS_WRITE | AFTP_VFS_CREATE, (uint64_t)1 << 60, &file), 0);
	assert_non_null(f->ops->lend(file, &len)); /* for the byte that proves it */
	f->ops->filled(file, 0);
	assert_non_null(f->ops->lend(file, &len));
	f->ops->filled(file, 1);
	assert_null(f->ops->lend(file, &len));
	assert_int_equal(wait_for(f, f->ops->writable(file, &f->req, on_done, f)), -EFBIG);
	assert_int_equal(close_file(f, file), -EFBIG);
	assert_file(f, "/f", "", 0);
}

static void test_pattern(void **state)
{
	enum { N = 3000000 };
	struct fixture *f = *state;
	char *want = malloc(N), *got = malloc(N);
	struct aftp_vfs_file *file;
	assert_int_equal(aftp_memfs_put_pattern(f->mem, "/a/p", N, 5), 0);
	aftp_memfs_pattern(5, 0, want, N);
	assert_file(f, "/a/p", want, N);
	assert_int_equal(open_file(f, "/a/p", AFTP_VFS_READ, 1234567, &file), 0);
	/* Several loans at once: none may be written over by the next. */
	const char *loan[3];
	size_t len[3], at = 1234567;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(wait_for(f, f->ops->read(file, &f->req, 100000, on_done, f)), 0);
		loan[i] = f->req.data;
		len[i] = f->req.len;
	}
	for (int i = 0; i < 3; at += len[i++])
		assert_memory_equal(loan[i], want + at, len[i]);
	f->ops->release(file, loan[1]);
	assert_int_equal(close_file(f, file), 0);
	assert_int_equal(aftp_memfs_read(f->mem, "/a/p", 7, got, N), N - 7);
	assert_memory_equal(got, want + 7, N - 7);
	free(want);
	free(got);
}

/* --- directories ----------------------------------------------------------------------------------- */

static size_t count_entries(struct fixture *f, struct aftp_vfs_dir *dir, const char *wanted, bool *found)
{
	size_t n = 0;
	*found = false;
	for (;;) {
		assert_int_equal(wait_for(f, f->ops->readdir(dir, &f->req, on_done, f)), 0);
		if (f->req.count == 0)
			break;
		for (size_t i = 0; i < f->req.count; i++)
			if (strcmp(f->req.entries[i].name, wanted) == 0)
				*found = true;
		n += f->req.count;
	}
	return n;
}

static void test_big_directory_is_a_picture(void **state)
{
	enum { N = 10000 };
	struct fixture *f = *state;
	char path[64];
	bool found;
	for (int i = 0; i < N; i++) {
		snprintf(path, sizeof(path), "/d/file number %d", i);
		assert_int_equal(aftp_memfs_put(f->mem, path, "x", 1), 0);
	}
	assert_int_equal(CALL(f, opendir, "/d"), 0);
	struct aftp_vfs_dir *dir = f->req.dir;
	for (int i = 0; i < N; i += 2) {
		snprintf(path, sizeof(path), "/d/file number %d", i);
		assert_int_equal(aftp_memfs_remove(f->mem, path), 0);
	}
	assert_int_equal(aftp_memfs_put(f->mem, "/d/late", "x", 1), 0);
	assert_int_equal(count_entries(f, dir, "late", &found), N);
	assert_false(found);
	f->ops->closedir(dir);
	assert_int_equal(CALL(f, opendir, "/d"), 0);
	dir = f->req.dir;
	assert_int_equal(count_entries(f, dir, "late", &found), N / 2 + 1);
	assert_true(found);
	f->ops->closedir(dir);
}

static void test_readdir_facts(void **state)
{
	struct fixture *f = *state;
	grow_tree(f);
	assert_int_equal(CALL(f, opendir, "/dir"), 0);
	struct aftp_vfs_dir *dir = f->req.dir;
	assert_int_equal(wait_for(f, f->ops->readdir(dir, &f->req, on_done, f)), 0);
	assert_int_equal(f->req.count, 3);
	assert_string_equal(f->req.entries[0].name, "inner");
	assert_int_equal(f->req.entries[0].st.size, 1);
	assert_null(f->req.entries[0].target);
	assert_string_equal(f->req.entries[1].name, "to_file");
	assert_string_equal(f->req.entries[1].target, "/file");
	assert_int_equal(f->req.entries[1].st.type, AFTP_TYPE_LINK);
	f->ops->closedir(dir);
}

/* --- the owner's access ---------------------------------------------------------------------------- */

static void test_direct(void **state)
{
	struct fixture *f = *state;
	struct aftp_vfs_stat first, second;
	char got[16];
	assert_int_equal(aftp_memfs_put(f->mem, "/a/b/c", "one", 3), 0);
	assert_int_equal(aftp_memfs_stat(f->mem, "/a/b/c", &first), 0);
	assert_int_equal(aftp_memfs_put(f->mem, "/a/b/c", "three", 5), 0);
	assert_int_equal(aftp_memfs_stat(f->mem, "/a/b/c", &second), 0);
	assert_int_equal(first.unique, second.unique);
	assert_int_equal(aftp_memfs_read(f->mem, "/a/b/c", 1, got, sizeof(got)), 4);
	assert_memory_equal(got, "hree", 4);
	assert_int_equal(aftp_memfs_put(f->mem, "/a/b", "x", 1), -EISDIR);
	assert_int_equal(aftp_memfs_put(f->mem, "/a/b/c/d", "x", 1), -ENOTDIR);
	assert_int_equal(aftp_memfs_put(f->mem, "relative", "x", 1), -EINVAL);
	assert_int_equal(aftp_memfs_put(f->mem, "/a/", "x", 1), -EINVAL);
	assert_int_equal(aftp_memfs_mkdir(f->mem, "/a/b/c"), -ENOTDIR);
	assert_int_equal(aftp_memfs_mkdir(f->mem, "/a/b"), 0);
	assert_int_equal(aftp_memfs_set_mtime(f->mem, "/a", 0, 1000000000), -EINVAL);
	assert_int_equal(aftp_memfs_read(f->mem, "/a", 0, got, 1), -EISDIR);
	assert_int_equal(aftp_memfs_remove(f->mem, "/none"), -ENOENT);
	assert_int_equal(aftp_memfs_remove(f->mem, "/a"), 0);
	assert_int_equal(aftp_memfs_stat(f->mem, "/a/b/c", &first), -ENOENT);
	assert_int_equal(aftp_memfs_put(f->mem, "/x", "x", 1), 0);
	assert_int_equal(aftp_memfs_remove(f->mem, "/"), 0);
	assert_int_equal(aftp_memfs_stat(f->mem, "/x", &first), -ENOENT);
	assert_int_equal(aftp_memfs_stat(f->mem, "/", &first), 0);
}

static void test_deep_tree_goes(void **state)
{
	struct fixture *f = *state;
	char path[4000] = "";
	for (size_t n = 0; n + 2 < sizeof(path); n += 2)
		memcpy(path + n, "/d", 3);
	assert_int_equal(aftp_memfs_mkdir(f->mem, path), 0);
	assert_int_equal(aftp_memfs_remove(f->mem, "/d"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_outcomes),
		TEST(test_senseless_flags),
		TEST(test_stat),
		TEST(test_times_move),
		TEST(test_writing),
		TEST(test_reading_from_an_offset),
		TEST(test_handles_are_apart),
		TEST(test_reader_beside_writer),
		TEST(test_one_loan_at_a_time),
		TEST(test_too_far),
		TEST(test_pattern),
		TEST(test_big_directory_is_a_picture),
		TEST(test_readdir_facts),
		TEST(test_direct),
		TEST(test_deep_tree_goes),
	};
	return cmocka_run_group_tests_name("memfs", tests, NULL, NULL);
}
