/* What a client makes of the ways in which servers send a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/kit.h"
#include "lib/loop.h"

enum { SHORT_MS = 250 };

#define GET     EPSV, DO(STEP_ACCEPT), WANT("RETR /f")
#define OPENING SAY("150 Opening BINARY mode data connection for /f (1000 bytes).")
#define FILL(n) DO_N(STEP_FILL, n)
#define FINE    SAY("226 Transfer complete.")
/* The connection is in step. */
#define STAYS   REPLY("NOOP", "200 still here"), END

struct download {
	const char *name;
	uint64_t offset;
	int status, code;
	size_t len;
	const char *words; /* in the result's message */
	bool stays;        /* the connection */
	struct step script[32];
};

static const struct download downloads[] = {
	{ "data, then 226", 0, 0, 226, 1000, "Transfer complete.", true,
		{ LOGIN, GET, OPENING, FILL(1000), DO(STEP_END_DATA), FINE, STAYS } },
	{ "226, then data", 0, 0, 226, 1000, "", true,
		{ LOGIN, GET, OPENING, FINE, PAUSE(20), FILL(1000), DO(STEP_END_DATA), STAYS } },
	{ "226, half of the data before it", 0, 0, 226, 1000, "", true,
		{ LOGIN, GET, OPENING, FILL(500), FINE, PAUSE(20), FILL(500), DO(STEP_END_DATA), STAYS } },
	{ "125", 0, 0, 226, 1000, "", true,
		{ LOGIN, GET, SAY("125 Starting"), FILL(1000), DO(STEP_END_DATA), FINE, STAYS } },
	{ "no 150", 0, 0, 226, 1000, "", true, { LOGIN, GET, FILL(1000), DO(STEP_END_DATA), FINE, STAYS } },
	{ "data before 150", 0, 0, 226, 1000, "", true,
		{ LOGIN, GET, FILL(1000), DO(STEP_END_DATA), PAUSE(20), OPENING, FINE, STAYS } },
	{ "150 twice", 0, 0, 226, 1000, "", true,
		{ LOGIN, GET, OPENING, FILL(1000), OPENING, DO(STEP_END_DATA), FINE, STAYS } },
	{ "250", 0, 0, 250, 1000, "", true,
		{ LOGIN, GET, OPENING, FILL(1000), DO(STEP_END_DATA), SAY("250 ok"), STAYS } },
	{ "an empty file", 0, 0, 226, 0, "", true, { LOGIN, GET, OPENING, DO(STEP_END_DATA), FINE, STAYS } },
	{ "fewer bytes than the server told", 0, 0, 226, 10, "", true,
		{ LOGIN, GET, OPENING, FILL(10), DO(STEP_END_DATA), FINE, STAYS } },
	{ "a big file", 0, 0, 226, 2000000, "", true,
		{ LOGIN, GET, OPENING, FILL(2000000), DO(STEP_END_DATA), FINE, STAYS } },

	{ "it does not exist", 0, AFTP_ENOENT, 550, 0, "No such file", true,
		{ LOGIN, GET, SAY("550 /f: No such file or directory"), STAYS } },
	{ "it does not exist, and data ends", 0, AFTP_ENOENT, 550, 0, "", true,
		{ LOGIN, GET, DO(STEP_END_DATA), SAY("550 /f: No such file or directory"), STAYS } },
	{ "it does not exist, and data is reset", 0, AFTP_ENOENT, 550, 0, "", true,
		{ LOGIN, GET, DO(STEP_RESET_DATA), PAUSE(20), SAY("550 /f: No such file or directory"), STAYS } },
	{ "it may not be read", 0, AFTP_EACCES, 550, 0, "", true,
		{ LOGIN, GET, SAY("550 Permission denied."), STAYS } },
	{ "a refusal that says nothing", 0, AFTP_EREPLY, 550, 0, "", true,
		{ LOGIN, GET, SAY("550 Failed to open file."), STAYS } },
	{ "no such command", 0, AFTP_ENOTSUP, 502, 0, "", true, { LOGIN, GET, SAY("502 no"), STAYS } },
	{ "425", 0, AFTP_ECONNRESET, 425, 0, "", true, { LOGIN, GET, SAY("425 No data connection"), STAYS } },

	{ "426, and all of the data", 0, AFTP_ECONNRESET, 426, 1000, "aborted", true,
		{ LOGIN, GET, OPENING, FILL(1000), DO(STEP_END_DATA), SAY("426 aborted"), STAYS } },
	{ "426 before the rest of the data", 0, AFTP_ECONNRESET, 426, 700, "", true,
		{ LOGIN, GET, OPENING, FILL(500), SAY("426 aborted"), PAUSE(20), FILL(200), DO(STEP_END_DATA),
			STAYS } },
	{ "426, and a reset", 0, AFTP_ECONNRESET, 426, 0, "", true,
		{ LOGIN, GET, OPENING, DO(STEP_RESET_DATA), SAY("426 aborted"), STAYS } },
	{ "451", 0, AFTP_EIO, 451, 500, "disk error", true,
		{ LOGIN, GET, OPENING, FILL(500), SAY("451 disk error"), DO(STEP_END_DATA), STAYS } },
	{ "it does not exist any more", 0, AFTP_EIO, 550, 500, "No such file", true,
		{ LOGIN, GET, OPENING, FILL(500), DO(STEP_END_DATA), SAY("550 No such file or directory"), STAYS } },
	{ "a reset that the server does not mention", 0, AFTP_ECONNRESET, 226, 0, "", true,
		{ LOGIN, GET, OPENING, DO(STEP_RESET_DATA), FINE, STAYS } },
	{ "226, then a reset", 0, AFTP_ECONNRESET, 226, 500, "", true,
		{ LOGIN, GET, OPENING, FILL(500), FINE, PAUSE(20), DO(STEP_RESET_DATA), STAYS } },

	{ "no final reply", 0, AFTP_ETIMEDOUT, 0, 1000, "", false,
		{ LOGIN, GET, OPENING, FILL(1000), DO(STEP_END_DATA), END } },
	{ "no reply at all", 0, AFTP_ETIMEDOUT, 0, 0, "", false, { LOGIN, GET, END } },
	{ "no end of data", 0, AFTP_ETIMEDOUT, 226, 1000, "", false, { LOGIN, GET, OPENING, FILL(1000), FINE, END } },
	{ "silence in the middle", 0, AFTP_ETIMEDOUT, 0, 500, "", false, { LOGIN, GET, OPENING, FILL(500), END } },
	{ "426, and no end of data", 0, AFTP_ECONNRESET, 426, 500, "", false,
		{ LOGIN, GET, OPENING, FILL(500), SAY("426 aborted"), END } },
	{ "421 in the middle", 0, AFTP_ECONNRESET, 0, 500, "", false,
		{ LOGIN, GET, OPENING, FILL(500), PAUSE(20), SAY("421 Timeout."), DO(STEP_CLOSE), END } },
	{ "the end in the middle", 0, AFTP_ECONNRESET, 0, 500, "", false,
		{ LOGIN, GET, OPENING, FILL(500), PAUSE(20), DO(STEP_CLOSE), END } },
	{ "3xx", 0, AFTP_EPROTO, 350, 0, "", false, { LOGIN, GET, SAY("350 more"), END } },
	{ "garbage in the middle", 0, AFTP_EPROTO, 0, 500, "", false,
		{ LOGIN, GET, OPENING, FILL(500), PAUSE(20), SAY("what?"), END } },
	{ "no end of 1xx", 0, AFTP_EPROTO, 0, 0, "", false, { LOGIN, GET, FLOOD("150 wait\r\n"), END } },

	{ "an offset", 500, 0, 226, 500, "", true,
		{ LOGIN, EPSV, DO(STEP_ACCEPT), REPLY("REST 500", "350 from there"), WANT("RETR /f"), OPENING,
			DO_N(STEP_SEEK, 500), FILL(500), DO(STEP_END_DATA), FINE, STAYS } },
	{ "an offset past all counting", UINT64_MAX, AFTP_EREPLY, 554, 0, "", true,
		{ LOGIN, EPSV, DO(STEP_ACCEPT), REPLY("REST 18446744073709551615", "350 from there"),
			REPLY("RETR /f", "554 beyond"), STAYS } },
	{ "no offsets, and data", 500, AFTP_ENOTSUP, 426, 0, "", true,
		{ LOGIN, EPSV, DO(STEP_ACCEPT), REPLY("REST 500", "502 no"), WANT("RETR /f"), OPENING, FILL(1000),
			WANT("PWD"), SAY("426 broken pipe"), SAY("257 \"/\""), STAYS } },

	{ "EPSV refused", 0, 0, 226, 1000, "", true,
		{ LOGIN, REPLY("EPSV", "500 what?"), WANT("PASV"), DO(STEP_LISTEN), SAY("227 Entering (%P)."),
			DO(STEP_ACCEPT), WANT("RETR"), OPENING, FILL(1000), DO(STEP_END_DATA), FINE, STAYS } },
	{ "EPSV's port refused", 0, 0, 226, 1000, "", true,
		{ LOGIN, WANT("EPSV"), DO(STEP_NO_PORT), SAY("229 here (%E)"), WANT("PASV"), DO(STEP_LISTEN),
			SAY("227 Entering (%P)."), DO(STEP_ACCEPT), WANT("RETR"), OPENING, FILL(1000),
			DO(STEP_END_DATA), FINE, STAYS } },
	{ "every port refused", 0, AFTP_ECONNREFUSED, 0, 0, "", true,
		{ LOGIN, WANT("EPSV"), DO(STEP_NO_PORT), SAY("229 here (%E)"), WANT("PASV"), DO(STEP_NO_PORT),
			SAY("227 Entering (%P)."), STAYS } },
	{ "229 without a port", 0, 0, 226, 1000, "", true,
		{ LOGIN, REPLY("EPSV", "229 somewhere"), WANT("PASV"), DO(STEP_LISTEN), SAY("227 Entering (%P)."),
			DO(STEP_ACCEPT), WANT("RETR"), OPENING, FILL(1000), DO(STEP_END_DATA), FINE, STAYS } },
	{ "227 without a port", 0, AFTP_EPROTO, 0, 0, "", true,
		{ LOGIN, REPLY("EPSV", "500 no"), REPLY("PASV", "227 Entering (1,2,3,4,5)"), STAYS } },
	{ "neither EPSV nor PASV", 0, AFTP_ENOTSUP, 0, 0, "", true,
		{ LOGIN, REPLY("EPSV", "502 no"), REPLY("PASV", "502 no"), STAYS } },
	{ "another answer to EPSV", 0, AFTP_EPROTO, 0, 0, "", false, { LOGIN, REPLY("EPSV", "226 done"), END } },
	{ "another answer to PASV", 0, AFTP_EPROTO, 0, 0, "", false,
		{ LOGIN, REPLY("EPSV", "500 no"), REPLY("PASV", "229 here (|||5|)"), END } },
	{ "the end at EPSV", 0, AFTP_ECONNRESET, 0, 0, "", false, { LOGIN, WANT("EPSV"), DO(STEP_CLOSE), END } },
	{ "silence at EPSV", 0, AFTP_ETIMEDOUT, 0, 0, "", false, { LOGIN, WANT("EPSV"), END } },
};

