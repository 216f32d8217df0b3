#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/proto/want_entry.h"

static const struct want entries[] = {
	{ "05-22-97  08:08AM                  828 AUTOEXEC.BAK", "AUTOEXEC.BAK", F, 828, NO, "1997-05-22 08:08:00",
		NULL },
	{ "05-22-97  12:08AM       <DIR>          WINDOWS", "WINDOWS", D, NO, NO, "1997-05-22 00:08:00", NULL },
	{ "05-22-97  12:08PM       <dir>          WINDOWS", "WINDOWS", D, NO, NO, "1997-05-22 12:08:00", NULL },
	{ "05-22-97  00:08AM                    1 f", "f", F, 1, NO, "1997-05-22 00:08:00", NULL },
	{ "05-22-1997  11:08PM                  1 f", "f", F, 1, NO, "1997-05-22 23:08:00", NULL },
	{ "05-22-97  23:08                      1 f", "f", F, 1, NO, "1997-05-22 23:08:00", NULL },
	{ "2021-05-22  23:08       <DIR>          d", "d", D, NO, NO, "2021-05-22 23:08:00", NULL },
	{ "2021-05-22  23:08:09                 1 f", "f", F, 1, NO, "2021-05-22 23:08:09", NULL },
	{ "22-05-2021  23:08                    1 f", "f", F, 1, NO, "2021-05-22 23:08:00", NULL },
	{ "05/06/2021  11:08 PM                 1 f", "f", F, 1, NO, "2021-05-06 23:08:00", NULL },
	{ "05.06.2021  23:08                    1 f", "f", F, 1, NO, "2021-06-05 23:08:00", NULL },
	{ "05-22-97  08:08AM     34,359,738,368 big.img", "big.img", F, 34359738368, NO, "1997-05-22 08:08:00", NULL },
	{ "05-22-97  08:08AM          5000000000 10 years and under", "10 years and under", F, 5000000000, NO,
		"1997-05-22 08:08:00", NULL },
	{ "05-22-97  08:08AM                  828  leading", " leading", F, 828, NO, "1997-05-22 08:08:00", NULL },
	{ "05-22-97  08:08AM                  828 trailing ", "trailing ", F, 828, NO, "1997-05-22 08:08:00", NULL },
	{ "05-22-97  08:08AM       <DIR>           name", "name", D, NO, NO, "1997-05-22 08:08:00", NULL },
	{ "05-22-97  08:08AM       <JUNCTION>     link [C:\\target dir]", "link", L, NO, NO, "1997-05-22 08:08:00",
		"C:\\target dir" },
	{ "05-22-97  08:08AM       <SYMLINKD>     link [..\\x]", "link", L, NO, NO, "1997-05-22 08:08:00", "..\\x" },
	{ "05-22-97  08:08AM       <SYMLINK>      link", "link", L, NO, NO, "1997-05-22 08:08:00", NULL },
	{ "05-22-97  08:08AM       <DIR>          d [x]", "d [x]", D, NO, NO, "1997-05-22 08:08:00", NULL },
	{ "  05-22-97  08:08AM                828 f", "f", F, 828, NO, "1997-05-22 08:08:00", NULL },
	{ "01-01-70  08:08AM                  828 f", "f", F, 828, NO, "1970-01-01 08:08:00", NULL },
	{ "01-01-69  08:08AM                  828 f", "f", F, 828, NO, "2069-01-01 08:08:00", NULL },
	{ "02-29-00  08:08AM                  828 f\r", "f", F, 828, NO, "2000-02-29 08:08:00", NULL },
};

static void test_entries(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
		struct aftp_entry e;
		const char *field;

		if (aftp_entry_parse_list(&e, entries[i].line, strlen(entries[i].line), 0) != AFTP_LINE_ENTRY)
			fail_msg("%s: no entry", entries[i].line);
		field = want_differs(&entries[i], &e);
		if (field)
			fail_msg("%s: wrong %s", entries[i].line, field);
	}
}

static void test_what_is_no_entry(void **state)
{
	static const char *const lines[] = {
		"05-22-97",
		"05-22-97  08:08AM",
		"05-22-97  08:08AM  828",
		"05-22-97  08:08AM  828 ",
		"05-22-97  08:08AM  <DIR>",
		"05-22-97  08:08AM  <DIR>   ",
		"05-22-97  08:08AM  name",
		"05-22-97  08:08AM  -1 f",
		"05-22-97  08:08AM  <FOO> f",
		"05-22-97  08:08ZM  828 f",
		"05-22-97  13:08PM  828 f",
		"05-22-97  25:08  828 f",
		"05-22-97  08:60  828 f",
		"13-32-97  08:08AM  828 f",
		"13-13-97  08:08AM  828 f",
		"02-29-01  08:08AM  828 f",
		"00-22-97  08:08AM  828 f",
		"05-22  08:08AM  828 f",
		"05-22/97  08:08AM  828 f",
		"05-22-97  08:08AM  12,34 f",
		"05-22-97  08:08AM  1,2345 f",
		"05-22-97  08:08AM  ,123 f",
		"05-22-97  08:08AM  123, f",
		"05-22-97  08:08AM  18446744073709551616 f",
		"05-22-97 AM 828 f",
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct aftp_entry e;

		if (aftp_entry_parse_list(&e, lines[i], strlen(lines[i]), 0) != AFTP_LINE_UNKNOWN)
			fail_msg("%s is taken", lines[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_what_is_no_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
