/* memftpd - an FTP server that keeps everything in memory. See memftpd(1). */
#include <aftp/server.h>
#include <aftp/status.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memftpd/counts.h"
#include "memftpd/options.h"
#include "memftpd/options_users.h"

enum { EXIT_USAGE = 2 };

struct memftpd {
	uv_loop_t loop;
	struct options options;
	struct aftp_memfs *fs;
	struct aftp_server *server;
	struct aftp_tls *tls; /* or NULL */
	struct aftp_log log;
	uv_signal_t sigint, sigterm, sigusr1, sighup;
};

/* --- counters -------------------------------------------------------------------------------------- */

/* At SIGUSR1, and at the end. */
static void report(const struct memftpd *m, bool print)
{
	if (print)
		counts_print(m->server, stderr);
	if (!m->options.count)
		return;
	int rc = counts_write(m->server, m->options.count);
	if (rc < 0)
		fprintf(stderr, "memftpd: %s: %s\n", m->options.count, aftp_strerror(rc));
}

/* --- limits ---------------------------------------------------------------------------------------- */

/* At SIGHUP. A file with a mistake changes nothing. */
static void limit_anew(struct memftpd *m)
{
	struct options next = m->options;
	if (set_limits(&next, next.limits) < 0)
		return;
	m->options = next;
	aftp_server_set_limits(m->server, AFTP_LIMIT_SERVER, NULL, &next.server.limits);
	aftp_server_set_limits(m->server, AFTP_LIMIT_CONNECTION, NULL, &next.server.connection_limits);
	for (size_t i = 0; i < next.nusers; i++) {
		const struct aftp_user *u = &next.users[i];
		aftp_server_set_limits(m->server, AFTP_LIMIT_USER, u->name, &u->limits);
		aftp_server_set_limits(m->server, AFTP_LIMIT_USER_CONNECTION, u->name, &u->connection_limits);
	}
}

/* --- signals --------------------------------------------------------------------------------------- */

static void close_signals(struct memftpd *m)
{
	uv_close((uv_handle_t *)&m->sigint, NULL);
	uv_close((uv_handle_t *)&m->sigterm, NULL);
	uv_close((uv_handle_t *)&m->sigusr1, NULL);
	uv_close((uv_handle_t *)&m->sighup, NULL);
}

static void on_closed(void *arg)
{
	struct memftpd *m = arg;
	aftp_memfs_close(&m->fs);
}

static void on_signal(uv_signal_t *h, int signum)
{
	struct memftpd *m = h->data;
	if (signum == SIGUSR1) {
		report(m, true);
		return;
	}
	if (signum == SIGHUP) {
		limit_anew(m);
		return;
	}
	report(m, m->options.stats);
	close_signals(m);
	aftp_server_close(&m->server, on_closed, m);
}

/* A terminal that hangs up ends the program, unless SIGHUP means something else. */
static int watch(struct memftpd *m, uv_signal_t *h, int signum)
{
	int rc = uv_signal_init(&m->loop, h);
	h->data = m;
	if (rc < 0 || (signum == SIGHUP && !m->options.limits))
		return rc;
	return uv_signal_start(h, on_signal, signum);
}

/* --- the beginning --------------------------------------------------------------------------------- */

static int fail(const char *what, int status)
{
	fprintf(stderr, "memftpd: %s: %s\n", what, aftp_strerror(status));
	return status;
}

static void report_load(void *arg, const char *path, int status)
{
	(void)arg;
	fprintf(stderr, "memftpd: left out %s: %s\n", path,
		status == AFTP_ENOTSUP ? "not a file, folder or link" : aftp_strerror(status));
}

static int fill(struct memftpd *m)
{
	const struct options *o = &m->options;
	aftp_memfs_set_limits(m->fs, o->quota, o->memory);
	for (size_t i = 0; i < o->nload; i++) {
		int rc = aftp_memfs_load(m->fs, o->load[i], "/", report_load, NULL);
		if (rc < 0)
			return fail(o->load[i], rc);
	}
	for (size_t i = 0; i < o->npatterns; i++) {
		int rc = aftp_memfs_put_pattern(m->fs, o->patterns[i].path, o->patterns[i].size, i + 1);
		if (rc < 0)
			return fail(o->patterns[i].path, rc);
	}
	return 0;
}

