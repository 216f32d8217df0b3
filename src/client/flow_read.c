#include <stdlib.h>
#include <string.h>

#include "client/flow.h"

static bool deaf(const struct aftp_data *d)
{
	return d->canceled || d->closing;
}

static bool by_line(const struct flow_reader *rd)
{
	return rd->mode == FLOW_LINE || rd->mode == FLOW_EACH_LINE;
}

/* Why nothing more comes: AFTP_EOF, or what went wrong. */
static int end_of(const struct aftp_data *d)
{
	if (deaf(d))
		return AFTP_ECANCELED;
	return d->status == 0 ? AFTP_EOF : d->status;
}

/* --- from the transfer ---------------------------------------------------------------------------- */

char *flow_lend(void *arg, size_t *len)
{
	struct aftp_data *d = arg;
	struct flow_reader *rd = &d->rd;
	char *room;

	if (!d->attached) {
		flow_kick(d);
		return NULL;
	}
	if (deaf(d) || rd->paused)
		return NULL;
	if (d->probing) {
		*len = sizeof d->probe;
		return d->probe;
	}
	switch (rd->mode) {
	case FLOW_IDLE: return NULL;
	case FLOW_SOME:
	case FLOW_EXACTLY:
	case FLOW_EACH_BLOCK: *len = rd->cap - rd->got; return rd->buf + rd->got;
	case FLOW_LINE:
	case FLOW_ALL:
	case FLOW_EACH_LINE: break;
	}
	*len = FLOW_CHUNK;
	if (buf_reserve(&rd->in, *len, &room) == 0)
		return room;
	aftp_transfer_cancel(d->transfer);
	return NULL;
}

static void answer(struct aftp_data *d, ssize_t n, const char *data)
{
	d->rd.mode = FLOW_IDLE;
	d->rd.read(d->rd.arg, n, data);
}

/* One call of an iteration; false when it is to go on no further now. */
static bool hand_over(struct aftp_data *d, ssize_t n, const char *data)
{
	struct flow_reader *rd = &d->rd;
	enum aftp_next next;

	if (n < 0)
		rd->mode = FLOW_IDLE;
	next = rd->each(rd->arg, n, data);
	if (n < 0)
		return false;
	if (next == AFTP_STOP)
		rd->mode = FLOW_IDLE;
	rd->paused = next == AFTP_PAUSE;
	return next == AFTP_GO_ON && !deaf(d);
}

void flow_landed(void *arg, size_t n)
{
	struct aftp_data *d = arg;
	struct flow_reader *rd = &d->rd;

	if (deaf(d))
		return;
	if (d->probing) {
		d->probing = false;
		d->early = true;
		aftp_transfer_cancel(d->transfer);
		return;
	}
	switch (rd->mode) {
	case FLOW_IDLE: return;
	case FLOW_SOME: answer(d, (ssize_t)n, rd->buf); return;
	case FLOW_EACH_BLOCK: (void)hand_over(d, (ssize_t)n, rd->buf); return;
	case FLOW_EXACTLY:
		rd->got += n;
		if (rd->got == rd->cap)
			answer(d, (ssize_t)rd->cap, rd->buf);
		return;
	case FLOW_LINE:
	case FLOW_ALL:
	case FLOW_EACH_LINE: break;
	}
	buf_commit(&rd->in, n);
	flow_read_serve(d);
}

/* --- from what is there --------------------------------------------------------------------------- */

/* Bytes that were read ahead of a line, for a reader who wants bytes. False: that was not all that it wants. */
static bool serve_bytes(struct aftp_data *d)
{
	struct flow_reader *rd = &d->rd;
	size_t have = buf_len(&rd->in), n = rd->cap - rd->got;

	if (have == 0)
		return false;
	n = have < n ? have : n;
	memcpy(rd->buf + rd->got, buf_bytes(&rd->in), n);
	buf_consume(&rd->in, n);
	rd->scanned = 0;
	if (rd->mode == FLOW_EACH_BLOCK)
		return !hand_over(d, (ssize_t)n, rd->buf);
	rd->got += n;
	if (rd->mode == FLOW_EXACTLY && rd->got < rd->cap)
		return false;
	answer(d, (ssize_t)rd->got, rd->buf);
	return true;
}

/* The bytes of `in` up to the LF at `end`, or all of them. The line stays where it is while it is shown. */
static bool show_line(struct aftp_data *d, const char *lf)
{
	struct flow_reader *rd = &d->rd;
	const char *line = buf_bytes(&rd->in);
	size_t whole = lf ? (size_t)(lf - line) + 1 : buf_len(&rd->in), n = lf ? whole - 1 : whole;

	rd->in.start += whole; /* keeps the bytes; buf_consume() below mends an empty buffer */
	rd->scanned = 0;
	if (n > 0 && line[n - 1] == '\r' && lf)
		n--;
	if (rd->mode == FLOW_EACH_LINE)
		return hand_over(d, (ssize_t)n, line);
	answer(d, (ssize_t)n, line);
	return false;
}

/* True: the iteration wants more lines. */
static bool next_line(struct aftp_data *d, bool *more)
{
	struct flow_reader *rd = &d->rd;
	size_t len = buf_len(&rd->in);
	const char *line = buf_bytes(&rd->in);
	const char *lf = memchr(line + rd->scanned, '\n', len - rd->scanned);
	size_t n = lf ? (size_t)(lf - line) : len;

	*more = false;
	if (n - (n > 0 && line[n - 1] == '\r') > rd->line_max) {
		if (rd->mode == FLOW_EACH_LINE)
			return hand_over(d, AFTP_ELINETOOLONG, NULL);
		answer(d, AFTP_ELINETOOLONG, NULL);
		return false;
	}
	if (lf || (d->over && d->status == 0 && len > 0))
		return show_line(d, lf);
	rd->scanned = len;
	*more = true;
	return false;
}

