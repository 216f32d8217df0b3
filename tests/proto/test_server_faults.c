/* What goes wrong on request goes wrong exactly so, and nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include <aftp/status.h>

#include "lib/testd.h"

enum { SIZE = 1000000 };

struct fixture {
	struct testd d;
	struct talk t;
	char *want;
};

static struct fixture *begin(const struct aftp_faults *faults)
{
	const struct aftp_server_options o = { .faults = *faults };
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	f->want = malloc(SIZE);
	aftp_memfs_pattern(1, 0, f->want, SIZE);
	testd_start(&f->d, &o, false);
	testd_put(&f->d, "/file", f->want, SIZE);
	testd_put(&f->d, "/dir/a", "x", 1);
	testd_put(&f->d, "/dir/b", "x", 1);
	return f;
}

static struct fixture *begin_in(const struct aftp_faults *faults)
{
	struct fixture *f = begin(faults);
	talk_login(&f->t, &f->d, "anonymous", "x");
	return f;
}

static void end(struct fixture *f)
{
	talk_close(&f->t);
	testd_stop(&f->d);
	free(f->want);
	free(f);
}

static void assert_whole(struct fixture *f)
{
	size_t n;
	char *got = talk_retrieve(&f->t, "RETR file", &n);
	assert_int_equal(n, SIZE);
	assert_memory_equal(got, f->want, n);
	free(got);
}

/* --- cuts of transfers ------------------------------------------------------------------------------- */

static void test_drop_download(void **state)
{
	static const struct {
		uint64_t after;
		const char *rest;
		size_t want;
		int code;
	} cases[] = {
		{ 1, "REST 0", 1, 426 },
		{ 12345, "REST 0", 12345, 426 },
		{ SIZE, "REST 0", SIZE, 426 },
		{ SIZE + 1, "REST 0", SIZE, 226 },
		{ 500000, "REST 400000", 500000, 426 },
		{ 500000, "REST 600000", 400000, 226 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = begin_in(&(struct aftp_faults){ .drop_after = cases[i].after });
		size_t n, offset = strtoul(cases[i].rest + 5, NULL, 10);
		bool reset;
		int fd = talk_epsv(&f->t);
		talk_expect(&f->t, 350, "%s", cases[i].rest);
		talk_expect(&f->t, 150, "RETR file");
		char *got = talk_drain(fd, &n, &reset);
		assert_true(n <= cases[i].want);
		assert_memory_equal(got, f->want + offset, n);
		if (cases[i].code == 226)
			assert_int_equal(n, cases[i].want);
		assert_int_equal(reset, cases[i].code == 426);
		assert_int_equal(talk_reply(&f->t), cases[i].code);
		talk_expect(&f->t, 257, "PWD");
		free(got);
		end(f);
	}
}

static void test_drop_upload(void **state)
{
	struct fixture *f = begin_in(&(struct aftp_faults){ .drop_after = 1000, .times = 1 });
	char byte;
	(void)state;
	int fd = talk_epsv(&f->t);
	talk_expect(&f->t, 150, "STOR up");
	assert_int_equal(send(fd, f->want, 5000, MSG_NOSIGNAL), 5000);
	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	close(fd);
	assert_int_equal(talk_reply(&f->t), 426);
	talk_expect(&f->t, 213, "SIZE up");
	assert_string_equal(f->t.reply, "213 1000\r\n");
	talk_store(&f->t, "STOR up", f->want, 5000); /* it strikes once */
	end(f);
}

static void test_drop_listing(void **state)
{
	struct fixture *f = begin_in(&(struct aftp_faults){ .drop_after = 10, .times = 1 });
	size_t n;
	bool reset;
	(void)state;
	int fd = talk_epsv(&f->t);
	talk_expect(&f->t, 150, "MLSD dir");
	free(talk_drain(fd, &n, &reset));
	assert_true(n <= 10 && reset);
	assert_int_equal(talk_reply(&f->t), 426);
	char *got = talk_retrieve(&f->t, "MLSD dir", &n);
	assert_non_null(strstr(got, " b\r\n"));
	free(got);
	end(f);
}

static void test_drop_all(void **state)
{
	struct fixture *f = begin_in(&(struct aftp_faults){ .drop_all_after = 5000, .times = 2 });
	size_t n;
	bool reset;
	(void)state;
	for (int i = 0; i < 2; i++) {
		int fd = talk_epsv(&f->t);
		talk_expect(&f->t, 150, "RETR file");
		free(talk_drain(fd, &n, &reset));
		assert_true(n <= 5000 && reset);
		assert_int_equal(talk_reply(&f->t), -1);
		talk_close(&f->t);
		talk_login(&f->t, &f->d, "anonymous", "x");
	}
	assert_whole(f);
	end(f);
}

/* What comes: at least `least` bytes, however slowly, then all until silence of 200 ms, up to `max`. */
static size_t listen_to(int fd, char *data, size_t least, size_t max)
{
	struct timeval brief = { .tv_usec = 200000 };
	size_t n = 0;
	while (n < max) {
		if (n >= least)
			setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof(brief));
		ssize_t got = recv(fd, data + n, n < least ? least - n : max - n, 0);
		if (got <= 0) {
			assert_true(got < 0 && errno == EAGAIN); /* open, and silent */
			break;
		}
		n += (size_t)got;
	}
	return n;
}

