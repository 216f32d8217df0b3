/* Writing through the site: what programs wrote is what the server has, whatever way it went and whatever broke. */
#include "lib/site_test.h"

#define MIB  (1024u * 1024)
#define MOST (24u * MIB)

static char model[MOST], got[MOST]; /* what the file should be; what it is */
static size_t size;

static int setup_model(void **state)
{
	memset(model, 0, sizeof model);
	size = 0;
	return setup(state);
}

static struct site_file *create(const char *name)
{
	struct site_open_result r = { 0 };
	struct site_attr attr;

	assert_int_equal(fixture_create(&f, SITE_ROOT, name, O_WRONLY | O_EXCL, &attr, &r), 0);
	assert_int_equal(attr.st.st_size, 0);
	return r.file;
}

static struct site_file *reopen(const char *path, int flags)
{
	struct site_open_result r = { 0 };

	assert_int_equal(fixture_open_flags(&f, path, flags, &r), 0);
	return r.file;
}

/* Bytes that depend on where and in which round they are written. */
static void put(struct site_file *file, size_t off, size_t len, unsigned round)
{
	assert_true(off + len <= MOST);
	if (off > size)
		memset(model + size, 0, off - size);
	for (size_t i = 0; i < len; i++)
		model[off + i] = (char)(((off + i) * 31 + ((off + i) >> 9) * 7 + round * 101) & 0xff);
	if (off + len > size)
		size = off + len;
	assert_int_equal(fixture_write(&f, file, off, model + off, len), len);
}

static void check_server(const char *path)
{
	struct aftp_vfs_stat st;

	assert_int_equal(aftp_memfs_stat(f.fs, path, &st), 0);
	assert_int_equal(st.size, size);
	assert_int_equal(aftp_memfs_read(f.fs, path, 0, got, MOST), size);
	assert_memory_equal(got, model, size);
}

static void check_read(struct site_file *file, size_t off, size_t len)
{
	size_t want = off >= size ? 0 : size - off < len ? size - off : len;

	assert_int_equal(fixture_read(&f, file, off, len, got), want);
	assert_memory_equal(got, model + off, want);
}

static void done(struct site_file *file, const char *path)
{
	assert_int_equal(fixture_flush(&f, file), 0);
	check_server(path);
	site_release(file);
}

/* --- streams -------------------------------------------------------------------------------------- */

static void an_empty_file(void **state)
{
	struct site_file *file;

	(void)state;
	up();
	file = create("new");
	done(file, "/new");
}

static void a_sequential_write_is_one_upload(void **state)
{
	struct site_file *file;

	(void)state;
	up();
	file = create("new");
	for (size_t off = 0; off < 20 * MIB; off += 128 * 1024)
		put(file, off, 128 * 1024, 1);
	done(file, "/new");
	assert_int_equal(fixture_commands(&f, "STOR"), 1);
	assert_int_equal(fixture_commands(&f, "APPE"), 0);
	assert_int_equal(fixture_commands(&f, "RETR"), 0);
}

static void the_new_size_shows_at_once(void **state)
{
	struct site_file *file;
	struct site_attr attr;

	(void)state;
	up();
	file = create("new");
	put(file, 0, 100000, 1);
	assert_int_equal(fixture_lookup(&f, SITE_ROOT, "new", &attr), 0);
	assert_int_equal(attr.st.st_size, 100000);
	assert_int_equal(fixture_count(&f, SITE_ROOT), 1);
	done(file, "/new");
	assert_int_equal(fixture_lookup(&f, SITE_ROOT, "new", &attr), 0);
	assert_int_equal(attr.st.st_size, 100000);
}

