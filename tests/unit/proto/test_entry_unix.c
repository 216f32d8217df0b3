#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/proto/want_entry.h"

#define NOW want_time("2023-06-15 12:00:00")

static void check(const struct want *table, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct aftp_entry e;
		const char *field;

		if (aftp_entry_parse_list(&e, table[i].line, strlen(table[i].line), NOW) != AFTP_LINE_ENTRY)
			fail_msg("%s: no entry", table[i].line);
		field = want_differs(&table[i], &e);
		if (field)
			fail_msg("%s: wrong %s", table[i].line, field);
	}
}
#define CHECK(table) check(table, sizeof table / sizeof *table)

static void test_permissions(void **state)
{
	static const struct want table[] = {
		{ "-rw-r--r-- 1 u g 5 Jan 5 2020 f", "f", F, 5, 0644, "2020-01-05 00:00:00", NULL },
		{ "-rwsr-sr-t 1 u g 5 Jan 5 2020 f", "f", F, 5, 07755, "2020-01-05 00:00:00", NULL },
		{ "-rwSr-Sr-T 1 u g 5 Jan 5 2020 f", "f", F, 5, 07644, "2020-01-05 00:00:00", NULL },
		{ "---------- 1 u g 5 Jan 5 2020 f", "f", F, 5, 0, "2020-01-05 00:00:00", NULL },
		{ "drwxrwxrwt 9 u g 5 Jan 5 2020 d", "d", D, NO, 01777, "2020-01-05 00:00:00", NULL },
		{ "-rw-r--r--+ 1 u g 5 Jan 5 2020 f", "f", F, 5, 0644, "2020-01-05 00:00:00", NULL },
		{ "-rw-r--r--. 1 u g 5 Jan 5 2020 f", "f", F, 5, 0644, "2020-01-05 00:00:00", NULL },
		{ "-rw-r--r--@ 1 u g 5 Jan 5 2020 f", "f", F, 5, 0644, "2020-01-05 00:00:00", NULL },
		{ "drwxr-xr-x123 u g 5 Jan 5 2020 d", "d", D, NO, 0755, "2020-01-05 00:00:00", NULL },
		{ "drwxr-xr-x+123 u g 5 Jan 5 2020 d", "d", D, NO, 0755, "2020-01-05 00:00:00", NULL },
		{ "srwxr-xr-x 1 u g 0 Jan 5 2020 s", "s", O, NO, 0755, "2020-01-05 00:00:00", NULL },
		{ "prw-r--r-- 1 u g 0 Jan 5 2020 p", "p", O, NO, 0644, "2020-01-05 00:00:00", NULL },
		{ "brw-rw---- 1 root disk 8, 0 Jan 5 2020 sda", "sda", O, NO, 0660, "2020-01-05 00:00:00", NULL },
		{ "crw-rw-rw- 1 root root 1,   3 Jan 5 2020 null", "null", O, NO, 0666, "2020-01-05 00:00:00", NULL },
		{ "crw------- 1 root root 109,767 Jan 5 2020 c", "c", O, NO, 0600, "2020-01-05 00:00:00", NULL },
		{ "drwxr-x 2 10 4096 Jan 5 2020 d", "d", D, NO, NO, "2020-01-05 00:00:00", NULL },
		{ "-wa-h----- 1 u g 5 Jan 5 2020 f", "f", F, 5, NO, "2020-01-05 00:00:00", NULL },
	};

	(void)state;
	CHECK(table);
}