static void test_stall(void **state)
{
	static const char *const commands[] = { "RETR file", "STOR up" };
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct fixture *f = begin_in(&(struct aftp_faults){ .stall_after = 5000, .times = 1 });
		char data[8192];
		int fd = talk_epsv(&f->t);
		talk_expect(&f->t, 150, "%s", commands[i]);
		assert_int_equal(i == 0 ? 0 : send(fd, f->want, 8000, MSG_NOSIGNAL), i == 0 ? 0 : 8000);
		size_t least = i == 0 ? 5000 : 0;
		assert_int_equal(listen_to(fd, data, least, sizeof(data)), least);
		talk_expect(&f->t, 211, "STAT");
		talk_expect(&f->t, 426, "ABOR");
		assert_int_equal(talk_reply(&f->t), 226);
		close(fd);
		assert_whole(f);
		end(f);
	}
}

/* A client that goes away from a stalled transfer leaves nothing behind: end() looks. */
static void test_stall_and_go(void **state)
{
	struct fixture *f = begin_in(&(struct aftp_faults){ .stall_after = 5000 });
	(void)state;
	int fd = talk_epsv(&f->t);
	talk_expect(&f->t, 150, "RETR file");
	assert_int_equal(shutdown(f->t.fd, SHUT_WR), 0);
	assert_true(talk_ended(&f->t, 60000));
	close(fd);
	end(f);
}

/* --- cuts of the control connection ------------------------------------------------------------------ */

static void test_control_is_cut_anywhere(void **state)
{
	static const char dialogue[] = "USER anonymous\r\nPASS x\r\nPWD\r\nQUIT\r\n";
	static const char want[] = "220 memftpd ready\r\n331 Please specify the password.\r\n230 Login successful.\r\n"
				   "257 \"/\" is the current directory\r\n221 Goodbye.\r\n";
	struct fixture *f = begin(&(struct aftp_faults){ 0 });
	(void)state;
	for (uint64_t cut = 1; cut <= sizeof(want) + 1; cut++) {
		size_t n;
		testd_set_faults(&f->d, &(struct aftp_faults){ .drop_control_after = cut });
		talk_open(&f->t, &f->d);
		send(f->t.fd, dialogue, sizeof(dialogue) - 1, MSG_NOSIGNAL);
		char *got = talk_drain(f->t.fd, &n, NULL); /* it ends, one way or another */
		assert_true(n <= cut && n <= sizeof(want) - 1);
		assert_memory_equal(got, want, n);
		if (cut >= sizeof(want))
			assert_int_equal(n, sizeof(want) - 1);
		free(got);
	}
	f->t.fd = -1;
	end(f);
}

static void test_drop_after_commands(void **state)
{
	struct fixture *f = begin(&(struct aftp_faults){ .drop_after_commands = 5, .times = 1 });
	(void)state;
	talk_login(&f->t, &f->d, "anonymous", "x"); /* three */
	talk_expect(&f->t, 200, "NOOP");
	talk_say(&f->t, "DELE file");
	assert_int_equal(f->t.code, -1);
	talk_close(&f->t);
	talk_login(&f->t, &f->d, "anonymous", "x");
	talk_expect(&f->t, 200, "NOOP");
	talk_expect(&f->t, 213, "SIZE file"); /* it was not executed, and once is once */
	end(f);
}

/* --- wrong or missing -------------------------------------------------------------------------------- */

