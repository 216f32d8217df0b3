#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <aftp/status.h>

#include "remote/dirlist.h"

static struct aftp_entry entry(const char *name, enum aftp_type type, uint64_t size)
{
	return (struct aftp_entry){
		.name = name, .name_len = strlen(name), .type = type, .size = size, .have = AFTP_HAVE_SIZE
	};
}

static struct dirlist *make(void)
{
	struct dirlist *d = NULL;

	assert_int_equal(dirlist_new(&d), 0);
	return d;
}

static void add(struct dirlist *d, const char *name, enum aftp_type type, uint64_t size)
{
	struct aftp_entry e = entry(name, type, size);

	assert_int_equal(dirlist_add(d, &e), 0);
}

static void finds_what_it_holds(void **state)
{
	struct dirlist *d = make();
	struct dirlist_entry e;
	char name[32];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof name, "file %d", i);
		add(d, name, AFTP_TYPE_FILE, (uint64_t)i);
	}
	dirlist_seal(d, true, true);
	assert_int_equal(dirlist_count(d), 20000);
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof name, "file %d", i);
		assert_int_equal(dirlist_find(d, name, &e), DIRLIST_HAS);
		assert_int_equal(e.attr.size, i);
		assert_string_equal(e.name, name);
	}
	assert_int_equal(dirlist_find(d, "file", &e), DIRLIST_LACKS);
	assert_int_equal(dirlist_find(d, "file 20000", &e), DIRLIST_LACKS);
	dirlist_unref(d);
}

static void keeps_the_order_of_the_server(void **state)
{
	struct dirlist *d = make();
	struct dirlist_entry e;

	(void)state;
	add(d, "z", AFTP_TYPE_FILE, 1);
	add(d, "a", AFTP_TYPE_DIR, 2);
	dirlist_get(d, 0, &e);
	assert_string_equal(e.name, "z");
	dirlist_get(d, 1, &e);
	assert_string_equal(e.name, "a");
	assert_int_equal(e.attr.type, AFTP_TYPE_DIR);
	dirlist_unref(d);
}

static void a_repeated_name_replaces(void **state)
{
	struct dirlist *d = make();
	struct dirlist_entry e;

	(void)state;
	add(d, "a", AFTP_TYPE_FILE, 1);
	add(d, "a", AFTP_TYPE_FILE, 7);
	assert_int_equal(dirlist_count(d), 1);
	assert_int_equal(dirlist_find(d, "a", &e), DIRLIST_HAS);
	assert_int_equal(e.attr.size, 7);
	dirlist_unref(d);
}

static void absence_needs_a_whole_listing(void **state)
{
	static const struct {
		bool complete, shows_hidden;
		const char *name;
		enum dirlist_answer answer;
	} cases[] = {
		{ true, true, "no", DIRLIST_LACKS },
		{ true, true, ".no", DIRLIST_LACKS },
		{ true, false, "no", DIRLIST_LACKS },
		{ true, false, ".no", DIRLIST_CANNOT_TELL },
		{ false, true, "no", DIRLIST_CANNOT_TELL },
		{ false, false, ".no", DIRLIST_CANNOT_TELL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct dirlist *d = make();
		struct dirlist_entry e;

		dirlist_seal(d, cases[i].complete, cases[i].shows_hidden);
		assert_int_equal(dirlist_find(d, cases[i].name, &e), cases[i].answer);
		dirlist_unref(d);
	}
}

static void an_unusable_name_makes_a_hole(void **state)
{
	static const struct {
		const char *name;
		size_t len;
	} bad[] = { { "", 0 }, { "a/b", 3 }, { "a\0b", 3 }, { "/", 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct dirlist *d = make();
		struct aftp_entry e = entry("", AFTP_TYPE_FILE, 0);
		struct dirlist_entry got;

		e.name = bad[i].name;
		e.name_len = bad[i].len;
		assert_int_equal(dirlist_add(d, &e), 0);
		dirlist_seal(d, true, true);
		assert_int_equal(dirlist_count(d), 0);
		assert_false(dirlist_complete(d));
		assert_int_equal(dirlist_find(d, "b", &got), DIRLIST_CANNOT_TELL);
		dirlist_unref(d);
	}
}

static void dots_tell_of_the_directory_itself(void **state)
{
	struct dirlist *d = make();
	struct aftp_entry dot = entry(".", AFTP_TYPE_DIR, 0), dotdot = entry("..", AFTP_TYPE_DIR, 0);
	struct attr a;

	(void)state;
	dot.dot = dotdot.dot = true;
	dotdot.have = dot.have = AFTP_HAVE_MTIME;
	dotdot.mtime = 5;
	dot.mtime = 9;
	assert_int_equal(dirlist_add(d, &dotdot), 0);
	assert_false(dirlist_self(d, &a));
	assert_int_equal(dirlist_add(d, &dot), 0);
	assert_true(dirlist_self(d, &a));
	assert_int_equal(a.mtime, 9);
	assert_int_equal(dirlist_count(d), 0);
	dirlist_unref(d);
}

static void a_link_keeps_its_target(void **state)
{
	struct dirlist *d = make();
	struct aftp_entry link = entry("l", AFTP_TYPE_LINK, 0);
	struct dirlist_entry e;

	(void)state;
	link.target = "../there and back";
	link.target_len = 8;
	assert_int_equal(dirlist_add(d, &link), 0);
	assert_int_equal(dirlist_find(d, "l", &e), DIRLIST_HAS);
	assert_string_equal(e.target, "../there");
	add(d, "f", AFTP_TYPE_FILE, 0);
	assert_int_equal(dirlist_find(d, "f", &e), DIRLIST_HAS);
	assert_null(e.target);
	dirlist_unref(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_it_holds),
		cmocka_unit_test(keeps_the_order_of_the_server),
		cmocka_unit_test(a_repeated_name_replaces),
		cmocka_unit_test(absence_needs_a_whole_listing),
		cmocka_unit_test(an_unusable_name_makes_a_hole),
		cmocka_unit_test(dots_tell_of_the_directory_itself),
		cmocka_unit_test(a_link_keeps_its_target),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
