#include <sys/socket.h>

#include "stream/stream_io.h"

#define PIECE_MAX (1024 * 1024)     /* a system call */
#define TURN_MAX  (4 * 1024 * 1024) /* a loop turn: a fast peer must not keep the others waiting */
#define PROBE     16384             /* copied and given to libuv, to learn when there is room again */

/* Sends `out`, which stays untouched until then. Called with bytes in it. */
static void on_sent(uv_write_t *req, int status);

static int send_out(struct aftp_stream *s)
{
	struct stream_writer *wr = &s->wr;
	uv_buf_t buf = uv_buf_init(wr->out.data + wr->out.start, (unsigned)buf_len(&wr->out));
	int rc;

	wr->req.data = s;
	rc = uv_write(&wr->req, (uv_stream_t *)&s->tcp, &buf, 1, on_sent);
	if (rc < 0)
		return rc;
	wr->busy = true;
	wr->queued = uv_stream_get_write_queue_size((uv_stream_t *)&s->tcp);
	return 0;
}

static void on_sent(uv_write_t *req, int status)
{
	struct aftp_stream *s = req->data;
	struct stream_writer *wr = &s->wr;

	wr->busy = false;
	buf_consume(&wr->out, buf_len(&wr->out));
	if (s->state == STREAM_CLOSING)
		return;
	wr->since = uv_now(s->loop);
	if (status < 0)
		wr->error = status;
	stream_write_go(s);
	stream_write_settle(s);
	if (s->state != STREAM_CLOSING)
		stream_op_settle(s);
}

/* 0 when nothing is left of tls->out, or the rest is with libuv. */
int stream_write_flush(struct aftp_stream *s)
{
	struct buf *from = &s->tls->out;
	struct buf empty = s->wr.out;

	uv_buf_t buf;
	int n;

	if (s->wr.busy || buf_len(from) == 0)
		return 0;
	buf = uv_buf_init(from->data + from->start, (unsigned)buf_len(from));
	n = uv_try_write((uv_stream_t *)&s->tcp, &buf, 1);
	if (n > 0) {
		buf_consume(from, (size_t)n);
		s->wr.since = uv_now(s->loop);
	}
	if (buf_len(from) == 0)
		return 0;
	if (n >= 0 || n == UV_EAGAIN) {
		s->wr.out = *from;
		*from = empty;
		n = send_out(s);
	}
	if (n < 0)
		s->wr.error = n;
	return n;
}

/* 1..n bytes taken, or < 0. */
static ssize_t write_plain(struct aftp_stream *s, size_t n)
{
	struct stream_writer *wr = &s->wr;
	size_t piece = n < PIECE_MAX ? n : PIECE_MAX;
	uv_buf_t buf = uv_buf_init((char *)wr->data, (unsigned)piece);
	int rc = uv_try_write((uv_stream_t *)&s->tcp, &buf, 1);

	if (rc != UV_EAGAIN && rc != 0)
		return rc;
	piece = n < PROBE ? n : PROBE;
	rc = buf_append(&wr->out, wr->data, piece);
	if (rc == 0)
		rc = send_out(s);
	return rc < 0 ? rc : (ssize_t)piece;
}

static ssize_t write_tls(struct aftp_stream *s, size_t n)
{
	size_t done = 0;
	int rc;

	while (done < n) {
		ssize_t took = tls_write(s->tls, s->wr.data + done, n - done);

		if (took < 0)
			return took;
		if (took == 0)
			break;
		done += (size_t)took;
	}
	rc = stream_write_flush(s);
	return rc < 0 ? rc : (ssize_t)done;
}

static void finish(struct aftp_stream *s, int status)
{
	s->wr.done = true;
	s->wr.status = status;
	stream_kick(s, DUE_WRITE);
}

/* One step of the write that is under way; bytes taken. 0: it waits, is done, or tls->out has just made room. */
static size_t write_step(struct aftp_stream *s, size_t budget)
{
	struct stream_writer *wr = &s->wr;
	size_t want = wr->left < budget ? wr->left : budget;
	uint64_t grant;
	ssize_t n;

	if (wr->error < 0 || wr->left == 0) {
		finish(s, wr->error);
		return 0;
	}
	grant = s->n_throttles > 0 ? stream_throttle_grant(s, STREAM_WRITE, want) : want;
	if (grant == 0)
		return 0;
	n = s->tls ? write_tls(s, grant) : write_plain(s, grant);
	if (n < 0) {
		wr->error = (int)n;
		finish(s, wr->error);
		return 0;
	}
	wr->data += n;
	wr->left -= (size_t)n;
	wr->total += (uint64_t)n;
	wr->since = uv_now(s->loop);
	if (s->n_throttles > 0)
		stream_throttle_charge(s, STREAM_WRITE, (uint64_t)n);
	return (size_t)n;
}

