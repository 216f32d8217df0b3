/* Copies by the server, extended attributes, free space. */
#include "lib/site_test.h"

static int setup_files(void **state)
{
	setup(state);
	assert_int_equal(aftp_memfs_put(f.fs, "/a", "hello\n", 6), 0);
	assert_int_equal(aftp_memfs_mkdir(f.fs, "/d"), 0);
	return 0;
}

/* --- copies --------------------------------------------------------------------------------------- */

struct copied {
	bool done;
	ssize_t n;
};

static void on_copied(void *arg, ssize_t n)
{
	struct copied *c = arg;

	c->n = n;
	c->done = true;
}

static ssize_t copy(struct site_file *from, uint64_t off, struct site_file *to, uint64_t to_off, uint64_t len)
{
	struct copied c = { false, 0 };
	int rc = site_copy(from, off, to, to_off, len, NULL, on_copied, &c);

	if (rc < 0)
		return rc;
	fixture_wait(&f, &c.done);
	return c.n;
}

static void open_both(struct site_file **from, struct site_file **to)
{
	struct site_open_result r;
	struct site_attr attr;

	assert_int_equal(fixture_open(&f, "a", &r), 0);
	*from = r.file;
	assert_int_equal(fixture_create(&f, SITE_ROOT, "b", O_WRONLY | O_EXCL, &attr, &r), 0);
	*to = r.file;
}

static void check_copy(const char *want)
{
	char got[16];

	assert_int_equal(aftp_memfs_read(f.fs, "/b", 0, got, sizeof got), strlen(want));
	assert_memory_equal(got, want, strlen(want));
}

static void the_server_copies(void **state)
{
	struct site_file *from, *to;
	struct site_attr attr;

	(void)state;
	up();
	open_both(&from, &to);
	assert_int_equal(copy(from, 0, to, 0, 1000000), 6);
	assert_int_equal(copy(from, 6, to, 6, 1000000), 0);
	check_copy("hello\n");
	assert_int_equal(fixture_lookup(&f, SITE_ROOT, "b", &attr), 0);
	assert_int_equal(attr.st.st_size, 6);
	/* And one may go on. */
	assert_int_equal(fixture_write(&f, to, 6, "world", 5), 5);
	assert_int_equal(fixture_flush(&f, to), 0);
	check_copy("hello\nworld");
	site_release(from);
	site_release(to);
	assert_int_equal(fixture_commands(&f, "RETR"), 0);
}

static void parts_are_not_copied(void **state)
{
	struct site_file *from, *to;

	(void)state;
	up();
	open_both(&from, &to);
	assert_int_equal(copy(from, 0, to, 0, 5), AFTP_ENOTSUP);
	assert_int_equal(copy(from, 1, to, 0, 100), AFTP_ENOTSUP);
	assert_int_equal(copy(from, 0, to, 1, 100), AFTP_ENOTSUP);
	assert_int_equal(copy(to, 0, from, 0, 100), -EBADF);
	assert_int_equal(fixture_write(&f, to, 0, "mine", 4), 4);
	assert_int_equal(copy(from, 0, to, 0, 100), AFTP_ENOTSUP);
	assert_int_equal(fixture_flush(&f, to), 0);
	check_copy("mine");
	site_release(from);
	site_release(to);
}

static void a_server_that_cannot(void **state)
{
	static const char *const no[] = { "SITE CPFR", "SITE CPTO", NULL };
	struct site_file *from, *to;

	(void)state;
	f.server_options.faults.no = no;
	up();
	open_both(&from, &to);
	assert_int_equal(copy(from, 0, to, 0, 100), AFTP_ENOTSUP);
	assert_int_equal(copy(from, 0, to, 0, 100), AFTP_ENOTSUP);
	assert_int_equal(fixture_write(&f, to, 0, "mine", 4), 4);
	assert_int_equal(fixture_flush(&f, to), 0);
	check_copy("mine");
	site_release(from);
	site_release(to);
}

/* --- attributes ----------------------------------------------------------------------------------- */

struct value {
	bool done;
	int status;
	char text[300];
};

static void on_value(void *arg, int status, const char *value, size_t len)
{
	struct value *v = arg;

	v->status = status;
	if (status == 0)
		snprintf(v->text, sizeof v->text, "%.*s", (int)len, value);
	v->done = true;
}

static struct value get(const char *path, const char *name)
{
	struct value v = { 0 };
	struct site_attr a;
	int rc;

