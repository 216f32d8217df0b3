#include <stdlib.h>
#include <string.h>

#include "stream/stream_io.h"

#define READ_MAX (1u << 30) /* a system call; libuv counts in unsigned int */

static bool by_line(const struct aftp_stream *s)
{
	return s->rd.mode == READ_LINE || s->rd.mode == READ_EACH_LINE;
}

/* Out of `in`, into which it is read. */
static bool from_ahead(const struct aftp_stream *s)
{
	return by_line(s) || s->rd.mode == READ_ALL;
}

/* Somebody takes bytes now. */
static bool wanted(const struct aftp_stream *s)
{
	const struct stream_reader *rd = &s->rd;

	return s->state != STREAM_CLOSING && rd->mode != READ_NONE && !rd->paused && !rd->waiter.on;
}

size_t stream_read_want(const struct aftp_stream *s)
{
	bool unbounded = from_ahead(s) || s->rd.mode == READ_PUSH;

	return unbounded ? SIZE_MAX : s->rd.cap - s->rd.got;
}

/* --- room and landing ----------------------------------------------------------------------------- */

/* A lend() may do anything but read: if the mode is another one afterwards, the memory is not used. */
static char *lent_room(struct aftp_stream *s, size_t most, size_t *len)
{
	unsigned turn = s->rd.turn;
	size_t n = most < STREAM_CHUNK_MAX * 4 ? most : STREAM_CHUNK_MAX * 4;
	char *room = s->rd.lend(s->rd.arg, &n);

	if (s->state == STREAM_CLOSING || s->rd.turn != turn)
		return NULL;
	if (!room || n == 0) {
		s->rd.paused = true;
		return NULL;
	}
	*len = n < most ? n : most;
	return room;
}

static char *ahead_room(struct aftp_stream *s, size_t most, size_t *len)
{
	char *room;
	int rc;

	*len = most < s->rd.chunk ? most : s->rd.chunk;
	rc = buf_reserve(&s->rd.in, *len, &room);
	if (rc < 0) {
		s->rd.end = rc;
		return NULL;
	}
	return room;
}

char *stream_read_room(struct aftp_stream *s, size_t most, size_t *len)
{
	if (s->rd.mode == READ_PUSH)
		return lent_room(s, most, len);
	if (from_ahead(s))
		return ahead_room(s, most, len);
	*len = s->rd.cap - s->rd.got < most ? s->rd.cap - s->rd.got : most;
	return s->rd.buf + s->rd.got;
}

void stream_read_end(struct aftp_stream *s)
{
	s->rd.mode = READ_NONE;
	s->rd.turn++;
	s->rd.paused = false;
	throttle_wait_cancel(&s->rd.waiter);
}

static void answer(struct aftp_stream *s, ssize_t n, const char *data)
{
	stream_read_end(s);
	s->rd.read(s->rd.arg, n, data);
}

void stream_read_hand_over(struct aftp_stream *s, ssize_t n, const char *data)
{
	struct stream_reader *rd = &s->rd;
	enum aftp_next next;
	unsigned turn;

	if (n < 0)
		stream_read_end(s);
	turn = rd->turn;
	next = rd->each(rd->arg, n, data);
	if (n < 0 || s->state == STREAM_CLOSING || rd->turn != turn)
		return;
	rd->paused = next == AFTP_PAUSE;
	if (next == AFTP_STOP)
		stream_read_end(s);
}

/* n > 0 bytes are where stream_read_room() said. */
void stream_read_landed(struct aftp_stream *s, size_t n)
{
	struct stream_reader *rd = &s->rd;

	switch (rd->mode) {
	case READ_PUSH: rd->data(rd->arg, (ssize_t)n); return;
	case READ_EACH_BLOCK: stream_read_hand_over(s, (ssize_t)n, rd->buf); return;
	case READ_SOME:
	case READ_EXACT:
		rd->got += n;
		if (rd->mode == READ_SOME || rd->got == rd->cap)
			answer(s, (ssize_t)rd->got, rd->buf);
		return;
	case READ_LINE:
	case READ_EACH_LINE:
		buf_commit(&rd->in, n);
		(void)stream_line_serve(s);
		return;
	case READ_ALL:
		buf_commit(&rd->in, n);
		(void)stream_all_serve(s, 0);
		return;
	case READ_NONE: return;
	}
}

