/* What a client makes of servers that are not there, do not speak FTP, or stop in the middle. */
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

/* --- no server ------------------------------------------------------------------------------------- */

static void test_no_such_host(void **state)
{
	static const char *const hosts[] = { "no such host", "a..b", "",
		"a-label-that-is-longer-than-what-the-domain-name-system-allows-for-one" };

	(void)state;
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		struct kit k;

		kit_begin(&k, NULL);
		k.o.host = hosts[i];
		assert_int_equal(kit_connect(&k), AFTP_ERESOLVE);
		kit_end(&k);
	}
}

/* A port that is bound and does not listen. */
static void test_refused(void **state)
{
	struct sockaddr_in addr;
	struct kit k;
	uv_tcp_t bound;
	int len = sizeof addr;

	(void)state;
	kit_begin(&k, NULL);
	assert_int_equal(uv_tcp_init(&k.loop, &bound), 0);
	assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &addr), 0);
	assert_int_equal(uv_tcp_bind(&bound, (struct sockaddr *)&addr, 0), 0);
	assert_int_equal(uv_tcp_getsockname(&bound, (struct sockaddr *)&addr, &len), 0);
	k.o.port = ntohs(addr.sin_port);
	assert_int_equal(kit_connect(&k), AFTP_ECONNREFUSED);
	assert_false(aftp_client_alive(k.client));
	assert_int_equal(k.lost, 0);
	uv_close((uv_handle_t *)&bound, NULL);
	kit_end(&k);
}

static void test_bad_options(void **state)
{
	struct aftp_client_options o = { .host = NULL };
	struct aftp_client *c = NULL;
	struct kit k;

	(void)state;
	kit_begin(&k, NULL);
	assert_int_equal(aftp_client_new(&c, &k.loop, &o), AFTP_EINVAL);
	o.host = "h";
	o.timeout_ms = -1;
	assert_int_equal(aftp_client_new(&c, &k.loop, &o), AFTP_EINVAL);
	assert_null(c);
	kit_end(&k);
}

/* --- connecting ------------------------------------------------------------------------------------- */

struct opening {
	const char *name;
	int status;
	const char *words; /* in aftp_client_error() */
	struct step script[16];
};

