/* What a client makes of what servers say about one path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/kit.h"
#include "lib/loop.h"

enum { SHORT_MS = 250, Y2020 = 1577836800 };

/* A server whose FEAT names these lines. */
#define GREETED(words, lines)                                                \
	SAY("220 " words), REPLY("USER", "230 in"), REPLY("TYPE", "200 ok"), \
		REPLY("FEAT", "211-Features:\r\n" lines "211 End")
#define FEAT(lines)        GREETED("r", lines)
#define ALL                " MLST type*;size*;modify*;\r\n SIZE\r\n MDTM\r\n"
#define MODERN             FEAT(ALL)
#define VAGUE              GREETED("ProFTPD Server", ALL)
#define MIDDLE             FEAT(" SIZE\r\n MDTM\r\n")
#define OLD                FEAT("")
#define FACTS(path, facts) REPLY("MLST " path, "250-Here\r\n " facts " " path "\r\n250 End")
#define HOME               REPLY("PWD", "257 \"/\"")
#define STAYS              REPLY("NOOP", "200 still here"), END

struct look {
	const char *name, *path;
	int status;
	enum aftp_type type;
	uint32_t have;
	uint64_t size;
	int64_t mtime;
	struct step script[24];
};

static const struct look looks[] = {
	{ "MLST of a file", "/f", 0, AFTP_TYPE_FILE, AFTP_HAVE_SIZE | AFTP_HAVE_MTIME, 5, Y2020,
		{ MODERN, FACTS("/f", "type=file;size=5;modify=20200101000000;"), STAYS } },
	{ "MLST of a directory", "/d", 0, AFTP_TYPE_DIR, AFTP_HAVE_MTIME, 0, Y2020,
		{ MODERN, FACTS("/d", "type=dir;modify=20200101000000;"), STAYS } },
	{ "MLST of the top", "/", 0, AFTP_TYPE_DIR, 0, 0, 0, { MODERN, FACTS("/", "type=dir;"), STAYS } },
	{ "MLST that calls it cdir", "/d", 0, AFTP_TYPE_DIR, 0, 0, 0, { MODERN, FACTS("/d", "type=cdir;"), STAYS } },
	{ "MLST without the space before", "/f", 0, AFTP_TYPE_FILE, AFTP_HAVE_SIZE, 5, 0,
		{ MODERN, REPLY("MLST /f", "250-Here\r\ntype=file;size=5; /f\r\n250 End"), STAYS } },
	{ "MLST on one line", "/f", 0, AFTP_TYPE_FILE, AFTP_HAVE_SIZE, 5, 0,
		{ MODERN, REPLY("MLST /f", "250 type=file;size=5; /f"), STAYS } },
	{ "MLST that gives another name", "/f", 0, AFTP_TYPE_FILE, AFTP_HAVE_SIZE, 5, 0,
		{ MODERN, REPLY("MLST /f", "250-Here\r\n type=file;size=5; /somewhere/else\r\n250 End"), STAYS } },
	{ "MLST without facts", "/f", AFTP_EPROTO, 0, 0, 0, 0, { MODERN, REPLY("MLST /f", "250 ok"), STAYS } },
	{ "MLST, missing", "/f", AFTP_ENOENT, 0, 0, 0, 0,
		{ MODERN, REPLY("MLST /f", "550 /f: No such file or directory"), STAYS } },
	{ "MLST, forbidden", "/f", AFTP_EACCES, 0, 0, 0, 0,
		{ MODERN, REPLY("MLST /f", "550 Permission denied"), STAYS } },
	{ "MLST and CWD: missing", "/f", AFTP_ENOENT, 0, 0, 0, 0,
		{ MODERN, REPLY("MLST /f", "550 Can't check for file existence"), HOME,
			REPLY("CWD /f", "550 Can't change directory to /f: No such file or directory"), STAYS } },
	{ "the same of Pure-FTPd, and what is owed then", "/f", AFTP_ENOENT, 0, 0, 0, 0,
		{ FEAT(" MLST type*;\r\n ESTP\r\n"), REPLY("MLST /f", "550 Can't check for file existence"), HOME,
			REPLY("CWD /f", "550 Can't change directory to /f: No such file or directory"),
			REPLY("CWD .", "250 OK."), STAYS } },
	{ "MLST says nothing, CWD goes there", "/d", 0, AFTP_TYPE_DIR, 0, 0, 0,
		{ MODERN, REPLY("MLST /d", "550 no"), HOME, REPLY("CWD /d", "250 ok"), STAYS } },
	{ "MLST says nothing, CWD says it is a file", "/f", 0, AFTP_TYPE_FILE, 0, 0, 0,
		{ MODERN, REPLY("MLST /f", "550 no"), HOME, REPLY("CWD /f", "550 /f: Not a directory"), STAYS } },
	{ "neither says anything", "/f", AFTP_EREPLY, 0, 0, 0, 0,
		{ MODERN, REPLY("MLST /f", "550 no"), HOME, REPLY("CWD /f", "550 no"), STAYS } },
	{ "MLST says nothing, CWD is forbidden", "/f", AFTP_EACCES, 0, 0, 0, 0,
		{ MODERN, REPLY("MLST /f", "550 no"), HOME, REPLY("CWD /f", "550 Permission denied"), STAYS } },
	{ "MLST unknown after all", "/f", 0, AFTP_TYPE_FILE, AFTP_HAVE_SIZE | AFTP_HAVE_MTIME, 5, Y2020,
		{ MODERN, REPLY("MLST /f", "500 what?"), REPLY("SIZE /f", "213 5"),
			REPLY("MDTM /f", "213 20200101000000"), STAYS } },
	{ "MLST that never says why: a file", "/f", 0, AFTP_TYPE_FILE, AFTP_HAVE_SIZE | AFTP_HAVE_MTIME, 5, Y2020,
		{ VAGUE, FACTS("/f", "type=file;size=5;modify=20200101000000;"), REPLY("SIZE /f", "213 5"), STAYS } },
	{ "MLST that never says why: a directory", "/d", 0, AFTP_TYPE_DIR, AFTP_HAVE_MTIME, 0, Y2020,
		{ VAGUE, FACTS("/d", "type=dir;modify=20200101000000;"), REPLY("SIZE /d", "550 not a regular file"),
			STAYS } },
	{ "MLST that never says why, SIZE does", "/f", AFTP_ENOENT, 0, 0, 0, 0,
		{ VAGUE, WANT("MLST /f"), WANT("SIZE /f"), SAY("550 '/f' cannot be listed"),
			SAY("550 /f: No such file or directory"), STAYS } },
	{ "MLST that never says why, nor does SIZE", "/f", AFTP_EACCES, 0, 0, 0, 0,
		{ VAGUE, WANT("MLST /f"), WANT("SIZE /f"), SAY("550 '/f' cannot be listed"), SAY("550 no"), HOME,
			REPLY("CWD /f", "550 Permission denied"), STAYS } },
	{ "MLST that never says why, SIZE knows it", "/f", 0, AFTP_TYPE_FILE, AFTP_HAVE_SIZE, 5, 0,
		{ VAGUE, REPLY("MLST /f", "550 '/f' cannot be listed"), REPLY("SIZE /f", "213 5"), STAYS } },
	{ "MLST that never says why is unknown", "/f", 0, AFTP_TYPE_FILE, AFTP_HAVE_SIZE | AFTP_HAVE_MTIME, 5, Y2020,
		{ VAGUE, REPLY("MLST /f", "500 what?"), REPLY("SIZE /f", "213 5"), REPLY("SIZE /f", "213 5"),
			REPLY("MDTM /f", "213 20200101000000"), STAYS } },
	{ "an answer below 400 that is none", "/f", AFTP_EPROTO, 0, 0, 0, 0,
		{ MODERN, REPLY("MLST /f", "350 more"), STAYS } },

	{ "SIZE and MDTM", "/f", 0, AFTP_TYPE_FILE, AFTP_HAVE_SIZE | AFTP_HAVE_MTIME, 5, Y2020,
		{ MIDDLE, REPLY("SIZE /f", "213 5"), REPLY("MDTM /f", "213 20200101000000"), STAYS } },
	{ "a size of many digits", "/f", 0, AFTP_TYPE_FILE, AFTP_HAVE_SIZE | AFTP_HAVE_MTIME, 9000000000000000000u,
		Y2020,
		{ MIDDLE, REPLY("SIZE /f", "213 9000000000000000000"), REPLY("MDTM /f", "213 20200101000000"),
			STAYS } },
	{ "SIZE only", "/f", 0, AFTP_TYPE_FILE, AFTP_HAVE_SIZE, 5, 0,
		{ MIDDLE, REPLY("SIZE /f", "213 5"), REPLY("MDTM /f", "550 no"), STAYS } },
	{ "a directory", "/d", 0, AFTP_TYPE_DIR, 0, 0, 0,
		{ MIDDLE, REPLY("SIZE /d", "550 not a regular file"), REPLY("MDTM /d", "550 not a plain file"), HOME,
			REPLY("CWD /d", "250 ok"), STAYS } },
	{ "a directory with a time", "/d", 0, AFTP_TYPE_DIR, AFTP_HAVE_MTIME, 0, Y2020,
		{ MIDDLE, REPLY("SIZE /d", "550 no"), REPLY("MDTM /d", "213 20200101000000"), HOME,
			REPLY("CWD /d", "250 ok"), STAYS } },
	{ "something with a time", "/f", 0, AFTP_TYPE_UNKNOWN, AFTP_HAVE_MTIME, 0, Y2020,
		{ MIDDLE, REPLY("SIZE /f", "550 no"), REPLY("MDTM /f", "213 20200101000000"), HOME,
			REPLY("CWD /f", "550 no"), STAYS } },
	{ "missing", "/f", AFTP_ENOENT, 0, 0, 0, 0,
		{ MIDDLE, REPLY("SIZE /f", "550 No such file"), REPLY("MDTM /f", "550 No such file"), HOME,
			REPLY("CWD /f", "550 No such file or directory"), STAYS } },
	{ "missing, as only one says", "/f", AFTP_ENOENT, 0, 0, 0, 0,
		{ MIDDLE, REPLY("SIZE /f", "550 Could not get file size."), REPLY("MDTM /f", "550 /f: does not exist"),
			HOME, REPLY("CWD /f", "550 Failed to change directory."), STAYS } },
	{ "nobody says why", "/f", AFTP_EREPLY, 0, 0, 0, 0,
		{ MIDDLE, REPLY("SIZE /f", "550 Could not get file size."),
			REPLY("MDTM /f", "550 Could not get file modification time."), HOME,
			REPLY("CWD /f", "550 Failed to change directory."), STAYS } },
	{ "only CWD says so, and it says so of files", "/f", AFTP_EREPLY, 0, 0, 0, 0,
		{ MIDDLE, REPLY("SIZE /f", "550 no"), REPLY("MDTM /f", "550 no"), HOME,
			REPLY("CWD /f", "550 No such directory"), STAYS } },
	{ "one says missing, another forbidden", "/f", AFTP_EACCES, 0, 0, 0, 0,
		{ MIDDLE, REPLY("SIZE /f", "550 No such file"), REPLY("MDTM /f", "550 Permission denied"), HOME,
			REPLY("CWD /f", "550 no"), STAYS } },
	{ "answers that are none", "/f", AFTP_EPROTO, 0, 0, 0, 0,
		{ MIDDLE, REPLY("SIZE /f", "213 five"), REPLY("MDTM /f", "213 yesterday"), HOME,
			REPLY("CWD /f", "550 no"), STAYS } },

	{ "an old server's directory", "/d", 0, AFTP_TYPE_DIR, 0, 0, 0,
		{ OLD, HOME, REPLY("CWD /d", "250 ok"), STAYS } },
	{ "an old server's file", "/f", 0, AFTP_TYPE_FILE, 0, 0, 0,
		{ OLD, HOME, REPLY("CWD /f", "550 /f is not a directory"), STAYS } },
	{ "an old server says no", "/f", AFTP_EREPLY, 0, 0, 0, 0,
		{ OLD, HOME, REPLY("CWD /f", "550 No such file or directory"), STAYS } },
	{ "where we are", "", 0, AFTP_TYPE_DIR, 0, 0, 0, { MIDDLE, REPLY("PWD", "257 \"/\""), STAYS } },
	{ "a server that tells nothing of itself", "/f", 0, AFTP_TYPE_FILE, AFTP_HAVE_SIZE, 5, 0,
		{ LOGIN, REPLY("MLST /f", "502 no"), REPLY("SIZE /f", "213 5"), REPLY("MDTM /f", "502 no"), STAYS } },
};

