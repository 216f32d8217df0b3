#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <unistd.h>

#include <aftp/tls.h>

#include "mount/value.h"

#define NO INT64_MIN

struct row {
	const char *text;
	int64_t want; /* NO = refused */
};

static int64_t count(const char *text)
{
	int64_t n = 0;
	return value_count(text, 1, 64, &n) ? n : NO;
}

static int64_t duration(const char *text)
{
	int64_t n = 0;
	return value_duration(text, 100, 3600000, &n) ? n : NO;
}

static int64_t bytes(const char *text)
{
	int64_t n = 0;
	return value_bytes(text, 1024, INT64_C(1) << 40, &n) ? n : NO;
}

static int64_t octal(const char *text)
{
	int64_t n = 0;
	return value_octal(text, &n) ? n : NO;
}

static int64_t uid(const char *text)
{
	int64_t n = 0;
	return value_uid(text, &n) ? n : NO;
}

static int64_t gid(const char *text)
{
	int64_t n = 0;
	return value_gid(text, &n) ? n : NO;
}

static void check(int64_t (*parse)(const char *), const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		print_message("\"%s\"\n", rows[i].text);
		assert_int_equal(parse(rows[i].text), rows[i].want);
	}
}
#define CHECK(parse, ...)                                           \
	do {                                                        \
		static const struct row rows[] = { __VA_ARGS__ };   \
		check(parse, rows, sizeof(rows) / sizeof(rows[0])); \
	} while (0)

static void test_count(void **state)
{
	(void)state;
	CHECK(count, { "1", 1 }, { "64", 64 }, { "007", 7 }, { "0", NO }, { "65", NO }, { "", NO }, { " 1", NO },
		{ "1 ", NO }, { "-1", NO }, { "+1", NO }, { "1.0", NO }, { "0x10", NO }, { "x", NO },
		{ "99999999999999999999", NO });
}

static void test_duration(void **state)
{
	(void)state;
	CHECK(duration, { "1", 1000 }, { "0.1", 100 }, { "1.5", 1500 }, { "2s", 2000 }, { "250ms", 250 },
		{ "5m", 300000 }, { "1h", 3600000 }, { "3600", 3600000 }, { "0.25", 250 }, { "0.0999", NO },
		{ "0", NO }, { "2h", NO }, { "3601", NO }, { "", NO }, { "s", NO }, { ".5", NO }, { "-1", NO },
		{ "1e3", NO }, { "0x10", NO }, { "1d", NO }, { "1 s", NO }, { "1ss", NO }, { "inf", NO }, { "nan", NO },
		{ "1..5", NO });
}

static void test_bytes(void **state)
{
	(void)state;
	CHECK(bytes, { "1024", 1024 }, { "1K", 1024 }, { "1k", 1024 }, { "8M", 8 << 20 }, { "8MiB", 8 << 20 },
		{ "8mb", 8 << 20 }, { "1G", 1 << 30 }, { "1Gi", 1 << 30 }, { "2000B", 2000 }, { "1023", NO },
		{ "0", NO }, { "2000G", NO }, { "9999999999G", NO }, { "", NO }, { "K", NO }, { "1T", NO },
		{ "1.5M", NO }, { "-1K", NO }, { "1 K", NO });
}

static void test_octal(void **state)
{
	(void)state;
	CHECK(octal, { "0", 0 }, { "022", 022 }, { "22", 022 }, { "777", 0777 }, { "0777", 0777 }, { "1000", NO },
		{ "8", NO }, { "", NO }, { "-1", NO }, { "0x1", NO }, { "22 ", NO });
}

static void test_owners(void **state)
{
	(void)state;
	CHECK(uid, { "0", 0 }, { "1000", 1000 }, { "root", 0 }, { "4294967294", 4294967294 }, { "4294967295", NO },
		{ "", NO }, { "no such user", NO }, { "-1", NO });
	CHECK(gid, { "0", 0 }, { "1000", 1000 }, { "root", 0 }, { "4294967295", NO }, { "", NO },
		{ "no such group", NO });
}

static void test_switch(void **state)
{
	bool on;
	(void)state;
	assert_true(value_switch("yes", &on) && on);
	assert_true(value_switch("TRUE", &on) && on);
	assert_true(value_switch("1", &on) && on);
	assert_true(value_switch("no", &on) && !on);
	assert_true(value_switch("false", &on) && !on);
	assert_true(value_switch("0", &on) && !on);
	assert_false(value_switch("", &on));
	assert_false(value_switch("maybe", &on));
}

static void test_log_level(void **state)
{
	enum aftp_log_level level;
	(void)state;
	assert_true(value_log_level("error", &level) && level == AFTP_LOG_ERROR);
	assert_true(value_log_level("Wire", &level) && level == AFTP_LOG_WIRE);
	assert_false(value_log_level("loud", &level));
}

static int64_t tls_version(const char *text)
{
	int64_t n = 0;
	return value_tls_version(text, &n) ? n : NO;
}

/* LOW * 100000 + HIGH */
static int64_t ports(const char *text)
{
	int64_t n[2] = { 0, 0 };
	return value_ports(text, n) ? n[0] * 100000 + n[1] : NO;
}

static void test_of_the_transport(void **state)
{
	(void)state;
	CHECK(tls_version, { "1.2", AFTP_TLS_1_2 }, { "TLSv1.3", AFTP_TLS_1_3 }, { "1.0", AFTP_TLS_1_0 }, { "1", NO },
		{ "1.4", NO }, { "", NO }, { "TLSv", NO }, { "1.2 ", NO });
	CHECK(ports, { "4000-4010", 400004010 }, { "4000", 400004000 }, { "1-65535", 165535 }, { "0-5", NO },
		{ "5-4", NO }, { "1-65536", NO }, { "1-", NO }, { "-1", NO }, { "1-2-3", NO }, { "1 -2", NO },
		{ "", NO });
}

static void test_ranges_in_words(void **state)
{
	char out[80];
	(void)state;
	assert_string_equal(value_count_range(out, sizeof(out), 1, 64), "from 1 to 64");
	assert_string_equal(value_duration_range(out, sizeof(out), 100, 3600000), "from 0.1 to 3600 seconds");
	assert_string_equal(value_bytes_range(out, sizeof(out), 64 * 1024, 1 << 30), "from 64K to 1G");
	assert_string_equal(value_bytes_range(out, sizeof(out), 0, 1000), "from 0 to 1000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_octal),
		cmocka_unit_test(test_owners),
		cmocka_unit_test(test_switch),
		cmocka_unit_test(test_log_level),
		cmocka_unit_test(test_of_the_transport),
		cmocka_unit_test(test_ranges_in_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
