/* delaylink DELAY_MS [RATE_MBIT [LOSS_PER_10000]] -- COMMAND...  - a slow link to a program, on one machine.
 *
 * The command runs in a network namespace of its own, at 10.99.0.2; we are 10.99.0.1. Between the two lie two TUN
 * devices and this process, which holds every packet back for the delay (each way), lets no more than the rate through,
 * and loses some. Kernels without netem can do it. Needs root and /dev/net/tun; leaves nothing behind.
 * Prints "up" when the link carries packets; ends when the command ends. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MTU       9000
#define QUEUE     65536u /* packets on their way in one direction; more are lost, as on a real link */
#define NS_PER_MS 1000000u

struct packet {
	uint64_t due;
	size_t len;
	char *data;
};

struct lane {
	int in, out;
	unsigned head, tail;
	uint64_t free_at; /* when the last byte so far has left, at the given rate */
	struct packet queue[QUEUE];
};

struct link {
	uint64_t delay_ns;
	double ns_per_byte;
	unsigned loss; /* of 10000 */
	uint64_t dice;
	struct lane *lanes[2];
};

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 * NS_PER_MS + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* --- the devices ---------------------------------------------------------------------------------- */

static void configure(const char *name, const char *address)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = { 0 };
	struct sockaddr_in sin = { .sin_family = AF_INET };

	if (fd < 0 || inet_pton(AF_INET, address, &sin.sin_addr) != 1)
		die(address);
	(void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	memcpy(&r.ifr_addr, &sin, sizeof(sin));
	if (ioctl(fd, SIOCSIFADDR, &r) < 0)
		die("SIOCSIFADDR");
	(void)inet_pton(AF_INET, "255.255.255.0", &sin.sin_addr);
	memcpy(&r.ifr_netmask, &sin, sizeof(sin));
	if (ioctl(fd, SIOCSIFNETMASK, &r) < 0)
		die("SIOCSIFNETMASK");
	r.ifr_mtu = MTU;
	if (ioctl(fd, SIOCSIFMTU, &r) < 0)
		die("SIOCSIFMTU");
	r.ifr_qlen = 20000;
	if (ioctl(fd, SIOCSIFTXQLEN, &r) < 0)
		die("SIOCSIFTXQLEN");
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &r) < 0)
		die("SIOCSIFFLAGS");
	(void)close(fd);
}

/* A TUN device in the present namespace. */
static int device(const char *address)
{
	struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "delay%d" };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		die("/dev/net/tun");
	if (ioctl(fd, TUNSETIFF, &r) < 0)
		die("TUNSETIFF");
	configure(r.ifr_name, address);
	return fd;
}

/* --- packets -------------------------------------------------------------------------------------- */

static bool lost(struct link *l)
{
	l->dice ^= l->dice << 13;
	l->dice ^= l->dice >> 7;
	l->dice ^= l->dice << 17;
	return l->loss > 0 && l->dice % 10000 < l->loss;
}

static void take_in(struct link *l, struct lane *lane, uint64_t now)
{
	char buf[MTU + 64];
	ssize_t n;

	for (int i = 0; i < 256 && (n = read(lane->in, buf, sizeof(buf))) > 0; i++) {
		struct packet *p = &lane->queue[lane->tail % QUEUE];

		if (lost(l) || lane->tail - lane->head == QUEUE)
			continue;
		p->data = malloc((size_t)n);
		if (!p->data)
			continue;
		memcpy(p->data, buf, (size_t)n);
		p->len = (size_t)n;
		if (lane->free_at < now)
			lane->free_at = now;
		lane->free_at += (uint64_t)((double)n * l->ns_per_byte);
		p->due = lane->free_at + l->delay_ns;
		lane->tail++;
	}
}

/* Sends what is due. Nanoseconds until the next is, at most a second. */
static uint64_t send_due(struct lane *lane, uint64_t now)
{
	while (lane->head != lane->tail) {
		struct packet *p = &lane->queue[lane->head % QUEUE];

		if (p->due > now)
			return p->due - now;
		if (write(lane->out, p->data, p->len) < 0)
			perror("delaylink: a packet is lost");
		free(p->data);
		lane->head++;
	}
	return 1000ull * NS_PER_MS;
}

/* Until the command ends: its exit code. */
static int carry(struct link *l, pid_t command)
{
	struct pollfd fds[2] = { { .fd = l->lanes[0]->in, .events = POLLIN },
		{ .fd = l->lanes[1]->in, .events = POLLIN } };
	int status;

	while (waitpid(command, &status, WNOHANG) == 0) {
		uint64_t now = now_ns(), a = send_due(l->lanes[0], now), b = send_due(l->lanes[1], now);
		uint64_t wait = a < b ? a : b;
		struct timespec t = { .tv_sec = (time_t)(wait / (1000ull * NS_PER_MS)),
			.tv_nsec = (long)(wait % (1000ull * NS_PER_MS)) };

		(void)ppoll(fds, 2, &t, NULL);
		now = now_ns();
		take_in(l, l->lanes[0], now);
		take_in(l, l->lanes[1], now);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* --- start ---------------------------------------------------------------------------------------- */

static pid_t start(char **argv)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		(void)execvp(argv[0], argv);
		die(argv[0]);
	}
	return pid;
}

int main(int argc, char **argv)
{
	static const char usage[] = "usage: delaylink DELAY_MS [RATE_MBIT [LOSS_PER_10000]] -- COMMAND...\n";
	double n[3] = { 0 };
	int words = 0, home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct link l = { .dice = 88172645463325252ull };

	while (words + 1 < argc && words < 3 && strcmp(argv[words + 1], "--") != 0) {
		n[words] = strtod(argv[words + 1], NULL);
		words++;
	}
	if (words == 0 || words + 2 >= argc || strcmp(argv[words + 1], "--") != 0) {
		(void)fputs(usage, stderr);
		return 2;
	}
	l.delay_ns = (uint64_t)(n[0] * NS_PER_MS);
	l.ns_per_byte = n[1] > 0 ? 8000.0 / n[1] : 0;
	l.loss = (unsigned)n[2];
	for (int i = 0; i < 2; i++)
		if (!(l.lanes[i] = calloc(1, sizeof(struct lane))))
			die("calloc");
	if (home < 0 || unshare(CLONE_NEWNET) < 0)
		die("network namespace");
	configure("lo", "127.0.0.1");
	int away = device("10.99.0.2");
	pid_t command = start(argv + words + 2);
	if (setns(home, CLONE_NEWNET) < 0)
		die("setns");
	int here = device("10.99.0.1");
	l.lanes[0]->in = l.lanes[1]->out = here;
	l.lanes[1]->in = l.lanes[0]->out = away;
	puts("up");
	(void)fflush(stdout);
	return carry(&l, command);
}
