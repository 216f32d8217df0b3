/* delaylink [-c FILE] DELAY_MS [RATE_MBIT [LOSS_PER_10000]] -- COMMAND...  - a slow link, on one machine.
 *
 * The command runs in a network namespace of its own, the near one, at 10.99.0.1. What it starts in the far one, with
 *     nsenter --net="$DELAYLINK_FAR" SERVER
 * is at 10.99.0.2. Between the two lie two TUN devices and this process, which holds every packet back for the delay
 * (each way), lets no more than the rate through, and loses some. Kernels without netem can do it, and any number of
 * links side by side. Needs root and /dev/net/tun; leaves nothing behind. Ends when the command ends.
 *
 * With -c it keeps FILE up to date with what the near side has said so far, in one line of numbers:
 *     connections made; commands; turns; bytes to the far side; bytes from it
 * A command is a line on a connection that the far side began with "220" (FTP). A turn is data from the near side after
 * data from the far one, on such a connection or one begun with "SSH-". Bytes are those of TCP's payload, repeats
 * included. FILE lags by up to 10 ms. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
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
#define COUNT_LAG (10ull * NS_PER_MS)

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

enum kind { KIND_UNKNOWN, KIND_FTP, KIND_SSH, KIND_OTHER };

/* A connection, by the near side's port. */
struct conn {
	enum kind kind;
	bool far_spoke;
	uint32_t next; /* the sequence number behind what the near side has sent */
};

struct counts {
	int fd;
	bool changed;
	uint64_t written_at;
	unsigned long long connections, commands, turns, up, down;
	struct conn conns[65536];
};

struct link {
	uint64_t delay_ns;
	double ns_per_byte;
	unsigned loss; /* of 10000 */
	uint64_t dice;
	struct lane *lanes[2]; /* from the near side, from the far side */
	struct counts *counts; /* or NULL */
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

static void request(int fd, unsigned long what, struct ifreq *r, const char *name)
{
	if (ioctl(fd, what, r) < 0)
		die(name);
}

/* Without an address it is only brought up. */
static void configure(const char *name, const char *address)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = { 0 };
	struct sockaddr_in sin = { .sin_family = AF_INET };

	if (fd < 0)
		die("socket");
	(void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (address) {
		(void)inet_pton(AF_INET, address, &sin.sin_addr);
		memcpy(&r.ifr_addr, &sin, sizeof(sin));
		request(fd, SIOCSIFADDR, &r, "SIOCSIFADDR");
		(void)inet_pton(AF_INET, "255.255.255.0", &sin.sin_addr);
		memcpy(&r.ifr_netmask, &sin, sizeof(sin));
		request(fd, SIOCSIFNETMASK, &r, "SIOCSIFNETMASK");
		r.ifr_mtu = MTU;
		request(fd, SIOCSIFMTU, &r, "SIOCSIFMTU");
		r.ifr_qlen = 20000;
		request(fd, SIOCSIFTXQLEN, &r, "SIOCSIFTXQLEN");
	}
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	request(fd, SIOCSIFFLAGS, &r, "SIOCSIFFLAGS");
	(void)close(fd);
}

/* A TUN device in the present namespace. */
static int device(const char *address)
{
	struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "delay%d" };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		die("/dev/net/tun");
	request(fd, TUNSETIFF, &r, "TUNSETIFF");
	configure(r.ifr_name, address);
	return fd;
}

/* --- counting ------------------------------------------------------------------------------------- */

static void count_near(struct counts *c, struct conn *conn, const struct tcphdr *tcp, const char *data, size_t len)
{
	uint32_t seq = ntohl(tcp->seq);

	if (tcp->syn) {
		*conn = (struct conn){ .next = seq + 1 };
		c->connections++;
		return;
	}
	if (len == 0 || (int32_t)(seq - conn->next) < 0) /* nothing, or a repetition */
		return;
	conn->next = seq + (uint32_t)len;
	if (conn->kind == KIND_FTP)
		for (size_t i = 0; i < len; i++)
			c->commands += data[i] == '\n';
	if (conn->far_spoke && (conn->kind == KIND_FTP || conn->kind == KIND_SSH))
		c->turns++;
	conn->far_spoke = false;
}

