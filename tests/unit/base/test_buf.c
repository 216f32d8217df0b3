#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <aftp/status.h>

#include "base/buf.h"

/* One test asks for more than there is, and wants an answer. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void expect(const struct buf *b, const char *text)
{
	assert_int_equal(buf_len(b), strlen(text));
	assert_memory_equal(buf_bytes(b), text, strlen(text));
}

static void test_append_and_consume(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	expect(&b, "");
	assert_int_equal(buf_append(&b, "hello ", 6), 0);
	assert_int_equal(buf_append(&b, "world", 5), 0);
	expect(&b, "hello world");
	buf_consume(&b, 6);
	expect(&b, "world");
	assert_int_equal(buf_append(&b, "!", 1), 0);
	expect(&b, "world!");
	buf_consume(&b, 6);
	expect(&b, "");
	assert_int_equal(b.start, 0);
	buf_finish(&b);
}

static void test_the_cap_is_on_unread_bytes(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	assert_int_equal(buf_append(&b, "12345678", 8), 0);
	assert_int_equal(buf_append(&b, "9", 1), AFTP_ETOOBIG);
	expect(&b, "12345678");
	assert_int_equal(buf_append(&b, "", 0), 0);
	buf_consume(&b, 3);
	assert_int_equal(buf_append(&b, "abcd", 4), AFTP_ETOOBIG);
	expect(&b, "45678");
	assert_int_equal(buf_append(&b, "abc", 3), 0);
	expect(&b, "45678abc");
	buf_finish(&b);
}

static void test_huge_requests(void **state)
{
	struct buf b;
	char *room;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(buf_append(&b, "x", 1), 0);
	assert_int_equal(buf_reserve(&b, SIZE_MAX, &room), AFTP_ETOOBIG);
	assert_int_equal(buf_reserve(&b, SIZE_MAX - 1, &room), AFTP_ETOOBIG);
	assert_int_equal(buf_reserve(&b, 1000, &room), AFTP_ETOOBIG);
	assert_int_equal(buf_reserve(&b, 999, &room), 0);
	memset(room, 'y', 999);
	buf_commit(&b, 999);
	assert_int_equal(buf_len(&b), 1000);
	buf_finish(&b);
}

static void test_no_memory_is_an_error(void **state)
{
	struct buf b;
	char *room;

	(void)state;
	buf_init(&b, SIZE_MAX);
	assert_int_equal(buf_append(&b, "kept", 4), 0);
	assert_int_equal(buf_reserve(&b, SIZE_MAX / 2, &room), AFTP_ENOMEM);
	expect(&b, "kept");
	buf_finish(&b);
}

static void test_reserve_commits_less(void **state)
{
	struct buf b;
	char *room;

	(void)state;
	buf_init(&b, 4096);
	assert_int_equal(buf_reserve(&b, 100, &room), 0);
	memcpy(room, "abc", 3);
	buf_commit(&b, 3);
	expect(&b, "abc");
	assert_int_equal(buf_reserve(&b, 0, &room), 0);
	assert_ptr_equal(room, buf_bytes(&b) + 3);
	buf_finish(&b);
}

/* A queue of bytes that never empties must not grow past its cap, nor lose a byte. */
static void test_a_long_queue_stays_small(void **state)
{
	struct buf b;
	unsigned char in = 0, out = 0;

	(void)state;
	buf_init(&b, 64);
	for (int round = 0; round < 10000; round++) {
		unsigned char piece[7];
		size_t n = (size_t)(round % 7) + 1;

		for (size_t i = 0; i < n; i++)
			piece[i] = in++;
		assert_int_equal(buf_append(&b, piece, n), 0);
		while (buf_len(&b) > 40) {
			assert_int_equal((unsigned char)buf_bytes(&b)[0], out++);
			buf_consume(&b, 1);
		}
	}
	assert_true(b.cap <= 128);
	buf_finish(&b);
}

static void test_finish_takes_zeroed_and_twice(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_finish(&b);
	buf_init(&b, 10);
	assert_int_equal(buf_append(&b, "x", 1), 0);
	buf_finish(&b);
	buf_finish(&b);
	assert_int_equal(buf_len(&b), 0);
	assert_null(b.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_append_and_consume),
		cmocka_unit_test(test_the_cap_is_on_unread_bytes),
		cmocka_unit_test(test_huge_requests),
		cmocka_unit_test(test_no_memory_is_an_error),
		cmocka_unit_test(test_reserve_commits_less),
		cmocka_unit_test(test_a_long_queue_stays_small),
		cmocka_unit_test(test_finish_takes_zeroed_and_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
