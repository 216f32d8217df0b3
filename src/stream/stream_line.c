#include <string.h>

#include "stream/stream_io.h"

/* The first line in `in`: its length with the LF, 0 when more bytes are needed, AFTP_ELINETOOLONG. */
static ssize_t find_line(struct stream_reader *rd)
{
	const char *bytes = buf_bytes(&rd->in);
	size_t len = buf_len(&rd->in);
	const char *lf;

	if (len > rd->max)
		len = rd->max;
	lf = len > rd->scanned ? memchr(bytes + rd->scanned, '\n', len - rd->scanned) : NULL;
	if (lf) {
		rd->scanned = 0;
		return lf - bytes + 1;
	}
	rd->scanned = len;
	return len == rd->max ? AFTP_ELINETOOLONG : 0;
}

static void deliver(struct aftp_stream *s, ssize_t n, const char *line)
{
	struct stream_reader *rd = &s->rd;

	if (rd->mode == READ_EACH_LINE) {
		stream_read_hand_over(s, n, line);
		return;
	}
	stream_read_end(s);
	rd->read(rd->arg, n, line);
}

/* The line is consumed before it is shown, so that the callback finds the stream behind it; its bytes stay where they
 * are until the next read. */
static void deliver_line(struct aftp_stream *s, size_t used, size_t n)
{
	const char *line = buf_bytes(&s->rd.in);

	buf_consume(&s->rd.in, used);
	deliver(s, (ssize_t)n, line);
}

bool stream_line_serve(struct aftp_stream *s)
{
	struct stream_reader *rd = &s->rd;
	unsigned turn = rd->turn;
	bool served = false;

	while (s->state != STREAM_CLOSING && rd->turn == turn && !rd->paused) {
		const char *bytes = buf_bytes(&rd->in);
		ssize_t used = find_line(rd);
		size_t n = (size_t)used;

		if (used == 0)
			return served;
		served = true;
		if (used < 0) {
			rd->scanned = 0;
			deliver(s, used, NULL);
			return true;
		}
		n -= n > 1 && bytes[n - 2] == '\r' ? 2 : 1;
		deliver_line(s, (size_t)used, n);
	}
	return served;
}

bool stream_line_rest(struct aftp_stream *s)
{
	size_t len = buf_len(&s->rd.in);

	if (len == 0)
		return false;
	deliver_line(s, len, len);
	return true;
}

bool stream_all_serve(struct aftp_stream *s, int end)
{
	struct stream_reader *rd = &s->rd;
	const char *bytes = buf_bytes(&rd->in);
	size_t len = buf_len(&rd->in);
	bool whole = end == AFTP_EOF && len <= rd->max;

	if (len <= rd->max && end == 0)
		return false;
	if (whole)
		buf_consume(&rd->in, len);
	stream_read_end(s);
	if (whole)
		rd->read(rd->arg, (ssize_t)len, bytes);
	else
		rd->read(rd->arg, len > rd->max ? AFTP_ETOOBIG : end, NULL);
	return true;
}

static int begin_lines(struct aftp_stream *s, enum read_mode mode, size_t max, void *arg)
{
	size_t len = buf_len(&s->rd.in);
	int rc;

	if (max == 0 || max > SSIZE_MAX / 2)
		return AFTP_EINVAL;
	rc = stream_read_begin(s, mode, arg);
	if (rc < 0)
		return rc;
	s->rd.max = max;
	s->rd.in.max = (len > max ? len : max) + STREAM_CHUNK_MAX;
	return 0;
}

static int read_capped(struct aftp_stream *s, enum read_mode mode, size_t max, aftp_stream_read_cb *cb, void *arg)
{
	int rc = cb ? begin_lines(s, mode, max, arg) : AFTP_EINVAL;

	if (rc < 0)
		return rc;
	s->rd.read = cb;
	return 0;
}

int aftp_stream_read_line(struct aftp_stream *s, size_t max, aftp_stream_read_cb *cb, void *arg)
{
	return read_capped(s, READ_LINE, max, cb, arg);
}

int aftp_stream_read_all(struct aftp_stream *s, size_t max, aftp_stream_read_cb *cb, void *arg)
{
	return read_capped(s, READ_ALL, max, cb, arg);
}

int aftp_stream_each_line(struct aftp_stream *s, size_t max, aftp_stream_each_cb *cb, void *arg)
{
	int rc = cb ? begin_lines(s, READ_EACH_LINE, max, arg) : AFTP_EINVAL;

	if (rc < 0)
		return rc;
	s->rd.each = cb;
	return 0;
}