static void test_columns(void **state)
{
	static const struct want table[] = {
		{ "-rw-r--r-- 1 u 5 Jan 5 2020 f", "f", F, 5, 0644, "2020-01-05 00:00:00", NULL },
		{ "-rw-r--r-- 1 5 Jan 5 2020 f", "f", F, 5, 0644, "2020-01-05 00:00:00", NULL },
		{ "-rw-r--r-- 5 Jan 5 2020 f", "f", F, 5, 0644, "2020-01-05 00:00:00", NULL },
		{ "-rw-r--r-- 1 Domain Admins Domain Users 5 Jan 5 2020 f", "f", F, 5, 0644, "2020-01-05 00:00:00",
			NULL },
		{ "-rw-r--r-- 1 jan 12 2000 Feb 3 10:00 f", "f", F, 2000, 0644, "2023-02-03 10:00:00", NULL },
		{ "-rw-r--r-- 1 1 7 2000 Mar 12 10:00 f", "f", F, 2000, 0644, "2023-03-12 10:00:00", NULL },
		{ "-rw-r--r-- 1 u g 1,234,567 Jan 5 2020 f", "f", F, 1234567, 0644, "2020-01-05 00:00:00", NULL },
		{ "-rw-r--r-- 1 u g 9223372036854775807 Jan 5 2020 f", "f", F, INT64_MAX, 0644, "2020-01-05 00:00:00",
			NULL },
		{ "-rw-r--r-- 1 u group12345 Jan 5 2020 f", "f", F, NO, 0644, "2020-01-05 00:00:00", NULL },
		{ "   -rw-r--r-- 1 u g 5 Jan 5 2020 f", "f", F, 5, 0644, "2020-01-05 00:00:00", NULL },
		{ "  131 -rw-r--r-- 1 u g 5 Jan 5 2020 f", "f", F, 5, 0644, "2020-01-05 00:00:00", NULL },
		{ "393218 8 -rw-r--r-- 1 u g 5 Jan 5 2020 f", "f", F, 5, 0644, "2020-01-05 00:00:00", NULL },
		{ "-rw-r--r--\t1\tu\tg\t5\tJan\t5\t2020\tf", "f", F, 5, 0644, "2020-01-05 00:00:00", NULL },
		{ "drwxr-xr-x folder 0 Jan 5 2020 d", "d", D, NO, 0755, "2020-01-05 00:00:00", NULL },
		{ "0100644 500 101 12345 123456789 some name", "some name", F, 12345, 0644, "1973-11-29 21:33:09",
			NULL },
		{ "0040755 500 101 4096 123456789 d", "d", D, NO, 0755, "1973-11-29 21:33:09", NULL },
	};

	(void)state;
	CHECK(table);
}

static void test_dates(void **state)
{
	static const struct want table[] = {
		{ "-rw-r--r-- 1 u g 5 Feb 29 10:11 f", "f", F, 5, 0644, "2020-02-29 10:11:00", NULL },
		{ "-rw-r--r-- 1 u g 5 2023-01-05 10:11 f", "f", F, 5, 0644, "2023-01-05 10:11:00", NULL },
		{ "-rw-r--r-- 1 u g 5 2023-01-05 10:11:12.000000000 +0000 f", "f", F, 5, 0644, "2023-01-05 10:11:12",
			NULL },
		{ "-rw-r--r-- 1 u g 5 01-05 10:11 f", "f", F, 5, 0644, "2023-01-05 10:11:00", NULL },
		{ "-rw-r--r-- 1 u g 5 2022-01-05  f", "f", F, 5, 0644, "2022-01-05 00:00:00", NULL },
		{ "-rw-r--r-- 1 u g 5 2004.07.15   f", "f", F, 5, 0644, "2004-07-15 00:00:00", NULL },
		{ "-rw-r--r-- 1 u g 5 24-04-2003 17:12 f", "f", F, 5, 0644, "2003-04-24 17:12:00", NULL },
		{ "-rw-r--r-- 1 u g 12 12 Mar 16:27 f", "f", F, 12, 0644, "2023-03-12 16:27:00", NULL },
		{ "-rw-r--r-- 1 u g 5 Jan 5 10:11:12 2020 f", "f", F, 5, 0644, "2020-01-05 10:11:12", NULL },
		{ "-rw-r--r-- 1 u g 5 Jan 5 10:11 2020 f", "2020 f", F, 5, 0644, "2023-01-05 10:11:00", NULL },
	};

	(void)state;
	CHECK(table);
}

