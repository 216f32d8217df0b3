#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <aftp/status.h>

#include "mount/netrc.h"

struct row {
	const char *text, *host, *user;
	int result;
	const char *login, *password, *account;
};

static const struct row rows[] = {
	{ "machine a login joe password pw", "a", NULL, 1, "joe", "pw", NULL },
	{ "machine a\n\tlogin joe\n\tpassword pw\n\taccount acc\n", "a", NULL, 1, "joe", "pw", "acc" },
	{ "machine a login joe passwd pw", "a", NULL, 1, "joe", "pw", NULL },
	{ "machine A.Example login joe password pw", "a.example", NULL, 1, "joe", "pw", NULL },
	{ "machine b login joe password pw", "a", NULL, 0, NULL, NULL, NULL },
	{ "machine aa login x machine a login y", "a", NULL, 1, "y", NULL, NULL },
	{ "", "a", NULL, 0, NULL, NULL, NULL },
	{ " \n\t\r\n", "a", NULL, 0, NULL, NULL, NULL },

	/* The first that fits; the default where it stands. */
	{ "machine a login one password 1 machine a login two password 2", "a", NULL, 1, "one", "1", NULL },
	{ "machine b login b password 1 default login d password 2", "a", NULL, 1, "d", "2", NULL },
	{ "default login d password 2 machine a login a password 1", "a", NULL, 1, "d", "2", NULL },
	{ "machine a login a password 1 default login d password 2", "a", NULL, 1, "a", "1", NULL },

	/* A user that is known already picks the entry. */
	{ "machine a login one password 1 machine a login two password 2", "a", "two", 1, "two", "2", NULL },
	{ "machine a login one password 1", "a", "two", 0, NULL, NULL, NULL },
	{ "machine a password only", "a", "two", 1, NULL, "only", NULL },
	{ "machine a login one password 1 default login two password 2", "a", "two", 1, "two", "2", NULL },

	/* Quotes and backslashes. */
	{ "machine a login \"joe smith\" password \"p w\\\"x\\\\\"", "a", NULL, 1, "joe smith", "p w\"x\\", NULL },
	{ "machine a login joe password \"\"", "a", NULL, 1, "joe", "", NULL },
	{ "machine a login joe password a\"b", "a", NULL, 1, "joe", "a\"b", NULL },
	{ "machine a login joe password a\\\"b", "a", NULL, 1, "joe", "a\"b", NULL },
	{ "machine a login joe password \"open", "a", NULL, AFTP_EPROTO, NULL, NULL, NULL },

	/* Macros are skipped up to an empty line, whatever is in them. */
	{ "machine b login x\nmacdef init\nmachine a\nlogin evil\n\nmachine a login good", "a", NULL, 1, "good", NULL,
		NULL },
	{ "machine a login good\nmacdef init\ncd /x\nput y\n", "a", NULL, 1, "good", NULL, NULL },
	{ "macdef x\r\nmachine a\r\n\r\nmachine a login good\r\n", "a", NULL, 1, "good", NULL, NULL },
	{ "macdef", "a", NULL, 0, NULL, NULL, NULL },

	/* Comments; a password may begin with '#'. */
	{ "# machine a login no\nmachine a login yes # machine\npassword pw", "a", NULL, 1, "yes", "pw", NULL },
	{ "#\nmachine a login joe", "a", NULL, 1, "joe", NULL, NULL },
	{ "machine a login joe password #1", "a", NULL, 1, "joe", "#1", NULL },

	/* Words that nobody knows, and ends in the middle. */
	{ "machine a port 21 login joe", "a", NULL, 1, "joe", NULL, NULL },
	{ "machine", "a", NULL, 0, NULL, NULL, NULL },
	{ "machine a login", "a", NULL, 1, NULL, NULL, NULL },
	{ "machine a login joe password", "a", NULL, 1, "joe", NULL, NULL },
	{ "machine a login x login joe", "a", NULL, 1, "joe", NULL, NULL },
};

static void same(const char *have, const char *want)
{
	if (want == NULL) {
		assert_null(have);
	} else {
		assert_non_null(have);
		assert_string_equal(have, want);
	}
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct netrc_login l;
		print_message("%s\n", r->text);
		assert_int_equal(netrc_find(&l, r->text, strlen(r->text), r->host, r->user), r->result);
		same(l.login, r->login);
		same(l.password, r->password);
		same(l.account, r->account);
		netrc_login_finish(&l);
	}
}

/* Any beginning of a file is read without harm. */
static void test_every_prefix(void **state)
{
	static const char text[] = "# x\nmachine b login \"q\\\"\" password p\nmacdef m\nls\n\nmachine a login joe "
				   "password \"a b\" account c\ndefault login d";
	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		struct netrc_login l;
		char copy[sizeof(text)];
		memcpy(copy, text, n);
		int rc = netrc_find(&l, copy, n, "a", NULL);
		assert_true(rc == 0 || rc == 1 || rc == AFTP_EPROTO);
		assert_true(rc == 1 || l.login == NULL);
		netrc_login_finish(&l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_every_prefix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
