/* A whole session of the server, whose client sends the input: command lines and what comes between them.
 *
 * The client makes each data connection that it is told of, sends a little on it, and ends it; and takes those that
 * the server makes. At the end everything must come down, and nothing may be left. */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <aftp/server.h>
#include <aftp/status.h>

#include "fuzz.h"

enum { TURNS = 300, IDLE_MS = 1, LIMIT_MS = 20000, PEERS = 4 };

struct run {
	uv_loop_t loop;
	struct aftp_memfs *fs;
	struct aftp_server *server;
	uint16_t port, active_port; /* the server's; where it goes for PORT and EPRT */
	int listener, control, peers[PEERS];
	char said[4096]; /* by the server, since the last data port */
	size_t n;
	bool closed;
};

static int dial(const struct run *r, uint16_t port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	fuzz_port = port;
	(void)connect(fd, NULL, 0);
	fuzz_port = r->active_port;
	return fd;
}

static void meet(struct run *r, int fd)
{
	int *slot = &r->peers[0];

	for (int i = 0; i < PEERS; i++)
		if (r->peers[i] < 0)
			slot = &r->peers[i];
	if (*slot >= 0)
		close(*slot);
	*slot = fd;
}

/* 229 (|||port|), 227 (...,p1,p2) */
static void follow(struct run *r)
{
	const char *at = strstr(r->said, "(|||");
	unsigned port = 0, high, low;

	if (at)
		(void)sscanf(at, "(|||%u|)", &port);
	else if ((at = strstr(r->said, "(127,0,0,1,")) != NULL && sscanf(at, "(127,0,0,1,%u,%u)", &high, &low) == 2)
		port = high * 256 + low;
	if (port == 0 || !strchr(at, ')'))
		return;
	r->n = 0;
	r->said[0] = '\0';
	meet(r, dial(r, (uint16_t)port));
}

static void hear(struct run *r)
{
	char buf[2048];
	ssize_t n = recv(r->control, buf, sizeof buf, MSG_DONTWAIT);

	if (n <= 0)
		return;
	if (r->n + (size_t)n >= sizeof r->said)
		r->n = 0;
	for (ssize_t i = 0; i < n; i++)
		if (buf[i])
			r->said[r->n++] = buf[i];
	r->said[r->n] = '\0';
	follow(r);
}

static void move(struct run *r)
{
	char buf[2048];
	int fd = accept4(r->listener, NULL, NULL, SOCK_NONBLOCK);

	if (fd >= 0)
		meet(r, fd);
	for (int i = 0; i < PEERS; i++) {
		if (r->peers[i] < 0)
			continue;
		(void)!send(r->peers[i], "data\n", 5, MSG_NOSIGNAL | MSG_DONTWAIT);
		shutdown(r->peers[i], SHUT_WR);
		if (recv(r->peers[i], buf, sizeof buf, MSG_DONTWAIT) == 0) {
			close(r->peers[i]);
			r->peers[i] = -1;
		}
	}
}

static void send_input(struct run *r, const char **at, const char *end)
{
	ssize_t n = *at < end ? send(r->control, *at, (size_t)(end - *at), MSG_NOSIGNAL | MSG_DONTWAIT) : 0;

	if (n > 0)
		*at += n;
	if (n > 0 && *at == end)
		shutdown(r->control, SHUT_WR);
}

static void converse(struct run *r, const char *at, const char *end)
{
	struct aftp_server_counters now = { 0 };

	r->control = dial(r, r->port);
	for (int i = 0; i < TURNS; i++) {
		struct pollfd fds[] = { { uv_backend_fd(&r->loop), POLLIN, 0 }, { r->control, POLLIN, 0 },
			{ r->listener, POLLIN, 0 } };

		uv_run(&r->loop, UV_RUN_NOWAIT);
		send_input(r, &at, end);
		hear(r);
		move(r);
		if (poll(fds, 3, 0) == 0)
			poll(fds, 3, IDLE_MS);
		aftp_server_counters(r->server, &now);
		if (at == end && now.sessions > 0 && now.sessions_now == 0)
			break;
	}
}

static void on_closed(void *arg)
{
	*(bool *)arg = true;
}

/* Each of the servers that it can play gets its share of the inputs. */
static void begin(struct run *r, enum aftp_server_play play)
{
	static const struct aftp_permission permissions[] = { { "/", AFTP_MAY_READ | AFTP_MAY_WRITE }, { "/no", 0 } };
	static const struct aftp_user users[] = {
		{ .name = "u", .may = AFTP_MAY_READ | AFTP_MAY_WRITE, .permissions = permissions, .npermissions = 2 },
		{ .name = "p", .password = "p", .may = AFTP_MAY_READ, .base = "/d" },
		{ .may = AFTP_MAY_READ | AFTP_MAY_WRITE },
	};
	struct aftp_server_options o = { .users = users,
		.nusers = 3,
		.play = play,
		.login_delay_ms = -1,
		.data_timeout_ms = 20,
		.stall_timeout_ms = 50,
		.idle_timeout_ms = 200 };
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	MUST(uv_loop_init(&r->loop) == 0);
	MUST(aftp_memfs_new(&r->fs, &r->loop) == 0);
	aftp_memfs_set_limits(r->fs, 1 << 20, 4 << 20);
	MUST(aftp_memfs_put(r->fs, "/f", "content\nof two lines\n", 21) == 0);
	MUST(aftp_memfs_put(r->fs, "/d/g", "x", 1) == 0);
	MUST(aftp_memfs_symlink(r->fs, "../f", "/d/l") == 0);
	o.vfs = aftp_memfs_vfs(r->fs);
	MUST(aftp_server_new(&r->server, &r->loop, &o) == 0);
	MUST(aftp_server_listen(r->server, (struct sockaddr *)&addr) == 0);
	r->port = aftp_server_port(r->server);
	for (int i = 0; i < PEERS; i++)
		r->peers[i] = -1;
}

static void end(struct run *r)
{
	uint64_t start = uv_hrtime();

	for (int i = 0; i < PEERS; i++)
		if (r->peers[i] >= 0)
			close(r->peers[i]);
	close(r->control);
	close(r->listener);
	aftp_server_close(&r->server, on_closed, &r->closed);
	while (!r->closed) {
		uv_run(&r->loop, UV_RUN_NOWAIT);
		MUST((uv_hrtime() - start) / 1000000 < LIMIT_MS);
	}
	aftp_memfs_close(&r->fs);
	while (uv_run(&r->loop, UV_RUN_NOWAIT))
		MUST((uv_hrtime() - start) / 1000000 < LIMIT_MS);
	MUST(uv_loop_close(&r->loop) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run r;

	if (size > 4096)
		return 0;
	signal(SIGPIPE, SIG_IGN);
	memset(&r, 0, sizeof r);
	r.listener = fuzz_listen();
	r.active_port = fuzz_port;
	begin(&r, (enum aftp_server_play)(size % (AFTP_PLAY_AIOFTP + 1)));
	converse(&r, (const char *)data, (const char *)data + size);
	end(&r);
	return 0;
}
