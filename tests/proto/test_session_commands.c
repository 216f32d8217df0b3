/* What a session does besides moving data: commands, looking, listing, making, removing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/loop.h"
#include "lib/session_kit.h"

static void fill(struct session_kit *k)
{
	testd_put(&k->d, "/file", "content", 7);
	testd_put(&k->d, "/dir/a", "a", 1);
	testd_put(&k->d, "/dir/two words", "bb", 2);
	testd_put(&k->d, "/dir/sub/deep/c", "ccc", 3);
	testd_put(&k->d, "/dir/[x]/d", "d", 1);
	session_kit_symlink(k, "/dir/sub", "/dir/link");
	session_kit_symlink(k, "a", "/dir/alias");
}

static void begin(struct session_kit *k, const char *const *no)
{
	struct aftp_server_options so = { .faults.no = no };

	session_kit_begin(k, &so, NULL);
	fill(k);
}

/* --- commands ------------------------------------------------------------------------------------- */

static void raw_commands(void **state)
{
	struct session_kit k;
	int code = 0;

	(void)state;
	begin(&k, NULL);
	assert_int_equal(session_kit_command(&k, "NOOP", NULL, NULL, &code), 0);
	assert_int_equal(code / 100, 2);
	assert_int_equal(session_kit_command(&k, "SYST", NULL, "215", &code), 0);
	assert_int_equal(session_kit_command(&k, "NOOP", NULL, "4xx|5xx", &code), AFTP_EREPLY);
	assert_int_equal(code / 100, 2);
	assert_int_equal(session_kit_command(&k, "WHAT", "ever", NULL, &code), AFTP_EREPLY);
	assert_true(code == 500 || code == 502);
	assert_int_equal(session_kit_command(&k, "WHAT", "ever", "50x", NULL), 0);
	assert_int_equal(session_kit_command(&k, "NOOP", "\r\nDELE /file", NULL, NULL), AFTP_EBADNAME);
	assert_int_equal(session_kit_command(&k, "NO\nOP", NULL, NULL, NULL), AFTP_EBADNAME);
	session_kit_assert_remote(&k, "/file", "content", 7);
	session_kit_check(&k);
	session_kit_end(&k);
}

