/* The site on a real server in process: names, listings, absence, and how many commands it all takes. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/site_test.h"

static void put(const char *path, const char *text)
{
	assert_int_equal(aftp_memfs_put(f.fs, path, text, strlen(text)), 0);
}

static void without(const char *const *verbs)
{
	f.server_options.faults.no = verbs;
}

static const char *const no_mlsx[] = { "MLSD", "MLST", NULL };

/* --- start ---------------------------------------------------------------------------------------- */

static void starts_in_a_directory(void **state)
{
	struct site_attr attr;

	(void)state;
	put("/pub/x/file", "hello");
	f.options.path = "/pub/x";
	up();
	assert_string_equal(f.why, "");
	assert_int_equal(fixture_lookup(&f, SITE_ROOT, "file", &attr), 0);
	assert_int_equal(attr.st.st_size, 5);
	assert_true(S_ISREG(attr.st.st_mode));
}

static void says_why_it_cannot_start(void **state)
{
	static const struct aftp_user users[] = { { .name = "joe", .password = "secret", .may = AFTP_MAY_READ } };
	static const struct {
		const char *user, *password, *path;
		int status;
		const char *words;
	} cases[] = {
		{ "joe", "wrong", "", AFTP_ELOGIN, "login" },
		{ "ann", "secret", "", AFTP_ELOGIN, "login" },
		{ "joe", "secret", "/nowhere", AFTP_ENOENT, "/nowhere" },
	};
	(void)state;
	put("/a", "");
	f.server_options.users = users;
	f.server_options.nusers = 1;
	fixture_serve(&f);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		f.options.user = cases[i].user;
		f.options.password = cases[i].password;
		f.options.path = cases[i].path;
		assert_int_equal(fixture_mount(&f), cases[i].status);
		assert_non_null(strcasestr(f.why, cases[i].words));
		assert_null(strchr(f.why, '\n'));
		fixture_unmount(&f);
	}
}

static void nobody_listens(void **state)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof addr;
	int bound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* nobody else gets this port */

	(void)state;
	assert_int_equal(bind(bound, (struct sockaddr *)&addr, sizeof addr), 0);
	assert_int_equal(getsockname(bound, (struct sockaddr *)&addr, &len), 0);
	f.options.port = ntohs(addr.sin_port);
	assert_int_equal(fixture_mount(&f), AFTP_ECONNREFUSED);
	assert_true(strlen(f.why) > 0);
	close(bound);
}

static void a_slow_login_is_waited_for(void **state)
{
	struct site_attr attr;

	(void)state;
	put("/file", "hello");
	f.server_options.faults.latency_ms = 60;
	up();
	assert_int_equal(fixture_lookup(&f, SITE_ROOT, "file", &attr), 0);
}

/* --- names ---------------------------------------------------------------------------------------- */

static void finds_and_misses(const char *const *missing_verbs)
{
	struct site_attr attr;

	put("/dir/sub/deep file", "12345678");
	put("/dir/[x]*? \\", "y");
	without(missing_verbs);
	up();
	assert_int_equal(fixture_walk(&f, "dir/sub/deep file", &attr), 0);
	assert_int_equal(attr.st.st_size, 8);
	assert_int_equal(fixture_walk(&f, "dir/sub", &attr), 0);
	assert_true(S_ISDIR(attr.st.st_mode));
	assert_int_equal(fixture_walk(&f, "dir/[x]*? \\", &attr), 0);
	assert_int_equal(fixture_walk(&f, "dir/none", &attr), AFTP_ENOENT);
	assert_int_equal(fixture_walk(&f, "none", &attr), AFTP_ENOENT);
	assert_int_equal(fixture_walk(&f, "dir/.hidden", &attr), AFTP_ENOENT);
}

static void finds_and_misses_with_mlsd(void **state)
{
	(void)state;
	finds_and_misses(NULL);
}

static void finds_and_misses_with_list(void **state)
{
	(void)state;
	finds_and_misses(no_mlsx);
}

static void inodes_are_stable(void **state)
{
	struct site_attr a, b;

	(void)state;
	put("/d/x", "1");
	f.options.attr_ttl_ms = 0;
	up();
	assert_int_equal(fixture_walk(&f, "d/x", &a), 0);
	site_forget(f.site, a.st.st_ino, 1);
	assert_int_equal(fixture_walk(&f, "d/x", &b), 0);
	assert_int_equal(a.st.st_ino, b.st.st_ino);
	assert_int_equal(fixture_getattr(&f, a.st.st_ino, &b), 0);
	assert_int_equal(a.st.st_ino, b.st.st_ino);
}

static void modes_and_owners_are_ours(void **state)
{
	struct site_attr a;

	(void)state;
	put("/d/x", "1");
	assert_int_equal(aftp_memfs_chmod(f.fs, "/d/x", 0666), 0);
	assert_int_equal(aftp_memfs_set_mtime(f.fs, "/d/x", 1000000000, 0), 0);
	f.options.uid = 12;
	f.options.gid = 34;
	f.options.file_mask = 0137;
	f.options.dir_mask = 0027;
	up();
	assert_int_equal(fixture_walk(&f, "d/x", &a), 0);
	assert_int_equal(a.st.st_uid, 12);
	assert_int_equal(a.st.st_gid, 34);
	assert_int_equal(a.st.st_mode & 07777, 0640);
	assert_int_equal(a.st.st_mtim.tv_sec, 1000000000);
	assert_int_equal(fixture_walk(&f, "d", &a), 0);
	assert_int_equal(a.st.st_mode & 07777, 0750);
}

