/* What a mount may show in other ways: what links lead to, names in another character set, files as they are now. */
#include "lib/site_test.h"

/* --- links ---------------------------------------------------------------------------------------- */

static void make_links(void)
{
	assert_int_equal(aftp_memfs_mkdir(f.fs, "/d/in"), 0);
	assert_int_equal(aftp_memfs_put(f.fs, "/d/file", "12345", 5), 0);
	assert_int_equal(aftp_memfs_symlink(f.fs, "d/file", "/to-file"), 0);
	assert_int_equal(aftp_memfs_symlink(f.fs, "/d", "/to-dir"), 0);
	assert_int_equal(aftp_memfs_symlink(f.fs, "nowhere", "/to-nothing"), 0);
	assert_int_equal(aftp_memfs_symlink(f.fs, "../to-nothing/../../x", "/d/out"), 0);
}

static mode_t type_of(const char *path)
{
	struct site_attr a;

	assert_int_equal(fixture_walk(&f, path, &a), 0);
	return a.st.st_mode & S_IFMT;
}

static void follows(void)
{
	struct site_open_result r;
	struct site_attr a;
	char got[8];

	f.options.follow_symlinks = true;
	make_links();
	up();
	assert_int_equal(fixture_walk(&f, "to-file", &a), 0);
	assert_true(S_ISREG(a.st.st_mode));
	assert_int_equal(a.st.st_size, 5);
	assert_int_equal(type_of("to-dir"), S_IFDIR);
	assert_int_equal(type_of("to-dir/in"), S_IFDIR);
	assert_int_equal(type_of("to-nothing"), S_IFLNK);
	assert_int_equal(fixture_open(&f, "to-file", &r), 0);
	assert_int_equal(fixture_read(&f, r.file, 0, 5, got), 5);
	assert_memory_equal(got, "12345", 5);
	site_release(r.file);
	assert_int_equal(fixture_walk(&f, "to-dir", &a), 0);
	assert_int_equal(fixture_count(&f, a.st.st_ino), 3);
	assert_int_equal(type_of("to-dir/file"), S_IFREG);
	assert_int_equal(fixture_count(&f, SITE_ROOT), 4);
	assert_int_equal(type_of("to-file"), S_IFREG);
}

static void what_links_lead_to(void **state)
{
	(void)state;
	follows();
}

static void what_links_lead_to_by_list(void **state)
{
	static const char *const no[] = { "MLSD", "MLST", NULL };

	(void)state;
	f.server_options.faults.no = no;
	follows();
}

static int read_link(const char *path, char *target, size_t size)
{
	struct site_attr a;

	assert_int_equal(fixture_walk(&f, path, &a), 0);
	return fixture_readlink(&f, a.st.st_ino, target, size);
}

static void links_stay_inside(void **state)
{
	char target[64];

	(void)state;
	make_links();
	up();
	assert_int_equal(read_link("to-file", target, sizeof target), 0);
	assert_string_equal(target, "d/file");
	assert_int_equal(read_link("to-dir", target, sizeof target), -EPERM);
	assert_int_equal(read_link("d/out", target, sizeof target), -EPERM);
}

static void links_are_transformed(void **state)
{
	char target[64];

	(void)state;
	f.options.transform_symlinks = true;
	make_links();
	up();
	assert_int_equal(read_link("to-dir", target, sizeof target), 0);
	assert_string_equal(target, "d");
}

static void any_link(void **state)
{
	char target[64];

	(void)state;
	f.options.loose_symlinks = true;
	make_links();
	up();
	assert_int_equal(read_link("to-dir", target, sizeof target), 0);
	assert_string_equal(target, "/d");
	assert_int_equal(read_link("d/out", target, sizeof target), 0);
}

/* --- close to open -------------------------------------------------------------------------------- */

