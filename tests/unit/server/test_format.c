#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <aftp/entry.h>
#include <aftp/server.h>

#include "server/format.h"

#define NOW 1700000000 /* 2023-11-14 22:13:20 */

static const struct aftp_vfs_stat a_file = {
	.type = AFTP_TYPE_FILE,
	.mode = 0644,
	.nlink = 1,
	.uid = 1000,
	.gid = 1000,
	.size = 1234,
	.unique = 0xab,
	.mtime = NOW - 3600,
	.mtime_nsec = 120000000,
};
static const struct aftp_vfs_stat a_dir = {
	.type = AFTP_TYPE_DIR,
	.mode = 0755,
	.nlink = 3,
	.uid = 1000,
	.gid = 1000,
	.unique = 1,
	.mtime = NOW - 400 * 86400,
};
static const struct aftp_vfs_stat a_link = {
	.type = AFTP_TYPE_LINK,
	.mode = 0777,
	.nlink = 1,
	.uid = 0,
	.gid = 0,
	.size = 6,
	.unique = 2,
	.mtime = NOW + 10,
};

static void assert_line(const char *line, size_t n, const char *want)
{
	char got[FORMAT_LINE + 1];
	assert_true(n >= 2 && memcmp(line + n - 2, "\r\n", 2) == 0);
	memcpy(got, line, n - 2);
	got[n - 2] = '\0';
	assert_string_equal(got, want);
}

static void test_mlsx(void **state)
{
	static const unsigned rw = AFTP_MAY_READ | AFTP_MAY_WRITE;
	static const struct {
		struct format_entry e;
		unsigned facts, may;
		bool fractions;
		const char *want;
	} cases[] = {
		{ { "a b", NULL, NULL, &a_file }, FACT_ALL, rw, false,
			"modify=20231114211320;perm=adfrw;size=1234;type=file;unique=MAB;"
			"UNIX.group=1000;UNIX.mode=0644;UNIX.owner=1000; a b" },
		{ { "a", NULL, NULL, &a_file }, FACT_MODIFY, rw, true, "modify=20231114211320.12; a" },
		{ { "a", NULL, NULL, &a_file }, 0, rw, false, " a" },
		{ { "a", NULL, NULL, &a_file }, FACT_PERM, AFTP_MAY_READ, false, "perm=r; a" },
		{ { "d", NULL, NULL, &a_dir }, FACT_TYPE | FACT_SIZE | FACT_PERM, rw, false,
			"perm=flcdmpe;type=dir; d" },
		{ { "d", NULL, NULL, &a_dir }, FACT_TYPE | FACT_PERM, AFTP_MAY_READ, false, "perm=le;type=dir; d" },
		{ { ".", NULL, "cdir", &a_dir }, FACT_TYPE, rw, false, "type=cdir; ." },
		{ { "l", "target", NULL, &a_link }, FACT_TYPE | FACT_SIZE, rw, false,
			"size=6;type=OS.unix=slink:target; l" },
		{ { "l", "a;b", NULL, &a_link }, FACT_TYPE, rw, false, "type=OS.unix=symlink; l" },
		{ { "bad\r\nname", NULL, NULL, &a_file }, FACT_TYPE, rw, false, "type=file; bad??name" },
	};
	char line[FORMAT_LINE];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = format_mlsx(line, &cases[i].e, cases[i].facts, cases[i].may, cases[i].fractions);
		assert_line(line, n, cases[i].want);
	}
}

static void test_unix(void **state)
{
	static const struct {
		struct format_entry e;
		const char *want;
	} cases[] = {
		{ { "a b", NULL, NULL, &a_file }, "-rw-r--r--    1 1000     1000         1234 Nov 14 21:13 a b" },
		{ { "d", NULL, NULL, &a_dir }, "drwxr-xr-x    3 1000     1000         4096 Oct 10  2022 d" },
		{ { "l", "target", NULL, &a_link },
			"lrwxrwxrwx    1 0        0               6 Nov 14  2023 l -> target" },
	};
	char line[FORMAT_LINE];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_line(line, format_unix(line, &cases[i].e, NOW, AFTP_STYLE_UNIX), cases[i].want);
}

static void test_mode_letters(void **state)
{
	static const struct {
		uint32_t mode;
		const char *want;
	} cases[] = {
		{ 0000, "----------" },
		{ 0777, "-rwxrwxrwx" },
		{ 04755, "-rwsr-xr-x" },
		{ 04644, "-rwSr--r--" },
		{ 02755, "-rwxr-sr-x" },
		{ 02640, "-rw-r-S---" },
		{ 01777, "-rwxrwxrwt" },
		{ 01666, "-rw-rw-rwT" },
		{ 0124, "---x-w-r--" },
	};
	char line[FORMAT_LINE];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct aftp_vfs_stat st = a_file;
		st.mode = cases[i].mode;
		format_unix(line, &(struct format_entry){ .name = "x", .st = &st }, NOW, AFTP_STYLE_UNIX);
		assert_memory_equal(line, cases[i].want, 10);
	}
}

