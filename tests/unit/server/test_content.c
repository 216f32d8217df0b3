#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "server/content.h"

enum { BIG = 3 * CONTENT_CHUNK + 12345 };

static unsigned char byte_at(uint64_t seed, uint64_t off)
{
	return (unsigned char)((off * 2654435761u + seed * 97) >> 5);
}

static char *made_up(uint64_t seed, size_t n)
{
	char *p = malloc(n);
	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = (char)byte_at(seed, i);
	return p;
}

/* The whole content, by peeking: what a reader would be lent. */
static char *read_all(const struct content *c, size_t *len)
{
	char *out = malloc((size_t)c->size + 1);
	size_t n = 0;
	for (;;) {
		const char *data = NULL;
		size_t part = content_peek(c, n, SIZE_MAX, &data);
		if (part == 0)
			break;
		assert_true(n + part <= c->size);
		if (data)
			memcpy(out + n, data, part);
		else
			content_generate(c->seed, n, out + n, part);
		n += part;
	}
	assert_int_equal(n, c->size);
	*len = n;
	return out;
}

static void assert_content(const struct content *c, const char *want, size_t len)
{
	size_t n;
	char *got = read_all(c, &n);
	assert_int_equal(n, len);
	assert_true(len == 0 || memcmp(got, want, len) == 0);
	free(got);
}

/* --- writing --------------------------------------------------------------------------------------- */

static void test_write_read(void **state)
{
	static const size_t sizes[] = { 0, 1, 100, 65535, 65536, 65537, CONTENT_CHUNK - 1, CONTENT_CHUNK,
		CONTENT_CHUNK + 1, BIG };
	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct content *c = content_new(NULL);
		char *want = made_up(i, sizes[i] + 1);
		assert_int_equal(content_write(&c, 0, want, sizes[i]), 0);
		assert_content(c, want, sizes[i]);
		content_trim(c);
		assert_content(c, want, sizes[i]);
		content_unref(c);
		free(want);
	}
}

/* Loans of any size, as a socket fills them. */
static void land(struct content **c, uint64_t off, const char *data, size_t n)
{
	while (n > 0) {
		struct chunk *pin;
		char *room;
		size_t len;
		assert_int_equal(content_room(c, off, &pin, &room, &len), 0);
		assert_true(len > 0);
		len = len < n ? len : n;
		memcpy(room, data, len);
		assert_int_equal(content_landed(c, off, pin, len), 0);
		content_unpin(pin);
		off += len;
		data += len;
		n -= len;
	}
}

static void test_loans(void **state)
{
	(void)state;
	struct content *c = content_new(NULL);
	char *want = made_up(3, BIG);
	for (size_t off = 0, step = 1; off < BIG; off += step, step = step * 3 % 300007 + 1)
		land(&c, off, want + off, step < BIG - off ? step : BIG - off);
	assert_content(c, want, BIG);
	content_unref(c);
	free(want);
}

static void test_gap_is_zeros(void **state)
{
	static const struct {
		uint64_t have, at;
	} cases[] = {
		{ 0, 10 },
		{ 3, 10 },
		{ 100, CONTENT_CHUNK - 1 },
		{ 100, CONTENT_CHUNK },
		{ 100, 2 * CONTENT_CHUNK + 7 },
		{ CONTENT_CHUNK, CONTENT_CHUNK + 1 },
		{ CONTENT_CHUNK + 5, 3 * CONTENT_CHUNK },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct content *c = content_new(NULL);
		char *want = calloc(1, BIG), *head = made_up(7, (size_t)cases[i].have + 1);
		memcpy(want, head, (size_t)cases[i].have);
		memcpy(want + cases[i].at, "end", 3);
		/* Bytes that were there once must not shine through. */
		assert_int_equal(content_write(&c, 0, head, (size_t)cases[i].have), 0);
		land(&c, cases[i].have, "old bytes after the end", 23);
		assert_int_equal(content_resize(&c, cases[i].have), 0);
		if (i % 2)
			land(&c, cases[i].at, "end", 3);
		else
			assert_int_equal(content_write(&c, cases[i].at, "end", 3), 0);
		assert_content(c, want, (size_t)cases[i].at + 3);
		content_unref(c);
		free(want);
		free(head);
	}
}