	assert_int_equal(fixture_walk(&f, path, &a), 0);
	rc = site_getxattr(f.site, a.st.st_ino, name, NULL, on_value, &v);
	v.status = rc;
	if (rc == 0)
		fixture_wait(&f, &v.done);
	return v;
}

static void check_value(const char *name, const char *want)
{
	struct value v = get("a", name);

	if (v.status != 0 || strcmp(v.text, want) != 0)
		fail_msg("%s: %s \"%s\", not \"%s\"", name, aftp_err_name(v.status), v.text, want);
}

static void facts(void **state)
{
	struct site_attr a;
	char names[1000];
	ssize_t n;

	(void)state;
	assert_int_equal(aftp_memfs_set_mtime(f.fs, "/a", 1000000000, 0), 0);
	up();
	check_value("user.ftp.size", "6");
	check_value("user.ftp.modify", "20010909014640");
	check_value("user.ftp.type", "file");
	assert_int_equal(fixture_commands(&f, "MLST"), 2);
	assert_non_null(strstr(get("a", "user.ftp.facts").text, "modify=20010909014640;"));
	assert_int_equal(get("a", "user.ftp.nothing").status, -ENODATA);
	assert_int_equal(get("a", "security.capability").status, -ENODATA);
	assert_int_equal(fixture_walk(&f, "a", &a), 0);
	n = site_listxattr(f.site, a.st.st_ino, NULL, 0);
	assert_true(n > 0);
	assert_int_equal(site_listxattr(f.site, a.st.st_ino, names, (size_t)n - 1), -ERANGE);
	assert_int_equal(site_listxattr(f.site, a.st.st_ino, names, sizeof names), n);
	for (const char *s = names; s < names + n; s += strlen(s) + 1)
		assert_int_equal(get("a", s).status, 0);
}

static void check_sums(void)
{
	check_value("user.ftp.md5", "b1946ac92492d2347c6235b4d2611184");
	check_value("user.ftp.sha1", "f572d396fae9206628714fb2ce00f72e94f2258f");
	check_value("user.ftp.sha256", "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03");
	check_value("user.ftp.crc32", "363a3020");
	assert_int_equal(strlen(get("a", "user.ftp.sha512").text), 128);
	assert_int_equal(get("d", "user.ftp.md5").status, -ENODATA);
}

static void checksums(void **state)
{
	(void)state;
	up();
	check_sums();
	assert_int_equal(fixture_commands(&f, "XMD5"), 0);
}

static void checksums_without_hash(void **state)
{
	static const char *const no[] = { "HASH", NULL };

	(void)state;
	f.server_options.faults.no = no;
	up();
	check_sums();
}

static void no_checksums(void **state)
{
	static const char *const no[] = { "HASH", "XMD5", NULL };

	(void)state;
	f.server_options.faults.no = no;
	up();
	assert_int_equal(get("a", "user.ftp.md5").status, -ENODATA);
}

/* --- space ---------------------------------------------------------------------------------------- */

struct told {
	bool done;
	int status;
	uint64_t bytes;
};

static void on_space(void *arg, int status, uint64_t bytes)
{
	struct told *t = arg;

	*t = (struct told){ true, status, bytes };
}

static struct told space(void)
{
	struct told t = { 0 };
	int rc = site_space(f.site, NULL, on_space, &t);

	if (rc < 0)
		return (struct told){ true, rc, 0 };
	fixture_wait(&f, &t.done);
	return t;
}

static void free_space(void **state)
{
	(void)state;
	aftp_memfs_set_limits(f.fs, 1000000, 0);
	up();
	assert_int_equal(space().status, 0);
	assert_int_equal(space().bytes, 1000000 - 6);
	assert_int_equal(fixture_commands(&f, "AVBL"), 1);
}

static void nobody_tells(void **state)
{
	static const char *const no[] = { "AVBL", NULL };

	(void)state;
	f.server_options.faults.no = no;
	up();
	assert_int_equal(space().status, AFTP_ENOTSUP);
	assert_int_equal(space().status, AFTP_ENOTSUP);
}

static void a_server_that_is_silent(void **state)
{
	(void)state;
	f.options.timeout_ms = 10000;
	f.server_options.faults.at = "AVBL";
	f.server_options.faults.silence = true;
	up();
	assert_int_equal(space().status, AFTP_ENOTSUP);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup_files, teardown)
	const struct CMUnitTest tests[] = {
		T(the_server_copies),
		T(parts_are_not_copied),
		T(a_server_that_cannot),
		T(facts),
		T(checksums),
		T(checksums_without_hash),
		T(no_checksums),
		T(free_space),
		T(nobody_tells),
		T(a_server_that_is_silent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
