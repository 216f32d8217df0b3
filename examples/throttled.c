/* throttled HOST PORT - a stream with a throttle: at most 1 MB/s in and 512 kB/s out.
 *
 * A stream carries any number of throttle pairs by name; the strictest grants. They can be shared by many streams, and
 * changed while these run. */
#include <aftp/status.h>
#include <aftp/stream.h>
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct talk {
	struct aftp_stream *stream;
	int lines, exit_code;
};

static void end(struct talk *t, const char *what, int status)
{
	if (status == AFTP_ETIMEDOUT)
		fprintf(stderr, "Operation timed out\n");
	else if (status < 0)
		fprintf(stderr, "%s: %s\n", what, aftp_strerror(status));
	t->exit_code = status < 0;
	aftp_stream_close(&t->stream, false, NULL, NULL);
}

static void on_line(void *arg, ssize_t n, const char *line);

static void on_written(void *arg, int status)
{
	struct talk *t = arg;

	if (status == 0)
		status = aftp_stream_read_line(t->stream, 4096, on_line, t);
	if (status < 0)
		end(t, "write", status);
}

static void on_line(void *arg, ssize_t n, const char *line)
{
	static const char user[] = "USER anonymous\r\n";
	struct talk *t = arg;
	int rc;

	if (n < 0) {
		end(t, "read a line", (int)n);
		return;
	}
	printf("Response: %.*s\n", (int)n, line);
	if (t->lines++ > 0) {
		end(t, "", 0);
		return;
	}
	rc = aftp_stream_write(t->stream, user, sizeof user - 1, on_written, t);
	if (rc < 0)
		end(t, "write", rc);
}

static void on_connected(void *arg, int status)
{
	struct talk *t = arg;

	if (status == 0)
		status = aftp_stream_read_line(t->stream, 4096, on_line, t);
	if (status < 0)
		end(t, "connect", status);
}

static int begin(struct talk *t, uv_loop_t *loop, const struct sockaddr *addr)
{
	struct aftp_stream_throttle pair = { 0 };
	int rc = aftp_stream_new(&t->stream, loop);

	if (rc < 0)
		return rc;
	rc = aftp_stream_throttle_from_limits(&pair, loop, 1024 * 1024, 512 * 1024);
	if (rc == 0)
		rc = aftp_stream_add_throttle(t->stream, "default", &pair);
	aftp_stream_throttle_unref(&pair); /* the stream has its own references */
	aftp_stream_set_timeouts(t->stream, 60000, 60000, 60000, 0);
	if (rc == 0)
		rc = aftp_stream_connect(t->stream, addr, on_connected, t);
	if (rc < 0)
		end(t, "begin", rc);
	return rc;
}

int main(int argc, char **argv)
{
	struct talk t = { 0 };
	struct sockaddr_in addr;
	uv_loop_t loop;
	int rc;

	if (argc != 3 || uv_ip4_addr(argv[1], (int)strtol(argv[2], NULL, 10), &addr) != 0) {
		fprintf(stderr, "usage: throttled ADDRESS PORT\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&loop);
	rc = begin(&t, &loop, (const struct sockaddr *)&addr);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	return rc < 0 ? 1 : t.exit_code;
}