/* --- libuv ---------------------------------------------------------------------------------------- */

/* What was read ahead, or an answer that is due, comes first. */
static bool must_wait_for_kick(const struct aftp_stream *s)
{
	return s->due & DUE_READ || (buf_len(&s->rd.in) > 0 && !from_ahead(s));
}

static char *alloc_tls(struct aftp_stream *s, size_t *len)
{
	char *room;
	int rc;

	if (s->op.kind != OP_TLS && (!wanted(s) || s->due & DUE_READ))
		return NULL;
	*len = s->rd.chunk;
	rc = buf_reserve(&s->tls->in, *len, &room);
	if (rc < 0)
		s->rd.raw_end = rc;
	return rc < 0 ? NULL : room;
}

static char *alloc_plain(struct aftp_stream *s, size_t *len)
{
	uint64_t grant;

	if (!wanted(s) || must_wait_for_kick(s))
		return NULL;
	grant = stream_throttle_grant(s, STREAM_READ, stream_read_want(s));
	return grant > 0 ? stream_read_room(s, grant, len) : NULL;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct aftp_stream *s = handle->data;
	size_t len = 0;
	char *room = NULL;

	(void)suggested;
	if (s->state != STREAM_CLOSING)
		room = s->tls ? alloc_tls(s, &len) : alloc_plain(s, &len);
	s->rd.refused = !room;
	*buf = uv_buf_init(room, room ? (unsigned)(len < READ_MAX ? len : READ_MAX) : 0);
}

/* There was no room: stop, unless there is a reason to look again. */
static void on_refused(struct aftp_stream *s)
{
	stream_read_unwatch(s);
	if (s->rd.end != 0 || s->rd.raw_end != 0)
		stream_read_pump(s);
	else if (wanted(s) && !(s->due & DUE_READ))
		stream_kick(s, DUE_READ);
}

static void on_end(struct aftp_stream *s, int status)
{
	stream_read_unwatch(s);
	if (s->tls)
		s->rd.raw_end = status;
	else
		s->rd.end = status;
	if (s->op.kind == OP_TLS) {
		stream_tls_step(s);
		stream_op_settle(s);
	} else {
		stream_read_pump(s);
	}
}

static void on_cipher(struct aftp_stream *s, size_t n)
{
	buf_commit(&s->tls->in, n);
	if (s->op.kind == OP_TLS) {
		stream_tls_step(s);
		stream_op_settle(s);
	} else {
		stream_read_pump(s);
	}
}

/* A reset that comes with the last bytes shows as an orderly end: libuv sees the hang-up, and does not read again.
 * The error still stands at the socket, or there is no peer any more although nobody had shut down. */
static int true_end(const struct aftp_stream *s)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(int);
	int error = 0, fd;

	if (uv_fileno((const uv_handle_t *)&s->tcp, &fd) < 0)
		return AFTP_EOF;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error != 0)
		return -error;
	return !s->wr.fin && aftp_stream_peer(s, &addr) < 0 ? AFTP_ECONNRESET : AFTP_EOF;
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf)
{
	struct aftp_stream *s = stream->data;
	struct stream_reader *rd = &s->rd;
	size_t n = (size_t)nread;

	if (nread == 0 || s->state == STREAM_CLOSING)
		return;
	if (nread < 0) {
		if (rd->refused)
			on_refused(s);
		else
			on_end(s, nread == UV_EOF ? true_end(s) : (int)nread);
		return;
	}
	rd->since = uv_now(s->loop);
	if (n == rd->chunk && n == buf->len && rd->chunk < STREAM_CHUNK_MAX)
		rd->chunk *= 2;
	if (s->tls) {
		on_cipher(s, n);
		return;
	}
	rd->total += n;
	if (s->n_throttles > 0)
		stream_throttle_charge(s, STREAM_READ, n);
	if (n < buf->len && rd->waiter.turn)
		throttle_wait_yield(&rd->waiter); /* the socket is empty */
	stream_read_landed(s, n);
}

