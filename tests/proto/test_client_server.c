/* The client against the library's own server, which runs in another thread: whole transfers and listings, and the
 * faults that the server can be told to have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/kit.h"
#include "lib/loop.h"
#include "lib/testd.h"

enum { SHORT_MS = 400, FILE_SIZE = 1500000 };

struct both {
	struct testd d;
	struct kit k;
};

/* A server with "/f" (scripted_byte()) and a client; not connected. */
static void begin(struct both *b, const struct aftp_server_options *o, bool ipv6)
{
	char *bytes = malloc(FILE_SIZE);

	assert_non_null(bytes);
	for (size_t i = 0; i < FILE_SIZE; i++)
		bytes[i] = (char)scripted_byte(i);
	testd_start(&b->d, o, ipv6);
	testd_put(&b->d, "/f", bytes, FILE_SIZE);
	free(bytes);
	kit_begin(&b->k, NULL);
	b->k.o.host = ipv6 ? "::1" : "127.0.0.1";
	b->k.o.port = b->d.port;
	b->k.o.user = NULL;
	b->k.o.password = NULL;
}

static void end(struct both *b)
{
	kit_end(&b->k);
	testd_stop(&b->d);
}

static void join(struct both *b)
{
	assert_int_equal(kit_connect(&b->k), 0);
}

static void expect_size(struct both *b, const char *path, uint64_t size)
{
	char text[256], want[64];

	snprintf(want, sizeof want, "%llu", (unsigned long long)size);
	assert_int_equal(kit_command(&b->k, "SIZE", path, text), 213);
	assert_string_equal(text, want);
}

static void get_all(struct both *b, const char *path, uint64_t offset, uint64_t size)
{
	struct kit_get g = { 0 };

	assert_int_equal(kit_get(&g, &b->k, path, offset), 0);
	assert_int_equal(g.len, size - offset);
	assert_true(kit_get_right(&g, offset));
	kit_get_free(&g);
}

/* --- files --------------------------------------------------------------------------------------------- */

static void test_there_and_back(void **state)
{
	static const uint64_t sizes[] = { 0, 1, 4095, 4096, 65536, 65537, 3000001 };

	(void)state;
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		struct both b;

		begin(&b, NULL, ipv6);
		join(&b);
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			struct kit_put p = { 0 };

			kit_put_start(&p, &b.k, AFTP_STORE, "/up", 0, sizes[i], 60000);
			assert_int_equal(kit_put_wait(&p), 0);
			assert_int_equal(p.moved, sizes[i]);
			expect_size(&b, "/up", sizes[i]);
			get_all(&b, "/up", 0, sizes[i]);
			get_all(&b, "/up", sizes[i] / 2, sizes[i]);
			get_all(&b, "/up", sizes[i], sizes[i]);
		}
		end(&b);
	}
}

static void test_append_and_patch(void **state)
{
	struct kit_put whole = { 0 }, more = { 0 }, patch = { 0 };
	struct kit_get g = { 0 };
	struct both b;

	(void)state;
	begin(&b, NULL, false);
	join(&b);
	kit_put_start(&whole, &b.k, AFTP_STORE, "/up", 0, 1000, 300);
	kit_put_start(&more, &b.k, AFTP_APPEND, "/up", 0, 500, 300);
	assert_int_equal(kit_put_wait(&whole), 0);
	assert_int_equal(kit_put_wait(&more), 0);
	expect_size(&b, "/up", 1500);
	kit_put_start(&patch, &b.k, AFTP_STORE, "/up", 700, 100, 300);
	assert_int_equal(kit_put_wait(&patch), 0);
	assert_int_equal(kit_get(&g, &b.k, "/up", 700), 0);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal((unsigned char)g.bytes[i], scripted_byte(i));
	kit_get_free(&g);
	end(&b);
}

static void little_room(struct testd *d, void *arg)
{
	(void)arg;
	aftp_memfs_set_limits(d->fs, FILE_SIZE + 100000, 0);
}