static void test_resize(void **state)
{
	(void)state;
	struct content *c = content_new(NULL);
	char *want = made_up(1, BIG);
	assert_int_equal(content_write(&c, 0, want, BIG), 0);
	assert_int_equal(content_resize(&c, CONTENT_CHUNK + 100), 0);
	assert_content(c, want, CONTENT_CHUNK + 100);
	assert_int_equal(content_resize(&c, BIG), 0);
	memset(want + CONTENT_CHUNK + 100, 0, BIG - CONTENT_CHUNK - 100);
	assert_content(c, want, BIG);
	assert_int_equal(content_resize(&c, 0), 0);
	assert_content(c, want, 0);
	content_unref(c);
	free(want);
}

static void test_too_big(void **state)
{
	(void)state;
	struct content *c = content_new(NULL);
	struct chunk *pin;
	char *room;
	size_t len;
	assert_int_equal(content_room(&c, CONTENT_MAX, &pin, &room, &len), -EFBIG);
	assert_int_equal(content_resize(&c, CONTENT_MAX + 1), -EFBIG);
	assert_int_equal(content_write(&c, UINT64_MAX - 1, "x", 1), -EFBIG);
	assert_int_equal(c->size, 0);
	content_unref(c);
}

/* --- versions -------------------------------------------------------------------------------------- */

static void test_snapshot_stays(void **state)
{
	(void)state;
	struct content *c = content_new(NULL);
	char *want = made_up(1, BIG), *other = made_up(2, BIG);
	assert_int_equal(content_write(&c, 0, want, BIG - 1000), 0);
	struct content *old = content_ref(c);
	land(&c, BIG - 1000, want + BIG - 1000, 1000); /* appending shares every chunk */
	assert_ptr_equal(c->chunks[3], old->chunks[3]);
	assert_content(old, want, BIG - 1000);
	assert_content(c, want, BIG);
	land(&c, 500, other + 500, CONTENT_CHUNK); /* changing parts two of them */
	assert_content(old, want, BIG - 1000);
	memcpy(want + 500, other + 500, CONTENT_CHUNK);
	assert_content(c, want, BIG);
	assert_ptr_equal(c->chunks[2], old->chunks[2]);
	assert_int_equal(content_resize(&c, 10), 0);
	land(&c, 10, other, CONTENT_CHUNK);
	assert_int_equal(old->size, BIG - 1000);
	content_unref(c);
	free(want);
	want = made_up(1, BIG);
	assert_content(old, want, BIG - 1000);
	content_unref(old);
	free(want);
	free(other);
}

/* A loan in the middle of a file is out when a reader comes. */
static void test_part_from_loan(void **state)
{
	(void)state;
	struct content *c = content_new(NULL);
	struct chunk *pin;
	char *want = made_up(1, 1000), *room;
	size_t len;
	assert_int_equal(content_write(&c, 0, want, 1000), 0);
	assert_int_equal(content_room(&c, 100, &pin, &room, &len), 0);
	struct content *reader = content_ref(c);
	assert_int_equal(content_part(&reader, 100), 0);
	memset(room, '!', 50);
	assert_content(reader, want, 1000);
	assert_int_equal(content_landed(&c, 100, pin, 50), 0);
	content_unpin(pin);
	assert_content(reader, want, 1000);
	memset(want + 100, '!', 50);
	assert_content(c, want, 1000);
	content_unref(reader);
	content_unref(c);
	free(want);
}

