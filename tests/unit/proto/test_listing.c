#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <aftp/entry.h>
#include <aftp/status.h>

struct seen {
	char names[1000]; /* each followed by '|' */
	size_t count, stop_at;
	int stop_with;
};

static int see(void *arg, const struct aftp_entry *e)
{
	struct seen *s = arg;
	size_t n = strlen(s->names);

	assert_true(n + e->name_len + 2 < sizeof s->names);
	memcpy(s->names + n, e->name, e->name_len);
	memcpy(s->names + n + e->name_len, "|", 2);
	return ++s->count == s->stop_at ? s->stop_with : 0;
}

#define LINE(name) "-rw-r--r-- 1 u g 5 Jan 5 2020 " name

static const struct {
	enum aftp_listing_kind kind;
	const char *data, *names;
	uint64_t ignored, unknown;
} listings[] = {
	{ AFTP_LISTING_LIST, "", "", 0, 0 },
	{ AFTP_LISTING_LIST, "\r\n", "", 1, 0 },
	{ AFTP_LISTING_LIST, LINE("a") "\r\n" LINE("b") "\r\n", "a|b|", 0, 0 },
	{ AFTP_LISTING_LIST, LINE("a") "\n" LINE("b") "\n", "a|b|", 0, 0 },
	{ AFTP_LISTING_LIST, LINE("a") "\r\n" LINE("b"), "a|b|", 0, 0 },
	{ AFTP_LISTING_LIST, LINE("a") "\r\n" LINE("b") "\r", "a|b|", 0, 0 },
	{ AFTP_LISTING_LIST, "total 2\r\n" LINE("a") "\r\n\r\nwhat\r\n", "a|", 2, 1 },
	{ AFTP_LISTING_LIST, "05-22-97  08:08AM  1 dos\r\n" LINE("unix") "\r\n", "dos|unix|", 0, 0 },
	/* VMS: two lines, one entry */
	{ AFTP_LISTING_LIST, "A_LONG_NAME.TXT;1\r\n   14/15  24-JUL-2002 14:35:40\r\nB.TXT;2 1 24-JUL-2002 14:35\r\n",
		"A_LONG_NAME.TXT|B.TXT|", 0, 0 },
	{ AFTP_LISTING_LIST, "A.TXT;1\n14/15 24-JUL-2002 14:35:40", "A.TXT|", 0, 0 },
	{ AFTP_LISTING_LIST, "A.TXT;1 1/3 24-JUL-2002 14:35 [G,O]\r\n   (RWED,,,)\r\nB.TXT;1 1 24-JUL-2002 14:35\r\n",
		"A.TXT|B.TXT|", 1, 0 },
	{ AFTP_LISTING_LIST, "A.TXT;1\r\n" LINE("a") "\r\n", "a|", 0, 1 },
	{ AFTP_LISTING_LIST, "A.TXT;1\r\n\r\n" LINE("a") "\r\n", "a|", 1, 1 },
	{ AFTP_LISTING_LIST, "A.TXT;1\r\nB.TXT;1\r\n 1 24-JUL-2002 14:35\r\n", "B.TXT|", 0, 1 },
	{ AFTP_LISTING_LIST, "A.TXT;1\r\nB.TXT;1\r\nC.TXT;1\r\n", "", 0, 3 },
	{ AFTP_LISTING_LIST, "A.TXT;1\r\nB.TXT;1", "", 0, 2 },
	{ AFTP_LISTING_LIST, "A.TXT;1", "", 0, 1 },
	{ AFTP_LISTING_MLSD, "type=cdir; .\r\ntype=file;size=1; a b\r\nbad\r\n", ".|a b|", 0, 1 },
	{ AFTP_LISTING_MLSD, "type=file;size=1; x;1\r\ntype=file; last", "x;1|last|", 0, 0 },
	{ AFTP_LISTING_NLST, "a\r\nb c\r\n\r\n/dir/x\r\ndir/\r\n/\r\n..\r\n x \r\ny;1\r\n", "a|b c|x|dir|/|..| x |y;1|",
		1, 0 },
};

static void feed(struct aftp_listing *l, const char *data, size_t len, size_t piece)
{
	for (size_t at = 0; at < len; at += piece) {
		size_t n = len - at < piece ? len - at : piece;
		char *copy = malloc(n);

		assert_non_null(copy);
		memcpy(copy, data + at, n);
		assert_int_equal(aftp_listing_feed(l, copy, n), 0);
		free(copy);
	}
}

static void test_pieces_of_every_size(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof listings / sizeof *listings; i++) {
		size_t len = strlen(listings[i].data);

		for (size_t piece = 1; piece <= len + 1; piece++) {
			struct aftp_listing l;
			struct seen s = { 0 };

			aftp_listing_init(&l, listings[i].kind, 0, see, &s);
			feed(&l, listings[i].data, len, piece);
			assert_int_equal(aftp_listing_end(&l), 0);
			assert_string_equal(s.names, listings[i].names);
			assert_int_equal(l.entries, s.count);
			assert_int_equal(l.ignored, listings[i].ignored);
			assert_int_equal(l.unknown, listings[i].unknown);
			assert_int_equal(aftp_listing_end(&l), 0);
			aftp_listing_finish(&l);
		}
	}
}

