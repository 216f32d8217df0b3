#include "remote/upload.h"

#include <aftp/status.h>
#include <stdlib.h>

#define BOUNCE       (256u * 1024)
#define KEEP_SENT    (4u * 1024 * 1024) /* bytes kept behind what was sent, in case the connection breaks */
#define MAX_ATTEMPTS 4
#define TURN         (4u * 1024 * 1024) /* bytes that may move before others get the connection */
#define PATIENCE_MS  500

static void acquire(struct upload *u);

/* --- the end -------------------------------------------------------------------------------------- */

static void release(struct upload *u)
{
	struct pool_conn *conn = u->conn;

	u->conn = NULL;
	if (conn)
		pool_release(conn);
}

static void free_upload(struct upload *u)
{
	release(u);
	free(u->bounce);
	free(u->path);
	free(u);
}

struct writer *upload_end(struct upload *u)
{
	struct writer *w = u->writer;

	if (w)
		w->upload = NULL;
	free_upload(u);
	return w;
}

void upload_fail(struct upload *u, int status)
{
	struct writer *w = upload_end(u);

	if (w)
		writer_fail(w, status);
}

bool upload_is_stream(const struct upload *u)
{
	return u->writer->state == WRITER_STREAM;
}

static uint64_t position(const struct upload *u)
{
	return upload_is_stream(u) ? u->writer->sent : u->at;
}

void upload_again(struct upload *u)
{
	release(u);
	acquire(u);
}

void upload_broken(struct upload *u, int status)
{
	uint64_t reached = u->writer ? position(u) + u->in_flight : 0;

	u->in_flight = 0;
	if (!u->writer || u->site->closing) {
		upload_fail(u, AFTP_ECANCELED);
		return;
	}
	if (reached > u->best) {
		u->best = reached;
		u->attempts = 0;
	}
	u->attempts += status == AFTP_ETIMEDOUT ? 2 : 1;
	if (u->attempts >= MAX_ATTEMPTS)
		upload_fail(u, status);
	else
		upload_again(u);
}

/* --- bytes ---------------------------------------------------------------------------------------- */

static struct block *block_at(const struct writer *w, uint64_t off)
{
	struct block *b = w->first;

	while (b && b->off + b->len <= off)
		b = b->next;
	return b;
}

static void forget_sent(struct writer *w)
{
	while (w->first && w->first->off + w->first->len + KEEP_SENT <= w->sent) {
		struct block *b = w->first;
		w->first = b->next;
		w->base = b->off + b->len;
		writer_free_block(b);
	}
	if (!w->first)
		w->last = NULL;
}

/* 1: there is something; 0: nothing yet; AFTP_EOF: nothing more; < 0. */
static int next_bytes(struct upload *u, const char **data, size_t *len)
{
	struct writer *w = u->writer;
	ssize_t n;

	if (upload_is_stream(u)) {
		struct block *b = block_at(w, w->sent);
		if (!b)
			return w->finishing ? AFTP_EOF : 0;
		*data = b->data + (w->sent - b->off);
		*len = b->len - (size_t)(w->sent - b->off);
		return 1;
	}
	if (u->pausing)
		return AFTP_EOF;
	n = spool_read(w->spool, u->at, u->bounce, BOUNCE);
	*data = u->bounce;
	*len = n > 0 ? (size_t)n : 0;
	return n < 0 ? (int)n : n > 0 ? 1 : AFTP_EOF;
}

static void push(struct upload *u)
{
	const char *data = NULL;
	size_t len = 0;
	int rc;

	if (!u->ready || !u->writer || !u->transfer)
		return;
	rc = next_bytes(u, &data, &len);
	if (rc == 0)
		return;
	u->ready = false;
	if (rc == 1) {
		u->in_flight = len;
		rc = aftp_transfer_write(u->transfer, data, len);
	} else if (rc == AFTP_EOF) {
		rc = aftp_transfer_finish(u->transfer);
		if (rc == 0)
			upload_follow(u);
	}
	if (rc < 0)
		aftp_transfer_cancel(u->transfer);
}

static void on_ready(void *arg)
{
	struct upload *u = arg;
	struct writer *w = u->writer;

	u->ready = true;
	if (!w)
		return;
	if (u->in_flight && upload_is_stream(u)) {
		w->sent += u->in_flight;
		u->in_flight = 0;
		forget_sent(w);
		push(u);
		writer_step(w); /* there is room in the window */
		return;
	}
	u->at += u->in_flight;
	u->in_flight = 0;
	push(u);
}

void upload_kick(struct upload *u)
{
	push(u);
}

/* --- a transfer ----------------------------------------------------------------------------------- */

