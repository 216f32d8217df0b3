#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <aftp/reply.h>
#include <aftp/status.h>

enum { LINES = 6, CAP = 1000 };

/* Adds the lines; the answer to the last one. */
static int add(struct aftp_reply *r, const char *const *lines)
{
	int rc = 0;

	for (size_t i = 0; i < LINES && lines[i]; i++) {
		rc = aftp_reply_add_line(r, lines[i], strlen(lines[i]));
		if (rc != 0)
			assert_true(i + 1 == LINES || !lines[i + 1]);
	}
	return rc;
}

static const struct {
	const char *lines[LINES];
	int code, rc;
	const char *message;
} replies[] = {
	{ { "220 ready" }, 220, 1, "ready" },
	{ { "220" }, 220, 1, "" },
	{ { "226 " }, 226, 1, "" },
	{ { "211-Features", " MLST", "211 End" }, 211, 1, "End" },
	{ { "211-Features", "211-MLST", "211 End" }, 211, 1, "End" },
	{ { "211-a", "211", "211 b" }, 211, 1, "b" },
	{ { "150-x", "226 not ours" }, 150, 0, "226 not ours" },
	{ { "150-x", "226 not ours", "150 y" }, 150, 1, "y" },
	{ { "150-x", "150y", "15", "", "150 " }, 150, 1, "" },
	{ { "230-", "230-two", "230 three" }, 230, 1, "three" },
	{ { "230-first" }, 230, 0, "first" },
	{ { "230- 230 no", " 230 no", "230 yes" }, 230, 1, "yes" },
	{ { "hello" }, 0, AFTP_EPROTO, "" },
	{ { "" }, 0, AFTP_EPROTO, "" },
	{ { "22" }, 0, AFTP_EPROTO, "" },
	{ { "2200 x" }, 0, AFTP_EPROTO, "" },
	{ { "220x" }, 0, AFTP_EPROTO, "" },
	{ { "220\tx" }, 0, AFTP_EPROTO, "" },
	{ { "099 x" }, 0, AFTP_EPROTO, "" },
	{ { "600 x" }, 0, AFTP_EPROTO, "" },
	{ { " 220 x" }, 0, AFTP_EPROTO, "" },
	{ { "-20 x" }, 0, AFTP_EPROTO, "" },
	{ { "SSH-2.0-OpenSSH_9" }, 0, AFTP_EPROTO, "" },
};

static void test_lines_make_a_reply(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
		struct aftp_reply r;

		aftp_reply_init(&r, CAP);
		assert_int_equal(add(&r, replies[i].lines), replies[i].rc);
		assert_int_equal(r.code, replies[i].code);
		assert_string_equal(aftp_reply_message(&r), replies[i].message);
		aftp_reply_finish(&r);
	}
}

static void expect_line(const struct aftp_reply *r, size_t i, const char *text)
{
	size_t len = 0;
	const char *line = aftp_reply_line(r, i, &len);

	if (!text) {
		assert_null(line);
		return;
	}
	assert_non_null(line);
	assert_int_equal(len, strlen(text));
	assert_memory_equal(line, text, len);
}

static void test_lines_can_be_read_back(void **state)
{
	static const char *const lines[LINES] = { "250-Listing /a", " type=file; a", "", "250-250 x", "226 y", "250" };
	struct aftp_reply r;

	(void)state;
	aftp_reply_init(&r, CAP);
	expect_line(&r, 0, NULL);
	assert_int_equal(add(&r, lines), 0);
	assert_int_equal(aftp_reply_add_line(&r, "250 End", 7), 1);
	assert_int_equal(r.lines, 7);
	assert_string_equal(r.text, "250-Listing /a\n type=file; a\n\n250-250 x\n226 y\n250\n250 End");
	assert_int_equal(r.len, strlen(r.text));
	expect_line(&r, 0, "Listing /a");
	expect_line(&r, 1, " type=file; a");
	expect_line(&r, 2, "");
	expect_line(&r, 3, "250 x");
	expect_line(&r, 4, "226 y");
	expect_line(&r, 5, "");
	expect_line(&r, 6, "End");
	expect_line(&r, 7, NULL);
	expect_line(&r, SIZE_MAX, NULL);
	aftp_reply_finish(&r);
}