static void test_missing_commands(void **state)
{
	static const char *const no[] = { "MLSD", "EPSV", "size", NULL };
	struct fixture *f = begin_in(&(struct aftp_faults){ .no = no });
	(void)state;
	talk_expect(&f->t, 502, "MLSD");
	talk_expect(&f->t, 502, "EPSV");
	talk_expect(&f->t, 502, "epsv 1");
	talk_expect(&f->t, 502, "SIZE file");
	talk_expect(&f->t, 227, "PASV");
	talk_expect(&f->t, 250, "MLST file");
	talk_expect(&f->t, 211, "FEAT");
	assert_null(strstr(f->t.reply, "MLST"));
	assert_null(strstr(f->t.reply, "EPSV"));
	assert_null(strstr(f->t.reply, "SIZE"));
	assert_non_null(strstr(f->t.reply, " MDTM\r\n"));
	talk_expect(&f->t, 214, "HELP");
	assert_null(strstr(f->t.reply, "EPSV"));
	talk_expect(&f->t, 502, "HELP EPSV");
	assert_int_equal(testd_count(&f->d, "EPSV"), 2);
	end(f);
}

static void test_no_final_reply(void **state)
{
	struct fixture *f = begin_in(&(struct aftp_faults){ .no_final_reply = true });
	size_t n;
	bool reset;
	(void)state;
	int fd = talk_epsv(&f->t);
	talk_expect(&f->t, 150, "RETR file");
	free(talk_drain(fd, &n, &reset));
	assert_int_equal(n, SIZE);
	assert_false(reset);
	talk_expect(&f->t, 257, "PWD");
	end(f);
}

static void test_short_data(void **state)
{
	struct fixture *f = begin_in(&(struct aftp_faults){ .short_data = true });
	size_t n, m;
	(void)state;
	char *got = talk_retrieve(&f->t, "RETR file", &n);
	assert_int_equal(n, SIZE / 2);
	assert_memory_equal(got, f->want, n);
	free(got);
	talk_expect(&f->t, 350, "REST %d", SIZE - 10);
	free(talk_retrieve(&f->t, "RETR file", &n));
	assert_int_equal(n, 5);
	char *half = talk_retrieve(&f->t, "LIST dir", &n);
	testd_set_faults(&f->d, &(struct aftp_faults){ 0 });
	char *whole = talk_retrieve(&f->t, "LIST dir", &m);
	assert_int_equal(n, m / 2);
	assert_memory_equal(half, whole, n);
	free(half);
	free(whole);
	end(f);
}

static void test_refuse_data(void **state)
{
	struct fixture *f = begin_in(&(struct aftp_faults){ .refuse_data = true });
	(void)state;
	talk_expect(&f->t, 229, "EPSV");
	uint16_t port = (uint16_t)strtoul(strstr(f->t.reply, "(|||") + 4, NULL, 10);
	assert_int_equal(talk_connect(port, false), -ECONNREFUSED);
	talk_expect(&f->t, 425, "RETR file");
	end(f);
}

static void test_pasv_address(void **state)
{
	struct fixture *f = begin_in(&(struct aftp_faults){ .pasv_address = "10.1.2.3" });
	unsigned p[2];
	size_t n;
	(void)state;
	talk_expect(&f->t, 227, "PASV");
	assert_int_equal(sscanf(strchr(f->t.reply, '('), "(10,1,2,3,%u,%u)", &p[0], &p[1]), 2);
	int fd = talk_connect((uint16_t)(p[0] << 8 | p[1]), false); /* where it really is */
	assert_true(fd >= 0);
	talk_expect(&f->t, 150, "RETR file");
	free(talk_drain(fd, &n, NULL));
	assert_int_equal(n, SIZE);
	end(f);
}

static void test_listing_styles(void **state)
{
	struct fixture *f = begin_in(&(struct aftp_faults){ .listing = AFTP_STYLE_DOS });
	size_t n;
	(void)state;
	char *got = talk_retrieve(&f->t, "LIST -a /", &n);
	assert_non_null(strstr(got, "             1000000 file\r\n"));
	assert_non_null(strstr(got, "M       <DIR>          dir\r\n"));
	assert_null(strstr(got, " ..\r\n"));
	free(got);
	got = talk_retrieve(&f->t, "MLSD", &n);
	assert_non_null(strstr(got, "type=dir;"));
	free(got);
	testd_set_faults(&f->d, &(struct aftp_faults){ .listing = AFTP_STYLE_NONSENSE });
	static const char *const commands[] = { "MLSD", "LIST", "LIST -a" };
	for (int i = 0; i < 3; i++) {
		got = talk_retrieve(&f->t, commands[i], &n);
		assert_true(n > 0);
		assert_null(strstr(got, "dir"));
		free(got);
	}
	end(f);
}