static void test_half_a_year(void **state)
{
	static const struct {
		int64_t age;
		const char *want;
	} cases[] = {
		{ 0, " 22:13 " },
		{ 182 * 86400, " 22:13 " },
		{ 182 * 86400 + 1, "  2023 " },
		{ -1, "  2023 " },
	};
	char line[FORMAT_LINE + 1];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct aftp_vfs_stat st = a_file;
		st.mtime = NOW - cases[i].age;
		line[format_unix(line, &(struct format_entry){ .name = "x", .st = &st }, NOW, AFTP_STYLE_UNIX)] = '\0';
		assert_non_null(strstr(line, cases[i].want));
	}
}

static void test_dos(void **state)
{
	char line[FORMAT_LINE];
	(void)state;
	assert_line(line, format_dos(line, &(struct format_entry){ .name = "a b", .st = &a_file }, AFTP_STYLE_DOS),
		"11-14-23  09:13PM                 1234 a b");
	assert_line(line, format_dos(line, &(struct format_entry){ .name = "d", .st = &a_dir }, AFTP_STYLE_DOS),
		"10-10-22  10:13PM       <DIR>          d");
}

/* What is printed is what the library itself reads. */
static void test_read_back(void **state)
{
	char line[FORMAT_LINE];
	struct aftp_entry e;
	struct format_entry in = { .name = " odd; name ", .st = &a_file };
	(void)state;
	size_t n = format_mlsx(line, &in, FACT_ALL, AFTP_MAY_READ, true);
	assert_int_equal(aftp_entry_parse_mlsx(&e, line, n - 2), AFTP_LINE_ENTRY);
	assert_int_equal(e.name_len, strlen(in.name));
	assert_memory_equal(e.name, in.name, e.name_len);
	assert_int_equal(e.mtime, a_file.mtime);
	assert_int_equal(e.mtime_nsec, a_file.mtime_nsec);
	assert_int_equal(e.mode, 0644);
	n = format_unix(line, &in, NOW, AFTP_STYLE_UNIX);
	assert_int_equal(aftp_entry_parse_list(&e, line, n - 2, NOW), AFTP_LINE_ENTRY);
	assert_int_equal(e.size, 1234);
	assert_memory_equal(e.name, in.name, e.name_len);
	assert_int_equal(e.mtime, a_file.mtime - a_file.mtime % 60);
	in = (struct format_entry){ .name = "l", .target = "target", .st = &a_link };
	n = format_mlsx(line, &in, FACT_ALL, AFTP_MAY_READ, true);
	assert_int_equal(aftp_entry_parse_mlsx(&e, line, n - 2), AFTP_LINE_ENTRY);
	assert_int_equal(e.type, AFTP_TYPE_LINK);
	assert_int_equal(e.target_len, 6);
	n = format_dos(line, &(struct format_entry){ .name = "d", .st = &a_dir }, AFTP_STYLE_DOS);
	assert_int_equal(aftp_entry_parse_list(&e, line, n - 2, NOW), AFTP_LINE_ENTRY);
	assert_int_equal(e.type, AFTP_TYPE_DIR);
}

static void test_facts(void **state)
{
	static const struct {
		const char *list;
		unsigned want;
		const char *printed;
	} cases[] = {
		{ "", 0, "" },
		{ "type;size;", FACT_TYPE | FACT_SIZE, "size;type;" },
		{ "TYPE;unix.MODE", FACT_TYPE | FACT_MODE, "type;UNIX.mode;" },
		{ "nonsense;;modify;", FACT_MODIFY, "modify;" },
	};
	char out[128];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(format_parse_facts(cases[i].list), cases[i].want);
		format_print_facts(out, cases[i].want, false);
		assert_string_equal(out, cases[i].printed);
	}
	format_print_facts(out, FACT_TYPE, true);
	assert_string_equal(out, "modify;perm;size;type*;unique;UNIX.group;UNIX.mode;UNIX.owner;");
}

