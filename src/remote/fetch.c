/* fetch - one RETR: the connection's side of a reader.
 *
 * SIZE and MDTM leave in front of the transfer's commands, in one segment; no byte is taken before the version is known. */
#include <aftp/status.h>
#include <stdlib.h>
#include <sys/param.h>

#include "remote/content.h"

#define SHORT            (64u * 1024)  /* bytes */
#define TURN_METADATA    (256u * 1024) /* bytes a transfer may move before it makes way */
#define TURN_READ        (4u * 1024 * 1024)
#define WAIT_METADATA_MS 200 /* or how long the others may have waited */
#define WAIT_READ_MS     1000

struct fetch {
	struct site *site;
	struct reader *reader; /* NULL: detached */
	struct pool_request request;
	struct pool_conn *conn;         /* NULL while it waits for one */
	struct aftp_transfer *transfer; /* NULL before retrieve and after done */
	char *path;
	struct version now; /* what SIZE and MDTM tell */
	unsigned replies;   /* of them still owed */
	bool ended;         /* the transfer is over */
	int status;
	uint64_t bytes;
	uint64_t until; /* the server ends it there; UINT64_MAX: at the end of the file */
	bool finishing; /* detached when all bytes had come: only their end is awaited */
	char scratch[16];
	uint64_t asked; /* ms: when the transfer was asked for */
};

static void end(struct fetch *f)
{
	struct reader *r = f->reader;
	int status = f->status;

	/* Both the questions and the transfer have had their answers. */
	if (f->replies || !f->ended)
		return;
	if (f->conn)
		pool_release(f->conn);
	free(f->path);
	free(f);
	if (r)
		reader_fetch_ended(r, status);
}

/* --- the version ---------------------------------------------------------------------------------- */

static void check_version(struct fetch *f)
{
	if (!f->reader || !f->transfer)
		return;
	if (content_check(f->reader->content, &f->now) == AFTP_ECHANGED) {
		struct content *c = f->reader->content;
		content_changed(c); /* detaches this fetch, among others */
	}
}

static void answered(struct fetch *f, int status)
{
	f->replies--;
	if (f->replies == 0 && status == 0)
		check_version(f);
	if (f->replies == 0)
		fetch_resume(f);
	end(f);
}

static void on_size(void *arg, int status, const struct aftp_reply *r)
{
	struct fetch *f = arg;

	if (status < 0 || aftp_reply_size(r, &f->now.size) < 0)
		f->now.size = UNKNOWN_SIZE;
	answered(f, status);
}

static void on_mdtm(void *arg, int status, const struct aftp_reply *r)
{
	struct fetch *f = arg;

	f->now.has_mtime = status == 0 && aftp_reply_mdtm(r, &f->now.mtime, &f->now.mtime_nsec) == 0;
	answered(f, status);
}

static bool worth_asking(const struct aftp_features *known, bool offered, bool refused)
{
	return !refused && (offered || !known->feat);
}

static int ask_version(struct fetch *f, struct aftp_client *client)
{
	const struct aftp_features *known = aftp_client_features(client);
	int rc = 0;

	f->now = (struct version){ .size = UNKNOWN_SIZE };
	if (worth_asking(known, known->size, known->no_size)) {
		rc = aftp_client_command(client, on_size, f, "SIZE", f->path);
		f->replies += rc == 0;
	}
	if (rc == 0 && worth_asking(known, known->mdtm, known->no_mdtm)) {
		rc = aftp_client_command(client, on_mdtm, f, "MDTM", f->path);
		f->replies += rc == 0;
	}
	return rc;
}

/* --- the transfer --------------------------------------------------------------------------------- */

static char *on_lend(void *arg, size_t *len)
{
	struct fetch *f = arg;

	if (f->reader)
		return f->replies == 0 ? reader_lend(f->reader, len) : NULL;
	*len = sizeof f->scratch;
	return f->finishing ? f->scratch : NULL;
}

static void learn_pace(const struct fetch *f)
{
	struct link_pace *p = &f->site->pace;
	uint64_t took = site_now(f->site) - f->asked;

	p->begin_ms = p->begin_ms ? (3 * p->begin_ms + took) / 4 : took;
}

static void cancel(struct fetch *f)
{
	if (f->transfer)
		aftp_transfer_cancel(f->transfer);
}

static void on_data(void *arg, size_t n)
{
	struct fetch *f = arg;
	struct reader *r;

	if (!f->reader) {
		f->site->can.no_range |= f->until != UINT64_MAX && f->finishing;
		cancel(f);
		return;
	}
	if (f->bytes == 0)
		learn_pace(f);
	f->bytes += n;
	if (reader_landed(f->reader, n) < 0)
		cancel(f);
	r = f->reader;
	f->site->can.no_range |= r && r->window.end > f->until;
	if (r && r->window.end == f->until) {
		fetch_detach(f);
		reader_need_fetch(r);
	}
}

