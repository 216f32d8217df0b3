/* What a client makes of the ways in which servers list a directory, and of those in which they do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/kit.h"
#include "lib/loop.h"

#define OPEN               EPSV, DO(STEP_ACCEPT)
#define OPENING            SAY("150 Here comes the directory listing.")
#define FINE               SAY("226 Directory send OK.")
/* The answer to `verb` is these lines. */
#define SEND(verb, lines)  OPEN, WANT(verb), OPENING, DATA(lines), DO(STEP_END_DATA), FINE
#define SEND_NOTHING(verb) OPEN, WANT(verb), OPENING, DO(STEP_END_DATA), FINE
#define HOME               REPLY("PWD", "257 \"/home/joe\" is it")
#define STAYS              REPLY("NOOP", "200 still here"), END

#define FACTS_DOTS         "type=cdir;modify=20200101000000; .\r\ntype=pdir;modify=20200101000000; ..\r\n"
#define FACTS_AB           "type=file;size=5;modify=20200101000000; a\r\ntype=dir;modify=20200101000000; b c\r\n"
#define LS_DOTS            "drwxr-xr-x 2 ftp ftp 4096 Jan 01 2020 .\r\ndrwxr-xr-x 2 ftp ftp 4096 Jan 01 2020 ..\r\n"
#define LS_A               "-rw-r--r-- 1 ftp ftp 5 Jan 01 2020 a\r\n"
#define LS_B               "drwxr-xr-x 2 ftp ftp 4096 Jan 01 2020 b c\r\n"

struct listing {
	const char *name, *path;
	bool no_mlsd; /* the client's option */
	int status;
	const char *names;
	uint64_t unknown;
	bool truncated;
	struct step script[40];
};

