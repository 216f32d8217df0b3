/* bench_server - many clients at once, with as little work of their own as can be.
 *
 *   bench_server retr PORT CLIENTS BYTES [FILE]   each gets /file, which has so many bytes (and is FILE, byte for byte)
 *   bench_server stor PORT CLIENTS BYTES          each puts as many into a file of its own, /up.N
 *   bench_server login PORT CLIENTS               each connects and logs in, one after the other
 *   bench_server idle PORT CLIENTS                likewise, and then they wait until standard input ends
 *   bench_server dele PORT CLIENTS                removes what stor has left
 *
 * Prints seconds, from the first command to the last reply of what the case is about; idle: when all are there. The
 * account is ftpuser, password secret. What does not go as it should ends the program with status 1. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 256 << 10, EVENTS = 256, REPLY_CAP = 1024, PATIENCE_S = 120 };

struct client {
	int control, data; /* data -1: its end has come */
	char in[REPLY_CAP];
	size_t in_len;
	uint64_t moved;
	bool done;
};

struct load {
	uint16_t port;
	size_t n;
	uint64_t size;
	const char *want; /* what a download must be; or NULL */
	bool upload;
	struct client *clients;
	char *block;
	int epoll;
	size_t left; /* clients that are not done */
};

static void die(const char *what)
{
	fprintf(stderr, "bench_server: %s: %s\n", what, errno ? strerror(errno) : "not as it should be");
	exit(1);
}

static double now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* --- the control connection, blocking ---------------------------------------------------------------- */

static int dial(uint16_t port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	struct timeval patience = { .tv_sec = PATIENCE_S };
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

/* The code of a reply that is complete; 0 when none is. `line` (REPLY_CAP) gets its last line. */
static int take_reply(struct client *c, char *line)
{
	for (;;) {
		char *end = memchr(c->in, '\n', c->in_len);
		if (!end)
			return 0;
		size_t n = (size_t)(end - c->in) + 1;
		memcpy(line, c->in, n - 1);
		line[n - 1] = '\0';
		c->in_len -= n;
		memmove(c->in, c->in + n, c->in_len);
		if (n > 4 && line[0] >= '1' && line[0] <= '5' && line[3] == ' ')
			return (int)strtol(line, NULL, 10);
	}
}

static bool fill(struct client *c)
{
	ssize_t n = recv(c->control, c->in + c->in_len, sizeof(c->in) - c->in_len, 0);
	if (n <= 0)
		return false;
	c->in_len += (size_t)n;
	return true;
}

static int reply(struct client *c, char *line)
{
	int code;
	while ((code = take_reply(c, line)) == 0)
		if (!fill(c))
			die("no reply");
	return code;
}

static void say(struct client *c, const char *command)
{
	char line[256];
	int n = snprintf(line, sizeof(line), "%s\r\n", command);
	if (send(c->control, line, (size_t)n, MSG_NOSIGNAL) != n)
		die(command);
}

static void expect(struct client *c, const char *command, int code, char *line)
{
	char own[REPLY_CAP];
	say(c, command);
	if (reply(c, line ? line : own) == code)
		return;
	errno = 0;
	die(command);
}

static void log_in(struct load *l, struct client *c)
{
	char line[REPLY_CAP];
	c->data = -1;
	c->control = dial(l->port);
	if (reply(c, line) != 220)
		die("greeting");
	expect(c, "USER ftpuser", 331, NULL);
	expect(c, "PASS secret", 230, NULL);
}

static void log_all_in(struct load *l)
{
	for (size_t i = 0; i < l->n; i++)
		log_in(l, &l->clients[i]);
}

/* --- all at once ----------------------------------------------------------------------------------- */

static void watch(struct load *l, int fd, uint32_t events, size_t i, bool data)
{
	struct epoll_event e = { .events = events, .data.u64 = (uint64_t)i << 1 | data };
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		die("epoll");
}

static void open_data(struct load *l, size_t i)
{
	struct client *c = &l->clients[i];
	char line[REPLY_CAP];
	expect(c, "TYPE I", 200, NULL);
	expect(c, "EPSV", 229, line);
	const char *p = strstr(line, "(|||");
	if (!p)
		die("EPSV");
	c->data = dial((uint16_t)strtoul(p + 4, NULL, 10));
}

static void end_data(struct client *c)
{
	close(c->data);
	c->data = -1;
}

static void receive(struct load *l, struct client *c)
{
	ssize_t n = recv(c->data, l->block, BLOCK, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0)
		die("data");
	if (n == 0) {
		end_data(c);
		return;
	}
	if (c->moved + (uint64_t)n > l->size || (l->want && memcmp(l->want + c->moved, l->block, (size_t)n) != 0)) {
		errno = 0;
		die("the bytes of a download");
	}
	c->moved += (uint64_t)n;
}

static void transmit(struct load *l, struct client *c)
{
	uint64_t left = l->size - c->moved;
	ssize_t n = left == 0 ? 0 : send(c->data, l->block, left < BLOCK ? (size_t)left : BLOCK, MSG_NOSIGNAL);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0)
		die("data");
	c->moved += (uint64_t)n;
	if (c->moved == l->size)
		end_data(c);
}