static void test_names(void **state)
{
	static const struct want table[] = {
		{ "-rw-r--r-- 1 u g 5 Jan  5 10:11   two before", "  two before", F, 5, 0644, "2023-01-05 10:11:00",
			NULL },
		{ "-rw-r--r-- 1 u g 5 Jan  5  2020  one", " one", F, 5, 0644, "2020-01-05 00:00:00", NULL },
		{ "-rw-r--r-- 1 u g 5 Jan  5 10:11 a  b   c ", "a  b   c ", F, 5, 0644, "2023-01-05 10:11:00", NULL },
		{ "-rw-r--r-- 1 u g 5 Jan  5 10:11 a -> b", "a -> b", F, 5, 0644, "2023-01-05 10:11:00", NULL },
		{ "drwxr-xr-x 1 u g 5 Jan  5 10:11 a -> b", "a -> b", D, NO, 0755, "2023-01-05 10:11:00", NULL },
		{ "-rw-r--r-- 1 u g 5 Jan  5 10:11 5 Jan 5 2020 x", "5 Jan 5 2020 x", F, 5, 0644, "2023-01-05 10:11:00",
			NULL },
		{ "-rw-r--r-- 1 u g 5 Jan  5 10:11 \xff\xfe", "\xff\xfe", F, 5, 0644, "2023-01-05 10:11:00", NULL },
		{ "-rw-r--r-- 1 u g 5 Jan  5 10:11 a;b,c\"d", "a;b,c\"d", F, 5, 0644, "2023-01-05 10:11:00", NULL },
		{ "drwxr-xr-x 1 u g 5 Jan  5 10:11 d/", "d", D, NO, 0755, "2023-01-05 10:11:00", NULL },
		{ "-rw-r--r-- 1 u g 5 Jan  5 10:11 f\r", "f", F, 5, 0644, "2023-01-05 10:11:00", NULL },
		{ "-rw-r--r-- 1 u g 5 Jan  5 10:11 a\rb", "a\rb", F, 5, 0644, "2023-01-05 10:11:00", NULL },
		{ "-rw-r--r-- 1 u g 5 Jan  5 10:11 \tx", "\tx", F, 5, 0644, "2023-01-05 10:11:00", NULL },
	};

	(void)state;
	CHECK(table);
}

static void test_links(void **state)
{
	static const struct want table[] = {
		{ "lrwxrwxrwx 1 u g 4 Jan 5 10:11 l -> /etc", "l", L, NO, 0777, "2023-01-05 10:11:00", "/etc" },
		{ "lrwxrwxrwx 1 u g 9 Jan 5 10:11 l -> a b/c d/e", "l", L, NO, 0777, "2023-01-05 10:11:00",
			"a b/c d/e" },
		{ "lrwxrwxrwx 1 u g 0 Jan 5 10:11 l", "l", L, NO, 0777, "2023-01-05 10:11:00", NULL },
		{ "lrwxrwxrwx 1 u g 0 Jan 5 10:11 l -> ", "l", L, NO, 0777, "2023-01-05 10:11:00", NULL },
		/* the size says where the target begins */
		{ "lrwxrwxrwx 1 u g 1 Jan 5 10:11 a -> b -> c", "a -> b", L, NO, 0777, "2023-01-05 10:11:00", "c" },
		{ "lrwxrwxrwx 1 u g 6 Jan 5 10:11 a -> b -> c", "a", L, NO, 0777, "2023-01-05 10:11:00", "b -> c" },
		{ "lrwxrwxrwx 1 u g 99 Jan 5 10:11 a -> b -> c", "a", L, NO, 0777, "2023-01-05 10:11:00", "b -> c" },
		{ "lrwxrwxrwx 1 u g 5 Jan 5 10:11 l ->x", "l ->x", L, NO, 0777, "2023-01-05 10:11:00", NULL },
	};

	(void)state;
	CHECK(table);
}

static void test_owners(void **state)
{
	static const struct {
		const char *line;
		uint32_t have, nlink, uid, gid;
	} table[] = {
		{ "-rw-r--r-- 3 1000 100 5 Jan 5 2020 f", AFTP_HAVE_NLINK | AFTP_HAVE_UID | AFTP_HAVE_GID, 3, 1000,
			100 },
		{ "-rw-r--r-- 3 joe 100 5 Jan 5 2020 f", AFTP_HAVE_NLINK | AFTP_HAVE_GID, 3, 0, 100 },
		{ "-rw-r--r-- 3 joe users 5 Jan 5 2020 f", AFTP_HAVE_NLINK, 3, 0, 0 },
		{ "-rw-r--r-- 3 4294967296 4294967295 5 Jan 5 2020 f", AFTP_HAVE_NLINK | AFTP_HAVE_GID, 3, 0,
			4294967295u },
		/* with a column missing nobody knows which */
		{ "-rw-r--r-- 3 1000 5 Jan 5 2020 f", 0, 0, 0, 0 },
		{ "-rw-r--r-- 0 5 5 Jan 5 2020 mac", 0, 0, 0, 0 },
	};
	const uint32_t all = AFTP_HAVE_NLINK | AFTP_HAVE_UID | AFTP_HAVE_GID;

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct aftp_entry e;

		assert_int_equal(aftp_entry_parse_list(&e, table[i].line, strlen(table[i].line), NOW), AFTP_LINE_ENTRY);
		assert_int_equal(e.have & all, table[i].have);
		assert_int_equal(e.nlink, table[i].nlink);
		assert_int_equal(e.uid, table[i].uid);
		assert_int_equal(e.gid, table[i].gid);
	}
}