static const struct listing listings[] = {
	{ "MLSD", "/d", false, 0, "a b c/", 0, false, { LOGIN, SEND("MLSD /d", FACTS_DOTS FACTS_AB), STAYS } },
	{ "MLSD of any name", "/-a b*", false, 0, "a b c/", 0, false,
		{ LOGIN, SEND("MLSD /-a b*", FACTS_DOTS FACTS_AB), STAYS } },
	{ "MLSD of here", "", false, 0, "a b c/", 0, false, { LOGIN, SEND("MLSD", FACTS_AB), STAYS } },
	{ "MLSD, empty but for the dots", "/d", false, 0, "", 0, false, { LOGIN, SEND("MLSD /d", FACTS_DOTS), STAYS } },
	{ "MLSD, empty", "/d", false, 0, "", 0, false,
		{ LOGIN, SEND_NOTHING("MLSD /d"), HOME, REPLY("CWD /d", "250 ok"), STAYS } },
	{ "MLSD, nothing, since it does not exist", "/d", false, AFTP_ENOENT, "", 0, false,
		{ LOGIN, SEND_NOTHING("MLSD /d"), HOME, REPLY("CWD /d", "550 No such directory."), STAYS } },
	{ "MLSD, nothing, and nothing is known", "/d", false, AFTP_EREPLY, "", 0, false,
		{ LOGIN, SEND_NOTHING("MLSD /d"), HOME, REPLY("CWD /d", "550 Failed to change directory."), STAYS } },
	{ "MLSD, nothing, since it may not be read", "/d", false, AFTP_EACCES, "", 0, false,
		{ LOGIN, SEND_NOTHING("MLSD /d"), HOME, REPLY("CWD /d", "550 Permission denied."), STAYS } },
	{ "MLSD, missing", "/d", false, AFTP_ENOENT, "", 0, false,
		{ LOGIN, OPEN, REPLY("MLSD /d", "550 /d: No such file or directory"), STAYS } },
	{ "MLSD, a file", "/f", false, -ENOTDIR, "", 0, false,
		{ LOGIN, OPEN, REPLY("MLSD /f", "550 '/f' is not a directory"), STAYS } },
	{ "MLSD, cut by the server", "/d", false, 0, "a b c/", 0, true,
		{ LOGIN, OPEN, WANT("MLSD"), OPENING, DATA(FACTS_AB), DO(STEP_END_DATA),
			SAY("226-Options: -a -l\r\n226 Output truncated to 10000 matches"), STAYS } },
	{ "MLSD, cut in the middle of a line", "/d", false, 0, "a lon", 0, true,
		{ LOGIN, SEND("MLSD", "type=file;size=5; a\r\ntype=file;size=6; lon"), STAYS } },
	{ "MLSD, cut in the facts", "/d", false, 0, "a b", 1, true,
		{ LOGIN, SEND("MLSD", "type=file;size=5; a\r\ntype=file;size=5; b\r\ntype=fi"), STAYS } },
	{ "MLSD, with holes", "/d", false, 0, "a b c/", 2, false,
		{ LOGIN, SEND("MLSD", "nonsense\r\n" FACTS_AB "more of it\r\n"), STAYS } },
	{ "MLSD, nothing but nonsense", "/d", false, 0, "", 2, false,
		{ LOGIN, SEND("MLSD", "nonsense\r\nmore of it\r\n"), STAYS } },
	{ "MLSD, 426", "/d", false, AFTP_ECONNRESET, "a b c/", 0, false,
		{ LOGIN, OPEN, WANT("MLSD"), OPENING, DATA(FACTS_AB), DO(STEP_END_DATA), SAY("426 aborted"), STAYS } },
	{ "MLSD, 451 and nothing", "/d", false, AFTP_EIO, "", 0, false,
		{ LOGIN, OPEN, WANT("MLSD"), OPENING, DO(STEP_END_DATA), SAY("451 failed"), STAYS } },
	{ "MLSD, a reset", "/d", false, AFTP_ECONNRESET, "", 0, false,
		{ LOGIN, OPEN, WANT("MLSD"), OPENING, DO(STEP_RESET_DATA), FINE, STAYS } },

	{ "MLSD unknown, LIST -a", "/d", false, 0, "a b c/", 0, false,
		{ LOGIN, OPEN, REPLY("MLSD /d", "500 Unknown command."), SEND("LIST -a /d", LS_DOTS LS_A LS_B),
			STAYS } },
	{ "MLSD and LIST -a unknown, LIST", "/d", false, 0, "a b c/", 0, false,
		{ LOGIN, OPEN, REPLY("MLSD /d", "502 no"), OPEN, REPLY("LIST -a /d", "550 -a: No such file"),
			SEND("LIST /d", LS_A LS_B), STAYS } },

	{ "LIST -a", "/d", true, 0, "a b c/", 0, false, { LOGIN, SEND("LIST -a /d", LS_DOTS LS_A LS_B), STAYS } },
	{ "LIST -a of here", "", true, 0, "a", 0, false, { LOGIN, SEND("LIST -a", LS_A), STAYS } },
	{ "LIST -a, empty", "/d", true, 0, "", 0, false, { LOGIN, SEND("LIST -a /d", "total 0\r\n" LS_DOTS), STAYS } },
	{ "LIST -a shows nothing, LIST does", "/d", true, 0, "a b c/", 0, false,
		{ LOGIN, SEND_NOTHING("LIST -a /d"), HOME, REPLY("CWD /d", "250 ok"), SEND("LIST", LS_A LS_B),
			STAYS } },
	{ "LIST shows nothing", "/d", true, 0, "", 0, false,
		{ LOGIN, SEND("LIST -a /d", "total 0\r\n"), HOME, REPLY("CWD /d", "250 ok"),
			SEND("LIST", "total 0\r\n"), STAYS } },
	{ "LIST -a, nothing, since it does not exist", "/d", true, AFTP_ENOENT, "", 0, false,
		{ LOGIN, SEND_NOTHING("LIST -a /d"), HOME, REPLY("CWD /d", "550 No such file or directory"), STAYS } },
	{ "LIST, missing", "/d", true, AFTP_ENOENT, "", 0, false,
		{ LOGIN, OPEN, REPLY("LIST -a /d", "550 no"), OPEN, REPLY("LIST /d", "550 No such file or directory"),
			HOME, REPLY("CWD /d", "550 No such file or directory"), STAYS } },
	{ "LIST, no files found", "/d", true, 0, "", 0, false,
		{ LOGIN, OPEN, REPLY("LIST -a /d", "550 No files found"), OPEN, REPLY("LIST /d", "550 No files found"),
			HOME, REPLY("CWD /d", "250 ok"), STAYS } },
	{ "LIST, may not be read", "/d", true, AFTP_EACCES, "", 0, false,
		{ LOGIN, OPEN, REPLY("LIST -a /d", "550 Permission denied"), OPEN,
			REPLY("LIST /d", "550 Permission denied"), STAYS } },
	{ "LIST, 226 and no success", "/d", true, AFTP_EACCES, "", 0, false,
		{ LOGIN, OPEN, WANT("LIST -a /d"), OPENING, DO(STEP_END_DATA),
			SAY("226 Transfer done (but failed to open directory)."), STAYS } },
	{ "LIST of a file", "/a", true, -ENOTDIR, "a", 0, false,
		{ LOGIN, SEND("LIST -a /a", LS_A), HOME, REPLY("CWD /a", "550 Failed to change directory."), STAYS } },
	{ "LIST of a directory with one thing in it", "/d", true, 0, "a", 0, false,
		{ LOGIN, SEND("LIST -a /d", LS_A), HOME, REPLY("CWD /d", "250 ok"), STAYS } },
	{ "LIST of DOS", "/d", true, 0, "a b c/", 0, false,
		{ LOGIN, SEND("LIST -a /d", "01-01-20  12:00AM 5 a\r\n01-01-20  12:00AM <DIR> b c\r\n"), STAYS } },
	{ "LIST, with holes", "/d", true, 0, "a b c/", 1, false,
		{ LOGIN, SEND("LIST -a /d", LS_DOTS LS_A "/bin/ls: cannot access x\r\n" LS_B), STAYS } },
	{ "LIST, nothing but nonsense", "/d", true, 0, "", 2, false,
		{ LOGIN, SEND("LIST -a /d", "<html>\r\n</html>\r\n"), STAYS } },
	{ "LIST, the last line without an end", "/d", true, 0, "b c/ a", 0, true,
		{ LOGIN, SEND("LIST -a /d", LS_DOTS LS_B "-rw-r--r-- 1 ftp ftp 5 Jan 01 2020 a"), STAYS } },

	{ "LIST of a name that is not safe", "/b c", true, 0, "a", 0, false,
		{ LOGIN, HOME, REPLY("CWD /b c", "250 ok"), SEND("LIST -a", LS_DOTS LS_A), STAYS } },
	{ "a name that is not safe and does not exist", "/b c", true, AFTP_ENOENT, "", 0, false,
		{ LOGIN, HOME, REPLY("CWD /b c", "550 No such directory"), WANT("EPSV"), DO(STEP_LISTEN),
			SAY("229 here (%E)"), STAYS } },
	{ "a name that is not safe, and not a directory", "/*", true, -ENOTDIR, "", 0, false,
		{ LOGIN, HOME, REPLY("CWD /*", "550 Not a directory"), WANT("EPSV"), DO(STEP_LISTEN),
			SAY("229 here (%E)"), STAYS } },
	{ "a name that looks like an option", "-d", true, 0, "a", 0, false,
		{ LOGIN, HOME, REPLY("CWD -d", "250 ok"), SEND("LIST -a", LS_DOTS LS_A), STAYS } },
};

