/* Reading files through the site: right bytes whatever happens to the connection, and one version only. */
#include "lib/site_test.h"

#define MIB (1024u * 1024)

static char got[2 * MIB], want[2 * MIB];

static struct site_file *open_pattern(const char *path, uint64_t size, uint64_t seed)
{
	struct site_open_result r = { 0 };

	assert_int_equal(aftp_memfs_put_pattern(f.fs, path, size, seed), 0);
	if (!f.site)
		up();
	assert_int_equal(fixture_open(&f, path, &r), 0);
	assert_non_null(r.file);
	return r.file;
}

/* Reads and compares; the count is what a file of `size` bytes must give. */
static void check(struct site_file *file, uint64_t off, size_t len, uint64_t size, uint64_t seed)
{
	size_t expect = off >= size ? 0 : size - off < len ? (size_t)(size - off) : len;
	ssize_t n = fixture_read(&f, file, off, len, got);

	assert_int_equal(n, expect);
	aftp_memfs_pattern(seed, off, want, expect);
	assert_memory_equal(got, want, expect);
}

static void check_all(struct site_file *file, uint64_t size, uint64_t seed, size_t step)
{
	for (uint64_t off = 0; off <= size; off += step)
		check(file, off, step, size, seed);
}

static void sizes_of_every_kind(void **state)
{
	static const uint64_t sizes[] = { 0, 1, 4095, 4096, 4097, 262143, 262144, 262145, 1048575, 1048577, 5000000 };
	char path[32];

	(void)state;
	f.options.attr_ttl_ms = 0;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		snprintf(path, sizeof path, "/f%zu", i);
		struct site_file *file = open_pattern(path, sizes[i], i);
		check_all(file, sizes[i], i, 131072);
		site_release(file);
	}
}

static void a_sequential_read_is_one_transfer(void **state)
{
	struct site_file *file;

	(void)state;
	f.options.segments = 1;
	file = open_pattern("/big", 64 * MIB, 3);
	check_all(file, 64 * MIB, 3, MIB);
	site_release(file);
	assert_int_equal(fixture_commands(&f, "RETR"), 1);
	assert_int_equal(fixture_commands(&f, "REST"), 0);
}

static void reads_anywhere(void **state)
{
	struct site_file *file;
	uint64_t x = 88172645463325252ull;

	(void)state;
	file = open_pattern("/big", 20 * MIB, 4);
	for (int i = 0; i < 60; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		check(file, x % (21 * MIB), (size_t)(x >> 32) % 300000 + 1, 20 * MIB, 4);
	}
	site_release(file);
}

static void backwards(void **state)
{
	struct site_file *file;

	(void)state;
	file = open_pattern("/big", 3 * MIB, 5);
	for (int i = 23; i >= 0; i--)
		check(file, (uint64_t)i * 131072, 131072, 3 * MIB, 5);
	site_release(file);
}

struct many {
	int left;
	int bad;
	bool done;
};
struct one {
	struct many *m;
	uint64_t off;
	size_t len, size;
	uint64_t seed;
	char *buf;
};

static void on_read(void *arg, ssize_t n, const struct iovec *iov, int parts)
{
	struct one *o = arg;
	char *to = o->buf;

	for (int i = 0; i < parts; i++) {
		memcpy(to, iov[i].iov_base, iov[i].iov_len);
		to += iov[i].iov_len;
	}
	aftp_memfs_pattern(o->seed, o->off, want, o->len);
	if (n != (ssize_t)o->len || memcmp(o->buf, want, o->len) != 0)
		o->m->bad++;
	free(o->buf);
	o->m->done = --o->m->left == 0;
	free(o);
}

static void ask(struct many *m, struct site_file *file, uint64_t off, size_t len, uint64_t seed)
{
	struct one *o = calloc(1, sizeof *o);

	assert_non_null(o);
	*o = (struct one){ .m = m, .off = off, .len = len, .seed = seed, .buf = malloc(len) };
	assert_non_null(o->buf);
	m->left++;
	assert_int_equal(site_read(file, off, len, NULL, on_read, o), 0);
}

static void out_of_order_requests_share_a_transfer(void **state)
{
	struct many m = { 0 };
	struct site_file *file;

	(void)state;
	file = open_pattern("/big", 8 * MIB, 6);
	for (int i = 0; i < 8; i++)
		ask(&m, file, (uint64_t)(i ^ 1) * 131072, 131072, 6);
	fixture_wait(&f, &m.done);
	assert_int_equal(m.bad, 0);
	assert_int_equal(fixture_commands(&f, "RETR"), 1);
	site_release(file);
}

