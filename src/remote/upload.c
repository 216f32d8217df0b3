/* upload - STOR or APPE of what a writer has, until the server has confirmed it with its size.
 *
 * A connection that breaks after the server had accepted the upload is replaced: SIZE tells what has arrived, and
 * APPE goes on from there, if the window still holds it. Before that, the file on the server may be an old one: then
 * all begins anew. */
#include <aftp/status.h>
#include <stdlib.h>

#include "remote/job.h"
#include "remote/writer.h"

#define BOUNCE       (256u * 1024)
#define KEEP_SENT    (4u * 1024 * 1024) /* bytes kept behind what was sent, in case the connection breaks */
#define MAX_ATTEMPTS 4
#define TURN         (4u * 1024 * 1024) /* bytes that may move before others get the connection */
#define PATIENCE_MS  500

struct upload {
	struct site *site;
	struct writer *writer; /* NULL: it went away */
	struct pool_request request;
	struct pool_conn *conn;
	struct aftp_transfer *transfer;
	char *path;
	uint64_t at;    /* SPOOLED: the next byte to send; STREAM: writer::sent is */
	uint64_t began; /* where this attempt started */
	size_t in_flight;
	bool ready;    /* the server wants bytes */
	bool accepted; /* it wanted some once: the file is ours from there on */
	bool resuming; /* a connection broke: look first */
	bool pausing;  /* SPOOLED: others wait; to be gone on with */
	bool sent_all; /* the server has confirmed the transfer */
	unsigned attempts;
	unsigned replies; /* of SIZE and MDTM, owed */
	int lost;         /* the connection broke meanwhile */
	bool has_size;
	uint64_t size;
	struct attr known; /* from MDTM */
	char *bounce;
};

static void acquire(struct upload *u);
static void free_upload(struct upload *u);

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

static void fail(struct upload *u, int status)
{
	struct writer *w = u->writer;

	free_upload(u);
	if (!w)
		return;
	w->upload = NULL;
	writer_fail(w, status);
}

static void confirmed(struct upload *u)
{
	struct writer *w = u->writer;
	struct attr known = u->known;

	free_upload(u);
	if (!w)
		return;
	w->upload = NULL;
	writer_confirmed(w, known.have ? &known : NULL);
}

static bool by_stream(const struct upload *u)
{
	return u->writer->state == WRITER_STREAM;
}

static uint64_t position(const struct upload *u)
{
	return by_stream(u) ? u->writer->sent : u->at;
}

/* The connection's fault: again, on another one. */
static void broken(struct upload *u, int status)
{
	release(u);
	u->ready = false;
	u->in_flight = 0;
	if (!u->writer || u->site->closing) {
		fail(u, AFTP_ECANCELED);
		return;
	}
	if (position(u) > u->began)
		u->attempts = 0;
	u->attempts += status == AFTP_ETIMEDOUT ? 2 : 1;
	if (u->attempts >= MAX_ATTEMPTS) {
		fail(u, status);
		return;
	}
	u->resuming = true;
	acquire(u);
}

/* What a refusal of STOR means to a program. */
static int stor_status(int status, int code)
{
	if (status == AFTP_EREPLY)
		return code == 552 ? -ENOSPC : code >= 500 ? AFTP_EACCES : AFTP_EIO;
	return status;
}

/* --- verification --------------------------------------------------------------------------------- */

static uint64_t expected(const struct upload *u)
{
	return by_stream(u) ? u->writer->size : u->pausing ? u->at : spool_size(u->writer->spool);
}

static void verified(struct upload *u)
{
	int lost = u->lost;

	if (!u->writer) {
		fail(u, AFTP_ECANCELED);
		return;
	}
	if (lost < 0) {
		broken(u, lost);
		return;
	}
	if (u->has_size && u->size != expected(u)) {
		aftp_log(&u->site->log, AFTP_LOG_ERROR, "%s: the server has %llu bytes of %llu", u->path,
			(unsigned long long)u->size, (unsigned long long)expected(u));
		fail(u, AFTP_EIO);
		return;
	}
	if (u->pausing) {
		u->pausing = u->sent_all = u->accepted = false;
		release(u);
		acquire(u);
		return;
	}
	confirmed(u);
}

static void on_size(void *arg, int status, const struct aftp_reply *r)
{
	struct upload *u = arg;

	u->replies--;
	u->has_size = status == 0 && aftp_reply_size(r, &u->size) == 0;
	if (status < 0)
		u->lost = status;
	if (!u->replies)
		verified(u);
}

static void on_mdtm(void *arg, int status, const struct aftp_reply *r)
{
	struct upload *u = arg;

	u->replies--;
	if (status < 0)
		u->lost = status;
	else if (aftp_reply_mdtm(r, &u->known.mtime, &u->known.mtime_nsec) == 0)
		u->known.have = AFTP_HAVE_MTIME;
	if (!u->replies)
		verified(u);
}

static int ask(struct upload *u, const char *verb, aftp_reply_cb *cb)
{
	struct aftp_client *client = pool_client(u->conn);
	int rc = client ? aftp_client_command(client, cb, u, verb, u->path) : AFTP_ENOTCONN;

	u->replies += rc == 0;
	return rc;
}

static void verify(struct upload *u)
{
	u->lost = 0;
	u->has_size = false;
	u->known = (struct attr){ 0 };
	u->replies = 0;
	if (ask(u, "SIZE", on_size) == 0)
		ask(u, "MDTM", on_mdtm);
	if (u->replies == 0)
		broken(u, AFTP_ENOTCONN);
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
		free(b);
	}
	if (!w->first)
		w->last = NULL;
}

