#include "server/control.h"

#include <aftp/status.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/buf.h"
#include "server/server.h"

enum {
	LINE_CAP = 4096,
	LAND = 1024,
	IN_CAP = 16 << 10,
	OUT_CAP = 4 << 20,
	BABBLE_BLOCK = 16 << 10,
	GARBAGE = 4096,
	BYE_MS = 1000
};

/* Bytes, or the end of them, on their way through the latency. */
struct segment {
	struct delay_item item; /* first */
	struct control *control;
	size_t n; /* 0: the end of the input */
	bool output;
	struct segment *prev, *next; /* control.segments */
};

struct control {
	struct aftp_server *srv;
	struct aftp_stream *stream;
	control_cb *cb;
	void *arg;
	char land[LAND];
	struct buf in;
	size_t in_seen; /* bytes of `in` that have arrived */
	size_t in_skip; /* bytes of `in` that the line under control_next() takes */
	bool in_whole;  /* it has its end */
	bool in_eof, in_paused, deaf;
	bool in_discard;            /* in the middle of a line that was too long */
	struct buf out, wire;       /* replies that wait; those that are being written */
	size_t out_marked, out_due; /* bytes of `out` in segments; bytes that may leave */
	uint64_t sent;
	bool writing, broken;
	bool cut_passed, cutting; /* a fault's count was reached; and it strikes */
	enum babble babble;
	void (*secured)(void *arg, int status); /* or NULL: no TLS is being started */
	struct aftp_tls *tls;                   /* for which the replies must leave first; or NULL */
	struct aftp_tls_sessions *tls_sessions;
	uint64_t last_due_ns; /* of the segments: they keep their order */
	struct later_item flush;
	struct delay_item hold; /* replies wait for others */
	bool held;
	unsigned piece; /* counts the pieces of replies that are split */
	struct segment *segments;
	void (*closed)(void *arg);
	void *closed_arg;
};

static void control_pump(struct control *c);

static void control_break(struct control *c, enum control_event event)
{
	if (c->broken)
		return;
	c->broken = true;
	c->cb(c->arg, event);
}

/* --- latency --------------------------------------------------------------------------------------- */

static void segment_run(struct delay_item *item)
{
	struct segment *seg = (struct segment *)(void *)item;
	struct control *c = seg->control;
	size_t n = seg->n;
	bool output = seg->output;
	DL_DELETE(c->segments, seg);
	free(seg);
	if (output) {
		c->out_due += n;
		control_pump(c);
		return;
	}
	c->in_seen += n;
	c->in_eof = n == 0;
	c->cb(c->arg, CONTROL_INPUT);
}

/* False when there is no latency: then it is now. */
static bool segment_send(struct control *c, size_t n, bool output)
{
	uint32_t ms = c->srv->faults.set.latency_ms;
	if (ms == 0 && !c->segments)
		return false;
	struct segment *seg = calloc(1, sizeof(*seg));
	if (!seg) {
		control_break(c, CONTROL_GONE);
		return true;
	}
	seg->item.run = segment_run;
	seg->control = c;
	seg->n = n;
	seg->output = output;
	DL_APPEND(c->segments, seg);
	uint64_t due = uv_hrtime() + (uint64_t)ms * 1000000;
	c->last_due_ns = due > c->last_due_ns ? due : c->last_due_ns;
	delay_add_at(c->srv->delay, &seg->item, c->last_due_ns);
	return true;
}

/* --- input ----------------------------------------------------------------------------------------- */

static char *on_lend(void *arg, size_t *len)
{
	struct control *c = arg;
	c->in_paused = !c->deaf && buf_len(&c->in) + LAND > IN_CAP;
	*len = LAND;
	return c->in_paused ? NULL : c->land;
}

static void on_data(void *arg, ssize_t n)
{
	struct control *c = arg;
	if (c->broken || (c->deaf && (n > 0 || n == AFTP_EOF)))
		return;
	if (n == AFTP_EOF) {
		if (!segment_send(c, 0, false)) {
			c->in_eof = true;
			c->cb(c->arg, CONTROL_INPUT);
		}
		return;
	}
	bool waiting = buf_len(&c->in) > 0 && memchr(buf_bytes(&c->in), '\n', buf_len(&c->in));
	if (n <= 0 || buf_append(&c->in, c->land, (size_t)n) < 0) {
		control_break(c, CONTROL_GONE);
		return;
	}
	if (!waiting && memchr(c->land, '\n', (size_t)n))
		c->cb(c->arg, CONTROL_ARRIVED);
	if (!segment_send(c, (size_t)n, false)) {
		c->in_seen += (size_t)n;
		c->cb(c->arg, CONTROL_INPUT);
	}
}