static void check_look(const struct look *t, bool byte_by_byte)
{
	struct aftp_entry e = { 0 };
	struct kit k;
	int status;

	kit_begin(&k, t->script);
	k.server.byte_by_byte = byte_by_byte;
	assert_int_equal(kit_connect(&k), 0);
	status = kit_stat(&k, t->path, &e);
	if (status != t->status)
		fail_msg("%s: %s, not %s", t->name, aftp_err_name(status), aftp_err_name(t->status));
	if (status == 0) {
		if (e.type != t->type || (e.have & (AFTP_HAVE_SIZE | AFTP_HAVE_MTIME)) != t->have)
			fail_msg("%s: type %d, have %x", t->name, (int)e.type, (unsigned)e.have);
		assert_true(e.size == t->size);
		assert_true(e.mtime == t->mtime);
		assert_int_equal(e.precision, t->have & AFTP_HAVE_MTIME ? AFTP_TIME_SECOND : AFTP_TIME_NONE);
	}
	if (kit_command(&k, "NOOP", NULL, NULL) != 200)
		fail_msg("%s: out of step", t->name);
	assert_true(aftp_client_idle(k.client));
	kit_end(&k);
}

static void test_looks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
		check_look(&looks[i], false);
}

static void test_looks_in_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
		check_look(&looks[i], true);
}