static void test_times(void **state)
{
	static const struct {
		const char *text;
		int rc;
		int64_t sec;
		uint32_t nsec;
		const char *rest;
	} cases[] = {
		{ "20231114211320 x", 0, NOW - 3600, 0, " x" },
		{ "20231114211320.5", 0, NOW - 3600, 500000000, "" },
		{ "20231114211320.1234567899", 0, NOW - 3600, 123456789, "" },
		{ "19700101000000", 0, 0, 0, "" },
		{ "20240229000000", 0, 1709164800, 0, "" },
		{ "20230229000000", -EINVAL, 0, 0, NULL },
		{ "20231314211320", -EINVAL, 0, 0, NULL },
		{ "2023111421132", -EINVAL, 0, 0, NULL },
		{ "", -EINVAL, 0, 0, NULL },
		{ "2023111421132x", -EINVAL, 0, 0, NULL },
		{ "20231100000000", -EINVAL, 0, 0, NULL },
		{ "20231101240000", -EINVAL, 0, 0, NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t sec;
		uint32_t nsec;
		const char *end;
		char out[32];
		assert_int_equal(format_parse_time(cases[i].text, &sec, &nsec, &end), cases[i].rc);
		if (cases[i].rc < 0)
			continue;
		assert_int_equal(sec, cases[i].sec);
		assert_int_equal(nsec, cases[i].nsec);
		assert_string_equal(end, cases[i].rest);
		format_time(out, sec, nsec, false);
		assert_memory_equal(out, cases[i].text, 14);
	}
	char out[32];
	format_time(out, INT64_MAX, 999999999, true);
	assert_string_equal(out, "99991231235959.999999999");
	format_time(out, INT64_MIN, 0, true);
	assert_string_equal(out, "00000101000000");
}

/* The longest line there can be stays within its room. */
static void test_longest(void **state)
{
	char *line = malloc(FORMAT_LINE), name[5000], target[5000];
	struct aftp_vfs_stat st = { .type = AFTP_TYPE_LINK,
		.mode = 07777,
		.nlink = UINT32_MAX,
		.uid = UINT32_MAX,
		.gid = UINT32_MAX,
		.size = UINT64_MAX,
		.unique = UINT64_MAX,
		.mtime = INT64_MAX,
		.mtime_nsec = 999999999 };
	struct format_entry e = { .name = name, .target = target, .st = &st };
	(void)state;
	memset(name, 'n', sizeof(name));
	memset(target, 't', sizeof(target));
	name[4999] = target[4999] = '\0';
	assert_true(format_mlsx(line, &e, FACT_ALL, 3, true) <= FORMAT_LINE);
	assert_true(format_unix(line, &e, 0, AFTP_STYLE_UNIX) <= FORMAT_LINE);
	assert_true(format_dos(line, &e, AFTP_STYLE_DOS) <= FORMAT_LINE);
	assert_true(format_name(line, &e) <= FORMAT_LINE);
	free(line);
}

static void test_styles(void **state)
{
	static const struct {
		enum aftp_listing_style style;
		const char *want;
	} cases[] = {
		{ AFTP_STYLE_UNIX, "-rw-r--r--    1 1        2               5 Mar 04  2020 x" },
		{ AFTP_STYLE_UNIX_TOTAL, "-rw-r--r--    1 1        2               5 Mar 04  2020 x" },
		{ AFTP_STYLE_UNIX_NO_GROUP, "-rw-r--r--    1 1               5 Mar 04  2020 x" },
		{ AFTP_STYLE_UNIX_NO_YEAR, "-rw-r--r--    1 1        2               5 Mar 04 05:06 x" },
		{ AFTP_STYLE_UNIX_LOCAL, "-rw-r--r--    1 1        2               5 M\xc3\xa4r 04  2020 x" },
		{ AFTP_STYLE_UNIX_ISO, "-rw-r--r--    1 1        2               5 2020-03-04 05:06 x" },
		{ AFTP_STYLE_DOS, "03-04-20  05:06AM                    5 x" },
		{ AFTP_STYLE_DOS_LONG, "03-04-2020  05:06                    5 x" },
	};
	const struct aftp_vfs_stat st = {
		.type = AFTP_TYPE_FILE, .mode = 0644, .nlink = 1, .uid = 1, .gid = 2, .size = 5, .mtime = 1583298360
	};
	const struct format_entry e = { .name = "x", .st = &st };
	char line[FORMAT_LINE];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool dos = cases[i].style >= AFTP_STYLE_DOS;
		size_t n = dos ? format_dos(line, &e, cases[i].style) : format_unix(line, &e, NOW, cases[i].style);
		assert_line(line, n, cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_styles),
		cmocka_unit_test(test_mlsx),
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_mode_letters),
		cmocka_unit_test(test_half_a_year),
		cmocka_unit_test(test_dos),
		cmocka_unit_test(test_read_back),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_longest),
	};
	return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
