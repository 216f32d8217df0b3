/* What a client can be told beforehand: how to ask for data connections, how to read listings, how names are written. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/kit.h"
#include "lib/loop.h"
#include "lib/session_kit.h"

#define PASV  WANT("PASV"), DO(STEP_LISTEN), SAY("227 Entering (%P).")
#define MOVE  DO(STEP_ACCEPT), WANT("RETR"), SAY("150 go"), DO(STEP_END_DATA), SAY("226 done")
#define STAYS REPLY("NOOP", "200 still here"), END

/* --- passive mode --------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum aftp_passive passive;
	int first, second; /* status of two downloads */
	struct step script[40];
} orders[] = {
	{ "EPSV, then PASV", AFTP_PASSIVE_EPSV_PASV, 0, 0,
		{ LOGIN, REPLY("EPSV", "502 no"), PASV, MOVE, PASV, MOVE, STAYS } },
	{ "PASV, then EPSV", AFTP_PASSIVE_PASV_EPSV, 0, 0,
		{ LOGIN, REPLY("PASV", "502 no"), EPSV, MOVE, EPSV, MOVE, STAYS } },
	{ "PASV first, and it works", AFTP_PASSIVE_PASV_EPSV, 0, 0, { LOGIN, PASV, MOVE, PASV, MOVE, STAYS } },
	{ "PASV not now", AFTP_PASSIVE_PASV_EPSV, 0, 0,
		{ LOGIN, REPLY("PASV", "425 not now"), EPSV, MOVE, PASV, MOVE, STAYS } },
	{ "a PASV that leads nowhere", AFTP_PASSIVE_PASV_EPSV, 0, 0,
		{ LOGIN, WANT("PASV"), DO(STEP_NO_PORT), SAY("227 here (%P)"), EPSV, MOVE, EPSV, MOVE, STAYS } },
	{ "EPSV only", AFTP_PASSIVE_EPSV, AFTP_ENOTSUP, AFTP_ENOTSUP,
		{ LOGIN, REPLY("EPSV", "502 no"), REPLY("EPSV", "502 no"), STAYS } },
	{ "EPSV only, and it works", AFTP_PASSIVE_EPSV, 0, 0, { LOGIN, EPSV, MOVE, EPSV, MOVE, STAYS } },
	{ "PASV only", AFTP_PASSIVE_PASV, AFTP_ENOTSUP, AFTP_ENOTSUP,
		{ LOGIN, REPLY("PASV", "502 no"), REPLY("PASV", "502 no"), STAYS } },
	{ "neither", AFTP_PASSIVE_PASV_EPSV, AFTP_ENOTSUP, AFTP_ENOTSUP,
		{ LOGIN, REPLY("PASV", "502 no"), REPLY("EPSV", "502 no"), REPLY("PASV", "502 no"), STAYS } },
};

static void test_passive_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
		struct kit_get g = { 0 }, h = { 0 };
		struct kit k;

		print_message("%s\n", orders[i].name);
		kit_begin(&k, orders[i].script);
		k.o.passive = orders[i].passive;
		assert_int_equal(kit_connect(&k), 0);
		assert_int_equal(kit_get(&g, &k, "/f", 0), orders[i].first);
		assert_int_equal(kit_get(&h, &k, "/f", 0), orders[i].second);
		assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
		assert_true(k.server.finished);
		kit_get_free(&g);
		kit_get_free(&h);
		kit_end(&k);
	}
}

/* --- a parser of one's own ------------------------------------------------------------------------ */

struct parser {
	unsigned calls;
	bool all; /* takes every line for a name */
};

/* "NAME is a file of N" */
static enum aftp_line parse(void *arg, struct aftp_entry *e, const char *line, size_t len, int64_t now)
{
	struct parser *p = arg;
	const char *is = memmem(line, len, " is a file of ", 14);