static void many_places(unsigned conns, unsigned nfiles, bool same)
{
	struct site_file *files[8];
	struct many m = { 0 };
	char path[32];

	f.options.max_conns = conns;
	f.options.attr_ttl_ms = 0;
	for (unsigned i = 0; i < nfiles; i++) {
		snprintf(path, sizeof path, "/f%u", same ? 0 : i);
		files[i] = open_pattern(path, 16 * MIB, same ? 0 : i);
	}
	for (unsigned round = 0; round < 16; round++) {
		m.done = false;
		for (unsigned i = 0; i < nfiles; i++) {
			unsigned at = same ? (round + i * 2) % 16 : round;
			ask(&m, files[i], at * (uint64_t)MIB, MIB, same ? 0 : i);
		}
		fixture_wait(&f, &m.done);
		assert_int_equal(m.bad, 0);
	}
	struct site_usage u;
	site_usage(f.site, &u);
	assert_true(u.read_memory <= 32 * MIB);
	assert_true(u.connected_max <= conns);
	for (unsigned i = 0; i < nfiles; i++)
		site_release(files[i]);
	site_usage(f.site, &u);
	assert_int_equal(u.readers, 0);
	assert_int_equal(u.read_memory, 0);
}

static void eight_files_four_connections(void **state)
{
	(void)state;
	many_places(4, 8, false);
}

static void eight_files_one_connection(void **state)
{
	(void)state;
	many_places(1, 8, false);
}

static void one_file_eight_places(void **state)
{
	(void)state;
	many_places(4, 8, true);
}

static void one_file_eight_places_one_connection(void **state)
{
	(void)state;
	many_places(1, 8, true);
}

static void names_are_looked_up_while_a_file_is_read(void **state)
{
	struct site_file *file;
	struct site_attr a;

	(void)state;
	f.options.max_conns = 1;
	f.options.attr_ttl_ms = 0;
	file = open_pattern("/big", 64 * MIB, 7);
	for (unsigned i = 0; i < 20; i++) {
		check(file, i * (uint64_t)MIB, MIB, 64 * MIB, 7);
		assert_int_equal(fixture_lookup(&f, SITE_ROOT, "big", &a), 0);
		assert_int_equal(fixture_count(&f, SITE_ROOT), 1);
	}
	site_release(file);
}

/* --- broken connections --------------------------------------------------------------------------- */

static void survives(void)
{
	struct site_file *file = open_pattern("/big", 6 * MIB, 8);

	check_all(file, 6 * MIB, 8, 131072);
	site_release(file);
}

static void data_connections_that_break(void **state)
{
	(void)state;
	f.server_options.faults.drop_after = 700001;
	survives();
}

static void connections_that_break(void **state)
{
	(void)state;
	f.server_options.faults.drop_all_after = 900001;
	survives();
}

static void less_than_was_confirmed(void **state)
{
	struct site_file *file;
	ssize_t n = 0;

	(void)state;
	f.server_options.faults.short_data = true; /* half of what is asked for, then 226; never the last byte */
	file = open_pattern("/big", MIB, 8);
	for (uint64_t off = 0; off < MIB && n >= 0; off += 65536) {
		n = fixture_read(&f, file, off, 65536, got);
		if (n < 0)
			break;
		assert_int_equal(n, 65536);
		aftp_memfs_pattern(8, off, want, 65536);
		assert_memory_equal(got, want, 65536);
	}
	assert_int_equal(n, AFTP_ESHORT);
	site_release(file);
}

static void a_server_that_comes_back(void **state)
{
	struct site_file *file;

	(void)state;
	file = open_pattern("/big", 16 * MIB, 9);
	check(file, 0, MIB, 16 * MIB, 9);
	fixture_stop_server(&f);
	fixture_serve(&f);
	for (unsigned i = 1; i < 16; i++)
		check(file, i * (uint64_t)MIB, MIB, 16 * MIB, 9);
	site_release(file);
}

static void a_server_that_is_gone(void **state)
{
	struct site_file *file;
	ssize_t n = 0;

	(void)state;
	f.options.timeout_ms = 300;
	file = open_pattern("/big", 64 * MIB, 9);
	check(file, 0, MIB, 64 * MIB, 9);
	fixture_stop_server(&f);
	for (unsigned i = 1; i < 64 && n >= 0; i++)
		n = fixture_read(&f, file, i * (uint64_t)MIB, MIB, got);
	assert_true(n < 0);
	assert_int_not_equal(aftp_errno((int)n), ENOENT);
	site_release(file);
}

static void a_server_that_stalls(void **state)
{
	struct site_file *file;
	ssize_t n;

	(void)state;
	f.options.timeout_ms = 200;
	f.server_options.faults.stall_after = 100000;
	file = open_pattern("/big", MIB, 9);
	check(file, 0, 1000, MIB, 9);
	n = fixture_read(&f, file, 500000, 1000, got);
	/* Each transfer gets 100000 bytes further, so a patient reader arrives; an impatient one is told. */
	assert_true(n == 1000 || n == AFTP_ETIMEDOUT);
	site_release(file);
}

/* --- versions ------------------------------------------------------------------------------------- */

