#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <aftp/vfs.h>

struct fixture {
	char dir[256];
	uv_loop_t loop;
	struct aftp_memfs *fs;
	char reports[512];
};

static void put_real(const struct fixture *f, const char *name, const void *data, size_t n, mode_t mode)
{
	char path[300];
	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), n);
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1500000000, .tv_nsec = 123456789 } };
	assert_int_equal(futimens(fd, times), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	const char *tmp = getenv("TMPDIR");
	snprintf(f->dir, sizeof(f->dir), "%s/test_memload.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(aftp_memfs_new(&f->fs, &f->loop), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[300];
	aftp_memfs_close(&f->fs);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	snprintf(command, sizeof(command), "%s/sub", f->dir);
	chmod(command, 0700);
	static const char *const names[] = { "sub/deep", "sub", "big", "empty", "link", "fifo", "script" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(command, sizeof(command), "%s/%s", f->dir, names[i]);
		remove(command);
	}
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static void on_report(void *arg, const char *path, int status)
{
	struct fixture *f = arg;
	size_t n = strlen(f->reports);
	snprintf(f->reports + n, sizeof(f->reports) - n, "%s %d\n", path + strlen(f->dir), status);
}

static void test_load(void **state)
{
	enum { BIG = 2500000 };
	struct fixture *f = *state;
	char path[300], *data = malloc(BIG), *got = malloc(BIG + 1);
	struct aftp_vfs_stat st;
	for (size_t i = 0; i < BIG; i++)
		data[i] = (char)(i * 7919 >> 3);
	put_real(f, "big", data, BIG, 0640);
	put_real(f, "empty", "", 0, 0400);
	put_real(f, "script", "#!", 2, 0755);
	snprintf(path, sizeof(path), "%s/sub", f->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	put_real(f, "sub/deep", "x", 1, 0644);
	assert_int_equal(chmod(path, 0555), 0);
	snprintf(path, sizeof(path), "%s/link", f->dir);
	assert_int_equal(symlink("sub/deep", path), 0);
	snprintf(path, sizeof(path), "%s/fifo", f->dir);
	assert_int_equal(mkfifo(path, 0600), 0);

	snprintf(path, sizeof(path), "%s//", f->dir);
	assert_int_equal(aftp_memfs_load(f->fs, path, "/site", on_report, f), 0);
	assert_string_equal(f->reports, "/fifo -95\n");
	assert_int_equal(aftp_memfs_stat(f->fs, "/site/big", &st), 0);
	assert_int_equal(st.size, BIG);
	assert_int_equal(st.mode, 0640);
	assert_int_equal(st.mtime, 1500000000);
	assert_int_equal(st.mtime_nsec, 123456789);
	assert_int_equal(aftp_memfs_read(f->fs, "/site/big", 0, got, BIG + 1), BIG);
	assert_memory_equal(got, data, BIG);
	assert_int_equal(aftp_memfs_stat(f->fs, "/site/empty", &st), 0);
	assert_int_equal(st.size, 0);
	assert_int_equal(aftp_memfs_stat(f->fs, "/site/sub", &st), 0);
	assert_int_equal(st.mode, 0555);
	assert_int_equal(aftp_memfs_stat(f->fs, "/site/link", &st), 0);
	assert_int_equal(st.type, AFTP_TYPE_LINK);
	assert_int_equal(aftp_memfs_read(f->fs, "/site/link", 0, got, 5), 1);
	assert_int_equal(aftp_memfs_stat(f->fs, "/site/fifo", &st), -ENOENT);
	free(data);
	free(got);
}

static void test_no_such_folder(void **state)
{
	struct fixture *f = *state;
	char path[300];
	assert_int_equal(aftp_memfs_load(f->fs, "/nonexistent/folder", "/", NULL, NULL), -ENOENT);
	put_real(f, "empty", "", 0, 0600);
	snprintf(path, sizeof(path), "%s/empty", f->dir);
	assert_int_equal(aftp_memfs_load(f->fs, path, "/", NULL, NULL), -ENOTDIR);
}

/* What is there already is not replaced, and said. */
static void test_twice(void **state)
{
	struct fixture *f = *state;
	char got[8];
	put_real(f, "empty", "real", 4, 0600);
	assert_int_equal(aftp_memfs_put(f->fs, "/empty", "mine", 4), 0);
	assert_int_equal(aftp_memfs_load(f->fs, f->dir, "/", on_report, f), 0);
	assert_string_equal(f->reports, "/empty -17\n");
	assert_int_equal(aftp_memfs_read(f->fs, "/empty", 0, got, 8), 4);
	assert_memory_equal(got, "mine", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_load, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_such_folder, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_twice, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("memload", tests, NULL, NULL);
}
