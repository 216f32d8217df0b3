/* A piece of a file in memory: right bytes from right places, and memory that is given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "remote/window.h"

#define MIB (1024u * 1024)

static char byte_at(uint64_t off)
{
	return (char)(off * 31 + (off >> 8) * 7 + (off >> 16));
}

/* n bytes, as they come from a file in which `left` are left, in pieces. */
static void fill(struct window *w, uint64_t left, size_t n)
{
	while (n > 0) {
		size_t len, part;
		char *to = window_lend(w, left, &len);

		assert_non_null(to);
		part = len < n ? len : n;
		if (part > 100000)
			part = 100000;
		for (size_t i = 0; i < part; i++)
			to[i] = byte_at(w->end + i);
		window_landed(w, part);
		n -= part;
		left -= part;
	}
}

static void check(const struct window *w, uint64_t off, size_t len)
{
	struct iovec iov[32];
	int n = window_map(w, off, len, iov, 32);
	uint64_t at = off;

	for (int i = 0; i < n; i++)
		for (size_t k = 0; k < iov[i].iov_len; k++, at++)
			if (((char *)iov[i].iov_base)[k] != byte_at(at))
				fail_msg("wrong byte at %llu", (unsigned long long)at);
	assert_int_equal(at, off + len);
}

static void fill_and_trim(void **state)
{
	struct window_memory m = { 0 };
	struct window w;

	(void)state;
	window_init(&w, &m, 1000);
	fill(&w, 10 * MIB, 3 * MIB);
	check(&w, 1000, 3 * MIB);
	check(&w, 1000 + MIB - 1, MIB + 2);
	window_trim(&w, 1000 + MIB);
	assert_int_equal(w.base, 1000 + MIB);
	check(&w, w.base, 2 * MIB);
	window_trim(&w, w.end + MIB); /* more than there is */
	assert_int_equal(w.base, w.end);
	fill(&w, 7 * MIB, 5);
	window_trim(&w, w.end); /* the last one is still being filled */
	check(&w, w.end - 5, 5);
	window_drop(&w, 77);
	assert_int_equal(m.used, 0);
	assert_int_equal(w.base, 77);
	assert_int_equal(w.end, 77);
	window_memory_finish(&m);
}

static void small_files_take_little(void **state)
{
	struct window_memory m = { 0 };
	struct window w;

	(void)state;
	window_init(&w, &m, 0);
	fill(&w, 1000, 1000);
	assert_int_equal(m.used, 4096);
	check(&w, 0, 1000);
	/* It has grown: what comes now is placed behind. */
	fill(&w, 500000, 300000);
	check(&w, 0, 301000);
	check(&w, 999, 5000);
	window_drop(&w, 0);
	assert_int_equal(m.used, 0);
	window_memory_finish(&m);
}

static void one_takes_over_the_next(void **state)
{
	struct window_memory m = { 0 };
	struct window a, b, c;

	(void)state;
	window_init(&a, &m, 0);
	window_init(&b, &m, 300001);
	window_init(&c, &m, 300001 + 7);
	fill(&a, 300001, 300001);
	fill(&b, 7, 7);
	fill(&c, MIB, 400000);
	window_join(&a, &b);
	window_join(&a, &c);
	assert_int_equal(a.end, 700008);
	check(&a, 0, 700008);
	fill(&a, MIB, 50000);
	check(&a, 299999, 450009);
	window_trim(&a, 500000);
	assert_true(a.base > 300000);
	check(&a, 500000, 250008);
	window_drop(&b, 0);
	window_drop(&c, 0);
	window_drop(&a, 0);
	assert_int_equal(m.used, 0);
	window_memory_finish(&m);
}

static void an_empty_one_takes_over_too(void **state)
{
	struct window_memory m = { 0 };
	struct window a, b;

	(void)state;
	window_init(&a, &m, 10);
	window_init(&b, &m, 10);
	window_join(&a, &b);
	assert_int_equal(a.end, 10);
	fill(&b, 100, 100);
	window_join(&a, &b);
	check(&a, 10, 100);
	window_drop(&a, 0);
	assert_int_equal(m.used, 0);
	window_memory_finish(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fill_and_trim),
		cmocka_unit_test(small_files_take_little),
		cmocka_unit_test(one_takes_over_the_next),
		cmocka_unit_test(an_empty_one_takes_over_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
