/* What a client makes of the ways in which servers take a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/kit.h"
#include "lib/loop.h"

enum { SHORT_MS = 250, BIG = 8 << 20 };

#define PUT(verb) EPSV, DO(STEP_ACCEPT), WANT(verb " /f")
#define OPENING   SAY("150 Ok to send data.")
#define TAKE      DO(STEP_TAKE_ALL)
#define FINE      SAY("226 Transfer complete.")
#define STAYS     REPLY("NOOP", "200 still here"), END

/* The server has taken all that was sent. */
enum { ALL = -1 };

struct upload {
	const char *name;
	enum aftp_store how;
	uint64_t offset;
	uint64_t total;
	size_t chunk;
	int status, code;
	const char *words;
	bool stays;
	long taken; /* ALL, or no more than so many bytes */
	struct step script[32];
};

static const struct upload uploads[] = {
	{ "STOR", AFTP_STORE, 0, 5000, 1000, 0, 226, "complete", true, ALL,
		{ LOGIN, PUT("STOR"), OPENING, TAKE, FINE, STAYS } },
	{ "APPE", AFTP_APPEND, 0, 5000, 5000, 0, 226, "", true, ALL,
		{ LOGIN, PUT("APPE"), OPENING, TAKE, FINE, STAYS } },
	{ "a big file", AFTP_STORE, 0, BIG, 65536, 0, 226, "", true, ALL,
		{ LOGIN, PUT("STOR"), OPENING, TAKE, FINE, STAYS } },
	{ "an empty file", AFTP_STORE, 0, 0, 10, 0, 226, "", true, ALL,
		{ LOGIN, PUT("STOR"), OPENING, TAKE, FINE, STAYS } },
	{ "125 and 250", AFTP_STORE, 0, 10, 10, 0, 250, "", true, ALL,
		{ LOGIN, PUT("STOR"), SAY("125 go"), TAKE, SAY("250 ok"), STAYS } },
	{ "150 twice", AFTP_STORE, 0, 10, 10, 0, 226, "", true, ALL,
		{ LOGIN, PUT("STOR"), OPENING, OPENING, TAKE, FINE, STAYS } },
	{ "an offset", AFTP_STORE, 700, 5000, 1000, 0, 226, "", true, ALL,
		{ LOGIN, EPSV, DO(STEP_ACCEPT), REPLY("REST 700", "350 ok"), WANT("STOR /f"), OPENING, TAKE, FINE,
			STAYS } },
	{ "an offset that is refused after 150", AFTP_STORE, 700, 5000, 1000, AFTP_ENOTSUP, 426, "", true, 0,
		{ LOGIN, EPSV, DO(STEP_ACCEPT), WANT("REST 700"), WANT("STOR /f"), SAY("502 no"), OPENING, TAKE,
			SAY("426 aborted"), REPLY("PWD", "257 \"/\""), STAYS } },

	{ "refused", AFTP_STORE, 0, 5000, 1000, AFTP_EACCES, 553, "Permission denied.", true, 0,
		{ LOGIN, PUT("STOR"), SAY("553 Permission denied."), STAYS } },
	{ "refused, data closed", AFTP_STORE, 0, 5000, 1000, AFTP_EREPLY, 553, "Could not create file.", true, 0,
		{ LOGIN, PUT("STOR"), DO(STEP_END_DATA), PAUSE(10), SAY("553 Could not create file."), STAYS } },
	{ "552 in the middle", AFTP_STORE, 0, BIG, 1000, -ENOSPC, 552, "disk is full", true, BIG - 1,
		{ LOGIN, PUT("STOR"), OPENING, DO_N(STEP_TAKE, 10000), SAY("552 The disk is full"), STAYS } },
	{ "552 after a reset", AFTP_STORE, 0, BIG, 1000, -ENOSPC, 552, "disk is full", true, BIG - 1,
		{ LOGIN, PUT("STOR"), OPENING, DO_N(STEP_TAKE, 10000), DO(STEP_RESET_DATA), PAUSE(30),
			SAY("552 The disk is full"), STAYS } },
	{ "552 after the end", AFTP_STORE, 0, BIG, 1000, -EDQUOT, 552, "Quota", true, BIG - 1,
		{ LOGIN, PUT("STOR"), OPENING, DO_N(STEP_TAKE, 10000), DO(STEP_END_DATA), PAUSE(30),
			SAY("552 Quota exceeded"), STAYS } },
	{ "552 when all was sent", AFTP_STORE, 0, 5000, 1000, -EDQUOT, 552, "Quota", true, ALL,
		{ LOGIN, PUT("STOR"), OPENING, TAKE, SAY("552 Quota exceeded"), STAYS } },
	{ "451", AFTP_STORE, 0, 5000, 1000, AFTP_EIO, 451, "", true, ALL,
		{ LOGIN, PUT("STOR"), OPENING, TAKE, SAY("451 Local error"), STAYS } },
	{ "426", AFTP_STORE, 0, 5000, 1000, AFTP_ECONNRESET, 426, "", true, ALL,
		{ LOGIN, PUT("STOR"), OPENING, TAKE, SAY("426 Failure reading network stream."), STAYS } },
	{ "550 after 150 is no absence", AFTP_STORE, 0, 5000, 1000, AFTP_EIO, 550, "", true, ALL,
		{ LOGIN, PUT("STOR"), OPENING, TAKE, SAY("550 /f: No such file or directory"), STAYS } },
	{ "a reset that the server does not mention", AFTP_STORE, 0, BIG, 1000, AFTP_ECONNRESET, 226, "", true, BIG - 1,
		{ LOGIN, PUT("STOR"), OPENING, DO_N(STEP_TAKE, 10000), DO(STEP_RESET_DATA), PAUSE(30), FINE, STAYS } },
	{ "226 in the middle", AFTP_STORE, 0, BIG, 1000, AFTP_ESHORT, 226, "", true, BIG - 1,
		{ LOGIN, PUT("STOR"), OPENING, DO_N(STEP_TAKE, 10000), FINE, STAYS } },
	{ "226 before anything", AFTP_STORE, 0, 5000, 1000, AFTP_ESHORT, 226, "", true, 5000,
		{ LOGIN, PUT("STOR"), FINE, STAYS } },

	{ "no 150", AFTP_STORE, 0, 5000, 1000, AFTP_ETIMEDOUT, 0, "", false, 0, { LOGIN, PUT("STOR"), END } },
	{ "no final reply", AFTP_STORE, 0, 5000, 1000, AFTP_ETIMEDOUT, 0, "", false, ALL,
		{ LOGIN, PUT("STOR"), OPENING, TAKE, END } },
	{ "the server takes nothing", AFTP_STORE, 0, 256 << 20, 1 << 20, AFTP_ETIMEDOUT, 0, "", false, 0,
		{ LOGIN, PUT("STOR"), OPENING, END } },
	{ "421 in the middle", AFTP_STORE, 0, BIG, 1000, AFTP_ECONNRESET, 0, "", false, BIG - 1,
		{ LOGIN, PUT("STOR"), OPENING, DO_N(STEP_TAKE, 10000), SAY("421 Timeout."), DO(STEP_CLOSE), END } },
	{ "the end in the middle", AFTP_STORE, 0, BIG, 1000, AFTP_ECONNRESET, 0, "", false, BIG - 1,
		{ LOGIN, PUT("STOR"), OPENING, DO_N(STEP_TAKE, 10000), DO(STEP_CLOSE), END } },
	{ "the end instead of 226", AFTP_STORE, 0, 5000, 1000, AFTP_ECONNRESET, 0, "", false, ALL,
		{ LOGIN, PUT("STOR"), OPENING, TAKE, DO(STEP_CLOSE), END } },
	{ "350", AFTP_STORE, 0, 5000, 1000, AFTP_EPROTO, 350, "", false, 0,
		{ LOGIN, PUT("STOR"), SAY("350 more"), END } },

	{ "EPSV refused", AFTP_STORE, 0, 5000, 1000, 0, 226, "", true, ALL,
		{ LOGIN, REPLY("EPSV", "500 what?"), WANT("PASV"), DO(STEP_LISTEN), SAY("227 Entering (%P)."),
			DO(STEP_ACCEPT), WANT("STOR"), OPENING, TAKE, FINE, STAYS } },
	{ "every port refused", AFTP_STORE, 0, 5000, 1000, AFTP_ECONNREFUSED, 0, "", true, 0,
		{ LOGIN, WANT("EPSV"), DO(STEP_NO_PORT), SAY("229 here (%E)"), WANT("PASV"), DO(STEP_NO_PORT),
			SAY("227 Entering (%P)."), STAYS } },
};

