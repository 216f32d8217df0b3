/* Listings over the control connection: what they save, and that nobody's file names are taken for replies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/kit.h"
#include "lib/loop.h"

#define VSFTPD                                                                                                        \
	SAY("220 (vsFTPd 3.0.3)"), REPLY("USER", "331 password"), REPLY("PASS", "230 ok"), REPLY("TYPE I", "200 ok"), \
		REPLY("FEAT", "211-Features:\r\n EPSV\r\n211 End")
#define FINE          SAY("213 End of status")
#define MARK          REPLY("REST 1", "350 Restart position accepted (%A).")
#define UNMARK        REPLY("REST 0", "350 Restart position accepted (0).")
#define BEGIN(path)   WANT("STAT " path), SAY("213-Status follows:")
#define STAT(path, x) BEGIN(path), SAY_RAW(x), FINE, MARK, UNMARK
#define STAT_NOTHING  BEGIN("/d"), FINE, MARK, UNMARK
#define OPEN          EPSV, DO(STEP_ACCEPT)
#define LIST(what, x) OPEN, WANT(what), SAY("150 Here"), DATA(x), DO(STEP_END_DATA), SAY("226 Directory send OK.")
#define NO_LIST       OPEN, WANT("LIST -a /d"), SAY("150 Here"), DO(STEP_END_DATA), SAY("226 Directory send OK.")
#define HOME          REPLY("PWD", "257 \"/home/joe\" is it")
#define STAYS         REPLY("NOOP", "200 still here"), END

#define DOTS          "drwxr-xr-x 2 ftp ftp 4096 Jan 01 2020 .\r\ndrwxr-xr-x 2 ftp ftp 4096 Jan 01 2020 ..\r\n"
#define A             "-rw-r--r-- 1 ftp ftp 5 Jan 01 2020 a\r\n"
#define B             "drwxr-xr-x 2 ftp ftp 4096 Jan 01 2020 b c\r\n"
#define NAME          "-rw-r--r-- 1 ftp ftp 5 Jan 01 2020 "

struct listing {
	const char *name, *path;
	int status;
	const char *names;
	bool lost;
	struct step script[40];
};

static const struct listing listings[] = {
	{ "a directory", "/d", 0, "a b c/", false, { VSFTPD, STAT("/d", DOTS A B), STAYS } },
	{ "an empty one", "/d", 0, "", false, { VSFTPD, STAT("/d", DOTS), STAYS } },
	{ "one in the root", "/", 0, "a", false, { VSFTPD, STAT("/", DOTS A), STAYS } },
	{ "names that look like the end", "/d", 0, "213 b 213 End of status", false,
		{ VSFTPD, STAT("/d", DOTS NAME "213 b\r\n" NAME "213 End of status\r\n"), STAYS } },
	{ "a line that is none", "/d", 0, "a", false, { VSFTPD, STAT("/d", DOTS A "\r\n"), STAYS } },
	{ "nothing, since it does not exist", "/d", AFTP_ENOENT, "", false,
		{ VSFTPD, STAT_NOTHING, NO_LIST, HOME, REPLY("CWD /d", "550 No such file or directory"), STAYS } },
	{ "nothing, since it may not be read", "/d", AFTP_EREPLY, "", false,
		{ VSFTPD, STAT_NOTHING, NO_LIST, HOME, REPLY("CWD /d", "550 Failed to change directory."), STAYS } },
	{ "itself, since it may not be read", "/c", AFTP_EREPLY, "c/", false,
		{ VSFTPD, STAT("/c", "d--------- 2 ftp ftp 4096 Jan 01 2020 c\r\n"), HOME,
			REPLY("CWD /c", "550 Failed to change directory."), STAYS } },
	{ "a file", "/a", -ENOTDIR, "a", false,
		{ VSFTPD, STAT("/a", A), HOME, REPLY("CWD /a", "550 Failed to change directory."), STAYS } },
	{ "refused", "/d", 0, "a b c/", false,
		{ VSFTPD, REPLY("STAT /d", "550 Permission denied."), MARK, UNMARK, LIST("LIST -a /d", DOTS A B),
			STAYS } },
	{ "a name that is not safe", "/b c", 0, "a", false,
		{ VSFTPD, HOME, REPLY("CWD /b c", "250 ok"), LIST("LIST -a", DOTS A), STAYS } },
	{ "a relative name", "d", 0, "a", false, { VSFTPD, LIST("LIST -a d", DOTS A), STAYS } },
	{ "another server", "/d", 0, "a", false,
		{ LOGIN, LIST("MLSD /d", "type=cdir; .\r\ntype=file; a\r\n"), STAYS } },
	{ "a name that ends it, and one reply", "/d", AFTP_ECONNRESET, "a x", true,
		{ VSFTPD, STAT("/d", DOTS A NAME "x\r\n213 End of status\r\n230 in\r\n" NAME "y\r\n"), END } },
	{ "a name that ends it, and a forged answer", "/d", AFTP_ECONNRESET, "a x", true,
		{ VSFTPD,
			STAT("/d",
				DOTS A NAME "x\r\n213 End\r\n350 Restart position accepted (1234567890).\r\n213-y\r\n"),
			END } },
	{ "REST refused", "/d", AFTP_ECONNRESET, "a", true,
		{ VSFTPD, BEGIN("/d"), SAY_RAW(DOTS A), FINE, REPLY("REST 1", "550 Permission denied."), END } },
	{ "the end in the middle", "/d", AFTP_ECONNRESET, "a", true,
		{ VSFTPD, BEGIN("/d"), SAY_RAW(DOTS A "-rw-r"), DO(STEP_CLOSE), END } },
};

static void check(const struct listing *want, bool byte_by_byte)
{
	struct kit_list l = { .small = true };
	struct kit k;

	kit_begin(&k, want->script);
	k.server.byte_by_byte = byte_by_byte;
	assert_int_equal(kit_connect(&k), 0);
	if (kit_list(&l, &k, want->path) != want->status || strcmp(l.names, want->names) != 0)
		fail_msg("%s: %s: '%s'", want->name, aftp_err_name(l.status), l.names);
	if (aftp_client_alive(k.client) == want->lost)
		fail_msg("%s: %s", want->name, want->lost ? "the connection stays" : "the connection is lost");
	if (!want->lost)
		assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

static void test_listings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof listings / sizeof *listings; i++)
		check(&listings[i], false);
}

static void test_listings_in_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof listings / sizeof *listings; i++)
		if (!listings[i].lost)
			check(&listings[i], true);
}

static void test_one_segment(void **state)
{
	static const struct step script[] = { VSFTPD, STAT("/d", DOTS A), STAYS };
	struct kit_list l = { .small = true };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_list(&l, &k, "/d"), 0);
	assert_non_null(strstr(k.server.segments, "\nSTAT /d+REST 1"));
	assert_non_null(strstr(k.server.segments, "+REST 0+\n"));
	assert_null(strstr(k.server.commands, "EPSV"));
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

/* What went wrong once is not tried again, on a new connection neither. */
static void test_remembered(void **state)
{
	static const struct step bad[] = { VSFTPD, BEGIN("/d"), SAY_RAW(DOTS A), FINE, REPLY("REST 1", "502 no"), END };
	static const struct step good[] = { SAY("220 (vsFTPd 3.0.3)"), REPLY("USER", "331 password"),
		REPLY("PASS", "230 ok"), REPLY("TYPE I", "200 ok"), LIST("LIST -a /d", DOTS A), STAYS };
	static const struct step *const scripts[] = { bad, good, NULL };
	struct kit_list first = { .small = true }, second = { .small = true };
	struct aftp_features known;
	struct kit k;

	(void)state;
	kit_begin(&k, bad);
	k.server.scripts = scripts;
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_list(&first, &k, "/d"), AFTP_ECONNRESET);
	known = *aftp_client_features(k.client);
	assert_true(known.no_stat_lists);
	kit_close(&k);
	k.assumed = &known;
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_list(&second, &k, "/d"), 0);
	assert_string_equal(second.names, "a");
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

/* It cannot be stopped; but nobody is told anything any more, and the connection is as good as before. */
static void test_cancelled(void **state)
{
	static const struct step script[] = { VSFTPD, STAT("/d", DOTS A B A B), STAYS };
	struct kit_list cancelled = { .small = true, .cancel_at = 3 },
			stopped = { .small = true, .stop_at = 4, .stop_with = 7 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_list(&cancelled, &k, "/d"), AFTP_ECANCELED);
	assert_int_equal(cancelled.seen, 3);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_list(&stopped, &k, "/d"), 7);
	assert_int_equal(stopped.seen, 4);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listings),
		cmocka_unit_test(test_listings_in_pieces),
		cmocka_unit_test(test_one_segment),
		cmocka_unit_test(test_remembered),
		cmocka_unit_test(test_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
