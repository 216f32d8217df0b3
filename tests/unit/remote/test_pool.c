/* Who gets which connection, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <aftp/status.h>

#include "lib/site_fixture.h"
#include "remote/pool.h"
#include "stream/later.h"

static struct fixture f; /* its server and its loop */
static struct later *later;
static struct pool *pool;
static bool arms;     /* connections of the next pool are made with a data connection in advance */
static unsigned turn; /* counts the connections that were handed out */

struct asker {
	struct pool_request request;
	struct pool_conn *conn;
	int status;
	bool done;
	unsigned turn;
	bool data_works; /* as its connection knew when it was handed out */
	/* as a holder */
	unsigned asked;
	bool gives;
};

static void setup_waiting(unsigned conns, unsigned wait_ms)
{
	struct pool_options o = {
		.client = { .host = "127.0.0.1",
			.port = f.port,
			.connect_timeout_ms = 30000,
			.timeout_ms = 30000,
			.arm = arms },
		.max_conns = conns,
		.wait_ms = wait_ms,
		.idle_ms = 60000,
	};

	assert_int_equal(later_new(&later, &f.loop), 0);
	assert_int_equal(pool_new(&pool, &f.loop, later, &o), 0);
	turn = 0;
}

static void setup_pool(unsigned conns)
{
	setup_waiting(conns, 30000);
}

static int setup(void **state)
{
	(void)state;
	fixture_init(&f);
	arms = false;
	return 0;
}

static void on_closed(void *arg)
{
	*(bool *)arg = true;
}

static int teardown(void **state)
{
	bool closed = false;

	(void)state;
	pool_close(&pool, on_closed, &closed);
	fixture_wait(&f, &closed);
	later_close(&later);
	fixture_finish(&f);
	return 0;
}

static void on_conn(void *arg, int status, struct pool_conn *conn, const char *why)
{
	struct asker *a = arg;

	(void)why;
	a->status = status;
	a->conn = conn;
	a->data_works = conn && aftp_client_features(pool_client(conn))->data_works;
	a->turn = ++turn;
	a->done = true;
}

static void ask(struct asker *a, enum pool_class class)
{
	*a = (struct asker){ 0 };
	pool_acquire(pool, &a->request, class, on_conn, a);
	assert_false(a->done);
}

static void get(struct asker *a, enum pool_class class)
{
	ask(a, class);
	fixture_wait(&f, &a->done);
	assert_int_equal(a->status, 0);
}

static bool on_yield(void *arg, enum pool_class wanted, uint64_t waited_ms)
{
	struct asker *a = arg;

	(void)waited_ms;
	assert_int_not_equal(wanted, POOL_AHEAD);
	a->asked++;
	return a->gives;
}

static void give(struct asker *a)
{
	pool_release(a->conn);
}

static void by_class_and_then_in_order(void **state)
{
	struct asker holder, ahead, upload, read1, read2, meta;
	struct asker *const order[] = { &meta, &read1, &read2, &upload, &ahead };

	(void)state;
	fixture_serve(&f);
	setup_pool(1);
	get(&holder, POOL_METADATA);
	ask(&ahead, POOL_AHEAD);
	ask(&upload, POOL_UPLOAD);
	ask(&read1, POOL_READ);
	ask(&read2, POOL_READ);
	ask(&meta, POOL_METADATA);
	give(&holder);
	for (unsigned i = 0; i < 5; i++) {
		fixture_wait(&f, &order[i]->done);
		assert_int_equal(order[i]->status, 0);
		assert_int_equal(order[i]->turn, i + 2);
		give(order[i]);
	}
	assert_int_equal(pool_connected_max(pool), 1);
}

