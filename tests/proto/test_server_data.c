/* How the two connections play together: who may connect and when, what stops a transfer, what is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "proto/transfer_fixture.h"

static void assert_pattern(const char *data, uint64_t off, size_t n)
{
	char *want = malloc(n + 1);
	aftp_memfs_pattern(1, off, want, n);
	assert_memory_equal(data, want, n);
	free(want);
}

/* --- the data connection ---------------------------------------------------------------------------- */

static void test_connection_after_command(void **state)
{
	struct fixture *f = begin(NULL);
	size_t n;
	(void)state;
	uint16_t port = epsv_port(&f->t);
	talk_send(&f->t, "RETR file\r\n", 11);
	talk_send(&f->t, "NOOP\r\n", 6); /* has to wait */
	int fd = talk_connect(port, false);
	assert_true(fd >= 0);
	assert_int_equal(talk_reply(&f->t), 150);
	char *got = talk_drain(fd, &n, NULL);
	assert_string_equal(got, "content");
	free(got);
	assert_int_equal(talk_reply(&f->t), 226);
	assert_int_equal(talk_reply(&f->t), 200);
	end(f);
}

static void test_data_before_command(void **state)
{
	struct fixture *f = begin(NULL);
	(void)state;
	int fd = talk_epsv(&f->t);
	assert_int_equal(send(fd, "early", 5, 0), 5);
	close(fd);
	talk_expect(&f->t, 150, "STOR f");
	assert_int_equal(talk_reply(&f->t), 226);
	assert_file(f, "f", "early", 5);
	end(f);
}

static void test_no_connection(void **state)
{
	const struct aftp_server_options brief = { .data_timeout_ms = 100 };
	struct fixture *f = begin(&brief);
	(void)state;
	uint16_t port = epsv_port(&f->t);
	talk_expect(&f->t, 425, "RETR file");
	assert_int_equal(talk_connect(port, false), -ECONNREFUSED);
	talk_expect(&f->t, 425, "LIST");
	assert_file(f, "file", "content", 7);
	end(f);
}

static void test_new_port_closes_the_old(void **state)
{
	struct fixture *f = begin(NULL);
	size_t n;
	bool reset;
	(void)state;
	uint16_t first = epsv_port(&f->t);
	int fd = talk_epsv(&f->t);
	assert_int_equal(talk_connect(first, false), -ECONNREFUSED);
	int again = talk_epsv(&f->t);
	free(talk_drain(fd, &n, &reset));
	assert_true(reset);
	assert_int_equal(n, 0);
	talk_expect(&f->t, 227, "PASV");
	unsigned p[2];
	assert_int_equal(sscanf(strchr(f->t.reply, '('), "(127,0,0,1,%u,%u)", &p[0], &p[1]), 2);
	free(talk_drain(again, &n, &reset));
	assert_true(reset);
	fd = talk_connect((uint16_t)(p[0] << 8 | p[1]), false);
	assert_true(fd >= 0);
	talk_expect(&f->t, 150, "RETR file");
	char *got = talk_drain(fd, &n, NULL);
	assert_string_equal(got, "content");
	free(got);
	assert_int_equal(talk_reply(&f->t), 226);
	end(f);
}

static void test_first_connection_wins(void **state)
{
	struct fixture *f = begin(NULL);
	size_t n;
	(void)state;
	uint16_t port = epsv_port(&f->t);
	int fd = talk_connect(port, false);
	assert_true(fd >= 0);
	while (testd_counters(&f->d).data_connections == 0)
		;
	assert_int_equal(talk_connect(port, false), -ECONNREFUSED);
	talk_expect(&f->t, 150, "RETR file");
	char *got = talk_drain(fd, &n, NULL);
	assert_string_equal(got, "content");
	free(got);
	end(f);
}