static const struct opening openings[] = {
	{ "an ordinary one", 0, "", { LOGIN, END } },
	{ "lost at once", AFTP_ECONNRESET, "closed", { DO(STEP_CLOSE), END } },
	{ "reset at once", AFTP_ECONNRESET, "", { DO(STEP_RESET), END } },
	{ "no greeting", AFTP_ETIMEDOUT, "no answer to connect", { END } },
	{ "half a greeting, then the end", AFTP_ECONNRESET, "closed", { SAY_RAW("220 rea"), DO(STEP_CLOSE), END } },
	{ "half a greeting, then nothing", AFTP_ETIMEDOUT, "", { SAY_RAW("220 rea"), END } },
	{ "half a multi-line greeting", AFTP_ETIMEDOUT, "", { SAY("220-ready"), END } },
	{ "another protocol", AFTP_EPROTO, "not an FTP reply: SSH-2.0-x", { SAY("SSH-2.0-x"), END } },
	{ "a code that is none", AFTP_EPROTO, "", { SAY("999 ready"), END } },
	{ "a code without a text", 0, "",
		{ SAY("220"), REPLY("USER", "230"), REPLY("TYPE", "200"), REPLY("FEAT", "500"), END } },
	{ "blank lines", 0, "", { SAY_RAW("\r\n\r\n"), LOGIN, END } },
	{ "another code", AFTP_EPROTO, "", { SAY("226 done"), END } },
	{ "a line that never ends", AFTP_ELINETOOLONG, "", { DO_N(STEP_NOISE, 1 << 20), END } },
	{ "noise with line ends", AFTP_EPROTO, "", { FLOOD("\x80\x81\xff\n"), END } },
	{ "a reply that never ends", AFTP_ETOOBIG, "",
		{ FLOOD("220-and so on and so on and so on and so on\r\n"), END } },
	{ "no end of 120", AFTP_EPROTO, "", { FLOOD("120 wait\r\n"), END } },
	{ "120, then 220", 0, "", { SAY("120 wait"), PAUSE(20), LOGIN, END } },
	{ "too many, in the greeting", AFTP_ETOOMANY, "421 is it", { SAY("421 421 is it"), DO(STEP_CLOSE), END } },
	{ "421 with other words", AFTP_ETOOMANY, "", { SAY("421 closing"), DO(STEP_CLOSE), END } },
	{ "421 at USER", AFTP_ETOOMANY, "", { SAY("220 r"), REPLY("USER", "421 bye"), END } },
	{ "530 in the greeting", AFTP_ELOGIN, "", { SAY("530 go away"), END } },
	{ "500 in the greeting", AFTP_EREPLY, "OOPS", { SAY("500 OOPS: no"), END } },
	{ "a wrong password", AFTP_ELOGIN, "Login incorrect.",
		{ SAY("220 r"), REPLY("USER", "331 p"), REPLY("PASS secret", "530 Login incorrect."), END } },
	{ "too many, at the password", AFTP_ETOOMANY, "",
		{ SAY("220 r"), REPLY("USER", "331 p"), REPLY("PASS", "530 Sorry, too many connections."), END } },
	{ "not now", AFTP_EREPLY, "", { SAY("220 r"), REPLY("USER", "331 p"), REPLY("PASS", "450 not now"), END } },
	{ "430", AFTP_ELOGIN, "", { SAY("220 r"), REPLY("USER", "430 no"), END } },
	{ "no end of 331", AFTP_ELOGIN, "", { SAY("220 r"), REPLY("USER", "331 p"), REPLY("PASS", "331 p"), END } },
	{ "331, 332, 333", AFTP_ELOGIN, "account",
		{ SAY("220 r"), REPLY("USER", "331 p"), REPLY("PASS", "332 a"), END } },
	{ "another 3xx", AFTP_EPROTO, "", { SAY("220 r"), REPLY("USER", "333 p"), END } },
	{ "a second greeting", AFTP_EPROTO, "", { SAY("220 r"), REPLY("USER", "220 r"), END } },
	{ "silence at PASS", AFTP_ETIMEDOUT, "PASS", { SAY("220 r"), REPLY("USER", "331 p"), WANT("PASS"), END } },
	{ "the end at PASS", AFTP_ECONNRESET, "",
		{ SAY("220 r"), REPLY("USER", "331 p"), WANT("PASS"), DO(STEP_CLOSE), END } },
	{ "230 at once", 0, "",
		{ SAY("220 r"), REPLY("USER joe", "230 in"), REPLY("TYPE", "200"), REPLY("FEAT", "500"), END } },
	{ "232", 0, "",
		{ SAY("220 r"), REPLY("USER joe", "232 in"), REPLY("TYPE", "200"), REPLY("FEAT", "500"), END } },
	{ "202 for PASS", 0, "",
		{ SAY("220 r"), REPLY("USER", "331"), REPLY("PASS", "202 no need"), REPLY("TYPE", "200"),
			REPLY("FEAT", "500"), END } },
	{ "no TYPE I", AFTP_EREPLY, "ASCII only",
		{ SAY("220 r"), REPLY("USER", "230"), REPLY("TYPE", "504 ASCII only"), REPLY("FEAT", "500"), END } },
	{ "nothing more after FEAT", AFTP_ETIMEDOUT, "FEAT",
		{ SAY("220 r"), REPLY("USER", "230"), REPLY("TYPE", "200"), WANT("FEAT"), END } },
	{ "an answer before the question", AFTP_EPROTO, "a reply to nothing", { SAY_RAW("220 r\r\n230 in\r\n"), END } },
};

static void check_opening(const struct opening *o, bool byte_by_byte)
{
	struct kit k;
	int status;

	kit_begin(&k, o->script);
	k.server.byte_by_byte = byte_by_byte;
	if (o->status == AFTP_ETIMEDOUT)
		k.o.connect_timeout_ms = k.o.timeout_ms = SHORT_MS;
	status = kit_connect(&k);
	if (status != o->status)
		fail_msg("%s: %s, not %s", o->name, aftp_err_name(status), aftp_err_name(o->status));
	if (!strstr(aftp_client_error(k.client), o->words))
		fail_msg("%s: \"%s\" has no \"%s\"", o->name, aftp_client_error(k.client), o->words);
	if (status < 0) {
		assert_int_equal(aftp_client_command(k.client, NULL, NULL, "NOOP", NULL), AFTP_ENOTCONN);
		assert_int_equal(k.lost, 0);
	}
	kit_end(&k);
}

static void test_openings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof openings / sizeof *openings; i++)
		check_opening(&openings[i], false);
}

static void test_openings_in_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof openings / sizeof *openings; i++)
		if (openings[i].script[0].kind == STEP_SAY && !strstr(openings[i].name, "before the question"))
			check_opening(&openings[i], true);
}