/* Everything at once: answers come to the right callers, in order. */
static void many_callers_at_once(void **state)
{
	enum { N = 200 };
	struct session_kit k;
	struct waited *w = calloc(N, sizeof *w);
	char path[64];

	(void)state;
	begin(&k, NULL);
	for (int i = 0; i < N; i++) {
		snprintf(path, sizeof path, "/%s", i % 3 == 0 ? "file" : i % 3 == 1 ? "missing" : "dir");
		if (i % 4 == 0)
			assert_int_equal(aftp_session_list(k.s, NULL, "/dir", 0, waited_entry, waited_walk, &w[i]), 0);
		else
			assert_int_equal(aftp_session_exists(k.s, NULL, path, waited_op, &w[i]), 0);
	}
	for (int i = 0; i < N; i++) {
		loop_wait(&k.loop, &w[i].over, "an answer");
		assert_int_equal(w[i].calls, 1);
		assert_int_equal(w[i].status, i % 4 == 0 || i % 3 == 1 ? 0 : 1);
		if (i % 4 == 0)
			assert_int_equal(w[i].walk.entries, 6);
	}
	free(w);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void working_directory(void **state)
{
	struct session_kit k;
	struct waited w = { 0 }, p = { 0 }, u = { 0 }, q = { 0 };

	(void)state;
	begin(&k, NULL);
	assert_int_equal(waited_for(&k, &w, aftp_session_cwd(k.s, NULL, "/dir/sub", waited_op, &w)), 0);
	assert_int_equal(waited_for(&k, &p, aftp_session_pwd(k.s, NULL, waited_path, &p)), 0);
	assert_string_equal(p.text, "/dir/sub");
	assert_int_equal(session_kit_exists(&k, "deep/c"), 1);
	assert_int_equal(waited_for(&k, &u, aftp_session_cwd(k.s, NULL, "..", waited_op, &u)), 0);
	assert_int_equal(waited_for(&k, &q, aftp_session_pwd(k.s, NULL, waited_path, &q)), 0);
	assert_string_equal(q.text, "/dir");
	memset(&w, 0, sizeof w);
	assert_int_equal(waited_for(&k, &w, aftp_session_cwd(k.s, NULL, "/nowhere", waited_op, &w)), AFTP_ENOENT);
	session_kit_end(&k);
}

static void renames(void **state)
{
	struct session_kit k;

	(void)state;
	begin(&k, NULL);
	assert_int_equal(session_kit_rename(&k, "/file", "/dir/moved"), 0);
	session_kit_assert_remote(&k, "/dir/moved", "content", 7);
	session_kit_assert_remote(&k, "/file", NULL, 0);
	assert_int_equal(session_kit_rename(&k, "/dir", "/elsewhere"), 0);
	session_kit_assert_remote(&k, "/elsewhere/sub/deep/c", "ccc", 3);
	assert_int_equal(session_kit_rename(&k, "/missing", "/x"), AFTP_ENOENT);
	assert_int_equal(session_kit_rename(&k, "/elsewhere/a", "/no/such/folder/x"), AFTP_ENOENT);
	assert_int_equal(session_kit_rename(&k, "/elsewhere/a", "/x\n"), AFTP_EBADNAME);
	assert_int_equal(session_kit_rename(&k, "/elsewhere/a", ""), AFTP_EINVAL);
	session_kit_check(&k);
	session_kit_end(&k);
}

/* Two at once must not take each other's RNFR. */
static void renames_do_not_mix(void **state)
{
	struct session_kit k;
	struct waited a = { 0 }, b = { 0 };

	(void)state;
	begin(&k, NULL);
	assert_int_equal(aftp_session_rename(k.s, NULL, "/file", "/first", waited_op, &a), 0);
	assert_int_equal(aftp_session_rename(k.s, NULL, "/dir/a", "/second", waited_op, &b), 0);
	assert_int_equal(waited_for(&k, &a, 0), 0);
	loop_wait(&k.loop, &b.over, "the second");
	assert_int_equal(b.status, 0);
	session_kit_assert_remote(&k, "/first", "content", 7);
	session_kit_assert_remote(&k, "/second", "a", 1);
	session_kit_end(&k);
}

/* --- looking -------------------------------------------------------------------------------------- */

/* The same answers, whatever the server has. */
static void looks_with_what_there_is(void **state)
{
	static const char *const none[] = { NULL }, *const no_mlst[] = { "MLST", "MLSD", NULL },
				 *const only_list[] = { "MLST", "MLSD", "SIZE", "MDTM", NULL };
	static const char *const *const without[] = { none, no_mlst, only_list };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct session_kit k;
		struct waited w = { 0 }, f = { 0 }, d = { 0 }, m = { 0 };

		begin(&k, without[i]);
		assert_int_equal(waited_for(&k, &w, aftp_session_stat(k.s, NULL, "/file", waited_stat, &w)), 0);
		assert_string_equal(w.text, "file");
		assert_int_equal(w.entry.type, AFTP_TYPE_FILE);
		assert_true(w.entry.have & AFTP_HAVE_SIZE);
		assert_int_equal(w.entry.size, 7);
		assert_int_equal(session_kit_exists(&k, "/file"), 1);
		assert_int_equal(session_kit_exists(&k, "/dir/"), 1);
		assert_int_equal(session_kit_exists(&k, "/missing"), 0);
		assert_int_equal(session_kit_exists(&k, "/missing/too"), 0);
		assert_int_equal(session_kit_exists(&k, "/dir/two words"), 1);
		assert_int_equal(waited_for(&k, &f, aftp_session_is_file(k.s, NULL, "/file", waited_op, &f)), 1);
		assert_int_equal(waited_for(&k, &d, aftp_session_is_file(k.s, NULL, "/dir", waited_op, &d)), 0);
		memset(&f, 0, sizeof f);
		memset(&d, 0, sizeof d);
		assert_int_equal(waited_for(&k, &f, aftp_session_is_dir(k.s, NULL, "/file", waited_op, &f)), 0);
		assert_int_equal(waited_for(&k, &d, aftp_session_is_dir(k.s, NULL, "/dir", waited_op, &d)), 1);
		assert_int_equal(waited_for(&k, &m, aftp_session_is_dir(k.s, NULL, "/missing", waited_op, &m)), 0);
		session_kit_check(&k);
		session_kit_end(&k);
	}
}

