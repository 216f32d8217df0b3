/* The choice of the dialect, and one line or two of each of the small ones; the corpus has many more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/proto/want_entry.h"

static const struct want entries[] = {
	{ "d [R----F--] supervisor            512       Jan 16 2018    login", "login", D, NO, NO,
		"2018-01-16 00:00:00", NULL },
	{ "- [RWCEAFMS] joe                 24038 May 05 2018 log_4.txt", "log_4.txt", F, 24038, NO,
		"2018-05-05 00:00:00", NULL },
	{ "-[R----F-]  1 raj           857 Feb 23  2000 !info!", "!info!", F, 857, NO, "2000-02-23 00:00:00", NULL },
	{ "+i8388621.48594,m825718503,r,s280,up644,\tdjb html", "djb html", F, 280, 0644, "1996-03-01 22:15:03", NULL },
	{ "+/,m824255902,\tdev", "dev", D, NO, NO, "1996-02-13 23:58:22", NULL },
	{ "README.TXT;4               2  18-APR-2000 10:40:39.90", "README.TXT", F, 1024, NO, "2000-04-18 10:40:39",
		NULL },
	{ "DATA.DIR;1  1/9  2-JUN-1998 07:32  [G,O]  (,RWED,RWED,RE)", "DATA", D, NO, NO, "1998-06-02 07:32:00", NULL },
	{ "D:[X]LONG_NAME.TXT;12\n  14/15  24-JUL-2002 14:35:40  [X]  (RWE,,,)", "LONG_NAME.TXT", F, 7168, NO,
		"2002-07-24 14:35:40", NULL },
	{ "ASUSER       8489625 03/18/03 09:37:00 *STMF      saved file.zip", "saved file.zip", F, 8489625, NO,
		"2003-03-18 09:37:00", NULL },
	{ "ASUSER          8192 04/26/05 13:54:16 *DIR       dir/", "dir", D, NO, NO, "2005-04-26 13:54:16", NULL },
	{ "   73098      A          04-06-97   15:15  ds 0.txt", "ds 0.txt", F, 73098, NO, "1997-04-06 15:15:00",
		NULL },
	{ "     0 DIR  A    02-11-103  16:15  d", "d", D, NO, NO, "2003-02-11 16:15:00", NULL },
	{ "SAVE01 3390   2004/06/23  1    1  FB     128  6144  PO    IN.D061704", "IN.D061704", D, NO, NO, NULL, NULL },
	{ "TBSHELF1  01.03 2002/09/12 2002/10/11 09:37    11    11     0 KIL001", "TBSHELF1", F, NO, NO,
		"2002-10-11 09:37:00", NULL },
	{ "EAGRTPRC  005F48   000011 EAGRTALT 00 FO             RN RU            31    ANY", "EAGRTPRC", F, 24392, NO,
		NULL, NULL },
};

static void test_dialects(void **state)
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

static void test_lines_without_entries(void **state)
{
	static const char *const lines[] = {
		"",
		" ",
		"\t",
		"\r",
		"total 12",
		"Total 0",
		"insgesamt 8",
		"\320\270\321\202\320\276\320\263\320\276 4",
		"Total of 11 files, 17 blocks.",
		"Directory USER1:[TEMP]",
		"DISK$ANON:[PUB]",
		"./sub dir:",
		".:",
		" Volume in drive C has no label.",
		" Volume Serial Number is 1234-5678",
		" Directory of C:\\",
		"   6 File(s)   75,978 bytes",
		"   2 Dir(s)  1 bytes free",
		"213-Status follows:",
		"213 End of status",
		"End of status",
		"(RWED,RWED,RE,)",
		"Volume Unit    Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname",
		" Name     VV.MM  Created     Changed     Size",
		"+m825718503,\tneither",
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct aftp_entry e;

		if (aftp_entry_parse_list(&e, lines[i], strlen(lines[i]), 0) != AFTP_LINE_IGNORE)
			fail_msg("%s is not ignored", lines[i]);
	}
}

/* These may hide an entry, so they are counted. */
static void test_lines_nobody_knows(void **state)
{
	static const char *const lines[] = {
		"garbage",
		"two words",
		"ls: .: Permission denied",
		"total",
		"totally 5 files",
		"+ no tab",
		"x;1",
		"NAME.TXT;1",
		"12345",
		"d [XGARBAGE] joe 512 Jan 29  2004 pub",
		"d [RWCEAFMS] 512 Jan 29  2004 pub",
		"NAME.TXT; 1 2 18-APR-2000 10:40",
		"NAME.TXT;1 2 18-APR-2000 10:40 (SYSTEM)",
		"A;1 B 18-APR-2000 10:40",
		"-rw-r--r-- 1 u g 5 Foo 5 2020 f:",
		"(ABC)",
		"\xff\xfe\xfd",
		"*",
		"[",
		"]",
		";",
		"213",
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct aftp_entry e;

		if (aftp_entry_parse_list(&e, lines[i], strlen(lines[i]), 0) != AFTP_LINE_UNKNOWN)
			fail_msg("%s is known", lines[i]);
	}
}

/* An absurd clock must neither hang nor overflow. */
static void test_any_clock(void **state)
{
	static const char line[] = "-rw-r--r-- 1 u g 5 Feb 29 10:11 f";
	static const int64_t clocks[] = { INT64_MIN, INT64_MAX, -1, 0, 1, 253402300800, -62135596801 };

	(void)state;
	for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
		struct aftp_entry e;
		enum aftp_line rc = aftp_entry_parse_list(&e, line, strlen(line), clocks[i]);

		assert_true(rc == AFTP_LINE_ENTRY || (rc == AFTP_LINE_UNKNOWN && clocks[i] < -62000000000));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dialects),
		cmocka_unit_test(test_lines_without_entries),
		cmocka_unit_test(test_lines_nobody_knows),
		cmocka_unit_test(test_any_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
