#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <aftp/status.h>

#include "remote/node.h"

static struct nodes make(const char *base, size_t max_entries)
{
	struct nodes t;

	assert_int_equal(nodes_init(&t, base, max_entries), 0);
	return t;
}

static void assert_path(struct nodes *t, struct node *n, const char *name, const char *want)
{
	char *path = node_path(t, n, name);

	assert_non_null(path);
	assert_string_equal(path, want);
	free(path);
}

static void builds_paths(void **state)
{
	static const struct {
		const char *base, *root, *child, *deep;
	} cases[] = {
		{ "/", "/", "/a b", "/a b/c" },
		{ "/pub", "/pub", "/pub/a b", "/pub/a b/c" },
		{ "/pub/x", "/pub/x", "/pub/x/a b", "/pub/x/a b/c" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct nodes t = make(cases[i].base, 100);
		struct node *a = node_get_child(&t, t.root, "a b");

		assert_path(&t, t.root, NULL, cases[i].root);
		assert_path(&t, t.root, "a b", cases[i].child);
		assert_path(&t, a, NULL, cases[i].child);
		assert_path(&t, a, "c", cases[i].deep);
		nodes_finish(&t);
	}
}

static void a_number_belongs_to_a_path(void **state)
{
	struct nodes t = make("/", 100), u = make("/elsewhere", 100);
	uint64_t before = node_child_ino(&t, t.root, "x");
	struct node *x = node_get_child(&t, t.root, "x");

	(void)state;
	assert_int_equal(x->ino, before);
	assert_true(x->ino > 1);
	assert_ptr_equal(node_by_ino(&t, before), x);
	assert_int_equal(node_child_ino(&u, u.root, "x"), before);
	x->nlookup = 1;
	node_forget(&t, x, 1);
	assert_null(node_by_ino(&t, before));
	assert_null(node_child(&t, t.root, "x"));
	assert_int_equal(node_get_child(&t, t.root, "x")->ino, before);
	nodes_finish(&t);
	nodes_finish(&u);
}

static void names_are_bytes(void **state)
{
	struct nodes t = make("/", 100);
	static const char *const names[] = { " ", "a ", " a", "a", "\xff\xfe", "\n\t", "a->b", "[a]*?" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct node *n = node_get_child(&t, t.root, names[i]);
		assert_ptr_equal(node_child(&t, t.root, names[i]), n);
		for (size_t j = 0; j < i; j++)
			assert_ptr_not_equal(node_child(&t, t.root, names[j]), n);
	}
	nodes_finish(&t);
}

static void a_name_that_nobody_can_have(void **state)
{
	struct nodes t = make("/", 100);
	char name[3000];

	(void)state;
	memset(name, 'x', sizeof name);
	name[sizeof name - 1] = '\0';
	assert_null(node_child(&t, t.root, name));
	assert_null(node_get_child(&t, t.root, name));
	nodes_finish(&t);
}

static void lives_while_it_is_needed(void **state)
{
	struct nodes t = make("/", 100);
	struct node *a = node_get_child(&t, t.root, "a");
	struct node *b = node_get_child(&t, a, "b");
	uint64_t ino_a = a->ino, ino_b = b->ino;

	(void)state;
	a->nlookup = 2;
	b->nlookup = 1;
	node_ref(b);
	node_forget(&t, a, 2);
	assert_non_null(node_by_ino(&t, ino_a)); /* its child is known */
	node_forget(&t, b, 1);
	assert_non_null(node_by_ino(&t, ino_b)); /* a handle is open */
	node_unref(&t, b);
	assert_null(node_by_ino(&t, ino_b));
	assert_null(node_by_ino(&t, ino_a));
	assert_int_equal(t.count, 1);
	nodes_finish(&t);
}

static void too_much_forgetting_is_harmless(void **state)
{
	struct nodes t = make("/", 100);
	struct node *a = node_get_child(&t, t.root, "a");

	(void)state;
	a->nlookup = 1;
	node_forget(&t, a, 1000);
	assert_int_equal(t.count, 1);
	nodes_finish(&t);
}

static struct dirlist *list_of(unsigned n)
{
	struct dirlist *d = NULL;
	char name[16];

	assert_int_equal(dirlist_new(&d), 0);
	for (unsigned i = 0; i < n; i++) {
		struct aftp_entry e = { .name = name, .type = AFTP_TYPE_FILE };
		e.name_len = (size_t)snprintf(name, sizeof name, "%u", i);
		assert_int_equal(dirlist_add(d, &e), 0);
	}
	return d;
}

static void old_lists_make_room(void **state)
{
	struct nodes t = make("/", 25);
	char name[16];

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		struct dirlist *d = list_of(10);
		struct node *n;

		snprintf(name, sizeof name, "d%u", i);
		n = node_get_child(&t, t.root, name);
		node_set_list(&t, n, d, i + 1);
		assert_int_equal(n->list_at, i + 1);
		dirlist_unref(d);
	}
	assert_int_equal(t.entries, 20);
	assert_int_equal(t.count, 3); /* the root and the two newest */
	assert_non_null(node_child(&t, t.root, "d9"));
	assert_non_null(node_child(&t, t.root, "d8"));
	assert_null(node_child(&t, t.root, "d7"));
	nodes_finish(&t);
}