static void check_upload(const struct upload *u, bool byte_by_byte)
{
	struct kit_put p = { 0 };
	struct kit k;

	kit_begin(&k, u->script);
	k.server.byte_by_byte = byte_by_byte;
	if (!u->stays)
		k.o.timeout_ms = SHORT_MS;
	assert_int_equal(kit_connect(&k), 0);
	kit_put_start(&p, &k, u->how, "/f", u->offset, u->total, u->chunk);
	(void)kit_put_wait(&p);
	if (p.status != u->status || p.code != u->code)
		fail_msg("%s: %s and %d, not %s and %d", u->name, aftp_err_name(p.status), p.code,
			aftp_err_name(u->status), u->code);
	if (!strstr(p.message, u->words))
		fail_msg("%s: \"%s\" has no \"%s\"", u->name, p.message, u->words);
	if (u->status == 0 && p.moved != u->total)
		fail_msg(
			"%s: %llu bytes, not %llu", u->name, (unsigned long long)p.moved, (unsigned long long)u->total);
	if (aftp_client_alive(k.client) != u->stays || k.lost != !u->stays)
		fail_msg("%s: lost %u times: %s", u->name, k.lost, aftp_err_name(k.lost_status));
	if (u->stays) {
		assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
		assert_true(aftp_client_idle(k.client));
	}
	if (u->taken == ALL ? k.server.data_bytes != u->total : k.server.data_bytes > (uint64_t)u->taken)
		fail_msg("%s: the server has got %llu bytes", u->name, (unsigned long long)k.server.data_bytes);
	assert_false(k.server.data_wrong);
	/* It must not take a part for the whole. */
	if (u->taken == ALL)
		assert_false(k.server.data_reset);
	kit_end(&k);
}

