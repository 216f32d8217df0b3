#include "lib/testd.h"
#include "lib/slow_vfs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { PATIENCE_S = 60 };

/* --- the server ------------------------------------------------------------------------------------ */

static void on_wake(uv_async_t *wake)
{
	struct testd *d = wake->data;
	void (*job)(struct testd * d, void *arg) = d->job;
	d->job = NULL;
	if (!job)
		return;
	job(d, d->job_arg);
	uv_sem_post(&d->done);
}

static void run_loop(void *arg)
{
	struct testd *d = arg;
	uv_run(&d->loop, UV_RUN_DEFAULT);
	d->leaked = uv_loop_close(&d->loop) != 0;
}

static void start(struct testd *d, const struct aftp_server_options *options, bool ipv6, bool slow)
{
	struct aftp_server_options o = options ? *options : (struct aftp_server_options){ 0 };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	signal(SIGPIPE, SIG_IGN);
	memset(d, 0, sizeof(*d));
	assert_int_equal(uv_loop_init(&d->loop), 0);
	assert_int_equal(uv_async_init(&d->loop, &d->wake, on_wake), 0);
	assert_int_equal(uv_sem_init(&d->done, 0), 0);
	d->wake.data = d;
	assert_int_equal(aftp_memfs_new(&d->fs, &d->loop), 0);
	o.vfs = aftp_memfs_vfs(d->fs);
	if (slow) {
		d->slow = slow_vfs_new(&d->loop, o.vfs);
		o.vfs = slow_vfs_get(d->slow);
	}
	assert_int_equal(aftp_server_new(&d->server, &d->loop, &o), 0);
	assert_int_equal(aftp_server_port(d->server), 0);
	assert_int_equal(aftp_server_listen(d->server, ipv6 ? (struct sockaddr *)&six : (struct sockaddr *)&four), 0);
	d->port = aftp_server_port(d->server);
	assert_int_not_equal(d->port, 0);
	assert_int_equal(uv_thread_create(&d->thread, run_loop, d), 0);
}

void testd_start(struct testd *d, const struct aftp_server_options *options, bool ipv6)
{
	start(d, options, ipv6, false);
}

void testd_start_slow(struct testd *d, const struct aftp_server_options *options)
{
	start(d, options, false, true);
}

void testd_call(struct testd *d, void (*job)(struct testd *d, void *arg), void *arg)
{
	d->job_arg = arg;
	d->job = job;
	uv_async_send(&d->wake);
	uv_sem_wait(&d->done);
}

static void on_closed(void *arg)
{
	struct testd *d = arg;
	if (d->slow)
		slow_vfs_free(d->slow);
	aftp_memfs_close(&d->fs);
	uv_close((uv_handle_t *)&d->wake, NULL);
}

static void job_stop(struct testd *d, void *arg)
{
	(void)arg;
	aftp_server_close(&d->server, on_closed, d);
}

void testd_stop(struct testd *d)
{
	testd_call(d, job_stop, NULL);
	assert_int_equal(uv_thread_join(&d->thread), 0);
	uv_sem_destroy(&d->done);
	assert_false(d->leaked);
}

struct put_args {
	const char *path;
	const void *data;
	size_t n;
	uint64_t size, seed;
	int rc;
};

static void job_put(struct testd *d, void *arg)
{
	struct put_args *a = arg;
	a->rc = a->data ? aftp_memfs_put(d->fs, a->path, a->data, a->n)
			: aftp_memfs_put_pattern(d->fs, a->path, a->size, a->seed);
}

void testd_put(struct testd *d, const char *path, const void *data, size_t n)
{
	struct put_args a = { .path = path, .data = data, .n = n };
	testd_call(d, job_put, &a);
	assert_int_equal(a.rc, 0);
}

void testd_pattern(struct testd *d, const char *path, uint64_t size, uint64_t seed)
{
	struct put_args a = { .path = path, .size = size, .seed = seed };
	testd_call(d, job_put, &a);
	assert_int_equal(a.rc, 0);
}

