#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "proto/entry_date.h"
#include "proto/entry_stamp.h"

static int64_t at(int64_t year, unsigned month, unsigned day, int64_t hour, int64_t minute, int64_t second)
{
	return entry_date_days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
}

/* Reference date: 2023-06-15 12:00. */
static const struct {
	const char *text;
	int64_t year;
	unsigned month, day;
	int64_t hour, minute, second;
	enum aftp_precision precision;
	size_t words;
} dates[] = {
	{ "Jan 5 10:11 x", 2023, 1, 5, 10, 11, 0, AFTP_TIME_MINUTE, 3 },
	{ "Jan  5  2021 x", 2021, 1, 5, 0, 0, 0, AFTP_TIME_DAY, 3 },
	{ "Dec 31 23:59 x", 2022, 12, 31, 23, 59, 0, AFTP_TIME_MINUTE, 3 },
	{ "Jun 16 11:59 x", 2023, 6, 16, 11, 59, 0, AFTP_TIME_MINUTE, 3 },
	{ "Jun 16 12:01 x", 2022, 6, 16, 12, 1, 0, AFTP_TIME_MINUTE, 3 },
	{ "Feb 29 10:00 x", 2020, 2, 29, 10, 0, 0, AFTP_TIME_MINUTE, 3 },
	{ "Jan 5 9:01 x", 2023, 1, 5, 9, 1, 0, AFTP_TIME_MINUTE, 3 },
	{ "Jan 5 9.01 x", 2023, 1, 5, 9, 1, 0, AFTP_TIME_MINUTE, 3 },
	{ "Jan 5 24:00 x", 2023, 1, 6, 0, 0, 0, AFTP_TIME_MINUTE, 3 },
	{ "Jan 5 10:11:12 2020 x", 2020, 1, 5, 10, 11, 12, AFTP_TIME_SECOND, 4 },
	{ "Jan 5 10:11:12 2020", 2023, 1, 5, 10, 11, 12, AFTP_TIME_SECOND, 3 },
	{ "Jan 5 10:11 2020 x", 2023, 1, 5, 10, 11, 0, AFTP_TIME_MINUTE, 3 },
	{ "Oct 08, 2002 09:47 x", 2002, 10, 8, 9, 47, 0, AFTP_TIME_MINUTE, 4 },
	{ "Oct 20, 99 10:39 pm x", 1999, 10, 20, 22, 39, 0, AFTP_TIME_MINUTE, 5 },
	{ "Mar 29 93 14:57 x", 1993, 3, 29, 14, 57, 0, AFTP_TIME_MINUTE, 4 },
	{ "5 Jan 10:11 x", 2023, 1, 5, 10, 11, 0, AFTP_TIME_MINUTE, 3 },
	{ "05. Jan 2020 x", 2020, 1, 5, 0, 0, 0, AFTP_TIME_DAY, 3 },
	{ "30. Jan., 12:40 x", 2023, 1, 30, 12, 40, 0, AFTP_TIME_MINUTE, 3 },
	{ "2020-01-05 10:11 x", 2020, 1, 5, 10, 11, 0, AFTP_TIME_MINUTE, 2 },
	{ "2020/01/05 10:11 x", 2020, 1, 5, 10, 11, 0, AFTP_TIME_MINUTE, 2 },
	{ "2020-01-05 10:11:12 x", 2020, 1, 5, 10, 11, 12, AFTP_TIME_SECOND, 2 },
	{ "2020-01-05 10:11:12.250000000 +0100 x", 2020, 1, 5, 10, 11, 12, AFTP_TIME_NANO, 3 },
	{ "2020-01-05 10:11:12 -0530 x", 2020, 1, 5, 10, 11, 12, AFTP_TIME_SECOND, 3 },
	{ "2020-01-05 x", 2020, 1, 5, 0, 0, 0, AFTP_TIME_DAY, 1 },
	{ "24-04-2003 17:12 x", 2003, 4, 24, 17, 12, 0, AFTP_TIME_MINUTE, 2 },
	{ "01-jun-99 x", 1999, 6, 1, 0, 0, 0, AFTP_TIME_DAY, 1 },
	{ "2-JUN-1998 07:32:04 x", 1998, 6, 2, 7, 32, 4, AFTP_TIME_SECOND, 2 },
	{ "2-JUL-2003 10:30:13.64 x", 2003, 7, 2, 10, 30, 13, AFTP_TIME_NANO, 2 },
	{ "1\346\234\210 5\346\227\245 10:11 x", 2023, 1, 5, 10, 11, 0, AFTP_TIME_MINUTE, 3 },
	{ "1\346\234\210 5\346\227\245 2020\345\271\264 x", 2020, 1, 5, 0, 0, 0, AFTP_TIME_DAY, 3 },
	{ "2020 1\346\234\210 5 x", 2020, 1, 5, 0, 0, 0, AFTP_TIME_DAY, 3 },
};

