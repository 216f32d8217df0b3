/* Faults that strike when a certain command comes for a certain time; and replies in pieces or together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include <aftp/status.h>

#include "lib/testd.h"

enum { SIZE = 500000 };

struct fixture {
	struct testd d;
	struct talk t;
};

static struct fixture *begin_with(const struct aftp_faults *faults)
{
	const struct aftp_server_options o = { .faults = *faults };
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	testd_start(&f->d, &o, false);
	testd_pattern(&f->d, "/file", SIZE, 1);
	talk_login(&f->t, &f->d, "anonymous", "x");
	return f;
}

static struct fixture *begin(const struct aftp_rule *rules, size_t n)
{
	return begin_with(&(struct aftp_faults){ .rules = rules, .nrules = n });
}

static void end(struct fixture *f)
{
	talk_close(&f->t);
	testd_stop(&f->d);
	free(f);
}

static size_t download(struct fixture *f, bool *reset)
{
	size_t n;
	int fd = talk_epsv(&f->t);
	talk_expect(&f->t, 150, "RETR file");
	free(talk_drain(fd, &n, reset));
	return n;
}

static bool silent(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	return poll(&p, 1, 300) == 0;
}

/* --- when ------------------------------------------------------------------------------------------ */

static void test_when(void **state)
{
	static const struct aftp_rule rules[] = {
		{ .verb = "noop", .first = 2, .last = 2, .act = AFTP_ACT_REPLY, .number = 432, .text = "Second." },
		{ .verb = "NOOP", .first = 4, .last = 5, .act = AFTP_ACT_REPLY, .number = 433, .text = "Later." },
		{ .verb = "NOOP", .first = 5, .act = AFTP_ACT_REPLY, .number = 434, .text = "For ever." },
	};
	static const int codes[] = { 200, 432, 200, 433, 433, 434, 434 };
	struct fixture *f = begin(rules, 3);
	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (i == 3) { /* counted over all sessions */
			talk_close(&f->t);
			talk_login(&f->t, &f->d, "anonymous", "x");
		}
		talk_expect(&f->t, codes[i], "NOOP");
	}
	testd_set_faults(&f->d, &(struct aftp_faults){ 0 });
	talk_expect(&f->t, 200, "NOOP");
	end(f);
}

static void test_refused(void **state)
{
	static const struct aftp_rule bad[] = {
		{ .verb = "NONE", .first = 1, .act = AFTP_ACT_DROP },
		{ .verb = "RETR", .first = 0, .act = AFTP_ACT_DROP },
		{ .verb = "RETR", .first = 3, .last = 2, .act = AFTP_ACT_DROP },
		{ .verb = "RETR", .first = 1, .act = AFTP_ACT_REPLY, .number = 99, .text = "" },
		{ .verb = "RETR", .first = 1, .act = AFTP_ACT_FINAL, .number = 226 },
		{ .verb = NULL, .first = 1, .act = AFTP_ACT_DROP },
	};
	uv_loop_t loop;
	struct aftp_memfs *fs;
	struct aftp_server *srv;
	(void)state;
	uv_loop_init(&loop);
	assert_int_equal(aftp_memfs_new(&fs, &loop), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct aftp_server_options o = { .vfs = aftp_memfs_vfs(fs),
			.faults = { .rules = &bad[i], .nrules = 1 } };
		assert_int_equal(aftp_server_new(&srv, &loop, &o), AFTP_EINVAL);
	}
	aftp_memfs_close(&fs);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

/* --- what: commands -------------------------------------------------------------------------------- */

static void test_commands(void **state)
{
	static const struct aftp_rule rules[] = {
		{ .verb = "MKD", .first = 1, .act = AFTP_ACT_REPLY, .number = 257, .text = "\"/lie\"\nmade" },
		{ .verb = "PWD", .first = 1, .act = AFTP_ACT_MISSING },
		{ .verb = "SYST", .first = 1, .act = AFTP_ACT_SILENCE },
		{ .verb = "SIZE", .first = 1, .act = AFTP_ACT_DELAY, .number = 300 },
	};
	struct fixture *f = begin(rules, 4);
	(void)state;
	talk_expect(&f->t, 257, "MKD lie");
	assert_string_equal(f->t.reply, "257-\"/lie\"\r\n257 made\r\n");
	talk_expect(&f->t, 550, "CWD lie"); /* it was not executed */
	talk_expect(&f->t, 502, "PWD");
	talk_send(&f->t, "SYST\r\n", 6);
	assert_true(silent(f->t.fd));
	talk_expect(&f->t, 200, "NOOP");
	uint64_t start = uv_hrtime();
	talk_send(&f->t, "SIZE file\r\nNOOP\r\n", 17);
	assert_int_equal(talk_reply(&f->t), 213); /* in order all the same */
	assert_true(uv_hrtime() - start >= UINT64_C(300000000));
	assert_int_equal(talk_reply(&f->t), 200);
	end(f);
}

static void test_ends(void **state)
{
	static const struct {
		enum aftp_act act;
		int code;
	} rows[] = { { AFTP_ACT_DROP, -1 }, { AFTP_ACT_CLOSE, 0 } };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct aftp_rule rule = { .verb = "NOOP", .first = 2, .last = 2, .act = rows[i].act };
		struct fixture *f = begin(&rule, 1);
		talk_expect(&f->t, 200, "NOOP");
		assert_int_equal(talk_say(&f->t, "NOOP"), rows[i].code);
		talk_close(&f->t);
		talk_login(&f->t, &f->d, "anonymous", "x");
		talk_expect(&f->t, 200, "NOOP");
		end(f);
	}
}

