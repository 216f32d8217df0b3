#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <aftp/status.h>
#include <aftp/url.h>

static const struct {
	const char *text;
	enum aftp_scheme scheme;
	const char *user, *password, *host;
	unsigned port;
	const char *path, *printed;
} good[] = {
	{ "ftp://h", AFTP_SCHEME_FTP, NULL, NULL, "h", 21, "", "ftp://h" },
	{ "ftp://h/", AFTP_SCHEME_FTP, NULL, NULL, "h", 21, "/", "ftp://h/" },
	{ "ftp://h/pub", AFTP_SCHEME_FTP, NULL, NULL, "h", 21, "/pub", "ftp://h/pub" },
	{ "FTP://Host.Example/Pub", AFTP_SCHEME_FTP, NULL, NULL, "Host.Example", 21, "/Pub", "ftp://Host.Example/Pub" },
	{ "ftps://h/x", AFTP_SCHEME_FTPS, NULL, NULL, "h", 990, "/x", "ftps://h/x" },
	{ "ftps://h:21/x", AFTP_SCHEME_FTPS, NULL, NULL, "h", 21, "/x", "ftps://h:21/x" },
	{ "ftpes://h/x", AFTP_SCHEME_FTPES, NULL, NULL, "h", 21, "/x", "ftpes://h/x" },
	{ "ftp://h:2121", AFTP_SCHEME_FTP, NULL, NULL, "h", 2121, "", "ftp://h:2121" },
	{ "ftp://h:65535/", AFTP_SCHEME_FTP, NULL, NULL, "h", 65535, "/", "ftp://h:65535/" },
	{ "ftp://h:/x", AFTP_SCHEME_FTP, NULL, NULL, "h", 21, "/x", "ftp://h/x" },
	{ "ftp://joe@h/", AFTP_SCHEME_FTP, "joe", NULL, "h", 21, "/", "ftp://joe@h/" },
	{ "ftp://joe:@h/", AFTP_SCHEME_FTP, "joe", "", "h", 21, "/", "ftp://joe@h/" },
	{ "ftp://joe:secret@h/", AFTP_SCHEME_FTP, "joe", "secret", "h", 21, "/", "ftp://joe@h/" },
	{ "ftp://joe:a:b@h/", AFTP_SCHEME_FTP, "joe", "a:b", "h", 21, "/", "ftp://joe@h/" },
	{ "ftp://joe@work:p@ss@h/", AFTP_SCHEME_FTP, "joe@work", "p@ss", "h", 21, "/", "ftp://joe%40work@h/" },
	{ "ftp://j%40w:p%2Fw%3a%25@h/", AFTP_SCHEME_FTP, "j@w", "p/w:%", "h", 21, "/", "ftp://j%40w@h/" },
	{ "ftp://h/a%20b%2fc", AFTP_SCHEME_FTP, NULL, NULL, "h", 21, "/a b/c", "ftp://h/a%20b/c" },
	{ "ftp://h/a b?c#d", AFTP_SCHEME_FTP, NULL, NULL, "h", 21, "/a b?c#d", "ftp://h/a%20b%3Fc%23d" },
	{ "ftp://h/%FF%C3%A9", AFTP_SCHEME_FTP, NULL, NULL, "h", 21, "/\377\303\251", "ftp://h/\377\303\251" },
	{ "ftp://h/u@x:1", AFTP_SCHEME_FTP, NULL, NULL, "h", 21, "/u@x:1", "ftp://h/u@x:1" },
	{ "ftp://h/%2Fpub", AFTP_SCHEME_FTP, NULL, NULL, "h", 21, "/pub", "ftp://h/pub" },
	{ "ftp://h//pub//x", AFTP_SCHEME_FTP, NULL, NULL, "h", 21, "/pub//x", "ftp://h/pub//x" },
	{ "ftp://[::1]/x", AFTP_SCHEME_FTP, NULL, NULL, "::1", 21, "/x", "ftp://[::1]/x" },
	{ "ftp://[2001:db8::7]:2121/x", AFTP_SCHEME_FTP, NULL, NULL, "2001:db8::7", 2121, "/x",
		"ftp://[2001:db8::7]:2121/x" },
	{ "ftp://[fe80::1%25eth0]/x", AFTP_SCHEME_FTP, NULL, NULL, "fe80::1%eth0", 21, "/x",
		"ftp://[fe80::1%25eth0]/x" },
	{ "ftp://[fe80::1%eth0]/x", AFTP_SCHEME_FTP, NULL, NULL, "fe80::1%eth0", 21, "/x", "ftp://[fe80::1%25eth0]/x" },
	{ "ftp://[fe80::1%25]/", AFTP_SCHEME_FTP, NULL, NULL, "fe80::1%25", 21, "/", "ftp://[fe80::1%2525]/" },
	{ "ftp://joe:x@[::1]:21", AFTP_SCHEME_FTP, "joe", "x", "::1", 21, "", "ftp://joe@[::1]" },
	{ "ftp://192.0.2.1/x", AFTP_SCHEME_FTP, NULL, NULL, "192.0.2.1", 21, "/x", "ftp://192.0.2.1/x" },
	{ "h", AFTP_SCHEME_FTP, NULL, NULL, "h", 21, "", "ftp://h" },
	{ "h:2121/pub", AFTP_SCHEME_FTP, NULL, NULL, "h", 2121, "/pub", "ftp://h:2121/pub" },
	{ "h/a://b", AFTP_SCHEME_FTP, NULL, NULL, "h", 21, "/a://b", "ftp://h/a://b" },
	{ "joe@h/pub", AFTP_SCHEME_FTP, "joe", NULL, "h", 21, "/pub", "ftp://joe@h/pub" },
};