size_t aftp_stream_take(struct aftp_stream *s, char *buf, size_t cap)
{
	ssize_t n = 0;
	int fd;

	if (!s->tls && s->rd.mode == READ_PUSH && uv_fileno((const uv_handle_t *)&s->tcp, &fd) == 0)
		n = recv(fd, buf, cap, MSG_DONTWAIT);
	if (n <= 0)
		return 0;
	s->rd.total += (size_t)n;
	return (size_t)n;
}

int stream_read_watch(struct aftp_stream *s)
{
	int rc;

	if (s->rd.on)
		return 0;
	rc = uv_read_start((uv_stream_t *)&s->tcp, on_alloc, on_read);
	s->rd.on = rc == 0;
	return rc;
}

void stream_read_unwatch(struct aftp_stream *s)
{
	if (s->rd.on)
		uv_read_stop((uv_stream_t *)&s->tcp);
	s->rd.on = false;
}

/* --- the pump ------------------------------------------------------------------------------------- */

/* From `in` to the reader. */
static void serve_ahead(struct aftp_stream *s)
{
	struct buf *in = &s->rd.in;
	size_t len;
	char *room = stream_read_room(s, buf_len(in), &len);

	if (!room)
		return;
	memcpy(room, buf_bytes(in), len);
	buf_consume(in, len);
	stream_read_landed(s, len);
}

static void serve_end(struct aftp_stream *s)
{
	struct stream_reader *rd = &s->rd;
	int status = rd->end;

	if (by_line(s) && status == AFTP_EOF && stream_line_rest(s))
		return;
	switch (rd->mode) {
	case READ_ALL: (void)stream_all_serve(s, status); return;
	case READ_SOME:
	case READ_LINE: answer(s, status, NULL); return;
	case READ_EXACT:
		answer(s, status == AFTP_EOF && rd->got > 0 ? AFTP_EINCOMPLETE : status, rd->buf + rd->got);
		return;
	case READ_PUSH:
		stream_read_end(s);
		rd->data(rd->arg, status);
		return;
	case READ_EACH_LINE:
	case READ_EACH_BLOCK: stream_read_hand_over(s, status, NULL); return;
	case READ_NONE: return;
	}
}

/* Brings what is there to whoever wants it, and sees that more comes. */
void stream_read_pump(struct aftp_stream *s)
{
	struct stream_reader *rd = &s->rd;

	while (wanted(s)) {
		if (by_line(s) && buf_len(&rd->in) > 0 && stream_line_serve(s))
			continue;
		if (rd->mode == READ_ALL && stream_all_serve(s, 0))
			continue;
		if (buf_len(&rd->in) > 0 && !from_ahead(s)) {
			serve_ahead(s);
			continue;
		}
		if (s->tls && rd->end == 0 && stream_tls_pull(s))
			continue;
		if (!wanted(s))
			return;
		if (rd->end == 0)
			rd->end = stream_read_watch(s);
		if (rd->end == 0) {
			stream_limit_watch(s);
			return;
		}
		stream_read_unwatch(s);
		serve_end(s);
	}
}

void stream_read_wake(struct throttle_waiter *w)
{
	struct aftp_stream *s = (struct aftp_stream *)((char *)w - offsetof(struct aftp_stream, rd.waiter));

	s->rd.since = stream_limit_now();
	stream_limit_watch(s);
	stream_read_pump(s);
}

bool stream_read_waits(const struct aftp_stream *s)
{
	return wanted(s) && !(s->due & DUE_READ);
}

/* What read_exactly has so far goes back, in front: there is nothing else in `in` while it waits. */
static int put_back(struct aftp_stream *s)
{
	struct stream_reader *rd = &s->rd;

	if (rd->mode != READ_EXACT || rd->got == 0)
		return 0;
	if (rd->in.max < rd->got)
		rd->in.max = rd->got;
	return buf_append(&rd->in, rd->buf, rd->got);
}

void stream_read_timeout(struct aftp_stream *s)
{
	struct stream_reader *rd = &s->rd;
	enum read_mode mode = rd->mode;
	int rc = put_back(s);

	if (rc < 0)
		rd->end = rc;
	stream_read_unwatch(s);
	if (mode == READ_EACH_LINE || mode == READ_EACH_BLOCK) {
		stream_read_hand_over(s, AFTP_ETIMEDOUT, NULL);
		return;
	}
	stream_read_end(s);
	if (mode == READ_PUSH)
		rd->data(rd->arg, AFTP_ETIMEDOUT);
	else if (mode != READ_NONE)
		rd->read(rd->arg, AFTP_ETIMEDOUT, NULL);
}

