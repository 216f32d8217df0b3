/* Small files that are fetched ahead: those that will be read, each once, and what is read is what is there. */
#include "lib/site_test.h"
#include "remote/content.h"

#define FILES 40

static void put(int i, const char *what)
{
	char path[64], text[64];

	snprintf(path, sizeof path, "/d/f%02d", i);
	snprintf(text, sizeof text, "%s %d", what, i);
	assert_int_equal(aftp_memfs_put(f.fs, path, text, strlen(text)), 0);
}

static void begin(void)
{
	struct site_attr attr;

	for (int i = 0; i < FILES; i++)
		put(i, "old");
	up();
	assert_int_equal(fixture_walk(&f, "d", &attr), 0);
	assert_int_equal(fixture_count(&f, attr.st.st_ino), FILES);
}

static void read_one(int i, const char *what)
{
	struct site_open_result r = { 0 };
	char path[64], want[64], got[64];

	snprintf(path, sizeof path, "d/f%02d", i);
	snprintf(want, sizeof want, "%s %d", what, i);
	assert_int_equal(fixture_open(&f, path, &r), 0);
	assert_int_equal(fixture_read(&f, r.file, 0, sizeof got, got), strlen(want));
	assert_memory_equal(got, want, strlen(want));
	site_release(r.file);
}

static unsigned fetched(void)
{
	return (unsigned)fixture_commands(&f, "RETR");
}

static bool is_idle(const struct site *s)
{
	bool busy = false;

	for (const struct content *c = s->contents; c; c = c->next)
		busy |= c->readers && c->readers->fetch;
	return !busy;
}

static void settle(void)
{
	fixture_settle(&f, is_idle);
}

static void each_file_is_fetched_once(void **state)
{
	struct site_usage u;

	(void)state;
	begin();
	for (int i = 0; i < FILES; i++)
		read_one(i, "old");
	settle();
	assert_int_equal(fetched(), FILES);
	site_usage(f.site, &u);
	assert_true(u.connected_max <= 4);
	assert_int_equal(u.readers, 0);
	assert_int_equal(u.read_memory, 0);
}

static void one_connection_will_do(void **state)
{
	(void)state;
	f.options.max_conns = 1;
	begin();
	for (int i = 0; i < FILES; i++)
		read_one(i, "old");
	settle();
	assert_int_equal(fetched(), FILES);
}

static void what_was_fetched_needs_no_server(void **state)
{
	(void)state;
	begin();
	read_one(0, "old");
	read_one(1, "old");
	settle();
	assert_true(fetched() >= 4);
	fixture_stop_server(&f);
	read_one(2, "old");
	read_one(3, "old");
}

static void no_evidence(void **state)
{
	static const int order[] = { 17, 3, 31, 8, 25, 12, 36, 5 };

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		read_one(order[i], "old");
	settle();
	assert_int_equal(fetched(), sizeof order / sizeof *order);
}

static void only_directories(void **state)
{
	(void)state;
	f.options.lookahead = SITE_LOOKAHEAD_METADATA;
	begin();
	for (int i = 0; i < 4; i++)
		read_one(i, "old");
	settle();
	assert_int_equal(fetched(), 4);
}

static void big_files_are_left_alone(void **state)
{
	struct site_attr attr;

	(void)state;
	for (int i = 0; i < 8; i++) {
		char path[32];
		snprintf(path, sizeof path, "/e/f%02d", i);
		assert_int_equal(aftp_memfs_put_pattern(f.fs, path, i % 2 ? 1 << 20 : 1000, 1), 0);
	}
	begin();
	assert_int_equal(fixture_walk(&f, "e", &attr), 0);
	assert_int_equal(fixture_count(&f, attr.st.st_ino), 8);
	for (int i = 0; i < 4; i += 2) {
		struct site_open_result r = { 0 };
		char path[32], got[10];
		snprintf(path, sizeof path, "e/f%02d", i);
		assert_int_equal(fixture_open(&f, path, &r), 0);
		assert_int_equal(fixture_read(&f, r.file, 0, sizeof got, got), sizeof got);
		site_release(r.file);
	}
	settle();
	assert_int_equal(fetched(), 4); /* the other two small ones */
}