static void test_account(void **state)
{
	static const struct step script[] = { SAY("220 r"), REPLY("USER joe", "332 a"), REPLY("ACCT books", "230 in"),
		REPLY("TYPE", "200"), REPLY("FEAT", "500"), END };
	static const struct step twice[] = { SAY("220 r"), REPLY("USER joe", "332 a"), REPLY("ACCT books", "332 again"),
		END };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	k.o.account = "books";
	assert_int_equal(kit_connect(&k), 0);
	kit_end(&k);
	kit_begin(&k, twice);
	k.o.account = "books";
	assert_int_equal(kit_connect(&k), AFTP_ELOGIN);
	kit_end(&k);
}

/* CR and LF would be a command of their own. */
static void test_bad_user(void **state)
{
	static const struct step script[] = { SAY("220 r"), WANT("USER"), END };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	k.o.user = "joe\r\nDELE x";
	assert_int_equal(kit_connect(&k), AFTP_EBADNAME);
	assert_string_equal(k.server.commands, "");
	kit_end(&k);
}

/* --- a connection that stands ------------------------------------------------------------------------ */

static const struct {
	const char *name;
	int answer; /* to NOOP */
	int lost;   /* 0: it stays */
	struct step script[20];
} sessions[] = {
	{ "an answer", 200, 0, { LOGIN, REPLY("NOOP", "200 fine"), END } },
	{ "a refusal", 502, 0, { LOGIN, REPLY("NOOP", "502 no"), END } },
	{ "1xx before it", 200, 0, { LOGIN, REPLY("NOOP", "150 wait"), SAY("100 more"), SAY("200 fine"), END } },
	{ "1xx that nobody waits for", 200, 0, { LOGIN, SAY("150 what?"), REPLY("NOOP", "200 fine"), END } },
	{ "many lines", 200, 0,
		{ LOGIN, WANT("NOOP"), SAY("200-a"), SAY("226 b"), SAY(" 200 c"), SAY("200-d"), SAY("200 e"), END } },
	{ "no end of 1xx", AFTP_EPROTO, AFTP_EPROTO, { LOGIN, WANT("NOOP"), FLOOD("150 wait\r\n"), END } },
	{ "silence", AFTP_ETIMEDOUT, AFTP_ETIMEDOUT, { LOGIN, WANT("NOOP"), END } },
	{ "half a reply", AFTP_ETIMEDOUT, AFTP_ETIMEDOUT, { LOGIN, WANT("NOOP"), SAY_RAW("200 f"), END } },
	{ "half a reply and the end", AFTP_ECONNRESET, AFTP_ECONNRESET,
		{ LOGIN, WANT("NOOP"), SAY_RAW("200 fine"), DO(STEP_CLOSE), END } },
	{ "the end", AFTP_ECONNRESET, AFTP_ECONNRESET, { LOGIN, WANT("NOOP"), DO(STEP_CLOSE), END } },
	{ "a reset", AFTP_ECONNRESET, AFTP_ECONNRESET, { LOGIN, WANT("NOOP"), DO(STEP_RESET), END } },
	{ "421", AFTP_ECONNRESET, AFTP_ECONNRESET, { LOGIN, REPLY("NOOP", "421 Timeout."), DO(STEP_CLOSE), END } },
	{ "garbage", AFTP_EPROTO, AFTP_EPROTO, { LOGIN, REPLY("NOOP", "HTTP/1.1 400 Bad Request"), END } },
	{ "a line that never ends", AFTP_ELINETOOLONG, AFTP_ELINETOOLONG,
		{ LOGIN, WANT("NOOP"), DO_N(STEP_NOISE, 1 << 20), END } },
	{ "a reply that never ends", AFTP_ETOOBIG, AFTP_ETOOBIG,
		{ LOGIN, WANT("NOOP"), FLOOD("200-on and on and on and on and on\r\n"), END } },
	{ "a reply too many", 200, AFTP_EPROTO, { LOGIN, REPLY("NOOP", "200 fine"), SAY("200 fine"), END } },
};