static void check_listing(const struct listing *t, bool byte_by_byte)
{
	struct kit_list l = { 0 };
	struct kit k;

	kit_begin(&k, t->script);
	k.server.byte_by_byte = byte_by_byte;
	k.o.no_mlsd = t->no_mlsd;
	assert_int_equal(kit_connect(&k), 0);
	(void)kit_list(&l, &k, t->path);
	if (l.status != t->status)
		fail_msg("%s: %s, not %s", t->name, aftp_err_name(l.status), aftp_err_name(t->status));
	if (strcmp(l.names, t->names) != 0)
		fail_msg("%s: \"%s\", not \"%s\"", t->name, l.names, t->names);
	if (l.unknown != t->unknown || l.truncated != t->truncated)
		fail_msg("%s: %u lines unknown, truncated: %d", t->name, (unsigned)l.unknown, l.truncated);
	if (l.status < 0)
		assert_true(l.status == AFTP_EACCES || aftp_client_error(k.client)[0] || l.status == AFTP_ECONNRESET);
	if (kit_command(&k, "NOOP", NULL, NULL) != 200)
		fail_msg("%s: out of step", t->name);
	assert_true(aftp_client_idle(k.client));
	kit_end(&k);
}

static void test_listings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof listings / sizeof *listings; i++)
		check_listing(&listings[i], false);
}