/* 1: there is something; 0: nothing yet; AFTP_EOF: nothing more; < 0. */
static int next_bytes(struct upload *u, const char **data, size_t *len)
{
	struct writer *w = u->writer;
	ssize_t n;

	if (by_stream(u)) {
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
	}
	if (rc < 0)
		aftp_transfer_cancel(u->transfer);
}

static void on_ready(void *arg)
{
	struct upload *u = arg;
	struct writer *w = u->writer;

	u->ready = u->accepted = true;
	if (!w)
		return;
	if (u->in_flight && by_stream(u)) {
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

static bool may_resume(int status)
{
	return status == AFTP_ETIMEDOUT ||
		(job_is_network(status) && status != AFTP_ELOGIN && status != AFTP_ENOMEM && status != AFTP_ECANCELED &&
			status != AFTP_ECERT);
}

static void on_done(void *arg, int status, const struct aftp_transfer_result *r)
{
	struct upload *u = arg;

	u->transfer = NULL;
	u->ready = false;
	if (!u->writer) {
		fail(u, AFTP_ECANCELED);
	} else if (status == 0) {
		u->sent_all = true;
		verify(u);
	} else if (may_resume(status)) {
		broken(u, status);
	} else {
		aftp_log(&u->site->log, AFTP_LOG_WARN, "%s: upload refused: %s", u->path, r->message);
		fail(u, stor_status(status, r->code));
	}
}

static void on_yield(void *arg, enum pool_class wanted, uint64_t waited_ms)
{
	struct upload *u = arg;

	(void)wanted;
	if (!u->writer || !u->transfer || (position(u) - u->began < TURN && waited_ms < PATIENCE_MS))
		return;
	if (by_stream(u))
		u->writer->finishing = true;
	else
		u->pausing = true;
	push(u);
}

static void begin(struct upload *u, bool append)
{
	struct aftp_source source = { .ready = on_ready, .done = on_done, .arg = u };
	struct aftp_client *client = pool_client(u->conn);
	int rc;

	u->resuming = false;
	u->began = position(u);
	rc = client ? aftp_client_store(client, &u->transfer, append ? AFTP_APPEND : AFTP_STORE, u->path, 0, &source)
		    : AFTP_ENOTCONN;
	if (rc < 0)
		broken(u, rc);
	else
		pool_hold(u->conn, on_yield, u);
}

/* From the very beginning, as if nothing had been sent. */
static void begin_anew(struct upload *u)
{
	struct writer *w = u->writer;

	u->accepted = false;
	if (!by_stream(u)) {
		u->at = 0;
		begin(u, false);
	} else if (w->append || w->base > 0) {
		fail(u, AFTP_EIO); /* cannot be told from what was there before */
	} else {
		w->sent = 0;
		begin(u, false);
	}
}

/* Somebody else has appended since we looked: so do we, behind it. */
static void move_blocks(struct writer *w, uint64_t to)
{
	uint64_t by = to - w->base;

	for (struct block *b = w->first; b; b = b->next)
		b->off += by;
	w->base += by;
	w->sent += by;
	w->size += by;
}

static void begin_append(struct upload *u, uint64_t size)
{
	struct writer *w = u->writer;

	if (size != w->base && !w->by_append) {
		fail(u, AFTP_ECHANGED);
		return;
	}
	move_blocks(w, size);
	begin(u, size > 0);
}

static void resume_at(struct upload *u, uint64_t size)
{
	struct writer *w = u->writer;

	if (by_stream(u) && w->append && !u->accepted && !u->sent_all)
		begin_append(u, size);
	else if (u->sent_all && size == expected(u)) {
		verify(u);
	} else if (by_stream(u) && size >= w->base && size <= w->size) {
		w->sent = size;
		begin(u, true);
	} else if (!by_stream(u) && size <= u->at) {
		u->at = size;
		begin(u, true);
	} else {
		begin_anew(u);
	}
}

static void on_look(void *arg, int status, const struct aftp_reply *r)
{
	struct upload *u = arg;
	uint64_t size;

	u->replies--;
	if (!u->writer)
		fail(u, AFTP_ECANCELED);
	else if (status < 0)
		broken(u, status);
	else if (aftp_reply_size(r, &size) < 0)
		begin_anew(u);
	else
		resume_at(u, size);
}

static void on_connection(void *arg, int status, struct pool_conn *conn, const char *why)
{
	struct upload *u = arg;

	(void)why;
	u->conn = conn;
	if (status < 0)
		fail(u, status);
	else if (!u->writer)
		fail(u, AFTP_ECANCELED);
	else if ((u->resuming && (u->accepted || u->sent_all)) || (by_stream(u) && u->writer->append))
		status = ask(u, "SIZE", on_look);
	else
		begin(u, by_stream(u) ? u->writer->append : u->at > 0);
	if (status < 0 && conn)
		broken(u, status);
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
	u->path = node_path(&w->site->nodes, w->node, NULL);
	u->bounce = w->state == WRITER_SPOOLED ? malloc(BOUNCE) : NULL;
	if (!u->path || (w->state == WRITER_SPOOLED && !u->bounce)) {
		free_upload(u);
		return AFTP_ENOMEM;
	}
	u->writer = w;
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
	else if (!u->conn) {
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
