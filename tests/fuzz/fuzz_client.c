/* A whole session of a client, whose server says the input.
 *
 * The first byte chooses what the client does. Then come pieces, ended by a NUL: the first is said at once, each other one
 * when the client has sent a line, or nothing moves. What stands behind a \001 in a piece goes over the next data
 * connection. After the last piece the server hangs up. Every callback must come, once, and nothing may be left. */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <aftp/data.h>
#include <aftp/session.h>
#include <aftp/status.h>

#include "fuzz.h"

enum { LIMIT_MS = 20000, IDLE_MS = 1, DRAIN = 1 << 16 };

struct server {
	int listener, control, data;
	const char *at, *end;
	const char *bytes; /* for the next data connection */
	size_t left;
};

struct run {
	uv_loop_t loop;
	struct server server;
	struct aftp_session *s;
	struct aftp_data *d;
	char buf[512];
	unsigned owed; /* callbacks */
	bool connected, connect_over, closed, data_closed;
};

/* --- the server ----------------------------------------------------------------------------------- */

static void hang_up(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void say(struct server *v)
{
	size_t n = strnlen(v->at, (size_t)(v->end - v->at)), spoken;
	const char *mark = memchr(v->at, 1, n);

	if (v->at == v->end) {
		hang_up(&v->control);
		return;
	}
	spoken = mark ? (size_t)(mark - v->at) : n;
	if (mark) {
		v->bytes = mark + 1;
		v->left = n - spoken - 1;
	}
	(void)!send(v->control, v->at, spoken, MSG_NOSIGNAL);
	v->at += n < (size_t)(v->end - v->at) ? n + 1 : n;
}

static void give_data(struct server *v)
{
	ssize_t n;

	if (v->data < 0)
		return;
	n = v->left > 0 ? send(v->data, v->bytes, v->left, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
	if (n > 0) {
		v->bytes += n;
		v->left -= (size_t)n;
	}
	if (v->left == 0 || n < 0)
		shutdown(v->data, SHUT_WR);
}

static void take(struct server *v)
{
	int fd = accept4(v->listener, NULL, NULL, SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (v->control < 0 && v->at) {
		v->control = fd;
		say(v);
		return;
	}
	hang_up(&v->data);
	v->data = fd;
	give_data(v);
}

static void hear(struct server *v)
{
	static char drain[DRAIN];
	ssize_t n = v->data >= 0 ? recv(v->data, drain, sizeof drain, MSG_DONTWAIT) : 1;

	if (n == 0)
		hang_up(&v->data);
	n = v->control >= 0 ? recv(v->control, drain, sizeof drain, MSG_DONTWAIT) : 0;
	for (ssize_t i = 0; i < n && v->control >= 0; i++)
		if (drain[i] == '\n')
			say(v);
	if (n == 0)
		hang_up(&v->control);
}

/* One turn of everything. */
static void turn(struct run *r)
{
	struct server *v = &r->server;
	struct pollfd fds[] = { { uv_backend_fd(&r->loop), POLLIN, 0 }, { v->listener, POLLIN, 0 },
		{ v->control, POLLIN, 0 }, { v->data, POLLIN, 0 } };

	if (uv_run(&r->loop, UV_RUN_NOWAIT) == 0)
		return;
	if (uv_backend_timeout(&r->loop) != 0 && poll(fds, 4, IDLE_MS) == 0 && v->control >= 0) {
		if (v->data >= 0 && v->left > 0)
			give_data(v);
		else
			say(v);
	}
	take(v);
	hear(v);
}

/* --- the client ----------------------------------------------------------------------------------- */

static void came(struct run *r)
{
	MUST(r->owed > 0);
	r->owed--;
}

static void on_op(void *arg, int status)
{
	(void)status;
	came(arg);
}

static void on_reply(void *arg, int status, const struct aftp_reply *reply)
{
	MUST((status == 0 || status == AFTP_EREPLY) == (reply != NULL));
	came(arg);
}

static void on_stat(void *arg, int status, const struct aftp_entry *e)
{
	MUST((status == 0) == (e != NULL));
	came(arg);
}

static void on_path(void *arg, int status, const char *path)
{
	MUST((status == 0) == (path != NULL));
	came(arg);
}

static int on_entry(void *arg, const char *path, const struct aftp_entry *e)
{
	(void)arg;
	MUST(path[0] && e->name_len > 0 && !strstr(path, "/../") && !memchr(e->name, '/', e->name_len));
	return 0;
}

static void on_listed(void *arg, int status, const struct aftp_walk_result *result)
{
	(void)status;
	MUST(result->path);
	came(arg);
}

static enum aftp_next on_line(void *arg, ssize_t n, const char *line)
{
	(void)line;
	if (n < 0)
		came(arg);
	return AFTP_GO_ON;
}

static void on_read(void *arg, ssize_t n, const char *data)
{
	(void)data;
	MUST(n != 0);
	came(arg);
}

static void on_finish(void *arg, int status, int code, const char *message)
{
	(void)status;
	MUST(message && (code == 0 || (code >= 100 && code < 600)));
	came(arg);
}

static void owe(struct run *r, int rc)
{
	MUST(rc <= 0);
	r->owed += rc == 0;
}

/* Everything is asked for at once, and queues. */
static void ask(struct run *r, uint8_t what)
{
	static char text[] = "some text";

	if (what & 1)
		owe(r, aftp_session_list(r->s, NULL, "/d", AFTP_RECURSIVE | AFTP_KEEP_GOING, on_entry, on_listed, r));
	if (what & 2)
		owe(r, aftp_session_stat(r->s, NULL, "/a/b", on_stat, r));
	if (what & 4) {
		owe(r, aftp_session_mkdir(r->s, NULL, "/x/y/z", AFTP_PARENTS, on_op, r));
		owe(r, aftp_session_rename(r->s, NULL, "/x", "/y", on_op, r));
	}
	if (what & 8)
		owe(r, aftp_session_remove(r->s, NULL, "/d", AFTP_RECURSIVE | AFTP_KEEP_GOING, on_op, r));
	if (what & 16) {
		owe(r, aftp_session_pwd(r->s, NULL, on_path, r));
		owe(r, aftp_session_command(r->s, NULL, "SITE", "x", "2xx", on_reply, r));
	}
	if (what & 32 && aftp_download_stream(r->s, &r->d, "/f", 3) == 0)
		owe(r, aftp_data_each_line(r->d, 200, on_line, r));
	else if (what & 64 && aftp_upload_stream(r->s, &r->d, "/f", 0) == 0)
		owe(r, aftp_data_write(r->d, text, sizeof text - 1, on_op, r));
	else if (what & 128 && aftp_command_stream(r->s, &r->d, "NLST", NULL) == 0)
		owe(r, aftp_data_read(r->d, r->buf, sizeof r->buf, on_read, r));
	if (what & 2)
		owe(r, aftp_session_list(r->s, NULL, "rel[1]", AFTP_PLAIN_LIST, on_entry, on_listed, r));
}

static void on_connected(void *arg, int status)
{
	struct run *r = arg;

	MUST(!r->connect_over && status <= 0);
	r->connect_over = true;
	r->connected = status == 0;
}

static void on_closed(void *arg)
{
	*(bool *)arg = true;
}

static void until(struct run *r, const bool *flag, const unsigned *none)
{
	uint64_t start = uv_hrtime();

	while (flag ? !*flag : *none > 0) {
		turn(r);
		MUST((uv_hrtime() - start) / 1000000 < LIMIT_MS);
	}
}

static void finish_data(struct run *r, bool orderly)
{
	if (!r->d)
		return;
	if (orderly) {
		owe(r, aftp_data_finish(r->d, NULL, NULL, on_finish, r));
		until(r, NULL, &r->owed);
	}
	aftp_data_close(&r->d, on_closed, &r->data_closed);
	until(r, &r->data_closed, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct aftp_client_options o = { .host = "127.0.0.1", .connect_timeout_ms = 300, .timeout_ms = 300 };
	static struct run r;
	bool quits;

	if (size < 2 || size > 4096)
		return 0;
	signal(SIGPIPE, SIG_IGN);
	memset(&r, 0, sizeof r);
	r.server = (struct server){ fuzz_listen(), -1, -1, (const char *)data + 1, (const char *)data + size, "", 0 };
	quits = data[1] & 1;
	MUST(uv_loop_init(&r.loop) == 0);
	MUST(aftp_session_new(&r.s, &r.loop, &o) == 0);
	MUST(aftp_session_connect(r.s, on_connected, &r) == 0);
	until(&r, &r.connect_over, NULL);
	ask(&r, data[0]);
	until(&r, NULL, &r.owed);
	finish_data(&r, quits);
	(quits ? aftp_session_quit : aftp_session_close)(&r.s, on_closed, &r.closed);
	until(&r, &r.closed, NULL);
	MUST(r.owed == 0);
	while (uv_run(&r.loop, UV_RUN_NOWAIT))
		continue;
	MUST(uv_loop_close(&r.loop) == 0);
	hang_up(&r.server.control);
	hang_up(&r.server.data);
	close(r.server.listener);
	return 0;
}
