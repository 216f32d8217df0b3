/* Streams: reading, iterating, writing, and every way in which one can end. After each the session goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/loop.h"
#include "lib/session_kit.h"

static const char text[] = "one\r\ntwo\n\nfour, which has no end";

static void begin(struct session_kit *k)
{
	session_kit_begin(k, NULL, NULL);
	testd_put(&k->d, "/text", text, sizeof text - 1);
	testd_put(&k->d, "/empty", "", 0);
	testd_pattern(&k->d, "/big", 8 << 20, 1);
}

static struct aftp_data *download(struct session_kit *k, const char *path, uint64_t offset)
{
	struct aftp_data *d = NULL;

	assert_int_equal(aftp_download_stream(k->s, &d, path, offset), 0);
	return d;
}

static void reads_to_the_end(void **state)
{
	struct session_kit k;
	struct aftp_data *d;
	char buf[256], seen[256];
	size_t len = 0;
	ssize_t n;
	int code = 0;

	(void)state;
	begin(&k);
	d = download(&k, "/text", 0);
	while ((n = session_kit_read(&k, d, buf, 7)) > 0) {
		assert_true(n <= 7);
		memcpy(seen + len, buf, (size_t)n);
		len += (size_t)n;
	}
	assert_int_equal(n, AFTP_EOF);
	assert_int_equal(len, sizeof text - 1);
	assert_memory_equal(seen, text, len);
	assert_int_equal(session_kit_read(&k, d, buf, 7), AFTP_EOF); /* again */
	assert_int_equal(aftp_data_code(d), 226);
	assert_int_equal(session_kit_finish(&k, d, NULL, NULL, &code), 0);
	assert_int_equal(code, 226);
	session_kit_close_data(&k, &d);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void reads_from_an_offset(void **state)
{
	static const uint64_t offsets[] = { 0, 3, 10, sizeof text - 1 };
	struct session_kit k;

	(void)state;
	begin(&k);
	for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
		struct aftp_data *d = download(&k, "/text", offsets[i]);
		struct waited w = { 0 };
		char buf[sizeof text];
		size_t left = sizeof text - 1 - offsets[i];

		w.buf = buf;
		assert_int_equal(waited_for(&k, &w, aftp_data_read_exactly(d, buf, left + 1, waited_read, &w)),
			left > 0 ? AFTP_EINCOMPLETE : AFTP_EOF);
		assert_memory_equal(buf, text + offsets[i], left);
		assert_ptr_equal(w.data, buf + left);
		w = (struct waited){ .buf = buf };
		assert_int_equal(waited_for(&k, &w, aftp_data_read_exactly(d, buf, 1, waited_read, &w)), AFTP_EOF);
		session_kit_close_data(&k, &d);
		session_kit_check(&k);
	}
	session_kit_end(&k);
}

static void reads_exactly(void **state)
{
	struct session_kit k;
	struct waited w = { 0 };
	struct aftp_data *d;
	unsigned char *buf = malloc(8 << 20), *want = malloc(8 << 20);

	(void)state;
	begin(&k);
	d = download(&k, "/big", 0);
	w.buf = (char *)buf;
	assert_int_equal(waited_for(&k, &w, aftp_data_read_exactly(d, w.buf, 8 << 20, waited_read, &w)), 0);
	assert_int_equal(w.n, 8 << 20);
	aftp_memfs_pattern(1, 0, want, 8 << 20);
	assert_memory_equal(buf, want, 8 << 20);
	assert_int_equal(session_kit_read(&k, d, w.buf, 1), AFTP_EOF);
	session_kit_close_data(&k, &d);
	free(buf);
	free(want);
	session_kit_end(&k);
}

static void reads_lines(void **state)
{
	static const char *const lines[] = { "one", "two", "", "four, which has no end" };
	struct session_kit k;
	struct aftp_data *d;

	(void)state;
	begin(&k);
	d = download(&k, "/text", 0);
	for (size_t i = 0; i < 4; i++) {
		struct waited w = { 0 };

		assert_int_equal(waited_for(&k, &w, aftp_data_read_line(d, 100, waited_read, &w)), 0);
		assert_int_equal(w.n, strlen(lines[i]));
		assert_string_equal(w.line, lines[i]);
	}
	for (size_t i = 0; i < 2; i++) {
		struct waited w = { 0 };

		assert_int_equal(waited_for(&k, &w, aftp_data_read_line(d, 100, waited_read, &w)), AFTP_EOF);
	}
	session_kit_close_data(&k, &d);
	session_kit_end(&k);
}

