/* Where data connections go: active mode, ranges of ports, and whom neither may reach. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "transfer_fixture.h"

static int listen_somewhere(bool six, uint16_t *port)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr *addr = six ? (struct sockaddr *)&v6 : (struct sockaddr *)&four;
	socklen_t len = six ? sizeof(v6) : sizeof(four);
	struct timeval patience = { .tv_sec = 60 };
	int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(bind(fd, addr, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, addr, &len), 0);
	*port = ntohs(six ? v6.sin6_port : four.sin_port);
	return fd;
}

static int take(int listener)
{
	struct timeval patience = { .tv_sec = 60 };
	int fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static void say_target(struct talk *t, bool eprt, uint16_t port)
{
	if (t->ipv6)
		talk_expect(t, 200, "EPRT |2|::1|%u|", port);
	else if (eprt)
		talk_expect(t, 200, "EPRT |1|127.0.0.1|%u|", port);
	else
		talk_expect(t, 200, "PORT 127,0,0,1,%u,%u", port >> 8, port & 255);
}

static void transfers(struct fixture *f, bool eprt)
{
	uint16_t port;
	size_t n;
	int listener = listen_somewhere(f->t.ipv6, &port);
	say_target(&f->t, eprt, port);
	talk_expect(&f->t, 150, "RETR file");
	char *got = talk_drain(take(listener), &n, NULL);
	assert_string_equal(got, "content");
	free(got);
	assert_int_equal(talk_reply(&f->t), 226);
	/* once only */
	talk_expect(&f->t, 425, "RETR file");
	say_target(&f->t, eprt, port);
	talk_expect(&f->t, 150, "STOR up");
	int fd = take(listener);
	assert_int_equal(send(fd, "active", 6, MSG_NOSIGNAL), 6);
	close(fd);
	assert_int_equal(talk_reply(&f->t), 226);
	assert_file(f, "up", "active", 6);
	close(listener);
}

static void test_active(void **state)
{
	struct fixture *f = begin(NULL);
	(void)state;
	transfers(f, false);
	transfers(f, true);
	end(f);
	f = begin(&(struct aftp_server_options){ .faults = { .latency_ms = 5 } });
	transfers(f, true);
	end(f);
}

static void test_active_ipv6(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	(void)state;
	assert_non_null(f);
	testd_start(&f->d, NULL, true);
	testd_put(&f->d, "/file", "content", 7);
	talk_login(&f->t, &f->d, "anonymous", "x");
	transfers(f, true);
	talk_expect(&f->t, 500, "PORT 127,0,0,1,100,100");
	end(f);
}

static void test_refused_targets(void **state)
{
	static const struct talk_step steps[] = {
		{ NULL, 220, NULL },
		{ "USER anonymous", 331, NULL },
		{ "PASS x", 230, NULL },
		{ "PORT 10,0,0,1,100,100", 500, "not your address" },
		{ "PORT 127,0,0,2,100,100", 500, "not your address" },
		{ "PORT 127,0,0,1,3,255", 500, "below port 1024" },
		{ "PORT 127,0,0,1,0,0", 500, NULL },
		{ "PORT 127,0,0,1", 501, NULL },
		{ "PORT", 501, NULL },
		{ "EPRT |1|10.0.0.1|5000|", 500, NULL },
		{ "EPRT |2|::1|5000|", 500, NULL },
		{ "EPRT |1|127.0.0.1|80|", 500, NULL },
		{ "EPRT |3|127.0.0.1|5000|", 522, "(1,2)" },
		{ "EPRT |1|127.0.0.1|", 501, NULL },
		{ "RETR file", 425, NULL },
		{ "EPSV ALL", 200, NULL },
		{ "PORT 127,0,0,1,100,100", 501, NULL },
		{ "EPRT |1|127.0.0.1|5000|", 501, NULL },
		{ "PASV", 501, NULL },
	};
	struct testd d;
	(void)state;
	testd_start(&d, NULL, false);
	talk_play(&d, steps, sizeof(steps) / sizeof(steps[0]));
	testd_stop(&d);
}

static void test_nobody_listens(void **state)
{
	struct fixture *f = begin(NULL);
	uint16_t port;
	(void)state;
	close(listen_somewhere(false, &port));
	say_target(&f->t, true, port);
	talk_expect(&f->t, 425, "RETR file");
	say_target(&f->t, true, port);
	talk_expect(&f->t, 425, "STOR up");
	/* the newest counts */
	int listener = listen_somewhere(false, &port);
	say_target(&f->t, true, port);
	assert_file(f, "file", "content", 7);
	close(listener);
	/* going in the middle of it */
	listener = listen_somewhere(false, &port);
	say_target(&f->t, true, port);
	talk_send(&f->t, "RETR big\r\n", 10);
	close(take(listener));
	close(listener);
	assert_int_equal(talk_reply(&f->t), 150);
	assert_int_equal(talk_reply(&f->t), 426);
	end(f);
}