static void hear(struct load *l, struct client *c)
{
	char line[REPLY_CAP];
	int code;
	if (!fill(c))
		die("control");
	while ((code = take_reply(c, line)) != 0) {
		if (code < 200)
			continue;
		errno = 0;
		if (code != 226 || c->done || (c->moved != l->size && l->upload))
			die(line);
		c->done = true;
		l->left--;
	}
}

static double transfers(struct load *l)
{
	struct epoll_event events[EVENTS];
	char command[64];
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	log_all_in(l);
	for (size_t i = 0; i < l->n; i++)
		open_data(l, i);
	double start = now();
	for (size_t i = 0; i < l->n; i++) {
		struct client *c = &l->clients[i];
		snprintf(command, sizeof(command), l->upload ? "STOR up.%zu" : "RETR file", i);
		say(c, command);
		watch(l, c->control, EPOLLIN, i, false);
		watch(l, c->data, l->upload ? EPOLLOUT : EPOLLIN, i, true);
	}
	l->left = l->n;
	while (l->left > 0) {
		int n = epoll_wait(l->epoll, events, EVENTS, PATIENCE_S * 1000);
		if (n <= 0)
			die("nothing happens");
		for (int i = 0; i < n; i++) {
			struct client *c = &l->clients[events[i].data.u64 >> 1];
			if (!(events[i].data.u64 & 1))
				hear(l, c);
			else if (c->data >= 0 && l->upload)
				transmit(l, c);
			else if (c->data >= 0)
				receive(l, c);
		}
	}
	double seconds = now() - start;
	for (size_t i = 0; i < l->n; i++) { /* a 226 may be faster than the last bytes */
		struct client *c = &l->clients[i];
		if (c->data >= 0)
			fcntl(c->data, F_SETFL, fcntl(c->data, F_GETFL) & ~O_NONBLOCK);
		while (c->data >= 0)
			receive(l, c);
		errno = 0;
		if (c->moved != l->size)
			die("a transfer is short");
	}
	return seconds;
}

static double logins(struct load *l, bool wait)
{
	char c;
	double start = now();
	log_all_in(l);
	double seconds = now() - start;
	if (!wait)
		return seconds;
	printf("%.3f\n", seconds);
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	for (size_t i = 0; i < l->n; i++) /* they are still there */
		expect(&l->clients[i], "NOOP", 200, NULL);
	exit(0);
}

static double removals(struct load *l)
{
	char command[64];
	double start = now();
	log_in(l, &l->clients[0]);
	for (size_t i = 0; i < l->n; i++) {
		snprintf(command, sizeof(command), "DELE up.%zu", i);
		expect(&l->clients[0], command, 250, NULL);
	}
	return now() - start;
}

static const char *map(const char *path, uint64_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *p = fd < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		die(path);
	close(fd);
	return p;
}

static void raise_limit(void)
{
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

int main(int argc, char **argv)
{
	struct load l = { .block = malloc(BLOCK) };
	const char *what = argc > 3 ? argv[1] : "";
	bool moves = strcmp(what, "retr") == 0 || strcmp(what, "stor") == 0;
	if (!l.block || argc < (moves ? 5 : 4)) {
		fputs("usage: bench_server retr|stor|login|idle|dele PORT CLIENTS [BYTES [FILE]]\n", stderr);
		return 2;
	}
	raise_limit();
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < BLOCK; i++)
		l.block[i] = (char)(i * 151 + i / 255);
	l.port = (uint16_t)strtoul(argv[2], NULL, 10);
	l.n = strtoul(argv[3], NULL, 10);
	l.size = moves ? strtoull(argv[4], NULL, 10) : 0;
	l.upload = strcmp(what, "stor") == 0;
	l.want = argc > 5 && !l.upload ? map(argv[5], l.size) : NULL;
	l.clients = calloc(l.n, sizeof(*l.clients));
	if (!l.clients)
		die("clients");
	double seconds = moves              ? transfers(&l)
		: strcmp(what, "dele") == 0 ? removals(&l)
					    : logins(&l, strcmp(what, "idle") == 0);
	printf("%.4f\n", seconds);
	return 0;
}