/* --- babble ------------------------------------------------------------------------------------------ */

static void check_babble(struct fixture *f, int kind, char *data, size_t max)
{
	size_t n = listen_to(f->t.fd, data, kind == 0 ? 4096 : kind == 3 ? 0 : max, max);
	if (kind == 0)
		assert_true(n == 4096 && memmem(data, 8, "220", 3) == NULL);
	else if (kind == 1)
		assert_true(n == max && !memchr(data, '\n', n));
	else if (kind == 2)
		assert_true(n == max && memcmp(data, "220-", 4) == 0 && !memmem(data, n, "\n220 ", 5));
	else
		assert_int_equal(n, 0);
}

static void test_babble(void **state)
{
	enum { MAX = 4 << 20 };
	static const struct aftp_faults kinds[] = { { .garbage = true }, { .endless_line = true },
		{ .endless_reply = true }, { .silence = true } };
	char *data = malloc(MAX);
	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		struct fixture *f = begin(&kinds[kind]);
		talk_open(&f->t, &f->d);
		check_babble(f, kind, data, MAX);
		talk_close(&f->t);
		struct aftp_faults at = kinds[kind];
		at.at = "pwd";
		testd_set_faults(&f->d, &at);
		talk_login(&f->t, &f->d, "anonymous", "x");
		talk_send(&f->t, "PWD\r\nNOOP\r\n", 11);
		check_babble(f, kind, data, MAX);
		end(f);
	}
	free(data);
}

/* --- the link ---------------------------------------------------------------------------------------- */

static double seconds_since(uint64_t start)
{
	return (double)(uv_hrtime() - start) / 1e9;
}

static void test_latency(void **state)
{
	struct fixture *f = begin(&(struct aftp_faults){ .latency_ms = 20 });
	size_t n;
	bool reset;
	(void)state;
	uint64_t start = uv_hrtime();
	talk_open(&f->t, &f->d);
	assert_int_equal(talk_reply(&f->t), 220);
	assert_true(seconds_since(start) >= 0.080); /* three for the handshake, one for the greeting */
	start = uv_hrtime();
	talk_expect(&f->t, 331, "USER anonymous");
	assert_true(seconds_since(start) >= 0.040);
	talk_expect(&f->t, 230, "PASS x");
	start = uv_hrtime(); /* pipelined: one round trip for all */
	for (int i = 0; i < 1000; i++)
		talk_send(&f->t, "NOOP\r\n", 6);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(talk_reply(&f->t), 200);
	assert_true(seconds_since(start) >= 0.040);
	assert_true(seconds_since(start) < 20.0); /* a thousand would be 40 s */
	start = uv_hrtime();
	int fd = talk_epsv(&f->t);
	talk_expect(&f->t, 150, "RETR file");
	char *got = talk_drain(fd, &n, &reset);
	assert_int_equal(talk_reply(&f->t), 226);
	assert_true(seconds_since(start) >= 0.040 + 0.080);
	assert_int_equal(n, SIZE);
	assert_memory_equal(got, f->want, n);
	free(got);
	talk_store(&f->t, "STOR up", f->want, SIZE);
	free(talk_retrieve(&f->t, "RETR up", &n));
	assert_int_equal(n, SIZE);
	talk_expect(&f->t, 221, "QUIT");
	assert_int_equal(talk_reply(&f->t), 0);
	end(f);
}

/* The delay is a pipe, not a wait for each block: 64 MiB through 50 ms. */
static void test_latency_keeps_the_rate(void **state)
{
	enum { BIG = 64 << 20 };
	struct fixture *f = begin_in(&(struct aftp_faults){ .latency_ms = 50 });
	size_t n;
	(void)state;
	testd_pattern(&f->d, "/big", BIG, 3);
	int fd = talk_epsv(&f->t);
	talk_expect(&f->t, 150, "RETR big");
	char *got = talk_drain(fd, &n, NULL), *want = malloc(BIG);
	assert_int_equal(talk_reply(&f->t), 226);
	assert_int_equal(n, BIG);
	aftp_memfs_pattern(3, 0, want, BIG);
	assert_memory_equal(got, want, BIG);
	free(got);
	free(want);
	end(f);
}