static void check_download(const struct download *d, bool byte_by_byte)
{
	struct kit_get g = { 0 };
	struct kit k;

	kit_begin(&k, d->script);
	k.server.byte_by_byte = byte_by_byte;
	if (!d->stays)
		k.o.timeout_ms = SHORT_MS;
	assert_int_equal(kit_connect(&k), 0);
	(void)kit_get(&g, &k, "/f", d->offset);
	if (g.status != d->status || g.code != d->code)
		fail_msg("%s: %s and %d, not %s and %d", d->name, aftp_err_name(g.status), g.code,
			aftp_err_name(d->status), d->code);
	if (g.len != d->len || g.moved != d->len)
		fail_msg("%s: %zu bytes (told: %llu), not %zu", d->name, g.len, (unsigned long long)g.moved, d->len);
	if (!kit_get_right(&g, d->offset))
		fail_msg("%s: wrong bytes", d->name);
	if (!strstr(g.message, d->words))
		fail_msg("%s: \"%s\" has no \"%s\"", d->name, g.message, d->words);
	if (aftp_client_alive(k.client) != d->stays || k.lost != !d->stays)
		fail_msg("%s: lost %u times: %s", d->name, k.lost, aftp_err_name(k.lost_status));
	if (d->stays) {
		assert_true(aftp_client_idle(k.client));
		assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	}
	kit_get_free(&g);
	kit_end(&k);
}

