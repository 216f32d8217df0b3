/* Downloads of files and trees: where they land, what they hold, and what a hostile server cannot do. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/loop.h"
#include "lib/session_kit.h"

enum { BIG = 5 << 20 };

static void fill(struct session_kit *k)
{
	testd_put(&k->d, "/tree/a", "a", 1);
	testd_put(&k->d, "/tree/two words", "bb", 2);
	testd_put(&k->d, "/tree/sub/deep/c", "ccc", 3);
	testd_put(&k->d, "/tree/sub/[x]", "x", 1);
	testd_put(&k->d, "/tree/none", "", 0);
	testd_pattern(&k->d, "/big", BIG, 7);
	session_kit_symlink(k, "a", "/tree/link");
	session_kit_symlink(k, "/tree/sub", "/tree/loop");
}

static void begin(struct session_kit *k, const char *const *no)
{
	struct aftp_server_options so = { .faults.no = no };

	session_kit_begin(k, &so, NULL);
	fill(k);
}

/* A download to a path below the kit's folder. */
static int get(struct session_kit *k, struct waited *w, const char *from, const char *to, unsigned flags)
{
	char path[512];

	session_kit_local(k, to, path, sizeof path);
	memset(w, 0, sizeof *w);
	return session_kit_download(k, w, from, path, flags);
}

static void assert_pattern(struct session_kit *k, const char *name, size_t size)
{
	char *want = malloc(size);

	assert_non_null(want);
	aftp_memfs_pattern(7, 0, want, size);
	session_kit_assert_local(k, name, want, size);
	free(want);
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
	char path[256];

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "%s/%s", at, files[i].name);
		session_kit_assert_local(k, path, files[i].data, strlen(files[i].data));
	}
}

/* --- where it lands ------------------------------------------------------------------------------- */

static void a_file(void **state)
{
	struct session_kit k;
	struct waited w;

	(void)state;
	begin(&k, NULL);
	assert_int_equal(get(&k, &w, "/big", "copy", 0), 0);
	assert_pattern(&k, "copy", BIG);
	assert_int_equal(w.copy.files, 1);
	assert_int_equal(w.copy.bytes, BIG);
	assert_string_equal(w.path, "");
	assert_int_equal(get(&k, &w, "/tree/none", "copy", 0), 0); /* over the old one */
	session_kit_assert_local(&k, "copy", "", 0);
	assert_int_equal(get(&k, &w, "/tree/two words", "x/y/z", AFTP_PARENTS), 0);
	session_kit_assert_local(&k, "x/y/z", "bb", 2);
	assert_int_equal(get(&k, &w, "/tree/two words", "x", AFTP_INTO), 0);
	session_kit_assert_local(&k, "x/two words", "bb", 2);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void a_tree(void **state)
{
	static const char *const none[] = { NULL }, *const no_mlsd[] = { "MLST", "MLSD", NULL };
	static const char *const *const without[] = { none, no_mlsd };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct session_kit k;
		struct waited w;

		begin(&k, without[i]);
		assert_int_equal(get(&k, &w, "/tree", "new", 0), 0);
		assert_tree(&k, "new");
		assert_int_equal(w.copy.files, 5);
		assert_int_equal(w.copy.folders, 3);
		assert_int_equal(w.copy.skipped, 2);
		assert_int_equal(w.copy.bytes, 7);
		session_kit_assert_local(&k, "new/link", NULL, 0);
		assert_non_null(strstr(w.names, "/tree/link>"));
		assert_int_equal(get(&k, &w, "/tree/", "new", AFTP_INTO), 0);
		assert_tree(&k, "new/tree");
		assert_int_equal(get(&k, &w, "/tree", "p/q/r", AFTP_PARENTS), 0);
		assert_tree(&k, "p/q/r");
		assert_int_equal(get(&k, &w, "/tree/sub", "new/sub", 0), 0); /* into what is there */
		assert_tree(&k, "new");
		session_kit_check(&k);
		session_kit_end(&k);
	}
}