static void a_promoted_one_goes_first(void **state)
{
	struct asker holder, a, b, upload;

	(void)state;
	fixture_serve(&f);
	setup_pool(1);
	get(&holder, POOL_READ);
	ask(&a, POOL_AHEAD);
	ask(&b, POOL_AHEAD);
	ask(&upload, POOL_UPLOAD);
	pool_promote(&b.request, POOL_METADATA);
	pool_promote(&upload.request, POOL_AHEAD); /* never back */
	give(&holder);
	fixture_wait(&f, &b.done);
	assert_int_equal(b.turn, 2);
	give(&b);
	fixture_wait(&f, &upload.done);
	assert_false(a.done);
	give(&upload);
	fixture_wait(&f, &a.done);
	pool_promote(&a.request, POOL_METADATA); /* no effect any more */
	give(&a);
}

static void holders_are_asked_as_needed(void **state)
{
	struct asker reader, ahead1, ahead2, meta, second;

	(void)state;
	fixture_serve(&f);
	setup_pool(3);
	get(&ahead1, POOL_AHEAD);
	get(&ahead2, POOL_AHEAD);
	get(&reader, POOL_READ);
	ahead1.gives = ahead2.gives = reader.gives = true;
	pool_hold(ahead1.conn, on_yield, &ahead1);
	pool_hold(ahead2.conn, on_yield, &ahead2);
	pool_hold(reader.conn, on_yield, &reader);
	ask(&meta, POOL_METADATA);
	while (ahead1.asked + ahead2.asked == 0)
		uv_run(&f.loop, UV_RUN_ONCE);
	assert_int_equal(ahead1.asked + ahead2.asked, 1); /* one is wanted, of those that look ahead */
	assert_int_equal(reader.asked, 0);
	ask(&second, POOL_METADATA);
	while (ahead1.asked + ahead2.asked == 1)
		uv_run(&f.loop, UV_RUN_ONCE);
	assert_int_equal(ahead1.asked, 1); /* who has agreed is left alone */
	assert_int_equal(ahead2.asked, 1);
	assert_int_equal(reader.asked, 0);
	give(&ahead1);
	give(&ahead2);
	fixture_wait(&f, &meta.done);
	fixture_wait(&f, &second.done);
	assert_int_equal(meta.status | second.status, 0);
	give(&meta);
	give(&second);
	give(&reader);
}

static void who_does_not_give_is_asked_again(void **state)
{
	struct asker holder, meta;

	(void)state;
	fixture_serve(&f);
	setup_pool(1);
	get(&holder, POOL_READ);
	pool_hold(holder.conn, on_yield, &holder);
	ask(&meta, POOL_METADATA);
	while (holder.asked < 3)
		uv_run(&f.loop, UV_RUN_ONCE);
	give(&holder);
	fixture_wait(&f, &meta.done);
	assert_int_equal(meta.status, 0);
	give(&meta);
}

/* Nobody has to make way for it; it gets what is left over, or gives up. */
static void looking_ahead_asks_nobody(void **state)
{
	struct asker holder, ahead;
	enum pool_class wanted;

	(void)state;
	fixture_serve(&f);
	setup_waiting(1, 200);
	get(&holder, POOL_UPLOAD);
	holder.gives = true;
	pool_hold(holder.conn, on_yield, &holder);
	ask(&ahead, POOL_AHEAD);
	assert_false(pool_wanted(pool, &wanted));
	fixture_wait(&f, &ahead.done);
	assert_int_equal(ahead.status, AFTP_ETIMEDOUT);
	assert_int_equal(holder.asked, 0);
	give(&holder);
}

static void ready_for_much(void **state)
{
	struct asker first, others[3];

	(void)state;
	fixture_serve(&f);
	setup_pool(4);
	pool_expect(pool); /* nobody has been there yet: not before it is known to work */
	assert_int_equal(pool_connected(pool), 0);
	get(&first, POOL_METADATA);
	pool_expect(pool);
	while (pool_connected(pool) < 4)
		uv_run(&f.loop, UV_RUN_ONCE);
	pool_expect(pool);
	for (int i = 0; i < 3; i++)
		get(&others[i], POOL_READ);
	assert_int_equal(pool_connected_max(pool), 4);
	assert_int_equal(fixture_commands(&f, "USER"), 4);
	for (int i = 0; i < 3; i++)
		give(&others[i]);
	give(&first);
}