static void one_list_may_pass_the_limit(void **state)
{
	struct nodes t = make("/", 5);
	struct dirlist *d = list_of(10);

	(void)state;
	node_set_list(&t, t.root, d, 1);
	dirlist_unref(d);
	assert_non_null(t.root->list);
	assert_int_equal(dirlist_count(t.root->list), 10);
	node_drop_list(&t, t.root);
	assert_int_equal(t.entries, 0);
	nodes_finish(&t);
}

static void a_moved_node_keeps_its_number(void **state)
{
	struct nodes t = make("/", 100);
	struct node *d = node_get_child(&t, t.root, "d"), *e = node_get_child(&t, t.root, "e");
	struct node *f = node_get_child(&t, d, "f");
	uint64_t ino = d->ino;

	(void)state;
	f->nlookup = e->nlookup = d->nlookup = 1;
	assert_int_equal(node_move(&t, d, e, "moved"), 0);
	assert_int_equal(d->ino, ino);
	assert_ptr_equal(node_by_ino(&t, ino), d);
	assert_ptr_equal(node_child(&t, e, "moved"), d);
	assert_null(node_child(&t, t.root, "d"));
	assert_ptr_equal(node_child(&t, d, "f"), f);
	assert_path(&t, f, NULL, "/e/moved/f");
	assert_int_not_equal(node_get_child(&t, t.root, "d")->ino, ino);
	node_forget(&t, f, 1);
	node_forget(&t, d, 1);
	assert_null(node_by_ino(&t, ino));
	node_forget(&t, e, 1);
	assert_int_equal(t.count, 2);
	nodes_finish(&t);
}

static void what_is_replaced_is_gone(void **state)
{
	struct nodes t = make("/", 100);
	struct node *a = node_get_child(&t, t.root, "a"), *b = node_get_child(&t, t.root, "b");
	struct node *below = node_get_child(&t, b, "below");
	uint64_t ino = b->ino;

	(void)state;
	a->nlookup = b->nlookup = below->nlookup = 1;
	assert_int_equal(node_move(&t, a, t.root, "b"), 0);
	assert_ptr_equal(node_child(&t, t.root, "b"), a);
	assert_false(node_is_gone(a));
	assert_true(node_is_gone(b));
	assert_true(node_is_gone(below));
	assert_ptr_equal(node_by_ino(&t, ino), b);
	node_forget(&t, below, 1);
	node_forget(&t, b, 1);
	assert_null(node_by_ino(&t, ino));
	assert_ptr_equal(node_child(&t, t.root, "b"), a);
	nodes_finish(&t);
}

static void a_detached_name_is_free(void **state)
{
	struct nodes t = make("/", 100);
	struct node *a = node_get_child(&t, t.root, "a"), *again;

	(void)state;
	a->nlookup = 1;
	node_detach(&t, a);
	node_detach(&t, a);
	assert_true(a->gone);
	again = node_get_child(&t, t.root, "a");
	assert_ptr_not_equal(again, a);
	assert_int_not_equal(again->ino, a->ino);
	node_forget(&t, a, 1);
	assert_ptr_equal(node_child(&t, t.root, "a"), again);
	node_detach(&t, again); /* nothing needs it */
	assert_int_equal(t.count, 1);
	nodes_finish(&t);
}

static void assert_foretold(struct nodes *t, const char *name)
{
	uint64_t ino = node_child_ino(t, t->root, name);
	struct node *n = node_get_child(t, t->root, name);

	assert_int_equal(n->ino, ino);
	assert_int_equal(node_child_ino(t, t->root, name), ino);
	n->nlookup = 1;
}

/* Also where a number is taken, or a name has the number of another. */
static void a_number_is_foretold(void **state)
{
	struct nodes t = make("/", 100);
	struct node *n;

	(void)state;
	assert_foretold(&t, "a");
	assert_foretold(&t, "b");
	assert_int_equal(t.strays, 0);
	n = node_child(&t, t.root, "a");
	assert_int_equal(node_move(&t, n, t.root, "c"), 0);
	assert_foretold(&t, "c");
	assert_foretold(&t, "a");
	assert_int_equal(t.strays, 2); /* c has the number of a */
	node_forget(&t, node_child(&t, t.root, "a"), 1);
	assert_int_equal(node_move(&t, n, t.root, "a"), 0);
	assert_int_equal(t.strays, 0);
	node_detach(&t, n);
	assert_foretold(&t, "a");
	assert_int_equal(t.strays, 2);
	node_forget(&t, n, 1);
	node_forget(&t, node_child(&t, t.root, "a"), 1);
	assert_int_equal(t.strays, 0);
	assert_foretold(&t, "a");
	nodes_finish(&t);
}

