/* site_test - how a test of the site begins: `f`, made for each case and finished after it, and what cmocka wants. */
#ifndef TESTS_SITE_TEST_H
#define TESTS_SITE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <aftp/status.h>
#include <fcntl.h>

#include "lib/site_fixture.h"

static struct fixture f;

static inline int setup(void **state)
{
	(void)state;
	fixture_init(&f);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	fixture_finish(&f);
	return 0;
}

static inline void up(void)
{
	fixture_serve(&f);
	assert_int_equal(fixture_mount(&f), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
