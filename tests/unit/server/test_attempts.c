#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "server/attempts.h"

#define SECOND UINT64_C(1000000000)

static struct sockaddr_storage address(const char *text)
{
	struct sockaddr_storage ss = { 0 };
	struct sockaddr_in *four = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&ss;
	ss.ss_family = strchr(text, ':') ? AF_INET6 : AF_INET;
	void *to = ss.ss_family == AF_INET6 ? (void *)&six->sin6_addr : (void *)&four->sin_addr;
	assert_int_equal(inet_pton(ss.ss_family, text, to), 1);
	return ss;
}

static unsigned fail_at(struct attempts *a, const char *from, uint64_t now)
{
	struct sockaddr_storage ss = address(from);
	return attempts_failed(a, &ss, now);
}

static void test_grows_and_is_forgotten(void **state)
{
	struct attempts *a = calloc(1, sizeof(*a));
	uint64_t now = 5;
	(void)state;
	assert_non_null(a);
	for (unsigned i = 0; i < 10; i++, now += 59 * SECOND)
		assert_int_equal(fail_at(a, "10.0.0.1", now), i < ATTEMPTS_DOUBLINGS ? i : ATTEMPTS_DOUBLINGS);
	assert_int_equal(fail_at(a, "10.0.0.2", now), 0);
	assert_int_equal(fail_at(a, "10.0.0.2", now + 60 * SECOND), 1);
	assert_int_equal(fail_at(a, "10.0.0.2", now + 121 * SECOND), 0);
	free(a);
}

static void test_who_is_the_same(void **state)
{
	static const struct {
		const char *one, *other;
		unsigned want;
	} cases[] = {
		{ "10.0.0.1", "::ffff:10.0.0.1", 1 },
		{ "10.0.0.1", "::ffff:10.0.0.2", 0 },
		{ "2001:db8:0:1::1", "2001:db8:0:1:ffff::2", 1 },
		{ "2001:db8:0:1::1", "2001:db8:0:2::1", 0 },
		{ "0.0.0.0", "10.0.0.1", 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct attempts *a = calloc(1, sizeof(*a));
		assert_non_null(a);
		assert_int_equal(fail_at(a, cases[i].one, 1), 0);
		assert_int_equal(fail_at(a, cases[i].other, 2), cases[i].want);
		free(a);
	}
}

/* However many there are: who came last is remembered, who came first makes room. */
static void test_many(void **state)
{
	struct attempts *a = calloc(1, sizeof(*a));
	char text[32];
	uint64_t now = 1;
	(void)state;
	assert_non_null(a);
	for (unsigned i = 0; i < 2 * ATTEMPTS_SLOTS; i++) {
		snprintf(text, sizeof(text), "10.0.%u.%u", i / 250, i % 250);
		assert_int_equal(fail_at(a, text, now++), 0);
	}
	assert_int_equal(fail_at(a, text, now++), 1);
	assert_int_equal(fail_at(a, "10.0.0.0", now++), 0);
	free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows_and_is_forgotten),
		cmocka_unit_test(test_who_is_the_same),
		cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests_name("attempts", tests, NULL, NULL);
}
