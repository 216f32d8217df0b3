#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <aftp/status.h>

#include "proto/charset.h"

static struct charset *get(const char *name)
{
	struct charset *c;

	assert_int_equal(charset_new(&c, name), 0);
	return c;
}

static void expect_decoded(struct charset *c, const char *bytes, const char *utf8)
{
	struct buf out;

	buf_init(&out, 1000);
	assert_int_equal(charset_decode(c, &out, bytes, strlen(bytes)), 0);
	assert_int_equal(buf_len(&out), strlen(utf8));
	assert_memory_equal(buf_bytes(&out), utf8, strlen(utf8));
	buf_finish(&out);
}

static void test_names(void **state)
{
	static const struct {
		const char *charset, *bytes, *utf8;
	} table[] = {
		{ "ISO-8859-1", "plain", "plain" },
		{ "ISO-8859-1", "caf\351", "caf\303\251" },
		{ "CP1251", "\357\360\350\342\345\362", "\320\277\321\200\320\270\320\262\320\265\321\202" },
		{ "CP1251", "\230", "\357\202\230" }, /* which has no meaning there: U+F098 */
		{ "KOI8-R", "\320\322\311", "\320\277\321\200\320\270" },
		{ "SHIFT-JIS", "\223\372\226{.txt", "\346\227\245\346\234\254.txt" },
		{ "GB18030", "\321\251", "\351\233\252" },
		{ "EUC-KR", "\260\241", "\352\260\200" },
		{ "EUC-KR", "\260", "\357\202\260" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct charset *c = get(table[i].charset);
		char *back;

		assert_non_null(c);
		expect_decoded(c, table[i].bytes, table[i].utf8);
		assert_int_equal(charset_encoded(c, &back, table[i].utf8), 0);
		assert_string_equal(back, table[i].bytes);
		free(back);
		charset_free(c);
	}
}

/* Whatever three bytes a server sends, they come back as they were. */
static void test_everything_comes_back(void **state)
{
	static const char *const names[] = { "ISO-8859-1", "ISO-8859-7", "CP1252", "CP1258", "KOI8-U", "SHIFT-JIS",
		"CP932", "EUC-JP", "EUC-KR", "BIG5", "BIG5-HKSCS", "GBK", "GB18030", "MACINTOSH" };
	static const char thirds[] = { 'a', '/', '\201', '\251', '\377' };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct charset *c = get(names[i]);

		for (unsigned n = 0; n < 256 * 256; n += n % 7 + 1) {
			const char bytes[] = { (char)(n >> 8), (char)n, thirds[n % sizeof thirds] };
			struct buf out, back;

			buf_init(&out, 100);
			buf_init(&back, 100);
			assert_int_equal(charset_decode(c, &out, bytes, sizeof bytes), 0);
			assert_int_equal(charset_encode(c, &back, buf_bytes(&out), buf_len(&out)), 0);
			assert_int_equal(buf_len(&back), sizeof bytes);
			assert_memory_equal(buf_bytes(&back), bytes, sizeof bytes);
			buf_finish(&out);
			buf_finish(&back);
		}
		charset_free(c);
	}
}

static void test_what_the_server_cannot_have(void **state)
{
	static const char *const bad[] = { "\346\227\245", "a\303", "\303(", "\355\240\200", "\300\257",
		"\364\220\200\200", "\377", "\342\202\254" };
	struct charset *c = get("ISO-8859-1");
	char *back;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(charset_encoded(c, &back, bad[i]), -EILSEQ);
		assert_null(back);
	}
	charset_free(c);
}

static void test_utf8_is_left_alone(void **state)
{
	static const char *const same[] = { NULL, "utf-8", "UTF8" };
	char *back;

	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		struct charset *c = get(same[i]);

		assert_null(c);
		expect_decoded(c, "\377caf\303\251", "\377caf\303\251");
		assert_int_equal(charset_encoded(c, &back, "\377x"), 0);
		assert_string_equal(back, "\377x");
		free(back);
		charset_free(c);
	}
}

static void test_refused(void **state)
{
	static const char *const bad[] = { "", "no such thing", "UTF-16", "UTF-7", "UCS-4", "ISO-2022-JP", "EBCDIC-US",
		"ISO-8859-1//TRANSLIT", "ISO646-DE" };
	struct charset *c;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(charset_new(&c, bad[i]), AFTP_EINVAL);
		assert_null(c);
	}
}

static void test_the_cap_is_kept(void **state)
{
	struct charset *c = get("ISO-8859-1");
	struct buf out;

	(void)state;
	buf_init(&out, 5);
	assert_int_equal(charset_decode(c, &out, "\351\351\351", 3), AFTP_ETOOBIG);
	buf_finish(&out);
	charset_free(c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_everything_comes_back),
		cmocka_unit_test(test_what_the_server_cannot_have),
		cmocka_unit_test(test_utf8_is_left_alone),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_the_cap_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
