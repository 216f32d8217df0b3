/* What sessions of other libraries are known to get wrong: descriptors that stay open, debts that the next command pays,
 * a connection out of step after something was left in the middle. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/loop.h"
#include "lib/session_kit.h"

enum { MANY = 50 };

static void fill(struct session_kit *k)
{
	testd_put(&k->d, "/file", "content", 7);
	testd_pattern(&k->d, "/big", 64 << 20, 1);
	for (int i = 0; i < 200; i++) {
		char path[64];

		snprintf(path, sizeof path, "/many/a file with a long name %d", i);
		testd_put(&k->d, path, "x", 1);
	}
}

static void begin(struct session_kit *k, const struct aftp_server_options *so, const struct aftp_client_options *co)
{
	session_kit_begin(k, so, co);
	fill(k);
}

/* Of this process; server and client are both in it. */
static unsigned descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	if (!d)
		skip();
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* What is closed on one side takes a moment on the other. */
static void expect_descriptors(struct session_kit *k, unsigned most)
{
	for (unsigned tries = 0; descriptors() > most && tries < 1000; tries++)
		loop_run_for(&k->loop, 10);
	assert_true(descriptors() <= most);
}

/* --- descriptors ---------------------------------------------------------------------------------- */

/* The streams are kept; their connections are not. */
static void refused_transfers_leave_nothing_open(void **state)
{
	struct session_kit k;
	struct aftp_data *d[MANY];
	unsigned before;
	char buf[16];

	(void)state;
	begin(&k, NULL, NULL);
	before = descriptors();
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(i % 2 ? aftp_download_stream(k.s, &d[i], "/missing", 0)
				       : aftp_command_stream(k.s, &d[i], "MLSD", "/missing"),
			0);
		assert_int_equal(session_kit_read(&k, d[i], buf, sizeof buf), AFTP_ENOENT);
	}
	expect_descriptors(&k, before + 2);
	for (int i = 0; i < MANY; i++)
		session_kit_close_data(&k, &d[i]);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void what_is_left_early_leaves_nothing_open(void **state)
{
	struct session_kit k;
	unsigned before;
	char buf[16];

	(void)state;
	begin(&k, NULL, NULL);
	before = descriptors();
	for (int i = 0; i < MANY; i++) {
		struct waited stop = { .answer = -77, .answer_at = 1 };
		struct aftp_data *d;

		assert_int_equal(session_kit_list(&k, &stop, "/many", 0), -77);
		assert_int_equal(aftp_download_stream(k.s, &d, "/big", 0), 0);
		assert_int_equal(session_kit_read(&k, d, buf, sizeof buf), sizeof buf);
		session_kit_close_data(&k, &d);
	}
	expect_descriptors(&k, before + 2);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void failed_logins_leave_nothing_open(void **state)
{
	static const struct aftp_user joe = { .name = "joe", .password = "secret", .may = AFTP_MAY_READ };
	const struct aftp_server_options so = { .users = &joe, .nusers = 1, .login_delay_ms = -1 };
	const struct aftp_client_options co = { .user = "joe", .password = "secret" };
	struct session_kit k;
	unsigned before;

	(void)state;
	begin(&k, &so, &co);
	before = descriptors();
	for (int i = 0; i < MANY; i++) {
		struct aftp_client_options wrong = k.o;
		struct aftp_session *s;
		struct waited w = { 0 }, c = { 0 };

		wrong.password = "wrong";
		assert_int_equal(aftp_session_new(&s, &k.loop, &wrong), 0);
		assert_int_equal(waited_for(&k, &w, aftp_session_connect(s, waited_op, &w)), AFTP_ELOGIN);
		aftp_session_close(&s, waited_flag, &c);
		loop_wait(&k.loop, &c.over, "close");
	}
	expect_descriptors(&k, before + 2);
	session_kit_end(&k);
}

/* --- debts ---------------------------------------------------------------------------------------- */

static void begin_throttled(struct session_kit *k, struct aftp_throttle **t)
{
	struct waited c = { 0 };

	begin(k, NULL, NULL);
	session_kit_close(k);
	assert_int_equal(aftp_throttle_new(t, &k->loop, 0, 0), 0);
	k->o.throttle = (struct aftp_stream_throttle){ *t, *t };
	assert_int_equal(aftp_session_new(&k->s, &k->loop, &k->o), 0);
	assert_int_equal(waited_for(k, &c, aftp_session_connect(k->s, waited_op, &c)), 0);
}

/* For years. */
static void run_into_debt(struct aftp_throttle *t)
{
	aftp_throttle_set_limit(t, 1000);
	aftp_throttle_charge(t, UINT64_C(100000000000), uv_hrtime());
}

static void commands_do_not_pay_for_data(void **state)
{
	struct session_kit k;
	struct aftp_throttle *t;
	struct aftp_data *d;
	struct waited w = { 0 }, r = { 0 };
	char buf[16];

	(void)state;
	begin_throttled(&k, &t);
	run_into_debt(t);
	assert_int_equal(aftp_download_stream(k.s, &d, "/big", 0), 0);
	r.buf = buf;
	assert_int_equal(aftp_data_read(d, buf, sizeof buf, waited_read, &r), 0);
	loop_run_for(&k.loop, 200);
	assert_int_equal(r.calls, 0);
	assert_int_equal(waited_for(&k, &w, aftp_data_cancel(d, waited_op, &w)), 0);
	session_kit_close_data(&k, &d);
	session_kit_check(&k);
	assert_int_equal(session_kit_mkdir(&k, "/new", 0), 0);
	assert_int_equal(session_kit_exists(&k, "/file"), 1);
	aftp_throttle_unref(t);
	session_kit_end(&k);
}

/* A stream's own throttles take nothing away from the client's, whatever their names. */
static void throttles_of_a_stream_come_on_top(void **state)
{
	static const char *const names[] = { "client", "connection", "a", "" };
	const struct aftp_stream_throttle none = { 0 };
	struct session_kit k;
	struct aftp_throttle *t;
	struct aftp_data *d;
	struct waited r = { 0 };
	char buf[16];

	(void)state;
	begin_throttled(&k, &t);
	assert_int_equal(aftp_download_stream(k.s, &d, "/big", 0), 0);
	assert_int_equal(session_kit_read(&k, d, buf, sizeof buf), sizeof buf);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(aftp_data_add_throttle(d, names[i], &none), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(aftp_data_remove_throttle(d, names[i]), 0);
	run_into_debt(t);
	r.buf = buf;
	assert_int_equal(aftp_data_read(d, buf, sizeof buf, waited_read, &r), 0);
	loop_run_for(&k.loop, 200);
	assert_int_equal(r.calls, 0);
	aftp_throttle_set_limit(t, 0);
	loop_wait(&k.loop, &r.over, "the bytes");
	assert_int_equal(r.n, sizeof buf);
	session_kit_close_data(&k, &d);
	session_kit_check(&k);
	aftp_throttle_unref(t);
	session_kit_end(&k);
}

/* --- in step -------------------------------------------------------------------------------------- */

/* Left in the middle in every way, again and again; the next command gets its own answer. */
static void the_next_command_works(void **state)
{
	struct session_kit k;
	char buf[64];

	(void)state;
	begin(&k, NULL, NULL);
	for (int i = 0; i < 40; i++) {
		struct waited w = { 0 };
		struct aftp_data *d;
		int code = 0;

		assert_int_equal(i % 4 == 3  ? aftp_upload_stream(k.s, &d, "/up", 0)
				: i % 4 == 2 ? aftp_download_stream(k.s, &d, "/file", 0)
				: i % 4 == 1 ? aftp_command_stream(k.s, &d, "NLST", "/many")
					     : aftp_download_stream(k.s, &d, "/big", 1000),
			0);
		if (i % 4 != 3 && i % 3)
			assert_true(session_kit_read(&k, d, buf, 5) > 0);
		if (i % 5 == 0)
			assert_int_equal(waited_for(&k, &w, aftp_session_abort(k.s, NULL, waited_op, &w)), 0);
		else if (i % 5 == 1)
			assert_int_equal(waited_for(&k, &w, aftp_data_cancel(d, waited_op, &w)), 0);
		else if (i % 5 == 2)
			(void)session_kit_finish(&k, d, NULL, NULL, NULL);
		session_kit_close_data(&k, &d);
		assert_int_equal(session_kit_command(&k, "SYST", NULL, "215", &code), 0);
		session_kit_check(&k);
	}
	session_kit_end(&k);
}

/* The code that broke a transfer off can be asked for, and expected. */
static void a_broken_transfer_has_its_code(void **state)
{
	static const struct step script[] = { LOGIN, EPSV, DO(STEP_ACCEPT), WANT("RETR /f"), SAY("150 go"), DATA("abc"),
		DO(STEP_END_DATA), SAY("426 cut"), REPLY("EPSV", "229 here (%E)"), DO(STEP_ACCEPT), WANT("RETR /f"),
		SAY("150 go"), DATA("abc"), DO(STEP_END_DATA), SAY("451 no"), REPLY("NOOP", "200 ok"), END };
	struct session_kit k;
	struct aftp_data *d;
	char buf[16];
	int code = 0;

	(void)state;
	session_kit_begin_scripted(&k, script);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(aftp_download_stream(k.s, &d, "/f", 0), 0);
		assert_int_equal(session_kit_read(&k, d, buf, sizeof buf), 3);
		assert_true(session_kit_read(&k, d, buf, sizeof buf) < 0);
		assert_int_equal(session_kit_finish(&k, d, i ? "451" : "2xx|426", NULL, &code), 0);
		assert_int_equal(code, i ? 451 : 426);
		assert_int_equal(aftp_data_code(d), code);
		session_kit_close_data(&k, &d);
	}
	assert_int_equal(session_kit_command(&k, "NOOP", NULL, NULL, NULL), 0);
	session_kit_end(&k);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_transfers_leave_nothing_open),
		cmocka_unit_test(what_is_left_early_leaves_nothing_open),
		cmocka_unit_test(failed_logins_leave_nothing_open),
		cmocka_unit_test(commands_do_not_pay_for_data),
		cmocka_unit_test(throttles_of_a_stream_come_on_top),
		cmocka_unit_test(the_next_command_works),
		cmocka_unit_test(a_broken_transfer_has_its_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