static void test_uploads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof uploads / sizeof *uploads; i++)
		check_upload(&uploads[i], false);
}

static void test_uploads_in_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof uploads / sizeof *uploads; i++)
		if (uploads[i].stays)
			check_upload(&uploads[i], true);
}

/* --- details ------------------------------------------------------------------------------------------ */

static void test_bad_arguments(void **state)
{
	static const struct step script[] = { LOGIN, EPSV, DO(STEP_ACCEPT), WANT("RETR /f"), SAY("150 go"), DATA("abc"),
		DO(STEP_END_DATA), FINE, STAYS };
	struct aftp_source none = { .arg = NULL };
	struct aftp_transfer *t = NULL;
	struct kit_get g = { .pause_at = 1 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(aftp_client_store(k.client, &t, AFTP_STORE, "/f", 0, &none), AFTP_EINVAL);
	assert_int_equal(aftp_client_store(k.client, &t, AFTP_STORE, "/f", 0, NULL), AFTP_EINVAL);
	assert_null(t);
	/* A download takes no data. */
	kit_get_start(&g, &k, "/f", 0);
	loop_run_for(&k.loop, 20);
	assert_int_equal(aftp_transfer_write(g.transfer, "x", 1), AFTP_EINVAL);
	assert_int_equal(aftp_transfer_finish(g.transfer), AFTP_EINVAL);
	kit_get_go_on(&g);
	kit_get_wait(&g);
	assert_int_equal(g.status, 0);
	assert_memory_equal(g.bytes, "abc", 3);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_get_free(&g);
	kit_end(&k);
}

/* A source that has nothing yet answers later. */
struct slow {
	struct aftp_transfer *t;
	unsigned ready;
	int status;
	uint64_t bytes;
	bool over;
};

static void slow_ready(void *arg)
{
	struct slow *s = arg;

	s->ready++;
}

static void slow_done(void *arg, int status, const struct aftp_transfer_result *r)
{
	struct slow *s = arg;

	s->status = status;
	s->bytes = r->bytes;
	s->over = true;
}

static void test_slow_source(void **state)
{
	static const struct step script[] = { LOGIN, PUT("STOR"), OPENING, TAKE, FINE, STAYS };
	struct slow s = { .status = 1 };
	struct aftp_source source = { .ready = slow_ready, .done = slow_done, .arg = &s };
	char bytes[10];
	struct kit k;

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)scripted_byte(i);
	kit_begin(&k, script);
	k.o.timeout_ms = 500;
	assert_int_equal(kit_connect(&k), 0);
	assert_int_equal(aftp_client_store(k.client, &s.t, AFTP_STORE, "/f", 0, &source), 0);
	assert_int_equal(aftp_transfer_finish(s.t), AFTP_EBUSY);
	loop_run_for(&k.loop, 1200);
	assert_int_equal(s.ready, 1);
	assert_false(s.over);
	assert_int_equal(aftp_transfer_write(s.t, NULL, 1), AFTP_EINVAL);
	assert_int_equal(aftp_transfer_write(s.t, bytes, sizeof bytes), 0);
	assert_int_equal(aftp_transfer_finish(s.t), AFTP_EBUSY);
	loop_run_for(&k.loop, 1200);
	assert_int_equal(s.ready, 2);
	assert_int_equal(aftp_transfer_bytes(s.t), sizeof bytes);
	assert_int_equal(aftp_transfer_finish(s.t), 0);
	loop_wait(&k.loop, &s.over, "the end of an upload");
	assert_int_equal(s.status, 0);
	assert_int_equal(s.bytes, sizeof bytes);
	assert_int_equal(k.server.data_bytes, sizeof bytes);
	assert_false(k.server.data_wrong);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uploads),
		cmocka_unit_test(test_uploads_in_pieces),
		cmocka_unit_test(test_bad_arguments),
		cmocka_unit_test(test_slow_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