static void test_babble(void **state)
{
	static const enum aftp_act acts[] = { AFTP_ACT_GARBAGE, AFTP_ACT_ENDLESS_LINE, AFTP_ACT_ENDLESS_REPLY };
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct aftp_rule rule = { .verb = "PWD", .first = 1, .act = acts[i] };
		struct fixture *f = begin(&rule, 1);
		char text[4096];
		talk_send(&f->t, "PWD\r\n", 5);
		size_t got = 0;
		while (got < sizeof(text)) {
			ssize_t n = recv(f->t.fd, text + got, sizeof(text) - got, 0);
			assert_true(n > 0);
			got += (size_t)n;
		}
		assert_memory_not_equal(text, "257", 3);
		end(f);
	}
}

static void test_the_client_goes_meanwhile(void **state)
{
	struct aftp_rule rule = { .verb = "RETR", .first = 1, .act = AFTP_ACT_DELAY, .number = 600000 };
	struct fixture *f = begin(&rule, 1);
	(void)state;
	talk_send(&f->t, "RETR file\r\n", 11);
	while (testd_count(&f->d, "RETR") == 0)
		;
	end(f);
}

/* --- what: transfers ------------------------------------------------------------------------------- */

static void test_transfers(void **state)
{
	static const struct aftp_rule rules[] = {
		{ .verb = "RETR", .first = 1, .last = 1, .act = AFTP_ACT_SHORT },
		{ .verb = "RETR", .first = 2, .last = 2, .act = AFTP_ACT_DROP_AFTER, .number = 1000 },
		{ .verb = "RETR", .first = 3, .last = 3, .act = AFTP_ACT_FINAL, .number = 451, .text = "A pity." },
		{ .verb = "RETR", .first = 4, .last = 4, .act = AFTP_ACT_NO_FINAL },
		{ .verb = "RETR", .first = 6, .last = 6, .act = AFTP_ACT_DROP_ALL_AFTER, .number = 1000 },
	};
	struct fixture *f = begin(rules, 5);
	bool reset;
	(void)state;
	assert_int_equal(download(f, &reset), SIZE / 2);
	assert_int_equal(talk_reply(&f->t), 226);
	assert_in_range(download(f, &reset), 0, 1000);
	assert_true(reset);
	assert_int_equal(talk_reply(&f->t), 426);
	assert_int_equal(download(f, &reset), SIZE);
	assert_int_equal(talk_reply(&f->t), 451);
	assert_int_equal(download(f, &reset), SIZE);
	assert_true(silent(f->t.fd));
	assert_int_equal(download(f, &reset), SIZE); /* the fifth is good */
	assert_int_equal(talk_reply(&f->t), 226);
	assert_in_range(download(f, &reset), 0, 1000);
	assert_int_equal(talk_reply(&f->t), -1);
	end(f);
}

static void test_uploads(void **state)
{
	static const struct aftp_rule rules[] = {
		{ .verb = "STOR", .first = 1, .last = 1, .act = AFTP_ACT_FINAL, .number = 226, .text = "A lie." },
		{ .verb = "STOR", .first = 2, .last = 2, .act = AFTP_ACT_DROP_AFTER, .number = 2 },
	};
	struct fixture *f = begin(rules, 2);
	(void)state;
	talk_store(&f->t, "STOR up", "abc", 3);
	assert_non_null(strstr(f->t.reply, "A lie."));
	int fd = talk_epsv(&f->t);
	talk_expect(&f->t, 150, "STOR up");
	assert_int_equal(send(fd, "abc", 3, MSG_NOSIGNAL), 3);
	assert_int_equal(talk_reply(&f->t), 426);
	close(fd);
	talk_expect(&f->t, 213, "SIZE up");
	assert_string_equal(f->t.reply, "213 2\r\n");
	end(f);
}