static void links_tell_their_target(void **state)
{
	struct site_attr a;
	char target[64];

	(void)state;
	f.options.loose_symlinks = true;
	assert_int_equal(aftp_memfs_symlink(f.fs, "../there", "/l"), 0);
	without(no_mlsx);
	up();
	assert_int_equal(fixture_walk(&f, "l", &a), 0);
	assert_true(S_ISLNK(a.st.st_mode));
	assert_int_equal(a.st.st_mode & 07777, 0777);
	assert_int_equal(fixture_readlink(&f, a.st.st_ino, target, sizeof target), 0);
	assert_string_equal(target, "../there");
}

/* The facts cannot tell a target with a semicolon: they say "link" and no more. */
static void a_target_is_found_by_list(void **state)
{
	struct site_attr a, b;
	char target[64];

	(void)state;
	assert_int_equal(aftp_memfs_symlink(f.fs, "he;re", "/d/a"), 0);
	assert_int_equal(aftp_memfs_symlink(f.fs, "../th;ere", "/d/b"), 0);
	up();
	assert_int_equal(fixture_walk(&f, "d/a", &a), 0);
	assert_int_equal(fixture_walk(&f, "d/b", &b), 0);
	assert_int_equal(fixture_readlink(&f, a.st.st_ino, target, sizeof target), 0);
	assert_string_equal(target, "he;re");
	assert_int_equal(fixture_readlink(&f, b.st.st_ino, target, sizeof target), 0);
	assert_string_equal(target, "../th;ere");
	assert_int_equal(fixture_commands(&f, "LIST"), 1);
}

/* --- how many commands ---------------------------------------------------------------------------- */

static void fill(const char *dir, int n)
{
	char path[64];

	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/file-%05d", dir, i);
		put(path, "x");
	}
}

static void a_big_directory_is_one_command(const char *const *missing, const char *verb)
{
	struct site_attr a;
	char name[32];

	fill("/big", 10000);
	without(missing);
	up();
	assert_int_equal(fixture_walk(&f, "big", &a), 0);
	uint64_t before = fixture_commands(&f, verb);
	uint64_t dir = a.st.st_ino;
	assert_int_equal(fixture_count(&f, dir), 10000);
	for (int i = 0; i < 10000; i += 97) {
		snprintf(name, sizeof name, "file-%05d", i);
		assert_int_equal(fixture_lookup(&f, dir, name, &a), 0);
	}
	assert_int_equal(fixture_lookup(&f, dir, "file-10000", &a), AFTP_ENOENT);
	assert_int_equal(fixture_count(&f, dir), 10000);
	assert_int_equal(fixture_commands(&f, verb) - before, 1);
}

static void a_big_directory_is_one_mlsd(void **state)
{
	(void)state;
	a_big_directory_is_one_command(NULL, "MLSD");
}

static void a_big_directory_is_one_list(void **state)
{
	(void)state;
	a_big_directory_is_one_command(no_mlsx, "LIST");
}

static void a_tree_is_one_listing_a_directory(void **state)
{
	struct site_attr a;
	char path[32];

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof path, "/d%02d", i);
		fill(path, 10);
	}
	up();
	assert_int_equal(fixture_count(&f, SITE_ROOT), 100);
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof path, "d%02d", i);
		assert_int_equal(fixture_walk(&f, path, &a), 0);
		assert_int_equal(fixture_count(&f, a.st.st_ino), 10);
	}
	assert_int_equal(fixture_commands(&f, "MLSD"), 101);
	assert_int_equal(fixture_commands(&f, "MLST"), 0);
}

static void one_name_is_one_question(void **state)
{
	struct site_attr a;

	(void)state;
	fill("/d", 50);
	up();
	assert_int_equal(fixture_walk(&f, "d/file-00001", &a), 0);
	assert_int_equal(fixture_commands(&f, "MLST"), 2);
	assert_int_equal(fixture_commands(&f, "MLSD"), 0);
	for (int i = 2; i < 50; i++) {
		char path[32];
		snprintf(path, sizeof path, "d/file-%05d", i);
		assert_int_equal(fixture_walk(&f, path, &a), 0);
	}
	assert_int_equal(fixture_commands(&f, "MLST"), 2);
	assert_int_equal(fixture_commands(&f, "MLSD"), 1);
}

struct many {
	int left;
	int bad;
	bool done;
};

static void on_many(void *arg, int status, const struct site_attr *attr)
{
	struct many *m = arg;

	m->bad += status != 0 || !attr;
	m->done = --m->left == 0;
}