static void the_server_allows_fewer(void **state)
{
	struct asker a, b, c;

	(void)state;
	f.server_options.max_connections = 2;
	fixture_serve(&f);
	setup_pool(4);
	get(&a, POOL_METADATA);
	pool_expect(pool);
	get(&b, POOL_METADATA);
	ask(&c, POOL_METADATA);
	while (pool_limit(pool) > 2)
		uv_run(&f.loop, UV_RUN_ONCE);
	assert_false(c.done);
	pool_expect(pool);
	give(&a);
	fixture_wait(&f, &c.done);
	assert_int_equal(c.status, 0);
	assert_int_equal(pool_limit(pool), 2);
	give(&b);
	give(&c);
}

/* Also what was learned after a connection was dialed, and by one that nobody has given back. */
static void what_one_learns_all_know(void **state)
{
	struct asker a, b;

	(void)state;
	f.server_options.faults.latency_ms = 10;
	fixture_serve(&f);
	arms = true;
	setup_pool(2);
	get(&a, POOL_METADATA);
	ask(&b, POOL_METADATA);
	assert_false(a.data_works);
	fixture_wait(&f, &b.done);
	assert_true(aftp_client_armed(pool_client(a.conn)));
	assert_true(b.data_works);
	give(&a);
	give(&b);
}

/* What minds USER and PASS in one segment is logged in to step by step from then on. */
static void a_server_that_minds_haste(void **state)
{
	static const struct aftp_rule rules[] = { { "USER", 2, 2, AFTP_ACT_REPLY, 230, "in" },
		{ "PASS", 2, 2, AFTP_ACT_CLOSE, 0, NULL } };

	(void)state;
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		struct asker a, b, c;
		bool closed = false;

		f.server_options.faults.rules = &rules[i];
		f.server_options.faults.nrules = 1;
		fixture_serve(&f);
		setup_pool(3);
		get(&a, POOL_METADATA);
		assert_int_equal(pool_features(pool)->login, AFTP_LOGIN_CLEAR);
		ask(&b, POOL_METADATA);
		while (!b.done)
			uv_run(&f.loop, UV_RUN_ONCE);
		assert_int_equal(b.status, 0);
		assert_int_equal(pool_features(pool)->login, AFTP_LOGIN_STEPS);
		assert_int_equal(pool_limit(pool), 3);
		assert_int_equal(fixture_commands(&f, "USER"), 3);
		give(&a);
		assert_int_equal(pool_features(pool)->login, AFTP_LOGIN_STEPS);
		get(&c, POOL_METADATA);
		give(&b);
		give(&c);
		if (i + 1 == sizeof rules / sizeof *rules)
			return;
		pool_close(&pool, on_closed, &closed);
		fixture_wait(&f, &closed);
		later_close(&later);
		fixture_stop_server(&f);
		f.port = 0;
	}
}

static void an_abandoned_request_leaves_no_trace(void **state)
{
	struct asker holder, a, b;

	(void)state;
	fixture_serve(&f);
	setup_pool(1);
	get(&holder, POOL_READ);
	ask(&a, POOL_READ);
	ask(&b, POOL_AHEAD);
	pool_abandon(&a.request);
	give(&holder);
	fixture_wait(&f, &b.done);
	assert_false(a.done);
	give(&b);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(by_class_and_then_in_order),
		CASE(a_promoted_one_goes_first),
		CASE(holders_are_asked_as_needed),
		CASE(who_does_not_give_is_asked_again),
		CASE(looking_ahead_asks_nobody),
		CASE(ready_for_much),
		CASE(the_server_allows_fewer),
		CASE(what_one_learns_all_know),
		CASE(a_server_that_minds_haste),
		CASE(an_abandoned_request_leaves_no_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
