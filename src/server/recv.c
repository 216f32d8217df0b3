#include "server/recv.h"

#include <aftp/status.h>
#include <stddef.h>
#include <stdlib.h>

#include "server/session.h"

struct receiver {
	struct session *s;
	struct aftp_stream *stream;
	struct aftp_vfs_file *file; /* NULL when it is being closed */
	struct aftp_vfs_req req;
	char *room; /* lent by the vfs, or NULL */
	size_t room_len;
	uint64_t total, cut_at;
	enum cut cut;
	uint64_t started_ns;
	bool waiting; /* for writable() */
	bool ended;   /* the peer has sent everything */
	bool closed;  /* the stream is gone */
	int status;
	recv_cb *cb;
	void *arg;
	struct delay_item end; /* the end of the data, on its way */
};

/* --- the end: stream, then file, then callback ----------------------------------------------------- */

static void on_file_closed(void *arg, int status)
{
	struct receiver *r = arg;
	struct session *s = r->s;
	if (r->status == 0 && status < 0)
		r->status = status;
	r->cb(r->arg, r->status);
	free(r);
	session_release(s);
}

static void close_file(struct receiver *r)
{
	struct aftp_vfs_file *file = r->file;
	r->file = NULL;
	if (r->room)
		file->fs->ops->filled(file, 0);
	int rc = file->fs->ops->close(file, &r->req, on_file_closed, r);
	if (rc < 0)
		on_file_closed(r, rc);
}

static void on_stream_closed(void *arg)
{
	struct receiver *r = arg;
	r->closed = true;
	if (!r->waiting)
		close_file(r);
}

static void recv_end(struct receiver *r, int status)
{
	if (!r->stream)
		return;
	r->status = status;
	delay_remove(r->s->srv->delay, &r->end);
	aftp_stream_close(&r->stream, status < 0, on_stream_closed, r);
}

/* TLS: the peer waits for our close_notify. */
static void on_shut(void *arg, int status)
{
	struct receiver *r = arg;
	if (status != AFTP_ECANCELED)
		recv_end(r, 0);
}

static void recv_complete(struct receiver *r)
{
	if (!r->stream)
		return;
	aftp_stream_read_stop(r->stream);
	if (!aftp_stream_ssl(r->stream) || aftp_stream_shutdown(r->stream, on_shut, r) < 0)
		recv_end(r, 0);
}

void recv_cancel(struct receiver *r)
{
	recv_end(r, AFTP_ECANCELED);
}

static void end_run(struct delay_item *item)
{
	recv_complete((struct receiver *)(void *)((char *)item - offsetof(struct receiver, end)));
}

/* An end that comes before any answer to the 150 can have come over the link was sent unasked, with the command or soon
 * after: its latency has passed already. */
static void recv_eof(struct receiver *r)
{
	uint64_t ns = (uint64_t)r->s->srv->faults.set.latency_ms * 1000000, now = uv_hrtime();
	r->ended = true;
	if (now - r->started_ns <= ns / 2)
		recv_complete(r);
	else
		delay_add_at(r->s->srv->delay, &r->end, now + ns);
}

/* --- data ------------------------------------------------------------------------------------------ */

static void on_writable(void *arg, int status)
{
	struct receiver *r = arg;
	r->waiting = false;
	if (r->closed)
		close_file(r);
	else if (r->stream && status < 0)
		recv_end(r, status);
	else if (r->stream)
		aftp_stream_resume(r->stream);
}

static char *on_lend(void *arg, size_t *len)
{
	struct receiver *r = arg;
	if (r->waiting || r->s->stuck)
		return NULL;
	if (!r->room)
		r->room = r->file->fs->ops->lend(r->file, &r->room_len);
	if (!r->room) {
		int rc = r->file->fs->ops->writable(r->file, &r->req, on_writable, r);
		r->waiting = rc == 0;
		if (rc < 0)
			recv_end(r, rc);
		return NULL;
	}
	*len = r->room_len;
	if (r->cut != CUT_NONE && r->cut_at - r->total < *len)
		*len = (size_t)(r->cut_at - r->total);
	return r->room;
}

static void recv_check_cut(struct receiver *r)
{
	if (r->cut == CUT_NONE || r->total < r->cut_at)
		return;
	if (!session_strike(r->s)) {
		r->cut = CUT_NONE;
		return;
	}
	if (r->cut == CUT_ALL)
		session_kill(r->s, true);
	else if (r->cut == CUT_DATA)
		recv_end(r, AFTP_ECONNRESET);
	else
		session_stick(r->s);
}

static void on_data(void *arg, ssize_t n)
{
	struct receiver *r = arg;
	if (!r->stream || r->ended)
		return;
	if (n == AFTP_EOF) {
		recv_eof(r);
		return;
	}
	if (n < 0) {
		recv_end(r, (int)n);
		return;
	}
	r->file->fs->ops->filled(r->file, (size_t)n);
	r->room = NULL;
	r->total += (uint64_t)n;
	r->s->srv->counters.bytes_received += (uint64_t)n;
	recv_check_cut(r);
}

uint64_t recv_bytes(const struct receiver *r)
{
	return r->total;
}

int recv_new(struct receiver **out, struct session *s, struct aftp_stream *stream, struct aftp_vfs_file *file,
	recv_cb *cb, void *arg)
{
	struct receiver *r = calloc(1, sizeof(*r));
	if (!r)
		return AFTP_ENOMEM;
	*r = (struct receiver){ .s = s, .stream = stream, .file = file, .cb = cb, .arg = arg };
	r->end.run = end_run;
	r->started_ns = uv_hrtime();
	r->cut = session_next_cut(s, &r->cut_at);
	aftp_stream_set_timeouts(stream, -1, s->srv->stall_ms, 0, 0);
	int rc = aftp_stream_read_start(stream, on_lend, on_data, r);
	if (rc < 0) {
		free(r);
		return rc;
	}
	session_hold(s);
	*out = r;
	return 0;
}
