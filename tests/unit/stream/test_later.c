#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "stream/later.h"

struct probe {
	struct later_item item; /* first: found from it */
	struct later *later;
	struct later **close; /* closed by the run */
	struct probe *add, *remove;
	int *order; /* the shared counter */
	int runs, at;
};

static void probe_run(struct later_item *item)
{
	struct probe *p = (struct probe *)item;

	p->runs++;
	p->at = ++*p->order;
	if (p->add)
		later_add(p->later, &p->add->item);
	if (p->remove)
		later_remove(p->later, &p->remove->item);
	if (p->close)
		later_close(p->close);
}

struct fixture {
	uv_loop_t loop;
	struct later *later;
	int order;
	struct probe p[4];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || uv_loop_init(&f->loop) < 0 || later_new(&f->later, &f->loop) < 0)
		return -1;
	for (int i = 0; i < 4; i++) {
		f->p[i].item.run = probe_run;
		f->p[i].order = &f->order;
		f->p[i].later = f->later;
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int rc;

	later_close(&f->later);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	rc = uv_loop_close(&f->loop);
	free(f);
	return rc;
}

static void test_in_order_and_not_inside(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 4; i++)
		later_add(f->later, &f->p[i].item);
	later_add(f->later, &f->p[0].item); /* already there: stays first */
	assert_int_equal(f->order, 0);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(f->p[i].runs, 1);
		assert_int_equal(f->p[i].at, i + 1);
		assert_null(f->p[i].item.next);
	}
}

static void test_runs_again_after_idle(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(uv_run(&f->loop, UV_RUN_NOWAIT), 0); /* an empty list does not keep a loop alive */
	for (int i = 1; i <= 3; i++) {
		later_add(f->later, &f->p[0].item);
		uv_run(&f->loop, UV_RUN_DEFAULT);
		assert_int_equal(f->p[0].runs, i);
	}
}

static void never(uv_timer_t *timer)
{
	(void)timer;
	fail_msg("the loop slept while an item waited");
}

static void test_loop_does_not_sleep(void **state)
{
	struct fixture *f = *state;
	uv_timer_t timer;

	uv_timer_init(&f->loop, &timer);
	uv_timer_start(&timer, never, 60000, 0);
	later_add(f->later, &f->p[0].item);
	uv_run(&f->loop, UV_RUN_ONCE);
	assert_int_equal(f->p[0].runs, 1);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&f->loop, UV_RUN_DEFAULT);
}

static void test_added_while_draining(void **state)
{
	struct fixture *f = *state;

	f->p[0].add = &f->p[1];
	f->p[1].add = &f->p[0]; /* each brings the other back: the loop must still turn */
	later_add(f->later, &f->p[0].item);
	for (int i = 0; i < 10; i++)
		uv_run(&f->loop, UV_RUN_NOWAIT);
	assert_in_range(f->order, 5, 10);
	f->p[0].add = f->p[1].add = NULL;
	uv_run(&f->loop, UV_RUN_DEFAULT);
}

static void test_added_to_itself(void **state)
{
	struct fixture *f = *state;

	f->p[0].add = &f->p[0];
	later_add(f->later, &f->p[0].item);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	assert_int_equal(f->p[0].runs, 1);
	f->p[0].add = NULL;
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(f->p[0].runs, 2);
}

static void test_removed(void **state)
{
	struct fixture *f = *state;

	later_remove(f->later, &f->p[3].item); /* not queued: no effect */
	later_add(f->later, &f->p[0].item);
	later_add(f->later, &f->p[1].item);
	later_add(f->later, &f->p[2].item);
	later_remove(f->later, &f->p[1].item);
	f->p[0].remove = &f->p[2]; /* taken out of the drain that is under way */
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(f->p[0].runs, 1);
	assert_int_equal(f->p[1].runs, 0);
	assert_int_equal(f->p[2].runs, 0);
}

static void test_closed_with_items(void **state)
{
	struct fixture *f = *state;

	later_add(f->later, &f->p[0].item);
	later_close(&f->later);
	assert_null(f->later);
	assert_null(f->p[0].item.next);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(f->p[0].runs, 0);
	later_close(&f->later); /* NULL is accepted */
}

static void test_closed_by_an_item(void **state)
{
	struct fixture *f = *state;

	f->p[0].close = &f->later;
	later_add(f->later, &f->p[0].item);
	later_add(f->later, &f->p[1].item);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(f->p[0].runs, 1);
	assert_int_equal(f->p[1].runs, 0);
	assert_null(f->p[1].item.next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_order_and_not_inside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_runs_again_after_idle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loop_does_not_sleep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_added_while_draining, setup, teardown),
		cmocka_unit_test_setup_teardown(test_added_to_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(test_removed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_closed_with_items, setup, teardown),
		cmocka_unit_test_setup_teardown(test_closed_by_an_item, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