void stream_read_cancel(struct aftp_stream *s)
{
	enum read_mode mode = s->rd.mode;

	s->rd.mode = READ_NONE;
	if (mode == READ_SOME || mode == READ_EXACT || mode == READ_LINE || mode == READ_ALL)
		s->rd.read(s->rd.arg, AFTP_ECANCELED, NULL);
}

/* --- the calls ------------------------------------------------------------------------------------ */

/* 0 when a reader may begin. What is known already is answered by the kick. */
int stream_read_begin(struct aftp_stream *s, enum read_mode mode, void *arg)
{
	struct stream_reader *rd = &s->rd;
	int rc = stream_usable(s);

	if (rc < 0)
		return rc;
	if (rd->mode != READ_NONE || s->op.kind == OP_TLS)
		return AFTP_EBUSY;
	if (buf_len(&rd->in) > 0 || rd->end != 0 || rd->raw_end != 0 || (s->tls && tls_pending(s->tls))) {
		stream_kick(s, DUE_READ);
	} else {
		rc = stream_read_watch(s);
		if (rc < 0)
			return rc;
	}
	rd->mode = mode;
	rd->turn++;
	rd->arg = arg;
	rd->paused = false;
	rd->got = rd->scanned = 0;
	rd->since = stream_limit_now();
	stream_limit_watch(s);
	return 0;
}

static int begin_pull(
	struct aftp_stream *s, enum read_mode mode, char *buf, size_t n, aftp_stream_read_cb *cb, void *arg)
{
	int rc;

	if (!buf || n == 0 || n > SSIZE_MAX || !cb)
		return AFTP_EINVAL;
	rc = stream_read_begin(s, mode, arg);
	if (rc < 0)
		return rc;
	s->rd.buf = buf;
	s->rd.cap = n;
	s->rd.read = cb;
	return 0;
}

int aftp_stream_read(struct aftp_stream *s, char *buf, size_t cap, aftp_stream_read_cb *cb, void *arg)
{
	return begin_pull(s, READ_SOME, buf, cap, cb, arg);
}

int aftp_stream_read_exactly(struct aftp_stream *s, char *buf, size_t n, aftp_stream_read_cb *cb, void *arg)
{
	return begin_pull(s, READ_EXACT, buf, n, cb, arg);
}

int aftp_stream_read_start(struct aftp_stream *s, aftp_stream_lend *lend, aftp_stream_data_cb *data, void *arg)
{
	int rc;

	if (!lend || !data)
		return AFTP_EINVAL;
	rc = stream_read_begin(s, READ_PUSH, arg);
	if (rc < 0)
		return rc;
	s->rd.lend = lend;
	s->rd.data = data;
	return 0;
}

int aftp_stream_each_block(struct aftp_stream *s, size_t size, aftp_stream_each_cb *cb, void *arg)
{
	char *block;
	int rc;

	if (size == 0 || size > SSIZE_MAX || !cb)
		return AFTP_EINVAL;
	rc = stream_read_begin(s, READ_EACH_BLOCK, arg);
	if (rc < 0)
		return rc;
	block = realloc(s->rd.block, size);
	if (!block) {
		stream_read_end(s);
		return AFTP_ENOMEM;
	}
	s->rd.block = s->rd.buf = block;
	s->rd.cap = size;
	s->rd.each = cb;
	return 0;
}

void aftp_stream_read_stop(struct aftp_stream *s)
{
	if (s->rd.mode != READ_PUSH && s->rd.mode != READ_EACH_LINE && s->rd.mode != READ_EACH_BLOCK)
		return;
	stream_read_end(s);
	stream_read_unwatch(s);
}

void aftp_stream_resume(struct aftp_stream *s)
{
	if (!s->rd.paused)
		return;
	s->rd.paused = false;
	s->rd.since = stream_limit_now();
	stream_kick(s, DUE_READ);
}