/* Programs that compare times must not see one that changes by itself. */
/* A listing that was taken within the millisecond of the write is older. */
static void the_new_size_shows_in_a_listing(void **state)
{
	struct site_open_result r;
	struct site_attr attr;
	struct site_dir *d;
	const char *name;

	(void)state;
	up();
	assert_int_equal(fixture_create(&f, SITE_ROOT, "f", O_WRONLY, &attr, &r), 0);
	assert_int_equal(fixture_count(&f, SITE_ROOT), 1);
	assert_int_equal(fixture_write(&f, r.file, 0, "abc", 3), 3);
	assert_int_equal(fixture_opendir(&f, SITE_ROOT, &d), 0);
	assert_true(site_dir_entry(d, 2, &name, &attr));
	assert_string_equal(name, "f");
	assert_true(site_dir_remember(d, 2, &attr));
	assert_int_equal(attr.st.st_size, 3);
	site_closedir(d);
	assert_int_equal(fixture_getattr(&f, attr.st.st_ino, &attr), 0);
	assert_int_equal(attr.st.st_size, 3);
	assert_int_equal(fixture_flush(&f, r.file), 0);
	site_release(r.file);
}

static void the_time_is_the_servers(void **state)
{
	struct site_open_result r = { 0 };
	struct aftp_vfs_stat st;
	struct site_attr attr;

	(void)state;
	up();
	assert_int_equal(fixture_create(&f, SITE_ROOT, "new", O_WRONLY | O_EXCL, &attr, &r), 0);
	assert_int_equal(attr.valid_ms, 0);
	put(r.file, 0, 1000, 1);
	assert_int_equal(fixture_lookup(&f, SITE_ROOT, "new", &attr), 0);
	assert_int_equal(attr.valid_ms, 0);
	assert_int_equal(fixture_flush(&f, r.file), 0);
	assert_int_equal(fixture_lookup(&f, SITE_ROOT, "new", &attr), 0);
	assert_true(attr.valid_ms > 0);
	assert_int_equal(aftp_memfs_stat(f.fs, "/new", &st), 0);
	assert_int_equal(attr.st.st_mtim.tv_sec, st.mtime);
	site_release(r.file);
}

/* However many files are open, they do not each take all the memory that one may. */
static void many_spools(void **state)
{
	struct site_file *files[40];
	char name[8];

	(void)state;
	f.options.max_conns = 1;
	up();
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "f%d", i);
		files[i] = create(name);
		size = 0;
		put(files[i], 0, 300000, 1);
	}
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "/f%d", i);
		size = 300000;
		done(files[i], name);
	}
}

static void an_append(void **state)
{
	struct site_file *file;

	(void)state;
	up();
	file = create("log");
	put(file, 0, 5000, 1);
	done(file, "/log");
	for (int i = 0; i < 3; i++) {
		file = reopen("log", O_WRONLY | O_APPEND);
		put(file, size, 777, 2);
		done(file, "/log");
	}
	assert_int_equal(fixture_commands(&f, "APPE"), 3);
	assert_int_equal(fixture_commands(&f, "STOR"), 1);
}

static void an_append_behind_somebody_elses(void **state)
{
	struct site_file *file;

	(void)state;
	up();
	file = create("log");
	put(file, 0, 5000, 1);
	done(file, "/log");
	file = reopen("log", O_WRONLY | O_APPEND);
	memcpy(model + 5000, "others", 6);
	assert_int_equal(aftp_memfs_put(f.fs, "/log", model, 5006), 0);
	assert_int_equal(fixture_write(&f, file, 5000, "mine", 4), 4);
	memcpy(model + 5006, "mine", 4);
	size = 5010;
	done(file, "/log");
}

static void a_truncating_open(void **state)
{
	struct site_file *file;

	(void)state;
	up();
	file = create("x");
	put(file, 0, 5000, 1);
	done(file, "/x");
	size = 0;
	file = reopen("x", O_WRONLY | O_TRUNC);
	put(file, 0, 300, 2);
	done(file, "/x");
}

static void a_small_hole_is_streamed(void **state)
{
	struct site_file *file;

	(void)state;
	up();
	file = create("x");
	put(file, 0, 10, 1);
	put(file, 5000, 10, 1);
	done(file, "/x");
	assert_int_equal(fixture_commands(&f, "RETR"), 0);
}

