/* One open file is one version, whatever becomes of it on the server; but one that grows can be followed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/param.h>

#include <cmocka.h>

#include <aftp/status.h>

#include "lib/site_fixture.h"

enum { PAGE = 4096, MIB = 1024 * 1024, SOON = 65536, OLD = 1, OTHER = 2 };

static struct fixture f;
static char got[2 * MIB], want[2 * MIB];

static int setup(void **state)
{
	(void)state;
	fixture_init(&f);
	f.options.attr_ttl_ms = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_finish(&f);
	return 0;
}

/* The server's file: `size` bytes, the same for the same seed, from the first on. */
static void make(uint64_t size, uint64_t seed)
{
	assert_int_equal(aftp_memfs_put_pattern(f.fs, "/f", size, seed), 0);
}

static struct site_file *open_it(void)
{
	struct site_open_result r = { 0 };

	if (!f.site) {
		fixture_serve(&f);
		assert_int_equal(fixture_mount(&f), 0);
	}
	assert_int_equal(fixture_open(&f, "f", &r), 0);
	assert_non_null(r.file);
	return r.file;
}

/* As a program that asks with fstat(2) how big it is. */
static void look(void)
{
	struct site_attr a;

	assert_int_equal(fixture_walk(&f, "f", &a), 0);
	assert_int_equal(fixture_getattr(&f, a.st.st_ino, &a), 0);
}

static void check(struct site_file *file, uint64_t off, size_t len, uint64_t size, uint64_t seed)
{
	size_t expect = off >= size ? 0 : MIN(size - off, len);
	ssize_t n = fixture_read(&f, file, off, len, got);

	assert_int_equal(n, expect);
	aftp_memfs_pattern(seed, off, want, expect);
	assert_memory_equal(got, want, expect);
}

static void refused(struct site_file *file, uint64_t off)
{
	assert_int_equal(fixture_read(&f, file, off, SOON, got), AFTP_ECHANGED);
}

/* All of it, and once more at its end. */
static void read_all(struct site_file *file, uint64_t size, uint64_t seed)
{
	for (uint64_t off = 0; off <= size; off += MIB)
		check(file, off, MIB, size, seed);
	check(file, size, SOON, size, seed);
}

static const uint64_t sizes[] = { 0, 3, PAGE - 1, PAGE, PAGE + 1, 300000, 3 * MIB, 3 * MIB + 5 };
enum { SIZES = sizeof sizes / sizeof sizes[0] };

/* Where a reader goes on: through the kernel's cache, which wants whole pages, and without it. */
static uint64_t page_of(uint64_t off)
{
	return off & ~(uint64_t)(PAGE - 1);
}

static void what_grows_can_be_followed(void **state)
{
	(void)state;
	for (int cached = 0; cached < 2; cached++) {
		for (int i = 0; i < SIZES; i++) {
			uint64_t size = sizes[i];

			make(size, OLD);
			struct site_file *a = open_it(), *b = open_it();
			read_all(a, size, OLD);
			read_all(b, size, OLD);
			for (int round = 0; round < 3; round++) {
				uint64_t from = cached ? page_of(size) : size;
				size += 1000 + (uint64_t)round * 9000;
				make(size, OLD);
				look();
				check(a, from, SOON, size, OLD);
				check(b, from, SOON, size, OLD);
				check(a, size, SOON, size, OLD);
			}
			site_release(a);
			site_release(b);
		}
	}
}

static void what_was_replaced_is_not_what_grew(void **state)
{
	(void)state;
	for (int cached = 0; cached < 2; cached++) {
		for (int i = 1; i < SIZES; i++) {
			make(sizes[i], OLD);
			struct site_file *file = open_it();
			read_all(file, sizes[i], OLD);
			make(sizes[i] + 1000, OTHER);
			look();
			refused(file, cached ? page_of(sizes[i] - 1) : sizes[i]);
			refused(file, 0);
			site_release(file);
		}
	}
}

/* Bytes that nobody has buffered any more cannot be compared. */
static void what_cannot_be_compared_is_refused(void **state)
{
	struct site_file *file;

	(void)state;
	f.options.segments = 1;
	make(40 * MIB, OLD);
	file = open_it();
	check(file, 0, PAGE, 40 * MIB, OLD);
	make(41 * MIB, OLD);
	look();
	refused(file, 40 * MIB);
	site_release(file);
}

/* Whoever opens it later reads what is there then, though others have the old one open. */
static void a_later_open_reads_what_is_there(void **state)
{
	(void)state;
	for (int i = 1; i < SIZES; i++) {
		make(sizes[i], OLD);
		struct site_file *old = open_it();
		read_all(old, sizes[i], OLD);
		make(sizes[i] + 1000, OTHER);
		struct site_file *later = open_it();
		read_all(later, sizes[i] + 1000, OTHER);
		make(sizes[i] - 1, OLD);
		struct site_file *last = open_it();
		read_all(last, sizes[i] - 1, OLD);
		refused(old, sizes[i]);
		refused(later, 0);
		read_all(last, sizes[i] - 1, OLD);
		site_release(old);
		site_release(later);
		site_release(last);
	}
}

/* Some servers refuse to begin behind the end, and some send nothing. */
static void nothing_is_behind_the_end_of_what_has_shrunk(void **state)
{
	static const enum aftp_server_play plays[] = { AFTP_PLAY_MEMFTPD, AFTP_PLAY_VSFTPD, AFTP_PLAY_PROFTPD,
		AFTP_PLAY_PURE_FTPD, AFTP_PLAY_PYFTPDLIB };

	(void)state;
	f.options.attr_ttl_ms = 60000;
	f.options.timeout_ms = 2000;
	for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++) {
		f.server_options.play = plays[i];
		make(9 * MIB, OLD);
		struct site_file *file = open_it();
		make(6, OTHER);
		check(file, 8 * MIB, PAGE, 6, OTHER);
		check(file, 0, PAGE, 6, OTHER);
		site_release(file);
		fixture_unmount(&f);
		fixture_stop_server(&f);
	}
}

/* Also of one that is followed, and the other way round. */
static void opens_of_what_is_followed(void **state)
{
	uint64_t size = 300000;

	(void)state;
	make(size, OLD);
	struct site_file *follower = open_it();
	read_all(follower, size, OLD);
	for (int round = 0; round < 6; round++) {
		size += 70000;
		make(size, OLD);
		struct site_file *file = open_it();
		if (round % 2)
			read_all(file, size, OLD);
		check(follower, size - 70000, MIB, size, OLD);
		read_all(file, size, OLD);
		site_release(file);
	}
	site_release(follower);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_grows_can_be_followed),
		T(what_was_replaced_is_not_what_grew),
		T(what_cannot_be_compared_is_refused),
		T(a_later_open_reads_what_is_there),
		T(opens_of_what_is_followed),
		T(nothing_is_behind_the_end_of_what_has_shrunk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