static void relative_paths(void **state)
{
	struct session_kit k;
	struct waited w, c = { 0 };

	(void)state;
	begin(&k, NULL);
	assert_int_equal(waited_for(&k, &c, aftp_session_cwd(k.s, NULL, "/tree", waited_op, &c)), 0);
	assert_int_equal(get(&k, &w, "sub", "s", 0), 0);
	session_kit_assert_local(&k, "s/deep/c", "ccc", 3);
	assert_int_equal(get(&k, &w, "a", "", AFTP_INTO), 0);
	session_kit_assert_local(&k, "a", "a", 1);
	session_kit_end(&k);
}

/* --- what cannot be done -------------------------------------------------------------------------- */

static void refusals(void **state)
{
	struct session_kit k;
	struct waited w;

	(void)state;
	begin(&k, NULL);
	session_kit_put_local(&k, "old", "precious", 8);
	assert_int_equal(get(&k, &w, "/missing", "old", 0), AFTP_ENOENT);
	session_kit_assert_local(&k, "old", "precious", 8);
	assert_int_equal(w.copy.failed, 1);
	assert_string_equal(w.path, "/missing");
	assert_int_equal(get(&k, &w, "/missing", "new", 0), AFTP_ENOENT);
	session_kit_assert_local(&k, "new", NULL, 0);
	assert_int_equal(get(&k, &w, "/big", "no/such/folder", 0), -ENOENT);
	session_kit_check(&k);
	assert_int_equal(get(&k, &w, "/tree", "old", 0), -EEXIST); /* a file is in the way */
	assert_int_equal(get(&k, &w, "/big", "old/below", AFTP_PARENTS), -EEXIST);
	assert_int_equal(get(&k, &w, "/big", "", 0), -EISDIR);
	assert_int_equal(get(&k, &w, "", "x", 0), AFTP_EINVAL);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void no_room(void **state)
{
	struct session_kit k;
	struct waited w = { 0 };

	(void)state;
	if (access("/dev/full", W_OK) != 0)
		skip();
	begin(&k, NULL);
	/* A device is no file. */
	assert_int_equal(session_kit_download(&k, &w, "/big", "/dev/full", 0), AFTP_EINVAL);
	session_kit_check(&k);
	session_kit_end(&k);
}

/* One file in the tree cannot be read. */
static void failures_in_a_tree(void **state)
{
	static const struct aftp_user ro = { .name = "joe", .password = "secret", .may = AFTP_MAY_READ };
	struct aftp_server_options so = { .users = &ro, .nusers = 1 };
	struct aftp_client_options co = { .user = "joe", .password = "secret" };
	struct session_kit k;
	struct waited w = { 0 };
	char path[512];

	(void)state;
	session_kit_begin(&k, &so, &co);
	fill(&k);
	session_kit_chmod(&k, "/tree/sub/[x]", 0);
	session_kit_local(&k, "new", path, sizeof path);
	/* The callback goes on. */
	assert_int_equal(session_kit_download(&k, &w, "/tree", path, 0), AFTP_EACCES);
	assert_int_equal(w.copy.files, 4);
	assert_int_equal(w.copy.failed, 1);
	assert_string_equal(w.path, "/tree/sub/[x]");
	/* And stops. */
	memset(&w, 0, sizeof w);
	w.answer = -77;
	w.answer_at = 2;
	assert_int_equal(session_kit_download(&k, &w, "/tree", path, 0), -77);
	assert_int_equal(w.entries, 2);
	session_kit_check(&k);
	/* Without one, the first failure does, or not. */
	memset(&w, 0, sizeof w);
	assert_int_equal(
		waited_for(&k, &w, aftp_session_download(k.s, NULL, "/tree/sub", path, 0, NULL, waited_copy, &w)),
		AFTP_EACCES);
	memset(&w, 0, sizeof w);
	assert_int_equal(
		waited_for(&k, &w,
			aftp_session_download(k.s, NULL, "/tree/sub", path, AFTP_KEEP_GOING, NULL, waited_copy, &w)),
		AFTP_EACCES);
	assert_int_equal(w.copy.files, 1);
	session_kit_check(&k);
	session_kit_end(&k);
}

/* --- a hostile server ----------------------------------------------------------------------------- */

#define PASSIVE REPLY("EPSV", "229 here (%E)"), DO(STEP_ACCEPT)

static void nothing_lands_outside(void **state)
{
	static const struct step script[] = { LOGIN, WANT("MLST /d"), SAY_RAW("250-x\r\n type=dir; /d\r\n250 end\r\n"),
		EPSV, DO(STEP_ACCEPT), WANT("MLSD /d"), SAY("150 go"),
		DATA("type=file;size=4; ../evil\r\ntype=dir; ..\r\ntype=dir; ../../evil\r\ntype=file; /etc/evil\r\n"
		     "type=file;size=4; good\r\ntype=dir; .\r\n"),
		DO(STEP_END_DATA), SAY("226 done"), PASSIVE, WANT("RETR /d/good"), SAY("150 go"), DATA("good"),
		DO(STEP_END_DATA), SAY("226 done"), END };
	struct session_kit k;
	struct waited w;

	(void)state;
	session_kit_begin_scripted(&k, script);
	assert_int_equal(get(&k, &w, "/d", "in", 0), AFTP_EINCOMPLETE);
	assert_int_equal(w.copy.files, 1);
	session_kit_assert_local(&k, "in/good", "good", 4);
	session_kit_assert_local(&k, "evil", NULL, 0);
	assert_true(k.server.finished);
	session_kit_end(&k);
}

/* A symbolic link that was there before, below the folder, is not written through. */
static void not_through_a_local_link(void **state)
{
	struct session_kit k;
	struct waited w;
	char target[512], link_path[512];

	(void)state;
	begin(&k, NULL);
	session_kit_put_local(&k, "outside/a", "kept", 4);
	session_kit_put_local(&k, "in/x", "", 0);
	session_kit_local(&k, "outside", target, sizeof target);
	session_kit_local(&k, "in/sub", link_path, sizeof link_path);
	assert_int_equal(symlink(target, link_path), 0);
	session_kit_local(&k, "outside/a", target, sizeof target);
	session_kit_local(&k, "in/a", link_path, sizeof link_path);
	assert_int_equal(symlink(target, link_path), 0);
	assert_true(get(&k, &w, "/tree", "in", 0) < 0);
	assert_int_equal(w.copy.failed, 2);
	session_kit_assert_local(&k, "outside/a", "kept", 4);
	session_kit_assert_local(&k, "outside/deep/c", NULL, 0);
	session_kit_assert_local(&k, "in/two words", "bb", 2);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void a_pipe_in_the_way_does_not_hang(void **state)
{
	struct session_kit k;
	struct waited w;
	char path[512];

	(void)state;
	begin(&k, NULL);
	session_kit_local(&k, "pipe", path, sizeof path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_true(get(&k, &w, "/tree/a", "pipe", 0) < 0);
	session_kit_check(&k);
	session_kit_end(&k);
}

/* --- whole, or an error --------------------------------------------------------------------------- */

static void short_data_is_no_success(void **state)
{
	static const struct aftp_faults faults = { .short_data = true };
	struct session_kit k;
	struct waited w;

	(void)state;
	begin(&k, NULL);
	testd_set_faults(&k.d, &faults);
	assert_int_equal(get(&k, &w, "/big", "copy", 0), AFTP_ESHORT);
	assert_pattern(&k, "copy", BIG / 2);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void goes_on_where_it_broke(void **state)
{
	static const struct aftp_faults drop = { .drop_after = 2 << 20, .times = 1 }, none = { 0 };
	struct session_kit k;
	struct waited w;
	char path[512];
	struct stat st;

	(void)state;
	begin(&k, NULL);
	session_kit_set_mtime(&k, "/big", 1000000000);
	testd_set_faults(&k.d, &drop);
	assert_true(get(&k, &w, "/big", "copy", AFTP_RESUME) < 0);
	session_kit_check(&k);
	testd_set_faults(&k.d, &none);
	session_kit_local(&k, "copy", path, sizeof path);
	assert_int_equal(stat(path, &st), 0);
	assert_in_range(st.st_size, 1, 2 << 20);
	assert_int_equal(get(&k, &w, "/big", "copy", AFTP_RESUME | AFTP_KEEP_TIMES), 0);
	assert_pattern(&k, "copy", BIG);
	assert_int_equal(w.copy.bytes, BIG - st.st_size);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mtime, 1000000000);
	/* Once more: nothing to do. */
	assert_int_equal(get(&k, &w, "/big", "copy", AFTP_RESUME | AFTP_KEEP_TIMES), 0);
	assert_int_equal(w.copy.bytes, 0);
	assert_int_equal(w.copy.files, 1);
	assert_non_null(strstr(w.names, "=1"));
	session_kit_end(&k);
}

/* What is here is of another version: from the beginning. */
static void does_not_go_on_with_another_version(void **state)
{
	struct session_kit k;
	struct waited w;

	(void)state;
	begin(&k, NULL);
	session_kit_put_local(&k, "copy", "an older one", 12);
	session_kit_set_mtime(&k, "/big", 4000000000);
	assert_int_equal(get(&k, &w, "/big", "copy", AFTP_RESUME), 0);
	assert_pattern(&k, "copy", BIG);
	session_kit_put_local(&k, "copy", "a longer one than that on the server", 36);
	session_kit_set_mtime(&k, "/tree/a", 1000000000);
	assert_int_equal(get(&k, &w, "/tree/a", "copy", AFTP_RESUME), 0);
	session_kit_assert_local(&k, "copy", "a", 1);
	session_kit_end(&k);
}

static void keeps_times(void **state)
{
	static const char *const none[] = { NULL }, *const no_mlsd[] = { "MLST", "MLSD", NULL };
	static const char *const *const without[] = { none, no_mlsd };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct session_kit k;
		struct waited w;
		struct stat st;
		char path[512];

		begin(&k, without[i]);
		session_kit_set_mtime(&k, "/tree/sub/deep/c", 1234567891);
		assert_int_equal(get(&k, &w, "/tree", "new", AFTP_KEEP_TIMES), 0);
		session_kit_local(&k, "new/sub/deep/c", path, sizeof path);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mtime, 1234567891);
		assert_int_equal(w.copy.untimed, 0);
		session_kit_end(&k);
	}
}

/* --- stopping ------------------------------------------------------------------------------------- */

static void is_canceled_anywhere(void **state)
{
	(void)state;
	for (unsigned at = 1; at <= 8; at++) {
		struct session_kit k;
		struct waited w = { .cancel_at = at };
		char path[512];

		begin(&k, NULL);
		session_kit_local(&k, "new", path, sizeof path);
		assert_int_equal(session_kit_download(&k, &w, "/tree", path, 0), AFTP_ECANCELED);
		session_kit_check(&k);
		session_kit_end(&k);
	}
	for (unsigned ms = 0; ms < 12; ms++) {
		struct session_kit k;
		struct waited w = { 0 };
		char path[512];

		begin(&k, NULL);
		session_kit_local(&k, "new", path, sizeof path);
		assert_int_equal(aftp_session_download(k.s, &w.op, "/big", path, 0, waited_item, waited_copy, &w), 0);
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
		session_kit_local(&k, "new", path, sizeof path);
		session_kit_local(&k, "tree", other, sizeof other);
		assert_int_equal(aftp_session_download(k.s, NULL, "/big", path, 0, waited_item, waited_copy, &w), 0);
		assert_int_equal(aftp_session_download(k.s, NULL, "/tree", other, 0, waited_item, waited_copy, &v), 0);
		if (ms > 0)
			loop_run_for(&k.loop, ms);
		session_kit_close(&k);
		assert_int_equal(w.calls, 1);
		assert_int_equal(v.calls, 1);
		assert_true(w.status == 0 || w.status == AFTP_ECANCELED);
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
	assert_true(get(&k, &w, "/big", "copy", AFTP_KEEP_GOING) < 0);
	assert_int_equal(get(&k, &w, "/big", "copy", 0), AFTP_ENOTCONN);
	session_kit_end(&k);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file),
		cmocka_unit_test(a_tree),
		cmocka_unit_test(relative_paths),
		cmocka_unit_test(refusals),
		cmocka_unit_test(no_room),
		cmocka_unit_test(failures_in_a_tree),
		cmocka_unit_test(nothing_lands_outside),
		cmocka_unit_test(not_through_a_local_link),
		cmocka_unit_test(a_pipe_in_the_way_does_not_hang),
		cmocka_unit_test(short_data_is_no_success),
		cmocka_unit_test(goes_on_where_it_broke),
		cmocka_unit_test(does_not_go_on_with_another_version),
		cmocka_unit_test(keeps_times),
		cmocka_unit_test(is_canceled_anywhere),
		cmocka_unit_test(ends_with_its_session),
		cmocka_unit_test(survives_a_lost_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
