#include "client/wire.h"

#include <aftp/status.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "proto/command.h"

enum { LAND = 2048, KEEP = 4096, LAST_WORDS_MS = 1000 };
#define NEVER UINT64_MAX

void wire_init(struct wire *w, uv_loop_t *loop, const struct aftp_log *log, void (*wake)(void *arg), wire_lost_cb *lost,
	void *arg)
{
	*w = (struct wire){ .loop = loop, .log = *log, .wake = wake, .lost = lost, .arg = arg };
	uv_timer_init(loop, &w->timer);
	w->timer.data = w;
	w->handles = 1;
	buf_init(&w->in, WIRE_LINE_MAX);
	buf_init(&w->out, WIRE_OUT_MAX);
	buf_init(&w->sending, WIRE_OUT_MAX);
	aftp_reply_init(&w->reply, WIRE_REPLY_MAX);
}

/* --- the end -------------------------------------------------------------------------------------- */

static void handle_closed(struct wire *w)
{
	if (--w->handles == 0)
		w->closed(w->closed_arg);
}

static void timer_closed(uv_handle_t *timer)
{
	handle_closed(timer->data);
}

static void stream_closed(void *arg)
{
	handle_closed(arg);
}

void wire_close(struct wire *w, void (*closed)(void *arg), void *arg)
{
	if (w->status == 0)
		w->status = AFTP_ENOTCONN;
	w->closed = closed;
	w->closed_arg = arg;
	aftp_stream_close(&w->stream, false, stream_closed, w);
	uv_close((uv_handle_t *)&w->timer, timer_closed);
}

void wire_finish(struct wire *w)
{
	buf_finish(&w->in);
	buf_finish(&w->out);
	buf_finish(&w->sending);
	aftp_reply_finish(&w->reply);
}

void wire_lose(struct wire *w, int status, const char *why)
{
	if (w->status < 0)
		return;
	w->status = status;
	uv_timer_stop(&w->timer);
	if (w->stream)
		aftp_stream_read_stop(w->stream);
	aftp_log(&w->log, AFTP_LOG_INFO, "control connection lost: %s%s%s", aftp_strerror(status), why[0] ? ": " : "",
		why);
	w->lost(w->arg, status, why);
}

/* --- time ----------------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer);

/* As uv_now(), but fresh: a turn of the loop may have been long. */
static uint64_t now(void)
{
	return uv_hrtime() / 1000000;
}

static uint64_t due(const struct wire *w)
{
	uint64_t at = w->deadline ? w->deadline : NEVER;

	if (w->slots && !w->held && w->limit_ms && w->since + w->limit_ms < at)
		at = w->since + w->limit_ms;
	return at;
}

static void arm(struct wire *w)
{
	uint64_t at = due(w), t = uv_now(w->loop);

	at = w->nudge_at && w->nudge_at < at ? w->nudge_at : at;
	if (w->status < 0 || at == NEVER)
		return;
	uv_timer_start(&w->timer, on_timer, at > t ? at - t : 0, 0);
}

/* Progress only moves `since`; the timer finds out when it fires. Timers run before the poll, and after a long pause of
 * the whole process a reply may be waiting: one more poll decides. */
static void on_timer(uv_timer_t *timer)
{
	struct wire *w = timer->data;
	char why[80] = "";

	if (w->nudge_at && w->nudge_at <= uv_now(w->loop)) {
		w->nudge_at = 0;
		arm(w);
		w->nudge(w->nudge_arg);
		return;
	}
	if (due(w) > uv_now(w->loop)) {
		w->grace = false;
		arm(w);
		return;
	}
	if (!w->grace) {
		w->grace = true;
		uv_timer_start(&w->timer, on_timer, 1, 0);
		return;
	}
	if (w->slots)
		snprintf(why, sizeof why, "no answer to %s", w->slots->verb);
	wire_lose(w, w->write_status ? w->write_status : AFTP_ETIMEDOUT, why);
}

void wire_set_limit(struct wire *w, int64_t ms)
{
	w->limit_ms = (uint64_t)ms;
	arm(w);
}

void wire_set_deadline(struct wire *w, int64_t ms)
{
	w->deadline = ms > 0 ? now() + (uint64_t)ms : 0;
	arm(w);
}

void wire_nudge(struct wire *w, int64_t ms, void (*nudge)(void *arg), void *arg)
{
	w->nudge_at = ms > 0 ? now() + (uint64_t)ms : 0;
	w->nudge = nudge;
	w->nudge_arg = arg;
	arm(w);
}

void wire_hold(struct wire *w, bool held)
{
	if (w->held == held)
		return;
	w->held = held;
	w->since = now();
	arm(w);
}

uint64_t wire_silence(const struct wire *w)
{
	return now() > w->since ? now() - w->since : 0;
}

/* --- slots ---------------------------------------------------------------------------------------- */

