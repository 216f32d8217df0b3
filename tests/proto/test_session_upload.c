/* Uploads of files and trees: where they land, whether they are whole, and how they go on. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/loop.h"
#include "lib/session_kit.h"

enum { BIG = 5 << 20 };

static char *big;

static int make_big(void **state)
{
	(void)state;
	big = malloc(BIG);
	assert_non_null(big);
	aftp_memfs_pattern(9, 0, big, BIG);
	return 0;
}

static int free_big(void **state)
{
	(void)state;
	free(big);
	return 0;
}

static void fill(struct session_kit *k)
{
	char path[512];

	session_kit_put_local(k, "tree/a", "a", 1);
	session_kit_put_local(k, "tree/two words", "bb", 2);
	session_kit_put_local(k, "tree/sub/deep/c", "ccc", 3);
	session_kit_put_local(k, "tree/sub/[x]", "x", 1);
	session_kit_put_local(k, "tree/none", "", 0);
	session_kit_put_local(k, "big", big, BIG);
	assert_int_equal(symlink("a", session_kit_local(k, "tree/link", path, sizeof path)), 0);
	assert_int_equal(symlink("..", session_kit_local(k, "tree/sub/up", path, sizeof path)), 0);
	assert_int_equal(mkfifo(session_kit_local(k, "tree/pipe", path, sizeof path), 0600), 0);
}

static void begin(struct session_kit *k, const struct aftp_server_options *so)
{
	session_kit_begin(k, so, NULL);
	fill(k);
}

/* An upload of a path below the kit's folder. */
static int put(struct session_kit *k, struct waited *w, const char *from, const char *to, unsigned flags)
{
	char path[512];

	session_kit_local(k, from, path, sizeof path);
	memset(w, 0, sizeof *w);
	return session_kit_upload(k, w, path, to, flags);
}

static void set_local_mtime(struct session_kit *k, const char *name, time_t sec)
{
	struct timespec times[2] = { { .tv_sec = sec }, { .tv_sec = sec } };
	char path[512];

	session_kit_local(k, name, path, sizeof path);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void assert_tree(struct session_kit *k, const char *at)
{
	static const struct {
		const char *name, *data;
	} files[] = {
		{ "a", "a" },
		{ "two words", "bb" },
		{ "sub/deep/c", "ccc" },
		{ "sub/[x]", "x" },
		{ "none", "" },
	};
	static const char *const not [] = { "link", "pipe", "sub/up" };
	char path[256];

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "%s/%s", at, files[i].name);
		session_kit_assert_remote(k, path, files[i].data, strlen(files[i].data));
	}
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", at, not [i]);
		session_kit_assert_remote(k, path, NULL, 0);
	}
}

/* --- where it lands ------------------------------------------------------------------------------- */

