/* aftp_get - fetches a file, or lists a directory (a URL that ends in '/'), with the library's client.
 *
 *   aftp_get [-o OFFSET] [-c BYTES] [-s] [-v] URL
 *
 * -o begins at an offset; -c cancels after so many bytes and then shows that the connection is still in step; -s stats;
 * -v shows the dialogue on standard error. */
#include <aftp/aftp.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct get {
	struct aftp_client *client;
	struct aftp_transfer *transfer;
	struct aftp_url url;
	uint64_t offset, limit;
	bool stat;
	int status;
	char block[1 << 18];
};

static void quit(struct get *g, int status)
{
	if (status < 0)
		fprintf(stderr, "aftp_get: %s: %s\n", aftp_strerror(status), aftp_client_error(g->client));
	g->status = status;
	aftp_client_quit(&g->client, NULL, NULL);
}

static char *on_lend(void *arg, size_t *len)
{
	struct get *g = arg;

	*len = sizeof g->block;
	return g->block;
}

static void on_data(void *arg, size_t n)
{
	struct get *g = arg;

	if (g->limit && aftp_transfer_bytes(g->transfer) >= g->limit)
		aftp_transfer_cancel(g->transfer);
	else if (fwrite(g->block, 1, n, stdout) != n)
		aftp_transfer_cancel(g->transfer);
}

static void on_pwd(void *arg, int status, const struct aftp_reply *r)
{
	fprintf(stderr, "aftp_get: PWD after the cancel: %d %s\n", status < 0 ? status : r->code,
		status < 0 ? aftp_strerror(status) : aftp_reply_message(r));
	quit(arg, status < 0 ? status : r->code == 257 ? 0 : AFTP_EPROTO);
}

static void on_done(void *arg, int status, const struct aftp_transfer_result *r)
{
	struct get *g = arg;

	fprintf(stderr, "aftp_get: %s: %" PRIu64 " bytes, %d %s\n", aftp_strerror(status), r->bytes, r->code,
		r->message);
	if (status == AFTP_ECANCELED && aftp_client_alive(g->client))
		status = aftp_client_command(g->client, on_pwd, g, "PWD", NULL);
	else if (status == AFTP_ECANCELED)
		fprintf(stderr, "aftp_get: the connection was lost\n");
	else
		quit(g, status);
	if (status == AFTP_ECANCELED)
		quit(g, 0);
}

static void print(const struct aftp_entry *e)
{
	printf("%c %04o %12" PRIu64 " %12" PRId64 " %.*s%s%.*s\n", "?fdlo"[e->type], e -> mode, e -> size, e -> mtime,
		(int)e -> name_len, e -> name, e -> target ? " -> " : "", (int)e->target_len,
		e->target ? e->target : "");
}

static int on_entry(void *arg, const struct aftp_entry *e)
{
	(void)arg;
	print(e);
	return 0;
}

static void on_listed(void *arg, int status, const struct aftp_list_result *r)
{
	fprintf(stderr, "aftp_get: %s: %" PRIu64 " entries, %" PRIu64 " unknown, %s%s: %s\n", aftp_strerror(status),
		r->entries, r->unknown, r->kind == AFTP_LISTING_MLSD ? "MLSD" : "LIST",
		r->truncated ? ", truncated" : "", r->message);
	quit(arg, status);
}

static void on_stat(void *arg, int status, const struct aftp_entry *e)
{
	if (status == 0)
		print(e);
	quit(arg, status);
}

static void on_connected(void *arg, int status)
{
	struct get *g = arg;
	const char *path = g->url.path;
	struct aftp_sink sink = { .lend = on_lend, .data = on_data, .done = on_done, .arg = g };

	if (status == 0 && g->stat)
		status = aftp_client_stat(g->client, path, on_stat, g);
	else if (status == 0 && (path[0] == '\0' || path[strlen(path) - 1] == '/'))
		status = aftp_client_list(g->client, &g->transfer, path, on_entry, on_listed, g);
	else if (status == 0)
		status = aftp_client_retrieve(g->client, &g->transfer, path, g->offset, &sink);
	if (status < 0)
		quit(g, status);
}

static int usage(void)
{
	fprintf(stderr, "usage: aftp_get [-o OFFSET] [-c BYTES] [-s] [-v] URL\n");
	return 2;
}

static int run(struct get *g, const struct aftp_log *log)
{
	uv_loop_t loop;
	struct aftp_client_options o = {
		.host = g->url.host,
		.port = g->url.port,
		.user = g->url.user,
		.password = g->url.password,
		.log = log,
	};
	int rc = uv_loop_init(&loop);

	if (rc == 0)
		rc = aftp_client_new(&g->client, &loop, &o);
	if (rc == 0)
		rc = aftp_client_connect(g->client, on_connected, g);
	if (rc < 0) {
		fprintf(stderr, "aftp_get: %s\n", aftp_strerror(rc));
		return 1;
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	rc = uv_loop_close(&loop);
	if (rc < 0)
		fprintf(stderr, "aftp_get: something is left on the loop\n");
	return g->status < 0 || rc < 0;
}

int main(int argc, char **argv)
{
	struct aftp_log log = { .sink = aftp_log_to_file, .arg = stderr, .level = AFTP_LOG_WARN };
	struct get *g = calloc(1, sizeof *g);
	const char *why = "";
	int option, rc;

	signal(SIGPIPE, SIG_IGN);
	while (g && (option = getopt(argc, argv, "o:c:sv")) != -1) {
		switch (option) {
		case 'o': g->offset = strtoull(optarg, NULL, 10); break;
		case 'c': g->limit = strtoull(optarg, NULL, 10); break;
		case 's': g->stat = true; break;
		case 'v': log.level = AFTP_LOG_WIRE; break;
		default: free(g); return usage();
		}
	}
	if (!g || optind + 1 != argc) {
		free(g);
		return usage();
	}
	rc = aftp_url_parse(&g->url, argv[optind], &why);
	if (rc < 0)
		fprintf(stderr, "aftp_get: %s\n", why);
	rc = rc < 0 ? 1 : run(g, &log);
	aftp_url_clear(&g->url);
	free(g);
	return rc;
}