static void test_no_room(void **state)
{
	struct kit_put p = { 0 };
	struct both b;

	(void)state;
	begin(&b, NULL, false);
	testd_call(&b.d, little_room, NULL);
	join(&b);
	kit_put_start(&p, &b.k, AFTP_STORE, "/up", 0, 50 << 20, 60000);
	assert_true(kit_put_wait(&p) < 0);
	assert_int_equal(p.code, 552);
	assert_true(p.status == -ENOSPC || p.status == -EDQUOT);
	assert_string_not_equal(aftp_client_error(b.k.client), "");
	expect_size(&b, "/f", FILE_SIZE);
	end(&b);
}

static void test_refusals(void **state)
{
	struct aftp_entry e;
	struct kit_get g = { 0 };
	struct kit_list l = { 0 };
	struct kit_put p = { 0 };
	struct both b;

	(void)state;
	begin(&b, NULL, false);
	testd_put(&b.d, "/d/x", "x", 1);
	join(&b);
	assert_int_equal(kit_stat(&b.k, "/none", &e), AFTP_ENOENT);
	assert_int_equal(kit_stat(&b.k, "/f/none", &e) < 0, true);
	assert_int_equal(kit_get(&g, &b.k, "/none", 0), AFTP_ENOENT);
	kit_get_free(&g);
	assert_true(kit_get(&g, &b.k, "/d", 0) < 0);
	kit_get_free(&g);
	assert_int_equal(kit_list(&l, &b.k, "/none"), AFTP_ENOENT);
	memset(&l, 0, sizeof l);
	assert_int_equal(kit_list(&l, &b.k, "/f"), -ENOTDIR);
	kit_put_start(&p, &b.k, AFTP_STORE, "/d", 0, 10, 10);
	assert_true(kit_put_wait(&p) < 0);
	get_all(&b, "/f", 0, FILE_SIZE);
	end(&b);
}

/* --- listings ------------------------------------------------------------------------------------------ */

static const char *const awkward[] = { "plain", "two words", "-a", "a;b", "a=b", "q\"uote", "a -> b", "*", "[x]",
	"\\back", "caf\xc3\xa9", "\xff\xfe", "%41", "...", "~", "type=dir; x", "(paren)", "{a,b}" };

static void put_awkward(struct both *b, const char *below)
{
	char path[256];

	for (size_t i = 0; i < sizeof awkward / sizeof *awkward; i++) {
		snprintf(path, sizeof path, "%s/%s", below, awkward[i]);
		testd_put(&b->d, path, "12345", i % 6);
	}
}

static void check_awkward(struct both *b, const char *dir)
{
	struct kit_list l = { 0 };

	if (kit_list(&l, &b->k, dir) != 0)
		fail_msg("\"%s\": %s", dir, aftp_err_name(l.status));
	assert_int_equal(l.unknown, 0);
	assert_false(l.truncated);
	for (size_t i = 0; i < sizeof awkward / sizeof *awkward; i++)
		if (!strstr(l.names, awkward[i]))
			fail_msg("\"%s\" in \"%s\" is not among %s", awkward[i], dir, l.names);
	assert_int_equal(l.entries >= sizeof awkward / sizeof *awkward, true);
}

/* By MLSD and by LIST, in directories whose names are awkward, too. */
static void test_awkward_names(void **state)
{
	(void)state;
	for (int no_mlsd = 0; no_mlsd < 2; no_mlsd++) {
		struct both b;
		char path[128];

		begin(&b, NULL, false);
		for (size_t i = 0; i < sizeof awkward / sizeof *awkward; i++) {
			snprintf(path, sizeof path, "/dirs/%s", awkward[i]);
			put_awkward(&b, path);
		}
		b.k.o.no_mlsd = no_mlsd;
		join(&b);
		for (size_t i = 0; i < sizeof awkward / sizeof *awkward; i++) {
			struct aftp_entry e;

			snprintf(path, sizeof path, "/dirs/%s", awkward[i]);
			check_awkward(&b, path);
			assert_int_equal(kit_stat(&b.k, path, &e), 0);
			assert_int_equal(e.type, AFTP_TYPE_DIR);
		}
		assert_int_equal(testd_count(&b.d, "MLSD") > 0, !no_mlsd);
		end(&b);
	}
}