static void announce(const struct memftpd *m)
{
	struct sockaddr_storage ss;
	bool tls;
	for (size_t i = 0; aftp_server_local_of(m->server, i, &ss, &tls) == 0; i++) {
		const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)&ss;
		const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)&ss;
		char host[INET6_ADDRSTRLEN] = "?";
		if (ss.ss_family == AF_INET6)
			inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof(host));
		else
			inet_ntop(AF_INET, &four->sin_addr, host, sizeof(host));
		printf(ss.ss_family == AF_INET6 ? "memftpd: listening on [%s]:%u%s\n"
						: "memftpd: listening on %s:%u%s\n",
			host, ntohs(ss.ss_family == AF_INET6 ? six->sin6_port : four->sin_port),
			tls ? " with TLS" : "");
	}
	if (m->tls)
		printf("memftpd: key %s\n", aftp_tls_own_pin(m->tls));
	fflush(stdout);
}

static int save_certificate(const struct memftpd *m)
{
	const char *path = m->options.tls_save, *pem = aftp_tls_own_certificate(m->tls);
	FILE *out = fopen(path, "we");
	int rc = out ? 0 : -errno;
	if (out && (fputs(pem, out) < 0 || fflush(out) != 0))
		rc = -errno;
	if (out)
		fclose(out);
	return rc < 0 ? fail(path, rc) : 0;
}

static int prepare_tls(struct memftpd *m)
{
	char why[256] = "";
	const struct options *o = &m->options;
	if (!o->tls_on)
		return 0;
	int rc = aftp_tls_server_new(&m->tls, &o->tls, o->tls_names, why, sizeof(why));
	if (rc < 0) {
		fprintf(stderr, "memftpd: TLS: %s\n", why[0] ? why : aftp_strerror(rc));
		return rc;
	}
	m->options.server.tls = m->tls;
	return o->tls_save ? save_certificate(m) : 0;
}

static int listen_all(struct memftpd *m)
{
	const struct options *o = &m->options;
	int rc = 0;
	for (size_t i = 0; i < o->nlisten && rc == 0; i++) {
		const struct sockaddr *at = (const struct sockaddr *)&o->listen[i];
		rc = o->listen_tls[i] ? aftp_server_listen_tls(m->server, at) : aftp_server_listen(m->server, at);
	}
	return rc < 0 ? fail("cannot listen", rc) : 0;
}

static int serve(struct memftpd *m)
{
	m->options.server.vfs = aftp_memfs_vfs(m->fs);
	m->options.server.log = &m->log;
	int rc = aftp_server_new(&m->server, &m->loop, &m->options.server);
	if (rc < 0)
		return fail("an option of users or faults cannot be used", rc);
	rc = listen_all(m);
	if (rc == 0)
		announce(m);
	return rc;
}

static int start(struct memftpd *m)
{
	int rc = watch(m, &m->sigint, SIGINT);
	if (rc == 0)
		rc = watch(m, &m->sigterm, SIGTERM);
	if (rc == 0)
		rc = watch(m, &m->sigusr1, SIGUSR1);
	if (rc == 0)
		rc = watch(m, &m->sighup, SIGHUP);
	if (rc == 0)
		rc = aftp_memfs_new(&m->fs, &m->loop);
	if (rc < 0)
		return fail("cannot start", rc);
	rc = prepare_tls(m);
	if (rc == 0)
		rc = fill(m);
	return rc == 0 ? serve(m) : rc;
}

static int run(struct memftpd *m)
{
	int rc = uv_loop_init(&m->loop);
	if (rc < 0)
		return fail("cannot start", rc);
	m->log = (struct aftp_log){
		.sink = aftp_log_to_file, .arg = stderr, .level = m->options.verbose ? AFTP_LOG_WIRE : AFTP_LOG_ERROR
	};
	signal(SIGPIPE, SIG_IGN);
	rc = start(m);
	if (rc < 0) {
		close_signals(m);
		if (m->server)
			aftp_server_close(&m->server, on_closed, m);
		else
			aftp_memfs_close(&m->fs);
	}
	uv_run(&m->loop, UV_RUN_DEFAULT);
	uv_loop_close(&m->loop);
	aftp_tls_unref(m->tls);
	return rc;
}

int main(int argc, char **argv)
{
	struct memftpd m = { 0 };
	int rc = options_parse(&m.options, argc, argv);
	if (rc < 0)
		rc = EXIT_USAGE;
	else if (m.options.help)
		options_help(stdout);
	else if (m.options.version)
		puts("memftpd " FTPFS_VERSION);
	else
		rc = run(&m) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	options_finish(&m.options);
	return rc;
}
