/* In which order does a program go through a directory? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <aftp/entry.h>

#include "remote/order.h"

static struct nodes nodes;

/* Listed so; those with a '/' behind them are directories. */
static void list(const char *const *names)
{
	struct dirlist *d;

	assert_int_equal(nodes_init(&nodes, "/", 100000), 0);
	assert_int_equal(dirlist_new(&d), 0);
	for (; *names; names++) {
		size_t len = strcspn(*names, "/");
		struct aftp_entry e = { .name = *names, .name_len = len, .size = 1, .have = AFTP_HAVE_SIZE };

		e.type = (*names)[len] ? AFTP_TYPE_DIR : AFTP_TYPE_FILE;
		assert_int_equal(dirlist_add(d, &e), 0);
	}
	dirlist_seal(d, true, true);
	node_set_list(&nodes, nodes.root, d, 1);
	dirlist_unref(d);
}

static bool is_file(const struct attr *a)
{
	return a->type == AFTP_TYPE_FILE;
}

static struct order *begin(const char *const *names)
{
	struct order *o;

	list(names);
	assert_int_equal(order_new(&o, &nodes, nodes.root, is_file), 0);
	return o;
}

static void end(struct order *o)
{
	order_free(o);
	nodes_finish(&nodes);
}

static void expect_next(const struct order *o, const char *const *names)
{
	struct dirlist_entry e;
	size_t i = 0;

	for (; names[i]; i++) {
		assert_true(order_next(o, i, &e));
		assert_string_equal(e.name, names[i]);
	}
	assert_false(order_next(o, i, &e));
}

static const char *const mixed[] = { "m", "b", "sub/", "Z", "a", "c", "Q", NULL };

static void as_listed(void **state)
{
	struct order *o = begin(mixed);

	(void)state;
	assert_int_equal(o->count, 6);
	assert_int_equal(order_took(o, "m"), 1);
	assert_int_equal(order_took(o, "b"), 2);
	assert_int_equal(order_took(o, "Z"), 3);
	assert_int_equal(order_best(o), ORDER_LISTED);
	expect_next(o, (const char *const[]){ "a", "c", "Q", NULL });
	end(o);
}

static void by_name(void **state)
{
	struct order *o = begin(mixed);

	(void)state;
	assert_int_equal(order_took(o, "Q"), 1);
	assert_int_equal(order_took(o, "Z"), 2);
	assert_int_equal(order_took(o, "a"), 3);
	assert_int_equal(order_best(o), ORDER_NAME);
	expect_next(o, (const char *const[]){ "b", "c", "m", NULL });
	end(o);
}

static void by_name_without_regard_to_case(void **state)
{
	struct order *o = begin(mixed);

	(void)state;
	order_took(o, "c");
	order_took(o, "m");
	assert_int_equal(order_took(o, "Q"), 2);
	assert_int_equal(order_best(o), ORDER_FOLDED);
	expect_next(o, (const char *const[]){ "Z", NULL });
	end(o);
}

static void by_inode(void **state)
{
	struct order *o = begin(mixed);
	struct dirlist_entry e;
	uint64_t before = 0;

	(void)state;
	for (size_t i = 0; i < o->count; i++) {
		uint64_t ino;

		assert_true(order_at(o, ORDER_INO, i, &e));
		ino = node_child_ino(&nodes, nodes.root, e.name);
		assert_true(ino > before);
		before = ino;
		assert_int_equal(order_took(o, e.name), i + 1);
	}
	expect_next(o, (const char *const[]){ NULL });
	end(o);
}

static void what_was_not_foretold(void **state)
{
	struct order *o = begin(mixed);

	(void)state;
	assert_int_equal(order_took(o, "sub"), 0); /* no candidate */
	assert_int_equal(order_took(o, "nowhere"), 0);
	assert_int_equal(order_took(o, "m"), 1);
	assert_int_equal(order_took(o, "m"), 1);
	assert_int_equal(order_took(o, "b"), 2);
	assert_int_equal(order_took(o, "m"), 0); /* backwards */
	end(o);
}

static void some_may_be_left_out(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", NULL };
	struct order *o = begin(names);

	(void)state;
	order_took(o, "a");
	assert_int_equal(order_took(o, "b"), 2);
	assert_int_equal(order_took(o, "d"), 3);
	assert_int_equal(order_took(o, "g"), 4);
	assert_int_equal(order_took(o, "a"), 0);
	assert_int_equal(order_took(o, "c"), 0); /* not before it is known */
	end(o);
}

static void too_many_to_sort(void **state)
{
	enum { MANY = 20001 };
	char **names = calloc(MANY + 1, sizeof *names);
	struct order *o;

	(void)state;
	assert_non_null(names);
	for (int i = 0; i < MANY; i++)
		assert_true(asprintf(&names[i], "f%d", (i * 7919) % MANY) > 0);
	o = begin((const char *const *)names);
	assert_null(o->place[ORDER_NAME]);
	assert_int_equal(order_took(o, names[0]), 1);
	assert_int_equal(order_took(o, names[1]), 2);
	end(o);
	for (int i = 0; i < MANY; i++)
		free(names[i]);
	free(names);
}

static void nothing_in_it(void **state)
{
	struct order *o = begin((const char *const[]){ "sub/", NULL });

	(void)state;
	expect_next(o, (const char *const[]){ NULL });
	assert_int_equal(order_took(o, "sub"), 0);
	end(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_listed),
		cmocka_unit_test(by_name),
		cmocka_unit_test(by_name_without_regard_to_case),
		cmocka_unit_test(by_inode),
		cmocka_unit_test(what_was_not_foretold),
		cmocka_unit_test(some_may_be_left_out),
		cmocka_unit_test(too_many_to_sort),
		cmocka_unit_test(nothing_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