static void test_ways_to_list(void **state)
{
	static const char *const no_mlsd[] = { "MLSD", "MLST", NULL };
	static const struct {
		const char *const *no;
		enum aftp_listing_style style;
	} ways[] = { { NULL, AFTP_STYLE_UNIX }, { no_mlsd, AFTP_STYLE_UNIX }, { no_mlsd, AFTP_STYLE_DOS } };

	(void)state;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		struct aftp_server_options o = { .faults = { .no = ways[i].no, .listing = ways[i].style } };
		struct kit_list full = { 0 }, empty = { 0 }, missing = { 0 }, file = { 0 };
		struct both b;

		begin(&b, &o, false);
		testd_put(&b.d, "/d/a", "1", 1);
		testd_put(&b.d, "/d/sub/x", "1", 1);
		testd_put(&b.d, "/e/x", "1", 1);
		join(&b);
		assert_int_equal(kit_command(&b.k, "DELE", "/e/x", NULL), 250);
		assert_int_equal(kit_list(&full, &b.k, "/d"), 0);
		assert_non_null(strstr(full.names, "a"));
		assert_non_null(strstr(full.names, "sub/"));
		assert_int_equal(kit_list(&empty, &b.k, "/e"), 0);
		assert_string_equal(empty.names, "");
		assert_int_equal(kit_list(&missing, &b.k, "/none"), AFTP_ENOENT);
		assert_int_equal(kit_list(&file, &b.k, "/f"), -ENOTDIR);
		end(&b);
	}
}

static void test_nonsense(void **state)
{
	struct aftp_server_options o = { .faults.listing = AFTP_STYLE_NONSENSE };
	struct kit_list l = { 0 };
	struct both b;

	(void)state;
	begin(&b, &o, false);
	join(&b);
	(void)kit_list(&l, &b.k, "/");
	/* Not an empty directory. */
	assert_true(l.status < 0 || l.unknown > 0);
	expect_size(&b, "/f", FILE_SIZE);
	end(&b);
}

static void make_many(struct testd *d, void *arg)
{
	char path[64];

	(void)arg;
	for (int i = 0; i < 5000; i++) {
		snprintf(path, sizeof path, "/many/file number %d", i);
		assert_int_equal(aftp_memfs_put(d->fs, path, "x", 1), 0);
	}
}

static void test_many(void **state)
{
	struct kit_list l = { 0 }, cut = { .cancel_at = 100 };
	struct both b;

	(void)state;
	begin(&b, NULL, false);
	testd_call(&b.d, make_many, NULL);
	join(&b);
	assert_int_equal(kit_list(&l, &b.k, "/many"), 0);
	assert_true(l.entries >= 5000 && l.entries <= 5002);
	assert_int_equal(kit_list(&cut, &b.k, "/many"), AFTP_ECANCELED);
	assert_int_equal(cut.seen, 100);
	expect_size(&b, "/f", FILE_SIZE);
	end(&b);
}

/* --- stat ---------------------------------------------------------------------------------------------- */

static void test_ways_to_stat(void **state)
{
	static const char *const no_mlst[] = { "MLST", "MLSD", NULL };
	static const char *const only_cwd[] = { "MLST", "MLSD", "SIZE", "MDTM", NULL };
	static const char *const *const ways[] = { NULL, no_mlst, only_cwd };

	(void)state;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		struct aftp_server_options o = { .faults.no = ways[i] };
		struct aftp_entry e;
		struct both b;

		begin(&b, &o, false);
		testd_put(&b.d, "/d/x", "x", 1);
		join(&b);
		assert_int_equal(kit_stat(&b.k, "/d", &e), 0);
		assert_int_equal(e.type, AFTP_TYPE_DIR);
		assert_int_equal(kit_stat(&b.k, "/f", &e), 0);
		assert_int_equal(e.type, AFTP_TYPE_FILE);
		if (ways[i] != only_cwd)
			assert_int_equal(e.size, FILE_SIZE);
		assert_int_equal(kit_stat(&b.k, "/none", &e), ways[i] == only_cwd ? AFTP_EREPLY : AFTP_ENOENT);
		assert_int_equal(kit_stat(&b.k, "/", &e), 0);
		assert_int_equal(e.type, AFTP_TYPE_DIR);
		end(&b);
	}
}

/* --- sessions ------------------------------------------------------------------------------------------ */