static void test_downloads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof downloads / sizeof *downloads; i++)
		check_download(&downloads[i], false);
}

static void test_downloads_in_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof downloads / sizeof *downloads; i++)
		if (downloads[i].stays)
			check_download(&downloads[i], true);
}

/* --- details ---------------------------------------------------------------------------------------- */

static void test_size_is_told(void **state)
{
	static const struct step script[] = { LOGIN, GET, SAY("150 Opening /f (1000 bytes)."), DO(STEP_END_DATA), FINE,
		GET, SAY("150 Here it comes"), DO(STEP_END_DATA), FINE, STAYS };
	struct kit_get g = { 0 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_get(&g, &k, "/f", 0), 0);
	assert_int_equal(g.started, 1);
	assert_int_equal(g.size, 1000);
	kit_get_free(&g);
	assert_int_equal(kit_get(&g, &k, "/f", 0), 0);
	assert_int_equal(g.started, 1);
	assert_true(g.size == UINT64_MAX);
	kit_get_free(&g);
	kit_end(&k);
}

/* When both are refused, the order in which this is noticed does not matter. */
static void test_no_offsets(void **state)
{
	static const struct step together[] = { LOGIN, EPSV, DO(STEP_ACCEPT), WANT("REST 500"), WANT("RETR /f"),
		SAY_RAW("502 no\r\n550 no\r\n"), STAYS };
	static const struct step apart[] = { LOGIN, EPSV, DO(STEP_ACCEPT), REPLY("REST 500", "502 no"), WANT("RETR /f"),
		WANT("PWD"), SAY("550 no"), SAY("257 \"/\""), STAYS };
	static const struct step *const scripts[] = { together, apart };

	(void)state;
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
		struct kit_get g = { 0 };
		struct kit k;

		kit_begin(&k, scripts[i]);
		assert_int_equal(kit_connect(&k), 0);
		assert_int_equal(kit_get(&g, &k, "/f", 500), AFTP_ENOTSUP);
		assert_int_equal(g.code, 550);
		assert_int_equal(g.len, 0);
		assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
		kit_get_free(&g);
		kit_end(&k);
	}
}