static void write_on(struct aftp_stream *s)
{
	struct stream_writer *wr = &s->wr;
	size_t budget = TURN_MAX;

	while (wr->active && !wr->done && !wr->busy && !wr->waiter.on) {
		if (budget == 0) {
			stream_kick(s, DUE_WRITE);
			return;
		}
		budget -= write_step(s, budget);
	}
}

/* Behind the writes: close_notify, then FIN. */
static void shut_on(struct aftp_stream *s)
{
	struct stream_writer *wr = &s->wr;
	int rc = wr->error;
	int fd;

	if (s->op.kind != OP_SHUTDOWN || s->op.done || (wr->active && !wr->done) || wr->busy)
		return;
	if (s->tls && !wr->bye && rc == 0) {
		wr->bye = true;
		rc = tls_bye(s->tls);
		if (rc == 0)
			rc = stream_write_flush(s);
		if (rc == 0 && wr->busy)
			return;
	}
	if (rc == 0)
		rc = uv_fileno((uv_handle_t *)&s->tcp, &fd);
	/* Nothing is queued in libuv, so its own shutdown would only come a turn later. */
	if (rc == 0 && shutdown(fd, SHUT_WR) < 0)
		rc = -errno;
	wr->fin = true;
	stream_op_end(s, rc);
}

void stream_write_go(struct aftp_stream *s)
{
	write_on(s);
	/* Left over from a handshake, or from an answer to the peer's. */
	if (s->tls && !s->wr.busy && s->wr.error == 0)
		(void)stream_write_flush(s);
	shut_on(s);
}

void stream_write_settle(struct aftp_stream *s)
{
	struct stream_writer *wr = &s->wr;

	if (!wr->active || !wr->done)
		return;
	stream_unkick(s, DUE_WRITE);
	wr->active = wr->done = false;
	wr->cb(wr->arg, wr->status);
}

void stream_write_wake(struct throttle_waiter *w)
{
	struct aftp_stream *s = (struct aftp_stream *)((char *)w - offsetof(struct aftp_stream, wr.waiter));

	s->wr.since = stream_limit_now();
	stream_limit_watch(s);
	stream_write_go(s);
	stream_write_settle(s);
}

/* For the peer, that is; what libuv has less than at the last look is progress. */
bool stream_write_waits(struct aftp_stream *s)
{
	struct stream_writer *wr = &s->wr;
	bool under_way = (wr->active && !wr->done) || (s->op.kind == OP_SHUTDOWN && !s->op.done);

	if (!under_way || !wr->busy)
		return false;
	if (uv_stream_get_write_queue_size((uv_stream_t *)&s->tcp) < wr->queued) {
		wr->queued = uv_stream_get_write_queue_size((uv_stream_t *)&s->tcp);
		wr->since = uv_now(s->loop);
	}
	return true;
}

void stream_write_timeout(struct aftp_stream *s)
{
	struct stream_writer *wr = &s->wr;

	throttle_wait_cancel(&wr->waiter);
	if (wr->active && !wr->done) {
		wr->done = true;
		wr->status = AFTP_ETIMEDOUT;
	}
	if (s->op.kind == OP_SHUTDOWN)
		stream_op_end(s, AFTP_ETIMEDOUT);
	stream_write_settle(s);
	if (s->state != STREAM_CLOSING)
		stream_op_settle(s);
}

void stream_write_cancel(struct aftp_stream *s)
{
	struct stream_writer *wr = &s->wr;

	if (wr->active && !wr->done) {
		wr->done = true;
		wr->status = AFTP_ECANCELED;
	}
	stream_write_settle(s);
}

/* --- the calls ------------------------------------------------------------------------------------ */

int aftp_stream_write(struct aftp_stream *s, const char *data, size_t n, aftp_stream_cb *cb, void *arg)
{
	struct stream_writer *wr = &s->wr;
	int rc = stream_usable(s);

	if (!cb || (!data && n > 0))
		return AFTP_EINVAL;
	if (rc < 0)
		return rc;
	if (wr->active || s->op.kind == OP_TLS)
		return AFTP_EBUSY;
	if (wr->shut)
		return -EPIPE;
	if (wr->error < 0)
		return wr->error;
	wr->active = true;
	wr->done = false;
	wr->cb = cb;
	wr->arg = arg;
	wr->data = data;
	wr->left = n;
	wr->since = stream_limit_now();
	stream_write_go(s);
	stream_limit_watch(s);
	return 0;
}

int aftp_stream_shutdown(struct aftp_stream *s, aftp_stream_cb *cb, void *arg)
{
	int rc = stream_usable(s);

	if (rc < 0)
		return rc;
	if (s->wr.fin && s->op.kind == OP_NONE)
		return AFTP_EALREADY;
	rc = stream_op_begin(s, OP_SHUTDOWN, cb, arg);
	if (rc < 0)
		return rc;
	s->wr.shut = true;
	s->wr.since = stream_limit_now();
	stream_write_go(s);
	stream_limit_watch(s);
	return 0;
}