static void test_users(void **state)
{
	static const struct aftp_user users[] = {
		{ .name = "joe", .password = "secret", .may = AFTP_MAY_READ },
		{ .name = "ann", .password = "pw", .account = "books", .may = AFTP_MAY_READ | AFTP_MAY_WRITE },
	};
	struct aftp_server_options o = { .users = users, .nusers = 2, .max_connections = 2 };
	struct kit_put p = { 0 };
	struct kit other;
	struct both b;

	(void)state;
	begin(&b, &o, false);
	b.k.o.user = "joe";
	b.k.o.password = "wrong";
	assert_int_equal(kit_connect(&b.k), AFTP_ELOGIN);
	kit_close(&b.k);
	b.k.o.user = "ann";
	b.k.o.password = "pw";
	assert_int_equal(kit_connect(&b.k), AFTP_ELOGIN);
	kit_close(&b.k);
	b.k.o.account = "books";
	join(&b);
	kit_quit(&b.k);
	b.k.o.user = "joe";
	b.k.o.password = "secret";
	join(&b);
	kit_put_start(&p, &b.k, AFTP_STORE, "/up", 0, 10, 10);
	assert_int_equal(kit_put_wait(&p), AFTP_EACCES);
	kit_begin(&other, NULL);
	other.o = b.k.o;
	assert_int_equal(kit_connect(&other), 0);
	kit_close(&other);
	loop_run_for(&other.loop, 50);
	assert_int_equal(kit_connect(&other), 0);
	kit_end(&other);
	end(&b);
}

static void test_too_many(void **state)
{
	struct aftp_server_options o = { .max_connections = 1 };
	struct kit other;
	struct both b;

	(void)state;
	begin(&b, &o, false);
	join(&b);
	kit_begin(&other, NULL);
	other.o = b.k.o;
	assert_int_equal(kit_connect(&other), AFTP_ETOOMANY);
	kit_end(&other);
	expect_size(&b, "/f", FILE_SIZE);
	end(&b);
}

static void test_thrown_out(void **state)
{
	struct aftp_server_options o = { .idle_timeout_ms = 2000 };
	struct both b;

	(void)state;
	begin(&b, &o, false);
	join(&b);
	for (unsigned i = 0; i < 1000 && b.k.lost == 0; i++)
		loop_run_for(&b.k.loop, 20);
	assert_int_equal(b.k.lost, 1);
	assert_true(b.k.lost_status < 0);
	assert_false(aftp_client_alive(b.k.client));
	end(&b);
}

/* What one connection has learned serves the next one: one round trip less, and no command that is refused. */
static void test_assume(void **state)
{
	struct aftp_features known;
	struct aftp_entry e;
	struct both b;
	int status = 1;

	(void)state;
	begin(&b, NULL, false);
	join(&b);
	known = *aftp_client_features(b.k.client);
	assert_true(known.feat && known.mlst);
	assert_int_equal(testd_count(&b.d, "FEAT"), 1);
	kit_close(&b.k);
	assert_int_equal(aftp_client_new(&b.k.client, &b.k.loop, &b.k.o), 0);
	aftp_client_assume(b.k.client, &known);
	assert_int_equal(aftp_client_connect(b.k.client, kit_note_status, &status), 0);
	for (unsigned i = 0; i < 3000 && status == 1; i++)
		loop_run_for(&b.k.loop, 10);
	assert_int_equal(status, 0);
	assert_int_equal(testd_count(&b.d, "FEAT"), 1);
	assert_int_equal(kit_stat(&b.k, "/f", &e), 0);
	assert_int_equal(e.size, FILE_SIZE);
	end(&b);
}

/* --- faults -------------------------------------------------------------------------------------------- */