static void add_slot(struct wire *w, struct wire_slot *slot, unsigned flags, wire_reply_cb *cb, void *arg)
{
	slot->cb = cb;
	slot->arg = arg;
	slot->flags = flags;
	if (!w->slots)
		w->since = now();
	DL_APPEND(w->slots, slot);
	w->owed++;
	if (w->owed == 1)
		arm(w);
}

/* --- in ------------------------------------------------------------------------------------------- */

static void log_reply(const struct wire *w)
{
	for (size_t i = 0; i < w->reply.lines; i++) {
		size_t n;
		const char *line = aftp_reply_line(&w->reply, i, &n);

		aftp_log(&w->log, AFTP_LOG_WIRE, "< %d %.*s", w->reply.code, (int)(n < 512 ? n : 512), line);
	}
}

static void unasked(struct wire *w, const struct aftp_reply *r)
{
	/* One that came late or twice says nothing wrong, and nobody can take it for an answer. */
	if (r->code < 200 && ++w->early <= WIRE_STRAY_MAX)
		return;
	wire_lose(w, AFTP_EPROTO, "a reply to nothing");
}

static void on_reply(struct wire *w, const struct aftp_reply *r)
{
	struct wire_slot *slot = w->slots;
	bool early = r->code < 200;
	wire_reply_cb *cb;
	void *arg;

	if (r->code == 421) {
		int status = aftp_reply_error(r);

		wire_lose(w, status == AFTP_ETOOMANY ? status : AFTP_ECONNRESET, aftp_reply_message(r));
		return;
	}
	if (w->owed == w->unsent) {
		unasked(w, r);
		return;
	}
	if (early && ++w->early > WIRE_EARLY_MAX) {
		wire_lose(w, AFTP_EPROTO, "no end of preliminary replies");
		return;
	}
	if (early && !(slot->flags & (WIRE_EARLY | WIRE_HOLD)))
		return;
	cb = slot->cb;
	arg = slot->arg;
	if (!early && !(slot->flags & WIRE_HOLD))
		wire_settle(w);
	if (cb)
		cb(arg, 0, r);
}

void wire_pass_on(struct wire *w, const struct aftp_reply *r)
{
	wire_settle(w);
	on_reply(w, r);
}

/* Within a reply, and its slot wants the lines as they come. */
static bool give_line(struct wire *w, const char *line, size_t n)
{
	const struct wire_slot *slot = w->slots;
	const struct aftp_reply *r = &w->reply;

	if (r->lines == 0 || w->owed == w->unsent || !slot->line ||
		(n > 3 && memcmp(line, r->text, 3) == 0 && line[3] == ' '))
		return false;
	aftp_log(&w->log, AFTP_LOG_WIRE, "< %d %.*s", r->code, (int)(n < 512 ? n : 512), line);
	if (slot->cb)
		slot->line(slot->arg, line, n);
	return true;
}

static void on_line(struct wire *w, const char *line, size_t n)
{
	int rc;

	if (n == 0 && w->reply.lines == 0)
		return;
	w->since = now();
	if (give_line(w, line, n))
		return;
	rc = aftp_reply_add_line(&w->reply, line, n);
	if (rc < 0) {
		char why[120];

		snprintf(why, sizeof why, "%s%.*s", rc == AFTP_EPROTO ? "not an FTP reply: " : "",
			(int)(n < 80 ? n : 80), rc == AFTP_EPROTO ? line : "");
		wire_lose(w, rc, why);
		return;
	}
	if (rc == 0)
		return;
	log_reply(w);
	on_reply(w, &w->reply);
	aftp_reply_reset(&w->reply);
	if (w->reply.cap > KEEP)
		aftp_reply_finish(&w->reply);
}

/* Whole lines only: one that was cut in the middle is no reply, though it may look like one. */
static void take_lines(struct wire *w)
{
	while (w->status == 0) {
		const char *line = buf_bytes(&w->in);
		size_t len = buf_len(&w->in);
		const char *lf = len > 0 ? memchr(line, '\n', len) : NULL;
		size_t n = lf ? (size_t)(lf - line) : 0, used = n + 1;

		if (!lf && len >= WIRE_LINE_MAX)
			wire_lose(w, AFTP_ELINETOOLONG, "");
		if (!lf)
			return;
		while (n > 0 && line[n - 1] == '\r')
			n--;
		/* Nobody touches `in` meanwhile: only the loop adds to it. */
		on_line(w, line, n);
		buf_consume(&w->in, used);
		if (w->secure.due && w->status == 0) {
			int rc = wire_tls_begin(w);

			if (rc < 0)
				wire_lose(w, rc, "");
			return;
		}
	}
}

static char *lend(void *arg, size_t *len)
{
	struct wire *w = arg;
	size_t room = WIRE_LINE_MAX - buf_len(&w->in);
	char *at;

	*len = room < LAND ? room : LAND;
	return buf_reserve(&w->in, *len, &at) < 0 ? NULL : at;
}