static void a_flush_in_the_middle(void **state)
{
	struct site_file *file;

	(void)state;
	up();
	file = create("x");
	put(file, 0, 70000, 1);
	assert_int_equal(fixture_flush(&f, file), 0);
	check_server("/x");
	put(file, 70000, 70000, 1);
	done(file, "/x");
}

/* --- elsewhere ------------------------------------------------------------------------------------ */

static void writes_anywhere(void **state)
{
	struct site_file *file;

	(void)state;
	up();
	file = create("x");
	put(file, 0, 3 * MIB, 1);
	put(file, 100, 50, 2);
	put(file, 2 * MIB, 2 * MIB, 3);
	put(file, 10 * MIB, 10, 4);
	check_read(file, 0, MIB);
	check_read(file, 9 * MIB, 2 * MIB);
	done(file, "/x");
}

static void changes_in_an_old_file(void **state)
{
	struct site_file *file;

	(void)state;
	up();
	file = create("x");
	put(file, 0, 3 * MIB, 1);
	done(file, "/x");
	file = reopen("x", O_RDWR);
	check_read(file, MIB, 4096);
	put(file, MIB, 1000, 2);
	check_read(file, MIB - 100, 4096);
	done(file, "/x");
}

static void reads_what_it_wrote(void **state)
{
	struct site_file *file;

	(void)state;
	up();
	file = create("x");
	for (size_t off = 0; off < 300000; off += 10000) {
		put(file, off, 10000, 1);
		if (off % 50000 == 0)
			check_read(file, off / 2, 10000);
	}
	done(file, "/x");
}

static void any_size(void **state)
{
	static const size_t sizes[] = { 1, 0, 70000, 70000, 100, 3 * MIB, 2 * MIB, 0, 5 };
	struct site_file *file;

	(void)state;
	up();
	file = create("x");
	put(file, 0, 200000, 1);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		if (sizes[i] > size)
			memset(model + size, 0, sizes[i] - size);
		size = sizes[i];
		assert_int_equal(fixture_truncate(&f, "x", file, size), 0);
		check_read(file, 0, 4 * MIB);
		if (i % 3 == 0) {
			assert_int_equal(fixture_flush(&f, file), 0);
			check_server("/x");
		}
	}
	done(file, "/x");
}

static void truncate_by_path(void **state)
{
	struct site_file *file;

	(void)state;
	up();
	file = create("x");
	put(file, 0, 200000, 1);
	done(file, "/x");
	size = 1000;
	assert_int_equal(fixture_truncate(&f, "x", NULL, size), 0);
	check_server("/x");
	memset(model + 1000, 0, 4000);
	size = 5000;
	assert_int_equal(fixture_truncate(&f, "x", NULL, size), 0);
	check_server("/x");
	size = 0;
	assert_int_equal(fixture_truncate(&f, "x", NULL, size), 0);
	check_server("/x");
}

/* --- one connection ------------------------------------------------------------------------------- */

static void several_files_at_once(unsigned conns)
{
	struct site_file *files[6];
	char name[8];

	f.options.max_conns = conns;
	up();
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof name, "f%d", i);
		files[i] = create(name);
	}
	for (size_t off = 0; off < 2 * MIB; off += 65536)
		for (int i = 0; i < 6; i++) {
			size = off;
			put(files[i], off, 65536, 1);
			if (off % (512 * 1024) == 0)
				assert_int_equal(fixture_count(&f, SITE_ROOT), 6);
		}
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof name, "/f%d", i);
		done(files[i], name);
	}
	struct site_usage u;
	site_usage(f.site, &u);
	assert_true(u.connected_max <= conns);
}

static void six_files_four_connections(void **state)
{
	(void)state;
	several_files_at_once(4);
}

static void six_files_two_connections(void **state)
{
	(void)state;
	several_files_at_once(2);
}