static void a_change_shows_in_the_list(void **state)
{
	struct nodes t = make("/", 12);
	struct dirlist *d = list_of(10);
	struct attr a = { .type = AFTP_TYPE_FILE, .size = 5, .have = AFTP_HAVE_SIZE };
	struct node *other = node_get_child(&t, t.root, "other");
	struct dirlist *small = list_of(1);
	struct dirlist_entry e;

	(void)state;
	dirlist_seal(d, true, true);
	node_list_put(&t, t.root, "new", &a, NULL); /* no list: nothing to do */
	assert_int_equal(t.root->edits, 1);
	node_set_list(&t, t.root, d, 1);
	node_set_list(&t, other, small, 1);
	node_list_put(&t, t.root, "new", &a, NULL);
	assert_int_equal(dirlist_count(d), 10);
	assert_int_equal(dirlist_find(t.root->list, "new", &e), DIRLIST_HAS);
	assert_int_equal(e.attr.size, 5);
	assert_int_equal(t.entries, 12);
	node_list_remove(&t, t.root, "3");
	assert_int_equal(dirlist_find(t.root->list, "3", &e), DIRLIST_LACKS);
	assert_int_equal(t.entries, 11);
	node_list_put(&t, t.root, "newer", &a, NULL);
	assert_non_null(other->list);
	node_list_put(&t, t.root, "newest", &a, NULL); /* the limit: the other list goes */
	assert_int_equal(t.entries, 12);
	assert_null(node_child(&t, t.root, "other"));
	assert_int_equal(t.root->list_at, 1);
	dirlist_unref(small);
	dirlist_unref(d);
	nodes_finish(&t);
}

static void changes_are_noted_for_a_listing(void **state)
{
	struct nodes t = make("/", 100);
	struct changes c = { 0 };
	struct attr a = { .type = AFTP_TYPE_FILE, .size = 5, .have = AFTP_HAVE_SIZE };
	struct dirlist_entry e;

	(void)state;
	t.root->changes = &c;
	node_list_put(&t, t.root, "a", &a, NULL);
	node_list_put(&t, t.root, "b", &a, NULL);
	node_list_remove(&t, t.root, "b");
	node_list_remove(&t, t.root, "c");
	node_list_put(&t, t.root, "c", &a, NULL);
	assert_int_equal(dirlist_count(c.put), 2);
	assert_int_equal(dirlist_count(c.removed), 1);
	assert_int_equal(dirlist_find(c.put, "a", &e), DIRLIST_HAS);
	assert_int_equal(dirlist_find(c.put, "c", &e), DIRLIST_HAS);
	assert_int_equal(dirlist_find(c.removed, "b", &e), DIRLIST_HAS);
	assert_false(c.lost);
	dirlist_unref(c.put);
	dirlist_unref(c.removed);
	nodes_finish(&t);
}

static void a_touched_directory_is_newer(void **state)
{
	struct nodes t = make("/", 100);
	struct node *d = node_get_child(&t, t.root, "d");
	struct attr a = { .type = AFTP_TYPE_DIR, .mtime = 5, .have = AFTP_HAVE_MTIME };
	struct aftp_entry listed = { .name = "d",
		.name_len = 1,
		.type = AFTP_TYPE_DIR,
		.mtime = 6,
		.mode = 0700,
		.have = AFTP_HAVE_MTIME | AFTP_HAVE_MODE };
	struct dirlist *list = NULL;
	struct dirlist_entry e;

	(void)state;
	node_touch(d);
	assert_int_equal(d->attr.mtime, 0); /* not known: nothing to say */
	node_set_attr(d, &a, NULL, 1);
	assert_int_equal(dirlist_new(&list), 0);
	assert_int_equal(dirlist_add(list, &listed), 0);
	node_set_list(&t, t.root, list, 2);
	node_touch(d);
	assert_true(d->attr.mtime > 6);
	assert_int_equal(dirlist_find(t.root->list, "d", &e), DIRLIST_HAS);
	assert_int_equal(e.attr.mtime, d->attr.mtime);
	assert_int_equal(e.attr.mode, 0700); /* what the list knew better */
	dirlist_unref(list);
	nodes_finish(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds_paths),
		cmocka_unit_test(a_number_belongs_to_a_path),
		cmocka_unit_test(names_are_bytes),
		cmocka_unit_test(a_name_that_nobody_can_have),
		cmocka_unit_test(lives_while_it_is_needed),
		cmocka_unit_test(too_much_forgetting_is_harmless),
		cmocka_unit_test(old_lists_make_room),
		cmocka_unit_test(one_list_may_pass_the_limit),
		cmocka_unit_test(a_moved_node_keeps_its_number),
		cmocka_unit_test(what_is_replaced_is_gone),
		cmocka_unit_test(a_detached_name_is_free),
		cmocka_unit_test(a_number_is_foretold),
		cmocka_unit_test(a_change_shows_in_the_list),
		cmocka_unit_test(changes_are_noted_for_a_listing),
		cmocka_unit_test(a_touched_directory_is_newer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
