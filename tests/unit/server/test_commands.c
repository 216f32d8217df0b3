#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "server/commands.h"

static void test_sorted(void **state)
{
	(void)state;
	for (size_t i = 1; i < command_count(); i++)
		assert_true(strcmp(command_at(i - 1)->verb, command_at(i)->verb) < 0);
}

static void test_find(void **state)
{
	(void)state;
	for (size_t i = 0; i < command_count(); i++) {
		char verb[8];
		const struct command *cmd = command_at(i);
		assert_int_equal(command_index(cmd), i);
		assert_ptr_equal(command_find(cmd->verb), cmd);
		for (size_t k = 0; k <= strlen(cmd->verb); k++)
			verb[k] = (char)(cmd->verb[k] | (k % 2 ? 0x20 : 0) * (cmd->verb[k] != '\0'));
		assert_ptr_equal(command_find(verb), cmd);
	}
	assert_null(command_find(""));
	assert_null(command_find("RET"));
	assert_null(command_find("RETRY"));
	assert_null(command_find("ZZZZ"));
}

/* Everything that touches files asks for a login, and what changes them for the right to write. */
static void test_policy(void **state)
{
	static const char *const open[] = { "ABOR", "ACCT", "AUTH", "CLNT", "FEAT", "HELP", "HOST", "NOOP", "OPTS",
		"PASS", "PBSZ", "PROT", "QUIT", "REIN", "STAT", "SYST", "USER" };
	static const char *const writes[] = { "APPE", "DELE", "MFF", "MFMT", "MKD", "RMD", "RNFR", "RNTO", "STOR",
		"STOU", "XMKD", "XRMD" };
	static const char *const reads[] = { "HASH", "LIST", "MDTM", "MLSD", "MLST", "NLST", "RETR", "SIZE", "XCRC",
		"XMD5", "XSHA", "XSHA1", "XSHA256", "XSHA512" };
	size_t n = 0;
	(void)state;
	for (size_t i = 0; i < command_count(); i++)
		n += !command_at(i)->login;
	assert_int_equal(n, sizeof(open) / sizeof(open[0]));
	for (size_t i = 0; i < n; i++)
		assert_false(command_find(open[i])->login);
	n = 0;
	for (size_t i = 0; i < command_count(); i++)
		n += command_at(i)->may != 0;
	assert_int_equal(n, sizeof(writes) / sizeof(writes[0]) + sizeof(reads) / sizeof(reads[0]));
	for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
		assert_int_equal(command_find(writes[i])->may, AFTP_MAY_WRITE);
	for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++)
		assert_int_equal(command_find(reads[i])->may, AFTP_MAY_READ);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorted),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_policy),
	};
	return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}
