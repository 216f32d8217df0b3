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

#include "server/faults.h"

static void test_copies(void **state)
{
	char verb[] = "mlsd", address[] = "10.1.2.3";
	const char *no[] = { verb, "EPSV", NULL };
	struct faults f;
	(void)state;
	assert_int_equal(faults_init(&f, &(struct aftp_faults){ .no = no, .pasv_address = address, .at = "retr" }), 0);
	memset(verb, 'x', 4);
	memset(address, 'x', 4);
	assert_true(faults_hide(&f, "MLSD"));
	assert_true(faults_hide(&f, "epsv"));
	assert_false(faults_hide(&f, "PASV"));
	assert_string_equal(f.set.pasv_address, "10,1,2,3");
	assert_string_equal(f.set.at, "RETR");
	faults_finish(&f);
	assert_int_equal(faults_init(&f, &(struct aftp_faults){ .latency_ms = 5 }), 0);
	assert_false(faults_hide(&f, "MLSD"));
	faults_finish(&f);
}

static void test_refused(void **state)
{
	static const char *const no[] = { "RETR", "NONE", NULL };
	const struct aftp_faults bad[] = { { .no = no }, { .at = "NONE" }, { .pasv_address = "10.1.2" },
		{ .pasv_address = "::1" } };
	struct faults f;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(faults_init(&f, &bad[i]), AFTP_EINVAL);
}

static void test_babble(void **state)
{
	struct faults f;
	(void)state;
	assert_int_equal(faults_init(&f, &(struct aftp_faults){ .endless_line = true }), 0);
	assert_int_equal(faults_babble(&f, NULL), BABBLE_LINE);
	assert_int_equal(faults_babble(&f, "NOOP"), BABBLE_NONE);
	faults_finish(&f);
	assert_int_equal(faults_init(&f, &(struct aftp_faults){ .endless_reply = true, .at = "noop" }), 0);
	assert_int_equal(faults_babble(&f, NULL), BABBLE_NONE);
	assert_int_equal(faults_babble(&f, "NOOP"), BABBLE_REPLY);
	assert_int_equal(faults_babble(&f, "RETR"), BABBLE_NONE);
	faults_finish(&f);
	assert_int_equal(faults_init(&f, &(struct aftp_faults){ .at = "noop" }), 0);
	assert_int_equal(faults_babble(&f, "NOOP"), BABBLE_NONE);
	faults_finish(&f);
}

static void test_strikes(void **state)
{
	struct faults f;
	(void)state;
	assert_int_equal(faults_init(&f, &(struct aftp_faults){ .times = 2 }), 0);
	assert_true(faults_strike(&f));
	assert_true(faults_strike(&f));
	assert_false(faults_strike(&f));
	faults_finish(&f);
	assert_int_equal(faults_init(&f, &(struct aftp_faults){ 0 }), 0);
	for (int i = 0; i < 10; i++)
		assert_true(faults_strike(&f));
	faults_finish(&f);
}

static void test_next_cut(void **state)
{
	static const struct {
		struct aftp_faults set;
		enum cut want;
		uint64_t at;
	} cases[] = {
		{ { 0 }, CUT_NONE, 0 },
		{ { .drop_after = 10 }, CUT_DATA, 10 },
		{ { .drop_all_after = 20 }, CUT_ALL, 20 },
		{ { .stall_after = 30 }, CUT_STALL, 30 },
		{ { .drop_after = 30, .drop_all_after = 20, .stall_after = 40 }, CUT_ALL, 20 },
		{ { .drop_after = 30, .stall_after = 4 }, CUT_STALL, 4 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct faults f;
		uint64_t at = 0;
		assert_int_equal(faults_init(&f, &cases[i].set), 0);
		assert_int_equal(faults_next_cut(&f, &at), cases[i].want);
		assert_int_equal(at, cases[i].at);
		faults_finish(&f);
	}
	struct faults f;
	uint64_t at;
	assert_int_equal(faults_init(&f, &(struct aftp_faults){ .drop_after = 10, .times = 1 }), 0);
	assert_int_equal(faults_next_cut(&f, &at), CUT_DATA);
	assert_true(faults_strike(&f));
	assert_int_equal(faults_next_cut(&f, &at), CUT_NONE);
	faults_finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_babble),
		cmocka_unit_test(test_strikes),
		cmocka_unit_test(test_next_cut),
	};
	return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
