/* Atomic uploads: under its name a file has its old content or its new one, whatever happens in between. */
#include "lib/site_test.h"

#define MIB (1024u * 1024)
#define BIG (6 * MIB)

static char model[BIG], got[BIG];

static int setup_atomic(void **state)
{
	for (size_t i = 0; i < BIG; i++)
		model[i] = (char)(i * 31 + (i >> 9) * 7);
	setup(state);
	f.options.atomic = true;
	return 0;
}

static struct site_file *open_file(const char *path, int flags)
{
	struct site_open_result r = { 0 };

	assert_int_equal(fixture_open_flags(&f, path, flags, &r), 0);
	return r.file;
}

static void put(struct site_file *file, size_t off, size_t len)
{
	for (size_t n; len > 0; off += n, len -= n) {
		n = len < 65536 ? len : 65536;
		assert_int_equal(fixture_write(&f, file, off, model + off, n), n);
	}
}

static bool has(const char *path, const void *content, size_t size)
{
	struct aftp_vfs_stat st;

	return aftp_memfs_stat(f.fs, path, &st) == 0 && st.size == size &&
		aftp_memfs_read(f.fs, path, 0, got, BIG) == (ssize_t)size && !memcmp(got, content, size);
}

/* What programs see in the root. */
static int names(void)
{
	return fixture_count(&f, SITE_ROOT);
}

static void a_new_file(void **state)
{
	struct site_open_result r;
	struct site_attr attr;
	struct aftp_vfs_stat st;

	(void)state;
	up();
	assert_int_equal(fixture_create(&f, SITE_ROOT, "x", O_WRONLY | O_EXCL, &attr, &r), 0);
	put(r.file, 0, BIG);
	assert_int_equal(aftp_memfs_stat(f.fs, "/x", &st), AFTP_ENOENT);
	assert_int_equal(fixture_flush(&f, r.file), 0);
	assert_true(has("/x", model, BIG));
	site_release(r.file);
	assert_int_equal(names(), 1);
	assert_int_equal(fixture_commands(&f, "STOR"), 1);
	assert_int_equal(fixture_commands(&f, "RETR"), 0);
}

static void over(unsigned conns)
{
	struct site_file *file;

	f.options.max_conns = conns;
	assert_int_equal(aftp_memfs_put(f.fs, "/x", "old content", 11), 0);
	up();
	file = open_file("x", O_WRONLY | O_TRUNC);
	put(file, 0, BIG);
	assert_true(has("/x", "old content", 11));
	assert_int_equal(fixture_flush(&f, file), 0);
	assert_true(has("/x", model, BIG));
	site_release(file);
	assert_int_equal(names(), 1);
}

static void over_an_old_one(void **state)
{
	(void)state;
	over(4);
}

static void over_an_old_one_from_the_spool(void **state)
{
	(void)state;
	over(1);
}

static void appended(void **state)
{
	struct site_file *file;

	(void)state;
	assert_int_equal(aftp_memfs_put(f.fs, "/x", model, MIB), 0);
	up();
	file = open_file("x", O_WRONLY | O_APPEND);
	put(file, MIB, 1000);
	assert_true(has("/x", model, MIB));
	assert_int_equal(fixture_flush(&f, file), 0);
	assert_true(has("/x", model, MIB + 1000));
	put(file, MIB + 1000, 1000);
	assert_int_equal(fixture_flush(&f, file), 0);
	assert_true(has("/x", model, MIB + 2000));
	site_release(file);
	assert_int_equal(names(), 1);
}

static void in_two_flushes(void **state)
{
	struct site_file *file;

	(void)state;
	assert_int_equal(aftp_memfs_put(f.fs, "/x", "old", 3), 0);
	up();
	file = open_file("x", O_RDWR | O_TRUNC);
	put(file, 0, MIB);
	assert_int_equal(fixture_read(&f, file, 0, MIB, got), MIB);
	assert_memory_equal(got, model, MIB);
	assert_true(has("/x", "old", 3));
	assert_int_equal(fixture_flush(&f, file), 0);
	assert_true(has("/x", model, MIB));
	put(file, MIB, MIB);
	assert_true(has("/x", model, MIB));
	assert_int_equal(fixture_flush(&f, file), 0);
	assert_true(has("/x", model, 2 * MIB));
	site_release(file);
	assert_int_equal(names(), 1);
}

static void a_failing_link(void **state)
{
	struct site_file *file;
	int rc;

	(void)state;
	f.options.max_conns = 2;
	f.server_options.faults.drop_all_after = 700000;
	f.server_options.faults.times = 12;
	assert_int_equal(aftp_memfs_put(f.fs, "/x", "old", 3), 0);
	up();
	file = open_file("x", O_WRONLY | O_TRUNC);
	for (size_t off = 0; off < BIG; off += 65536) {
		assert_int_equal(fixture_write(&f, file, off, model + off, 65536), 65536);
		assert_true(has("/x", "old", 3));
	}
	rc = fixture_flush(&f, file);
	assert_int_equal(rc, 0);
	assert_true(has("/x", model, BIG));
	site_release(file);
	assert_int_equal(names(), 1);
}

/* Control connections that die after any number of commands. */
static void a_link_that_dies_anywhere(void **state)
{
	struct aftp_faults faults = { .times = 2 };
	struct site_file *file;

	(void)state;
	assert_int_equal(aftp_memfs_put(f.fs, "/x", "old", 3), 0);
	up();
	for (uint32_t n = 1; n < 14; n++) {
		int rc;

		aftp_memfs_put(f.fs, "/x", "old", 3);
		faults.drop_after_commands = n;
		assert_int_equal(aftp_server_set_faults(f.server, &faults), 0);
		file = open_file("x", O_WRONLY | O_TRUNC);
		put(file, 0, 1000);
		rc = fixture_flush(&f, file);
		if (rc == 0)
			assert_true(has("/x", model, 1000));
		else
			assert_true(has("/x", "old", 3) || has("/x", model, 1000));
		site_release(file);
	}
}

static void no_room(void **state)
{
	static const char *const no[] = { "STOR", NULL };
	struct site_file *file;

	(void)state;
	f.server_options.faults.no = no;
	assert_int_equal(aftp_memfs_put(f.fs, "/x", "old", 3), 0);
	up();
	file = open_file("x", O_WRONLY | O_TRUNC);
	put(file, 0, 1000);
	assert_true(fixture_flush(&f, file) < 0);
	site_release(file);
	assert_true(has("/x", "old", 3));
	assert_int_equal(names(), 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup_atomic, teardown)
	const struct CMUnitTest tests[] = {
		T(a_new_file),
		T(over_an_old_one),
		T(over_an_old_one_from_the_spool),
		T(appended),
		T(in_two_flushes),
		T(a_failing_link),
		T(a_link_that_dies_anywhere),
		T(no_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
