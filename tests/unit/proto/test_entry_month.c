#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "proto/entry_month.h"

static void test_names(void **state)
{
	static const struct {
		const char *name;
		unsigned month;
	} table[] = {
		{ "Jan", 1 },
		{ "feb", 2 },
		{ "MAR", 3 },
		{ "Apr", 4 },
		{ "May", 5 },
		{ "Jun", 6 },
		{ "Jul", 7 },
		{ "Aug", 8 },
		{ "Sep", 9 },
		{ "Oct", 10 },
		{ "Nov", 11 },
		{ "Dec", 12 },
		{ "Sept", 9 },
		{ "June", 6 },
		{ "September", 9 },
		{ "Jan.", 1 },
		{ "Okt.,", 10 },
		{ "M\303\244r", 3 },
		{ "M\344rz", 3 },
		{ "Dez", 12 },
		{ "janv.", 1 },
		{ "f\303\251vr.", 2 },
		{ "ao\303\273t", 8 },
		{ "d\303\251c.", 12 },
		{ "ene", 1 },
		{ "dic", 12 },
		{ "giu", 6 },
		{ "mei", 5 },
		{ "maj", 5 },
		{ "szept", 9 },
		{ "\320\274\320\260\321\217", 5 },
		{ "\320\264\320\265\320\272", 12 },
		{ "\316\317\321", 11 },
		{ "\355\356\377", 11 },
		{ "", 0 },
		{ "J", 0 },
		{ "Ja", 0 },
		{ "Foo", 0 },
		{ "Jam", 0 },
		{ "Janu", 0 },
		{ "01", 0 },
		{ "1Jan", 0 },
		{ "...", 0 },
		{ "Jan-", 0 },
		{ "januaryjanuary", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (entry_month(table[i].name, strlen(table[i].name)) != table[i].month)
			fail_msg("%s is not month %u", table[i].name, table[i].month);
}

/* Only the n bytes count. */
static void test_length(void **state)
{
	(void)state;
	assert_int_equal(entry_month("January", 3), 1);
	assert_int_equal(entry_month("January", 4), 0);
	assert_int_equal(entry_month("Augustus", 6), 8);
	assert_int_equal(entry_month(NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
