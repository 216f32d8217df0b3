/* basic HOST PORT - a stream by itself: connect, read a line, write, read what there is, close.
 *
 * The time limits are about progress: 30 seconds without a byte end an operation with AFTP_ETIMEDOUT, and the stream can
 * still be used. Here the peer is an FTP server: it greets, and says goodbye to a QUIT. */
#include <aftp/status.h>
#include <aftp/stream.h>
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct talk {
	struct aftp_stream *stream;
	char buf[1024];
	int exit_code;
};

static void give_up(struct talk *t, const char *what, int status)
{
	fprintf(stderr, "%s: %s\n", what, aftp_strerror(status));
	t->exit_code = 1;
	aftp_stream_close(&t->stream, false, NULL, NULL);
}

static void on_data(void *arg, ssize_t n, const char *data)
{
	struct talk *t = arg;

	if (n < 0) {
		give_up(t, "read", (int)n);
		return;
	}
	printf("Received %zd bytes: %.*s", n, (int)n, data);
	aftp_stream_close(&t->stream, false, NULL, NULL);
}

static void on_written(void *arg, int status)
{
	struct talk *t = arg;

	if (status == 0)
		status = aftp_stream_read(t->stream, t->buf, sizeof t->buf, on_data, t);
	if (status < 0)
		give_up(t, "write", status);
}

static void on_status_line(void *arg, ssize_t n, const char *line)
{
	static const char quit[] = "QUIT\r\n";
	struct talk *t = arg;
	int rc = (int)n;

	if (n >= 0) {
		printf("Status: %.*s\n", (int)n, line);
		rc = aftp_stream_write(t->stream, quit, sizeof quit - 1, on_written, t);
	}
	if (rc < 0)
		give_up(t, "read a line", rc);
}

static void on_connected(void *arg, int status)
{
	struct talk *t = arg;

	if (status == 0)
		status = aftp_stream_read_line(t->stream, 4096, on_status_line, t);
	if (status < 0)
		give_up(t, "connect", status);
}

int main(int argc, char **argv)
{
	struct talk t = { 0 };
	struct sockaddr_in addr;
	uv_loop_t loop;
	int rc;

	if (argc != 3 || uv_ip4_addr(argv[1], (int)strtol(argv[2], NULL, 10), &addr) != 0) {
		fprintf(stderr, "usage: basic ADDRESS PORT\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&loop);
	rc = aftp_stream_new(&t.stream, &loop);
	if (rc == 0) {
		aftp_stream_set_timeouts(t.stream, 30000, 30000, 30000, 0);
		rc = aftp_stream_connect(t.stream, (const struct sockaddr *)&addr, on_connected, &t);
		if (rc < 0)
			give_up(&t, "connect", rc);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	return rc < 0 ? 1 : t.exit_code;
}
