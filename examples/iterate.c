/* iterate URL FROM TO - reads a file of the server line by line, in capitals, and writes it back under another name.
 * Two sessions, since a connection has one transfer at a time; the download pauses while a line is on its way up. */
#include <aftp/data.h>
#include <aftp/status.h>
#include <aftp/url.h>
#include <ctype.h>
#include <signal.h>
#include <stdio.h>

enum { LINE_CAP = 65536 };

struct job {
	const char *from, *to;
	struct aftp_session *source, *target;
	struct aftp_data *down, *up;
	char line[LINE_CAP + 1];
	unsigned lines;
	int ready, status;
};

static void end(struct job *j, int status)
{
	if (!j->source)
		return; /* for the second time */
	j->status = status;
	if (status < 0)
		fprintf(stderr, "iterate: %s\n", aftp_strerror(status));
	aftp_data_close(&j->down, NULL, NULL);
	aftp_data_close(&j->up, NULL, NULL);
	aftp_session_quit(&j->source, NULL, NULL);
	aftp_session_quit(&j->target, NULL, NULL);
}

static void on_finished(void *arg, int status, int code, const char *message)
{
	struct job *j = arg;

	printf("%u lines; the server says: %d %s\n", j->lines, code, message);
	end(j, status);
}

static void on_written(void *arg, int status)
{
	struct job *j = arg;

	if (status < 0)
		end(j, status);
	else
		aftp_data_resume(j->down);
}

static enum aftp_next on_line(void *arg, ssize_t n, const char *line)
{
	struct job *j = arg;
	int rc;

	if (n < 0) { /* AFTP_EOF: that was all of it, and the server agrees */
		rc = n == AFTP_EOF ? aftp_data_finish(j->up, "2xx", "1xx", on_finished, j) : (int)n;
		if (rc < 0)
			end(j, rc);
		return AFTP_STOP;
	}
	for (ssize_t i = 0; i < n; i++)
		j->line[i] = (char)toupper((unsigned char)line[i]);
	j->line[n] = '\n';
	printf("Processed: %.*s\n", (int)n, j->line);
	j->lines++;
	rc = aftp_data_write(j->up, j->line, (size_t)n + 1, on_written, j);
	if (rc < 0)
		end(j, rc);
	return rc < 0 ? AFTP_STOP : AFTP_PAUSE;
}

static void on_connected(void *arg, int status)
{
	struct job *j = arg;

	if (j->status < 0)
		return; /* the other one has failed */
	if (status == 0 && ++j->ready < 2)
		return;
	if (status == 0)
		status = aftp_download_stream(j->source, &j->down, j->from, 0);
	if (status == 0)
		status = aftp_upload_stream(j->target, &j->up, j->to, 0);
	if (status == 0)
		status = aftp_data_each_line(j->down, LINE_CAP, on_line, j);
	if (status < 0)
		end(j, status);
}

int main(int argc, char **argv)
{
	struct job j = { .from = argc == 4 ? argv[2] : NULL, .to = argc == 4 ? argv[3] : NULL };
	struct aftp_client_options o = { 0 };
	struct aftp_url url = { 0 };
	const char *why = "iterate URL FROM TO";
	uv_loop_t loop;

	if (argc != 4 || aftp_url_parse(&url, argv[1], &why) < 0) {
		fprintf(stderr, "usage: %s\n", why);
		return 2;
	}
	o = (struct aftp_client_options){
		.host = url.host, .port = url.port, .user = url.user, .password = url.password
	};
	signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&loop);
	if (aftp_session_new(&j.source, &loop, &o) == 0 && aftp_session_new(&j.target, &loop, &o) == 0) {
		aftp_session_connect(j.source, on_connected, &j);
		aftp_session_connect(j.target, on_connected, &j);
	} else {
		end(&j, AFTP_ENOMEM);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	aftp_url_clear(&url);
	return j.status < 0;
}
