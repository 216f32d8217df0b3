/* What a client costs: round trips, as the server counts them, and never time. And the same work on servers that behave
 * like other people's. */
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

enum { SMALL = 1024, BIG = 3000000, ROUNDS = 20000 };

struct both {
	struct testd d;
	struct kit k;
	struct aftp_features known;
	uint64_t turns; /* so far */
};

static void put_bytes(struct testd *d, const char *path, size_t n)
{
	char *bytes = malloc(n);

	assert_non_null(bytes);
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)scripted_byte(i);
	testd_put(d, path, bytes, n);
	free(bytes);
}

static void begin_far(struct both *b, enum aftp_server_play play, bool arm, uint32_t latency_ms)
{
	struct aftp_server_options o = { .play = play, .faults.latency_ms = latency_ms };

	memset(b, 0, sizeof *b);
	testd_start(&b->d, &o, false);
	put_bytes(&b->d, "/small", SMALL);
	put_bytes(&b->d, "/big", BIG);
	testd_put(&b->d, "/dir/a", "1", 1);
	testd_put(&b->d, "/dir/b", "22", 2);
	kit_begin(&b->k, NULL);
	b->k.o.host = "127.0.0.1";
	b->k.o.port = b->d.port;
	b->k.o.user = b->k.o.password = NULL;
	b->k.o.arm = arm;
	assert_int_equal(kit_connect(&b->k), 0);
}

static void begin(struct both *b, enum aftp_server_play play, bool arm)
{
	begin_far(b, play, arm, 0);
}

static void end(struct both *b)
{
	kit_end(&b->k);
	testd_stop(&b->d);
}

/* What goes on in the background is over. */
static void settle(struct both *b)
{
	for (int i = 0; i < ROUNDS; i++) {
		if (aftp_client_armed(b->k.client) || !b->k.o.arm)
			return;
		loop_run_for(&b->k.loop, 1);
	}
	fail_msg("no data connection in advance");
}

/* Since it was asked last; the background's are among them. */
static uint64_t turns(struct both *b)
{
	uint64_t now, n;

	settle(b);
	now = testd_counters(&b->d).turns;
	n = now - b->turns;
	b->turns = now;
	return n;
}

static void get(struct both *b, const char *path, uint64_t offset, size_t size)
{
	struct kit_get g = { 0 };

	assert_int_equal(kit_get(&g, &b->k, path, offset), 0);
	assert_int_equal(g.len, size - offset);
	assert_true(kit_get_right(&g, offset));
	kit_get_free(&g);
}

static bool put(struct both *b, const char *path, size_t size)
{
	struct kit_put p = { .early = true, .confirm = 1 };

	kit_put_start(&p, &b->k, AFTP_STORE, path, 0, size, 60000);
	assert_int_equal(kit_put_wait(&p), 0);
	assert_int_equal(p.moved, size);
	if (p.has_size)
		assert_int_equal(p.size, size);
	return p.has_size;
}

static void list(struct both *b)
{
	struct kit_list l = { 0 };

	assert_int_equal(kit_list(&l, &b->k, "/dir"), 0);
	assert_string_equal(l.names, "a b");
}

/* So much later than what was before. */
static void list_plain(struct both *b, const char *path, const char *names, unsigned ms)
{
	struct kit_list l = { .plain = true };

	loop_run_for(&b->k.loop, ms);
	assert_int_equal(kit_list(&l, &b->k, path), 0);
	assert_string_equal(l.names, names);
}

static void test_armed(void **state)
{
	struct aftp_entry e;
	struct both b;

	(void)state;
	begin(&b, AFTP_PLAY_MEMFTPD, true);
	assert_int_equal(turns(&b), 4); /* USER, PASS; FEAT, TYPE and EPSV; OPTS, which nobody waits for */
	assert_int_equal(kit_stat(&b.k, "/small", &e), 0);
	assert_int_equal(turns(&b), 1);
	get(&b, "/small", 0, SMALL);
	assert_int_equal(turns(&b), 2); /* the order is not known yet: EPSV comes after it */
	get(&b, "/small", 0, SMALL);
	assert_int_equal(turns(&b), 1);
	get(&b, "/big", 1000000, BIG);
	assert_int_equal(turns(&b), 1);
	list(&b);
	assert_int_equal(turns(&b), 1);
	assert_true(put(&b, "/up", SMALL));
	assert_in_range(turns(&b), 1, 2); /* STOR and SIZE; EPSV only then, perhaps while SIZE is still owed */
	for (int i = 0; i < 10; i++)
		get(&b, "/small", 0, SMALL);
	assert_in_range(turns(&b), 1, 10);
	end(&b);
}

static void test_bare(void **state)
{
	struct aftp_entry e;
	struct both b;

	(void)state;
	begin(&b, AFTP_PLAY_MEMFTPD, false);
	assert_int_equal(turns(&b), 4);
	assert_int_equal(kit_stat(&b.k, "/small", &e), 0);
	assert_int_equal(turns(&b), 1);
	get(&b, "/small", 0, SMALL);
	assert_int_equal(turns(&b), 2);
	get(&b, "/big", 1000000, BIG);
	assert_int_equal(turns(&b), 2);
	list(&b);
	assert_int_equal(turns(&b), 2);
	assert_true(put(&b, "/up", SMALL));
	assert_int_equal(turns(&b), 2);
	end(&b);
}