/* Clients put IAC IP IAC DM before an ABOR (RFC 959 section 3.5). */
static size_t telnet_length(const char *p, size_t n)
{
	size_t i = 0;
	while (i + 1 < n && (unsigned char)p[i] == 255 && (unsigned char)p[i + 1] >= 240 &&
		(unsigned char)p[i + 1] < 255)
		i += 2;
	return i;
}

enum control_line control_next(struct control *c, const char **line, size_t *len)
{
	for (;;) {
		const char *p = buf_bytes(&c->in), *end = c->in_seen > 0 ? memchr(p, '\n', c->in_seen) : NULL;
		size_t n = end ? (size_t)(end - p) : c->in_seen;
		c->in_whole = end != NULL;
		c->in_skip = n + c->in_whole;
		if (c->in_skip == 0 || (!c->in_discard && !end && n <= LINE_CAP + 1))
			return c->in_eof ? CONTROL_EOF : CONTROL_NONE;
		if (c->in_discard) {
			control_consume(c);
			continue;
		}
		if (n > LINE_CAP + 1)
			return CONTROL_TOO_LONG;
		size_t skip = telnet_length(p, n);
		*line = p + skip;
		*len = n - skip;
		if (*len > 0 && p[n - 1] == '\r')
			--*len;
		return CONTROL_LINE;
	}
}

void control_consume(struct control *c)
{
	buf_consume(&c->in, c->in_skip);
	c->in_seen -= c->in_skip;
	c->in_skip = 0;
	c->in_discard = !c->in_whole;
	if (c->in_paused && buf_len(&c->in) + LAND <= IN_CAP) {
		c->in_paused = false;
		aftp_stream_resume(c->stream);
	}
}

/* --- output ---------------------------------------------------------------------------------------- */

static void secure_now(struct control *c);

static void on_written(void *arg, int status)
{
	struct control *c = arg;
	c->writing = false;
	if (status == AFTP_ECANCELED || c->broken)
		return;
	if (status < 0) {
		control_break(c, CONTROL_GONE);
		return;
	}
	c->sent += buf_len(&c->wire);
	buf_consume(&c->wire, buf_len(&c->wire));
	if (c->cutting) {
		control_break(c, CONTROL_CUT);
		return;
	}
	control_pump(c);
	if (c->writing || c->broken || buf_len(&c->out) > 0)
		return;
	if (c->tls)
		secure_now(c);
	else
		c->cb(c->arg, CONTROL_DRAINED);
}

/* How much of n bytes may be sent before a cut; notes that it is reached. */
static size_t before_cut(struct control *c, size_t n)
{
	uint64_t cut = c->srv->faults.set.drop_control_after;
	if (cut == 0 || c->cut_passed || c->sent + n < cut)
		return n;
	c->cut_passed = true;
	c->cutting = faults_strike(&c->srv->faults);
	return !c->cutting ? n : c->sent < cut ? (size_t)(cut - c->sent) : 0;
}

static void babble_more(struct control *c)
{
	static const char lines[] = "220-there is always one more line\r\n";
	char block[BABBLE_BLOCK];
	size_t n = sizeof(block);
	for (size_t i = 0; i < n; i++)
		block[i] = c->babble == BABBLE_REPLY ? lines[i % (sizeof(lines) - 1)]
			: c->babble == BABBLE_LINE   ? 'x'
			: i % 97 == 96               ? '\n'
						     : (char)(i * 151 + 7);
	n = c->babble == BABBLE_GARBAGE ? GARBAGE : c->babble == BABBLE_REPLY ? n - n % (sizeof(lines) - 1) : n;
	if (c->babble == BABBLE_GARBAGE)
		c->babble = BABBLE_SILENCE;
	if (buf_append(&c->out, block, n) == 0)
		c->out_due = c->out_marked = buf_len(&c->out);
}

static void control_pump(struct control *c)
{
	if (c->writing || c->broken || !c->stream || (c->secured && !c->tls))
		return;
	if (c->babble != BABBLE_NONE && c->babble != BABBLE_SILENCE && buf_len(&c->out) == 0)
		babble_more(c);
	if (c->out_due == 0)
		return;
	size_t n = c->out_due, piece = 1 + c->piece++ % 3;
	if (c->srv->faults.set.split_replies && n > piece)
		n = piece;
	n = before_cut(c, n);
	if (n == 0) {
		control_break(c, CONTROL_CUT);
		return;
	}
	if (buf_append(&c->wire, buf_bytes(&c->out), n) < 0 ||
		aftp_stream_write(c->stream, buf_bytes(&c->wire), n, on_written, c) < 0) {
		control_break(c, CONTROL_GONE);
		return;
	}
	c->writing = true;
	buf_consume(&c->out, n);
	c->out_due -= n;
	c->out_marked -= n;
}

static void flush(struct control *c)
{
	size_t n = buf_len(&c->out) - c->out_marked;
	c->out_marked += n;
	if (n > 0 && !segment_send(c, n, true))
		c->out_due += n;
	control_pump(c);
}

