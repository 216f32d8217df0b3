/* Stopping a transfer: at every stage, and whatever a server makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/kit.h"
#include "lib/loop.h"

enum { SHORT_MS = 200 };

#define GET     EPSV, DO(STEP_ACCEPT), WANT("RETR /f")
#define PUT     EPSV, DO(STEP_ACCEPT), WANT("STOR /f")
#define OPENING SAY("150 Opening BINARY mode data connection for /f (1000 bytes).")
#define FILL(n) DO_N(STEP_FILL, n)
#define STAYS   REPLY("NOOP", "200 still here"), END

/* --- in the middle of the data ------------------------------------------------------------------------ */

static const struct {
	const char *name;
	bool stays;
	int code;
	struct step script[32];
} middles[] = {
	{ "426", true, 426,
		{ LOGIN, GET, OPENING, FILL(1000), WANT("PWD"), SAY("426 aborted"), SAY("257 \"/\""), STAYS } },
	{ "426 before PWD is read", true, 426,
		{ LOGIN, GET, OPENING, FILL(1000), DO(STEP_DATA_GONE), SAY("426 aborted"), REPLY("PWD", "257 \"/\""),
			STAYS } },
	{ "451", true, 451,
		{ LOGIN, GET, OPENING, FILL(1000), DO(STEP_DATA_GONE), SAY("451 failed"), REPLY("PWD", "257 \"/\""),
			STAYS } },
	{ "550", true, 550,
		{ LOGIN, GET, OPENING, FILL(1000), WANT("PWD"), SAY("550 gone"), SAY("257 \"/\""), STAYS } },
	{ "226: all of it was on its way", true, 226,
		{ LOGIN, GET, OPENING, FILL(1000), DO(STEP_END_DATA), SAY("226 done"), STAYS } },
	{ "the answer to PWD first", true, 426,
		{ LOGIN, GET, OPENING, FILL(1000), WANT("PWD"), SAY("257 \"/\""), PAUSE(20), SAY("426 aborted"),
			STAYS } },
	{ "two final replies", true, 426,
		{ LOGIN, GET, OPENING, FILL(1000), WANT("PWD"), SAY("426 aborted"), SAY("226 done"), SAY("257 \"/\""),
			STAYS } },
	{ "a second 150, and more", true, 150,
		{ LOGIN, GET, OPENING, FILL(1000), WANT("PWD"), SAY("150 23.4 kbytes to download"), SAY("426 aborted"),
			SAY("257 \"/\""), STAYS } },
	{ "only a second 150", true, 150,
		{ LOGIN, GET, OPENING, FILL(1000), DO(STEP_DATA_GONE), SAY("150 23.4 kbytes to download"),
			REPLY("PWD", "257 \"/\""), STAYS } },
	{ "421", false, 0, { LOGIN, GET, OPENING, FILL(1000), WANT("PWD"), SAY("421 bye"), DO(STEP_CLOSE), END } },
	{ "the end", false, 0, { LOGIN, GET, OPENING, FILL(1000), DO(STEP_DATA_GONE), DO(STEP_CLOSE), END } },
	{ "a reset", false, 0, { LOGIN, GET, OPENING, FILL(1000), DO(STEP_DATA_GONE), DO(STEP_RESET), END } },
	{ "silence", false, 0, { LOGIN, GET, OPENING, FILL(1000), WANT("PWD"), END } },
	{ "no answer to PWD", false, 426, { LOGIN, GET, OPENING, FILL(1000), WANT("PWD"), SAY("426 aborted"), END } },
	{ "only the answer to PWD", false, 0, { LOGIN, GET, OPENING, FILL(1000), WANT("PWD"), SAY("257 \"/\""), END } },
	{ "PWD refused", false, 426,
		{ LOGIN, GET, OPENING, FILL(1000), WANT("PWD"), SAY("426 aborted"), SAY("500 what?"), END } },
	{ "no end of replies", false, 426,
		{ LOGIN, GET, OPENING, FILL(1000), WANT("PWD"), FLOOD("426 aborted\r\n"), END } },
	{ "garbage", false, 0, { LOGIN, GET, OPENING, FILL(1000), WANT("PWD"), SAY("what?"), END } },
};

static void check_middle(size_t i, bool in_lend)
{
	struct kit_get g = { .cancel_at = in_lend ? 0 : 1, .cancel_in_lend = in_lend };
	struct kit k;

	kit_begin(&k, middles[i].script);
	if (!middles[i].stays)
		k.o.timeout_ms = SHORT_MS;
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_get(&g, &k, "/f", 0), AFTP_ECANCELED);
	if (g.code != middles[i].code)
		fail_msg("%s: %d, not %d", middles[i].name, g.code, middles[i].code);
	if (aftp_client_alive(k.client) != middles[i].stays || k.lost != !middles[i].stays)
		fail_msg("%s: lost %u times: %s", middles[i].name, k.lost, aftp_err_name(k.lost_status));
	if (middles[i].stays)
		assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	assert_true(in_lend ? g.len == 0 : g.len > 0);
	assert_true(kit_get_right(&g, 0));
	kit_get_free(&g);
	kit_end(&k);
}

