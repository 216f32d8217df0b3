#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <aftp/log.h>

struct seen {
	int count;
	enum aftp_log_level level;
	char line[2048];
};

static void see(void *arg, enum aftp_log_level level, const char *line)
{
	struct seen *s = arg;

	s->count++;
	s->level = level;
	snprintf(s->line, sizeof s->line, "%s", line);
}

static void test_a_line_has_its_prefix(void **state)
{
	struct seen s = { 0 };
	struct aftp_log log = { .sink = see, .arg = &s, .level = AFTP_LOG_DEBUG, .prefix = "conn 3: " };

	(void)state;
	aftp_log(&log, AFTP_LOG_INFO, "%d of %s", 7, "nine");
	assert_int_equal(s.count, 1);
	assert_int_equal(s.level, AFTP_LOG_INFO);
	assert_string_equal(s.line, "conn 3: 7 of nine");
}

static void test_levels(void **state)
{
	struct seen s = { 0 };
	struct aftp_log log = { .sink = see, .arg = &s, .level = AFTP_LOG_WARN };

	(void)state;
	aftp_log(&log, AFTP_LOG_ERROR, "a");
	aftp_log(&log, AFTP_LOG_WARN, "b");
	aftp_log(&log, AFTP_LOG_INFO, "c");
	aftp_log(&log, AFTP_LOG_WIRE, "d");
	assert_int_equal(s.count, 2);
	assert_string_equal(s.line, "b");
}

static void test_no_log_and_no_sink(void **state)
{
	struct seen s = { 0 };
	struct aftp_log log = { .arg = &s, .level = AFTP_LOG_WIRE };

	(void)state;
	aftp_log(NULL, AFTP_LOG_ERROR, "x");
	aftp_log(&log, AFTP_LOG_ERROR, "x");
	assert_int_equal(s.count, 0);
}

static void test_control_bytes_are_shown(void **state)
{
	static const struct {
		const char *in, *out;
	} table[] = {
		{ "a\r\nb", "a\\x0d\\x0ab" },
		{ "\033[31mred", "\\x1b[31mred" },
		{ "\t\177", "\\x09\\x7f" },
		{ "gr\303\274n", "gr\303\274n" },
		{ "", "" },
	};
	struct seen s = { 0 };
	struct aftp_log log = { .sink = see, .arg = &s, .level = AFTP_LOG_WIRE };

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		aftp_log(&log, AFTP_LOG_INFO, "%s", table[i].in);
		assert_string_equal(s.line, table[i].out);
	}
}

static void test_long_lines_are_cut(void **state)
{
	struct seen s = { 0 };
	struct aftp_log log = { .sink = see, .arg = &s, .level = AFTP_LOG_WIRE, .prefix = "p: " };
	char text[5000];

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	aftp_log(&log, AFTP_LOG_INFO, "%s", text);
	assert_int_equal(strlen(s.line), 1023);
	memset(text, '\001', sizeof text - 1);
	aftp_log(&log, AFTP_LOG_INFO, "%s", text);
	assert_true(strlen(s.line) <= 1023 && strlen(s.line) > 1000);
	assert_memory_equal(s.line, "p: \\x01", 7);
}

static void test_a_full_prefix(void **state)
{
	struct seen s = { 0 };
	struct aftp_log log = { .sink = see, .arg = &s, .level = AFTP_LOG_WIRE };

	(void)state;
	memset(log.prefix, '#', sizeof log.prefix);
	aftp_log(&log, AFTP_LOG_INFO, "x");
	assert_int_equal(strlen(s.line), sizeof log.prefix);
}

static void test_to_file(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	struct aftp_log log = { .sink = aftp_log_to_file, .arg = f, .level = AFTP_LOG_INFO, .prefix = "x: " };

	(void)state;
	assert_non_null(f);
	aftp_log(&log, AFTP_LOG_INFO, "one");
	aftp_log(&log, AFTP_LOG_DEBUG, "two");
	aftp_log(&log, AFTP_LOG_ERROR, "three");
	fclose(f);
	assert_string_equal(text, "x: one\nx: three\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_has_its_prefix),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_no_log_and_no_sink),
		cmocka_unit_test(test_control_bytes_are_shown),
		cmocka_unit_test(test_long_lines_are_cut),
		cmocka_unit_test(test_a_full_prefix),
		cmocka_unit_test(test_to_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