static void landed(void *arg, ssize_t n)
{
	struct wire *w = arg;

	if (n > 0) {
		buf_commit(&w->in, (size_t)n);
		take_lines(w);
		if (buf_len(&w->in) == 0 && w->in.cap > KEEP)
			buf_finish(&w->in);
	} else if (n == AFTP_EOF) {
		wire_lose(w, w->write_status ? w->write_status : AFTP_ECONNRESET, "the server closed the connection");
	} else {
		wire_lose(w, (int)n, aftp_stream_tls_error(w->stream));
	}
}

int wire_listen(struct wire *w)
{
	return aftp_stream_read_start(w->stream, lend, landed, w);
}

int wire_open(struct wire *w, struct aftp_stream *stream)
{
	w->stream = stream;
	w->handles++;
	return w->secure.due ? wire_tls_begin(w) : wire_listen(w);
}

/* --- out ------------------------------------------------------------------------------------------ */

/* What the server had to say about it may still be on its way. */
static void write_failed(struct wire *w, int status)
{
	w->write_status = status;
	wire_set_deadline(w, LAST_WORDS_MS);
}

static void wrote(void *arg, int status)
{
	struct wire *w = arg;

	w->writing = false;
	/* A password may have been among it. */
	explicit_bzero(w->sending.data, w->sending.end);
	buf_consume(&w->sending, buf_len(&w->sending));
	if (w->sending.cap > KEEP)
		buf_finish(&w->sending);
	if (w->status < 0)
		return;
	if (status < 0)
		write_failed(w, status);
	else
		wire_flush(w);
}

void wire_flush(struct wire *w)
{
	struct buf empty = w->sending;
	int rc;

	if (w->status < 0 || w->writing || w->write_status || !w->stream || buf_len(&w->out) == 0)
		return;
	w->sending = w->out;
	w->out = empty;
	w->unsent = 0;
	rc = aftp_stream_write(w->stream, buf_bytes(&w->sending), buf_len(&w->sending), wrote, w);
	w->writing = rc == 0;
	if (rc < 0)
		write_failed(w, rc);
}

static void log_command(const struct wire *w, const char *line, size_t n, const char *verb)
{
	size_t shown = n < 512 ? n : 512;

	while (shown > 0 && (line[shown - 1] == '\n' || line[shown - 1] == '\r'))
		shown--;
	if (command_is_secret(verb))
		aftp_log(&w->log, AFTP_LOG_WIRE, "> %s ***", verb);
	else
		aftp_log(&w->log, AFTP_LOG_WIRE, "> %.*s", (int)shown, line);
}

static struct wire_slot *new_slot(const char *line, size_t n)
{
	struct wire_slot *slot = calloc(1, sizeof *slot);

	for (size_t i = 0; slot && i < n && i < sizeof slot->verb - 1 && line[i] > ' '; i++)
		slot->verb[i] = line[i];
	return slot;
}

int wire_send(struct wire *w, unsigned flags, wire_reply_cb *cb, void *arg, const char *line, size_t n)
{
	struct wire_slot *slot;
	int rc;

	if (w->status < 0)
		return AFTP_ENOTCONN;
	slot = new_slot(line, n);
	rc = slot ? buf_append(&w->out, line, n) : AFTP_ENOMEM;
	if (rc < 0) {
		free(slot);
		return rc;
	}
	log_command(w, line, n, slot->verb);
	add_slot(w, slot, flags, cb, arg);
	w->unsent++;
	w->wake(w->arg);
	return 0;
}

int wire_command(struct wire *w, unsigned flags, wire_reply_cb *cb, void *arg, const char *verb, const char *argument)
{
	struct buf line;
	int rc;

	buf_init(&line, WIRE_COMMAND_MAX);
	rc = command_append(&line, verb, argument);
	if (rc == 0)
		rc = wire_send(w, flags, cb, arg, buf_bytes(&line), buf_len(&line));
	if (command_is_secret(verb) && line.data)
		explicit_bzero(line.data, line.end);
	buf_finish(&line);
	return rc;
}

void wire_take_lines(struct wire *w, wire_line_cb *cb)
{
	w->slots->prev->line = cb;
}

int wire_expect(struct wire *w, wire_reply_cb *cb, void *arg)
{
	struct wire_slot *slot = new_slot("", 0);

	if (!slot)
		return AFTP_ENOMEM;
	snprintf(slot->verb, sizeof slot->verb, "connect");
	add_slot(w, slot, 0, cb, arg);
	return 0;
}

int wire_command_unowed(struct wire *w, const char *verb)
{
	int rc = w->status < 0 ? AFTP_ENOTCONN : command_append(&w->out, verb, NULL);

	if (rc < 0)
		return rc;
	aftp_log(&w->log, AFTP_LOG_WIRE, "> %s", verb);
	w->wake(w->arg);
	return 0;
}