static void test_middle(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof middles / sizeof *middles; i++)
		check_middle(i, false);
}

static void test_in_lend(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof middles / sizeof *middles; i++)
		if (middles[i].stays && middles[i].code != 226)
			check_middle(i, true);
}

/* --- at every stage ----------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	bool late; /* when the server has done what it can; else before the loop has run */
	int code;
	const char *never; /* no such command is sent */
	struct step script[32];
} stages[] = {
	{ "before anything was sent", false, 0, "EPSV", { LOGIN, STAYS } },
	{ "before the address", true, 0, "RETR",
		{ LOGIN, WANT("EPSV"), DO(STEP_LISTEN), DO(STEP_HOLD), SAY("229 here (%E)"), STAYS } },
	{ "before EPSV is refused", true, 0, "RETR", { LOGIN, WANT("EPSV"), DO(STEP_HOLD), SAY("500 no"), STAYS } },
	{ "before 150", true, 426, "ABOR",
		{ LOGIN, GET, DO(STEP_DATA_GONE), SAY("150 Opening"), SAY("426 aborted"), REPLY("PWD", "257 \"/\""),
			STAYS } },
	{ "before a refusal", true, 550, "ABOR", { LOGIN, GET, WANT("PWD"), SAY("550 no"), SAY("257 \"/\""), STAYS } },
	{ "before 226", true, 226, "ABOR",
		{ LOGIN, GET, OPENING, FILL(1000), DO(STEP_END_DATA), REPLY("PWD", "226 done"), SAY("257 \"/\""),
			STAYS } },
	{ "after 226, before the end of data", true, 226, "PWD",
		{ LOGIN, GET, OPENING, FILL(1000), SAY("226 done"), STAYS } },
	{ "after 426, before the end of data", true, 426, "PWD",
		{ LOGIN, GET, OPENING, FILL(1000), SAY("426 aborted"), STAYS } },
};

static void test_stages(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
		struct kit_get g = { 0 };
		struct kit k;

		kit_begin(&k, stages[i].script);
		assert_int_equal(kit_connect(&k), 0);
		kit_get_start(&g, &k, "/f", 0);
		if (stages[i].late)
			loop_run_for(&k.loop, 40);
		assert_false(g.over);
		aftp_transfer_cancel(g.transfer);
		aftp_transfer_cancel(g.transfer);
		assert_false(g.over);
		scripted_go_on(&k.server);
		kit_get_wait(&g);
		if (g.code != stages[i].code || g.status != AFTP_ECANCELED)
			fail_msg("%s: %s, %d", stages[i].name, aftp_err_name(g.status), g.code);
		assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
		if (strstr(k.server.commands, stages[i].never))
			fail_msg("%s: %s was sent", stages[i].name, stages[i].never);
		kit_get_free(&g);
		kit_end(&k);
	}
}