static void test_faults(void **state)
{
	static const struct {
		const char *name;
		int get; /* 0, or an error; 1 = any error */
		bool stays;
		struct aftp_faults faults;
	} cases[] = {
		{ "none", 0, true, { 0 } },
		{ "latency", 0, true, { .latency_ms = 5 } },
		{ "data reset", AFTP_ECONNRESET, true, { .drop_after = 100000 } },
		{ "both reset", 1, false, { .drop_all_after = 100000 } },
		{ "stalled", AFTP_ETIMEDOUT, false, { .stall_after = 100000 } },
		{ "no final reply", AFTP_ETIMEDOUT, false, { .no_final_reply = true } },
		{ "port refused", AFTP_ECONNREFUSED, true, { .refuse_data = true } },
		{ "a foreign address", 0, true, { .pasv_address = "10,1,2,3" } },
		{ "silence", AFTP_ETIMEDOUT, false, { .at = "RETR", .silence = true } },
		{ "garbage", AFTP_EPROTO, false, { .at = "RETR", .garbage = true } },
		{ "an endless line", AFTP_ELINETOOLONG, false, { .at = "RETR", .endless_line = true } },
		{ "an endless reply", AFTP_ETOOBIG, false, { .at = "RETR", .endless_reply = true } },
		{ "lost before RETR", 1, false, { .drop_after_commands = 6 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct aftp_server_options o = { .faults = cases[i].faults };
		struct kit_get g = { 0 };
		struct both b;

		begin(&b, &o, false);
		if (!cases[i].stays)
			b.k.o.timeout_ms = SHORT_MS;
		b.k.o.no_epsv = cases[i].faults.pasv_address != NULL;
		join(&b);
		(void)kit_get(&g, &b.k, "/f", 0);
		if (cases[i].get == 1 ? g.status >= 0 : g.status != cases[i].get)
			fail_msg("%s: %s", cases[i].name, aftp_err_name(g.status));
		assert_true(kit_get_right(&g, 0));
		assert_true(g.status != 0 || g.len == FILE_SIZE);
		if (aftp_client_alive(b.k.client) != cases[i].stays || b.k.lost != !cases[i].stays)
			fail_msg("%s: lost %u times", cases[i].name, b.k.lost);
		if (cases[i].stays)
			expect_size(&b, "/f", FILE_SIZE);
		kit_get_free(&g);
		end(&b);
	}
}

/* --- stopping ------------------------------------------------------------------------------------------ */

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 8;
}

/* Downloads and uploads that are stopped anywhere: the connection stays in step, and what is asked afterwards is
 * answered truly. */
static void test_stopped_anywhere(void **state)
{
	struct aftp_server_options o = { .faults.latency_ms = 1 };
	unsigned seed = 1;
	struct both b;

	(void)state;
	begin(&b, &o, false);
	testd_put(&b.d, "/g", "123", 3);
	join(&b);
	for (unsigned i = 0; i < 120; i++) {
		unsigned turns = next_random(&seed) % 40;

		if (next_random(&seed) % 3 == 0) {
			struct kit_put p = { .cancel_at = 1 + next_random(&seed) % 400000 };

			kit_put_start(&p, &b.k, AFTP_STORE, "/up", 0, 2000000, 30000);
			assert_int_equal(kit_put_wait(&p), AFTP_ECANCELED);
		} else {
			struct kit_get g = { .cancel_at = 1 + next_random(&seed) % (2 * FILE_SIZE) };

			kit_get_start(&g, &b.k, "/f", 0);
			for (unsigned t = 0; t < turns; t++)
				uv_run(&b.k.loop, UV_RUN_NOWAIT);
			if (turns % 2 && !g.over)
				aftp_transfer_cancel(g.transfer);
			kit_get_wait(&g);
			assert_true(g.status == AFTP_ECANCELED || (g.status == 0 && g.len == FILE_SIZE));
			assert_true(kit_get_right(&g, 0));
			kit_get_free(&g);
		}
		assert_int_equal(b.k.lost, 0);
		expect_size(&b, i % 2 ? "/f" : "/g", i % 2 ? FILE_SIZE : 3);
	}
	get_all(&b, "/f", 0, FILE_SIZE);
	end(&b);
}

/* The control connection may end after any command: a success is a success, and nothing hangs. */
static void test_lost_anywhere(void **state)
{
	(void)state;
	for (uint64_t n = 1; n < 1200; n += 7) {
		struct aftp_server_options o = { .faults.drop_control_after = n };
		struct kit_get g = { 0 };
		struct both b;

		begin(&b, &o, false);
		if (kit_connect(&b.k) == 0 && aftp_client_alive(b.k.client)) {
			(void)kit_get(&g, &b.k, "/f", 0);
			assert_true(g.status < 0 || g.len == FILE_SIZE);
			assert_true(kit_get_right(&g, 0));
			kit_get_free(&g);
		}
		end(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_append_and_patch),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_awkward_names),
		cmocka_unit_test(test_ways_to_list),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_ways_to_stat),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_thrown_out),
		cmocka_unit_test(test_assume),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_stopped_anywhere),
		cmocka_unit_test(test_lost_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
