/* The dialogue of a login, and what refusals of it mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <aftp/status.h>

#include "client/login.h"

static void test_next(void **state)
{
	static const struct {
		enum login at;
		int code;
		enum login next;
	} cases[] = {
		{ LOGIN_USER, 230, LOGIN_OK },
		{ LOGIN_USER, 232, LOGIN_OK },
		{ LOGIN_USER, 202, LOGIN_OK },
		{ LOGIN_USER, 331, LOGIN_PASS },
		{ LOGIN_USER, 332, LOGIN_ACCT },
		{ LOGIN_USER, 530, LOGIN_DENIED },
		{ LOGIN_USER, 220, LOGIN_DENIED },
		{ LOGIN_USER, 200, LOGIN_DENIED },
		{ LOGIN_USER, 333, LOGIN_DENIED },
		{ LOGIN_PASS, 230, LOGIN_OK },
		{ LOGIN_PASS, 202, LOGIN_OK },
		{ LOGIN_PASS, 332, LOGIN_ACCT },
		{ LOGIN_PASS, 331, LOGIN_DENIED },
		{ LOGIN_PASS, 530, LOGIN_DENIED },
		{ LOGIN_PASS, 421, LOGIN_DENIED },
		{ LOGIN_ACCT, 230, LOGIN_OK },
		{ LOGIN_ACCT, 202, LOGIN_OK },
		{ LOGIN_ACCT, 331, LOGIN_DENIED },
		{ LOGIN_ACCT, 332, LOGIN_DENIED },
		{ LOGIN_ACCT, 532, LOGIN_DENIED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (login_next(cases[i].at, cases[i].code) != cases[i].next)
			fail_msg("%d to %s: %d", cases[i].code, login_verb(cases[i].at),
				(int)login_next(cases[i].at, cases[i].code));
}

/* Every way ends, whatever the server says. */
static void test_no_way_round(void **state)
{
	static const int codes[] = { 331, 332, 230, 530, 333 };

	(void)state;
	for (unsigned way = 0; way < 5 * 5 * 5; way++) {
		unsigned w = way, steps = 0;
		enum login at = LOGIN_USER;

		while (at < LOGIN_OK && steps < 4) {
			enum login next = login_next(at, codes[w % 5]);

			assert_true(next > at);
			at = next;
			w /= 5;
			steps++;
		}
		assert_true(at == LOGIN_OK || at == LOGIN_DENIED);
	}
}

static void test_verbs(void **state)
{
	(void)state;
	assert_string_equal(login_verb(LOGIN_USER), "USER");
	assert_string_equal(login_verb(LOGIN_PASS), "PASS");
	assert_string_equal(login_verb(LOGIN_ACCT), "ACCT");
}

static int meaning(const char *line, int (*what)(const struct aftp_reply *r))
{
	struct aftp_reply r;
	int status;

	aftp_reply_init(&r, 1024);
	assert_int_equal(aftp_reply_add_line(&r, line, strlen(line)), 1);
	status = what(&r);
	aftp_reply_finish(&r);
	return status;
}

static void test_errors(void **state)
{
	static const struct {
		const char *line;
		int login, greeting;
	} cases[] = {
		{ "530 Login incorrect.", AFTP_ELOGIN, AFTP_ELOGIN },
		{ "530 Sorry, the maximum number of clients (5) from your host are already connected.", AFTP_ETOOMANY,
			AFTP_ETOOMANY },
		{ "421 closing", AFTP_ETOOMANY, AFTP_ETOOMANY },
		{ "421 Timeout.", AFTP_ETOOMANY, AFTP_ETOOMANY },
		{ "430 Invalid username or password", AFTP_ELOGIN, AFTP_EREPLY },
		{ "450 not now", AFTP_EREPLY, AFTP_EREPLY },
		{ "500 OOPS: vsftpd: refusing to run with writable root", AFTP_ELOGIN, AFTP_EREPLY },
		{ "532 account needed", AFTP_ELOGIN, AFTP_ELOGIN },
		{ "331 again", AFTP_ELOGIN, AFTP_EPROTO },
		{ "332 again", AFTP_ELOGIN, AFTP_EPROTO },
		{ "350 what?", AFTP_EPROTO, AFTP_EPROTO },
		{ "226 done", AFTP_EPROTO, AFTP_EPROTO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int login = meaning(cases[i].line, login_error),
		    greeting = meaning(cases[i].line, login_greeting_error);

		if (login != cases[i].login || greeting != cases[i].greeting)
			fail_msg("%s: %s, %s", cases[i].line, aftp_err_name(login), aftp_err_name(greeting));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_no_way_round),
		cmocka_unit_test(test_verbs),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
