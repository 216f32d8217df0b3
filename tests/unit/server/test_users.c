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
	assert_string_equal(users_find(&u, "joe")->set.password, "secret");
	assert_ptr_not_equal(users_find(&u, "joe")->set.password, some[0].password);
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
	assert_null(users_find(&u, "Anonymous")->set.name);
	assert_string_equal(users_find(&u, "ftp")->set.password, "x"); /* a name of one's own goes first */
	assert_null(users_find(&u, "FTP")->set.name);
	assert_null(users_find(&u, "joe"));
	assert_true(users_needs_password(users_find(&u, "anonymous")));
	assert_true(users_check_password(users_find(&u, "anonymous"), "whatever"));
	users_finish(&u);
	assert_int_equal(users_init(&u, NULL, 0), 0);
	assert_int_equal(users_find(&u, "anonymous")->set.may, AFTP_MAY_READ | AFTP_MAY_WRITE);
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
		const struct user *user = users_find(&u, cases[i].login);
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

/* The nearest parent wins, whatever the order; nothing named denies; `may` is the most. */
static void test_permissions(void **state)
{
	enum { R = AFTP_MAY_READ, W = AFTP_MAY_WRITE };
	static const struct aftp_permission rules[] = { { "/a/b", R | W }, { "/a", R }, { "/a/b/c", 0 }, { "/d", W } };
	static const struct aftp_user list[] = {
		{ .name = "rules", .may = R | W, .permissions = rules, .npermissions = 4 },
		{ .name = "less", .may = R, .permissions = rules, .npermissions = 4 },
		{ .name = "none", .may = R },
	};
	static const struct {
		const char *user, *path;
		unsigned may;
	} cases[] = {
		{ "rules", "/", 0 },
		{ "rules", "/a", R },
		{ "rules", "/a/x/y", R },
		{ "rules", "/a/bb", R },
		{ "rules", "/ab", 0 },
		{ "rules", "/a/b", R | W },
		{ "rules", "/a/b/x", R | W },
		{ "rules", "/a/b/c", 0 },
		{ "rules", "/a/b/c/d", 0 },
		{ "rules", "/d/x", W },
		{ "less", "/a/b", R },
		{ "less", "/d", 0 },
		{ "none", "/anything", R },
	};
	struct users u;
	(void)state;
	assert_int_equal(users_init(&u, list, 3), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct user *user = users_find(&u, cases[i].user);
		assert_int_equal(users_may(user, cases[i].path), cases[i].may);
		for (unsigned need = 0; need <= (R | W); need++) {
			bool want = (cases[i].may & need) == need && cases[i].may != 0;
			assert_int_equal(users_allow(user, cases[i].path, need, false), want);
		}
	}
	struct user *user = users_find(&u, "rules");
	assert_true(users_allow(user, "/a/b", W, false));
	assert_false(users_allow(user, "/a/b", W, true)); /* for what is below it */
	assert_true(users_allow(user, "/a/b/x", W, true));
	assert_true(users_move(user, "/a/b/x", "/a/b/y"));
	assert_true(users_move(user, "/a/b/x", "/d/y"));
	assert_false(users_move(user, "/d/x", "/a/b/y"));
	assert_false(users_move(user, "/a/x", "/a/b/y"));
	assert_false(users_move(user, "/d/x", "/a"));
	assert_true(users_allow(users_find(&u, "none"), "/x", 0, true));
	users_finish(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_anonymous),
		cmocka_unit_test(test_passwords),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_permissions),
	};
	return cmocka_run_group_tests_name("users", tests, NULL, NULL);
}
