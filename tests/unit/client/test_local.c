#include "client/local.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/loop.h"

struct place {
	char folder[256];
	int root;
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof *p);
	const char *tmp = getenv("TMPDIR");
	char path[512];
	int fd;

	assert_non_null(p);
	snprintf(p->folder, sizeof p->folder, "%s/local.XXXXXX", tmp && tmp[0] ? tmp : "/tmp");
	assert_non_null(mkdtemp(p->folder));
	snprintf(path, sizeof path, "%s/root", p->folder);
	assert_int_equal(mkdir(path, 0777), 0);
	p->root = open(path, O_RDONLY | O_DIRECTORY);
	assert_true(p->root >= 0);
	assert_int_equal(mkdirat(p->root, "dir", 0777), 0);
	fd = openat(p->root, "dir/file", O_WRONLY | O_CREAT, 0666);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(symlinkat("..", p->root, "up"), 0);
	assert_int_equal(symlinkat("dir", p->root, "alias"), 0);
	assert_int_equal(symlinkat("dir/file", p->root, "link"), 0);
	*state = p;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int tear_down(void **state)
{
	struct place *p = *state;

	close(p->root);
	assert_int_equal(nftw(p->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	free(p);
	return 0;
}

static void opens_below_and_nowhere_else(void **state)
{
	static const struct {
		const char *path;
		int status; /* 1: opened */
	} cases[] = {
		{ "dir/file", 1 },
		{ "/dir//file", 1 },
		{ "dir", 1 },
		{ "", 1 },
		{ "dir/missing", -ENOENT },
		{ "missing/x", -ENOENT },
		{ "dir/file/x", -ENOTDIR },
		{ "..", -EINVAL },
		{ "../root/dir/file", -EINVAL },
		{ "dir/../dir/file", -EINVAL },
		{ "./dir", -EINVAL },
		{ "up", -ELOOP },
		{ "up/root", -ENOTDIR },
		{ "alias/file", -ENOTDIR },
		{ "link", -ELOOP },
	};
	const struct place *p = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int fd = local_open(p->root, cases[i].path, O_RDONLY, 0);

		if (fd >= 0)
			close(fd);
		if ((fd >= 0 ? 1 : fd) != cases[i].status)
			fail_msg("%s: %d", cases[i].path, fd);
	}
}

static void a_part_that_is_too_long(void **state)
{
	const struct place *p = *state;
	char name[300];

	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	assert_int_equal(local_open(p->root, name, O_RDONLY, 0), -ENAMETOOLONG);
	assert_int_equal(local_mkdir(p->root, name), -ENAMETOOLONG);
	name[255] = '\0';
	assert_int_equal(local_mkdir(p->root, name), 0);
}

static void makes_below_and_nowhere_else(void **state)
{
	const struct place *p = *state;

	assert_int_equal(local_mkdir(p->root, "new"), 0);
	assert_int_equal(local_mkdir(p->root, "new"), 0);
	assert_int_equal(local_mkdir(p->root, "new/er"), 0);
	assert_int_equal(local_mkdir(p->root, ""), 0);
	assert_int_equal(local_mkdir(p->root, "dir/file"), -EEXIST);
	assert_int_equal(local_mkdir(p->root, "alias"), -EEXIST);
	assert_int_equal(local_mkdir(p->root, "up/x"), -ENOTDIR);
	assert_int_equal(local_mkdir(p->root, "../x"), -EINVAL);
	assert_int_equal(local_mkdir(p->root, "missing/x"), -ENOENT);
}

static void makes_what_the_user_names(void **state)
{
	const struct place *p = *state;
	char path[512];
	struct stat st;

	snprintf(path, sizeof path, "%s/a/b//c/", p->folder);
	assert_int_equal(local_mkdirs(path), 0);
	assert_int_equal(fstatat(p->root, "../a/b", &st, 0), 0);
	assert_int_equal(fstatat(p->root, "../a/b/c", &st, 0), -1);
	assert_int_equal(local_mkdir_named(path), 0);
	assert_int_equal(local_mkdir_named(path), 0);
	snprintf(path, sizeof path, "%s/root/alias", p->folder); /* leads to a folder */
	assert_int_equal(local_mkdir_named(path), 0);
	snprintf(path, sizeof path, "%s/root/link", p->folder);
	assert_int_equal(local_mkdir_named(path), -EEXIST);
	snprintf(path, sizeof path, "%s/root/link/x/y", p->folder);
	assert_true(local_mkdirs(path) < 0);
	assert_int_equal(local_mkdirs("name"), 0);
	assert_int_equal(local_mkdirs("/"), 0);
}

static void scans(void **state)
{
	const struct place *p = *state;
	struct local_list l;

	assert_int_equal(local_scan(&l, p->root, ""), 0);
	assert_int_equal(l.n, 4);
	assert_string_equal(l.entries[0].name, "alias");
	assert_true(S_ISLNK(l.entries[0].mode));
	assert_string_equal(l.entries[1].name, "dir");
	assert_true(S_ISDIR(l.entries[1].mode));
	assert_string_equal(l.entries[3].name, "up");
	local_list_finish(&l);
	assert_int_equal(local_scan(&l, p->root, "dir"), 0);
	assert_int_equal(l.n, 1);
	local_list_finish(&l);
	local_list_finish(&l);
	assert_true(local_scan(&l, p->root, "alias") < 0); /* a link */
	assert_int_equal(l.n, 0);
	assert_int_equal(local_scan(&l, p->root, "dir/file"), -ENOTDIR);
}

struct note {
	bool over;
	int status;
	unsigned worked;
};

static int work(void *arg)
{
	((struct note *)arg)->worked++;
	return -ENOSPC;
}

static void done(void *arg, int status)
{
	struct note *n = arg;

	n->over = true;
	n->status = status;
}

static void runs_jobs(void **state)
{
	uv_loop_t loop;
	struct local_job job;
	struct note n = { 0 };

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(local_run(&job, &loop, work, done, &n), 0);
	assert_false(n.over);
	loop_wait(&loop, &n.over, "the job");
	assert_int_equal(n.worked, 1);
	assert_int_equal(n.status, -ENOSPC);
	loop_finish(&loop);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(opens_below_and_nowhere_else, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_part_that_is_too_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(makes_below_and_nowhere_else, set_up, tear_down),
		cmocka_unit_test_setup_teardown(makes_what_the_user_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(scans, set_up, tear_down),
		cmocka_unit_test(runs_jobs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