/* Somebody else who guesses the port gets nothing, and spoils nothing. */
static void test_stranger(void **state)
{
	struct fixture *f = begin(NULL);
	struct sockaddr_in from = { .sin_family = AF_INET }, to = { .sin_family = AF_INET };
	char byte;
	size_t n;
	(void)state;
	uint16_t port = epsv_port(&f->t);
	int stranger = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	inet_pton(AF_INET, "127.0.0.2", &from.sin_addr);
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	to.sin_port = htons(port);
	assert_int_equal(bind(stranger, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(stranger, (struct sockaddr *)&to, sizeof(to)), 0);
	talk_send(&f->t, "RETR file\r\n", 11);
	assert_int_equal(recv(stranger, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	close(stranger);
	int fd = talk_connect(port, false);
	assert_true(fd >= 0);
	assert_int_equal(talk_reply(&f->t), 150);
	char *got = talk_drain(fd, &n, NULL);
	assert_string_equal(got, "content");
	free(got);
	assert_int_equal(talk_reply(&f->t), 226);
	end(f);
}

static void test_armed_channel_keeps(void **state)
{
	static const char *const between[] = { "NOOP", "PWD", "SIZE file", "CWD /dir", "CWD /", "RETR none", "RETR dir",
		"MLSD file", "MLST file", "TYPE I", "REST 0", "FEAT", "STAT", "ABOR" };
	struct fixture *f = begin(NULL);
	size_t n;
	(void)state;
	int fd = talk_epsv(&f->t);
	for (size_t i = 0; i < sizeof(between) / sizeof(between[0]); i++)
		assert_true(talk_say(&f->t, "%s", between[i]) >= 200);
	talk_expect(&f->t, 150, "RETR file");
	char *got = talk_drain(fd, &n, NULL);
	assert_string_equal(got, "content");
	free(got);
	end(f);
}

/* --- stopping ---------------------------------------------------------------------------------------- */

static int read_some(struct talk *t, const char *command)
{
	char data[100000];
	size_t n = 0;
	int fd = talk_epsv(t);
	talk_expect(t, 150, "%s", command);
	while (n < sizeof(data)) {
		ssize_t got = recv(fd, data + n, sizeof(data) - n, 0);
		assert_true(got > 0);
		n += (size_t)got;
	}
	assert_pattern(data, 0, n);
	return fd;
}

static void test_early_close(void **state)
{
	struct fixture *f = begin(NULL);
	(void)state;
	for (int i = 0; i < 20; i++) {
		close(read_some(&f->t, "RETR big"));
		assert_int_equal(talk_reply(&f->t), 426);
		talk_expect(&f->t, 257, "PWD");
	}
	assert_file(f, "file", "content", 7);
	end(f);
}

static void test_abort_of_a_download(void **state)
{
	struct fixture *f = begin(NULL);
	size_t n;
	bool reset;
	(void)state;
	int fd = read_some(&f->t, "RETR big");
	talk_expect(&f->t, 211, "STAT");
	assert_non_null(strstr(f->t.reply, "Transferring: "));
	talk_expect(&f->t, 426, "ABOR");
	assert_int_equal(talk_reply(&f->t), 226);
	free(talk_drain(fd, &n, &reset));
	assert_true(reset);
	talk_expect(&f->t, 225, "ABOR");
	assert_file(f, "file", "content", 7);
	end(f);
}

static void test_abort_of_an_upload(void **state)
{
	struct fixture *f = begin(NULL);
	char byte;
	(void)state;
	int fd = talk_epsv(&f->t);
	talk_expect(&f->t, 150, "STOR f");
	assert_int_equal(send(fd, "abc", 3, 0), 3);
	while (testd_counters(&f->d).bytes_received < 3)
		;
	talk_expect(&f->t, 426, "ABOR");
	assert_int_equal(talk_reply(&f->t), 226);
	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	close(fd);
	assert_file(f, "f", "abc", 3);
	end(f);
}

/* A client that dies in the middle of an upload has not finished it, however close to its last bytes that comes. */
static void test_reset_upload_is_no_success(void **state)
{
	struct fixture *f = begin(NULL);
	(void)state;
	for (int i = 0; i < 100; i++) {
		struct linger now = { .l_onoff = 1 };
		int fd = talk_epsv(&f->t);
		talk_expect(&f->t, 150, "STOR f");
		assert_int_equal(send(fd, "abc", 3, 0), 3);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(fd);
		assert_int_equal(talk_reply(&f->t), 426);
	}
	end(f);
}

/* In the server's own thread: it sees the connection when that is gone already. */
static void come_and_go(struct testd *d, void *arg)
{
	struct linger now = { .l_onoff = 1 };
	int fd = talk_connect(*(uint16_t *)arg, false);
	(void)d;
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

/* It was the connection all the same: nobody waits for another. */
static void test_reset_before_it_is_seen(void **state)
{
	static const char *const commands[] = { "STOR f", "RETR file", "LIST" };
	struct fixture *f = begin(NULL);
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		talk_expect(&f->t, 229, "EPSV");
		uint16_t port = (uint16_t)strtoul(strstr(f->t.reply, "(|||") + 4, NULL, 10);
		testd_call(&f->d, come_and_go, &port);
		talk_expect(&f->t, 150, "%s", commands[i]);
		assert_int_equal(talk_reply(&f->t), 426);
	}
	talk_expect(&f->t, 257, "PWD");
	end(f);
}

static void test_abort_while_waiting(void **state)
{
	struct fixture *f = begin(NULL);
	(void)state;
	uint16_t port = epsv_port(&f->t);
	talk_send(&f->t, "RETR file\r\nABOR\r\n", 17);
	assert_int_equal(talk_reply(&f->t), 426);
	assert_int_equal(talk_reply(&f->t), 226);
	assert_int_equal(talk_connect(port, false), -ECONNREFUSED);
	assert_file(f, "file", "content", 7);
	end(f);
}

/* Commands behind a transfer wait for it; an ABOR behind them waits too. */
static void test_order_around_a_transfer(void **state)
{
	static const int codes[] = { 226, 257, 213, 225 };
	struct fixture *f = begin(NULL);
	size_t n;
	(void)state;
	int fd = read_some(&f->t, "RETR big");
	talk_send(&f->t, "PWD\r\nSIZE file\r\nABOR\r\n", 22);
	char *rest = talk_drain(fd, &n, NULL);
	assert_int_equal(n, (64 << 20) - 100000);
	assert_pattern(rest, 100000, n);
	free(rest);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		assert_int_equal(talk_reply(&f->t), codes[i]);
	end(f);
}

static void test_quit_waits_for_a_transfer(void **state)
{
	struct fixture *f = begin(NULL);
	size_t n;
	(void)state;
	int fd = read_some(&f->t, "RETR big");
	talk_send(&f->t, "QUIT\r\n", 6);
	free(talk_drain(fd, &n, NULL));
	assert_int_equal(n, (64 << 20) - 100000);
	assert_int_equal(talk_reply(&f->t), 226);
	assert_int_equal(talk_reply(&f->t), 221);
	assert_int_equal(talk_reply(&f->t), 0);
	end(f);
}

static void test_idle_limit_spares_transfers(void **state)
{
	const struct aftp_server_options brief = { .idle_timeout_ms = 2000, .faults.rate = 80000 };
	struct fixture *f = begin(&brief);
	size_t n;
	bool reset;
	(void)state;
	testd_pattern(&f->d, "/slow", 200000, 2);
	int fd = talk_epsv(&f->t);
	uint64_t start = uv_hrtime();
	talk_expect(&f->t, 150, "RETR slow");
	free(talk_drain(fd, &n, &reset));
	assert_int_equal(n, 200000);
	assert_false(reset);
	assert_true(uv_hrtime() - start > UINT64_C(2000000000)); /* longer than the limit, or nothing was shown */
	assert_int_equal(talk_reply(&f->t), 226);
	assert_int_equal(talk_reply(&f->t), 421);
	assert_int_equal(talk_reply(&f->t), 0);
	end(f);
}

static void test_stalled_upload_ends(void **state)
{
	const struct aftp_server_options brief = { .stall_timeout_ms = 100 };
	struct fixture *f = begin(&brief);
	(void)state;
	int fd = talk_epsv(&f->t);
	talk_expect(&f->t, 150, "STOR f");
	assert_int_equal(talk_reply(&f->t), 426);
	close(fd);
	talk_expect(&f->t, 200, "NOOP");
	end(f);
}

static void test_stalled_download_ends(void **state)
{
	const struct aftp_server_options brief = { .stall_timeout_ms = 100 };
	struct fixture *f = begin(&brief);
	(void)state;
	int fd = talk_epsv(&f->t);
	talk_expect(&f->t, 150, "RETR big");
	assert_int_equal(talk_reply(&f->t), 426);
	close(fd);
	talk_expect(&f->t, 200, "NOOP");
	end(f);
}

/* The client vanishes, or the server stops, in every stage of a transfer. end() fails when something is left over. */
static void test_end_in_every_stage(void **state)
{
	static const char *const commands[] = { "RETR big", "STOR f", "MLSD /many", "LIST -a /", "RETR file",
		"STAT /many" };
	const struct aftp_server_options brief = { .data_timeout_ms = 200 };
	int count = 1000;
	(void)state;
	for (int round = 0; round < 24; round++) {
		struct fixture *f = begin(&brief);
		const char *command = commands[round % 6];
		testd_call(&f->d, make_many, &count);
		uint16_t port = epsv_port(&f->t);
		int fd = round % 4 < 3 ? talk_connect(port, false) : -1;
		talk_send(&f->t, command, strlen(command));
		talk_send(&f->t, "\r\n", 2);
		if (round % 4 == 1 && command[0] != 'S')
			assert_true(talk_reply(&f->t) > 0);
		if (round % 3 == 0) {
			struct linger now = { .l_onoff = 1 };
			setsockopt(f->t.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
			talk_close(&f->t);
			while (round % 2 && testd_counters(&f->d).sessions_now > 0)
				;
		}
		end(f);
		if (fd >= 0)
			close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connection_after_command),
		cmocka_unit_test(test_data_before_command),
		cmocka_unit_test(test_no_connection),
		cmocka_unit_test(test_new_port_closes_the_old),
		cmocka_unit_test(test_first_connection_wins),
		cmocka_unit_test(test_stranger),
		cmocka_unit_test(test_armed_channel_keeps),
		cmocka_unit_test(test_early_close),
		cmocka_unit_test(test_abort_of_a_download),
		cmocka_unit_test(test_abort_of_an_upload),
		cmocka_unit_test(test_reset_upload_is_no_success),
		cmocka_unit_test(test_reset_before_it_is_seen),
		cmocka_unit_test(test_abort_while_waiting),
		cmocka_unit_test(test_order_around_a_transfer),
		cmocka_unit_test(test_quit_waits_for_a_transfer),
		cmocka_unit_test(test_idle_limit_spares_transfers),
		cmocka_unit_test(test_stalled_upload_ends),
		cmocka_unit_test(test_stalled_download_ends),
		cmocka_unit_test(test_end_in_every_stage),
	};
	return cmocka_run_group_tests_name("server_data", tests, NULL, NULL);
}
