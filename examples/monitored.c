/* monitored URL FROM TO - a download that tells how it goes.
 *
 * An observer on a throttle sees every byte that is charged to it, and when. The throttle here allows 2 MB/s, and a line
 * is printed for each MB. */
#include <aftp/data.h>
#include <aftp/status.h>
#include <aftp/url.h>
#include <signal.h>
#include <stdio.h>

struct job {
	uv_loop_t *loop;
	const char *from;
	struct aftp_session *s;
	struct aftp_data *down;
	struct aftp_stream_throttle monitored;
	uint64_t began, told;
	FILE *file;
	int status;
};

static void on_bytes(void *arg, uint64_t n, uint64_t total, uint64_t now_ns)
{
	struct job *j = arg;
	double elapsed;

	(void)n;
	if (j->began == 0)
		j->began = now_ns;
	if (total < j->told + (1 << 20))
		return;
	j->told = total;
	elapsed = (double)(now_ns - j->began) / 1e9;
	printf("Transferred %llu bytes at %.0f bytes/s\n", (unsigned long long)total,
		elapsed > 0 ? (double)total / elapsed : 0);
}

static void end(struct job *j, int status)
{
	if (!j->s)
		return; /* for the second time */
	j->status = status;
	if (status < 0)
		fprintf(stderr, "monitored: %s\n", aftp_strerror(status));
	aftp_data_close(&j->down, NULL, NULL);
	aftp_session_quit(&j->s, NULL, NULL);
}

static enum aftp_next on_block(void *arg, ssize_t n, const char *block)
{
	struct job *j = arg;

	if (n == AFTP_EOF) /* the server has confirmed it all */
		end(j, 0);
	else if (n < 0)
		end(j, (int)n);
	else if (fwrite(block, 1, (size_t)n, j->file) != (size_t)n)
		end(j, AFTP_EIO);
	else
		return AFTP_GO_ON;
	return AFTP_STOP;
}

static void on_connected(void *arg, int status)
{
	struct job *j = arg;

	if (status == 0)
		status = aftp_stream_throttle_from_limits(&j->monitored, j->loop, 2 << 20, 2 << 20);
	if (status == 0)
		aftp_throttle_observe(j->monitored.read, on_bytes, j);
	if (status == 0)
		status = aftp_download_stream(j->s, &j->down, j->from, 0);
	if (status == 0)
		status = aftp_data_add_throttle(j->down, "monitored", &j->monitored);
	if (status == 0)
		status = aftp_data_each_block(j->down, 64 * 1024, on_block, j);
	if (status < 0)
		end(j, status);
}

int main(int argc, char **argv)
{
	struct job j = { .from = argc == 4 ? argv[2] : NULL };
	struct aftp_client_options o = { 0 };
	struct aftp_url url = { 0 };
	uv_loop_t loop;

	if (argc != 4 || aftp_url_parse(&url, argv[1], NULL) < 0 || !(j.file = fopen(argv[3], "wb"))) {
		fprintf(stderr, "usage: monitored URL FROM TO\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&loop);
	j.loop = &loop;
	o = (struct aftp_client_options){
		.host = url.host, .port = url.port, .user = url.user, .password = url.password
	};
	if (aftp_session_new(&j.s, &loop, &o) == 0)
		aftp_session_connect(j.s, on_connected, &j);
	uv_run(&loop, UV_RUN_DEFAULT);
	aftp_stream_throttle_unref(&j.monitored);
	uv_loop_close(&loop);
	aftp_url_clear(&url);
	return (fclose(j.file) != 0) | (j.status < 0);
}
