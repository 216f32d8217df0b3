#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <aftp/status.h>

#include "proto/command.h"

static void test_lines(void **state)
{
	static const struct {
		const char *verb, *argument, *line;
	} table[] = {
		{ "NOOP", NULL, "NOOP\r\n" },
		{ "PASS", "", "PASS \r\n" },
		{ "RETR", "/a b", "RETR /a b\r\n" },
		{ "RETR", " leading and trailing ", "RETR  leading and trailing \r\n" },
		{ "RETR", "gr\303\274n\377\t\001", "RETR gr\303\274n\377\t\001\r\n" },
		{ "SITE", "CHMOD 644 /x", "SITE CHMOD 644 /x\r\n" },
		{ "DELE", "back\\slash\"quote'", "DELE back\\slash\"quote'\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct buf b;

		buf_init(&b, 1000);
		assert_int_equal(command_append(&b, table[i].verb, table[i].argument), 0);
		assert_int_equal(buf_len(&b), strlen(table[i].line));
		assert_memory_equal(buf_bytes(&b), table[i].line, buf_len(&b));
		buf_finish(&b);
	}
}

static void test_commands_queue_up(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(command_append(&b, "REST", "100"), 0);
	assert_int_equal(command_append(&b, "RETR", "x"), 0);
	assert_int_equal(buf_len(&b), 18);
	assert_memory_equal(buf_bytes(&b), "REST 100\r\nRETR x\r\n", 18);
	buf_finish(&b);
}

static void test_a_line_end_is_refused(void **state)
{
	static const struct {
		const char *verb, *argument;
	} table[] = {
		{ "RETR", "x\r\nDELE y" },
		{ "RETR", "x\ny" },
		{ "RETR", "x\ry" },
		{ "RETR", "\n" },
		{ "RETR", "x\r" },
		{ "NO\nOP", NULL },
		{ "NOOP\r", "x" },
	};
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(command_append(&b, "NOOP", NULL), 0);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		assert_int_equal(command_append(&b, table[i].verb, table[i].argument), AFTP_EBADNAME);
		assert_int_equal(buf_len(&b), 6);
	}
	buf_finish(&b);
}

static void test_the_cap_is_kept(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_int_equal(command_append(&b, "RETR", "1234"), AFTP_ETOOBIG);
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(command_append(&b, "RETR", "123"), 0);
	assert_int_equal(command_append(&b, "", NULL), AFTP_ETOOBIG);
	assert_int_equal(buf_len(&b), 10);
	buf_finish(&b);
}

static void test_secrets(void **state)
{
	(void)state;
	assert_true(command_is_secret("PASS"));
	assert_true(command_is_secret("pass"));
	assert_true(command_is_secret("ACCT"));
	assert_false(command_is_secret("USER"));
	assert_false(command_is_secret("PASV"));
	assert_false(command_is_secret(""));
}

static void test_altered(void **state)
{
	static const struct {
		const char *argument;
		unsigned by;
	} table[] = {
		{ "", 0 },
		{ "/plain", 0 },
		{ " /in side", 0 },
		{ "/gr\303\274n", 0 },
		{ "/end ", COMMAND_MENDED },
		{ " ", COMMAND_MENDED },
		{ "/a\001b", COMMAND_MENDED },
		{ "/a\tb", COMMAND_MENDED },
		{ "/a\177b", COMMAND_MENDED },
		{ "/\377", COMMAND_TELNET | COMMAND_UTF_8 },
		{ "/\377\001", COMMAND_TELNET | COMMAND_MENDED | COMMAND_UTF_8 },
		{ "/\346\227\245 \360\237\230\200", 0 },
		{ "/\364\217\277\277\355\237\277\357\277\277", 0 },
		{ "/caf\351", COMMAND_UTF_8 },
		{ "/\200", COMMAND_UTF_8 },
		{ "/\300\257", COMMAND_UTF_8 }, /* a slash, made too long */
		{ "/\340\237\277", COMMAND_UTF_8 },
		{ "/\355\240\200", COMMAND_UTF_8 }, /* a surrogate */
		{ "/\360\217\277\277", COMMAND_UTF_8 },
		{ "/\364\220\200\200", COMMAND_UTF_8 }, /* past the last */
		{ "/\365\200\200\200", COMMAND_UTF_8 },
		{ "/\346\227", COMMAND_UTF_8 },
		{ "/\303x", COMMAND_UTF_8 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		assert_false(command_is_altered(0, table[i].argument));
		for (unsigned how = 1; how < 8; how++)
			assert_int_equal(command_is_altered(how, table[i].argument), (table[i].by & how) != 0);
	}
}

static void test_list_safe(void **state)
{
	static const struct {
		const char *path;
		bool safe;
	} table[] = {
		{ "/", true },
		{ "/pub/file-1.2_x.tar.gz", true },
		{ "/a+b,c=d@e%f", true },
		{ "/a/b/c-", true },
		{ "", true },
		{ "relative", true },
		{ "/..", true },
		{ "/with space", false },
		{ "/[1]", false },
		{ "/a*", false },
		{ "/a?", false },
		{ "/{a}", false },
		{ "/a\\b", false },
		{ "-la", false },
		{ "/-la", false },
		{ "/a/-la", false },
		{ "/~joe", false },
		{ "/gr\303\274n", false },
		{ "/a'b", false },
		{ "/a\"b", false },
		{ "/a;b", false },
		{ "/a\tb", false },
		{ "/a#b", false },
		{ "/a$b", false },
		{ "/a(b)", false },
		{ "/a!b", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (command_list_safe(table[i].path) != table[i].safe)
			fail_msg("%s should be %s", table[i].path, table[i].safe ? "safe" : "unsafe");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_commands_queue_up),
		cmocka_unit_test(test_a_line_end_is_refused),
		cmocka_unit_test(test_the_cap_is_kept),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_altered),
		cmocka_unit_test(test_list_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