static void mixes_lines_and_bytes(void **state)
{
	struct session_kit k;
	struct waited w = { 0 }, e = { 0 };
	struct aftp_data *d;
	char buf[16];

	(void)state;
	begin(&k);
	d = download(&k, "/text", 0);
	assert_int_equal(waited_for(&k, &w, aftp_data_read_line(d, 3, waited_read, &w)), 0);
	assert_string_equal(w.line, "one");
	assert_int_equal(session_kit_read(&k, d, buf, 2), 2);
	assert_memory_equal(buf, "tw", 2);
	e.buf = buf;
	assert_int_equal(waited_for(&k, &e, aftp_data_read_exactly(d, buf, 7, waited_read, &e)), 0);
	assert_memory_equal(buf, "o\n\nfour", 7);
	session_kit_close_data(&k, &d);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void refuses_a_line_that_is_too_long(void **state)
{
	struct session_kit k;
	struct waited w = { 0 };
	struct aftp_data *d;
	char line[3000], buf[8];

	(void)state;
	begin(&k);
	memset(line, 'x', sizeof line);
	testd_put(&k.d, "/long", line, sizeof line);
	d = download(&k, "/long", 0);
	assert_int_equal(waited_for(&k, &w, aftp_data_read_line(d, 2999, waited_read, &w)), AFTP_ELINETOOLONG);
	assert_int_equal(session_kit_read(&k, d, buf, 4), 4); /* nothing is lost */
	session_kit_close_data(&k, &d);
	d = download(&k, "/long", 0);
	memset(&w, 0, sizeof w);
	assert_int_equal(waited_for(&k, &w, aftp_data_read_line(d, 3000, waited_read, &w)), 0);
	assert_int_equal(w.n, 3000);
	session_kit_close_data(&k, &d);
	session_kit_check(&k);
	session_kit_end(&k);
}

/* --- iterating ------------------------------------------------------------------------------------ */

struct each {
	struct aftp_data *d;
	bool over;
	int status;
	unsigned calls, ends;
	uint64_t bytes;
	size_t longest;
	unsigned pause_at, stop_at, cancel_at, close_at;
	char seen[256];
};

static enum aftp_next on_each(void *arg, ssize_t n, const char *data)
{
	struct each *e = arg;
	size_t at = strlen(e->seen);

	assert_int_equal(e->ends, 0);
	if (n < 0) {
		assert_null(data);
		e->ends++;
		e->over = true;
		e->status = (int)n;
		return AFTP_GO_ON;
	}
	e->calls++;
	e->bytes += (uint64_t)n;
	e->longest = (size_t)n > e->longest ? (size_t)n : e->longest;
	snprintf(e->seen + at, sizeof e->seen - at, "[%.*s]", (int)(n < 40 ? n : 40), data);
	if (e->calls == e->cancel_at)
		assert_int_equal(aftp_data_cancel(e->d, NULL, NULL), 0);
	if (e->calls == e->close_at)
		aftp_data_close(&e->d, loop_set_flag, &e->over);
	if (e->calls == e->pause_at || e->calls == e->stop_at)
		e->over = true;
	return e->calls == e->pause_at ? AFTP_PAUSE : e->calls == e->stop_at ? AFTP_STOP : AFTP_GO_ON;
}

static void iterates_by_line(void **state)
{
	struct session_kit k;
	struct each e = { 0 };

	(void)state;
	begin(&k);
	e.d = download(&k, "/text", 0);
	assert_int_equal(aftp_data_each_line(e.d, 100, on_each, &e), 0);
	loop_wait(&k.loop, &e.over, "the end of the lines");
	assert_string_equal(e.seen, "[one][two][][four, which has no end]");
	assert_int_equal(e.status, AFTP_EOF);
	session_kit_close_data(&k, &e.d);
	session_kit_end(&k);
}

static void pauses_and_stops(void **state)
{
	struct session_kit k;
	struct each e = { .pause_at = 2, .stop_at = 3 };
	struct waited w = { 0 };

	(void)state;
	begin(&k);
	e.d = download(&k, "/text", 0);
	assert_int_equal(aftp_data_each_line(e.d, 100, on_each, &e), 0);
	loop_wait(&k.loop, &e.over, "the pause");
	loop_run_for(&k.loop, 50);
	assert_int_equal(e.calls, 2);
	assert_int_equal(aftp_data_each_line(e.d, 100, on_each, &e), AFTP_EBUSY);
	e.over = false;
	aftp_data_resume(e.d);
	assert_int_equal(e.calls, 2);
	loop_wait(&k.loop, &e.over, "the stop");
	loop_run_for(&k.loop, 20);
	assert_int_equal(e.calls, 3);
	assert_int_equal(e.ends, 0);
	/* What was not iterated over is still there. */
	assert_int_equal(waited_for(&k, &w, aftp_data_read_line(e.d, 100, waited_read, &w)), 0);
	assert_string_equal(w.line, "four, which has no end");
	session_kit_close_data(&k, &e.d);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void iterates_by_block(void **state)
{
	static const size_t sizes[] = { 1 << 20, 4096, 1000000 };
	struct session_kit k;

	(void)state;
	begin(&k);
	for (size_t i = 0; i < 3; i++) {
		struct each e = { 0 };

		e.d = download(&k, "/big", 0);
		assert_int_equal(aftp_data_each_block(e.d, sizes[i], on_each, &e), 0);
		loop_wait(&k.loop, &e.over, "the end of the blocks");
		assert_int_equal(e.status, AFTP_EOF);
		assert_int_equal(e.bytes, 8 << 20);
		assert_true(e.longest <= sizes[i]);
		assert_int_equal(aftp_data_bytes(e.d), 8 << 20);
		session_kit_close_data(&k, &e.d);
	}
	session_kit_check(&k);
	session_kit_end(&k);
}

static void cancels_from_inside(void **state)
{
	struct session_kit k;
	struct each e = { .cancel_at = 2 };

	(void)state;
	begin(&k);
	e.d = download(&k, "/big", 0);
	assert_int_equal(aftp_data_each_block(e.d, 4096, on_each, &e), 0);
	loop_wait(&k.loop, &e.over, "the last call");
	assert_int_equal(e.calls, 2);
	assert_int_equal(e.status, AFTP_ECANCELED);
	assert_int_equal(aftp_data_cancel(e.d, NULL, NULL), AFTP_EALREADY);
	session_kit_close_data(&k, &e.d);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void closes_from_inside(void **state)
{
	struct session_kit k;
	struct each e = { .close_at = 2 };

	(void)state;
	begin(&k);
	e.d = download(&k, "/big", 0);
	assert_int_equal(aftp_data_each_block(e.d, 4096, on_each, &e), 0);
	loop_wait(&k.loop, &e.over, "the last call");
	assert_int_equal(e.status, AFTP_ECANCELED);
	session_kit_check(&k);
	session_kit_end(&k);
}

/* --- the ends of a download ----------------------------------------------------------------------- */

/* A download of a big file, of which a little is read. */
static struct aftp_data *begun(struct session_kit *k)
{
	struct aftp_data *d = download(k, "/big", 0);
	char buf[100];

	assert_int_equal(session_kit_read(k, d, buf, sizeof buf), sizeof buf);
	return d;
}

static void finishes_early(void **state)
{
	struct session_kit k;
	struct aftp_data *d;
	int code = 0;

	(void)state;
	begin(&k);
	d = begun(&k);
	assert_int_equal(session_kit_finish(&k, d, NULL, NULL, &code), AFTP_EREPLY);
	assert_int_equal(code, 426);
	session_kit_close_data(&k, &d);
	session_kit_check(&k);
	d = begun(&k);
	assert_int_equal(session_kit_finish(&k, d, "2xx|426", NULL, NULL), 0);
	session_kit_close_data(&k, &d);
	session_kit_check(&k);
	d = begun(&k);
	assert_int_equal(session_kit_finish(&k, d, NULL, "1xx|426", NULL), AFTP_ECANCELED);
	session_kit_close_data(&k, &d);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void finishes_where_nothing_is_left(void **state)
{
	struct session_kit k;
	struct aftp_data *d;
	char buf[sizeof text];
	int code = 0;

	(void)state;
	begin(&k);
	d = download(&k, "/empty", 0);
	assert_int_equal(session_kit_finish(&k, d, NULL, NULL, &code), 0);
	assert_int_equal(code, 226);
	session_kit_close_data(&k, &d);
	d = download(&k, "/text", 0);
	for (size_t n = 0; n < sizeof text - 1;)
		n += (size_t)session_kit_read(&k, d, buf + n, sizeof text - 1 - n);
	assert_int_equal(session_kit_finish(&k, d, NULL, NULL, &code), 0);
	assert_int_equal(code, 226);
	session_kit_close_data(&k, &d);
	session_kit_end(&k);
}

static void finishes_once(void **state)
{
	struct session_kit k;
	struct waited w = { 0 };
	struct aftp_data *d;
	char buf[16];

	(void)state;
	begin(&k);
	d = begun(&k);
	w.buf = buf;
	assert_int_equal(aftp_data_read(d, buf, sizeof buf, waited_read, &w), 0);
	assert_int_equal(aftp_data_finish(d, NULL, NULL, waited_finish, &w), AFTP_EBUSY);
	assert_int_equal(waited_for(&k, &w, 0), 0);
	assert_int_equal(session_kit_finish(&k, d, "426", NULL, NULL), 0);
	assert_int_equal(aftp_data_finish(d, "426", NULL, waited_finish, &w), AFTP_EALREADY);
	assert_int_equal(aftp_data_code(d), 426);
	assert_true(aftp_data_message(d)[0] != '\0');
	assert_int_equal(aftp_data_read(d, buf, sizeof buf, waited_read, &w), AFTP_ECANCELED);
	session_kit_close_data(&k, &d);
	session_kit_end(&k);
}

static void cancels(void **state)
{
	struct session_kit k;
	struct waited r = { 0 }, c = { 0 };
	struct aftp_data *d;
	char buf[16];

	(void)state;
	begin(&k);
	d = download(&k, "/big", 0);
	r.buf = buf;
	assert_int_equal(aftp_data_read(d, buf, sizeof buf, waited_read, &r), 0);
	assert_int_equal(waited_for(&k, &c, aftp_data_cancel(d, waited_op, &c)), 0);
	assert_int_equal(r.calls, 1);
	assert_int_equal(r.status, AFTP_ECANCELED);
	session_kit_close_data(&k, &d);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void is_closed_at_any_time(void **state)
{
	struct session_kit k;
	struct waited r = { 0 };
	struct aftp_data *d;
	char buf[16];

	(void)state;
	begin(&k);
	d = download(&k, "/big", 0);
	session_kit_close_data(&k, &d); /* before it began */
	session_kit_check(&k);
	d = begun(&k);
	r.buf = buf;
	assert_int_equal(aftp_data_read(d, buf, sizeof buf, waited_read, &r), 0);
	session_kit_close_data(&k, &d); /* in the middle of a read */
	assert_int_equal(r.status, AFTP_ECANCELED);
	session_kit_check(&k);
	aftp_data_close(&d, NULL, NULL); /* NULL already */
	session_kit_end(&k);
}

static void tells_what_the_server_refuses(void **state)
{
	struct session_kit k;
	struct aftp_data *d;
	char buf[16];
	int code = 0;

	(void)state;
	begin(&k);
	d = download(&k, "/missing", 0);
	assert_int_equal(session_kit_read(&k, d, buf, sizeof buf), AFTP_ENOENT);
	assert_int_equal(session_kit_finish(&k, d, NULL, NULL, &code), AFTP_ENOENT);
	assert_int_equal(code, 550);
	session_kit_close_data(&k, &d);
	d = download(&k, "/missing", 0);
	assert_int_equal(session_kit_finish(&k, d, "550", NULL, &code), 0);
	session_kit_close_data(&k, &d);
	assert_int_equal(aftp_download_stream(k.s, &d, "/a\r\nDELE /text", 0), AFTP_EBADNAME);
	assert_null(d);
	session_kit_check(&k);
	session_kit_assert_remote(&k, "/text", text, sizeof text - 1);
	session_kit_end(&k);
}

static void reads_all(void **state)
{
	static const struct aftp_faults cut = { .drop_after = 1000 };
	struct session_kit k;
	struct waited all = { 0 }, line = { 0 }, rest = { 0 }, much = { 0 }, none = { 0 }, lost = { 0 };
	struct aftp_data *d;

	(void)state;
	begin(&k);
	testd_put(&k.d, "/empty", "", 0);
	d = download(&k, "/text", 5);
	assert_int_equal(waited_for(&k, &all, aftp_data_read_all(d, 100, waited_read, &all)), 0);
	assert_string_equal(all.line, "two\n\nfour, which has no end");
	session_kit_close_data(&k, &d);
	d = download(&k, "/text", 0);
	assert_int_equal(waited_for(&k, &line, aftp_data_read_line(d, 100, waited_read, &line)), 0);
	assert_int_equal(waited_for(&k, &rest, aftp_data_read_all(d, 100, waited_read, &rest)), 0);
	assert_string_equal(rest.line, "two\n\nfour, which has no end");
	session_kit_close_data(&k, &d);
	d = download(&k, "/empty", 0);
	assert_int_equal(waited_for(&k, &none, aftp_data_read_all(d, 100, waited_read, &none)), 0);
	assert_int_equal(none.n, 0);
	session_kit_close_data(&k, &d);
	d = download(&k, "/big", 0);
	assert_int_equal(waited_for(&k, &much, aftp_data_read_all(d, 100000, waited_read, &much)), AFTP_ETOOBIG);
	session_kit_close_data(&k, &d);
	session_kit_check(&k);
	testd_set_faults(&k.d, &cut);
	d = download(&k, "/big", 0);
	assert_true(waited_for(&k, &lost, aftp_data_read_all(d, 100 << 20, waited_read, &lost)) < 0);
	session_kit_close_data(&k, &d);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void survives_a_lost_connection(void **state)
{
	static const struct aftp_faults faults = { .drop_all_after = 1 << 20 };
	struct session_kit k;
	struct aftp_data *d;
	struct each e = { 0 };
	struct waited w = { 0 };

	(void)state;
	begin(&k);
	testd_set_faults(&k.d, &faults);
	d = e.d = download(&k, "/big", 0);
	assert_int_equal(aftp_data_each_block(d, 65536, on_each, &e), 0);
	loop_wait(&k.loop, &e.over, "the end");
	assert_true(e.status < 0 && e.status != AFTP_EOF);
	assert_int_equal(waited_for(&k, &w, aftp_data_cancel(d, waited_op, &w)), AFTP_ENOTCONN);
	session_kit_close_data(&k, &d);
	assert_int_equal(aftp_download_stream(k.s, &d, "/big", 0), AFTP_ENOTCONN);
	session_kit_end(&k);
}

static void outlives_its_session(void **state)
{
	struct session_kit k;
	struct aftp_data *d;
	struct waited r = { 0 };
	char buf[16];

	(void)state;
	begin(&k);
	d = begun(&k);
	r.buf = buf;
	assert_int_equal(aftp_data_read(d, buf, sizeof buf, waited_read, &r), 0);
	session_kit_close(&k);
	assert_int_equal(r.status, AFTP_ECANCELED);
	assert_int_equal(session_kit_read(&k, d, buf, sizeof buf), AFTP_ECANCELED);
	session_kit_close_data(&k, &d);
	session_kit_end(&k);
}

static void queues_behind_another(void **state)
{
	struct session_kit k;
	struct aftp_data *first, *second;
	struct waited w = { 0 };
	char buf[64];

	(void)state;
	begin(&k);
	first = begun(&k);
	second = download(&k, "/text", 0);
	w.buf = buf;
	assert_int_equal(aftp_data_read(second, buf, sizeof buf, waited_read, &w), 0);
	loop_run_for(&k.loop, 30);
	assert_int_equal(w.calls, 0);
	session_kit_close_data(&k, &first);
	assert_int_equal(waited_for(&k, &w, 0), 0);
	assert_int_equal(w.n, sizeof text - 1);
	session_kit_close_data(&k, &second);
	session_kit_check(&k);
	session_kit_end(&k);
}

static void reads_what_a_command_sends(void **state)
{
	struct session_kit k;
	struct each e = { 0 };

	(void)state;
	begin(&k);
	assert_int_equal(aftp_command_stream(k.s, &e.d, "NLST", NULL), 0);
	assert_int_equal(aftp_data_each_line(e.d, 4096, on_each, &e), 0);
	loop_wait(&k.loop, &e.over, "the end of the names");
	assert_int_equal(e.status, AFTP_EOF);
	assert_int_equal(e.calls, 3);
	assert_non_null(strstr(e.seen, "[text]"));
	session_kit_close_data(&k, &e.d);
	assert_int_equal(aftp_command_stream(k.s, &e.d, "", NULL), AFTP_EINVAL);
	assert_int_equal(aftp_command_stream(k.s, &e.d, "NLST", "a\nb"), AFTP_EBADNAME);
	session_kit_end(&k);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_to_the_end),
		cmocka_unit_test(reads_from_an_offset),
		cmocka_unit_test(reads_exactly),
		cmocka_unit_test(reads_lines),
		cmocka_unit_test(reads_all),
		cmocka_unit_test(mixes_lines_and_bytes),
		cmocka_unit_test(refuses_a_line_that_is_too_long),
		cmocka_unit_test(iterates_by_line),
		cmocka_unit_test(pauses_and_stops),
		cmocka_unit_test(iterates_by_block),
		cmocka_unit_test(cancels_from_inside),
		cmocka_unit_test(closes_from_inside),
		cmocka_unit_test(finishes_early),
		cmocka_unit_test(finishes_where_nothing_is_left),
		cmocka_unit_test(finishes_once),
		cmocka_unit_test(cancels),
		cmocka_unit_test(is_closed_at_any_time),
		cmocka_unit_test(tells_what_the_server_refuses),
		cmocka_unit_test(survives_a_lost_connection),
		cmocka_unit_test(outlives_its_session),
		cmocka_unit_test(queues_behind_another),
		cmocka_unit_test(reads_what_a_command_sends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