static void test_stall(void **state)
{
	struct aftp_rule rule = { .verb = "RETR", .first = 1, .act = AFTP_ACT_STALL_AFTER, .number = 5000 };
	struct fixture *f = begin(&rule, 1);
	char text[8192];
	size_t n = 0;
	(void)state;
	int fd = talk_epsv(&f->t);
	talk_expect(&f->t, 150, "RETR file");
	while (n < 5000)
		n += (size_t)recv(fd, text, sizeof(text), 0);
	assert_int_equal(n, 5000);
	assert_true(silent(fd) && silent(f->t.fd));
	close(fd);
	end(f);
}

static void test_refuse_data(void **state)
{
	struct aftp_rule rule = { .verb = "EPSV", .first = 1, .last = 1, .act = AFTP_ACT_REFUSE_DATA };
	struct fixture *f = begin(&rule, 1);
	bool reset;
	(void)state;
	talk_expect(&f->t, 229, "EPSV");
	assert_true(talk_connect((uint16_t)strtoul(strstr(f->t.reply, "(|||") + 4, NULL, 10), false) < 0);
	assert_int_equal(download(f, &reset), SIZE);
	end(f);
}

/* --- replies --------------------------------------------------------------------------------------- */

static void test_split_replies(void **state)
{
	struct fixture *f = begin_with(&(struct aftp_faults){ .split_replies = true });
	char text[64];
	bool reset;
	size_t n = 0;
	(void)state;
	talk_send(&f->t, "SYST\r\n", 6);
	while (n < 2 || memcmp(text + n - 2, "\r\n", 2) != 0) {
		ssize_t got = recv(f->t.fd, text + n, sizeof(text) - n, 0);
		assert_true(got > 0);
		n += (size_t)got;
	}
	text[n] = '\0';
	assert_string_equal(text, "215 UNIX Type: L8\r\n");
	talk_expect(&f->t, 211, "FEAT");
	assert_int_equal(download(f, &reset), SIZE);
	assert_int_equal(talk_reply(&f->t), 226);
	end(f);
}

static void test_total_line(void **state)
{
	struct fixture *f = begin_with(&(struct aftp_faults){ .listing = AFTP_STYLE_UNIX_TOTAL });
	size_t n;
	(void)state;
	char *text = talk_retrieve(&f->t, "LIST", &n);
	assert_memory_equal(text, "total ", 6);
	assert_non_null(strstr(text, " file\r\n"));
	free(text);
	text = talk_retrieve(&f->t, "LIST file", &n); /* not of one file */
	assert_memory_equal(text, "-rw", 3);
	free(text);
	text = talk_retrieve(&f->t, "MLSD", &n);
	assert_null(strstr(text, "total"));
	free(text);
	end(f);
}

static void test_merged_replies(void **state)
{
	struct fixture *f = begin_with(&(struct aftp_faults){ .merge_replies_ms = 2000 });
	char text[256];
	(void)state;
	testd_put(&f->d, "/small", "x", 1);
	int fd = talk_epsv(&f->t);
	talk_send(&f->t, "RETR small\r\n", 12);
	ssize_t n = recv(f->t.fd, text, sizeof(text) - 1, 0);
	assert_true(n > 0);
	text[n] = '\0';
	close(fd);
	assert_memory_equal(text, "150 ", 4);
	assert_non_null(strstr(text, "\r\n226 "));
	end(f);
}

static void test_slow_close(void **state)
{
	struct fixture *f = begin_with(&(struct aftp_faults){ .slow_close_ms = 2000 });
	char text[64];
	(void)state;
	testd_put(&f->d, "/small", "abc", 3);
	int fd = talk_epsv(&f->t);
	talk_expect(&f->t, 150, "RETR small");
	assert_int_equal(recv(fd, text, sizeof(text), 0), 3);
	uint64_t start = uv_hrtime();
	assert_int_equal(recv(fd, text, sizeof(text), 0), 0);
	assert_true(uv_hrtime() - start >= UINT64_C(200000000)); /* the bytes may have come late, the end not early */
	assert_int_equal(talk_reply(&f->t), 226);
	close(fd);
	end(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_when),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_babble),
		cmocka_unit_test(test_the_client_goes_meanwhile),
		cmocka_unit_test(test_transfers),
		cmocka_unit_test(test_uploads),
		cmocka_unit_test(test_stall),
		cmocka_unit_test(test_refuse_data),
		cmocka_unit_test(test_split_replies),
		cmocka_unit_test(test_total_line),
		cmocka_unit_test(test_merged_replies),
		cmocka_unit_test(test_slow_close),
	};
	return cmocka_run_group_tests_name("server_rules", tests, NULL, NULL);
}
