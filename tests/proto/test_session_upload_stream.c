/* Upload streams, and throttles on streams of both kinds. After each end the session goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/loop.h"
#include "lib/session_kit.h"

static void begin(struct session_kit *k)
{
	session_kit_begin(k, NULL, NULL);
	testd_put(&k->d, "/old", "0123456789", 10);
	testd_pattern(&k->d, "/big", 8 << 20, 1);
}

static int write_all(struct session_kit *k, struct aftp_data *d, const char *data, size_t n)
{
	struct waited w = { 0 };

	return waited_for(k, &w, aftp_data_write(d, data, n, waited_op, &w));
}

static void uploads(void **state)
{
	struct session_kit k;
	struct aftp_data *d;
	int code = 0;

	(void)state;
	begin(&k);
	assert_int_equal(aftp_upload_stream(k.s, &d, "/new", 0), 0);
	assert_int_equal(write_all(&k, d, "hello, ", 7), 0);
	assert_int_equal(write_all(&k, d, "", 0), 0);
	assert_int_equal(write_all(&k, d, "world", 5), 0);
	assert_int_equal(session_kit_finish(&k, d, "2xx", "1xx", &code), 0);
	assert_int_equal(code, 226);
	assert_int_equal(aftp_data_bytes(d), 12);
	session_kit_assert_remote(&k, "/new", "hello, world", 12);
	assert_int_equal(write_all(&k, d, "x", 1), AFTP_ECANCELED);
	session_kit_close_data(&k, &d);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void uploads_nothing(void **state)
{
	struct session_kit k;
	struct aftp_data *d;

	(void)state;
	begin(&k);
	assert_int_equal(aftp_upload_stream(k.s, &d, "/new", 0), 0);
	assert_int_equal(session_kit_finish(&k, d, NULL, NULL, NULL), 0);
	session_kit_assert_remote(&k, "/new", "", 0);
	session_kit_close_data(&k, &d);
	session_kit_end(&k);
}

static void restarts_and_appends(void **state)
{
	static const struct {
		bool append;
		uint64_t offset;
		const char *want;
		size_t len;
	} cases[] = {
		{ false, 1, "0abc456789", 10 },
		{ false, 3, "012abc6789", 10 },
		{ false, 10, "0123456789abc", 13 },
		{ false, 12, "0123456789\0\0abc", 15 },
		{ true, 0, "0123456789abc", 13 },
	};
	struct session_kit k;

	(void)state;
	begin(&k);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct aftp_data *d;

		testd_put(&k.d, "/old", "0123456789", 10);
		assert_int_equal(
			(cases[i].append ? aftp_append_stream : aftp_upload_stream)(k.s, &d, "/old", cases[i].offset),
			0);
		assert_int_equal(write_all(&k, d, "abc", 3), 0);
		assert_int_equal(session_kit_finish(&k, d, NULL, NULL, NULL), 0);
		session_kit_assert_remote(&k, "/old", cases[i].want, cases[i].len);
		session_kit_close_data(&k, &d);
	}
	session_kit_check(&k);
	session_kit_end(&k);
}

static void one_write_at_a_time(void **state)
{
	struct session_kit k;
	struct waited w = { 0 }, f = { 0 };
	struct aftp_data *d;

	(void)state;
	begin(&k);
	assert_int_equal(aftp_upload_stream(k.s, &d, "/new", 0), 0);
	assert_int_equal(aftp_data_write(d, "abc", 3, waited_op, &w), 0);
	assert_int_equal(aftp_data_write(d, "abc", 3, waited_op, &w), AFTP_EBUSY);
	assert_int_equal(aftp_data_finish(d, NULL, NULL, waited_finish, &f), AFTP_EBUSY);
	assert_int_equal(aftp_data_read(d, (char[4]){ 0 }, 4, waited_read, &w), AFTP_EINVAL);
	assert_int_equal(waited_for(&k, &w, 0), 0);
	assert_int_equal(session_kit_finish(&k, d, NULL, NULL, NULL), 0);
	assert_int_equal(aftp_data_finish(d, NULL, NULL, waited_finish, &f), AFTP_EALREADY);
	session_kit_close_data(&k, &d);
	session_kit_end(&k);
}

static void tells_what_the_server_refuses(void **state)
{
	struct session_kit k;
	struct aftp_data *d;
	int code = 0;

	(void)state;
	begin(&k);
	assert_int_equal(aftp_upload_stream(k.s, &d, "/old/below/a/file", 0), 0);
	assert_true(write_all(&k, d, "abc", 3) < 0);
	assert_true(session_kit_finish(&k, d, NULL, NULL, &code) < 0);
	assert_int_equal(code / 100, 5);
	session_kit_close_data(&k, &d);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void is_canceled_in_the_middle(void **state)
{
	enum { SIZE = 16 << 20 };
	struct session_kit k;
	struct waited w = { 0 }, c = { 0 };
	struct aftp_data *d;
	char *data = calloc(1, SIZE);

	(void)state;
	begin(&k);
	assert_int_equal(aftp_upload_stream(k.s, &d, "/new", 0), 0);
	assert_int_equal(write_all(&k, d, "abc", 3), 0);
	assert_int_equal(aftp_data_write(d, data, SIZE, waited_op, &w), 0);
	assert_int_equal(waited_for(&k, &c, aftp_data_cancel(d, waited_op, &c)), 0);
	assert_int_equal(w.calls, 1);
	assert_true(w.status == AFTP_ECANCELED || w.status == 0);
	session_kit_close_data(&k, &d);
	session_kit_check(&k);
	free(data);
	session_kit_end(&k);
}

static void is_closed_without_finish(void **state)
{
	struct session_kit k;
	struct aftp_data *d;

	(void)state;
	begin(&k);
	assert_int_equal(aftp_upload_stream(k.s, &d, "/new", 0), 0);
	session_kit_close_data(&k, &d);
	session_kit_check(&k);
	assert_int_equal(aftp_upload_stream(k.s, &d, "/new", 0), 0);
	assert_int_equal(write_all(&k, d, "abc", 3), 0);
	session_kit_close_data(&k, &d);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void survives_a_lost_connection(void **state)
{
	static const struct aftp_faults faults = { .drop_all_after = 1 << 20 };
	enum { SIZE = 16 << 20 };
	struct session_kit k;
	struct aftp_data *d;
	char *data = calloc(1, SIZE);

	(void)state;
	begin(&k);
	testd_set_faults(&k.d, &faults);
	assert_int_equal(aftp_upload_stream(k.s, &d, "/new", 0), 0);
	assert_true(write_all(&k, d, data, SIZE) < 0);
	assert_true(session_kit_finish(&k, d, NULL, NULL, NULL) < 0);
	session_kit_close_data(&k, &d);
	free(data);
	session_kit_end(&k);
}

/* --- throttles ------------------------------------------------------------------------------------ */