/* That it does not say why is learned. */
static void test_vague(void **state)
{
	static const struct step script[] = { MODERN, REPLY("MLST /f", "550 no"), HOME,
		REPLY("CWD /f", "550 No such file or directory"), WANT("MLST /g"), WANT("SIZE /g"), SAY("550 no"),
		SAY("550 No such file"), STAYS };
	struct aftp_entry e;
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_stat(&k, "/f", &e), AFTP_ENOENT);
	assert_int_equal(kit_stat(&k, "/g", &e), AFTP_ENOENT);
	assert_non_null(strstr(k.server.segments, "\nMLST /g+SIZE /g+\n"));
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

/* --- the connection ------------------------------------------------------------------------------------ */

static void test_lost(void **state)
{
	static const struct {
		int status;
		struct step script[16];
	} cases[] = {
		{ AFTP_ETIMEDOUT, { MODERN, WANT("MLST"), END } },
		{ AFTP_ECONNRESET, { MODERN, WANT("MLST"), DO(STEP_CLOSE), END } },
		{ AFTP_ECONNRESET, { VAGUE, REPLY("MLST", "550 no"), WANT("SIZE"), DO(STEP_CLOSE), END } },
		{ AFTP_ECONNRESET, { MIDDLE, WANT("SIZE"), DO(STEP_CLOSE), END } },
		{ AFTP_ETIMEDOUT, { MIDDLE, REPLY("SIZE", "213 5"), WANT("MDTM"), END } },
		{ AFTP_ETIMEDOUT, { MIDDLE, REPLY("SIZE", "550 no"), REPLY("MDTM", "550 no"), WANT("PWD"), END } },
		{ AFTP_ECONNRESET, { OLD, HOME, WANT("CWD"), DO(STEP_CLOSE), END } },
		{ AFTP_ECONNRESET, { OLD, HOME, REPLY("CWD", "421 Timeout."), END } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct aftp_entry e;
		struct kit k;

		kit_begin(&k, cases[i].script);
		if (cases[i].status == AFTP_ETIMEDOUT)
			k.o.timeout_ms = SHORT_MS;
		assert_int_equal(kit_connect(&k), 0);
		assert_int_equal(kit_stat(&k, "/f", &e), cases[i].status);
		assert_int_equal(k.lost, 1);
		kit_end(&k);
	}
}

/* SIZE and MDTM, or several MLST, leave in one segment. */
struct many {
	unsigned calls;
	uint64_t sizes;
	bool over;
};

static void on_one(void *arg, int status, const struct aftp_entry *e)
{
	struct many *m = arg;

	assert_int_equal(status, 0);
	m->sizes = m->sizes * 10 + e->size;
	m->over = ++m->calls == 3;
}

static void test_pipelined(void **state)
{
	static const struct step script[] = { MODERN, WANT("MLST /a"), WANT("MLST /b"), WANT("MLST /c"),
		SAY("250-x\r\n type=file;size=1; /a\r\n250 x"), SAY("250-x\r\n type=file;size=2; /b\r\n250 x"),
		SAY("250-x\r\n type=file;size=3; /c\r\n250 x"), STAYS };
	static const char *const paths[] = { "/a", "/b", "/c" };
	struct many m = { 0 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(aftp_client_stat(k.client, paths[i], on_one, &m), 0);
	assert_int_equal(m.calls, 0);
	loop_wait(&k.loop, &m.over, "three stats");
	assert_int_equal(m.sizes, 123);
	assert_non_null(strstr(k.server.segments, "MLST /a+MLST /b+MLST /c+\n"));
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

static void test_what_is_refused_is_not_asked_again(void **state)
{
	static const struct step script[] = { LOGIN, REPLY("MLST /f", "502 no"), WANT("SIZE /f"), WANT("MDTM /f"),
		SAY("502 no"), SAY("502 no"), HOME, REPLY("CWD /f", "250 ok"), REPLY("CWD /g", "250 ok"), STAYS };
	struct aftp_entry e;
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_stat(&k, "/f", &e), 0);
	assert_int_equal(e.type, AFTP_TYPE_DIR);
	assert_non_null(strstr(k.server.segments, "SIZE /f+MDTM /f+\n"));
	assert_int_equal(kit_stat(&k, "/g", &e), 0);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

/* CWD leaves the server elsewhere: what was asked for meanwhile waits for its end. */
static void test_commands_wait(void **state)
{
	static const struct step script[] = { OLD, HOME, WANT("CWD /d"), PAUSE(30), SAY("250 ok"),
		REPLY("CWD /", "250 ok"), REPLY("DELE rel", "250 gone"), STAYS };
	struct many m = { .calls = 2 };
	struct kit k;
	int gone = 0;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(aftp_client_stat(k.client, "/d", on_one, &m), 0);
	assert_int_equal(aftp_client_command(k.client, kit_note_reply, &gone, "DELE", "rel"), 0);
	loop_wait(&k.loop, &m.over, "stat");
	assert_int_equal(gone, 0);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	assert_int_equal(gone, 250);
	kit_end(&k);
}

static void test_bad_arguments(void **state)
{
	static const struct step script[] = { LOGIN, STAYS };
	struct aftp_entry e;
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(aftp_client_stat(k.client, NULL, on_one, NULL), AFTP_EINVAL);
	assert_int_equal(aftp_client_stat(k.client, "/", NULL, NULL), AFTP_EINVAL);
	assert_int_equal(kit_stat(&k, "/a\r\nDELE /b", &e), AFTP_EBADNAME);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_looks),
		cmocka_unit_test(test_looks_in_pieces),
		cmocka_unit_test(test_vague),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_what_is_refused_is_not_asked_again),
		cmocka_unit_test(test_commands_wait),
		cmocka_unit_test(test_bad_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