static void a_changed_file_is_not_mixed(void **state)
{
	struct site_file *file;
	struct site_open_result r;
	ssize_t n = 0;

	(void)state;
	f.options.readahead = MIB;
	file = open_pattern("/big", 64 * MIB, 10);
	check(file, 0, MIB, 64 * MIB, 10);
	assert_int_equal(aftp_memfs_put_pattern(f.fs, "/big", 63 * MIB, 11), 0);
	n = fixture_read(&f, file, 40 * MIB, 4096, got);
	assert_int_equal(n, AFTP_ECHANGED);
	assert_true(f.stale > 0);
	/* A new open reads the new file. */
	assert_int_equal(fixture_open(&f, "big", &r), 0);
	check(r.file, 40 * MIB, 4096, 63 * MIB, 11);
	assert_int_equal(fixture_read(&f, file, 0, 4096, got), AFTP_ECHANGED);
	site_release(r.file);
	site_release(file);
}

static void an_old_listing_is_corrected_at_the_first_read(void **state)
{
	struct site_open_result r;
	struct site_attr a;

	(void)state;
	assert_int_equal(aftp_memfs_put_pattern(f.fs, "/f", 1000, 1), 0);
	up();
	assert_int_equal(fixture_walk(&f, "f", &a), 0);
	assert_int_equal(aftp_memfs_put_pattern(f.fs, "/f", 5000, 2), 0);
	assert_int_equal(fixture_open(&f, "f", &r), 0);
	check(r.file, 0, 800, 5000, 2);
	assert_int_equal(f.stale, 1);
	assert_int_equal(fixture_walk(&f, "f", &a), 0);
	assert_int_equal(a.st.st_size, 5000);
	check(r.file, 4000, 4000, 5000, 2);
	site_release(r.file);
}

static void the_cache_is_kept_while_nothing_changes(void **state)
{
	struct site_open_result r;

	(void)state;
	assert_int_equal(aftp_memfs_put_pattern(f.fs, "/f", 1000, 1), 0);
	assert_int_equal(aftp_memfs_set_mtime(f.fs, "/f", 1600000000, 0), 0);
	up();
	assert_int_equal(fixture_open(&f, "f", &r), 0);
	assert_false(r.keep_cache);
	site_release(r.file);
	assert_int_equal(fixture_open(&f, "f", &r), 0);
	assert_true(r.keep_cache);
	site_release(r.file);
}

/* It can change once more within the second, and keep its size. */
static void the_cache_is_not_kept_of_what_has_just_changed(void **state)
{
	struct site_open_result r;

	(void)state;
	site_release(open_pattern("/f", 1000, 1));
	assert_int_equal(fixture_open(&f, "f", &r), 0);
	assert_false(r.keep_cache);
	site_release(r.file);
}

/* --- open ----------------------------------------------------------------------------------------- */

static void on_open(void *arg, int status, const struct site_open_result *r)
{
	(void)arg;
	(void)status;
	(void)r;
	fail_msg("the call had failed");
}

static void only_reading(void **state)
{
	struct site_attr a;

	(void)state;
	assert_int_equal(aftp_memfs_put(f.fs, "/d/f", "x", 1), 0);
	f.options.read_only = true;
	up();
	assert_int_equal(fixture_walk(&f, "d", &a), 0);
	assert_int_equal(site_open(f.site, a.st.st_ino, 0, NULL, on_open, NULL), -EISDIR);
	assert_int_equal(fixture_walk(&f, "d/f", &a), 0);
	assert_int_equal(site_open(f.site, a.st.st_ino, 1, NULL, on_open, NULL), -EROFS);
	assert_int_equal(site_open(f.site, a.st.st_ino, 2, NULL, on_open, NULL), -EROFS);
	assert_int_equal(site_open(f.site, 999, 0, NULL, on_open, NULL), -ESTALE);
}

static void a_handle_that_is_released_under_way(void **state)
{
	struct many m = { 0 };
	struct site_file *file;
	struct one *o = calloc(1, sizeof *o);

	(void)state;
	file = open_pattern("/big", 8 * MIB, 6);
	assert_non_null(o);
	*o = (struct one){ .m = &m, .len = 4096, .seed = 6, .buf = malloc(4096) };
	m.left = 1;
	assert_int_equal(site_read(file, 0, 4096, NULL, on_read, o), 0);
	site_release(file);
	fixture_wait(&f, &m.done);
	assert_int_equal(m.bad, 1); /* cancelled, and told so */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(sizes_of_every_kind),
		T(a_sequential_read_is_one_transfer),
		T(reads_anywhere),
		T(backwards),
		T(out_of_order_requests_share_a_transfer),
		T(eight_files_four_connections),
		T(eight_files_one_connection),
		T(one_file_eight_places),
		T(one_file_eight_places_one_connection),
		T(names_are_looked_up_while_a_file_is_read),
		T(data_connections_that_break),
		T(connections_that_break),
		T(less_than_was_confirmed),
		T(a_server_that_comes_back),
		T(a_server_that_is_gone),
		T(a_server_that_stalls),
		T(a_changed_file_is_not_mixed),
		T(an_old_listing_is_corrected_at_the_first_read),
		T(the_cache_is_kept_while_nothing_changes),
		T(the_cache_is_not_kept_of_what_has_just_changed),
		T(only_reading),
		T(a_handle_that_is_released_under_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