struct meter {
	uint64_t bytes;
	unsigned calls;
};

static void on_bytes(void *arg, uint64_t n, uint64_t total, uint64_t now)
{
	struct meter *m = arg;

	(void)now;
	m->bytes += n;
	m->calls++;
	assert_int_equal(m->bytes, total);
}

/* Both directions: only the matching one counts. */
static void carries_throttles_by_name(void **state)
{
	struct session_kit k;
	struct aftp_stream_throttle pair, other;
	struct meter reads = { 0 }, writes = { 0 };
	struct aftp_data *d;
	char *data = calloc(1, 8 << 20);
	struct waited w = { .buf = data };

	(void)state;
	begin(&k);
	assert_int_equal(aftp_stream_throttle_from_limits(&pair, &k.loop, 0, 0), 0);
	assert_int_equal(aftp_stream_throttle_clone(&other, &pair), 0);
	aftp_throttle_observe(pair.read, on_bytes, &reads);
	aftp_throttle_observe(pair.write, on_bytes, &writes);
	assert_int_equal(aftp_download_stream(k.s, &d, "/big", 0), 0);
	assert_int_equal(aftp_data_add_throttle(d, "monitored", &pair), 0);
	assert_int_equal(aftp_data_add_throttle(d, "other", &other), 0);
	assert_ptr_equal(aftp_data_get_throttle(d, "monitored")->read, pair.read);
	assert_int_equal(waited_for(&k, &w, aftp_data_read_exactly(d, data, 8 << 20, waited_read, &w)), 0);
	assert_int_equal(reads.bytes, 8 << 20); /* every byte, from the first */
	assert_int_equal(writes.bytes, 0);
	session_kit_close_data(&k, &d);

	assert_int_equal(aftp_upload_stream(k.s, &d, "/new", 0), 0);
	assert_int_equal(aftp_data_add_throttle(d, "monitored", &other), 0);
	assert_int_equal(aftp_data_add_throttle(d, "monitored", &pair), 0); /* in its place */
	assert_int_equal(write_all(&k, d, data, 1000), 0);
	assert_int_equal(aftp_data_remove_throttle(d, "monitored"), 0); /* while it runs */
	assert_int_equal(aftp_data_remove_throttle(d, "monitored"), AFTP_ENOENT);
	assert_null(aftp_data_get_throttle(d, "monitored"));
	assert_int_equal(write_all(&k, d, data, 1000), 0);
	assert_int_equal(session_kit_finish(&k, d, NULL, NULL, NULL), 0);
	assert_int_equal(writes.bytes, 1000);
	assert_int_equal(reads.bytes, 8 << 20);
	session_kit_close_data(&k, &d);
	free(data);
	aftp_stream_throttle_unref(&pair);
	aftp_stream_throttle_unref(&other);
	session_kit_end(&k);
}