static void same(const char *a, const char *b)
{
	if (!b)
		assert_null(a);
	else
		assert_string_equal(a, b);
}

static void test_good_ones(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct aftp_url url;
		const char *why = NULL;
		char text[100];

		if (aftp_url_parse(&url, good[i].text, &why) != 0)
			fail_msg("%s: %s", good[i].text, why);
		assert_int_equal(url.scheme, good[i].scheme);
		same(url.user, good[i].user);
		same(url.password, good[i].password);
		same(url.host, good[i].host);
		assert_int_equal(url.port, good[i].port);
		same(url.path, good[i].path);
		aftp_url_print(&url, text, sizeof text);
		assert_string_equal(text, good[i].printed);
		aftp_url_clear(&url);
	}
}

/* What is printed is the same place. */
static void test_print_and_parse_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct aftp_url url;

		assert_int_equal(aftp_url_parse(&url, good[i].printed, NULL), 0);
		assert_int_equal(url.scheme, good[i].scheme);
		same(url.user, good[i].user);
		same(url.host, good[i].host);
		assert_int_equal(url.port, good[i].port);
		same(url.path, good[i].path);
		aftp_url_clear(&url);
	}
}

static void test_bad_ones(void **state)
{
	static const struct {
		const char *text, *why; /* a word of the reason */
	} bad[] = {
		{ "", "missing" },
		{ "ftp://", "missing" },
		{ "ftp:///pub", "missing" },
		{ "ftp://[::1%25a%25b]/", "not a name" },
		{ "ftp://[::1%a%b]/", "not a name" },
		{ "ftp://[::1%]/", "not a name" },
		{ "ftp://:21/", "missing" },
		{ "ftp://joe@/x", "missing" },
		{ "/pub", "missing" },
		{ "ftp://[]/x", "missing" },
		{ "http://h/", "scheme" },
		{ "sftp://h/", "scheme" },
		{ "://h/", "scheme" },
		{ "ft p://h/", "scheme" },
		{ "ftp://h:0/", "port" },
		{ "ftp://h:65536/", "port" },
		{ "ftp://h:99999999999/", "port" },
		{ "ftp://h:x/", "port" },
		{ "ftp://h:-1/", "port" },
		{ "ftp://h: 21/", "port" },
		{ "ftp://joe:a/b@h/", "port" },
		{ "ftp://::1/", "missing" },
		{ "ftp://fe80::1/x", "brackets" },
		{ "ftp://[::1/x", "host" },
		{ "ftp://[::1]21/x", "host" },
		{ "ftp://[h]/x", "host" },
		{ "ftp://a b/x", "host" },
		{ "ftp://h%41/x", "host" },
		{ "ftp://h\n/x", "host" },
		{ "ftp://a,b;c/x", "host" },
		{ "ftp://h?x", "host" },
		{ "ftp://h/%", "%" },
		{ "ftp://h/%4", "%" },
		{ "ftp://h/%zz", "%" },
		{ "ftp://j%:x@h/", "%" },
		{ "ftp://h/a%00b", "NUL" },
		{ "ftp://h/a%0ab", "NUL" },
		{ "ftp://h/a%0Db", "NUL" },
		{ "ftp://j%0d@h/", "NUL" },
		{ "ftp://j:p%0A@h/", "NUL" },
		{ "ftp://h/a\rb", "NUL" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct aftp_url url;
		const char *why = NULL;

		if (aftp_url_parse(&url, bad[i].text, &why) != AFTP_EINVAL)
			fail_msg("%s is taken", bad[i].text);
		assert_non_null(why);
		if (!strstr(why, bad[i].why))
			fail_msg("%s: %s", bad[i].text, why);
		assert_null(url.host);
		assert_int_equal(aftp_url_parse(&url, bad[i].text, NULL), AFTP_EINVAL);
	}
}

static void test_print_is_cut(void **state)
{
	struct aftp_url url;
	char text[12];

	(void)state;
	assert_int_equal(aftp_url_parse(&url, "ftp://joe:secret@host/path", NULL), 0);
	for (size_t size = 1; size <= sizeof text; size++) {
		memset(text, '#', sizeof text);
		aftp_url_print(&url, text, size);
		assert_true(strlen(text) < size);
		assert_memory_equal(text, "ftp://joe@host/path", strlen(text));
		assert_null(strstr(text, "secret"));
	}
	aftp_url_print(&url, NULL, 0);
	aftp_url_clear(&url);
}

static void test_clear_takes_zeroed_and_twice(void **state)
{
	struct aftp_url url = { 0 };

	(void)state;
	aftp_url_clear(&url);
	assert_int_equal(aftp_url_parse(&url, "ftp://joe:secret@h/x", NULL), 0);
	aftp_url_clear(&url);
	aftp_url_clear(&url);
	assert_null(url.password);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_ones),
		cmocka_unit_test(test_print_and_parse_again),
		cmocka_unit_test(test_bad_ones),
		cmocka_unit_test(test_print_is_cut),
		cmocka_unit_test(test_clear_takes_zeroed_and_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