static void askers_share_a_listing(void **state)
{
	struct site_attr a;
	struct many m = { .left = 64 };
	char name[32];

	(void)state;
	fill("/d", 64);
	without(no_mlsx);
	up();
	assert_int_equal(fixture_walk(&f, "d", &a), 0);
	uint64_t before = fixture_commands(&f, "LIST");
	for (int i = 0; i < 64; i++) {
		snprintf(name, sizeof name, "file-%05d", i);
		assert_int_equal(site_lookup(f.site, a.st.st_ino, name, NULL, on_many, &m), 0);
	}
	fixture_wait(&f, &m.done);
	assert_int_equal(m.bad, 0);
	assert_int_equal(fixture_commands(&f, "LIST") - before, 1);
}

/* --- trouble is not absence ----------------------------------------------------------------------- */

static void nonsense_proves_nothing(void **state)
{
	struct site_attr a;
	struct site_dir *d = NULL;

	(void)state;
	put("/there", "x");
	without(no_mlsx);
	f.server_options.faults.listing = AFTP_STYLE_NONSENSE;
	up();
	assert_int_equal(fixture_lookup(&f, SITE_ROOT, "there", &a), 0); /* by SIZE */
	assert_int_equal(a.st.st_size, 1);
	assert_int_equal(fixture_opendir(&f, SITE_ROOT, &d), AFTP_EIO);
}

static void a_dead_server_is_not_an_empty_one(void **state)
{
	struct site_attr a;
	struct site_dir *d = NULL;
	int rc;

	(void)state;
	put("/d/x", "1");
	f.options.attr_ttl_ms = 0;
	f.options.timeout_ms = 300;
	up();
	assert_int_equal(fixture_walk(&f, "d/x", &a), 0);
	fixture_stop_server(&f);
	rc = fixture_lookup(&f, SITE_ROOT, "d", &a);
	assert_true(rc < 0);
	assert_int_not_equal(aftp_errno(rc), ENOENT);
	rc = fixture_lookup(&f, SITE_ROOT, "none", &a);
	assert_int_not_equal(aftp_errno(rc), ENOENT);
	rc = fixture_opendir(&f, SITE_ROOT, &d);
	assert_true(rc < 0);
	assert_int_not_equal(aftp_errno(rc), ENOENT);
	fixture_serve(&f);
	assert_int_equal(fixture_lookup(&f, SITE_ROOT, "d", &a), 0);
	assert_int_equal(fixture_lookup(&f, SITE_ROOT, "none", &a), AFTP_ENOENT);
}

static void a_cut_connection_is_replaced(void **state)
{
	struct site_attr a;

	(void)state;
	fill("/d", 100);
	f.options.attr_ttl_ms = 0;
	f.server_options.faults.drop_all_after = 1000;
	f.server_options.faults.times = 2;
	up();
	assert_int_equal(fixture_walk(&f, "d", &a), 0);
	assert_int_equal(fixture_count(&f, a.st.st_ino), 100);
}

static void silence_ends_in_time(void **state)
{
	struct site_dir *d = NULL;

	(void)state;
	fill("/d", 100);
	f.options.timeout_ms = 200;
	f.server_options.faults.stall_after = 1;
	up();
	int rc = fixture_opendir(&f, SITE_ROOT, &d);
	assert_true(rc == AFTP_ETIMEDOUT || rc == AFTP_EIO);
}

/* --- cancel --------------------------------------------------------------------------------------- */

static void a_cancelled_request_answers_once(void **state)
{
	struct many m = { .left = 1 };
	struct site_op *op = NULL;
	struct site_attr a;

	(void)state;
	put("/x", "1");
	up();
	assert_int_equal(site_lookup(f.site, SITE_ROOT, "x", &op, on_many, &m), 0);
	site_cancel(op);
	assert_false(m.done);
	fixture_wait(&f, &m.done);
	assert_int_equal(m.bad, 1);
	assert_int_equal(fixture_lookup(&f, SITE_ROOT, "x", &a), 0);
}

static void closing_answers_everybody(void **state)
{
	struct many m = { .left = 20 };

	(void)state;
	fill("/d", 20);
	without(no_mlsx);
	up();
	for (int i = 0; i < 20; i++)
		assert_int_equal(site_lookup(f.site, SITE_ROOT, "d", NULL, on_many, &m), 0);
	fixture_unmount(&f);
	assert_int_equal(m.left, 0);
	assert_int_equal(m.bad, 20);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(starts_in_a_directory),
		T(says_why_it_cannot_start),
		T(nobody_listens),
		T(a_slow_login_is_waited_for),
		T(finds_and_misses_with_mlsd),
		T(finds_and_misses_with_list),
		T(inodes_are_stable),
		T(modes_and_owners_are_ours),
		T(links_tell_their_target),
		T(a_target_is_found_by_list),
		T(a_big_directory_is_one_mlsd),
		T(a_big_directory_is_one_list),
		T(a_tree_is_one_listing_a_directory),
		T(one_name_is_one_question),
		T(askers_share_a_listing),
		T(nonsense_proves_nothing),
		T(a_dead_server_is_not_an_empty_one),
		T(a_cut_connection_is_replaced),
		T(silence_ends_in_time),
		T(a_cancelled_request_answers_once),
		T(closing_answers_everybody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