static void refuses_throttles_that_cannot_be(void **state)
{
	struct session_kit k;
	struct aftp_stream_throttle pair;
	struct aftp_data *d;
	char name[64], buf[16];

	(void)state;
	begin(&k);
	assert_int_equal(aftp_stream_throttle_from_limits(&pair, &k.loop, 0, 0), 0);
	assert_int_equal(aftp_download_stream(k.s, &d, "/old", 0), 0);
	memset(name, 'n', sizeof name);
	name[sizeof name - 1] = '\0';
	assert_int_equal(aftp_data_add_throttle(d, name, &pair), AFTP_EINVAL);
	assert_int_equal(aftp_data_add_throttle(d, NULL, &pair), AFTP_EINVAL);
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof name, "%d", i);
		assert_int_equal(aftp_data_add_throttle(d, name, &pair), 0);
	}
	assert_int_equal(aftp_data_add_throttle(d, "one more", &pair), AFTP_ETOOBIG);
	assert_int_equal(session_kit_read(&k, d, buf, sizeof buf), 10);
	session_kit_close_data(&k, &d);
	aftp_stream_throttle_unref(&pair);
	session_kit_end(&k);
}

/* A limit that is reached holds a stream back, and neither the connection nor a cancel. */
static void a_limit_holds_only_its_stream(void **state)
{
	struct session_kit k;
	struct aftp_stream_throttle pair;
	struct aftp_data *d;
	struct waited w = { 0 };
	char *buf = malloc(8 << 20);

	(void)state;
	begin(&k);
	assert_int_equal(aftp_stream_throttle_from_limits(&pair, &k.loop, 1000, 1000), 0);
	assert_int_equal(aftp_download_stream(k.s, &d, "/big", 0), 0);
	assert_int_equal(aftp_data_add_throttle(d, "slow", &pair), 0);
	w.buf = buf;
	assert_int_equal(aftp_data_read_exactly(d, buf, 8 << 20, waited_read, &w), 0);
	loop_run_for(&k.loop, 100);
	assert_int_equal(w.calls, 0);
	assert_true(aftp_data_bytes(d) < 1000);
	session_kit_close_data(&k, &d);
	assert_int_equal(w.status, AFTP_ECANCELED);
	session_kit_check(&k);
	/* Changed while it waits. */
	assert_int_equal(aftp_download_stream(k.s, &d, "/big", 0), 0);
	assert_int_equal(aftp_data_add_throttle(d, "slow", &pair), 0);
	memset(&w, 0, sizeof w);
	w.buf = buf;
	assert_int_equal(aftp_data_read_exactly(d, buf, 8 << 20, waited_read, &w), 0);
	loop_run_for(&k.loop, 50);
	aftp_throttle_set_limit(pair.read, 0);
	assert_int_equal(waited_for(&k, &w, 0), 0);
	session_kit_close_data(&k, &d);
	aftp_stream_throttle_unref(&pair);
	free(buf);
	session_kit_end(&k);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(uploads),
		cmocka_unit_test(uploads_nothing),
		cmocka_unit_test(restarts_and_appends),
		cmocka_unit_test(one_write_at_a_time),
		cmocka_unit_test(tells_what_the_server_refuses),
		cmocka_unit_test(is_canceled_in_the_middle),
		cmocka_unit_test(is_closed_without_finish),
		cmocka_unit_test(survives_a_lost_connection),
		cmocka_unit_test(carries_throttles_by_name),
		cmocka_unit_test(refuses_throttles_that_cannot_be),
		cmocka_unit_test(a_limit_holds_only_its_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