/* The one that is under way is not touched, and the next one does not begin. */
static void test_while_queued(void **state)
{
	static const struct step script[] = { LOGIN, GET, OPENING, FILL(1000), DO(STEP_END_DATA), SAY("226 done"),
		STAYS };
	struct kit_get f = { .pause_at = 100 }, g = { 0 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	kit_get_start(&f, &k, "/f", 0);
	kit_get_start(&g, &k, "/g", 0);
	loop_run_for(&k.loop, 20);
	aftp_transfer_cancel(g.transfer);
	kit_get_wait(&g);
	assert_int_equal(g.status, AFTP_ECANCELED);
	assert_false(f.over);
	kit_get_go_on(&f);
	kit_get_wait(&f);
	assert_int_equal(f.status, 0);
	assert_int_equal(f.len, 1000);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_get_free(&f);
	kit_get_free(&g);
	kit_end(&k);
}

static void test_while_paused(void **state)
{
	static const struct step script[] = { LOGIN, GET, OPENING, FILL(100000), WANT("PWD"), SAY("426 aborted"),
		SAY("257 \"/\""), STAYS };
	struct kit_get g = { .pause_at = 100 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	kit_get_start(&g, &k, "/f", 0);
	loop_run_for(&k.loop, 30);
	assert_true(g.paused);
	aftp_transfer_cancel(g.transfer);
	aftp_transfer_resume(g.transfer);
	kit_get_wait(&g);
	assert_int_equal(g.status, AFTP_ECANCELED);
	assert_int_equal(g.len, 100);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_get_free(&g);
	kit_end(&k);
}

/* The next transfer is a new one. */
static void test_again_after(void **state)
{
	static const struct step script[] = { LOGIN, GET, OPENING, FILL(1000), WANT("PWD"), SAY("426 aborted"),
		SAY("257 \"/\""), EPSV, DO(STEP_ACCEPT), WANT("RETR /f"), OPENING, DO_N(STEP_SEEK, 0), FILL(1000),
		DO(STEP_END_DATA), SAY("226 done"), STAYS };
	struct kit_get f = { .cancel_at = 1 }, g = { 0 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	kit_get_start(&f, &k, "/f", 0);
	kit_get_start(&g, &k, "/f", 0);
	kit_get_wait(&f);
	assert_int_equal(f.status, AFTP_ECANCELED);
	kit_get_wait(&g);
	assert_int_equal(g.status, 0);
	assert_int_equal(g.len, 1000);
	assert_true(kit_get_right(&g, 0));
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_get_free(&f);
	kit_get_free(&g);
	kit_end(&k);
}

/* --- uploads ------------------------------------------------------------------------------------------ */

/* The server must not take what came so far for the whole file: it sees a reset. */
static void test_upload(void **state)
{
	static const struct step script[] = { LOGIN, PUT, SAY("150 go on"), DO(STEP_TAKE_ALL), WANT("PWD"),
		SAY("426 aborted"), SAY("257 \"/\""), STAYS };
	struct kit_put p = { .cancel_at = 3000 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	kit_put_start(&p, &k, AFTP_STORE, "/f", 0, 1 << 20, 1000);
	assert_int_equal(kit_put_wait(&p), AFTP_ECANCELED);
	assert_int_equal(p.code, 426);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	assert_true(k.server.data_reset);
	assert_false(k.server.data_wrong);
	kit_end(&k);
}

static void test_upload_before_150(void **state)
{
	static const struct step script[] = { LOGIN, PUT, DO(STEP_TAKE_ALL), SAY("150 go on"), SAY("426 aborted"),
		REPLY("PWD", "257 \"/\""), STAYS };
	struct kit_put p = { 0 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	kit_put_start(&p, &k, AFTP_STORE, "/f", 0, 1000, 1000);
	loop_run_for(&k.loop, 40);
	aftp_transfer_cancel(p.transfer);
	assert_int_equal(kit_put_wait(&p), AFTP_ECANCELED);
	assert_int_equal(p.ready, 0);
	assert_int_equal(k.server.data_bytes, 0);
	assert_true(k.server.data_reset);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

/* --- closing the client ------------------------------------------------------------------------------- */

/* At any moment: everyone hears of it once, and nothing is left. */
static void test_close_anywhere(void **state)
{
	static const struct step script[] = { LOGIN, GET, OPENING, FILL(100), PAUSE(5), FILL(100), DO(STEP_END_DATA),
		SAY("226 done"), REPLY("NOOP", "200 ok"), END };

	(void)state;
	for (unsigned turns = 0; turns < 25; turns++) {
		for (int cancels = 0; cancels < 2; cancels++) {
			struct kit_get g = { 0 };
			struct kit k;
			int noop = 1;

			kit_begin(&k, script);
			assert_int_equal(kit_connect(&k), 0);
			kit_get_start(&g, &k, "/f", 0);
			assert_int_equal(aftp_client_command(k.client, kit_note_reply, &noop, "NOOP", NULL), 0);
			for (unsigned i = 0; i < turns; i++)
				uv_run(&k.loop, UV_RUN_NOWAIT);
			if (cancels && !g.over)
				aftp_transfer_cancel(g.transfer);
			kit_close(&k);
			assert_int_equal(g.done, 1);
			assert_true(g.status == 0 || g.status == AFTP_ECANCELED);
			assert_true(noop == 200 || noop == AFTP_ECANCELED);
			assert_true(kit_get_right(&g, 0));
			kit_get_free(&g);
			kit_end(&k);
			assert_int_equal(k.lost, 0);
		}
	}
}

static void test_quit_in_the_middle(void **state)
{
	static const struct step script[] = { LOGIN, GET, OPENING, FILL(1000), END };
	struct kit_get g = { .pause_at = 10 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	kit_get_start(&g, &k, "/f", 0);
	loop_run_for(&k.loop, 20);
	kit_quit(&k);
	assert_int_equal(g.done, 1);
	assert_int_equal(g.status, AFTP_ECANCELED);
	kit_get_free(&g);
	kit_end(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_middle),
		cmocka_unit_test(test_in_lend),
		cmocka_unit_test(test_stages),
		cmocka_unit_test(test_while_queued),
		cmocka_unit_test(test_while_paused),
		cmocka_unit_test(test_again_after),
		cmocka_unit_test(test_upload),
		cmocka_unit_test(test_upload_before_150),
		cmocka_unit_test(test_close_anywhere),
		cmocka_unit_test(test_quit_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
