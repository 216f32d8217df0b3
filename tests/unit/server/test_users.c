#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <aftp/status.h>

#include "server/users.h"

static const struct aftp_user some[] = {
	{ .name = "joe", .password = "secret", .may = AFTP_MAY_READ },
	{ .name = "open", .may = AFTP_MAY_READ | AFTP_MAY_WRITE },
	{ .name = "empty", .password = "" },
	{ .name = "acct", .password = "p", .account = "a" },
};

static void test_find(void **state)
{
	struct users u;
	(void)state;
	assert_int_equal(users_init(&u, some, 4), 0);
	assert_string_equal(users_find(&u, "joe")->password, "secret");
	assert_ptr_not_equal(users_find(&u, "joe")->password, some[0].password);
	assert_null(users_find(&u, "Joe"));
	assert_null(users_find(&u, ""));
	assert_null(users_find(&u, "anonymous"));
	users_finish(&u);
}

static void test_anonymous(void **state)
{
	const struct aftp_user list[] = { { .name = NULL, .may = AFTP_MAY_READ }, { .name = "ftp", .password = "x" } };
	struct users u;
	(void)state;
	assert_int_equal(users_init(&u, list, 2), 0);
	assert_null(users_find(&u, "Anonymous")->name);
	assert_string_equal(users_find(&u, "ftp")->password, "x"); /* a name of one's own goes first */
	assert_null(users_find(&u, "FTP")->name);
	assert_null(users_find(&u, "joe"));
	assert_true(users_needs_password(users_find(&u, "anonymous")));
	assert_true(users_check_password(users_find(&u, "anonymous"), "whatever"));
	users_finish(&u);
	assert_int_equal(users_init(&u, NULL, 0), 0);
	assert_int_equal(users_find(&u, "anonymous")->may, AFTP_MAY_READ | AFTP_MAY_WRITE);
	users_finish(&u);
}

static void test_passwords(void **state)
{
	static const struct {
		const char *login, *password;
		bool needs, ok;
	} cases[] = {
		{ "joe", "secret", true, true },
		{ "joe", "Secret", true, false },
		{ "joe", "", true, false },
		{ "joe", "secret ", true, false },
		{ "joe", "secre", true, false },
		{ "open", "any", false, true },
		{ "empty", "", true, true },
		{ "empty", "x", true, false },
		{ "nobody", "", true, false },
		{ "nobody", "secret", true, false },
	};
	struct users u;
	(void)state;
	assert_int_equal(users_init(&u, some, 4), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct aftp_user *user = users_find(&u, cases[i].login);
		assert_int_equal(users_needs_password(user), cases[i].needs);
		assert_int_equal(users_check_password(user, cases[i].password), cases[i].ok);
	}
	assert_true(users_check_account(users_find(&u, "acct"), "a"));
	assert_false(users_check_account(users_find(&u, "acct"), "b"));
	assert_true(users_check_account(users_find(&u, "joe"), "b"));
	users_finish(&u);
}

static void test_refused(void **state)
{
	static const struct aftp_user bad[][2] = {
		{ { .name = "a" }, { .name = "a" } },
		{ { .name = NULL }, { .name = NULL } },
		{ { .name = "" }, { .name = "x" } },
		{ { .name = "a b" }, { .name = "x" } },
		{ { .name = "a\n" }, { .name = "x" } },
	};
	struct users u;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(users_init(&u, bad[i], 2), AFTP_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_anonymous),
		cmocka_unit_test(test_passwords),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests_name("users", tests, NULL, NULL);
}
