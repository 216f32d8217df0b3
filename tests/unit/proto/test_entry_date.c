#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "proto/entry_date.h"

/* The C library's own calendar, day by day over six centuries. */
static void test_days_agree_with_gmtime(void **state)
{
	(void)state;
	for (int64_t days = -140000; days < 80000; days += 7) {
		time_t t = days * 86400;
		struct tm tm;

		assert_non_null(gmtime_r(&t, &tm));
		assert_int_equal(
			entry_date_days(tm.tm_year + 1900, (unsigned)tm.tm_mon + 1, (unsigned)tm.tm_mday), days);
		assert_int_equal(entry_date_year(days), tm.tm_year + 1900);
		assert_true(entry_date_valid(tm.tm_year + 1900, (unsigned)tm.tm_mon + 1, (unsigned)tm.tm_mday));
	}
}

static void test_year_borders(void **state)
{
	(void)state;
	for (int64_t year = 1600; year < 2400; year++) {
		assert_int_equal(entry_date_year(entry_date_days(year, 1, 1)), year);
		assert_int_equal(entry_date_year(entry_date_days(year, 12, 31)), year);
		assert_int_equal(entry_date_days(year + 1, 1, 1) - entry_date_days(year, 12, 31), 1);
	}
}

static void test_valid(void **state)
{
	static const struct {
		int64_t year;
		unsigned month, day;
		bool valid;
	} table[] = {
		{ 2000, 2, 29, true },
		{ 1900, 2, 29, false },
		{ 2023, 2, 29, false },
		{ 2024, 2, 29, true },
		{ 2024, 2, 30, false },
		{ 2023, 4, 31, false },
		{ 2023, 12, 31, true },
		{ 2023, 12, 32, false },
		{ 2023, 0, 1, false },
		{ 2023, 13, 1, false },
		{ 2023, 1, 0, false },
		{ 0, 1, 1, false },
		{ 1, 1, 1, true },
		{ 9999, 12, 31, true },
		{ 10000, 1, 1, false },
		{ -1, 1, 1, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		assert_int_equal(entry_date_valid(table[i].year, table[i].month, table[i].day), table[i].valid);
}

static void test_time_val(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t sec;
		uint32_t nsec;
	} table[] = {
		{ "19700101000000", true, 0, 0 },
		{ "20380119031408", true, 2147483648, 0 },
		{ "19011213204551", true, -2147483649, 0 },
		{ "20230105101112.000000001", true, 1672913472, 1 },
		{ "20230105101112.1", true, 1672913472, 100000000 },
		{ "19100"
		  "0229120000",
			true, 951825600, 0 },
		{ "19123"
		  "0105101112",
			true, 1672913472, 0 },
		{ "00000101000000", false, 0, 0 },
		{ "", false, 0, 0 },
		{ "2023", false, 0, 0 },
		{ "2023010510111", false, 0, 0 },
		{ "20230105101112 ", false, 0, 0 },
		{ " 20230105101112", false, 0, 0 },
		{ "20230105101112.", false, 0, 0 },
		{ "20230105101112.5x", false, 0, 0 },
		{ "2023-01-05 10:1", false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		int64_t sec = 0;
		uint32_t nsec = 0;

		assert_int_equal(entry_date_time_val(table[i].text, strlen(table[i].text), &sec, &nsec), table[i].ok);
		assert_int_equal(sec, table[i].sec);
		assert_int_equal(nsec, table[i].nsec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_days_agree_with_gmtime),
		cmocka_unit_test(test_year_borders),
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_time_val),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
