/* One big file on several connections: the bytes are right in every case, it is done where it helps, and it ends where
 * it does not. */
#include "lib/site_test.h"
#include "remote/content.h"

#define MIB  (1024u * 1024)
#define STEP (128u * 1024)

static char got[STEP], want[STEP];

static int setup_slow(void **state)
{
	setup(state);
	f.options.readahead = 4 * MIB;
	f.server_options.connection_limits.write = 3 * MIB;
	return 0;
}

static struct site_file *open_big(uint64_t size)
{
	struct site_open_result r = { 0 };

	assert_int_equal(aftp_memfs_put_pattern(f.fs, "/big", size, 9), 0);
	up();
	assert_int_equal(fixture_open(&f, "/big", &r), 0);
	return r.file;
}

static void check(struct site_file *file, uint64_t off, size_t len)
{
	assert_int_equal(fixture_read(&f, file, off, len, got), len);
	aftp_memfs_pattern(9, off, want, len);
	assert_memory_equal(got, want, len);
}

static void read_on(struct site_file *file, uint64_t from, uint64_t to)
{
	for (uint64_t off = from; off < to; off += STEP)
		check(file, off, to - off < STEP ? (size_t)(to - off) : STEP);
}

static unsigned most_connections(void)
{
	struct site_usage u;

	site_usage(f.site, &u);
	assert_true(u.read_memory <= 4 * MIB + 3 * MIB);
	return u.connected_max;
}

/* Reads on until there are parts: the rate must have been steady for a while, and machines are busy. */
static uint64_t read_until_split(struct site_file *file, uint64_t from)
{
	uint64_t off = from;

	while (!file->content->readers || file->content->readers->split.state != SPLIT_ON) {
		assert_true(off < 400 * MIB);
		check(file, off, STEP);
		off += STEP;
	}
	return off;
}

static void each_connection_is_limited(void **state)
{
	struct site_file *file;
	uint64_t off;

	(void)state;
	file = open_big(1024 * MIB);
	off = read_until_split(file, 0);
	read_on(file, off, off + 9 * MIB + 12345);
	assert_true(most_connections() > 1);
	assert_true(fixture_commands(&f, "REST") > 0);
	site_release(file);
	assert_int_equal(f.site->readers, 0);
	assert_int_equal(f.site->read_memory.used, 0);
}

static const struct reader *resting;

static bool all_are_full(const struct site *s)
{
	const struct reader *p;

	(void)s;
	for (p = resting->split.parts; p; p = p->part)
		if (p->fetch && !p->paused)
			return false;
	return resting->paused || !resting->fetch;
}

static void who_reads_rests(void **state)
{
	struct site_file *file;
	uint64_t off;

	(void)state;
	file = open_big(1024 * MIB);
	off = read_until_split(file, 0);
	resting = file->content->readers;
	fixture_settle(&f, all_are_full);
	assert_true(f.site->read_memory.used >= 4 * MIB);
	assert_true(f.site->read_memory.used <= 6 * MIB + 2 * MIB);
	read_on(file, off, off + 9 * MIB);
	site_release(file);
}

static void to_the_end(void **state)
{
	struct site_file *file;
	uint64_t off, size = 404 * MIB + 4321;

	(void)state;
	file = open_big(size);
	off = size - 8 * MIB - 4321;
	read_on(file, off, size);
	assert_int_equal(fixture_read(&f, file, size, STEP, got), 0);
	site_release(file);
}

static void no_more_than_asked_for(void **state)
{
	struct site_file *file;
	uint64_t off;

	(void)state;
	f.options.segments = 2;
	file = open_big(1024 * MIB);
	off = read_until_split(file, 0);
	assert_null(file->content->readers->split.parts->part);
	read_on(file, off, off + 2 * MIB);
	site_release(file);
}

static void turned_off(void **state)
{
	struct site_file *file;

	(void)state;
	f.options.segments = 1;
	file = open_big(5 * MIB);
	read_on(file, 0, 5 * MIB);
	assert_int_equal(fixture_commands(&f, "RETR"), 1);
	site_release(file);
}

/* Two together get no more than one: there is no third. */
static void it_does_not_help(void **state)
{
	struct site_file *file;

	(void)state;
	f.server_options.limits.write = 3 * MIB;
	file = open_big(1024 * MIB);
	for (uint64_t off = 0; f.site->split_again_at == 0; off += STEP) {
		assert_true(off < 400 * MIB);
		check(file, off, STEP);
	}
	assert_int_equal(file->content->readers->split.state, SPLIT_OFF);
	assert_null(file->content->readers->split.parts);
	assert_int_equal(fixture_commands(&f, "RETR"), 2);
	site_release(file);
}

static void jumps_and_names_meanwhile(void **state)
{
	struct site_file *file;
	struct site_attr attr;
	uint64_t off;

	(void)state;
	assert_int_equal(aftp_memfs_put(f.fs, "/other/x", "x", 1), 0);
	file = open_big(1024 * MIB);
	off = read_until_split(file, 0);
	assert_int_equal(fixture_walk(&f, "other/x", &attr), 0);
	check(file, off + 3 * MIB, STEP);
	check(file, off / 2, STEP);
	read_on(file, off, off + MIB);
	site_release(file);
	assert_int_equal(f.site->read_memory.used, 0);
}

static void connections_that_break(void **state)
{
	struct site_file *file;
	struct aftp_faults breaks = { .drop_after = 700000 };

	(void)state;
	f.server_options.faults = breaks;
	file = open_big(9 * MIB);
	read_on(file, 0, 9 * MIB);
	site_release(file);
}

static void it_changes_meanwhile(void **state)
{
	struct site_file *file;
	ssize_t n = 1;
	uint64_t begin;

	(void)state;
	file = open_big(1024 * MIB);
	begin = read_until_split(file, 0);
	assert_int_equal(aftp_memfs_put_pattern(f.fs, "/big", 1024 * MIB + 1, 10), 0);
	for (uint64_t off = begin; off < begin + 40 * MIB && n > 0; off += STEP) {
		n = fixture_read(&f, file, off, STEP, got);
		if (n <= 0)
			break;
		/* What had come before is still good. */
		aftp_memfs_pattern(9, off, want, (size_t)n);
		assert_memory_equal(got, want, (size_t)n);
	}
	assert_int_equal(n, AFTP_ECHANGED);
	site_release(file);
}

static void the_site_closes_meanwhile(void **state)
{
	struct site_file *file;

	(void)state;
	file = open_big(1024 * MIB);
	read_until_split(file, 0);
	fixture_unmount(&f); /* with the file open */
}

#define SLOW(name) cmocka_unit_test_setup_teardown(name, setup_slow, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SLOW(each_connection_is_limited),
		SLOW(who_reads_rests),
		SLOW(to_the_end),
		SLOW(no_more_than_asked_for),
		SLOW(turned_off),
		SLOW(it_does_not_help),
		SLOW(jumps_and_names_meanwhile),
		SLOW(connections_that_break),
		SLOW(it_changes_meanwhile),
		SLOW(the_site_closes_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