/* What a refusal of RETR means to a program that has the file open. */
static int retr_status(int status, int code)
{
	if (status == AFTP_EREPLY && code >= 500)
		return AFTP_EACCES;
	return status == AFTP_ENOENT ? -ESTALE : status;
}

static void on_done(void *arg, int status, const struct aftp_transfer_result *result)
{
	struct fetch *f = arg;

	if (status < 0 && status != AFTP_ECANCELED)
		aftp_log(&f->site->log, AFTP_LOG_INFO, "%s: transfer ended after %llu bytes: %s %s", f->path,
			(unsigned long long)f->bytes, aftp_strerror(status), result->message);
	f->transfer = NULL;
	f->ended = true;
	f->status = retr_status(status, result->code);
	end(f);
}

/* One that is nearly done costs less than to stop it. */
static bool is_short(const struct fetch *f)
{
	const struct reader *r = f->reader;

	return !r->lead && MIN(r->content->version.size, f->until) - r->window.end < SHORT;
}

static bool on_yield(void *arg, enum pool_class wanted, uint64_t waited_ms)
{
	struct fetch *f = arg;
	uint64_t turn = wanted == POOL_METADATA ? TURN_METADATA : TURN_READ;
	uint64_t patience = wanted == POOL_METADATA ? WAIT_METADATA_MS : WAIT_READ_MS;

	if (!f->reader && !f->finishing)
		return true;
	if (waited_ms < patience && (!f->reader || (f->reader->waiting ? f->bytes < turn : is_short(f))))
		return false;
	cancel(f);
	return true;
}

/* As late as can be: the file may be renamed while this waits. */
static int find_path(struct fetch *f)
{
	const struct node *n = f->reader->content->node;

	f->path = node_is_gone(n) ? NULL : node_path(&f->site->nodes, n, NULL);
	return f->path ? 0 : node_is_gone(n) ? -ESTALE : AFTP_ENOMEM;
}

static void on_connection(void *arg, int status, struct pool_conn *conn, const char *why)
{
	struct fetch *f = arg;
	struct aftp_sink sink = { .lend = on_lend, .data = on_data, .done = on_done, .arg = f };

	(void)why;
	f->conn = conn;
	f->asked = site_now(f->site);
	if (status == 0 && !pool_client(conn))
		status = AFTP_ECANCELED;
	if (status == 0 && !f->site->can.no_range && aftp_client_ranges(pool_client(conn)))
		f->until = reader_until(f->reader);
	sink.brief = is_short(f);
	sink.until = f->until == UINT64_MAX ? 0 : f->until;
	if (status == 0)
		status = find_path(f);
	if (status == 0)
		status = ask_version(f, pool_client(conn));
	if (status == 0)
		status = aftp_client_retrieve(pool_client(conn), &f->transfer, f->path, f->reader->window.end, &sink);
	if (status < 0) {
		f->ended = true;
		f->status = status;
		end(f);
		return;
	}
	pool_hold(conn, on_yield, f);
	if (f->replies == 0)
		check_version(f);
}

int fetch_start(struct reader *r, enum pool_class class)
{
	struct content *c = r->content;
	struct fetch *f = calloc(1, sizeof *f);

	if (!f)
		return AFTP_ENOMEM;
	f->site = c->site;
	f->reader = r;
	f->until = UINT64_MAX;
	r->fetch = f;
	pool_acquire(c->site->pool, &f->request, class, on_connection, f);
	return 0;
}

/* --- early ends ----------------------------------------------------------------------------------- */

bool fetch_has_begun(const struct fetch *f)
{
	return f->conn != NULL;
}

void fetch_demand(struct fetch *f)
{
	if (!f->conn)
		pool_promote(&f->request, POOL_READ);
}

void fetch_hand_over(struct fetch *f, struct reader *r)
{
	f->reader = r;
	fetch_demand(f);
}

void fetch_detach(struct fetch *f)
{
	struct reader *r = f->reader;

	f->finishing = r->content->version.known && (reader_done(r) || r->window.end == f->until) && !r->paused;
	r->fetch = NULL;
	f->reader = NULL;
	if (f->conn) {
		if (!f->finishing)
			cancel(f);
		return;
	}
	pool_abandon(&f->request);
	free(f->path);
	free(f);
}

void fetch_resume(struct fetch *f)
{
	if (f->transfer)
		aftp_transfer_resume(f->transfer);
}

void fetch_offer(struct fetch *f)
{
	enum pool_class wanted;

	if (f->transfer && pool_wanted(f->site->pool, &wanted))
		cancel(f);
}