/* A server whose refusals have no words: only the parent's listing tells. */
static void looks_in_the_parent(void **state)
{
	static const struct step script[] = { LOGIN, REPLY("MLST", "502 no"), REPLY("SIZE /d/here", "550 no"),
		REPLY("MDTM /d/here", "550 no"), REPLY("PWD", "257 \"/\""), REPLY("CWD /d/here", "550 no"),
		WANT("EPSV"), DO(STEP_LISTEN), SAY("229 here (%E)"), DO(STEP_ACCEPT), REPLY("MLSD /d", "502 no"),
		REPLY("EPSV", "229 here (%E)"), DO(STEP_ACCEPT), WANT("LIST -a /d"), SAY("150 go"),
		DATA("drwxr-xr-x 2 u g 0 Jan  1 2020 .\r\n-rw-r--r-- 1 u g 5 Jan  1 2020 here\r\n"), DO(STEP_END_DATA),
		SAY("226 done"),
		/* the second time */
		REPLY("SIZE /d/gone", "550 no"), REPLY("MDTM /d/gone", "550 no"), REPLY("CWD /d/gone", "550 no"),
		REPLY("EPSV", "229 here (%E)"), DO(STEP_ACCEPT), WANT("LIST -a /d"), SAY("150 go"),
		DATA("drwxr-xr-x 2 u g 0 Jan  1 2020 .\r\n-rw-r--r-- 1 u g 5 Jan  1 2020 here\r\n"), DO(STEP_END_DATA),
		SAY("226 done"),
		/* with a line that nobody knows, absence is not proven */
		REPLY("SIZE /d/gone", "550 no"), REPLY("MDTM /d/gone", "550 no"), REPLY("CWD /d/gone", "550 no"),
		REPLY("EPSV", "229 here (%E)"), DO(STEP_ACCEPT), WANT("LIST -a /d"), SAY("150 go"),
		DATA("drwxr-xr-x 2 u g 0 Jan  1 2020 .\r\n?*#! what is this\r\n"), DO(STEP_END_DATA), SAY("226 done"),
		END };
	struct session_kit k;
	struct waited w = { 0 };

	(void)state;
	session_kit_begin_scripted(&k, script);
	assert_int_equal(waited_for(&k, &w, aftp_session_stat(k.s, NULL, "/d/here", waited_stat, &w)), 0);
	assert_int_equal(w.entry.size, 5);
	assert_int_equal(session_kit_exists(&k, "/d/gone"), 0);
	assert_int_equal(session_kit_exists(&k, "/d/gone"), AFTP_EREPLY);
	assert_true(k.server.finished);
	session_kit_end(&k);
}

/* --- listing -------------------------------------------------------------------------------------- */

