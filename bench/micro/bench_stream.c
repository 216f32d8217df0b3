/* bench_stream - what a stream moves over loopback, beside a bare socket.
 *
 * A child process is the other end and uses plain send() and recv(). Prints one line a case: MB/s, and CPU seconds
 * of the process that is measured for each GiB. Usage: bench_stream [MiB] [case]. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <aftp/stream.h>

#include "stream/tls_settings.h"

#define LEND (1024 * 1024)

struct bench {
	uv_loop_t loop;
	struct aftp_stream *s;
	struct sockaddr_in addr;
	int listener;
	pid_t child;
	uint64_t size, done;
	char *buf;
	struct aftp_stream_throttle throttle;
	bool throttled, limits;
	struct aftp_tls *client, *server;
	uint64_t lines;
};

static double cpu_seconds(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
		(double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* --- the other end -------------------------------------------------------------------------------- */

static void child_send(int fd, uint64_t size)
{
	char *buf = malloc(LEND);

	memset(buf, 'x', LEND);
	for (size_t i = 79; i < LEND; i += 80)
		buf[i] = '\n';
	while (size > 0) {
		ssize_t n = send(fd, buf, size < LEND ? size : LEND, MSG_NOSIGNAL);

		if (n < 0)
			exit(1);
		size -= (uint64_t)n;
	}
	free(buf);
}

static void child_receive(int fd)
{
	char *buf = malloc(LEND);

	while (recv(fd, buf, LEND, 0) > 0)
		continue;
	free(buf);
}

static void tls_send(SSL *ssl, char *buf, uint64_t size)
{
	while (size > 0) {
		int n = SSL_write(ssl, buf, (int)(size < LEND ? size : LEND));

		if (n <= 0)
			die("SSL_write");
		size -= (uint64_t)n;
	}
	SSL_shutdown(ssl);
}

static uint64_t tls_receive(SSL *ssl, char *buf)
{
	uint64_t done = 0;
	int n;

	while ((n = SSL_read(ssl, buf, LEND)) > 0)
		done += (uint64_t)n;
	return done;
}

static void child_tls(int fd, struct aftp_tls *tls, bool sends, uint64_t size)
{
	SSL *ssl = SSL_new(tls->ctx);
	char *buf = calloc(1, LEND);

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) != 1)
		exit(1);
	if (sends)
		tls_send(ssl, buf, size);
	else
		tls_receive(ssl, buf);
	SSL_free(ssl);
	free(buf);
}

static void start_child(struct bench *b, bool sends, bool tls)
{
	socklen_t len = sizeof(b->addr);

	b->addr = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	b->listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(b->listener, (struct sockaddr *)&b->addr, len) < 0 || listen(b->listener, 1) < 0 ||
		getsockname(b->listener, (struct sockaddr *)&b->addr, &len) < 0)
		die("listen");
	fflush(stdout);
	b->child = fork();
	if (b->child == 0) {
		int fd = accept(b->listener, NULL, NULL);

		if (tls)
			child_tls(fd, b->server, sends, b->size);
		else if (sends)
			child_send(fd, b->size);
		else
			child_receive(fd);
		close(fd);
		_exit(0);
	}
	close(b->listener);
}

/* --- what is measured ----------------------------------------------------------------------------- */

static char *lend(void *arg, size_t *len)
{
	*len = LEND;
	return ((struct bench *)arg)->buf;
}

static void data(void *arg, ssize_t n)
{
	struct bench *b = arg;

	if (n > 0)
		b->done += (uint64_t)n;
	else
		aftp_stream_close(&b->s, false, NULL, NULL);
}

static enum aftp_next line(void *arg, ssize_t n, const char *text)
{
	struct bench *b = arg;

	(void)text;
	if (n < 0)
		aftp_stream_close(&b->s, false, NULL, NULL);
	else
		b->done += (uint64_t)n + 1;
	b->lines++;
	return AFTP_GO_ON;
}

static void pulled(void *arg, ssize_t n, const char *text)
{
	struct bench *b = arg;

	(void)text;
	if (n > 0)
		b->done += (uint64_t)n;
	if (n <= 0 || aftp_stream_read(b->s, b->buf, LEND, pulled, b) < 0)
		aftp_stream_close(&b->s, false, NULL, NULL);
}

static void written(void *arg, int status)
{
	struct bench *b = arg;

	b->done += LEND;
	if (status < 0 || b->done >= b->size || aftp_stream_write(b->s, b->buf, LEND, written, b) < 0)
		aftp_stream_close(&b->s, false, NULL, NULL);
}

static void push(void *arg, int status)
{
	struct bench *b = arg;

	if (status < 0 || aftp_stream_read_start(b->s, lend, data, b) < 0)
		die("push");
}

static void push_tls(void *arg, int status)
{
	struct bench *b = arg;

	if (status < 0 || aftp_stream_start_tls(b->s, b->client, NULL, NULL, push, b) < 0)
		die("tls");
}

static void by_line(void *arg, int status)
{
	struct bench *b = arg;

	if (status < 0 || aftp_stream_each_line(b->s, 8192, line, b) < 0)
		die("lines");
}

static void pull(void *arg, int status)
{
	struct bench *b = arg;

	if (status < 0 || aftp_stream_read(b->s, b->buf, LEND, pulled, b) < 0)
		die("pull");
}