static void test_foreign(void **state)
{
	struct fixture *f = begin(&(struct aftp_server_options){ .foreign_data = true });
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002) }, to = from;
	size_t n;
	(void)state;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(from);
	assert_int_equal(bind(listener, (struct sockaddr *)&from, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&from, &len), 0);
	uint16_t port = ntohs(from.sin_port);
	talk_expect(&f->t, 500, "PORT 127,0,0,2,0,80");
	talk_expect(&f->t, 200, "PORT 127,0,0,2,%u,%u", port >> 8, port & 255);
	talk_expect(&f->t, 150, "RETR file");
	char *got = talk_drain(take(listener), &n, NULL);
	assert_string_equal(got, "content");
	free(got);
	assert_int_equal(talk_reply(&f->t), 226);
	close(listener);
	/* and the other way round */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	from.sin_port = 0;
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons(epsv_port(&f->t));
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	talk_expect(&f->t, 150, "RETR file");
	got = talk_drain(fd, &n, NULL);
	assert_string_equal(got, "content");
	free(got);
	assert_int_equal(talk_reply(&f->t), 226);
	end(f);
}

/* --- ranges of ports ------------------------------------------------------------------------------- */

/* `count` ports in a row that nobody has just now; the first. */
static uint16_t free_ports(unsigned count)
{
	for (unsigned base = 20000 + (unsigned)getpid() % 10000; base < 32000; base += count) {
		unsigned i = 0;
		for (; i < count; i++) {
			struct sockaddr_in a = { .sin_family = AF_INET,
				.sin_port = htons((uint16_t)(base + i)),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
			int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;
			rc = bind(fd, (struct sockaddr *)&a, sizeof(a));
			close(fd);
			if (rc < 0)
				break;
		}
		if (i == count)
			return (uint16_t)base;
	}
	fail_msg("no free ports");
	return 0;
}

static void test_port_range(void **state)
{
	uint16_t first = free_ports(3);
	struct aftp_server_options o = { .first_port = first, .last_port = (uint16_t)(first + 2) };
	struct fixture *f = begin(&o);
	struct talk other[3];
	unsigned seen = 0;
	(void)state;
	/* Each of them serves, one after the other. */
	for (int i = 0; i < 9; i++) {
		uint16_t port = epsv_port(&f->t);
		size_t n;
		assert_in_range(port, first, first + 2);
		seen |= 1u << (port - first);
		int fd = talk_connect(port, false);
		talk_expect(&f->t, 150, "RETR file");
		char *got = talk_drain(fd, &n, NULL);
		assert_string_equal(got, "content");
		free(got);
		assert_int_equal(talk_reply(&f->t), 226);
	}
	assert_int_equal(seen, 7);
	/* Three have one each; the fourth has none until one goes, and its session lives on. */
	seen = 0;
	for (int i = 0; i < 3; i++) {
		talk_login(&other[i], &f->d, "anonymous", "x");
		seen |= 1u << (epsv_port(&other[i]) - first);
	}
	assert_int_equal(seen, 7);
	talk_expect(&f->t, 425, "EPSV");
	assert_non_null(strstr(f->t.reply, "none is free"));
	talk_expect(&f->t, 425, "PASV");
	talk_expect(&other[1], 221, "QUIT");
	assert_true(talk_ended(&other[1], 60000));
	talk_expect(&f->t, 227, "PASV");
	/* one's own is free for oneself */
	for (int i = 0; i < 5; i++)
		talk_expect(&f->t, 229, "EPSV");
	for (int i = 0; i < 3; i++)
		talk_close(&other[i]);
	end(f);
}

static void test_busy_port(void **state)
{
	uint16_t first = free_ports(2);
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(first), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	struct aftp_server_options o = { .first_port = first, .last_port = (uint16_t)(first + 1) };
	int busy = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)state;
	assert_int_equal(bind(busy, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(busy, 1), 0);
	struct fixture *f = begin(&o);
	for (int i = 0; i < 4; i++)
		assert_int_equal(epsv_port(&f->t), first + 1);
	close(busy);
	end(f);
}

static void test_bad_ranges(void **state)
{
	static const uint16_t bad[][2] = { { 0, 5000 }, { 5000, 0 }, { 5001, 5000 } };
	struct fixture *f = begin(NULL);
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct aftp_server_options o = {
			.vfs = aftp_memfs_vfs(f->d.fs), .first_port = bad[i][0], .last_port = bad[i][1]
		};
		struct aftp_server *server = NULL;
		assert_true(aftp_server_new(&server, &f->d.loop, &o) < 0);
	}
	end(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_active),
		cmocka_unit_test(test_active_ipv6),
		cmocka_unit_test(test_refused_targets),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_port_range),
		cmocka_unit_test(test_busy_port),
		cmocka_unit_test(test_bad_ranges),
	};
	return cmocka_run_group_tests_name("active", tests, NULL, NULL);
}