static void test_sessions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof sessions / sizeof *sessions; i++) {
		struct kit k;
		int answer;

		kit_begin(&k, sessions[i].script);
		if (sessions[i].answer == AFTP_ETIMEDOUT)
			k.o.timeout_ms = SHORT_MS;
		assert_int_equal(kit_connect(&k), 0);
		answer = kit_command(&k, "NOOP", NULL, NULL);
		if (answer != sessions[i].answer)
			fail_msg("%s: %d, not %d", sessions[i].name, answer, sessions[i].answer);
		loop_run_for(&k.loop, 20);
		if (k.lost != (sessions[i].lost != 0) || k.lost_status != sessions[i].lost)
			fail_msg("%s: lost %u times: %s", sessions[i].name, k.lost, aftp_err_name(k.lost_status));
		assert_int_equal(aftp_client_alive(k.client), !sessions[i].lost);
		assert_int_equal(aftp_client_idle(k.client), !sessions[i].lost);
		kit_end(&k);
		assert_int_equal(k.lost, sessions[i].lost != 0);
	}
}

/* Nothing is under way, and it is noticed all the same. */
static void test_lost_while_idle(void **state)
{
	static const struct {
		int status;
		struct step script[16];
	} cases[] = {
		{ AFTP_ECONNRESET, { LOGIN, PAUSE(20), DO(STEP_CLOSE), END } },
		{ AFTP_ECONNRESET, { LOGIN, PAUSE(20), DO(STEP_RESET), END } },
		{ AFTP_ECONNRESET, { LOGIN, PAUSE(20), SAY("421 Idle timeout"), DO(STEP_CLOSE), END } },
		{ AFTP_ETOOMANY, { LOGIN, PAUSE(20), SAY("421 Too many users"), END } },
		{ AFTP_EPROTO, { LOGIN, PAUSE(20), SAY("226 Transfer complete"), END } },
		{ AFTP_EPROTO, { LOGIN, PAUSE(20), SAY("hello"), END } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct kit k;

		kit_begin(&k, cases[i].script);
		assert_int_equal(kit_connect(&k), 0);
		loop_run_for(&k.loop, 60);
		assert_int_equal(k.lost, 1);
		assert_int_equal(k.lost_status, cases[i].status);
		assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), AFTP_ENOTCONN);
		kit_end(&k);
	}
}

