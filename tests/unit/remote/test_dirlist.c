#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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

static void set(struct dirlist **d, const char *name, uint64_t size)
{
	struct attr a = { .size = size, .type = AFTP_TYPE_FILE, .have = AFTP_HAVE_SIZE };

	assert_int_equal(dirlist_set(d, name, &a, NULL), 0);
}

static void assert_size(const struct dirlist *d, const char *name, uint64_t size)
{
	struct dirlist_entry e;

	assert_int_equal(dirlist_find(d, name, &e), DIRLIST_HAS);
	assert_int_equal(e.attr.size, size);
	assert_string_equal(e.name, name);
}

static void a_change_keeps_a_whole_list_whole(void **state)
{
	struct dirlist *d = make();
	struct dirlist_entry e;

	(void)state;
	add(d, "a", AFTP_TYPE_FILE, 1);
	add(d, "b", AFTP_TYPE_FILE, 2);
	dirlist_seal(d, true, true);
	set(&d, "c", 3);
	set(&d, "a", 10);
	assert_int_equal(dirlist_remove(&d, "b"), 0);
	assert_int_equal(dirlist_remove(&d, "nobody"), 0);
	assert_int_equal(dirlist_count(d), 2);
	assert_size(d, "a", 10);
	assert_size(d, "c", 3);
	assert_int_equal(dirlist_find(d, "b", &e), DIRLIST_LACKS);
	dirlist_unref(d);
}

static void an_empty_list_can_be_changed(void **state)
{
	struct dirlist *d = make();

	(void)state;
	dirlist_seal(d, true, true);
	assert_int_equal(dirlist_remove(&d, "a"), 0);
	set(&d, "a", 1);
	assert_int_equal(dirlist_remove(&d, "a"), 0);
	assert_int_equal(dirlist_count(d), 0);
	set(&d, "a", 2);
	assert_size(d, "a", 2);
	dirlist_unref(d);
}

static void a_picture_does_not_change(void **state)
{
	struct dirlist *d = make(), *picture;
	struct dirlist_entry e;

	(void)state;
	add(d, "a", AFTP_TYPE_FILE, 1);
	add(d, "b", AFTP_TYPE_FILE, 2);
	dirlist_seal(d, true, true);
	picture = dirlist_ref(d);
	set(&d, "c", 3);
	assert_ptr_not_equal(d, picture);
	assert_int_equal(dirlist_remove(&d, "a"), 0);
	set(&d, "b", 20);
	assert_int_equal(dirlist_count(picture), 2);
	assert_size(picture, "a", 1);
	assert_size(picture, "b", 2);
	assert_int_equal(dirlist_find(picture, "c", &e), DIRLIST_LACKS);
	assert_int_equal(dirlist_count(d), 2);
	assert_size(d, "b", 20);
	assert_size(d, "c", 3);
	dirlist_unref(picture);
	dirlist_unref(d);
}

static void a_link_keeps_its_target_when_its_time_changes(void **state)
{
	struct dirlist *d = make();
	struct attr link = { .type = AFTP_TYPE_LINK, .mtime = 7 }, file = { .type = AFTP_TYPE_FILE };
	struct dirlist_entry e;

	(void)state;
	assert_int_equal(dirlist_set(&d, "l", &link, "there"), 0);
	link.mtime = 8;
	assert_int_equal(dirlist_set(&d, "l", &link, NULL), 0);
	assert_int_equal(dirlist_find(d, "l", &e), DIRLIST_HAS);
	assert_string_equal(e.target, "there");
	assert_int_equal(e.attr.mtime, 8);
	assert_int_equal(dirlist_set(&d, "l", &file, NULL), 0);
	assert_int_equal(dirlist_find(d, "l", &e), DIRLIST_HAS);
	assert_null(e.target);
	dirlist_unref(d);
}

#define NAMES 500

static void check_all(const struct dirlist *d, const uint64_t sizes[NAMES])
{
	struct dirlist_entry e;
	size_t n = 0;
	char name[32];

	for (unsigned i = 0; i < NAMES; i++) {
		snprintf(name, sizeof name, "name %u", i);
		if (sizes[i] == 0) {
			assert_int_equal(dirlist_find(d, name, &e), DIRLIST_LACKS);
			continue;
		}
		assert_size(d, name, sizes[i]);
		n++;
	}
	assert_int_equal(dirlist_count(d), n);
	for (size_t i = 0; i < n; i++) {
		dirlist_get(d, i, &e);
		assert_int_equal(e.attr.size, sizes[strtoul(e.name + 5, NULL, 10)]);
	}
}

/* Against an array; every now and then somebody holds a picture. */
static void many_changes(void **state)
{
	struct dirlist *d = make(), *picture = NULL;
	uint64_t sizes[NAMES] = { 0 };
	unsigned seed = 20;
	char name[32];

	(void)state;
	dirlist_seal(d, true, true);
	for (unsigned round = 0; round < 40000; round++) {
		unsigned r = (seed = seed * 1103515245u + 12345u) >> 8, i = r % NAMES;

		snprintf(name, sizeof name, "name %u", i);
		if (r & 1024) {
			sizes[i] = round + 1;
			set(&d, name, round + 1);
		} else {
			sizes[i] = 0;
			assert_int_equal(dirlist_remove(&d, name), 0);
		}
		if (round % 997 == 0) {
			dirlist_unref(picture);
			picture = dirlist_ref(d);
			check_all(d, sizes);
		}
	}
	check_all(d, sizes);
	dirlist_unref(picture);
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
		cmocka_unit_test(a_change_keeps_a_whole_list_whole),
		cmocka_unit_test(an_empty_list_can_be_changed),
		cmocka_unit_test(a_picture_does_not_change),
		cmocka_unit_test(a_link_keeps_its_target_when_its_time_changes),
		cmocka_unit_test(many_changes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