struct count_args {
	const char *verb;
	uint64_t n;
	struct aftp_server_counters counters;
};

static void job_count(struct testd *d, void *arg)
{
	struct count_args *a = arg;
	aftp_server_counters(d->server, &a->counters);
	if (a->verb)
		a->n = aftp_server_count(d->server, a->verb);
}

uint64_t testd_count(struct testd *d, const char *verb)
{
	struct count_args a = { .verb = verb };
	testd_call(d, job_count, &a);
	return a.n;
}

struct aftp_server_counters testd_counters(struct testd *d)
{
	struct count_args a = { 0 };
	testd_call(d, job_count, &a);
	return a.counters;
}

static void job_faults(struct testd *d, void *arg)
{
	assert_int_equal(aftp_server_set_faults(d->server, arg), 0);
}

void testd_set_faults(struct testd *d, const struct aftp_faults *faults)
{
	struct aftp_faults copy = *faults;
	testd_call(d, job_faults, &copy);
}

/* --- the client ------------------------------------------------------------------------------------ */

int talk_connect(uint16_t port, bool ipv6)
{
	struct sockaddr_in four = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	struct sockaddr_in6 six = {
		.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT
	};
	struct timeval patience = { .tv_sec = PATIENCE_S };
	int on = 1, fd = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, ipv6 ? (struct sockaddr *)&six : (struct sockaddr *)&four, ipv6 ? sizeof(six) : sizeof(four)) ==
		0)
		return fd;
	int error = errno;
	close(fd);
	return -error;
}

void talk_open(struct talk *t, const struct testd *d)
{
	struct sockaddr_storage addr;
	aftp_server_local(d->server, &addr);
	t->port = d->port;
	t->ipv6 = addr.ss_family == AF_INET6;
	t->in_len = 0;
	t->code = 0;
	t->reply[0] = '\0';
	t->fd = talk_connect(d->port, t->ipv6);
	assert_true(t->fd >= 0);
}

void talk_close(struct talk *t)
{
	close(t->fd);
	t->fd = -1;
}

void talk_send(struct talk *t, const void *data, size_t n)
{
	assert_int_equal(send(t->fd, data, n, MSG_NOSIGNAL), n);
}

/* One line with its LF into `line`; its length, 0 at the end, -1 after a reset. */
static ssize_t read_line(struct talk *t, char *line, size_t max)
{
	for (;;) {
		char *end = memchr(t->in, '\n', t->in_len);
		if (end) {
			size_t n = (size_t)(end - t->in) + 1;
			assert_true(n < max);
			memcpy(line, t->in, n);
			line[n] = '\0';
			t->in_len -= n;
			memmove(t->in, t->in + n, t->in_len);
			return (ssize_t)n;
		}
		assert_true(t->in_len < sizeof(t->in));
		ssize_t n = recv(t->fd, t->in + t->in_len, sizeof(t->in) - t->in_len, 0);
		if (n < 0 && errno == EAGAIN)
			fail_msg("no reply within %d s; last: %s", PATIENCE_S, t->reply);
		if (n <= 0)
			return n;
		t->in_len += (size_t)n;
	}
}

int talk_reply(struct talk *t)
{
	size_t used = 0;
	t->code = 0;
	t->reply[0] = '\0';
	for (;;) {
		char *line = t->reply + used;
		ssize_t n = read_line(t, line, sizeof(t->reply) - used);
		if (n <= 0)
			return t->code = n == 0 ? 0 : -1;
		if (used == 0)
			assert_true(n >= 5 && (line[3] == ' ' || line[3] == '-'));
		bool last = n >= 5 && line[3] == ' ' && memcmp(line, t->reply, 3) == 0;
		used += (size_t)n;
		if (last)
			return t->code = (int)strtol(t->reply, NULL, 10);
	}
}

__attribute__((format(printf, 2, 0))) static void send_line(struct talk *t, const char *fmt, va_list ap)
{
	char line[8192];
	int n = vsnprintf(line, sizeof(line) - 2, fmt, ap);
	assert_true(n >= 0 && (size_t)n < sizeof(line) - 2);
	memcpy(line + n, "\r\n", 2);
	talk_send(t, line, (size_t)n + 2);
}

