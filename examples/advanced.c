/* advanced URL SMALL LARGE - a small file at full speed, then a large one that leaves the link to others.
 *
 * The session's own throttle (10 MB/s) holds for all it moves. The stream of the large file gets a second one beside it,
 * by the name "upload" (256 kB/s); the stricter counts. */
#include <aftp/data.h>
#include <aftp/status.h>
#include <aftp/url.h>
#include <signal.h>
#include <stdio.h>

struct job {
	uv_loop_t *loop;
	const char *small, *large;
	struct aftp_session *s;
	struct aftp_data *up;
	struct aftp_stream_throttle slow;
	FILE *file;
	char chunk[8192];
	int status;
};

static void end(struct job *j, const char *what, int status)
{
	if (!j->s)
		return; /* for the second time */
	j->status = status;
	if (status < 0)
		fprintf(stderr, "%s: %s\n", what, aftp_strerror(status));
	aftp_data_close(&j->up, NULL, NULL);
	aftp_session_quit(&j->s, NULL, NULL);
}

static void on_finished(void *arg, int status, int code, const char *message)
{
	struct job *j = arg;

	(void)message;
	printf("large: %llu bytes, code %d\n", (unsigned long long)aftp_data_bytes(j->up), code);
	end(j, "large", status);
}

/* The next chunk, or the end. */
static void on_written(void *arg, int status)
{
	struct job *j = arg;
	size_t n = status == 0 ? fread(j->chunk, 1, sizeof j->chunk, j->file) : 0;

	if (n > 0)
		status = aftp_data_write(j->up, j->chunk, n, on_written, j);
	else if (status == 0)
		status = ferror(j->file) ? AFTP_EIO : aftp_data_finish(j->up, "2xx", "1xx", on_finished, j);
	if (status < 0)
		end(j, "large", status);
}

static void on_small(void *arg, int status, const struct aftp_copy_result *r)
{
	struct job *j = arg;

	if (status == 0) {
		printf("small: %llu bytes\n", (unsigned long long)r->bytes);
		status = aftp_upload_stream(j->s, &j->up, "/large_remote", 0);
	}
	if (status == 0)
		status = aftp_stream_throttle_from_limits(&j->slow, j->loop, 256 * 1024, 256 * 1024);
	if (status == 0)
		status = aftp_data_add_throttle(j->up, "upload", &j->slow);
	if (status == 0)
		on_written(j, 0);
	else
		end(j, "small", status);
}

static void on_connected(void *arg, int status)
{
	struct job *j = arg;

	if (status == 0)
		status = aftp_session_upload(j->s, NULL, j->small, "/small_remote", 0, NULL, on_small, j);
	if (status < 0)
		end(j, "connect", status);
}

int main(int argc, char **argv)
{
	struct job j = { .small = argc == 4 ? argv[2] : NULL, .large = argc == 4 ? argv[3] : NULL };
	struct aftp_client_options o = { 0 };
	struct aftp_url url = { 0 };
	uv_loop_t loop;

	if (argc != 4 || aftp_url_parse(&url, argv[1], NULL) < 0 || !(j.file = fopen(j.large, "rb"))) {
		fprintf(stderr, "usage: advanced URL SMALL LARGE\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&loop);
	j.loop = &loop;
	o = (struct aftp_client_options){
		.host = url.host, .port = url.port, .user = url.user, .password = url.password
	};
	if (aftp_stream_throttle_from_limits(&o.throttle, &loop, 10 << 20, 10 << 20) == 0 &&
		aftp_session_new(&j.s, &loop, &o) == 0)
		aftp_session_connect(j.s, on_connected, &j);
	uv_run(&loop, UV_RUN_DEFAULT);
	aftp_stream_throttle_unref(&o.throttle);
	aftp_stream_throttle_unref(&j.slow);
	uv_loop_close(&loop);
	aftp_url_clear(&url);
	fclose(j.file);
	return j.status < 0;
}