static void test_rough_sizes_are_marked(void **state)
{
	static const struct {
		const char *line;
		uint64_t size;
		bool rough;
	} table[] = {
		{ "-rw-r--r-- 1 u g 33.5k Jan 5 2020 f", 34304, true },
		{ "-rw-r--r-- 1 u g 9.0M Jan 5 2020 f", 9437184, true },
		{ "-rw-r--r-- 1 u g 2G Jan 5 2020 f", 2147483648, true },
		{ "-rw-r--r-- 326 1391972 1392298 Jan 5 2020 mac", 1392298, true },
		{ "-rw-r--r-- 0 1391972 1391972 Jan 5 2020 mac", 1391972, false },
		{ "-rw-r--r-- 1 u g 33 Jan 5 2020 f", 33, false },
		{ "-rw-r--r-- 1 u g 1,234 Jan 5 2020 f", 1234, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct aftp_entry e;

		assert_int_equal(aftp_entry_parse_list(&e, table[i].line, strlen(table[i].line), NOW), AFTP_LINE_ENTRY);
		assert_int_equal(e.size, table[i].size);
		assert_int_equal((e.have & AFTP_SIZE_ROUGH) != 0, table[i].rough);
	}
}

static void test_dot_entries(void **state)
{
	static const struct {
		const char *line;
		bool dot;
	} table[] = {
		{ "drwxr-xr-x 2 u g 5 Jan 5 2020 .", true },
		{ "drwxr-xr-x 2 u g 5 Jan 5 2020 ..", true },
		{ "drwxr-xr-x 2 u g 5 Jan 5 2020 ./", true },
		{ "drwxr-xr-x 2 u g 5 Jan 5 2020 ...", false },
		{ "drwxr-xr-x 2 u g 5 Jan 5 2020 .x", false },
		{ "drwxr-xr-x 2 u g 5 Jan 5 2020  .", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct aftp_entry e;

		assert_int_equal(aftp_entry_parse_list(&e, table[i].line, strlen(table[i].line), NOW), AFTP_LINE_ENTRY);
		assert_int_equal(e.dot, table[i].dot);
	}
}

static void test_what_is_no_entry(void **state)
{
	static const char *const lines[] = {
		"-rw-r--r--",
		"-rw-r--r-- 1 u g 5",
		"-rw-r--r-- 1 u g 5 Jan 5 2020",
		"-rw-r--r-- 1 u g 5 Jan 5 2020 ",
		"-rw-r--r-- 1 u g 5 Jan 5 f",
		"-rw-r--r-- 1 u g x Jan 5 2020 f",
		"-rw-r--r-- 1 u g -5 Jan 5 2020 f",
		"-rw-r--r-- 1 u g 5 Feb 30 2020 f",
		"-rw-r--r-- 1 u g 18446744073709551616 Jan 5 2020 f",
		"zrw-r--r-- 1 u g 5 Jan 5 2020 f",
		"-rw-r--q-- 1 u g 5 Jan 5 2020 f",
		"-rwxr-xr-x+z 1 u g 5 Jan 5 2020 f",
		"rw-r--r-- 1 u g 5 Jan 5 2020 f",
		"lrwxrwxrwx 1 u g 4 Jan 5 10:11  -> ",
		"ls: .: Permission denied",
		"0100644 500 101 12345 123456789",
		"0188644 1 1 1 1 x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct aftp_entry e;

		if (aftp_entry_parse_list(&e, lines[i], strlen(lines[i]), NOW) != AFTP_LINE_UNKNOWN)
			fail_msg("%s is taken", lines[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_permissions),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_owners),
		cmocka_unit_test(test_rough_sizes_are_marked),
		cmocka_unit_test(test_dot_entries),
		cmocka_unit_test(test_what_is_no_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