/* The attributes that the program sees are new; so must be what it reads. */
static void changed_on_the_server(void **state)
{
	struct site_attr attr;
	struct node *n;

	(void)state;
	begin();
	read_one(0, "old");
	read_one(1, "old");
	settle();
	put(2, "newer");
	assert_int_equal(fixture_walk(&f, "d/f02", &attr), 0);
	n = node_by_ino(&f.site->nodes, attr.st.st_ino);
	n->attr_at = n->parent->list_at = 0; /* long ago */
	assert_int_equal(fixture_getattr(&f, attr.st.st_ino, &attr), 0);
	assert_int_equal(attr.st.st_size, strlen("newer 2"));
	read_one(2, "newer");
}

static void not_believed_for_ever(void **state)
{
	(void)state;
	f.options.attr_ttl_ms = 600000;
	begin();
	read_one(0, "old");
	read_one(1, "old");
	settle();
	assert_true(f.site->peeks.count > 0);
	put(2, "new");
	for (struct content *c = f.site->contents; c; c = c->next)
		if (c->peek)
			c->peek->at -= 600000;
	read_one(2, "new");
	peeks_finish(f.site);
	read_one(0, "old");
	read_one(1, "old");
	settle();
	for (struct content *c = f.site->contents; c; c = c->next)
		if (c->peek)
			c->peek->at -= 600000;
	peeks_tick(f.site);
	assert_int_equal(f.site->peeks.count, 0);
	assert_int_equal(f.site->peeks.bytes, 0);
}

static void changed_by_us(void **state)
{
	struct site_open_result r = { 0 };

	(void)state;
	begin();
	read_one(0, "old");
	read_one(1, "old");
	settle();
	assert_int_equal(fixture_open_flags(&f, "d/f02", O_WRONLY | O_TRUNC, &r), 0);
	assert_int_equal(fixture_write(&f, r.file, 0, "ours 2", 6), 6);
	assert_int_equal(fixture_flush(&f, r.file), 0);
	site_release(r.file);
	read_one(2, "ours");
	assert_int_equal(fixture_truncate(&f, "d/f03", NULL, 3), 0);
	assert_int_equal(fixture_open(&f, "d/f03", &r), 0);
	{
		char got[8];
		assert_int_equal(fixture_read(&f, r.file, 0, sizeof got, got), 3);
		assert_memory_equal(got, "old", 3);
	}
	site_release(r.file);
}

static void on_done(void *arg, int status)
{
	assert_int_equal(status, 0);
	*(bool *)arg = true;
}

/* A file that nobody has open is deleted at once, and not moved aside. */
static void deleted_by_us(void **state)
{
	bool done = false;
	struct site_attr dir, attr;

	(void)state;
	begin();
	read_one(0, "old");
	read_one(1, "old");
	settle();
	assert_int_equal(fixture_walk(&f, "d", &dir), 0);
	assert_int_equal(site_unlink(f.site, dir.st.st_ino, "f02", NULL, on_done, &done), 0);
	fixture_wait(&f, &done);
	assert_int_equal(fixture_commands(&f, "DELE"), 1);
	assert_int_equal(fixture_commands(&f, "RNFR"), 0);
	assert_int_equal(fixture_lookup(&f, dir.st.st_ino, "f02", &attr), AFTP_ENOENT);
	read_one(3, "old");
}

static void a_reader_joins_what_is_on_its_way(void **state)
{
	struct aftp_faults slow = { .latency_ms = 20 };

	(void)state;
	f.server_options.faults = slow;
	begin();
	for (int i = 0; i < 12; i++)
		read_one(i, "old");
	fixture_unmount(&f); /* with some under way */
	assert_true(fetched() <= FILES);
}

static void it_fails_and_the_reader_asks_itself(void **state)
{
	(void)state;
	begin();
	read_one(0, "old");
	assert_int_equal(aftp_memfs_remove(f.fs, "/d/f02"), 0);
	read_one(1, "old");
	settle();
	put(2, "back");
	struct site_open_result r = { 0 };
	char got[16];
	assert_int_equal(fixture_open(&f, "d/f02", &r), 0);
	/* Another size than was listed: never a mixture. */
	ssize_t n = fixture_read(&f, r.file, 0, sizeof got, got);
	assert_true(n == AFTP_ECHANGED || (n == 6 && memcmp(got, "back 2", 6) == 0));
	site_release(r.file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_file_is_fetched_once),
		CASE(one_connection_will_do),
		CASE(what_was_fetched_needs_no_server),
		CASE(no_evidence),
		CASE(only_directories),
		CASE(big_files_are_left_alone),
		CASE(changed_on_the_server),
		CASE(not_believed_for_ever),
		CASE(changed_by_us),
		CASE(deleted_by_us),
		CASE(a_reader_joins_what_is_on_its_way),
		CASE(it_fails_and_the_reader_asks_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
