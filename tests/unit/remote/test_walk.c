/* Looking ahead for programs that walk through a tree: what they will open is listed, once, and nothing else is. */
#include "lib/site_test.h"
#include "remote/internal.h"

#define DIRS 30

/* DIRS directories in /t, each with two files and a directory. */
static void begin(void)
{
	char path[64];

	for (int i = 0; i < DIRS; i++) {
		for (int k = 0; k < 2; k++) {
			snprintf(path, sizeof path, "/t/d%02d/f%d", i, k);
			assert_int_equal(aftp_memfs_put(f.fs, path, "x", 1), 0);
		}
		snprintf(path, sizeof path, "/t/d%02d/in/g", i);
		assert_int_equal(aftp_memfs_put(f.fs, path, "x", 1), 0);
	}
	up();
}

static unsigned listings(void)
{
	return (unsigned)(fixture_commands(&f, "MLSD") + fixture_commands(&f, "LIST"));
}

static void visit(const char *path, int entries)
{
	struct site_attr attr;

	assert_int_equal(fixture_walk(&f, path, &attr), 0);
	assert_int_equal(fixture_count(&f, attr.st.st_ino), entries);
}

static bool is_idle(const struct site *s)
{
	return s->walks.running == 0;
}

static void settle(void)
{
	fixture_settle(&f, is_idle);
}

static void whole_tree(void)
{
	char path[64];

	visit("t", DIRS);
	for (int i = 0; i < DIRS; i++) {
		snprintf(path, sizeof path, "t/d%02d", i);
		visit(path, 3);
		snprintf(path, sizeof path, "t/d%02d/in", i);
		visit(path, 1);
	}
	settle();
}

static void each_directory_is_listed_once(void **state)
{
	struct site_usage u;

	(void)state;
	begin();
	whole_tree();
	assert_int_equal(listings(), 2 * DIRS + 1);
	site_usage(f.site, &u);
	assert_true(u.connected_max <= 4);
}

static void one_connection_will_do(void **state)
{
	(void)state;
	f.options.max_conns = 1;
	begin();
	whole_tree();
	assert_int_equal(listings(), 2 * DIRS + 1);
}

static void the_first_child_is_evidence(void **state)
{
	unsigned before;

	(void)state;
	begin();
	visit("t", DIRS);
	settle();
	before = listings();
	assert_int_equal(before, 1);
	visit("t/d00", 3);
	settle();
	assert_true(listings() > before + 1);
	/* What comes next is there already. */
	before = listings();
	visit("t/d00/in", 1);
	settle();
	assert_true(listings() > before); /* further ahead */
	before = listings();
	fixture_stop_server(&f);
	visit("t/d01", 3);
	visit("t/d01/in", 1);
	visit("t/d02", 3);
}

static void no_evidence(void **state)
{
	(void)state;
	begin();
	visit("t", DIRS);
	visit("t/d07", 3);
	visit("t/d20", 3);
	visit("t/d11", 3);
	visit("t/d03", 3);
	settle();
	assert_int_equal(listings(), 1 + 4);
}

static void a_miss_ends_it(void **state)
{
	unsigned before;

	(void)state;
	begin();
	visit("t", DIRS);
	visit("t/d00", 3);
	visit("t/d25", 3);
	settle();
	before = listings();
	visit("t/d13", 3);
	visit("t/d29", 3);
	settle();
	assert_true(listings() <= before + 2);
}

static void turned_off(void **state)
{
	(void)state;
	f.options.lookahead = SITE_LOOKAHEAD_OFF;
	begin();
	visit("t", DIRS);
	visit("t/d00", 3);
	visit("t/d01", 3);
	settle();
	assert_int_equal(listings(), 3);
}

static void nothing_is_cached_then_nothing_is_foretold(void **state)
{
	struct site_attr attr;
	unsigned before;

	(void)state;
	f.options.attr_ttl_ms = 0;
	begin();
	assert_int_equal(fixture_walk(&f, "t", &attr), 0);
	before = listings();
	assert_int_equal(fixture_count(&f, attr.st.st_ino), DIRS);
	settle();
	assert_int_equal(listings(), before + 1);
}

static void what_cannot_be_listed_is_left_alone(void **state)
{
	char path[64];
	unsigned first;

	(void)state;
	begin();
	visit("t", DIRS);
	visit("t/d00", 3);
	settle();
	/* They go before the walker comes. */
	for (int i = 20; i < DIRS; i++) {
		snprintf(path, sizeof path, "/t/d%02d", i);
		assert_int_equal(aftp_memfs_remove(f.fs, path), 0);
	}
	for (int i = 1; i < 10; i++) {
		snprintf(path, sizeof path, "t/d%02d", i);
		visit(path, 3);
	}
	settle();
	first = listings();
	for (int i = 10; i < 20; i++) {
		snprintf(path, sizeof path, "t/d%02d", i);
		visit(path, 3);
	}
	settle();
	/* Each of the ten that are gone was asked for once at most. */
	assert_true(listings() - first <= 40 + 10);
}

static void it_stays_within_the_cache(void **state)
{
	(void)state;
	f.options.cache_entries = DIRS + 20;
	begin();
	visit("t", DIRS);
	visit("t/d00", 3);
	visit("t/d00/in", 1);
	visit("t/d01", 3);
	settle();
	assert_true(f.site->nodes.entries <= DIRS + 20);
}

static void a_walker_that_comes_sooner_waits_for_what_is_on_its_way(void **state)
{
	struct aftp_faults slow = { .latency_ms = 20 };

	(void)state;
	f.server_options.faults = slow;
	begin();
	whole_tree();
	assert_int_equal(listings(), 2 * DIRS + 1);
}

static void the_site_closes_meanwhile(void **state)
{
	struct aftp_faults slow = { .latency_ms = 100 };

	(void)state;
	f.server_options.faults = slow;
	begin();
	visit("t", DIRS);
	visit("t/d00", 3);
	assert_true(f.site->walks.running > 0);
	fixture_unmount(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_directory_is_listed_once),
		CASE(one_connection_will_do),
		CASE(the_first_child_is_evidence),
		CASE(no_evidence),
		CASE(a_miss_ends_it),
		CASE(turned_off),
		CASE(nothing_is_cached_then_nothing_is_foretold),
		CASE(what_cannot_be_listed_is_left_alone),
		CASE(it_stays_within_the_cache),
		CASE(a_walker_that_comes_sooner_waits_for_what_is_on_its_way),
		CASE(the_site_closes_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