static void test_bad_paths(void **state)
{
	static const struct step script[] = { LOGIN, STAYS };
	static const struct {
		const char *path;
		int status;
	} cases[] = { { "", AFTP_EINVAL }, { "/a\nDELE b", AFTP_EBADNAME }, { "/a\rb", AFTP_EBADNAME } };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct kit_get g = { 0 };

		kit_get_start(&g, &k, cases[i].path, 0);
		assert_int_equal(g.status, cases[i].status);
		kit_get_free(&g);
	}
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

/* What was learned about passive mode holds for the next one; and from the second one on, RETR does not wait for the
 * data connection. */
static void test_twice(void **state)
{
	static const struct step script[] = { LOGIN, REPLY("EPSV", "500 what?"), WANT("PASV"), DO(STEP_LISTEN),
		SAY("227 Entering (%P)."), DO(STEP_ACCEPT), WANT("RETR /f"), OPENING, FILL(1000), DO(STEP_END_DATA),
		FINE, WANT("PASV"), DO(STEP_LISTEN), SAY("227 Entering (%P)."), WANT("RETR /g"), DO(STEP_ACCEPT),
		OPENING, DO_N(STEP_SEEK, 0), FILL(10), DO(STEP_END_DATA), FINE, STAYS };
	struct kit_get f = { 0 }, g = { 0 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	/* Both are asked for at once. */
	kit_get_start(&f, &k, "/f", 0);
	kit_get_start(&g, &k, "/g", 0);
	kit_get_wait(&f);
	assert_int_equal(g.len, 0);
	kit_get_wait(&g);
	assert_int_equal(f.status, 0);
	assert_int_equal(g.status, 0);
	assert_int_equal(f.len, 1000);
	assert_int_equal(g.len, 10);
	assert_true(kit_get_right(&f, 0) && kit_get_right(&g, 0));
	assert_true(aftp_client_features(k.client)->no_epsv);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_get_free(&f);
	kit_get_free(&g);
	kit_end(&k);
}

static void test_pasv_at_once(void **state)
{
	static const struct step script[] = { LOGIN, WANT("PASV"), DO(STEP_LISTEN), SAY("227 Entering (%P)."),
		DO(STEP_ACCEPT), WANT("RETR"), OPENING, DO(STEP_END_DATA), FINE, STAYS };
	struct kit_get g = { 0 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	k.o.no_epsv = true;
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_get(&g, &k, "/f", 0), 0);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_get_free(&g);
	kit_end(&k);
}

/* A refusal of EPSV for the moment is not remembered. */
static void test_epsv_not_now(void **state)
{
	static const struct step script[] = { LOGIN, REPLY("EPSV", "425 not now"), WANT("PASV"), DO(STEP_LISTEN),
		SAY("227 Entering (%P)."), DO(STEP_ACCEPT), WANT("RETR"), OPENING, DO(STEP_END_DATA), FINE, STAYS };
	struct kit_get g = { 0 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_get(&g, &k, "/f", 0), 0);
	assert_false(aftp_client_features(k.client)->no_epsv);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_get_free(&g);
	kit_end(&k);
}

static void test_reply_too_many(void **state)
{
	static const struct step script[] = { LOGIN, GET, OPENING, DO(STEP_END_DATA), FINE, PAUSE(20), FINE, END };
	struct kit_get g = { 0 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_get(&g, &k, "/f", 0), 0);
	loop_run_for(&k.loop, 60);
	assert_int_equal(k.lost, 1);
	assert_int_equal(k.lost_status, AFTP_EPROTO);
	kit_get_free(&g);
	kit_end(&k);
}

/* --- waiting ---------------------------------------------------------------------------------------- */

/* A consumer may rest longer than any server may. */
static void test_pause(void **state)
{
	static const struct step script[] = { LOGIN, GET, OPENING, FILL(300000), DO(STEP_END_DATA), FINE, STAYS };
	struct kit_get g = { .pause_at = 1000 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	k.o.timeout_ms = 500;
	assert_int_equal(kit_connect(&k), 0);
	kit_get_start(&g, &k, "/f", 0);
	loop_run_for(&k.loop, 1500);
	assert_true(g.paused);
	assert_false(g.over);
	assert_int_equal(g.len, 1000);
	assert_int_equal(aftp_transfer_bytes(g.transfer), 1000);
	kit_get_go_on(&g);
	kit_get_wait(&g);
	assert_int_equal(g.status, 0);
	assert_int_equal(g.len, 300000);
	assert_true(kit_get_right(&g, 0));
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_get_free(&g);
	kit_end(&k);
}

/* Data that trickles is no silence, however long the reply takes. */
static void test_trickle(void **state)
{
	static const struct step script[] = { LOGIN, GET, OPENING, FILL(1), PAUSE(500), FILL(1), PAUSE(500), FILL(1),
		PAUSE(500), FILL(1), PAUSE(500), FILL(1), DO(STEP_END_DATA), PAUSE(500), FINE, STAYS };
	struct kit_get g = { 0 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	k.o.timeout_ms = 2000;
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_get(&g, &k, "/f", 0), 0);
	assert_int_equal(g.len, 5);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_get_free(&g);
	kit_end(&k);
}

static void test_commands_wait(void **state)
{
	static const struct step script[] = { LOGIN, GET, OPENING, FILL(5000), DO(STEP_END_DATA), FINE,
		REPLY("NOOP", "200 ok"), REPLY("SIZE /f", "213 5000"), END };
	struct kit_get g = { .pause_at = 1000 };
	int noop = 0, size = 0;
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	kit_get_start(&g, &k, "/f", 0);
	assert_int_equal(aftp_client_command(k.client, kit_note_reply, &noop, "NOOP", NULL), 0);
	loop_run_for(&k.loop, 50);
	assert_int_equal(aftp_client_command(k.client, kit_note_reply, &size, "SIZE", "/f"), 0);
	loop_run_for(&k.loop, 20);
	assert_true(g.paused);
	assert_null(strstr(k.server.commands, "NOOP"));
	assert_false(aftp_client_idle(k.client));
	kit_get_go_on(&g);
	kit_get_wait(&g);
	assert_int_equal(g.len, 5000);
	assert_int_equal(noop, 0);
	loop_run_for(&k.loop, 50);
	assert_int_equal(noop, 200);
	assert_int_equal(size, 213);
	/* And leave together. */
	assert_non_null(strstr(k.server.segments, "NOOP+SIZE /f+\n"));
	kit_get_free(&g);
	kit_end(&k);
}

/* Those that were sent before are answered first. */
static void test_commands_before(void **state)
{
	static const struct step script[] = { LOGIN, REPLY("NOOP", "200 ok"), GET, OPENING, FILL(10), DO(STEP_END_DATA),
		FINE, STAYS };
	struct kit_get g = { 0 };
	int noop = 0;
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(aftp_client_command(k.client, kit_note_reply, &noop, "NOOP", NULL), 0);
	assert_int_equal(kit_get(&g, &k, "/f", 0), 0);
	assert_int_equal(noop, 200);
	assert_non_null(strstr(k.server.segments, "NOOP+EPSV+\n"));
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_get_free(&g);
	kit_end(&k);
}

/* Inside the last callback. */
static void test_close_at_the_end(void **state)
{
	static const struct step script[] = { LOGIN, GET, OPENING, FILL(10), DO(STEP_END_DATA), FINE, END };
	struct kit_get g = { .close_at_end = true };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(kit_get(&g, &k, "/f", 0), 0);
	assert_null(k.client);
	kit_get_free(&g);
	kit_end(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_downloads),
		cmocka_unit_test(test_downloads_in_pieces),
		cmocka_unit_test(test_size_is_told),
		cmocka_unit_test(test_no_offsets),
		cmocka_unit_test(test_bad_paths),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_pasv_at_once),
		cmocka_unit_test(test_epsv_not_now),
		cmocka_unit_test(test_reply_too_many),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_trickle),
		cmocka_unit_test(test_commands_wait),
		cmocka_unit_test(test_commands_before),
		cmocka_unit_test(test_close_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