static void test_a_reply_can_be_used_again(void **state)
{
	struct aftp_reply r;

	(void)state;
	aftp_reply_init(&r, CAP);
	assert_int_equal(aftp_reply_add_line(&r, "150-a", 5), 0);
	aftp_reply_reset(&r);
	assert_int_equal(r.code, 0);
	assert_string_equal(aftp_reply_message(&r), "");
	assert_int_equal(aftp_reply_add_line(&r, "226 b", 5), 1);
	assert_int_equal(r.code, 226);
	assert_int_equal(r.lines, 1);
	assert_string_equal(r.text, "226 b");
	aftp_reply_finish(&r);
	aftp_reply_finish(&r);
}

static void test_the_cap_counts_all_lines(void **state)
{
	struct aftp_reply r;
	char line[40];

	(void)state;
	memset(line, 'x', sizeof line);
	memcpy(line, "211-", 4);
	aftp_reply_init(&r, 121);
	assert_int_equal(aftp_reply_add_line(&r, line, 40), 0);
	assert_int_equal(aftp_reply_add_line(&r, line, 40), 0);
	assert_int_equal(aftp_reply_add_line(&r, line, 40), AFTP_ETOOBIG);
	assert_int_equal(aftp_reply_add_line(&r, line, 39), 0);
	assert_int_equal(r.len, 121);
	assert_int_equal(aftp_reply_add_line(&r, "", 0), AFTP_ETOOBIG);
	aftp_reply_finish(&r);
	aftp_reply_init(&r, 5);
	assert_int_equal(aftp_reply_add_line(&r, "220 ready", 9), AFTP_ETOOBIG);
	assert_int_equal(r.code, 0);
	assert_int_equal(aftp_reply_add_line(&r, "220 x", 5), 1);
	aftp_reply_finish(&r);
}

static void test_bytes_that_would_hide_text(void **state)
{
	struct aftp_reply r;

	(void)state;
	aftp_reply_init(&r, CAP);
	assert_int_equal(aftp_reply_add_line(&r, "550 a\0b\nc", 9), 1);
	assert_string_equal(aftp_reply_message(&r), "a?b?c");
	assert_int_equal(r.lines, 1);
	aftp_reply_finish(&r);
}

static void test_an_empty_reply(void **state)
{
	struct aftp_reply r = { 0 };

	(void)state;
	assert_string_equal(aftp_reply_message(&r), "");
	expect_line(&r, 0, NULL);
	aftp_reply_reset(&r);
	aftp_reply_finish(&r);
}

static void test_code_match(void **state)
{
	static const struct {
		int code;
		const char *masks;
		bool match;
	} table[] = {
		{ 226, "2xx", true },
		{ 226, "226", true },
		{ 226, "250|226", true },
		{ 226, "25x|226", true },
		{ 226, "2", true },
		{ 226, "22", true },
		{ 226, "xx6", true },
		{ 226, "xxx", true },
		{ 226, "1|2", true },
		{ 226, "", false },
		{ 226, "|", false },
		{ 226, "1xx", false },
		{ 226, "227", false },
		{ 226, "2260", false },
		{ 226, "25x|1xx", false },
		{ 226, "||226", true },
		{ 0, "xxx", false },
		{ 99, "x", false },
		{ 1000, "1", false },
		{ -226, "2xx", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		assert_int_equal(aftp_code_match(table[i].code, table[i].masks), table[i].match);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_make_a_reply),
		cmocka_unit_test(test_lines_can_be_read_back),
		cmocka_unit_test(test_a_reply_can_be_used_again),
		cmocka_unit_test(test_the_cap_counts_all_lines),
		cmocka_unit_test(test_bytes_that_would_hide_text),
		cmocka_unit_test(test_an_empty_reply),
		cmocka_unit_test(test_code_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