	assert_true(now > 1500000000);
	p->calls++;
	if (p->all) {
		e->name = line;
		e->name_len = len;
		return AFTP_LINE_ENTRY;
	}
	if (len > 1 && line[0] == '#')
		return AFTP_LINE_IGNORE;
	if (!is)
		return AFTP_LINE_UNKNOWN;
	e->name = line;
	e->name_len = (size_t)(is - line);
	e->type = AFTP_TYPE_FILE;
	return AFTP_LINE_ENTRY;
}

#define LISTED                                                                                              \
	EPSV, DO(STEP_ACCEPT), WANT("LIST -a /d"), SAY("150 go"),                                           \
		DATA("drwxr-xr-x 2 u g 0 Jan  1 2020 .\r\n-rw-r--r-- 1 u g 5 Jan  1 2020 unix\r\n"          \
		     "# a remark\r\nmine is a file of 7\r\n?\r\nA_VMS_NAME.TXT;1 is a file of 3\r\n. is a " \
		     "file of 1\r\n"),                                                                      \
		DO(STEP_END_DATA), SAY("226 done")

static void list_with(struct parser *p, bool last, const char *names, uint64_t unknown, unsigned calls)
{
	static const struct step script[] = { LOGIN, LISTED, STAYS };
	struct kit_list l = { 0 };
	struct kit k;

	kit_begin(&k, script);
	k.o.no_mlsd = true;
	k.o.list_parser = parse;
	k.o.list_parser_arg = p;
	k.o.list_parser_last = last;
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_list(&l, &k, "/d"), 0);
	assert_string_equal(l.names, names);
	assert_int_equal(l.unknown, unknown);
	if (calls > 0)
		assert_int_equal(p->calls, calls);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

static void test_list_parser(void **state)
{
	struct parser first = { 0 }, last = { 0 }, all = { .all = true }, all_last = { .all = true };

	(void)state;
	list_with(&first, false, "unix mine A_VMS_NAME.TXT;1", 1, 7);
	list_with(&last, true, "unix mine A_VMS_NAME.TXT;1", 1, 5);
	list_with(&all, false,
		"drwxr-xr-x 2 u g 0 Jan  1 2020 . -rw-r--r-- 1 u g 5 Jan  1 2020 unix # a remark mine is a file of 7 ? "
		"A_VMS_NAME.TXT;1 is a file of 3 . is a file of 1",
		0, 7);
	list_with(&all_last, true,
		"unix # a remark mine is a file of 7 ? A_VMS_NAME.TXT;1 is a file of 3 . is a file of 1", 0, 5);
}

/* --- names ---------------------------------------------------------------------------------------- */

#define CAFE   "/caf\351"     /* on the server */
#define CAFE_8 "/caf\303\251" /* here */

static void begin_latin(struct session_kit *k, const char *const *no)
{
	const struct aftp_server_options so = { .faults.no = no };
	const struct aftp_client_options o = { .encoding = "ISO-8859-1" };

	session_kit_begin(k, &so, &o);
	testd_put(&k->d, CAFE "/\374ber.txt", "content", 7);
	session_kit_symlink(k, "\374ber.txt", CAFE "/link");
}

