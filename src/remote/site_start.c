/* site_start - which directory is the root: CWD to the path, and PWD, whose answer is the end of it.
 *
 * They leave with the first segment behind the login, where nothing in the path could look different to the server before
 * OPTS UTF8; else, or when PWD tells of such a directory, when the login is over. */
#include <aftp/status.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/internal.h"

struct start {
	struct site *site;
	struct pool_request request;
	struct pool_conn *conn;
	char *path;
	unsigned owed; /* callbacks: the connection, and those of commands */
	bool asked;
	bool early;  /* before the connection was there */
	int refused; /* CWD was, and why */
	char words[256];
	site_start_cb *cb; /* NULL: it is over */
	void *arg;
};

static void unref(struct start *st)
{
	if (--st->owed > 0)
		return;
	free(st->path);
	free(st);
}

static void end(struct start *st, int status, const char *why)
{
	site_start_cb *cb = st->cb;

	if (!cb)
		return;
	st->cb = NULL;
	if (st->site->pool)
		pool_prepare(st->site->pool, NULL, NULL);
	if (st->conn)
		pool_release(st->conn);
	st->conn = NULL;
	cb(st->arg, status, why);
}

static void refuse(struct start *st, int status, const char *words)
{
	char why[400];

	snprintf(why, sizeof why, "cannot use directory \"%s\": %s", st->path ? st->path : "",
		words[0] ? words : aftp_strerror(status));
	end(st, status, why);
}

/* `said`: by the server, in its own character set. */
static void take_base(struct start *st, const char *base, bool said)
{
	struct site *s = st->site;
	struct aftp_client *client = said && st->conn ? pool_client(st->conn) : NULL;
	char *decoded = client ? aftp_client_decode(client, base) : NULL;
	int rc;

	nodes_finish(&s->nodes);
	rc = client && !decoded ? AFTP_ENOMEM : nodes_init(&s->nodes, decoded ? decoded : base, s->o.cache_entries);
	free(decoded);
	end(st, rc, rc ? aftp_strerror(rc) : "");
}

/* --- asking --------------------------------------------------------------------------------------- */

static bool is_plain(const char *s)
{
	while (*s >= ' ' && *s < 0x7f)
		s++;
	return !*s;
}

static void on_cwd(void *arg, int status, const struct aftp_reply *r)
{
	struct start *st = arg;

	if (status == 0 && r->code >= 400) {
		st->refused = aftp_reply_error(r);
		if (st->refused == AFTP_EREPLY)
			st->refused = AFTP_ENOENT;
		snprintf(st->words, sizeof st->words, "%s", aftp_reply_message(r));
	}
	unref(st);
}

static void on_pwd(void *arg, int status, const struct aftp_reply *r);

static void ask(struct start *st, struct aftp_client *client)
{
	int rc = client ? 0 : AFTP_ECANCELED;

	if (rc == 0 && st->path) {
		rc = aftp_client_command(client, on_cwd, st, "CWD", st->path);
		st->owed += rc == 0;
	}
	if (rc == 0) {
		rc = aftp_client_command(client, on_pwd, st, "PWD", NULL);
		st->owed += rc == 0;
	}
	st->asked = rc == 0;
	st->early = !st->conn;
	if (rc < 0 && st->conn)
		refuse(st, rc, "");
}

static void take_answer(struct start *st, const struct aftp_reply *r)
{
	char base[4096];
	size_t len;

	if (aftp_reply_quoted_path(r, base, sizeof base) < 0 || base[0] != '/') {
		/* No answer to build on. The path that was accepted serves as well. */
		take_base(st, st->path ? st->path : "/", false);
		return;
	}
	if (st->early && !is_plain(base)) {
		st->asked = false;
		if (st->conn)
			ask(st, pool_client(st->conn));
		return;
	}
	len = strlen(base);
	while (len > 1 && base[len - 1] == '/')
		base[--len] = '\0';
	take_base(st, base, true);
}

/* What is lost before the connection was there, the pool tells why. */
static void on_pwd(void *arg, int status, const struct aftp_reply *r)
{
	struct start *st = arg;

	st->asked = status == 0;
	if (status == 0)
		status = st->refused;
	if (status == 0)
		take_answer(st, r);
	else if (st->asked || st->conn)
		refuse(st, status, st->words);
	unref(st);
}

static void prepare(void *arg, struct aftp_client *client)
{
	struct start *st = arg;

	if (!st->asked && (!st->path || is_plain(st->path)))
		ask(st, client);
}

static void on_connected(void *arg, int status, struct pool_conn *conn, const char *why)
{
	struct start *st = arg;

	st->conn = conn;
	if (status < 0)
		end(st, status, why);
	else if (!st->cb)
		pool_release(conn);
	else if (!st->asked)
		ask(st, pool_client(conn));
	unref(st);
}

int site_start(struct site *s, site_start_cb *cb, void *arg)
{
	struct start *st = calloc(1, sizeof *st);

	if (!st)
		return AFTP_ENOMEM;
	if (s->o.path && s->o.path[0]) {
		st->path = strdup(s->o.path);
		if (!st->path) {
			free(st);
			return AFTP_ENOMEM;
		}
	}
	st->site = s;
	st->cb = cb;
	st->arg = arg;
	st->request.once = true;
	st->owed = 1;
	pool_prepare(s->pool, prepare, st);
	pool_acquire(s->pool, &st->request, POOL_METADATA, on_connected, st);
	return 0;
}