/* Without MLST: SIZE and MDTM together, and for a directory CWD. */
static void test_stat(void **state)
{
	struct aftp_entry e;
	struct both b;

	(void)state;
	begin(&b, AFTP_PLAY_VSFTPD, true);
	(void)turns(&b);
	assert_int_equal(kit_stat(&b.k, "/small", &e), 0);
	assert_int_equal(turns(&b), 1);
	assert_int_equal(kit_stat(&b.k, "/dir", &e), 0);
	assert_in_range(turns(&b), 1, 2);
	end(&b);
}

/* The next connection knows what this one has learned. */
static void test_next_connection(void **state)
{
	struct both b;

	(void)state;
	begin(&b, AFTP_PLAY_MEMFTPD, true);
	get(&b, "/small", 0, SMALL);
	(void)turns(&b);
	b.known = *aftp_client_features(b.k.client);
	assert_int_equal(b.known.downloads_in_order, AFTP_ORDER_YES);
	kit_close(&b.k);
	b.k.assumed = &b.known;
	assert_int_equal(kit_connect(&b.k), 0);
	assert_int_equal(turns(&b), 1); /* USER, PASS, OPTS, TYPE and EPSV */
	get(&b, "/small", 0, SMALL);
	assert_int_equal(turns(&b), 1);
	assert_int_equal(testd_count(&b.d, "FEAT"), 1);
	end(&b);
}

/* --- other people's servers ----------------------------------------------------------------------- */

/* Some end the session when a download is stopped: then there is another one. */
static void stop_one(struct both *b)
{
	struct kit_get g = { .cancel_at = 1000 };

	(void)kit_get(&g, &b->k, "/big", 0);
	assert_int_equal(g.status, AFTP_ECANCELED);
	assert_true(kit_get_right(&g, 0));
	kit_get_free(&g);
	if (aftp_client_alive(b->k.client))
		return;
	b->known = *aftp_client_features(b->k.client);
	kit_close(&b->k);
	b->k.assumed = &b->known;
	assert_int_equal(kit_connect(&b->k), 0);
}

static void miss(struct both *b)
{
	struct kit_get g = { 0 };

	assert_true(kit_get(&g, &b->k, "/missing", 0) < 0);
	assert_int_equal(g.len, 0);
	kit_get_free(&g);
}

static void work(struct both *b)
{
	get(b, "/small", 0, SMALL);
	get(b, "/big", 5, BIG);
	miss(b);
	get(b, "/small", 0, SMALL);
	stop_one(b);
	get(b, "/small", 10, SMALL);
	list(b);
	(void)put(b, "/new", SMALL);
	get(b, "/new", 0, SMALL);
	(void)put(b, "/empty", 0);
	(void)put(b, "/new", BIG);
	list(b);
	get(b, "/new", 0, BIG);
	get(b, "/empty", 0, 0);
}

static void test_plays(void **state)
{
	static const struct {
		enum aftp_server_play play;
		enum aftp_order order;
	} plays[] = {
		{ AFTP_PLAY_MEMFTPD, AFTP_ORDER_YES },
		{ AFTP_PLAY_VSFTPD, AFTP_ORDER_YES },
		{ AFTP_PLAY_PROFTPD, AFTP_ORDER_UNKNOWN }, /* may be either */
		{ AFTP_PLAY_PURE_FTPD, AFTP_ORDER_UNKNOWN },
		{ AFTP_PLAY_PYFTPDLIB, AFTP_ORDER_NO },
		{ AFTP_PLAY_AIOFTP, AFTP_ORDER_NO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof plays / sizeof *plays; i++) {
		struct both b;

		begin(&b, plays[i].play, true);
		/* At once, and with a connection that stands. */
		for (int round = 0; round < 4; round++) {
			if (round % 2)
				settle(&b);
			work(&b);
		}
		if (plays[i].order && aftp_client_features(b.k.client)->downloads_in_order != plays[i].order)
			fail_msg("play %d: order %d", (int)plays[i].play,
				(int)aftp_client_features(b.k.client)->downloads_in_order);
		end(&b);
	}
}

/* LIST must wait for CWD, also when EPSV has left before both: with the path these servers list something else. */
static void test_awkward_paths(void **state)
{
	static const enum aftp_server_play plays[] = { AFTP_PLAY_VSFTPD, AFTP_PLAY_PROFTPD, AFTP_PLAY_PURE_FTPD };

	(void)state;
	for (size_t i = 0; i < sizeof plays / sizeof *plays; i++) {
		struct both b;

		begin_far(&b, plays[i], true, 5);
		testd_put(&b.d, "/two words/x", "1", 1);
		testd_put(&b.d, "/two/wrong", "1", 1);
		testd_put(&b.d, "/d[1]/y", "1", 1);
		testd_put(&b.d, "/d1/wrong", "1", 1);
		for (unsigned ms = 0; ms < 12; ms += 2) {
			list_plain(&b, "/dir", "a b", ms);
			list_plain(&b, "/two words", "x", ms);
			list_plain(&b, "/d[1]", "y", ms);
		}
		end(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_armed),
		cmocka_unit_test(test_bare),
		cmocka_unit_test(test_stat),
		cmocka_unit_test(test_next_connection),
		cmocka_unit_test(test_plays),
		cmocka_unit_test(test_awkward_paths),
	};

	return cmocka_run_group_tests_name("client_counts", tests, NULL, NULL);
}