static void on_done(void *arg, int status, const struct aftp_transfer_result *r)
{
	struct upload *u = arg;

	u->transfer = NULL;
	u->ready = false;
	u->over = true;
	u->status = status;
	u->code = r->code;
	u->taken |= r->accepted && !u->appending;
	if (status < 0 && status != AFTP_ECANCELED)
		aftp_log(&u->site->log, AFTP_LOG_WARN, "%s: upload %s: %s", u->path,
			r->code >= 400 ? "refused" : "broken off", r->code >= 400 ? r->message : aftp_strerror(status));
	upload_conclude(u);
}

static bool on_yield(void *arg, enum pool_class wanted, uint64_t waited_ms)
{
	struct upload *u = arg;

	(void)wanted;
	if (!u->writer || !u->transfer || u->site->can.no_append ||
		(position(u) - u->began < TURN && waited_ms < PATIENCE_MS))
		return false;
	if (upload_is_stream(u))
		u->writer->finishing = true;
	else
		u->pausing = true;
	push(u);
	return true;
}

static void on_old(void *arg, int status, const struct aftp_reply *r)
{
	struct upload *u = arg;

	u->replies--;
	if (status == 0 && r->code < 400)
		u->has_old = aftp_reply_size(r, &u->old) == 0;
	else if (status == 0)
		u->no_old = aftp_reply_error(r) == AFTP_ENOENT;
	upload_conclude(u);
}

void upload_begin(struct upload *u, bool append)
{
	/* What broke before its 1xx came waits for it the next time: only then is it known what is there. */
	bool early = append || u->attempts == 0;
	struct aftp_source source = { .ready = on_ready, .done = on_done, .arg = u, .early = early };
	struct aftp_client *client = pool_client(u->conn);
	int rc = client ? 0 : AFTP_ENOTCONN;

	content_make_way(u->writer->node);
	u->appending = append;
	u->began = position(u);
	u->over = u->followed = u->exact = false;
	u->asked = ASKED_NOTHING;
	u->asked_mdtm = false;
	if (rc == 0 && !append && !u->taken && u->writer->replaces && !u->has_old && !u->no_old)
		rc = upload_ask(u, "SIZE", on_old);
	if (rc == 0 && u->blind)
		rc = upload_ask_base(u);
	if (rc == 0)
		rc = aftp_client_store(client, &u->transfer, append ? AFTP_APPEND : AFTP_STORE, u->path, 0, &source);
	if (rc == 0) {
		pool_hold(u->conn, on_yield, u);
		return;
	}
	u->over = true;
	u->status = rc;
	u->code = 0;
	upload_conclude(u);
}

int upload_ask(struct upload *u, const char *verb, aftp_reply_cb *cb)
{
	struct aftp_client *client = pool_client(u->conn);
	int rc = client ? aftp_client_command(client, cb, u, verb, u->path) : AFTP_ENOTCONN;

	u->replies += rc == 0;
	return rc;
}

static void on_connection(void *arg, int status, struct pool_conn *conn, const char *why)
{
	struct upload *u = arg;

	u->conn = conn;
	if (status < 0) {
		if (u->writer)
			aftp_log(&u->site->log, AFTP_LOG_WARN, "%s: not uploaded: %s", u->path,
				why[0] ? why : aftp_strerror(status));
		upload_fail(u, status);
	} else if (!u->writer) {
		upload_fail(u, AFTP_ECANCELED);
	} else if (upload_may_append(u)) {
		u->blind = true;
		upload_begin(u, true);
	} else if (upload_must_look(u)) {
		upload_look(u);
	} else if (position(u) > 0 && !u->ours) {
		upload_begin_anew(u);
	} else {
		upload_begin(u, position(u) > 0);
	}
}

static void acquire(struct upload *u)
{
	u->request = (struct pool_request){ 0 };
	pool_acquire(u->site->pool, &u->request, POOL_UPLOAD, on_connection, u);
}

/* --- start ---------------------------------------------------------------------------------------- */

int upload_start(struct writer *w)
{
	struct upload *u = calloc(1, sizeof *u);

	if (!u)
		return AFTP_ENOMEM;
	u->site = w->site;
	u->path = writer_path(w);
	u->bounce = w->state == WRITER_SPOOLED ? malloc(BOUNCE) : NULL;
	if (!u->path || (w->state == WRITER_SPOOLED && !u->bounce)) {
		free_upload(u);
		return AFTP_ENOMEM;
	}
	u->writer = w;
	u->start = u->best = u->floor = position(u);
	u->ours = upload_is_stream(u) && w->append;
	w->upload = u;
	acquire(u);
	return 0;
}

void upload_abandon(struct upload *u)
{
	u->writer->upload = NULL;
	u->writer = NULL;
	if (u->transfer)
		aftp_transfer_cancel(u->transfer);
	else if (!u->conn || u->waiting) {
		if (!u->conn)
			pool_abandon(&u->request);
		free_upload(u);
	}
}

bool upload_may_stream(const struct site *s)
{
	const struct writer *w;
	unsigned streams = 0;

	for (w = s->writers; w; w = w->next)
		streams += w->state == WRITER_STREAM;
	return streams + 1 < pool_limit(s->pool);
}