int talk_say(struct talk *t, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	send_line(t, fmt, ap);
	va_end(ap);
	return talk_reply(t);
}

void talk_expect(struct talk *t, int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	send_line(t, fmt, ap);
	va_end(ap);
	if (talk_reply(t) != code)
		fail_msg("'%s': not %d but %d: %s", fmt, code, t->code, t->reply);
}

void talk_login(struct talk *t, const struct testd *d, const char *user, const char *password)
{
	talk_open(t, d);
	assert_int_equal(talk_reply(t), 220);
	if (talk_say(t, "USER %s", user) == 331)
		talk_say(t, "PASS %s", password);
	assert_int_equal(t->code, 230);
	talk_expect(t, 200, "TYPE I");
}

void talk_play(struct testd *d, const struct talk_step *steps, size_t n)
{
	struct talk *t = malloc(sizeof(*t));
	assert_non_null(t);
	t->fd = -1;
	for (size_t i = 0; i < n; i++) {
		if (steps[i].code == 0) {
			assert_true(talk_ended(t, PATIENCE_S * 1000));
			continue;
		}
		if (!steps[i].line) {
			if (t->fd >= 0)
				talk_close(t);
			talk_open(t, d);
			talk_reply(t);
		} else {
			talk_say(t, "%s", steps[i].line);
		}
		const char *line = steps[i].line ? steps[i].line : "(connect)";
		if (t->code != steps[i].code)
			fail_msg("step %zu, '%s': %d, not %d: %s", i, line, t->code, steps[i].code, t->reply);
		if (steps[i].text && !strstr(t->reply, steps[i].text))
			fail_msg("step %zu, '%s': no '%s' in: %s", i, line, steps[i].text, t->reply);
	}
	talk_close(t);
	free(t);
}

bool talk_ended(struct talk *t, int ms)
{
	struct pollfd p = { .fd = t->fd, .events = POLLIN };
	char sink[4096];
	while (poll(&p, 1, ms) > 0)
		if (recv(t->fd, sink, sizeof(sink), 0) <= 0)
			return true;
	return false;
}

int talk_epsv(struct talk *t)
{
	talk_expect(t, 229, "EPSV");
	const char *p = strstr(t->reply, "(|||");
	assert_non_null(p);
	int fd = talk_connect((uint16_t)strtoul(p + 4, NULL, 10), t->ipv6);
	assert_true(fd >= 0);
	return fd;
}

char *talk_drain(int fd, size_t *n, bool *reset)
{
	size_t cap = 1 << 16, len = 0;
	char *data = malloc(cap);
	ssize_t got;
	assert_non_null(data);
	while ((got = recv(fd, data + len, cap - len - 1, 0)) > 0) {
		len += (size_t)got;
		if (cap - len < 1 << 15) {
			char *more = realloc(data, cap *= 2);
			assert_non_null(more);
			data = more;
		}
	}
	if (got < 0 && errno == EAGAIN)
		fail_msg("the data connection is silent for %d s after %zu bytes", PATIENCE_S, len);
	data[len] = '\0';
	*n = len;
	if (reset)
		*reset = got < 0;
	close(fd);
	return data;
}

char *talk_retrieve(struct talk *t, const char *command, size_t *n)
{
	bool reset;
	int fd = talk_epsv(t);
	talk_expect(t, 150, "%s", command);
	char *data = talk_drain(fd, n, &reset);
	assert_false(reset);
	assert_int_equal(talk_reply(t), 226);
	return data;
}

void talk_store(struct talk *t, const char *command, const void *data, size_t n)
{
	int fd = talk_epsv(t);
	talk_expect(t, 150, "%s", command);
	for (size_t at = 0; at < n;) {
		ssize_t sent = send(fd, (const char *)data + at, n - at, MSG_NOSIGNAL);
		assert_true(sent > 0);
		at += (size_t)sent;
	}
	close(fd);
	assert_int_equal(talk_reply(t), 226);
}