static void test_dates(void **state)
{
	int64_t now = at(2023, 6, 15, 12, 0, 0);

	(void)state;
	for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
		struct aftp_entry e = { 0 };
		struct entry_line l;
		struct entry_stamp t;
		int64_t want = at(
			dates[i].year, dates[i].month, dates[i].day, dates[i].hour, dates[i].minute, dates[i].second);

		entry_line_split(&l, dates[i].text, strlen(dates[i].text), now);
		if (!entry_stamp_match(&t, &l, 0, ENTRY_STAMP_STRONG) || !entry_stamp_apply(&e, &t, now))
			fail_msg("%s: no date", dates[i].text);
		if (e.mtime != want || e.precision != dates[i].precision || t.words != dates[i].words)
			fail_msg("%s: %" PRId64 " is not %" PRId64 "; precision %d, %zu words", dates[i].text, e.mtime,
				want, (int)e.precision, t.words);
		assert_ptr_equal(t.end, entry_word_end(&l.w[t.words - 1]));
		assert_true(e.have & AFTP_HAVE_MTIME);
	}
}

static void test_fraction(void **state)
{
	static const char text[] = "2020-01-05 10:11:12.123456789987 x";
	struct aftp_entry e = { 0 };
	struct entry_line l;
	struct entry_stamp t;

	(void)state;
	entry_line_split(&l, text, strlen(text), 0);
	assert_true(entry_stamp_match(&t, &l, 0, ENTRY_STAMP_STRONG));
	assert_true(entry_stamp_apply(&e, &t, 0));
	assert_int_equal(e.mtime_nsec, 123456789);
}

static void test_no_dates(void **state)
{
	static const char *const texts[] = {
		"",
		"Jan",
		"Jan 5",
		"Jan 5 x",
		"Jan 0 10:11 x",
		"Jan 32 10:11 x",
		"Jan 5 25:00 x",
		"Jan 5 24:01 x",
		"Jan 5 10:60 x",
		"Jan 5 10:11:61 x",
		"Jan 5 201 x",
		"Jan 5 201O x",
		"Jan 5 20201 x",
		"Jan ab 2020 x",
		"Foo 5 10:11 x",
		"Feb 30 2020 x",
		"Feb 29 2021 x",
		"Feb 30 10:11 x",
		"2020-13-05 10:11 x",
		"2020-01-32 10:11 x",
		"2020-01 10:11 x",
		"2020-01/05 10:11 x",
		"32 Jan 10:11 x",
		"5 Foo 10:11 x",
		"01-foo-99 x",
		"1-2 x",
		"Jan 5 10: x",
		"Jan 5 :11 x",
		"Jan 5 10:11:12. x",
		"Jan 5 9.1 x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct entry_line l;
		struct entry_stamp t;

		entry_line_split(&l, texts[i], strlen(texts[i]), 0);
		if (entry_stamp_match(&t, &l, 0, ENTRY_STAMP_STRONG))
			fail_msg("%s is taken for a date", texts[i]);
	}
}

static void test_weak_dates(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} table[] = {
		{ "3 29 03:26 x", true },
		{ "09-26 13:45 x", true },
		{ "09-26 2000 x", true },
		{ "3 29 2000 x", true },
		{ "13 29 03:26 x", false },
		{ "3 32 03:26 x", false },
		{ "09-26 x", false },
		{ "09/26 13:45 x", false },
		{ "0 1 03:26 x", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct entry_line l;
		struct entry_stamp t;

		entry_line_split(&l, table[i].text, strlen(table[i].text), 0);
		assert_false(entry_stamp_match(&t, &l, 0, ENTRY_STAMP_STRONG));
		assert_int_equal(entry_stamp_match(&t, &l, 0, ENTRY_STAMP_WEAK), table[i].ok);
	}
}

/* Any day of the year, seen from any day: never more than a day ahead, never more than a leap cycle back. */
static void test_the_year_of_a_date_without_one(void **state)
{
	(void)state;
	for (int64_t today = entry_date_days(2019, 1, 1); today < entry_date_days(2025, 1, 1); today += 3) {
		for (unsigned month = 1; month <= 12; month++) {
			struct entry_stamp t = { .month = month, .day = 29, .hour = 10, .precision = AFTP_TIME_MINUTE };
			int64_t now = today * 86400 + 50000, oldest = month == 2 ? 5 * 366 : 366;
			struct aftp_entry e = { 0 };

			assert_true(entry_stamp_apply(&e, &t, now));
			assert_true(e.mtime <= now + 86400);
			assert_true(e.mtime > now - oldest * 86400);
		}
	}
}

static void test_before_1970(void **state)
{
	struct entry_stamp t = { .month = 3, .day = 1, .precision = AFTP_TIME_DAY };
	struct aftp_entry e = { 0 };

	(void)state;
	assert_true(entry_stamp_apply(&e, &t, -1));
	assert_int_equal(e.mtime, at(1969, 3, 1, 0, 0, 0));
}

static void test_century(void **state)
{
	(void)state;
	assert_int_equal(entry_stamp_century(69, 2), 2069);
	assert_int_equal(entry_stamp_century(70, 2), 1970);
	assert_int_equal(entry_stamp_century(0, 2), 2000);
	assert_int_equal(entry_stamp_century(99, 2), 1999);
	assert_int_equal(entry_stamp_century(103, 3), 2003);
	assert_int_equal(entry_stamp_century(1968, 4), 1968);
	assert_int_equal(entry_stamp_century(69, 4), 69);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_fraction),
		cmocka_unit_test(test_no_dates),
		cmocka_unit_test(test_weak_dates),
		cmocka_unit_test(test_the_year_of_a_date_without_one),
		cmocka_unit_test(test_before_1970),
		cmocka_unit_test(test_century),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