static void test_listings_in_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof listings / sizeof *listings; i++)
		check_listing(&listings[i], true);
}

/* --- what is remembered -------------------------------------------------------------------------------- */

static void test_refusals_are_remembered(void **state)
{
	static const struct step script[] = { LOGIN, OPEN, REPLY("MLSD /d", "502 no"), OPEN,
		REPLY("LIST -a /d", "501 -a?"), SEND("LIST /d", LS_A LS_B), EPSV, WANT("LIST /e"), DO(STEP_ACCEPT),
		OPENING, DATA(LS_A LS_B), DO(STEP_END_DATA), FINE, STAYS };
	struct kit_list d = { 0 }, e = { 0 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_list(&d, &k, "/d"), 0);
	assert_int_equal(d.kind, AFTP_LISTING_LIST);
	assert_true(aftp_client_features(k.client)->no_mlsd);
	assert_true(aftp_client_features(k.client)->no_list_all);
	assert_int_equal(kit_list(&e, &k, "/e"), 0);
	assert_string_equal(e.names, "a b c/");
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

/* A directory that may not be listed says nothing about -a. */
static void test_absence_is_not_remembered(void **state)
{
	static const struct step script[] = { LOGIN, OPEN, REPLY("LIST -a /d", "550 Permission denied"), OPEN,
		REPLY("LIST /d", "550 Permission denied"), SEND("LIST -a /e", LS_DOTS LS_A), STAYS };
	struct kit_list d = { 0 }, e = { 0 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	k.o.no_mlsd = true;
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_list(&d, &k, "/d"), AFTP_EACCES);
	assert_false(aftp_client_features(k.client)->no_list_all);
	assert_int_equal(kit_list(&e, &k, "/e"), 0);
	assert_string_equal(e.names, "a");
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

/* Who was sent elsewhere comes back before a relative name is used, and only then. */
static void test_way_back(void **state)
{
	static const struct step script[] = { LOGIN, HOME, REPLY("CWD /b c", "250 ok"), SEND("LIST -a", LS_DOTS LS_A),
		REPLY("NOOP", "200 ok"), REPLY("SIZE /abs", "213 1"), REPLY("CWD /home/joe", "250 ok"),
		REPLY("SIZE rel", "213 2"), REPLY("SIZE rel", "213 2"), STAYS };
	struct kit_list l = { 0 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	k.o.no_mlsd = true;
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_list(&l, &k, "/b c"), 0);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	assert_int_equal(kit_command(&k, "SIZE", "/abs", NULL), 213);
	assert_int_equal(kit_command(&k, "SIZE", "rel", NULL), 213);
	assert_int_equal(kit_command(&k, "SIZE", "rel", NULL), 213);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

/* And when there is no way back, a relative name is refused: it could be another file's. */
static void test_no_way_back(void **state)
{
	static const struct step script[] = { LOGIN, REPLY("PWD", "550 no"), REPLY("CWD /b c", "250 ok"),
		SEND("LIST -a", LS_DOTS LS_A), REPLY("SIZE /abs", "213 1"), REPLY("CWD /x", "250 ok"),
		REPLY("SIZE rel", "213 2"), STAYS };
	struct kit_list l = { 0 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	k.o.no_mlsd = true;
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_list(&l, &k, "/b c"), 0);
	assert_int_equal(kit_command(&k, "DELE", "rel", NULL), AFTP_ENOTSUP);
	assert_int_equal(kit_command(&k, "SIZE", "/abs", NULL), 213);
	assert_int_equal(kit_command(&k, "CWD", "/x", NULL), 250);
	assert_int_equal(kit_command(&k, "SIZE", "rel", NULL), 213);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

static void test_plain(void **state)
{
	static const struct step script[] = { SAY("220 r"), REPLY("USER", "230 in"), REPLY("TYPE", "200 ok"),
		REPLY("FEAT", "211-Features:\r\n MLST type*;size*;modify*;\r\n211 End"),
		SEND("LIST -a /d", LS_DOTS "lrwxrwxrwx 1 ftp ftp 5 Jan 01 2020 l -> /else/where\r\n"),
		SEND("MLSD /d", FACTS_DOTS "type=file;size=5; l\r\n"), STAYS };
	struct kit_list plain = { .plain = true }, usual = { 0 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_list(&plain, &k, "/d"), 0);
	assert_string_equal(plain.names, "l");
	assert_string_equal(plain.target, "/else/where");
	assert_int_equal(plain.kind, AFTP_LISTING_LIST);
	assert_int_equal(kit_list(&usual, &k, "/d"), 0);
	assert_int_equal(usual.kind, AFTP_LISTING_MLSD);
	assert_string_equal(usual.target, "");
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

#define LONG_FACTS(mark)                                                                                              \
	"modify" mark ";perm" mark ";size" mark ";type" mark ";unique" mark ";UNIX.group" mark ";UNIX.groupname" mark \
	";UNIX.mode" mark ";UNIX.owner" mark ";UNIX.ownername" mark ";"

static void test_few_facts(void **state)
{
	static const struct step script[] = { SAY("220 r"), REPLY("USER", "230 in"), REPLY("TYPE", "200 ok"),
		REPLY("FEAT", "211-Features:\r\n MLST " LONG_FACTS("*") "\r\n211 End"),
		REPLY("OPTS MLST modify;size;type;UNIX.mode;", "200 ok"), SEND("MLSD /d", FACTS_DOTS FACTS_AB),
		SEND("MLSD /d", FACTS_DOTS FACTS_AB), REPLY("OPTS MLST " LONG_FACTS(""), "200 ok"),
		REPLY("MLST /d", "501 no"), STAYS };
	struct kit_list first = { 0 }, second = { 0 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(aftp_client_few_facts(k.client, false), 0);
	assert_int_equal(aftp_client_few_facts(k.client, true), 0);
	assert_int_equal(kit_list(&first, &k, "/d"), 0);
	assert_non_null(strstr(k.server.segments, "OPTS MLST modify;size;type;UNIX.mode;+EPSV+"));
	assert_int_equal(aftp_client_few_facts(k.client, true), 0);
	assert_int_equal(kit_list(&second, &k, "/d"), 0);
	assert_int_equal(aftp_client_few_facts(k.client, false), 0);
	assert_int_equal(kit_command(&k, "MLST", "/d", NULL), 501);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

/* Where the lines are short, no command is spent on them. */
static void test_facts_that_are_few(void **state)
{
	static const struct step script[] = { SAY("220 r"), REPLY("USER", "230 in"), REPLY("TYPE", "200 ok"),
		REPLY("FEAT", "211-Features:\r\n MLST type*;size*;modify*;unique*;\r\n211 End"),
		SEND("MLSD /d", FACTS_DOTS FACTS_AB), STAYS };
	struct kit_list l = { 0 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(aftp_client_few_facts(k.client, true), 0);
	assert_int_equal(kit_list(&l, &k, "/d"), 0);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

/* --- stopping ------------------------------------------------------------------------------------------ */

static const struct step stopped[] = { LOGIN, OPEN, WANT("MLSD"), OPENING, DATA(FACTS_AB FACTS_AB FACTS_AB),
	WANT("PWD"), SAY("426 aborted"), SAY("257 \"/\""), STAYS };

static void test_stopped_by_its_callback(void **state)
{
	static const int answers[] = { 7, -5 };

	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct kit_list l = { .stop_at = 3, .stop_with = answers[i] };
		struct kit k;

		kit_begin(&k, stopped);
		assert_int_equal(kit_connect(&k), 0);
		assert_int_equal(kit_list(&l, &k, "/d"), answers[i]);
		assert_int_equal(l.seen, 3);
		assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
		kit_end(&k);
	}
}

static void test_cancelled_by_its_callback(void **state)
{
	struct kit_list l = { .cancel_at = 2 };
	struct kit k;

	(void)state;
	kit_begin(&k, stopped);
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_list(&l, &k, "/d"), AFTP_ECANCELED);
	assert_int_equal(l.seen, 2);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

/* Such a connection is not good for another listing, which would begin with the rest of this one. */
static void test_stopped_where_listings_are_kept(void **state)
{
	static const struct step script[] = { SAY("220 Welcome to Pure-FTPd"), REPLY("USER", "230 in"),
		REPLY("TYPE", "200 ok"), REPLY("FEAT", "502 no"), OPEN, WANT("MLSD"), OPENING,
		DATA(FACTS_AB FACTS_AB FACTS_AB), DO(STEP_END) };
	struct kit_list l = { .cancel_at = 2 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_list(&l, &k, "/d"), AFTP_ECANCELED);
	assert_int_equal(l.seen, 2);
	assert_false(aftp_client_alive(k.client));
	kit_end(&k);
}

/* With the last line, which has no end: there is nothing more to stop, and the answer counts all the same. */
static void test_stopped_at_the_very_end(void **state)
{
	static const struct step script[] = { LOGIN, SEND("MLSD", "type=file; a\r\ntype=file; b"), STAYS };
	struct kit_list l = { .stop_at = 2, .stop_with = 7 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_list(&l, &k, "/d"), 7);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

static void test_endless_line(void **state)
{
	static char line[(70 << 10) + 1];
	static const struct step script[] = { LOGIN, OPEN, WANT("MLSD"), OPENING, DATA(line), WANT("PWD"),
		SAY("426 aborted"), SAY("257 \"/\""), STAYS };
	struct kit_list l = { 0 };
	struct kit k;

	(void)state;
	memset(line, 'x', sizeof line - 1);
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_list(&l, &k, "/d"), AFTP_ELINETOOLONG);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

static void test_bad_arguments(void **state)
{
	static const struct step script[] = { LOGIN, STAYS };
	struct kit_list l = { 0 }, plain = { .plain = true };
	struct aftp_transfer *t = NULL;
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(aftp_client_list(k.client, &t, "/", NULL, NULL, NULL), AFTP_EINVAL);
	assert_int_equal(aftp_client_list_plain(k.client, &t, "/", NULL, NULL, NULL), AFTP_EINVAL);
	assert_int_equal(kit_list(&l, &k, "/a\r\nb"), AFTP_EBADNAME);
	assert_int_equal(kit_list(&plain, &k, "/a\nb"), AFTP_EBADNAME);
	assert_null(t);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listings),
		cmocka_unit_test(test_listings_in_pieces),
		cmocka_unit_test(test_refusals_are_remembered),
		cmocka_unit_test(test_absence_is_not_remembered),
		cmocka_unit_test(test_way_back),
		cmocka_unit_test(test_no_way_back),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_few_facts),
		cmocka_unit_test(test_facts_that_are_few),
		cmocka_unit_test(test_stopped_by_its_callback),
		cmocka_unit_test(test_cancelled_by_its_callback),
		cmocka_unit_test(test_stopped_where_listings_are_kept),
		cmocka_unit_test(test_stopped_at_the_very_end),
		cmocka_unit_test(test_endless_line),
		cmocka_unit_test(test_bad_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