/* A loan is out when another writer cuts the file short, or grows the chunk. */
static void test_loan_of_a_lost_chunk(void **state)
{
	(void)state;
	struct content *c = content_new(NULL);
	struct chunk *pin;
	char *room;
	size_t len;
	assert_int_equal(content_write(&c, 0, "0123456789", 10), 0);
	assert_int_equal(content_room(&c, 10, &pin, &room, &len), 0);
	memcpy(room, "abc", 3);
	assert_int_equal(content_resize(&c, 0), 0);
	assert_int_equal(content_landed(&c, 10, pin, 3), 0);
	content_unpin(pin);
	assert_content(c,
		"\0\0\0\0\0\0\0\0\0\0"
		"abc",
		13);
	content_unref(c);

	c = content_new(NULL);
	char *filler = made_up(4, 200000);
	assert_int_equal(content_write(&c, 0, "0123456789", 10), 0);
	assert_int_equal(content_room(&c, 3, &pin, &room, &len), 0);
	memcpy(room, "XYZ", 3);
	assert_int_equal(content_write(&c, 10, filler, 200000), 0); /* another chunk takes its place */
	assert_int_equal(content_landed(&c, 3, pin, 3), 0);
	content_unpin(pin);
	char *want = malloc(200010);
	memcpy(want, "012XYZ6789", 10);
	memcpy(want + 10, filler, 200000);
	assert_content(c, want, 200010);
	content_unref(c);
	free(filler);
	free(want);
}

/* --- patterns -------------------------------------------------------------------------------------- */

static void test_pattern(void **state)
{
	(void)state;
	char whole[256], part[256];
	content_generate(42, 0, whole, sizeof(whole));
	for (size_t off = 0; off < 64; off++)
		for (size_t n = 0; n <= 64; n++) {
			content_generate(42, off, part, n);
			assert_memory_equal(part, whole + off, n);
		}
	content_generate(43, 0, part, sizeof(part));
	assert_memory_not_equal(part, whole, 8);
	for (size_t i = 8; i < sizeof(whole); i += 8)
		assert_memory_not_equal(whole, whole + i, 8);
}

static void test_pattern_is_written_over(void **state)
{
	(void)state;
	struct content *c = content_new(NULL);
	char *want = malloc(BIG);
	c->size = c->pattern_size = BIG;
	c->seed = 9;
	content_generate(9, 0, want, BIG);
	assert_content(c, want, BIG);
	struct content *old = content_ref(c);
	land(&c, CONTENT_CHUNK + 17, "changed", 7);
	memcpy(want + CONTENT_CHUNK + 17, "changed", 7);
	assert_content(c, want, BIG);
	content_generate(9, CONTENT_CHUNK, want + CONTENT_CHUNK, 100);
	assert_content(old, want, BIG);
	assert_int_equal(content_resize(&c, 100), 0);
	assert_int_equal(content_resize(&c, 200), 0);
	memset(want + 100, 0, 100);
	assert_content(c, want, 200);
	content_unref(c);
	content_unref(old);
	free(want);
}

static void test_copy_out(void **state)
{
	(void)state;
	struct content *c = content_new(NULL);
	char *want = made_up(1, BIG), *got = malloc(BIG);
	assert_int_equal(content_write(&c, 0, want, BIG), 0);
	assert_int_equal(content_copy_out(c, 1000, got, BIG), BIG - 1000);
	assert_memory_equal(got, want + 1000, BIG - 1000);
	assert_int_equal(content_copy_out(c, BIG, got, 10), 0);
	assert_int_equal(content_copy_out(c, UINT64_MAX, got, 10), 0);
	content_unref(c);
	free(want);
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_read),
		cmocka_unit_test(test_loans),
		cmocka_unit_test(test_gap_is_zeros),
		cmocka_unit_test(test_resize),
		cmocka_unit_test(test_too_big),
		cmocka_unit_test(test_snapshot_stays),
		cmocka_unit_test(test_part_from_loan),
		cmocka_unit_test(test_loan_of_a_lost_chunk),
		cmocka_unit_test(test_pattern),
		cmocka_unit_test(test_pattern_is_written_over),
		cmocka_unit_test(test_copy_out),
	};
	return cmocka_run_group_tests_name("content", tests, NULL, NULL);
}
