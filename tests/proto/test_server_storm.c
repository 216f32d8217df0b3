/* Whatever clients say in whatever order, and whenever they go: the server lives, leaves nothing behind, and stays in step
 * with whoever behaves. For each server that it can play; the same numbers in every run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/testd.h"

enum { CLIENTS = 6, STEPS = 1500, FDS = 2 };

struct wild {
	int fd;        /* -1: not connected */
	int data[FDS]; /* -1: none */
	uint16_t ports[FDS];
};

static uint32_t random_state;

static uint32_t any(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % below;
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* What has come, without waiting; looks for the ports in it. */
static void hear(struct wild *w)
{
	char text[4096];
	ssize_t n = recv(w->fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	if (n <= 0)
		return;
	text[n] = '\0';
	for (const char *p = text; (p = strstr(p, "(|||")); p += 4)
		w->ports[any(FDS)] = (uint16_t)strtoul(p + 4, NULL, 10);
}

static void say(struct wild *w)
{
	static const char *const lines[] = { "EPSV", "EPSV", "EPSV", "RETR big", "RETR small", "RETR none", "STOR up",
		"STOR up", "APPE up", "LIST", "LIST d*", "LIST -a dir", "NLST dir", "MLSD", "MLSD dir", "ABOR", "ABOR",
		"REST 3", "SIZE up", "PWD", "NOOP", "STAT", "STAT dir", "RNFR up", "RNTO up2", "DELE up2", "MKD d",
		"RMD d", "CWD dir", "CDUP", "TYPE I", "TYPE A", "MLST small", "HASH big", "XCRC small",
		"SITE CPFR small", "SITE CPTO copy", "RANG 1 5", "STOU", "NONE", "REIN", "USER ftp", "PASS x", "FEAT",
		"HELP", "PORT 127,0,0,1,4,0", "EPRT |1|127.0.0.1|1|", "MFMT 20200101000000 up", "QUIT" };
	char text[256];
	int n = 0;
	for (uint32_t i = any(3) + 1; i > 0; i--)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%s\r\n",
			lines[any(sizeof(lines) / sizeof(lines[0]) - (any(10) > 0))]);
	send(w->fd, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void move_data(int fd)
{
	char text[60000] = "x";
	if (any(2))
		send(fd, text, any(sizeof(text)), MSG_NOSIGNAL | MSG_DONTWAIT);
	else
		recv(fd, text, sizeof(text), MSG_DONTWAIT);
}

static void step(struct wild *w, uint16_t port)
{
	static const char login[] = "USER ftp\r\nPASS x\r\nTYPE I\r\n";
	uint32_t i = any(FDS);
	if (w->fd < 0) {
		w->fd = talk_connect(port, false);
		assert_true(w->fd >= 0);
		send(w->fd, login, sizeof(login) - 1, MSG_NOSIGNAL);
		return;
	}
	hear(w);
	switch (any(12)) {
	case 0: shut(&w->data[i]); break;
	case 1:
	case 2:
		shut(&w->data[i]);
		w->data[i] = w->ports[i] ? talk_connect(w->ports[i], false) : -1;
		break;
	case 3:
	case 4:
	case 5:
		if (w->data[i] >= 0)
			move_data(w->data[i]);
		break;
	case 6:
		if (any(8) == 0)
			shut(&w->fd);
		break;
	case 7:
		if (w->data[i] >= 0 && any(2))
			shutdown(w->data[i], SHUT_WR);
		break;
	case 8: poll(NULL, 0, (int)any(3)); break;
	default: say(w); break;
	}
}

/* Somebody who behaves gets what is right. */
static void behave(struct testd *d, int transfer_code)
{
	struct talk t;
	size_t n;
	talk_login(&t, d, "ftp", "x");
	int fd = talk_epsv(&t);
	int code = talk_say(&t, "RETR small");
	assert_true(code == 150 || code == 125);
	char *got = talk_drain(fd, &n, NULL);
	assert_int_equal(n, 5);
	assert_memory_equal(got, "hello", 5);
	free(got);
	assert_int_equal(talk_reply(&t), transfer_code);
	talk_expect(&t, 257, "PWD");
	talk_close(&t);
}

static void storm(const struct aftp_server_options *o, uint32_t seed, bool slow)
{
	struct wild wild[CLIENTS];
	struct testd d;
	random_state = seed;
	if (slow)
		testd_start_slow(&d, o);
	else
		testd_start(&d, o, false);
	testd_put(&d, "/small", "hello", 5);
	testd_put(&d, "/dir/file", "x", 1);
	testd_pattern(&d, "/big", 3 << 20, 1);
	for (int i = 0; i < CLIENTS; i++)
		wild[i] = (struct wild){ .fd = -1, .data = { -1, -1 } };
	for (int i = 0; i < STEPS; i++)
		step(&wild[any(CLIENTS)], d.port);
	if (o->faults.nrules == 0)
		behave(&d, 226);
	bool first = any(2);
	for (int i = 0; i < CLIENTS && first; i++)
		shut(&wild[i].fd);
	testd_stop(&d);
	for (int i = 0; i < CLIENTS; i++) {
		shut(&wild[i].fd);
		for (int j = 0; j < FDS; j++)
			shut(&wild[i].data[j]);
	}
}

static void test_whoever_is_played(void **state)
{
	(void)state;
	for (unsigned play = AFTP_PLAY_MEMFTPD; play <= AFTP_PLAY_AIOFTP; play++)
		for (uint32_t seed = 1; seed <= 4; seed++)
			storm(&(struct aftp_server_options){ .play = (enum aftp_server_play)play }, seed, false);
}

static void test_slow_files(void **state)
{
	(void)state;
	for (unsigned play = AFTP_PLAY_MEMFTPD; play <= AFTP_PLAY_AIOFTP; play++)
		for (uint32_t seed = 1; seed <= 2; seed++)
			storm(&(struct aftp_server_options){ .play = (enum aftp_server_play)play }, seed + 50, true);
}

static void test_slow_links(void **state)
{
	(void)state;
	for (unsigned play = AFTP_PLAY_MEMFTPD; play <= AFTP_PLAY_AIOFTP; play++)
		storm(&(struct aftp_server_options){ .play = (enum aftp_server_play)play,
			      .limits = { 1000000, 1000000 },
			      .faults = { .latency_ms = 2, .split_replies = true } },
			play + 10, false);
}

static void test_everything_goes_wrong(void **state)
{
	static const struct aftp_rule rules[] = {
		{ .verb = "RETR", .first = 2, .last = 2, .act = AFTP_ACT_DELAY, .number = 20 },
		{ .verb = "RETR", .first = 3, .act = AFTP_ACT_DROP_AFTER, .number = 1000 },
		{ .verb = "STOR", .first = 1, .last = 3, .act = AFTP_ACT_STALL_AFTER, .number = 100 },
		{ .verb = "STOR", .first = 4, .act = AFTP_ACT_DROP_ALL_AFTER, .number = 100 },
		{ .verb = "MLSD", .first = 1, .act = AFTP_ACT_NO_FINAL },
		{ .verb = "PWD", .first = 5, .last = 5, .act = AFTP_ACT_ENDLESS_REPLY },
		{ .verb = "PWD", .first = 6, .last = 6, .act = AFTP_ACT_GARBAGE },
		{ .verb = "STAT", .first = 3, .last = 3, .act = AFTP_ACT_DROP },
		{ .verb = "SIZE", .first = 3, .last = 3, .act = AFTP_ACT_CLOSE },
	};
	(void)state;
	for (unsigned play = AFTP_PLAY_MEMFTPD; play <= AFTP_PLAY_AIOFTP; play++)
		for (uint32_t seed = 1; seed <= 2; seed++)
			storm(&(struct aftp_server_options){ .play = (enum aftp_server_play)play,
				      .faults = { .rules = rules,
					      .nrules = sizeof(rules) / sizeof(rules[0]),
					      .merge_replies_ms = seed == 2 ? 3 : 0,
					      .slow_close_ms = seed == 2 ? 3 : 0 } },
				seed + 100, seed == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whoever_is_played),
		cmocka_unit_test(test_slow_files),
		cmocka_unit_test(test_slow_links),
		cmocka_unit_test(test_everything_goes_wrong),
	};
	return cmocka_run_group_tests_name("server_storm", tests, NULL, NULL);
}
