#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "server/path.h"

static void test_resolve(void **state)
{
	static const struct {
		const char *cwd, *arg, *want;
	} cases[] = {
		{ "/", "", "/" },
		{ "/", ".", "/" },
		{ "/", "..", "/" },
		{ "/", "../../..", "/" },
		{ "/", "a", "/a" },
		{ "/", "a/", "/a" },
		{ "/a", "b", "/a/b" },
		{ "/a", "/b", "/b" },
		{ "/a", "..", "/" },
		{ "/a/b", "..", "/a" },
		{ "/a/b", "../c", "/a/c" },
		{ "/a/b", "../../../../c", "/c" },
		{ "/a", "//x///y//", "/x/y" },
		{ "/a", "./././b", "/a/b" },
		{ "/a", "...", "/a/..." },
		{ "/a", "..b", "/a/..b" },
		{ "/a", ".b", "/a/.b" },
		{ "/a", " b ", "/a/ b " },
		{ "/a", "b/..", "/a" },
		{ "/a", "/", "/" },
		{ "/", "\xff\x01\"", "/\xff\x01\"" },
	};
	char out[PATH_CAP];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(path_resolve(cases[i].cwd, cases[i].arg, out), 0);
		assert_string_equal(out, cases[i].want);
	}
}

static void test_too_long(void **state)
{
	char arg[PATH_CAP + 10], out[PATH_CAP];
	(void)state;
	memset(arg, 'x', sizeof(arg));
	arg[PATH_CAP - 2] = '\0';
	assert_int_equal(path_resolve("/", arg, out), 0);
	assert_int_equal(strlen(out), PATH_CAP - 1);
	arg[PATH_CAP - 2] = 'x';
	arg[PATH_CAP - 1] = '\0';
	assert_int_equal(path_resolve("/", arg, out), -ENAMETOOLONG);
	arg[PATH_CAP - 2] = '\0';
	assert_int_equal(path_resolve("/a", arg, out), -ENAMETOOLONG);
	assert_true(strlen(out) < PATH_CAP);
}

static void test_quote(void **state)
{
	static const struct {
		const char *path, *want;
	} cases[] = {
		{ "/", "/" },
		{ "/a\"b", "/a\"\"b" },
		{ "/\"\"", "/\"\"\"\"" },
		{ "/a\r\nb", "/a??b" },
	};
	char out[2 * PATH_CAP], longest[PATH_CAP];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		path_quote(cases[i].path, out);
		assert_string_equal(out, cases[i].want);
	}
	memset(longest, '"', sizeof(longest));
	longest[PATH_CAP - 1] = '\0';
	path_quote(longest, out);
	assert_int_equal(strlen(out), 2 * (PATH_CAP - 1));
}

static void test_name(void **state)
{
	(void)state;
	assert_string_equal(path_name("/"), "/");
	assert_string_equal(path_name("/a"), "a");
	assert_string_equal(path_name("/a/b c"), "b c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_quote),
		cmocka_unit_test(test_name),
	};
	return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
