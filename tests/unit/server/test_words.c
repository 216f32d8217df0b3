#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "server/words.h"

static void test_next(void **state)
{
	static const struct {
		const char *text, *word, *rest; /* word NULL: there is none */
	} cases[] = {
		{ "one", "one", "" },
		{ "one two", "one", "two" },
		{ "one  two", "one", " two" },
		{ "\"one two\" three", "one two", "three" },
		{ "\"one\"", "one", "" },
		{ "\"a \"\"b\"\" c\" d", "a \"b\" c", "d" },
		{ "\"a \\\"b\\\\c\" d", "a \"b\\c", "d" },
		{ "\"a\\b\"", "a\\b", "" },
		{ "a\"b c", "a\"b", "c" },
		{ "", NULL, NULL },
		{ " one", NULL, NULL },
		{ "\"\"", NULL, NULL },
		{ "\"open", NULL, NULL },
		{ "\"open\"\"", NULL, NULL },
		{ "\"shut\"behind", NULL, NULL },
		{ "longer than that", "longer", "than that" },
		{ "much-too-long-for-it x", NULL, NULL },
		{ "\"much too long for it\" x", NULL, NULL },
		{ "exactly-fifteen x", "exactly-fifteen", "x" },
		{ "\"exactly fifteen\" x", "exactly fifteen", "x" },
		{ "exactly--sixteen x", NULL, NULL },
		{ "\"exactly  sixteen\" x", NULL, NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text = cases[i].text;
		char word[16];
		assert_int_equal(words_next(&text, word, sizeof(word)), cases[i].word != NULL);
		if (!cases[i].word)
			continue;
		assert_string_equal(word, cases[i].word);
		assert_string_equal(text, cases[i].rest);
	}
}

static void test_rest(void **state)
{
	static const struct {
		const char *text, *all;
	} cases[] = {
		{ "one two  three", "one two  three" },
		{ "\"one two\"", "one two" },
		{ "\"one\" two", NULL },
		{ "", NULL },
		{ "one \"two\"", "one \"two\"" },
		{ "more than there is room for", NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char all[16];
		assert_int_equal(words_rest(cases[i].text, all, sizeof(all)), cases[i].all != NULL);
		if (cases[i].all)
			assert_string_equal(all, cases[i].all);
	}
}

static void test_number(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t n;
	} cases[] = {
		{ "0", true, 0 },
		{ "42", true, 42 },
		{ "999999999999999999", true, 999999999999999999 },
		{ "1000000000000000000", false, 0 },
		{ "", false, 0 },
		{ "-1", false, 0 },
		{ "1x", false, 0 },
		{ " 1", false, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t n;
		assert_int_equal(words_number(cases[i].text, &n), cases[i].ok);
		if (cases[i].ok)
			assert_true(n == cases[i].n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_number),
	};
	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