static void six_files_one_connection(void **state)
{
	(void)state;
	several_files_at_once(1);
}

static void a_copy_on_one_connection(void **state)
{
	struct site_file *from, *to;
	char *block = malloc(131072);

	(void)state;
	assert_non_null(block);
	f.options.max_conns = 1;
	assert_int_equal(aftp_memfs_put_pattern(f.fs, "/from", 8 * MIB, 5), 0);
	up();
	from = reopen("from", O_RDONLY);
	to = create("to");
	aftp_memfs_pattern(5, 0, model, 8 * MIB);
	size = 8 * MIB;
	for (size_t off = 0; off < size; off += 131072) {
		assert_int_equal(fixture_read(&f, from, off, 131072, block), 131072);
		assert_int_equal(fixture_write(&f, to, off, block, 131072), 131072);
	}
	free(block);
	site_release(from);
	done(to, "/to");
}

/* --- trouble -------------------------------------------------------------------------------------- */

static void survives(void)
{
	struct site_file *file;

	up();
	file = create("x");
	for (size_t off = 0; off < 6 * MIB; off += 65536)
		put(file, off, 65536, 1);
	done(file, "/x");
}

static void uploads_that_break(void **state)
{
	(void)state;
	f.server_options.faults.drop_after = 3 * MIB;
	survives();
}

static void connections_that_break(void **state)
{
	(void)state;
	f.server_options.faults.drop_all_after = 2 * MIB;
	survives();
}

static void a_spooled_upload_that_breaks(void **state)
{
	struct site_file *file;

	(void)state;
	f.server_options.faults.drop_all_after = 2 * MIB;
	f.server_options.faults.times = 3;
	f.options.max_conns = 1;
	up();
	file = create("x");
	for (size_t off = 0; off < 5 * MIB; off += MIB)
		put(file, off, MIB, 1);
	put(file, 0, 100, 2);
	done(file, "/x");
}

static void a_final_reply_that_never_comes(void **state)
{
	struct site_file *file;
	int rc;

	(void)state;
	f.options.timeout_ms = 300;
	f.server_options.faults.no_final_reply = true;
	up();
	file = create("x");
	put(file, 0, 1000, 1);
	rc = fixture_flush(&f, file);
	/* Saved and proven by its size, or an error: never a success without proof. */
	if (rc == 0)
		check_server("/x");
	else
		assert_true(rc < 0);
	site_release(file);
}

static void a_refusal_is_told(void **state)
{
	static const struct aftp_user users[] = { { .name = "joe", .password = "s", .may = AFTP_MAY_READ } };
	struct site_open_result r = { 0 };
	struct site_attr attr;

	(void)state;
	assert_int_equal(aftp_memfs_put(f.fs, "/old", "old", 3), 0);
	f.server_options.users = users;
	f.server_options.nusers = 1;
	f.options.user = "joe";
	f.options.password = "s";
	up();
	if (fixture_create(&f, SITE_ROOT, "x", O_WRONLY, &attr, &r) == 0) {
		(void)fixture_write(&f, r.file, 0, "abc", 3);
		assert_int_equal(fixture_flush(&f, r.file), AFTP_EACCES);
		assert_int_equal(fixture_flush(&f, r.file), AFTP_EACCES);
		site_release(r.file);
	}
	assert_int_equal(fixture_lookup(&f, SITE_ROOT, "x", &attr), AFTP_ENOENT);
	assert_int_equal(fixture_open_flags(&f, "old", O_WRONLY, &r), 0);
	assert_int_equal(fixture_write(&f, r.file, 3, "new", 3), 3);
	assert_int_equal(fixture_flush(&f, r.file), AFTP_EACCES);
	site_release(r.file);
	assert_int_equal(fixture_lookup(&f, SITE_ROOT, "old", &attr), 0);
	assert_int_equal(attr.st.st_size, 3);
}

