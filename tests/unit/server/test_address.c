#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "server/address.h"

static const char *text_of(const struct sockaddr_storage *ss)
{
	static char text[80];
	char host[INET6_ADDRSTRLEN];
	const void *at = ss->ss_family == AF_INET
		? (const void *)&((const struct sockaddr_in *)(const void *)ss)->sin_addr
		: (const void *)&((const struct sockaddr_in6 *)(const void *)ss)->sin6_addr;
	assert_non_null(inet_ntop(ss->ss_family, at, host, sizeof(host)));
	snprintf(text, sizeof(text), "%s %u", host, address_port(ss));
	return text;
}

static void test_port(void **state)
{
	static const struct {
		const char *arg, *want;
	} cases[] = {
		{ "127,0,0,1,4,210", "127.0.0.1 1234" },
		{ "0,0,0,0,0,0", "0.0.0.0 0" },
		{ "255,255,255,255,255,255", "255.255.255.255 65535" },
		{ "127,0,0,1,4", NULL },
		{ "127,0,0,1,4,210,", NULL },
		{ "127,0,0,1,4,210,1", NULL },
		{ "127,0,0,256,4,210", NULL },
		{ "127.0.0.1,4,210", NULL },
		{ "127,0,0,-1,4,210", NULL },
		{ "127,0,0, 1,4,210", NULL },
		{ "127,,0,1,4,210", NULL },
		{ "127,0,0,999999999999,4,210", NULL },
		{ "", NULL },
	};
	struct sockaddr_storage ss;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(address_parse_port(cases[i].arg, &ss), cases[i].want ? 0 : -EINVAL);
		if (cases[i].want)
			assert_string_equal(text_of(&ss), cases[i].want);
	}
}

static void test_eprt(void **state)
{
	static const struct {
		const char *arg, *want;
		int rc;
	} cases[] = {
		{ "|1|132.235.1.2|6275|", "132.235.1.2 6275", 0 },
		{ "|2|1080::8:800:200c:417a|5282|", "1080::8:800:200c:417a 5282", 0 },
		{ "!1!127.0.0.1!1!", "127.0.0.1 1", 0 },
		{ "|3|127.0.0.1|1|", NULL, -EAFNOSUPPORT },
		{ "|1|::1|1|", NULL, -EINVAL },
		{ "|2|127.0.0.1|1|", NULL, -EINVAL },
		{ "|1|127.0.0.1|1", NULL, -EINVAL },
		{ "|1|127.0.0.1|1|x", NULL, -EINVAL },
		{ "|1|127.0.0.1||", NULL, -EINVAL },
		{ "|1|127.0.0.1|65536|", NULL, -EINVAL },
		{ "|1|localhost|1|", NULL, -EINVAL },
		{ "|1|", NULL, -EINVAL },
		{ "|1|127.0.0.1", NULL, -EINVAL },
		{ "|x|127.0.0.1|1|", NULL, -EINVAL },
		{ "|2|1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111|1|", NULL, -EINVAL },
		{ " 1 127.0.0.1 1 ", NULL, -EINVAL },
		{ "", NULL, -EINVAL },
	};
	struct sockaddr_storage ss;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(address_parse_eprt(cases[i].arg, &ss), cases[i].rc);
		if (cases[i].want)
			assert_string_equal(text_of(&ss), cases[i].want);
	}
}

static void test_same(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "|1|10.0.0.1|1|", "|1|10.0.0.1|2|", true },
		{ "|1|10.0.0.1|1|", "|2|::ffff:10.0.0.1|1|", true },
		{ "|1|10.0.0.1|1|", "|1|10.0.0.2|1|", false },
		{ "|1|10.0.0.1|1|", "|2|::10.0.0.1|1|", false },
		{ "|2|::1|1|", "|2|::1|9|", true },
		{ "|2|::1|1|", "|2|::2|1|", false },
	};
	struct sockaddr_storage a, b;
	struct in_addr four;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(address_parse_eprt(cases[i].a, &a), 0);
		assert_int_equal(address_parse_eprt(cases[i].b, &b), 0);
		assert_int_equal(address_same(&a, &b), cases[i].same);
	}
	assert_false(address_ipv4(&a, &four));
	assert_int_equal(address_parse_eprt("|2|::ffff:10.0.0.1|1|", &a), 0);
	assert_true(address_ipv4(&a, &four));
	assert_int_equal(ntohl(four.s_addr), 0x0a000001);
	address_set_port(&a, 4711);
	assert_int_equal(address_port(&a), 4711);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_port),
		cmocka_unit_test(test_eprt),
		cmocka_unit_test(test_same),
	};
	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