/* True: that was all, or there is too much of it. */
static bool serve_all(struct aftp_data *d)
{
	struct flow_reader *rd = &d->rd;
	const char *bytes = buf_bytes(&rd->in);
	size_t len = buf_len(&rd->in);
	bool whole = d->over && d->status == 0;

	if (len <= rd->line_max && !whole)
		return false;
	if (len <= rd->line_max)
		rd->in.start += len; /* keeps the bytes */
	answer(d, len <= rd->line_max ? (ssize_t)len : AFTP_ETOOBIG, len <= rd->line_max ? bytes : NULL);
	return true;
}

static void serve_end(struct aftp_data *d)
{
	struct flow_reader *rd = &d->rd;
	int status = end_of(d);

	if (rd->mode == FLOW_EACH_LINE || rd->mode == FLOW_EACH_BLOCK)
		(void)hand_over(d, status, NULL);
	else if (rd->mode == FLOW_EXACTLY)
		answer(d, status == AFTP_EOF && rd->got > 0 ? AFTP_EINCOMPLETE : status, rd->buf + rd->got);
	else
		answer(d, status, NULL);
}

void flow_read_serve(struct aftp_data *d)
{
	struct flow_reader *rd = &d->rd;
	bool more = true;

	if (rd->mode == FLOW_IDLE || (rd->paused && !deaf(d)))
		return;
	if (!deaf(d) && rd->mode == FLOW_ALL) {
		if (serve_all(d))
			return;
	} else if (!deaf(d) && by_line(rd)) {
		while (next_line(d, &more))
			continue;
		buf_consume(&rd->in, 0);
	} else if (!deaf(d)) {
		while (rd->mode == FLOW_EACH_BLOCK && buf_len(&rd->in) > 0 && !serve_bytes(d))
			continue;
		more = rd->mode == FLOW_EACH_BLOCK ? buf_len(&rd->in) == 0 && !rd->paused : !serve_bytes(d);
	}
	if (rd->mode != FLOW_IDLE && d->over && (more || deaf(d)))
		serve_end(d);
}

/* --- the calls ------------------------------------------------------------------------------------ */

static int usable(const struct aftp_data *d, bool args_ok)
{
	if (d->writes || !args_ok)
		return AFTP_EINVAL;
	if (d->finishing || deaf(d))
		return AFTP_ECANCELED;
	return d->rd.mode == FLOW_IDLE ? 0 : AFTP_EBUSY;
}

static void set_up(struct aftp_data *d, enum flow_mode mode, void *arg)
{
	d->rd.mode = mode;
	d->rd.paused = false;
	d->rd.got = 0;
	d->rd.arg = arg;
	if (d->over || buf_len(&d->rd.in) > 0)
		flow_kick(d);
	else
		aftp_transfer_resume(d->transfer);
}

static int read_bytes(struct aftp_data *d, enum flow_mode mode, char *buf, size_t n, aftp_data_read_cb *cb, void *arg)
{
	int rc = usable(d, buf && n > 0 && cb);

	if (rc < 0)
		return rc;
	d->rd.buf = buf;
	d->rd.cap = n;
	d->rd.read = cb;
	set_up(d, mode, arg);
	return 0;
}

int aftp_data_read(struct aftp_data *d, char *buf, size_t cap, aftp_data_read_cb *cb, void *arg)
{
	return read_bytes(d, FLOW_SOME, buf, cap, cb, arg);
}

int aftp_data_read_exactly(struct aftp_data *d, char *buf, size_t n, aftp_data_read_cb *cb, void *arg)
{
	return read_bytes(d, FLOW_EXACTLY, buf, n, cb, arg);
}

static int read_capped(struct aftp_data *d, enum flow_mode mode, size_t max, aftp_data_read_cb *cb, void *arg)
{
	int rc = usable(d, max > 0 && max < SIZE_MAX / 8 && cb);

	if (rc < 0)
		return rc;
	d->rd.line_max = max;
	d->rd.read = cb;
	set_up(d, mode, arg);
	return 0;
}

int aftp_data_read_line(struct aftp_data *d, size_t max, aftp_data_read_cb *cb, void *arg)
{
	return read_capped(d, FLOW_LINE, max, cb, arg);
}

int aftp_data_read_all(struct aftp_data *d, size_t max, aftp_data_read_cb *cb, void *arg)
{
	return read_capped(d, FLOW_ALL, max, cb, arg);
}

int aftp_data_each_line(struct aftp_data *d, size_t max, aftp_data_each_cb *cb, void *arg)
{
	int rc = usable(d, max > 0 && max < SIZE_MAX / 8 && cb);

	if (rc < 0)
		return rc;
	d->rd.line_max = max;
	d->rd.each = cb;
	set_up(d, FLOW_EACH_LINE, arg);
	return 0;
}

int aftp_data_each_block(struct aftp_data *d, size_t size, aftp_data_each_cb *cb, void *arg)
{
	int rc = usable(d, size > 0 && cb);
	char *block;

	if (rc < 0)
		return rc;
	block = realloc(d->rd.block, size);
	if (!block)
		return AFTP_ENOMEM;
	d->rd.block = d->rd.buf = block;
	d->rd.cap = size;
	d->rd.each = cb;
	set_up(d, FLOW_EACH_BLOCK, arg);
	return 0;
}

void aftp_data_resume(struct aftp_data *d)
{
	if (!d->rd.paused || deaf(d))
		return;
	d->rd.paused = false;
	flow_kick(d);
	if (d->transfer)
		aftp_transfer_resume(d->transfer);
}

void flow_read_finish(struct aftp_data *d)
{
	buf_finish(&d->rd.in);
	free(d->rd.block);
}