/* With latency a transfer is over when its bytes are on their way; a QUIT behind it must not cut them. */
static void test_quit_behind_latency(void **state)
{
	struct fixture *f = begin_in(&(struct aftp_faults){ .latency_ms = 20 });
	size_t n;
	bool reset;
	(void)state;
	int fd = talk_epsv(&f->t);
	talk_send(&f->t, "RETR file\r\nQUIT\r\n", 17);
	char *got = talk_drain(fd, &n, &reset);
	assert_int_equal(n, SIZE);
	assert_false(reset);
	assert_memory_equal(got, f->want, n);
	free(got);
	assert_int_equal(talk_reply(&f->t), 150);
	assert_int_equal(talk_reply(&f->t), 226);
	assert_int_equal(talk_reply(&f->t), 221);
	end(f);
}

static void test_cuts_with_latency(void **state)
{
	struct fixture *f = begin_in(&(struct aftp_faults){ .latency_ms = 10, .drop_after = 5000, .times = 1 });
	size_t n;
	bool reset;
	(void)state;
	int fd = talk_epsv(&f->t);
	talk_expect(&f->t, 150, "RETR file");
	free(talk_drain(fd, &n, &reset));
	assert_true(n <= 5000 && reset);
	assert_int_equal(talk_reply(&f->t), 426);
	assert_whole(f);
	end(f);
}

static void test_rate(void **state)
{
	struct fixture *f = begin_in(&(struct aftp_faults){ .rate = 2000000 });
	(void)state;
	uint64_t start = uv_hrtime();
	assert_whole(f);
	assert_true(seconds_since(start) >= 0.45);
	start = uv_hrtime();
	talk_store(&f->t, "STOR up", f->want, SIZE);
	assert_true(seconds_since(start) >= 0.45);
	end(f);
}

/* --- options ----------------------------------------------------------------------------------------- */

static void test_bad_options(void **state)
{
	static const char *const no[] = { "NONE", NULL };
	const struct aftp_user twice[] = { { .name = "a" }, { .name = "a" } };
	const struct aftp_faults bad[] = { { .no = no }, { .at = "NONE" }, { .pasv_address = "here" } };
	struct aftp_server *srv = NULL;
	struct aftp_memfs *fs;
	uv_loop_t loop;
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(aftp_memfs_new(&fs, &loop), 0);
	struct aftp_server_options o = { 0 };
	assert_int_equal(aftp_server_new(&srv, &loop, &o), AFTP_EINVAL);
	o.vfs = aftp_memfs_vfs(fs);
	for (int i = 0; i < 3; i++) {
		o.faults = bad[i];
		assert_int_equal(aftp_server_new(&srv, &loop, &o), AFTP_EINVAL);
	}
	o.faults = (struct aftp_faults){ 0 };
	o.users = twice;
	o.nusers = 2;
	assert_int_equal(aftp_server_new(&srv, &loop, &o), AFTP_EINVAL);
	assert_null(srv);
	o.nusers = 1;
	assert_int_equal(aftp_server_new(&srv, &loop, &o), 0);
	assert_int_equal(aftp_server_set_faults(srv, &bad[0]), AFTP_EINVAL);
	aftp_server_close(&srv, NULL, NULL);
	assert_null(srv);
	aftp_server_close(&srv, NULL, NULL);
	aftp_memfs_close(&fs);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drop_download),
		cmocka_unit_test(test_drop_upload),
		cmocka_unit_test(test_drop_listing),
		cmocka_unit_test(test_drop_all),
		cmocka_unit_test(test_stall),
		cmocka_unit_test(test_stall_and_go),
		cmocka_unit_test(test_control_is_cut_anywhere),
		cmocka_unit_test(test_drop_after_commands),
		cmocka_unit_test(test_missing_commands),
		cmocka_unit_test(test_no_final_reply),
		cmocka_unit_test(test_short_data),
		cmocka_unit_test(test_refuse_data),
		cmocka_unit_test(test_pasv_address),
		cmocka_unit_test(test_listing_styles),
		cmocka_unit_test(test_babble),
		cmocka_unit_test(test_latency),
		cmocka_unit_test(test_latency_keeps_the_rate),
		cmocka_unit_test(test_quit_behind_latency),
		cmocka_unit_test(test_cuts_with_latency),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_bad_options),
	};
	return cmocka_run_group_tests_name("server_faults", tests, NULL, NULL);
}
