#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "server/delay.h"

struct thing {
	struct delay_item item;
	int name;
	struct delay *delay;
	uint64_t ran_ns;
};

static char order[64];

static void run_thing(struct delay_item *item)
{
	struct thing *t = (struct thing *)(void *)item;
	t->ran_ns = uv_hrtime();
	assert_true(t->ran_ns >= item->due_ns);
	assert_null(item->prev);
	size_t n = strlen(order);
	order[n] = (char)t->name;
	order[n + 1] = '\0';
}

static void test_order(void **state)
{
	static const uint64_t ms[] = { 5, 1, 3, 3, 0, 9, 1 };
	struct thing things[7] = { 0 };
	struct delay *d;
	uv_loop_t loop;
	(void)state;
	order[0] = '\0';
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(delay_new(&d, &loop), 0);
	uint64_t now = uv_hrtime();
	for (int i = 0; i < 7; i++) {
		things[i] = (struct thing){ .item.run = run_thing, .name = 'a' + i };
		delay_add_at(d, &things[i].item, now + ms[i] * 1000000);
	}
	assert_string_equal(order, ""); /* never from inside the call */
	delay_remove(d, &things[5].item);
	delay_remove(d, &things[5].item);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_string_equal(order, "ebgcda"); /* what is due together keeps its order */
	delay_close(&d);
	assert_null(d);
	delay_close(&d);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void add_again(struct delay_item *item)
{
	struct thing *t = (struct thing *)(void *)item;
	if (--t->name > 0)
		delay_add(t->delay, item, 1);
}

static void test_again_from_inside(void **state)
{
	struct thing t = { .item.run = add_again, .name = 5 };
	uv_loop_t loop;
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(delay_new(&t.delay, &loop), 0);
	uint64_t before = uv_hrtime();
	delay_add(t.delay, &t.item, 1);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(t.name, 0);
	assert_true(uv_hrtime() - before >= 5000000);
	delay_close(&t.delay);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_close_drops(void **state)
{
	struct thing t = { .item.run = run_thing, .name = 'x' };
	struct delay *d;
	uv_loop_t loop;
	(void)state;
	order[0] = '\0';
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(delay_new(&d, &loop), 0);
	delay_add(d, &t.item, 0);
	delay_close(&d);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_string_equal(order, "");
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_again_from_inside),
		cmocka_unit_test(test_close_drops),
	};
	return cmocka_run_group_tests_name("delay", tests, NULL, NULL);
}
