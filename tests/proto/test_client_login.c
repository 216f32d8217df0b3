/* What leaves when, from the greeting on, and what a client makes of a server that minds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "lib/kit.h"
#include "lib/loop.h"

enum { SHORT_MS = 200, PENDING = 1 };

#define HELLO   SAY("220 ready")
#define USER    REPLY("USER joe", "331 password")
#define PASS    REPLY("PASS secret", "230 ok")
#define TYPE    REPLY("TYPE I", "200 ok")
#define WHAT    REPLY("FEAT", "502 no")
#define STEPS   "USER joe+\nPASS secret+\nTYPE I+\n"
#define AT_ONCE "USER joe+PASS secret+TYPE I+\n"

struct row {
	const char *name;
	enum aftp_login known;
	int status;
	enum aftp_login then;
	const char *segments; /* NULL: they do not matter */
	struct step script[12];
};

static const struct row rows[] = {
	{ "learned", AFTP_LOGIN_UNKNOWN, 0, AFTP_LOGIN_CLEAR, STEPS, { HELLO, USER, PASS, TYPE, END } },
	{ "no password", AFTP_LOGIN_UNKNOWN, 0, AFTP_LOGIN_STEPS, "USER joe+\nTYPE I+\n",
		{ HELLO, REPLY("USER", "230 in"), TYPE, END } },
	{ "an account", AFTP_LOGIN_UNKNOWN, 0, AFTP_LOGIN_STEPS, NULL,
		{ HELLO, USER, REPLY("PASS", "332 account"), REPLY("ACCT books", "230 in"), TYPE, END } },
	{ "at once", AFTP_LOGIN_CLEAR, 0, AFTP_LOGIN_CLEAR, AT_ONCE, { HELLO, USER, PASS, TYPE, END } },
	{ "step by step", AFTP_LOGIN_STEPS, 0, AFTP_LOGIN_STEPS, STEPS, { HELLO, USER, PASS, TYPE, END } },
	{ "what was said under TLS only", AFTP_LOGIN_TLS, 0, AFTP_LOGIN_TLS, STEPS, { HELLO, USER, PASS, TYPE, END } },
	{ "no password any more", AFTP_LOGIN_CLEAR, AFTP_EPROTO, AFTP_LOGIN_STEPS, AT_ONCE,
		{ HELLO, WANT("USER"), WANT("PASS"), WANT("TYPE"), SAY("230 in"), END } },
	{ "an account all at once", AFTP_LOGIN_CLEAR, AFTP_ELOGIN, AFTP_LOGIN_STEPS, AT_ONCE,
		{ HELLO, USER, WANT("PASS"), WANT("TYPE"), SAY("332 account"), END } },
	{ "what came with USER is dropped", AFTP_LOGIN_CLEAR, AFTP_ETIMEDOUT, AFTP_LOGIN_STEPS, AT_ONCE,
		{ HELLO, WANT("USER"), WANT("PASS"), WANT("TYPE"), SAY("331 password"), END } },
	{ "out of order", AFTP_LOGIN_CLEAR, AFTP_ELOGIN, AFTP_LOGIN_STEPS, AT_ONCE,
		{ HELLO, WANT("USER"), WANT("PASS"), WANT("TYPE"), SAY("503 USER first"), SAY("331 password"), END } },
	{ "ended", AFTP_LOGIN_CLEAR, AFTP_ECONNRESET, AFTP_LOGIN_STEPS, NULL, { HELLO, USER, DO(STEP_CLOSE), END } },
	{ "TYPE came too early", AFTP_LOGIN_CLEAR, AFTP_EREPLY, AFTP_LOGIN_STEPS, AT_ONCE,
		{ HELLO, USER, WANT("PASS"), REPLY("TYPE", "230 in"), SAY("503 log in first"), END } },
	{ "no room", AFTP_LOGIN_CLEAR, AFTP_ETOOMANY, AFTP_LOGIN_CLEAR, AT_ONCE,
		{ HELLO, USER, WANT("PASS"), REPLY("TYPE", "530 Sorry, too many connections."), END } },
	{ "no room from the beginning", AFTP_LOGIN_CLEAR, AFTP_ETOOMANY, AFTP_LOGIN_CLEAR, NULL,
		{ SAY("421 too many"), END } },
	{ "no greeting", AFTP_LOGIN_CLEAR, AFTP_ETIMEDOUT, AFTP_LOGIN_CLEAR, "", { END } },
};

static void check(const struct row *row)
{
	struct aftp_features known = { .login = row->known };
	struct kit k;
	int status;

	kit_begin(&k, row->script);
	k.assumed = &known;
	k.o.account = strstr(row->name, "an account") ? "books" : NULL;
	if (row->status == AFTP_ETIMEDOUT)
		k.o.connect_timeout_ms = k.o.timeout_ms = SHORT_MS;
	status = kit_connect(&k);
	if (status != row->status)
		fail_msg("%s: %s, not %s", row->name, aftp_err_name(status), aftp_err_name(row->status));
	if (aftp_client_features(k.client)->login != row->then)
		fail_msg("%s: then %d", row->name, aftp_client_features(k.client)->login);
	if (row->segments && strcmp(k.server.segments, row->segments) != 0)
		fail_msg("%s: sent: %s", row->name, k.server.segments);
	kit_end(&k);
}

static void test_logins(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check(&rows[i]);
}

/* --- asked before the connection is there ----------------------------------------------------------- */

static void connect_and_ask(struct kit *k, int *status, int *answer)
{
	*status = *answer = PENDING;
	assert_int_equal(aftp_client_new(&k->client, &k->loop, &k->o), 0);
	assert_int_equal(aftp_client_command(k->client, kit_note_reply, answer, "CWD", "/x"), 0);
	assert_int_equal(aftp_client_connect(k->client, kit_note_status, status), 0);
	while (*status == PENDING || *answer == PENDING)
		uv_run(&k->loop, UV_RUN_ONCE);
}

static void test_asked_early(void **state)
{
	static const struct step script[] = { HELLO, USER, PASS, TYPE, REPLY("CWD /x", "250 there"), WHAT,
		REPLY("NOOP", "200 still here"), END };
	int status, answer;
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	connect_and_ask(&k, &status, &answer);
	assert_int_equal(status, 0);
	assert_int_equal(answer, 250);
	assert_non_null(strstr(k.server.segments, "\nTYPE I+CWD /x+FEAT+\n"));
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_end(&k);
}

static void test_asked_in_vain(void **state)
{
	static const struct step refused[] = { HELLO, USER, REPLY("PASS", "530 no"), END };
	static const struct step lost[] = { HELLO, USER, PASS, TYPE, DO(STEP_CLOSE), END };
	int status, answer;
	struct kit k;

	(void)state;
	kit_begin(&k, refused);
	connect_and_ask(&k, &status, &answer);
	assert_int_equal(status, AFTP_ELOGIN);
	assert_int_equal(answer, AFTP_ELOGIN);
	kit_end(&k);
	kit_begin(&k, lost);
	connect_and_ask(&k, &status, &answer);
	assert_int_equal(status, AFTP_ECONNRESET);
	assert_int_equal(answer, AFTP_ECONNRESET);
	kit_end(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_logins),
		cmocka_unit_test(test_asked_early),
		cmocka_unit_test(test_asked_in_vain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