static void lists(void **state)
{
	struct session_kit k;
	struct waited w = { 0 }, r = { 0 }, p = { 0 };

	(void)state;
	begin(&k, NULL);
	assert_int_equal(session_kit_list(&k, &w, "/dir", 0), 0);
	assert_int_equal(w.walk.entries, 6);
	assert_int_equal(w.walk.folders, 1);
	assert_non_null(strstr(w.names, " /dir/two words "));
	assert_non_null(strstr(w.names, " /dir/sub/ "));
	assert_int_equal(session_kit_list(&k, &r, "/", AFTP_RECURSIVE), 0);
	assert_int_equal(r.walk.entries, 11);
	assert_int_equal(r.walk.folders, 5);
	/* Nearest first; the link is shown and not followed. */
	assert_non_null(strstr(r.names, " /dir/link"));
	assert_null(strstr(r.names, " /dir/link/"));
	assert_true(strstr(r.names, " /dir/[x]/") < strstr(r.names, " /dir/[x]/d"));
	assert_true(strstr(r.names, " /dir/[x]/d") < strstr(r.names, " /dir/sub/deep/c"));
	assert_int_equal(session_kit_list(&k, &p, "/dir", AFTP_PLAIN_LIST | AFTP_RECURSIVE), 0);
	assert_int_equal(p.walk.entries, 9);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void lists_what_is_no_folder(void **state)
{
	struct session_kit k;
	struct waited w = { 0 }, m = { 0 };

	(void)state;
	begin(&k, NULL);
	assert_int_equal(session_kit_list(&k, &w, "/file", 0), -ENOTDIR);
	assert_string_equal(w.path, "/file");
	assert_int_equal(session_kit_list(&k, &m, "/missing", AFTP_RECURSIVE), AFTP_ENOENT);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void a_listing_can_be_stopped(void **state)
{
	struct session_kit k;

	(void)state;
	begin(&k, NULL);
	for (unsigned i = 1; i <= 9; i++) {
		struct waited stop = { .answer = -77, .answer_at = i }, cancel = { .cancel_at = i };

		assert_int_equal(session_kit_list(&k, &stop, "/dir", AFTP_RECURSIVE), -77);
		assert_int_equal(stop.entries, i);
		session_kit_check(&k);
		assert_int_equal(session_kit_list(&k, &cancel, "/dir", AFTP_RECURSIVE), AFTP_ECANCELED);
		session_kit_check(&k);
	}
	session_kit_end(&k);
}

/* Names that would lead elsewhere are no names. */
static void distrusts_names(void **state)
{
	static const struct step script[] = { LOGIN, EPSV, DO(STEP_ACCEPT), WANT("MLSD /d"), SAY("150 go"),
		DATA("type=dir; ../../etc\r\ntype=file; a/b\r\ntype=file; good\r\ntype=dir; ..\r\ntype=dir; .\r\n"),
		DO(STEP_END_DATA), SAY("226 done"), REPLY("PWD", "257 \"/\""), END };
	struct session_kit k;
	struct waited w = { 0 };

	(void)state;
	session_kit_begin_scripted(&k, script);
	assert_int_equal(session_kit_list(&k, &w, "/d", AFTP_RECURSIVE), 0);
	assert_string_equal(w.names, " /d/good");
	assert_int_equal(w.walk.entries, 1);
	assert_int_equal(w.walk.unknown, 2);
	session_kit_check(&k);
	session_kit_end(&k);
}

/* A server that follows its links shows a tree without an end. */
static void does_not_go_in_circles(void **state)
{
	static const struct step script[] = { LOGIN, EPSV, DO(STEP_ACCEPT), WANT("MLSD /d"), SAY("150 go"),
		DATA("type=cdir;unique=1; .\r\ntype=dir;unique=2; sub\r\n"), DO(STEP_END_DATA), SAY("226 done"),
		REPLY("EPSV", "229 here (%E)"), DO(STEP_ACCEPT), WANT("MLSD /d/sub"), SAY("150 go"),
		DATA("type=cdir;unique=2; .\r\ntype=dir;unique=1; up\r\ntype=dir;unique=2; self\r\n"),
		DO(STEP_END_DATA), SAY("226 done"), END };
	struct session_kit k;
	struct waited w = { 0 };

	(void)state;
	session_kit_begin_scripted(&k, script);
	assert_int_equal(session_kit_list(&k, &w, "/d", AFTP_RECURSIVE), 0);
	assert_string_equal(w.names, " /d/sub/ /d/sub/up/ /d/sub/self/");
	assert_int_equal(w.walk.folders, 2);
	assert_true(k.server.finished);
	session_kit_end(&k);
}

static void keeps_going(void **state)
{
	static const struct step listing[] = { LOGIN, EPSV, DO(STEP_ACCEPT), WANT("MLSD /d"), SAY("150 go"),
		DATA("type=dir; secret\r\ntype=dir; open\r\n"), DO(STEP_END_DATA), SAY("226 done"),
		REPLY("EPSV", "229 here (%E)"), DO(STEP_ACCEPT), REPLY("MLSD /d/secret", "550 Permission denied"),
		REPLY("EPSV", "229 here (%E)"), DO(STEP_ACCEPT), WANT("MLSD /d/open"), SAY("150 go"),
		DATA("type=file; x\r\n"), DO(STEP_END_DATA), SAY("226 done"), END };
	struct session_kit k;
	struct waited w = { 0 };

	(void)state;
	session_kit_begin_scripted(&k, listing);
	assert_int_equal(session_kit_list(&k, &w, "/d", AFTP_RECURSIVE | AFTP_KEEP_GOING), AFTP_EACCES);
	assert_string_equal(w.names, " /d/secret/ /d/open/ /d/open/x");
	assert_string_equal(w.path, "/d/secret");
	assert_int_equal(w.walk.failed, 1);
	session_kit_end(&k);
}

/* --- making --------------------------------------------------------------------------------------- */

static void makes_folders(void **state)
{
	struct session_kit k;

	(void)state;
	begin(&k, NULL);
	assert_int_equal(session_kit_mkdir(&k, "/new", 0), 0);
	assert_int_equal(session_kit_mkdir(&k, "/new", 0), -EEXIST);
	assert_int_equal(session_kit_mkdir(&k, "/new/", AFTP_PARENTS), 0);
	assert_int_equal(session_kit_mkdir(&k, "/file", AFTP_PARENTS), -EEXIST);
	assert_int_equal(session_kit_mkdir(&k, "/x/y/z", 0), AFTP_ENOENT);
	assert_int_equal(session_kit_mkdir(&k, "/x/y/z", AFTP_PARENTS), 0);
	assert_int_equal(session_kit_exists(&k, "/x/y/z"), 1);
	assert_int_equal(session_kit_mkdir(&k, "rel/a/b/c/d", AFTP_PARENTS), 0);
	assert_int_equal(session_kit_exists(&k, "/rel/a/b/c/d"), 1);
	assert_true(session_kit_mkdir(&k, "/file/below", AFTP_PARENTS) < 0);
	assert_int_equal(session_kit_mkdir(&k, "", 0), AFTP_EINVAL);
	assert_int_equal(session_kit_mkdir(&k, "/a\nb", 0), AFTP_EBADNAME);
	session_kit_check(&k);
	session_kit_end(&k);
}

/* No words: what is there tells. */
static void makes_what_a_terse_server_has(void **state)
{
	static const struct step script[] = { LOGIN, REPLY("MKD /d/e", "550 Failed"), REPLY("MKD /d", "550 Failed"),
		REPLY("MKD /d/e", "550 Failed"), REPLY("MLST", "502 no"), REPLY("SIZE /d/e", "550 Failed"),
		REPLY("MDTM /d/e", "550 Failed"), REPLY("PWD", "257 \"/\""), REPLY("CWD /d/e", "250 ok"), END };
	struct session_kit k;

	(void)state;
	session_kit_begin_scripted(&k, script);
	assert_int_equal(session_kit_mkdir(&k, "/d/e", AFTP_PARENTS), 0);
	assert_true(k.server.finished);
	session_kit_end(&k);
}

/* --- removing ------------------------------------------------------------------------------------- */

static void removes(void **state)
{
	struct session_kit k;

	(void)state;
	begin(&k, NULL);
	assert_int_equal(session_kit_remove(&k, "/file", 0), 0);
	assert_int_equal(session_kit_remove(&k, "/file", 0), AFTP_ENOENT);
	assert_int_equal(session_kit_remove(&k, "/file", AFTP_RECURSIVE), AFTP_ENOENT);
	assert_int_equal(session_kit_remove(&k, "/dir", 0), -ENOTEMPTY);
	assert_int_equal(session_kit_mkdir(&k, "/empty", 0), 0);
	assert_int_equal(session_kit_remove(&k, "/empty/", 0), 0);
	assert_int_equal(session_kit_exists(&k, "/empty"), 0);
	assert_int_equal(session_kit_remove(&k, "/", AFTP_RECURSIVE), AFTP_EINVAL);
	assert_int_equal(session_kit_remove(&k, "..", AFTP_RECURSIVE), AFTP_EINVAL);
	assert_int_equal(session_kit_remove(&k, "/dir/.", AFTP_RECURSIVE), AFTP_EINVAL);
	assert_int_equal(session_kit_remove(&k, "", 0), AFTP_EINVAL);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void removes_trees(void **state)
{
	static const char *const none[] = { NULL }, *const no_mlsd[] = { "MLST", "MLSD", NULL };
	static const char *const *const without[] = { none, no_mlsd };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct session_kit k;
		char path[64];

		begin(&k, without[i]);
		for (int j = 0; j < 100; j++) {
			snprintf(path, sizeof path, "/dir/many/file %d", j);
			testd_put(&k.d, path, "x", 1);
		}
		/* To the outside: what it leads to stays. */
		testd_put(&k.d, "/outside/kept", "kept", 4);
		session_kit_symlink(&k, "/outside", "/dir/sub/out");
		session_kit_symlink(&k, "/nowhere", "/dir/sub/dangling");
		assert_int_equal(session_kit_remove(&k, "/dir", AFTP_RECURSIVE), 0);
		assert_int_equal(session_kit_exists(&k, "/dir"), 0);
		session_kit_assert_remote(&k, "/outside/kept", "kept", 4);
		session_kit_assert_remote(&k, "/file", "content", 7);
		session_kit_check(&k);
		session_kit_end(&k);
	}
}

static void removes_a_link_and_not_what_it_leads_to(void **state)
{
	struct session_kit k;

	(void)state;
	begin(&k, NULL);
	assert_int_equal(session_kit_remove(&k, "/dir/link", AFTP_RECURSIVE), 0);
	session_kit_assert_remote(&k, "/dir/sub/deep/c", "ccc", 3);
	assert_int_equal(session_kit_remove(&k, "/dir/alias", 0), 0);
	session_kit_assert_remote(&k, "/dir/a", "a", 1);
	session_kit_end(&k);
}

/* A server that shows a link as a folder and lets nobody remove it: it is not gone into. */
static void does_not_remove_through_a_link(void **state)
{
	static const struct step script[] = { LOGIN, REPLY("DELE /d", "550 Failed"),
		REPLY("RMD /d", "550 Directory not empty"), EPSV, DO(STEP_ACCEPT), WANT("MLSD /d"), SAY("150 go"),
		DATA("type=dir; link\r\n"), DO(STEP_END_DATA), SAY("226 done"), REPLY("DELE /d/link", "550 Failed"),
		REPLY("RMD /d/link", "550 Failed"), REPLY("EPSV", "229 here (%E)"), DO(STEP_ACCEPT), WANT("LIST -a /d"),
		SAY("150 go"),
		DATA("drwxr-xr-x 2 u g 0 Jan  1 2020 .\r\nlrwxrwxrwx 1 u g 4 Jan  1 2020 link -> /etc\r\n"),
		DO(STEP_END_DATA), SAY("226 done"), END };
	struct session_kit k;

	(void)state;
	session_kit_begin_scripted(&k, script);
	assert_int_equal(session_kit_remove(&k, "/d", AFTP_RECURSIVE), AFTP_EREPLY);
	assert_true(k.server.finished);
	session_kit_end(&k);
}

static void a_removal_can_be_canceled(void **state)
{
	(void)state;
	for (unsigned ms = 0; ms < 20; ms++) {
		struct session_kit k;
		struct waited w = { 0 };

		begin(&k, NULL);
		assert_int_equal(aftp_session_remove(k.s, &w.op, "/dir", AFTP_RECURSIVE, waited_op, &w), 0);
		if (ms > 0)
			loop_run_for(&k.loop, ms);
		if (!w.over)
			aftp_op_cancel(w.op);
		loop_wait(&k.loop, &w.over, "the end");
		assert_int_equal(w.calls, 1);
		assert_true(w.status == 0 || w.status == AFTP_ECANCELED);
		session_kit_check(&k);
		session_kit_end(&k);
	}
}

/* --- the end of everything ------------------------------------------------------------------------ */

static void aborts(void **state)
{
	struct session_kit k;
	struct waited n = { 0 }, w = { 0 }, a = { 0 };
	struct aftp_data *d;
	char buf[16];

	(void)state;
	begin(&k, NULL);
	testd_pattern(&k.d, "/big", 8 << 20, 1);
	assert_int_equal(waited_for(&k, &n, aftp_session_abort(k.s, NULL, waited_op, &n)), 0); /* nothing to abort */
	assert_int_equal(aftp_download_stream(k.s, &d, "/big", 0), 0);
	assert_int_equal(session_kit_read(&k, d, buf, sizeof buf), sizeof buf);
	assert_int_equal(aftp_session_list(k.s, NULL, "/dir", AFTP_RECURSIVE, waited_entry, waited_walk, &w), 0);
	assert_int_equal(waited_for(&k, &a, aftp_session_abort(k.s, NULL, waited_op, &a)), 0);
	assert_int_equal(w.calls, 1);
	assert_int_equal(w.status, AFTP_ECANCELED);
	assert_int_equal(session_kit_read(&k, d, buf, sizeof buf), AFTP_ECANCELED);
	session_kit_check(&k);
	session_kit_close_data(&k, &d);
	session_kit_end(&k);
}

static void closing_ends_everything(void **state)
{
	enum { N = 12 };
	struct session_kit k;
	struct waited *w = calloc(N, sizeof *w);

	(void)state;
	begin(&k, NULL);
	for (int i = 0; i < N; i += 6) {
		assert_int_equal(
			aftp_session_list(k.s, NULL, "/", AFTP_RECURSIVE, waited_entry, waited_walk, &w[i]), 0);
		assert_int_equal(aftp_session_stat(k.s, NULL, "/file", waited_stat, &w[i + 1]), 0);
		assert_int_equal(aftp_session_remove(k.s, NULL, "/dir", AFTP_RECURSIVE, waited_op, &w[i + 2]), 0);
		assert_int_equal(aftp_session_command(k.s, NULL, "NOOP", NULL, NULL, waited_reply, &w[i + 3]), 0);
		assert_int_equal(aftp_session_mkdir(k.s, NULL, "/q/w/e", AFTP_PARENTS, waited_op, &w[i + 4]), 0);
		assert_int_equal(aftp_session_pwd(k.s, NULL, waited_path, &w[i + 5]), 0);
	}
	session_kit_close(&k);
	for (int i = 0; i < N; i++) {
		assert_int_equal(w[i].calls, 1);
		assert_int_equal(w[i].status, AFTP_ECANCELED);
	}
	free(w);
	session_kit_end(&k);
}

static void says_quit(void **state)
{
	struct session_kit k;
	bool closed = false;

	(void)state;
	begin(&k, NULL);
	aftp_session_quit(&k.s, loop_set_flag, &closed);
	assert_null(k.s);
	loop_wait(&k.loop, &closed, "quit");
	assert_int_equal(testd_count(&k.d, "QUIT"), 1);
	aftp_session_close(&k.s, loop_set_flag, &closed); /* NULL already */
	session_kit_end(&k);
}

static void after_a_loss_every_call_says_so(void **state)
{
	static const struct step script[] = { LOGIN, WANT("NOOP"), DO(STEP_CLOSE), END };
	struct session_kit k;
	struct waited w = { 0 };

	(void)state;
	session_kit_begin_scripted(&k, script);
	assert_true(session_kit_command(&k, "NOOP", NULL, NULL, NULL) < 0);
	assert_int_equal(session_kit_exists(&k, "/file"), AFTP_ENOTCONN);
	assert_int_equal(session_kit_list(&k, &w, "/", 0), AFTP_ENOTCONN);
	assert_int_equal(session_kit_mkdir(&k, "/x", AFTP_PARENTS), AFTP_ENOTCONN);
	assert_int_equal(session_kit_remove(&k, "/x", 0), AFTP_ENOTCONN);
	assert_int_equal(session_kit_rename(&k, "/x", "/y"), AFTP_ENOTCONN);
	assert_int_equal(aftp_session_abort(k.s, NULL, waited_op, &w), AFTP_ENOTCONN);
	session_kit_end(&k);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(raw_commands),
		cmocka_unit_test(many_callers_at_once),
		cmocka_unit_test(working_directory),
		cmocka_unit_test(renames),
		cmocka_unit_test(renames_do_not_mix),
		cmocka_unit_test(looks_with_what_there_is),
		cmocka_unit_test(looks_in_the_parent),
		cmocka_unit_test(lists),
		cmocka_unit_test(lists_what_is_no_folder),
		cmocka_unit_test(a_listing_can_be_stopped),
		cmocka_unit_test(distrusts_names),
		cmocka_unit_test(does_not_go_in_circles),
		cmocka_unit_test(keeps_going),
		cmocka_unit_test(makes_folders),
		cmocka_unit_test(makes_what_a_terse_server_has),
		cmocka_unit_test(removes),
		cmocka_unit_test(removes_trees),
		cmocka_unit_test(removes_a_link_and_not_what_it_leads_to),
		cmocka_unit_test(does_not_remove_through_a_link),
		cmocka_unit_test(a_removal_can_be_canceled),
		cmocka_unit_test(aborts),
		cmocka_unit_test(closing_ends_everything),
		cmocka_unit_test(says_quit),
		cmocka_unit_test(after_a_loss_every_call_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