static void test_encoding(void **state)
{
	static const char *const none[] = { NULL }, *const only_list[] = { "MLST", "MLSD", "SIZE", "MDTM", NULL };
	static const char *const *const without[] = { none, only_list };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct session_kit k;
		struct waited w = { 0 }, s = { 0 }, c = { 0 }, p = { 0 }, d = { 0 }, u = { 0 }, r = { 0 };
		char path[300];

		begin_latin(&k, without[i]);
		assert_int_equal(session_kit_list(&k, &w, "/", AFTP_RECURSIVE), 0);
		assert_non_null(strstr(w.names, " " CAFE_8 "/ "));
		assert_non_null(strstr(w.names, " " CAFE_8 "/\303\274ber.txt"));
		assert_int_equal(
			waited_for(&k, &s, aftp_session_stat(k.s, NULL, CAFE_8 "/\303\274ber.txt", waited_stat, &s)),
			0);
		assert_string_equal(s.text, "\303\274ber.txt");
		assert_int_equal(s.entry.size, 7);
		assert_int_equal(waited_for(&k, &c, aftp_session_cwd(k.s, NULL, CAFE_8, waited_op, &c)), 0);
		assert_int_equal(waited_for(&k, &p, aftp_session_pwd(k.s, NULL, waited_path, &p)), 0);
		assert_string_equal(p.text, CAFE_8);
		memset(&c, 0, sizeof c);
		assert_int_equal(waited_for(&k, &c, aftp_session_cwd(k.s, NULL, "/", waited_op, &c)), 0);
		assert_int_equal(
			session_kit_download(&k, &d, CAFE_8, session_kit_local(&k, "got", path, sizeof path), 0), 0);
		session_kit_assert_local(&k, "got/\303\274ber.txt", "content", 7);
		assert_int_equal(
			session_kit_upload(&k, &u, session_kit_local(&k, "got", path, sizeof path), "/\304", 0),
			-EILSEQ);
		assert_int_equal(session_kit_exists(&k, "/\303\204"), 0);
		memset(&u, 0, sizeof u);
		assert_int_equal(
			session_kit_upload(&k, &u, session_kit_local(&k, "got", path, sizeof path), "/\303\204", 0), 0);
		session_kit_assert_remote(&k, "/\304/\374ber.txt", "content", 7);
		assert_int_equal(session_kit_rename(&k, "/\303\204/\303\274ber.txt", "/\303\226"), 0);
		session_kit_assert_remote(&k, "/\326", "content", 7);
		assert_int_equal(session_kit_remove(&k, CAFE_8, AFTP_RECURSIVE), 0);
		assert_int_equal(session_kit_list(&k, &r, "/", AFTP_RECURSIVE), 0);
		assert_null(strstr(r.names, CAFE_8));
		session_kit_check(&k);
		session_kit_end(&k);
	}
}

/* A server that has no such letter is not asked. */
static void test_no_such_letter(void **state)
{
	struct session_kit k;
	struct waited w = { 0 };
	struct aftp_data *d = NULL;

	(void)state;
	begin_latin(&k, NULL);
	assert_int_equal(session_kit_mkdir(&k, "/\346\227\245", 0), -EILSEQ);
	assert_int_equal(session_kit_mkdir(&k, "/a/\346\227\245/b", AFTP_PARENTS), -EILSEQ);
	assert_int_equal(session_kit_exists(&k, "/\377"), -EILSEQ);
	assert_int_equal(session_kit_list(&k, &w, "/\346\227\245", 0), -EILSEQ);
	assert_int_equal(session_kit_rename(&k, CAFE_8, "/\346\227\245"), -EILSEQ);
	assert_int_equal(session_kit_command(&k, "SITE", "X \346\227\245", NULL, NULL), -EILSEQ);
	assert_int_equal(aftp_download_stream(k.s, &d, "/\346\227\245", 0), -EILSEQ);
	assert_int_equal(aftp_upload_stream(k.s, &d, "/\346\227\245", 0), -EILSEQ);
	assert_null(d);
	assert_int_equal(session_kit_exists(&k, CAFE_8), 1);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void test_no_such_encoding(void **state)
{
	const struct aftp_client_options o = { .host = "127.0.0.1", .encoding = "UTF-16" };
	struct aftp_client *c = NULL;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(aftp_client_new(&c, &loop, &o), AFTP_EINVAL);
	assert_null(c);
	loop_finish(&loop);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passive_order),
		cmocka_unit_test(test_list_parser),
		cmocka_unit_test(test_encoding),
		cmocka_unit_test(test_no_such_letter),
		cmocka_unit_test(test_no_such_encoding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