static void a_file(void **state)
{
	struct session_kit k;
	struct waited w;

	(void)state;
	begin(&k, NULL);
	assert_int_equal(put(&k, &w, "big", "/copy", 0), 0);
	session_kit_assert_remote(&k, "/copy", big, BIG);
	assert_int_equal(w.copy.files, 1);
	assert_int_equal(w.copy.bytes, BIG);
	assert_int_equal(put(&k, &w, "tree/two words", "/copy", 0), 0); /* over the old one */
	session_kit_assert_remote(&k, "/copy", "bb", 2);
	assert_int_equal(put(&k, &w, "tree/none", "/copy", 0), 0);
	session_kit_assert_remote(&k, "/copy", "", 0);
	assert_int_equal(put(&k, &w, "tree/a", "/x/y/z", AFTP_PARENTS), 0);
	session_kit_assert_remote(&k, "/x/y/z", "a", 1);
	assert_int_equal(put(&k, &w, "tree/a", "/x/y", AFTP_INTO), 0);
	session_kit_assert_remote(&k, "/x/y/a", "a", 1);
	assert_int_equal(put(&k, &w, "tree/a", "relative", 0), 0);
	session_kit_assert_remote(&k, "/relative", "a", 1);
	assert_int_equal(put(&k, &w, "tree/a", "/relative", AFTP_APPENDED), 0);
	session_kit_assert_remote(&k, "/relative", "aa", 2);
	assert_int_equal(put(&k, &w, "tree/a", "/fresh", AFTP_APPENDED), 0);
	session_kit_assert_remote(&k, "/fresh", "a", 1);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void a_tree(void **state)
{
	static const char *const none[] = { NULL }, *const little[] = { "MLST", "MLSD", "SIZE", "MDTM", "MFMT", NULL };
	static const char *const *const without[] = { none, little };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct aftp_server_options so = { .faults.no = without[i] };
		struct session_kit k;
		struct waited w;

		begin(&k, &so);
		assert_int_equal(put(&k, &w, "tree", "/new", 0), 0);
		assert_tree(&k, "/new");
		assert_int_equal(w.copy.files, 5);
		assert_int_equal(w.copy.folders, 3);
		assert_int_equal(w.copy.skipped, 3);
		assert_int_equal(put(&k, &w, "tree/", "/new", AFTP_INTO), 0);
		assert_tree(&k, "/new/tree");
		assert_int_equal(put(&k, &w, "tree", "/p/q/r", AFTP_PARENTS), 0);
		assert_tree(&k, "/p/q/r");
		assert_int_equal(put(&k, &w, "tree", "/p/q", AFTP_PARENTS | AFTP_INTO), 0);
		assert_tree(&k, "/p/q/tree");
		assert_int_equal(put(&k, &w, "tree", "/new", 0), 0); /* into what is there */
		assert_tree(&k, "/new");
		assert_int_equal(put(&k, &w, "tree", "rel", 0), 0);
		assert_tree(&k, "/rel");
		/* Nothing anywhere else. */
		assert_int_equal(session_kit_exists(&k, "/tree"), 0);
		assert_int_equal(session_kit_exists(&k, "/a"), 0);
		assert_int_equal(session_kit_exists(&k, "/sub"), 0);
		session_kit_check(&k);
		session_kit_end(&k);
	}
}

/* --- what cannot be done -------------------------------------------------------------------------- */