static void files_as_they_are_now(void **state)
{
	struct site_open_result r;
	struct site_attr a;
	char got[16];

	(void)state;
	f.options.close_to_open = true;
	assert_int_equal(aftp_memfs_put(f.fs, "/x", "old", 3), 0);
	up();
	assert_int_equal(fixture_count(&f, SITE_ROOT), 1);
	assert_int_equal(fixture_open(&f, "x", &r), 0);
	site_release(r.file);
	assert_int_equal(aftp_memfs_put(f.fs, "/x", "another", 7), 0);
	assert_int_equal(aftp_memfs_set_mtime(f.fs, "/x", 1600000000, 0), 0);
	assert_int_equal(fixture_open(&f, "x", &r), 0);
	assert_false(r.keep_cache);
	assert_int_equal(fixture_read(&f, r.file, 0, 16, got), 7);
	assert_memory_equal(got, "another", 7);
	site_release(r.file);
	assert_int_equal(fixture_walk(&f, "x", &a), 0);
	assert_int_equal(a.st.st_size, 7);
	assert_int_equal(fixture_open(&f, "x", &r), 0);
	assert_true(r.keep_cache);
	site_release(r.file);
}

static void files_that_are_gone(void **state)
{
	struct site_open_result r;
	struct site_attr a;

	(void)state;
	f.options.close_to_open = true;
	assert_int_equal(aftp_memfs_put(f.fs, "/x", "old", 3), 0);
	assert_int_equal(aftp_memfs_put(f.fs, "/y", "other", 5), 0);
	up();
	assert_int_equal(fixture_count(&f, SITE_ROOT), 2);
	assert_int_equal(aftp_memfs_remove(f.fs, "/x"), 0);
	assert_int_equal(fixture_open(&f, "x", &r), -ESTALE);
	assert_int_equal(fixture_lookup(&f, SITE_ROOT, "x", &a), AFTP_ENOENT);
	assert_int_equal(fixture_lookup(&f, SITE_ROOT, "y", &a), 0);
}

/* --- names ---------------------------------------------------------------------------------------- */

static void names_in_another_character_set(void **state)
{
	struct site_open_result r;
	struct site_attr a;
	struct aftp_vfs_stat st;

	(void)state;
	f.options.encoding = "CP1251";
	assert_int_equal(aftp_memfs_put(f.fs, "/\xcf\xf0\xe8\xe2\xe5\xf2", "hello", 5), 0);
	assert_int_equal(aftp_memfs_put(f.fs, "/odd\x98", "odd", 3), 0);
	up();
	assert_int_equal(fixture_lookup(&f, SITE_ROOT, "Привет", &a), 0);
	assert_int_equal(a.st.st_size, 5);
	assert_int_equal(fixture_lookup(&f, SITE_ROOT, "odd\xef\x82\x98", &a), 0);
	assert_int_equal(fixture_count(&f, SITE_ROOT), 2);
	assert_int_equal(fixture_create(&f, SITE_ROOT, "Мир", O_WRONLY | O_EXCL, &a, &r), 0);
	assert_int_equal(fixture_write(&f, r.file, 0, "abc", 3), 3);
	assert_int_equal(fixture_flush(&f, r.file), 0);
	site_release(r.file);
	assert_int_equal(aftp_memfs_stat(f.fs, "/\xcc\xe8\xf0", &st), 0);
	assert_int_equal(st.size, 3);
	assert_int_equal(fixture_lookup(&f, SITE_ROOT, "日本", &a), AFTP_ENOENT);
	if (fixture_create(&f, SITE_ROOT, "日本", O_WRONLY | O_EXCL, &a, &r) == 0) {
		assert_int_equal(fixture_flush(&f, r.file), -EILSEQ);
		site_release(r.file);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_links_lead_to),
		T(what_links_lead_to_by_list),
		T(links_stay_inside),
		T(links_are_transformed),
		T(any_link),
		T(files_as_they_are_now),
		T(files_that_are_gone),
		T(names_in_another_character_set),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
