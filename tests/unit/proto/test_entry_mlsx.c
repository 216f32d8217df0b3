#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/proto/want_entry.h"

static const struct want entries[] = {
	{ "type=file;size=5;modify=20230105101112; f", "f", F, 5, NO, "2023-01-05 10:11:12", NULL },
	{ "TYPE=File;SIZE=5;Modify=20230105101112;Unix.Mode=0644; f", "f", F, 5, 0644, "2023-01-05 10:11:12", NULL },
	{ "type=dir;sizd=4096;modify=20230105101112; d", "d", D, NO, NO, "2023-01-05 10:11:12", NULL },
	{ "type=dir;size=4096; d", "d", D, NO, NO, NULL, NULL },
	{ "type=file; ", NULL, U, NO, NO, NULL, NULL },
	{ "type=file;  two  spaces ", " two  spaces ", F, NO, NO, NULL, NULL },
	{ "type=file; a;b=c; d", "a;b=c; d", F, NO, NO, NULL, NULL },
	{ " no facts", "no facts", U, NO, NO, NULL, NULL },
	{ " type=file; f", "type=file; f", U, NO, NO, NULL, NULL },
	{ "unknown=fact;x.y=; f", "f", U, NO, NO, NULL, NULL },
	{ "size=7; f", "f", U, 7, NO, NULL, NULL },
	{ "type=cdir; /pub", "/pub", D, NO, NO, NULL, NULL },
	{ "type=pdir; ..", "..", D, NO, NO, NULL, NULL },
	{ "type=OS.unix=slink:/a/b; l", "l", L, NO, NO, NULL, "/a/b" },
	{ "type=OS.unix=slink:/a dir/b;size=3; l", "l", L, NO, NO, NULL, "/a dir/b" },
	{ "type=OS.unix=slink:; l", "l", L, NO, NO, NULL, NULL },
	{ "type=OS.unix=slink; l", "l", L, NO, NO, NULL, NULL },
	{ "type=os.UNIX=SymLink; l", "l", L, NO, NO, NULL, NULL },
	{ "type=OS.unix=chr-1/3; null", "null", O, NO, NO, NULL, NULL },
	{ "type=OS.unix=socket; s", "s", O, NO, NO, NULL, NULL },
	{ "type=OS.other=thing; t", "t", U, NO, NO, NULL, NULL },
	{ "type=dir;UNIX.mode=0755 old draft", "old draft", D, NO, 0755, NULL, NULL },
	{ "type=file;size=1;\tf", "f", F, 1, NO, NULL, NULL },
	{ "type=file;unix.mode=0100644; f", "f", F, NO, 0644, NULL, NULL },
	{ "type=file;unix.mode=4755; f", "f", F, NO, 04755, NULL, NULL },
	{ "type=file;unix.mode=0o640; f", "f", F, NO, 0640, NULL, NULL },
	{ "type=file;modify=20230105101112.5; f", "f", F, NO, NO, "2023-01-05 10:11:12", NULL },
	{ "type=file;size=18446744073709551615; f", "f", F, NO, NO, NULL, NULL },
	{ "type=file; f\r", "f", F, NO, NO, NULL, NULL },
	{ "type=dir; d/", "d", D, NO, NO, NULL, NULL },
	{ "type=file; \xff\xfe", "\xff\xfe", F, NO, NO, NULL, NULL },
};

static void test_entries(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
		struct aftp_entry e;
		enum aftp_line rc = aftp_entry_parse_mlsx(&e, entries[i].line, strlen(entries[i].line));
		const char *field;

		if (!entries[i].name) {
			assert_int_equal(rc, AFTP_LINE_UNKNOWN);
			continue;
		}
		if (rc != AFTP_LINE_ENTRY)
			fail_msg("%s: no entry", entries[i].line);
		if (strstr(entries[i].line, "size=18446744073709551615")) {
			assert_true(e.size == UINT64_MAX);
			continue;
		}
		field = want_differs(&entries[i], &e);
		if (field)
			fail_msg("%s: wrong %s", entries[i].line, field);
	}
}