static void writes(void *arg, int status)
{
	struct bench *b = arg;

	if (status < 0 || aftp_stream_write(b->s, b->buf, LEND, written, b) < 0)
		die("write");
}

static void writes_tls(void *arg, int status)
{
	struct bench *b = arg;

	if (status < 0 || aftp_stream_start_tls(b->s, b->client, NULL, NULL, writes, b) < 0)
		die("tls");
}

/* --- what it is compared with ---------------------------------------------------------------------- */

static int bare_socket(struct bench *b)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&b->addr, sizeof(b->addr)) < 0)
		die("connect");
	return fd;
}

static void bare_receive(struct bench *b, int fd)
{
	ssize_t n;

	while ((n = recv(fd, b->buf, LEND, 0)) > 0)
		b->done += (uint64_t)n;
}

static void bare_send(struct bench *b, int fd)
{
	while (b->done < b->size) {
		ssize_t n = send(fd, b->buf, LEND, MSG_NOSIGNAL);

		if (n < 0)
			die("send");
		b->done += (uint64_t)n;
	}
}

static void bare_tls(struct bench *b, int fd, bool sends)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);

	SSL_set_fd(ssl, fd);
	if (SSL_connect(ssl) != 1)
		die("SSL_connect");
	if (sends)
		tls_send(ssl, b->buf, b->size);
	b->done = sends ? b->size : tls_receive(ssl, b->buf);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

/* `sends` is said of the other end. */
static void run_bare(struct bench *b, bool sends, bool tls)
{
	int fd = bare_socket(b);

	if (tls)
		bare_tls(b, fd, !sends);
	else if (sends)
		bare_receive(b, fd);
	else
		bare_send(b, fd);
	close(fd);
}

struct bench_case {
	const char *name;
	aftp_stream_cb *begin; /* NULL: bare */
	bool sends, tls;       /* the other end */
	bool limits, throttled;
};

static const struct bench_case cases[] = {
	{ "bare recv", NULL, true, false, false, false },
	{ "push", push, true, false, false, false },
	{ "push, limits", push, true, false, true, false },
	{ "push, limits, 4 throttles", push, true, false, true, true },
	{ "pull", pull, true, false, false, false },
	{ "lines of 80", by_line, true, false, false, false },
	{ "bare send", NULL, false, false, false, false },
	{ "write", writes, false, false, false, false },
	{ "write, limits, 4 throttles", writes, false, false, true, true },
	{ "bare SSL_read", NULL, true, true, false, false },
	{ "push, TLS", push_tls, true, true, false, false },
	{ "bare SSL_write", NULL, false, true, false, false },
	{ "write, TLS", writes_tls, false, true, false, false },
};

static void run_stream(struct bench *b, const struct bench_case *c)
{
	static const char *const names[] = { "a", "b", "c", "d" };

	if (aftp_stream_new(&b->s, &b->loop) < 0)
		die("stream");
	if (c->limits)
		aftp_stream_set_timeouts(b->s, -1, 10000, 10000, 0);
	for (int i = 0; i < 4 && c->throttled; i++) {
		if (aftp_stream_throttle_from_limits(&b->throttle, &b->loop, 10000000000, 10000000000) < 0 ||
			aftp_stream_add_throttle(b->s, names[i], &b->throttle) < 0)
			die("throttle");
		aftp_stream_throttle_unref(&b->throttle);
	}
	if (aftp_stream_connect(b->s, (struct sockaddr *)&b->addr, c->begin, b) < 0)
		die("connect");
	uv_run(&b->loop, UV_RUN_DEFAULT);
}

static void run_case(struct bench *b, const struct bench_case *c)
{
	uint64_t start;
	double cpu, s;

	b->done = 0;
	start_child(b, c->sends, c->tls);
	cpu = cpu_seconds();
	start = uv_hrtime();
	if (c->begin)
		run_stream(b, c);
	else
		run_bare(b, c->sends, c->tls);
	s = (double)(uv_hrtime() - start) / 1e9;
	cpu = cpu_seconds() - cpu;
	waitpid(b->child, NULL, 0);
	printf("%-28s %7.0f MB/s  %5.2f CPU s/GiB%s\n", c->name, (double)b->done / s / 1e6,
		cpu / ((double)b->done / (1 << 30)), b->done < b->size ? "  (short)" : "");
}

/* --- certificates --------------------------------------------------------------------------------- */

static void make_settings(struct bench *b)
{
	const struct aftp_tls_options anybody = { .no_verify_peer = true };

	if (aftp_tls_client_new(&b->client, &anybody, NULL, 0) < 0 ||
		aftp_tls_server_new(&b->server, NULL, NULL, NULL, 0) < 0)
		die("TLS settings");
}

int main(int argc, char **argv)
{
	struct bench b = { .size = (argc > 1 ? strtoull(argv[1], NULL, 10) : 2048) << 20, .buf = malloc(LEND) };

	signal(SIGPIPE, SIG_IGN);
	if (!b.buf || uv_loop_init(&b.loop) < 0)
		die("loop");
	memset(b.buf, 0, LEND);
	make_settings(&b);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (argc < 3 || strcmp(argv[2], cases[i].name) == 0)
			run_case(&b, &cases[i]);
	}
	aftp_tls_unref(b.client);
	aftp_tls_unref(b.server);
	free(b.buf);
	return uv_loop_close(&b.loop) < 0;
}