static void count_far(struct conn *conn, const char *data, size_t len)
{
	if (len == 0)
		return;
	if (conn->kind == KIND_UNKNOWN)
		conn->kind = len >= 4 && memcmp(data, "SSH-", 4) == 0 ? KIND_SSH
			: len >= 3 && memcmp(data, "220", 3) == 0     ? KIND_FTP
								      : KIND_OTHER;
	conn->far_spoke = true;
}

static void count(struct counts *c, bool from_near, const char *packet, size_t len)
{
	const struct iphdr *ip = (const void *)packet;
	const struct tcphdr *tcp;
	size_t head = (size_t)ip->ihl * 4;

	if (len < sizeof(*ip) + sizeof(*tcp) || ip->version != 4 || ip->protocol != IPPROTO_TCP)
		return;
	tcp = (const void *)(packet + head);
	head += (size_t)tcp->doff * 4;
	if (head > len)
		return;
	c->changed = true;
	if (from_near) {
		c->up += len - head;
		count_near(c, &c->conns[ntohs(tcp->source)], tcp, packet + head, len - head);
	} else {
		c->down += len - head;
		count_far(&c->conns[ntohs(tcp->dest)], packet + head, len - head);
	}
}

static void write_counts(struct counts *c, uint64_t now)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "%12llu %12llu %12llu %15llu %15llu\n", c->connections, c->commands,
		c->turns, c->up, c->down);

	if (pwrite(c->fd, line, (size_t)n, 0) != n)
		die("-c");
	c->changed = false;
	c->written_at = now;
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

		if (l->counts)
			count(l->counts, lane == l->lanes[0], buf, (size_t)n);
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

		if (l->counts && l->counts->changed) {
			if (now - l->counts->written_at > COUNT_LAG)
				write_counts(l->counts, now);
			else if (wait > COUNT_LAG)
				wait = COUNT_LAG;
		}
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

static void new_namespace(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		die("network namespace");
	configure("lo", NULL);
}

/* The far namespace stays reachable through a descriptor of ours; the near one is where we and the command are. */
static void set_up(struct link *l)
{
	char path[64];

	for (int i = 0; i < 2; i++)
		if (!(l->lanes[i] = calloc(1, sizeof(struct lane))))
			die("calloc");
	new_namespace();
	int far = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), away = device("10.99.0.2");
	new_namespace();
	int here = device("10.99.0.1");
	l->lanes[0]->in = l->lanes[1]->out = here;
	l->lanes[1]->in = l->lanes[0]->out = away;
	(void)snprintf(path, sizeof(path), "/proc/%ld/fd/%d", (long)getpid(), far);
	if (far < 0 || setenv("DELAYLINK_FAR", path, 1) < 0)
		die("far namespace");
}

static struct counts *new_counts(const char *path)
{
	struct counts *c = calloc(1, sizeof(*c));

	if (!c)
		die("calloc");
	c->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (c->fd < 0)
		die(path);
	write_counts(c, now_ns());
	return c;
}

int main(int argc, char **argv)
{
	static const char usage[] = "usage: delaylink [-c FILE] DELAY_MS [RATE_MBIT [LOSS_PER_10000]] -- COMMAND...\n";
	double n[3] = { 0 };
	int words = 0;
	struct link l = { .dice = 88172645463325252ull };

	if (argc > 2 && strcmp(argv[1], "-c") == 0) {
		l.counts = new_counts(argv[2]);
		argv += 2;
		argc -= 2;
	}
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
	set_up(&l);
	return carry(&l, start(argv + words + 2));
}