static void test_other_facts(void **state)
{
	static const char line[] = "modify=20230105101112.25;perm=AdfrW?;type=file;unique=fd01g7;UNIX.group=1001;UNIX."
				   "owner=2000;UNIX.mode=0664; f";
	static const char names[] = "unix.ownername=joe;unix.owner=joe;unix.group=4294967296;unique=; f";
	struct aftp_entry e;

	(void)state;
	assert_int_equal(aftp_entry_parse_mlsx(&e, line, strlen(line)), AFTP_LINE_ENTRY);
	assert_int_equal(e.have,
		AFTP_HAVE_MTIME | AFTP_HAVE_PERM | AFTP_HAVE_UNIQUE | AFTP_HAVE_UID | AFTP_HAVE_GID | AFTP_HAVE_MODE);
	assert_int_equal(
		e.perm, AFTP_PERM_APPEND | AFTP_PERM_DELETE | AFTP_PERM_RENAME | AFTP_PERM_READ | AFTP_PERM_WRITE);
	assert_int_equal(e.uid, 2000);
	assert_int_equal(e.gid, 1001);
	assert_int_equal(e.mtime_nsec, 250000000);
	assert_int_equal(e.precision, AFTP_TIME_NANO);
	assert_int_equal(e.unique_len, 6);
	assert_memory_equal(e.unique, "fd01g7", 6);
	assert_int_equal(aftp_entry_parse_mlsx(&e, names, strlen(names)), AFTP_LINE_ENTRY);
	assert_int_equal(e.have, 0);
}

static void test_dot(void **state)
{
	static const struct {
		const char *line;
		bool dot;
	} table[] = {
		{ "type=cdir; anything", true },
		{ "type=pdir; /", true },
		{ "type=dir; .", true },
		{ "type=dir; ..", true },
		{ "type=dir; ...", false },
		{ "type=dir; .x", false },
		{ " .", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct aftp_entry e;

		assert_int_equal(aftp_entry_parse_mlsx(&e, table[i].line, strlen(table[i].line)), AFTP_LINE_ENTRY);
		assert_int_equal(e.dot, table[i].dot);
	}
}

static void test_doubtful_lines(void **state)
{
	static const struct {
		const char *line;
		enum aftp_line rc;
	} table[] = {
		{ "", AFTP_LINE_IGNORE },
		{ "\r", AFTP_LINE_IGNORE },
		{ "   ", AFTP_LINE_IGNORE },
		{ "type=file;", AFTP_LINE_UNKNOWN },
		{ "type=file;name", AFTP_LINE_UNKNOWN },
		{ "total 5", AFTP_LINE_UNKNOWN },
		{ "; f", AFTP_LINE_UNKNOWN },
		{ "type=file;size; f", AFTP_LINE_UNKNOWN },
		{ "type=file;;size=1; f", AFTP_LINE_UNKNOWN },
		{ "type=file;=x; f", AFTP_LINE_UNKNOWN },
		{ "size=x; f", AFTP_LINE_UNKNOWN },
		{ "size=; f", AFTP_LINE_UNKNOWN },
		{ "size=-1; f", AFTP_LINE_UNKNOWN },
		{ "size=18446744073709551616; f", AFTP_LINE_UNKNOWN },
		{ "modify=2023; f", AFTP_LINE_UNKNOWN },
		{ "modify=20231305101112; f", AFTP_LINE_UNKNOWN },
		{ "unix.mode=8; f", AFTP_LINE_UNKNOWN },
		{ "unix.mode=; f", AFTP_LINE_UNKNOWN },
		{ "unix.mode=0o; f", AFTP_LINE_UNKNOWN },
		{ "unix.mode=1777777; f", AFTP_LINE_UNKNOWN },
		{ "-rw-r--r-- 1 u g 5 Jan 5 2020 f", AFTP_LINE_UNKNOWN },
		{ "type=OS.unix=slink:/a", AFTP_LINE_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct aftp_entry e;

		if (aftp_entry_parse_mlsx(&e, table[i].line, strlen(table[i].line)) != table[i].rc)
			fail_msg("%s is not %d", table[i].line, (int)table[i].rc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_other_facts),
		cmocka_unit_test(test_dot),
		cmocka_unit_test(test_doubtful_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
