/* The spool: the same bytes from memory and from a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <aftp/status.h>
#include <fcntl.h>
#include <unistd.h>

#include "remote/spool.h"

#define MOST 300000

static char model[MOST], got[MOST];

static void check(const struct spool *s, size_t size)
{
	assert_int_equal(spool_size(s), size);
	assert_int_equal(spool_read(s, 0, got, MOST), size);
	assert_memory_equal(got, model, size);
	assert_int_equal(spool_read(s, size, got, 10), 0);
	if (size > 100)
		assert_int_equal(spool_read(s, size - 100, got, 1000), 100);
}

static void put(struct spool *s, size_t off, size_t len, int round)
{
	for (size_t i = off; i < off + len; i++)
		model[i] = (char)((int)i * 31 + round);
	assert_int_equal(spool_write(s, off, model + off, len), 0);
}

static void any_order(size_t memory)
{
	struct spool *s;
	int dir = spool_open_dir(NULL);

	assert_true(dir >= 0);
	memset(model, 0, sizeof model);
	assert_int_equal(spool_new(&s, memory, dir), 0);
	check(s, 0);
	put(s, 0, 1000, 1);
	put(s, 5000, 10, 2); /* a gap */
	check(s, 5010);
	put(s, 900, 200, 3);
	check(s, 5010);
	assert_int_equal(spool_truncate(s, 950), 0);
	memset(model + 950, 0, MOST - 950);
	check(s, 950);
	assert_int_equal(spool_truncate(s, 2000), 0);
	check(s, 2000);
	put(s, 200000, 50000, 4);
	check(s, 250000);
	assert_int_equal(spool_truncate(s, 0), 0);
	memset(model, 0, sizeof model);
	check(s, 0);
	put(s, 10, 10, 5);
	check(s, 20);
	assert_int_equal(spool_write(s, UINT64_MAX - 5, "0123456789", 10), -EFBIG);
	check(s, 20);
	spool_free(s);
	close(dir);
}

static void in_memory(void **state)
{
	(void)state;
	any_order(1 << 20);
}

static void in_a_file(void **state)
{
	(void)state;
	any_order(100);
}

static void no_directory(void **state)
{
	struct spool *s;

	(void)state;
	assert_int_equal(spool_open_dir("/nowhere/at/all"), AFTP_ENOENT);
	assert_int_equal(spool_new(&s, 1000, -1), 0);
	memset(model, 0, sizeof model);
	put(s, 0, 1000, 1);
	assert_int_equal(spool_write(s, 1000, "x", 1), -ENOSPC);
	check(s, 1000);
	spool_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_memory),
		cmocka_unit_test(in_a_file),
		cmocka_unit_test(no_directory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