static void test_an_endless_line(void **state)
{
	char piece[1000];

	(void)state;
	memset(piece, 'x', sizeof piece);
	for (int kind = AFTP_LISTING_MLSD; kind <= AFTP_LISTING_NLST; kind++) {
		struct aftp_listing l;
		struct seen s = { 0 };
		int rc = 0, n = 0;

		aftp_listing_init(&l, (enum aftp_listing_kind)kind, 0, see, &s);
		while (rc == 0 && n++ < 100)
			rc = aftp_listing_feed(&l, piece, sizeof piece);
		assert_int_equal(rc, AFTP_ELINETOOLONG);
		assert_int_equal(n, 66);
		assert_true(l.line_cap <= 200 * 1024);
		aftp_listing_finish(&l);
	}
}

/* The cap holds for a line that comes in one piece as for one that comes in many. */
static void test_the_cap_on_a_line(void **state)
{
	static const char fits[] = " 12345678\n", too_long[] = " 123456789\n";

	(void)state;
	for (size_t piece = 1; piece < 12; piece++) {
		struct aftp_listing l;
		struct seen s = { 0 };
		int rc = 0;

		aftp_listing_init(&l, AFTP_LISTING_MLSD, 0, see, &s);
		l.max_line = 9;
		feed(&l, fits, strlen(fits), piece);
		feed(&l, fits, strlen(fits), piece);
		assert_int_equal(s.count, 2);
		for (size_t at = 0; at < strlen(too_long) && rc == 0; at += piece)
			rc = aftp_listing_feed(
				&l, too_long + at, strlen(too_long) - at < piece ? strlen(too_long) - at : piece);
		assert_int_equal(rc, AFTP_ELINETOOLONG);
		assert_int_equal(s.count, 2);
		aftp_listing_finish(&l);
	}
}

static void test_the_callback_stops_it(void **state)
{
	static const char data[] = " a\n b\n c\n";
	struct aftp_listing l;
	struct seen s = { .stop_at = 2, .stop_with = AFTP_ECANCELED };

	(void)state;
	aftp_listing_init(&l, AFTP_LISTING_MLSD, 0, see, &s);
	assert_int_equal(aftp_listing_feed(&l, data, strlen(data)), AFTP_ECANCELED);
	assert_string_equal(s.names, "a|b|");
	aftp_listing_finish(&l);
	s = (struct seen){ .stop_at = 1, .stop_with = 7 };
	aftp_listing_init(&l, AFTP_LISTING_MLSD, 0, see, &s);
	assert_int_equal(aftp_listing_feed(&l, " last", 5), 0);
	assert_int_equal(aftp_listing_end(&l), 7);
	aftp_listing_finish(&l);
}

static void test_the_first_unknown_line_is_kept(void **state)
{
	struct aftp_listing l;
	struct seen s = { 0 };
	char line[500];

	(void)state;
	aftp_listing_init(&l, AFTP_LISTING_LIST, 0, see, &s);
	assert_string_equal(l.first_unknown, "");
	feed(&l, "what\033is\tthis\r\nthat\r\n", 20, 3);
	assert_int_equal(l.unknown, 2);
	assert_string_equal(l.first_unknown, "what?is?this");
	aftp_listing_finish(&l);
	memset(line, 'x', sizeof line);
	aftp_listing_init(&l, AFTP_LISTING_LIST, 0, see, &s);
	assert_int_equal(aftp_listing_feed(&l, line, sizeof line), 0);
	assert_int_equal(aftp_listing_end(&l), 0);
	assert_int_equal(strlen(l.first_unknown), sizeof l.first_unknown - 1);
	aftp_listing_finish(&l);
}

static void test_dates_use_the_clock(void **state)
{
	static const char data[] = "-rw-r--r-- 1 u g 5 Jan 5 10:11 f\n";
	struct aftp_entry e;

	(void)state;
	assert_int_equal(aftp_entry_parse_list(&e, data, strlen(data) - 1, 1672913472), AFTP_LINE_ENTRY);
	assert_int_equal(e.mtime, 1672913460);
	assert_int_equal(e.precision, AFTP_TIME_MINUTE);
}

static void test_finish_takes_zeroed_and_twice(void **state)
{
	struct aftp_listing l = { 0 };
	struct seen s = { 0 };

	(void)state;
	aftp_listing_finish(&l);
	aftp_listing_init(&l, AFTP_LISTING_NLST, 0, see, &s);
	assert_int_equal(aftp_listing_feed(&l, "half", 4), 0);
	aftp_listing_finish(&l);
	aftp_listing_finish(&l);
	assert_int_equal(s.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces_of_every_size),
		cmocka_unit_test(test_an_endless_line),
		cmocka_unit_test(test_the_cap_on_a_line),
		cmocka_unit_test(test_the_callback_stops_it),
		cmocka_unit_test(test_the_first_unknown_line_is_kept),
		cmocka_unit_test(test_dates_use_the_clock),
		cmocka_unit_test(test_finish_takes_zeroed_and_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