static void only_reading(void **state)
{
	struct site_open_result r;
	struct site_attr attr;

	(void)state;
	assert_int_equal(aftp_memfs_put(f.fs, "/old", "old", 3), 0);
	f.options.read_only = true;
	up();
	assert_int_equal(fixture_create(&f, SITE_ROOT, "x", O_WRONLY, &attr, &r), -EROFS);
	assert_int_equal(fixture_open_flags(&f, "old", O_WRONLY, &r), -EROFS);
	assert_int_equal(fixture_open_flags(&f, "old", O_RDWR, &r), -EROFS);
}

static void exclusive(void **state)
{
	struct site_open_result r;
	struct site_attr attr;

	(void)state;
	assert_int_equal(aftp_memfs_put(f.fs, "/old", "old", 3), 0);
	up();
	assert_int_equal(fixture_create(&f, SITE_ROOT, "old", O_WRONLY | O_EXCL, &attr, &r), -EEXIST);
	assert_int_equal(fixture_create(&f, SITE_ROOT, "old", O_WRONLY, &attr, &r), 0);
	assert_int_equal(attr.st.st_size, 3);
	site_release(r.file);
}

/* --- by the dice ---------------------------------------------------------------------------------- */

static uint32_t seed;

static uint32_t roll(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static void one_step(struct site_file **file, unsigned round)
{
	size_t off = roll(4) == 0 && size ? roll((uint32_t)size) : size, len = roll(120000) + 1;

	switch (roll(10)) {
	case 0:
		assert_int_equal(fixture_flush(&f, *file), 0);
		check_server("/x");
		return;
	case 1: check_read(*file, roll((uint32_t)size + 1), roll(300000)); return;
	case 2:
		if (roll(3) == 0) {
			size_t to = roll(400000);
			if (to > size)
				memset(model + size, 0, to - size);
			size = to;
			assert_int_equal(fixture_truncate(&f, "x", roll(2) ? *file : NULL, to), 0);
		}
		return;
	case 3:
		if (roll(3) == 0) {
			done(*file, "/x");
			*file = reopen("x", O_RDWR);
		}
		return;
	default:
		if (off + len < 3 * MIB)
			put(*file, off, len, round);
	}
}

static void exercise(uint32_t start, unsigned conns, unsigned steps)
{
	struct site_file *file;

	seed = start;
	f.options.max_conns = conns;
	up();
	file = create("x");
	for (unsigned i = 0; i < steps; i++)
		one_step(&file, i);
	done(file, "/x");
}

static void anything(void **state)
{
	(void)state;
	exercise(1, 4, 500);
}

static void anything_on_one_connection(void **state)
{
	(void)state;
	exercise(2, 1, 500);
}

static void anything_while_connections_break(void **state)
{
	(void)state;
	f.server_options.faults.drop_all_after = 1500000;
	exercise(3, 3, 300);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup_model, teardown)
	const struct CMUnitTest tests[] = {
		T(an_empty_file),
		T(a_sequential_write_is_one_upload),
		T(the_new_size_shows_at_once),
		T(the_new_size_shows_in_a_listing),
		T(the_time_is_the_servers),
		T(many_spools),
		T(an_append),
		T(an_append_behind_somebody_elses),
		T(a_truncating_open),
		T(a_small_hole_is_streamed),
		T(a_flush_in_the_middle),
		T(writes_anywhere),
		T(changes_in_an_old_file),
		T(reads_what_it_wrote),
		T(any_size),
		T(truncate_by_path),
		T(six_files_four_connections),
		T(six_files_two_connections),
		T(six_files_one_connection),
		T(a_copy_on_one_connection),
		T(uploads_that_break),
		T(connections_that_break),
		T(a_spooled_upload_that_breaks),
		T(a_final_reply_that_never_comes),
		T(a_refusal_is_told),
		T(only_reading),
		T(exclusive),
		T(anything),
		T(anything_on_one_connection),
		T(anything_while_connections_break),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
