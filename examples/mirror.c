/* mirror get|put URL FROM TO - a file or a whole tree, down or up, going on where an earlier run stopped. */
#include <aftp/session.h>
#include <aftp/status.h>
#include <aftp/url.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

struct job {
	const char *from, *to;
	bool up;
	struct aftp_session *s;
	int status;
};

static int on_item(void *arg, const char *from, const char *to, int status)
{
	static const char *const words[] = { "copied", "complete already", "skipped" };

	(void)arg;
	printf("%s -> %s: %s\n", from, to, status < 0 ? aftp_strerror(status) : words[status]);
	return 0; /* a failure stops nothing else */
}

static void on_copied(void *arg, int status, const struct aftp_copy_result *r)
{
	struct job *j = arg;

	j->status = status;
	printf("%llu files, %llu folders, %llu bytes, %llu skipped, %llu failed\n", (unsigned long long)r->files,
		(unsigned long long)r->folders, (unsigned long long)r->bytes, (unsigned long long)r->skipped,
		(unsigned long long)r->failed);
	if (status < 0)
		fprintf(stderr, "mirror: %s: %s\n", r->path, aftp_strerror(status));
	aftp_session_quit(&j->s, NULL, NULL);
}

static void on_connected(void *arg, int status)
{
	const unsigned flags = AFTP_RESUME | AFTP_KEEP_TIMES | AFTP_PARENTS;
	struct job *j = arg;

	if (status == 0 && j->up)
		status = aftp_session_upload(j->s, NULL, j->from, j->to, flags, on_item, on_copied, j);
	else if (status == 0)
		status = aftp_session_download(j->s, NULL, j->from, j->to, flags, on_item, on_copied, j);
	if (status == 0)
		return;
	fprintf(stderr, "mirror: %s %s\n", aftp_strerror(status), aftp_client_error(aftp_session_client(j->s)));
	j->status = status;
	aftp_session_close(&j->s, NULL, NULL);
}

int main(int argc, char **argv)
{
	struct aftp_client_options o = { 0 };
	struct aftp_url url = { 0 };
	struct job j = { 0 };
	uv_loop_t loop;

	if (argc != 5 || aftp_url_parse(&url, argv[2], NULL) < 0) {
		fprintf(stderr, "usage: mirror get|put URL FROM TO\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	j = (struct job){ .from = argv[3], .to = argv[4], .up = strcmp(argv[1], "put") == 0 };
	o = (struct aftp_client_options){
		.host = url.host, .port = url.port, .user = url.user, .password = url.password
	};
	uv_loop_init(&loop);
	if (aftp_session_new(&j.s, &loop, &o) == 0)
		aftp_session_connect(j.s, on_connected, &j);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	aftp_url_clear(&url);
	return j.status < 0;
}