/* Idleness is no silence: nothing is owed. */
static void test_idle_for_long(void **state)
{
	static const struct step script[] = { LOGIN, REPLY("NOOP", "200 fine"), END };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	k.o.timeout_ms = 300;
	assert_int_equal(kit_connect(&k), 0);
	loop_run_for(&k.loop, 1000);
	assert_int_equal(k.lost, 0);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

/* --- cut anywhere ------------------------------------------------------------------------------------- */

static const struct step whole[] = { LOGIN, REPLY("SIZE", "213 1000"), EPSV, DO(STEP_ACCEPT), WANT("RETR"),
	SAY("150 Opening (1000 bytes)"), DO_N(STEP_FILL, 1000), DO(STEP_END_DATA), SAY("226 Transfer complete"), END };

struct outcome {
	int connect, size, get;
	size_t len;
	bool right;
};

static void run_whole(struct kit *k, struct outcome *o)
{
	struct kit_get g = { 0 };

	*o = (struct outcome){ .size = AFTP_ENOTCONN, .get = AFTP_ENOTCONN };
	o->connect = kit_connect(k);
	if (o->connect < 0)
		return;
	o->size = kit_command(k, "SIZE", "/f", NULL);
	if (aftp_client_alive(k->client)) {
		o->get = kit_get(&g, k, "/f", 0);
		o->len = g.len;
		o->right = kit_get_right(&g, 0);
		kit_get_free(&g);
	}
}

static void test_cut_anywhere(void **state)
{
	struct kit k;
	struct outcome o;
	size_t total;

	(void)state;
	kit_begin(&k, whole);
	run_whole(&k, &o);
	assert_int_equal(o.connect, 0);
	assert_int_equal(o.get, 0);
	assert_int_equal(o.len, 1000);
	total = k.server.said;
	kit_end(&k);
	for (size_t cut = 1; cut < 2 * total; cut++) {
		kit_begin(&k, whole);
		k.server.cut = (cut + 1) / 2;
		k.server.cut_resets = cut % 2;
		run_whole(&k, &o);
		if (k.server.cut < total && (o.get == 0 || (o.size > 0 && o.size != 213)))
			fail_msg("cut after %zu of %zu bytes: success", k.server.cut, total);
		if (o.len > 0)
			assert_true(o.right);
		if (o.connect == 0)
			assert_int_equal(k.lost, 1);
		kit_end(&k);
	}
}

/* The bytes that came are right, and their number is told. */
static void test_cut_data(void **state)
{
	(void)state;
	for (size_t cut = 1; cut < 1000; cut += 37) {
		for (int resets = 0; resets < 2; resets++) {
			struct kit k;
			struct outcome o;

			kit_begin(&k, whole);
			k.server.cut_data = cut;
			k.server.cut_resets = resets;
			run_whole(&k, &o);
			assert_int_equal(o.get, resets ? AFTP_ECONNRESET : 0);
			assert_true(o.right);
			if (!resets)
				assert_int_equal(o.len, cut);
			assert_int_equal(k.lost, 0);
			kit_end(&k);
		}
	}
}

/* --- closing ------------------------------------------------------------------------------------------ */

static void test_close_while_connecting(void **state)
{
	static const struct step script[] = { SAY("220 r"), WANT("USER"), END };
	struct kit k;

	(void)state;
	/* At every stage: before the loop has run, while the name is looked up, before the greeting, while logging in. */
	for (unsigned turns = 0; turns < 12; turns++) {
		int status = 1;

		kit_begin(&k, script);
		assert_int_equal(aftp_client_new(&k.client, &k.loop, &k.o), 0);
		assert_int_equal(aftp_client_connect(k.client, (aftp_client_cb *)NULL, NULL), AFTP_EINVAL);
		assert_int_equal(aftp_client_connect(k.client, kit_note_status, &status), 0);
		for (unsigned i = 0; i < turns; i++)
			uv_run(&k.loop, UV_RUN_NOWAIT);
		assert_int_equal(status, 1);
		kit_close(&k);
		assert_int_equal(status, AFTP_ECANCELED);
		kit_end(&k);
	}
}

static void test_close_unused(void **state)
{
	struct aftp_client *none = NULL;
	struct kit k;

	(void)state;
	kit_begin(&k, NULL);
	assert_int_equal(aftp_client_new(&k.client, &k.loop, &k.o), 0);
	kit_close(&k);
	assert_int_equal(aftp_client_new(&k.client, &k.loop, &k.o), 0);
	kit_quit(&k);
	aftp_client_close(&none, NULL, NULL);
	aftp_client_quit(&none, NULL, NULL);
	kit_end(&k);
}

static const struct {
	const char *name;
	struct step script[16];
} goodbyes[] = {
	{ "answered", { LOGIN, REPLY("QUIT", "221 bye"), DO(STEP_CLOSE), END } },
	{ "not answered", { LOGIN, WANT("QUIT"), END } },
	{ "closed", { LOGIN, WANT("QUIT"), DO(STEP_CLOSE), END } },
	{ "reset", { LOGIN, WANT("QUIT"), DO(STEP_RESET), END } },
	{ "refused", { LOGIN, REPLY("QUIT", "500 stay"), END } },
	{ "garbage", { LOGIN, REPLY("QUIT", "?"), END } },
};

static void test_quit(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof goodbyes / sizeof *goodbyes; i++) {
		struct kit k;

		kit_begin(&k, goodbyes[i].script);
		assert_int_equal(kit_connect(&k), 0);
		kit_quit(&k);
		assert_int_equal(k.lost, 0);
		assert_non_null(strstr(k.server.commands, "QUIT\n"));
		kit_end(&k);
	}
}

/* Whatever is under way hears of the end exactly once. */
static void test_close_with_commands(void **state)
{
	static const struct step script[] = { LOGIN, WANT("NOOP"), WANT("NOOP"), REPLY("QUIT", "221 bye"), END };

	(void)state;
	for (int quits = 0; quits < 2; quits++) {
		struct kit k;
		int first = 1, second = 1;

		kit_begin(&k, script);
		assert_int_equal(kit_connect(&k), 0);
		assert_int_equal(aftp_client_command(k.client, kit_note_reply, &first, "NOOP", NULL), 0);
		loop_run_for(&k.loop, 20);
		assert_int_equal(aftp_client_command(k.client, kit_note_reply, &second, "NOOP", NULL), 0);
		if (quits)
			kit_quit(&k);
		else
			kit_close(&k);
		assert_int_equal(first, AFTP_ECANCELED);
		assert_int_equal(second, AFTP_ECANCELED);
		k.server.trouble[0] = '\0'; /* QUIT comes in place of a NOOP that was not sent yet */
		kit_end(&k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_such_host),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_openings),
		cmocka_unit_test(test_openings_in_pieces),
		cmocka_unit_test(test_account),
		cmocka_unit_test(test_bad_user),
		cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_lost_while_idle),
		cmocka_unit_test(test_idle_for_long),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_cut_data),
		cmocka_unit_test(test_close_while_connecting),
		cmocka_unit_test(test_close_unused),
		cmocka_unit_test(test_quit),
		cmocka_unit_test(test_close_with_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