static void refusals(void **state)
{
	struct session_kit k;
	struct waited w;

	(void)state;
	begin(&k, NULL);
	testd_put(&k.d, "/file", "content", 7);
	assert_int_equal(put(&k, &w, "missing", "/new", 0), -ENOENT);
	session_kit_assert_remote(&k, "/new", NULL, 0);
	assert_true(put(&k, &w, "tree/a", "/file/below", 0) < 0);
	assert_true(put(&k, &w, "tree/a", "/no/such/folder/a", 0) < 0);
	assert_int_equal(w.copy.failed, 1);
	assert_int_equal(put(&k, &w, "tree", "/file", 0), -ENOTDIR);
	assert_true(put(&k, &w, "tree", "/no/such/folder", 0) < 0);
	assert_true(put(&k, &w, "tree", "/file/x/y", AFTP_PARENTS) < 0);
	assert_int_equal(put(&k, &w, "tree", "/file", AFTP_APPENDED), -EISDIR);
	assert_int_equal(put(&k, &w, "tree/a", "/a\nb", 0), AFTP_EBADNAME);
	assert_int_equal(put(&k, &w, "tree", "/a\nb", 0), AFTP_EBADNAME);
	assert_int_equal(put(&k, &w, "tree/a", "", 0), AFTP_EINVAL);
	assert_int_equal(put(&k, &w, "tree/pipe", "/new", 0), AFTP_EINVAL);
	session_kit_assert_remote(&k, "/new", NULL, 0);
	session_kit_assert_remote(&k, "/file", "content", 7);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void who_may_not_write(void **state)
{
	static const struct aftp_user ro = { .name = "joe", .password = "secret", .may = AFTP_MAY_READ };
	struct aftp_server_options so = { .users = &ro, .nusers = 1 };
	struct aftp_client_options co = { .user = "joe", .password = "secret" };
	struct session_kit k;
	struct waited w;

	(void)state;
	session_kit_begin(&k, &so, &co);
	fill(&k);
	assert_int_equal(put(&k, &w, "big", "/new", 0), AFTP_EACCES);
	assert_int_equal(put(&k, &w, "tree", "/new", 0), AFTP_EACCES);
	session_kit_check(&k);
	session_kit_end(&k);
}

/* Names that cannot be sent fail alone. */
static void failures_in_a_tree(void **state)
{
	struct session_kit k;
	struct waited w;

	(void)state;
	begin(&k, NULL);
	session_kit_put_local(&k, "tree/new\nline", "x", 1);
	session_kit_put_local(&k, "tree/new\nfolder/y", "y", 1);
	for (unsigned i = 0; i < 2; i++) {
		const char *to = i ? "/new" : "/other";

		assert_int_equal(put(&k, &w, "tree", to, i ? AFTP_RESUME : 0), AFTP_EBADNAME);
		assert_int_equal(w.copy.failed, 2);
		assert_tree(&k, to);
	}
	session_kit_check(&k);
	session_kit_end(&k);
}

/* --- whole, or an error --------------------------------------------------------------------------- */

/* 226, and less than was sent. */
static void a_lie_is_found_out(void **state)
{
	static const struct step script[] = { LOGIN, EPSV, DO(STEP_ACCEPT), WANT("STOR /f"), SAY("150 go"),
		DO(STEP_TAKE_ALL), SAY("226 done"), REPLY("MLST", "502 no"), REPLY("SIZE /f", "213 3"),
		REPLY("MDTM /f", "213 20200101000000"), END };
	struct session_kit k;
	struct waited w;

	(void)state;
	session_kit_begin_scripted(&k, script);
	session_kit_put_local(&k, "f", "12345", 5);
	assert_int_equal(put(&k, &w, "f", "/f", 0), AFTP_ESHORT);
	assert_int_equal(w.copy.files, 0);
	assert_true(k.server.finished);
	session_kit_end(&k);
}

static void goes_on_where_it_broke(void **state)
{
	static const struct aftp_faults drop = { .drop_after = 2 << 20, .times = 1 }, none = { 0 };
	struct session_kit k;
	struct waited w;

	(void)state;
	begin(&k, NULL);
	testd_set_faults(&k.d, &drop);
	assert_true(put(&k, &w, "big", "/copy", AFTP_RESUME) < 0);
	session_kit_check(&k);
	testd_set_faults(&k.d, &none);
	assert_int_equal(put(&k, &w, "big", "/copy", AFTP_RESUME), 0);
	session_kit_assert_remote(&k, "/copy", big, BIG);
	assert_true(w.copy.bytes < BIG);
	assert_true(w.copy.bytes > 0);
	assert_int_equal(put(&k, &w, "big", "/copy", AFTP_RESUME), 0); /* nothing to do */
	assert_int_equal(w.copy.bytes, 0);
	assert_non_null(strstr(w.names, "=1"));
	/* A newer one here. */
	session_kit_set_mtime(&k, "/copy", 1000000000);
	assert_int_equal(put(&k, &w, "big", "/copy", AFTP_RESUME), 0);
	assert_int_equal(w.copy.bytes, BIG);
	session_kit_assert_remote(&k, "/copy", big, BIG);
	session_kit_end(&k);
}

static void keeps_times(void **state)
{
	static const char *const no_mfmt[] = { "MFMT", NULL }, *const none[] = { NULL };
	struct aftp_server_options so = { .faults.no = none }, without = { .faults.no = no_mfmt };
	struct session_kit k;
	struct waited w;

	(void)state;
	begin(&k, &so);
	set_local_mtime(&k, "tree/sub/deep/c", 1234567891);
	assert_int_equal(put(&k, &w, "tree", "/new", AFTP_KEEP_TIMES), 0);
	assert_int_equal(session_kit_mtime(&k, "/new/sub/deep/c"), 1234567891);
	assert_int_equal(w.copy.untimed, 0);
	session_kit_end(&k);
	begin(&k, &without);
	assert_int_equal(put(&k, &w, "tree", "/new", AFTP_KEEP_TIMES), 0);
	assert_int_equal(w.copy.files, 5);
	assert_int_equal(w.copy.untimed, 5); /* it is told */
	session_kit_end(&k);
}

/* MDTM with a time, as old servers have it. */
static void keeps_times_by_mdtm(void **state)
{
	static const struct step script[] = { SAY("220 ready"), REPLY("USER", "230 in"), REPLY("TYPE I", "200 ok"),
		WANT("FEAT"), SAY_RAW("211-x\r\n SIZE\r\n MDTM\r\n211 end\r\n"), EPSV, DO(STEP_ACCEPT), WANT("STOR /f"),
		SAY("150 go"), DO(STEP_TAKE_ALL), SAY("226 done"), REPLY("MDTM 20010909014640 /f", "213 time set"),
		REPLY("SIZE /f", "213 5"), REPLY("MDTM /f", "213 20010909014640"), END };
	struct session_kit k;
	struct waited w;

	(void)state;
	session_kit_begin_scripted(&k, script);
	session_kit_put_local(&k, "f", "12345", 5);
	set_local_mtime(&k, "f", 1000000000);
	assert_int_equal(put(&k, &w, "f", "/f", AFTP_KEEP_TIMES), 0);
	assert_int_equal(w.copy.untimed, 0);
	assert_true(k.server.finished);
	session_kit_end(&k);
}

/* --- stopping ------------------------------------------------------------------------------------- */

static void is_canceled_anywhere(void **state)
{
	(void)state;
	for (unsigned at = 1; at <= 9; at++) {
		struct session_kit k;
		struct waited w = { .cancel_at = at };
		char path[512];

		begin(&k, NULL);
		session_kit_local(&k, "tree", path, sizeof path);
		assert_int_equal(session_kit_upload(&k, &w, path, "/new", 0), AFTP_ECANCELED);
		session_kit_check(&k);
		session_kit_end(&k);
	}
	for (unsigned ms = 0; ms < 12; ms++) {
		struct session_kit k;
		struct waited w = { 0 };
		char path[512];

		begin(&k, NULL);
		session_kit_local(&k, "big", path, sizeof path);
		assert_int_equal(aftp_session_upload(k.s, &w.op, path, "/new", AFTP_RESUME | AFTP_PARENTS, waited_item,
					 waited_copy, &w),
			0);
		if (ms > 0)
			loop_run_for(&k.loop, ms);
		if (!w.over)
			aftp_op_cancel(w.op);
		loop_wait(&k.loop, &w.over, "the end");
		assert_true(w.status == 0 || w.status == AFTP_ECANCELED);
		session_kit_check(&k);
		session_kit_end(&k);
	}
}

static void ends_with_its_session(void **state)
{
	(void)state;
	for (unsigned ms = 0; ms < 12; ms++) {
		struct session_kit k;
		struct waited w = { 0 }, v = { 0 };
		char path[512], other[512];

		begin(&k, NULL);
		session_kit_local(&k, "big", path, sizeof path);
		session_kit_local(&k, "tree", other, sizeof other);
		assert_int_equal(aftp_session_upload(k.s, NULL, path, "/new", 0, waited_item, waited_copy, &w), 0);
		assert_int_equal(
			aftp_session_upload(k.s, NULL, other, "/t", AFTP_PARENTS, waited_item, waited_copy, &v), 0);
		if (ms > 0)
			loop_run_for(&k.loop, ms);
		session_kit_close(&k);
		assert_int_equal(w.calls, 1);
		assert_int_equal(v.calls, 1);
		session_kit_end(&k);
	}
}

static void survives_a_lost_connection(void **state)
{
	static const struct aftp_faults faults = { .drop_all_after = 1 << 20 };
	struct session_kit k;
	struct waited w;

	(void)state;
	begin(&k, NULL);
	testd_set_faults(&k.d, &faults);
	assert_true(put(&k, &w, "big", "/copy", AFTP_KEEP_GOING) < 0);
	assert_int_equal(put(&k, &w, "big", "/copy", 0), AFTP_ENOTCONN);
	session_kit_end(&k);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file),
		cmocka_unit_test(a_tree),
		cmocka_unit_test(refusals),
		cmocka_unit_test(who_may_not_write),
		cmocka_unit_test(failures_in_a_tree),
		cmocka_unit_test(a_lie_is_found_out),
		cmocka_unit_test(goes_on_where_it_broke),
		cmocka_unit_test(keeps_times),
		cmocka_unit_test(keeps_times_by_mdtm),
		cmocka_unit_test(is_canceled_anywhere),
		cmocka_unit_test(ends_with_its_session),
		cmocka_unit_test(survives_a_lost_connection),
	};

	return cmocka_run_group_tests(tests, make_big, free_big);
}