static void hold_run(struct delay_item *item)
{
	struct control *c = (struct control *)(void *)((char *)item - offsetof(struct control, hold));
	c->held = false;
	flush(c);
}

static void flush_run(struct later_item *item)
{
	struct control *c = (struct control *)(void *)((char *)item - offsetof(struct control, flush));
	uint32_t ms = c->srv->faults.set.merge_replies_ms;
	if (ms == 0 && !c->held) {
		flush(c);
	} else if (!c->held) {
		c->held = true;
		c->hold.run = hold_run;
		delay_add(c->srv->delay, &c->hold, ms);
	}
}

int control_put(struct control *c, const char *data, size_t n)
{
	if (c->babble != BABBLE_NONE)
		return 0;
	int rc = buf_append(&c->out, data, n);
	if (rc == 0)
		later_add(c->srv->later, &c->flush);
	return rc;
}

size_t control_backlog(const struct control *c)
{
	return buf_len(&c->out) + buf_len(&c->wire);
}

bool control_owes(const struct control *c)
{
	return buf_len(&c->out) > 0;
}

void control_babble(struct control *c, enum babble kind)
{
	c->babble = kind;
	later_add(c->srv->later, &c->flush);
}

/* --- TLS ------------------------------------------------------------------------------------------- */

static void on_secured(void *arg, int status)
{
	struct control *c = arg;
	void (*done)(void *arg, int status) = c->secured;
	if (status == AFTP_ECANCELED || c->broken)
		return;
	c->secured = NULL;
	if (status == 0)
		status = aftp_stream_read_start(c->stream, on_lend, on_data, c);
	done(c->arg, status);
}

static void secure_now(struct control *c)
{
	struct aftp_tls *tls = c->tls;
	c->tls = NULL;
	int rc = aftp_stream_accept_tls(c->stream, tls, c->tls_sessions, on_secured, c);
	if (rc < 0)
		control_break(c, CONTROL_GONE);
}

int control_start_tls(struct control *c, struct aftp_tls *tls, struct aftp_tls_sessions *sessions,
	void (*done)(void *arg, int status))
{
	if (buf_len(&c->in) > 0 || c->secured)
		return AFTP_EPROTO;
	aftp_stream_read_stop(c->stream);
	c->secured = done;
	c->tls = tls;
	c->tls_sessions = sessions;
	if (buf_len(&c->out) == 0 && !c->writing)
		secure_now(c);
	return 0;
}

/* --- life ------------------------------------------------------------------------------------------ */

int control_new(struct control **out, struct aftp_server *srv, struct aftp_stream *stream, control_cb *cb, void *arg)
{
	struct control *c = calloc(1, sizeof(*c));
	if (!c)
		return AFTP_ENOMEM;
	c->srv = srv;
	c->stream = stream;
	c->cb = cb;
	c->arg = arg;
	c->flush.run = flush_run;
	buf_init(&c->in, IN_CAP);
	buf_init(&c->out, OUT_CAP);
	buf_init(&c->wire, OUT_CAP);
	aftp_stream_set_timeouts(stream, -1, 0, srv->stall_ms, 0);
	int rc = aftp_stream_read_start(stream, on_lend, on_data, c);
	if (rc < 0) {
		free(c);
		return rc;
	}
	*out = c;
	return 0;
}

void control_deafen(struct control *c)
{
	c->deaf = true;
	if (c->in_paused)
		aftp_stream_resume(c->stream);
}

static void on_closed(void *arg)
{
	struct control *c = arg;
	buf_finish(&c->in);
	buf_finish(&c->out);
	buf_finish(&c->wire);
	if (c->closed)
		c->closed(c->closed_arg);
	free(c);
}

/* The peer of a TLS connection was told of its end. */
static void on_bye(void *arg, int status)
{
	struct control *c = arg;
	if (status != AFTP_ECANCELED)
		aftp_stream_close(&c->stream, status < 0, on_closed, c);
}

void control_close(struct control **cp, bool abort, void (*closed)(void *arg), void *arg)
{
	struct control *c = *cp;
	struct segment *seg, *tmp;
	*cp = NULL;
	c->broken = true;
	c->closed = closed;
	c->closed_arg = arg;
	later_remove(c->srv->later, &c->flush);
	delay_remove(c->srv->delay, &c->hold);
	DL_FOREACH_SAFE (c->segments, seg, tmp) {
		delay_remove(c->srv->delay, &seg->item);
		free(seg);
	}
	c->segments = NULL;
	if (abort || !aftp_stream_ssl(c->stream)) {
		aftp_stream_close(&c->stream, abort, on_closed, c);
		return;
	}
	aftp_stream_read_stop(c->stream);
	aftp_stream_set_timeouts(c->stream, -1, -1, BYE_MS, BYE_MS);
	if (aftp_stream_shutdown(c->stream, on_bye, c) < 0)
		aftp_stream_close(&c->stream, true, on_closed, c);
}
