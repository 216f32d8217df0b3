#include "stream/stream_io.h"

/* One timer for all limits. Progress only moves a time stamp; the timer finds out when it fires, and goes on waiting
 * for the rest. So the fast path never touches the timer. */

#define NEVER UINT64_MAX

static void on_timer(uv_timer_t *timer);

uint64_t stream_limit_now(void)
{
	return uv_hrtime() / 1000000;
}

void stream_limit_init(struct aftp_stream *s)
{
	s->limits.connect_ms = 30000;
	/* What a limit guards keeps the loop alive by itself. */
	uv_unref((uv_handle_t *)&s->timer);
}

static uint64_t at(bool counts, uint64_t since, uint64_t ms)
{
	return counts && ms > 0 ? since + ms : NEVER;
}

static uint64_t op_at(const struct aftp_stream *s)
{
	bool counts = !s->op.done && (s->op.kind == OP_CONNECT || s->op.kind == OP_TLS);

	return at(counts, s->op.since, s->limits.connect_ms);
}

static uint64_t read_at(const struct aftp_stream *s)
{
	return at(stream_read_waits(s), s->rd.since, s->limits.read_ms);
}

static uint64_t write_at(struct aftp_stream *s)
{
	return at(stream_write_waits(s), s->wr.since, s->limits.write_ms);
}

static uint64_t total_at(const struct aftp_stream *s)
{
	return s->limits.total_at > 0 && !s->limits.expired ? s->limits.total_at : NEVER;
}

static uint64_t earliest(struct aftp_stream *s)
{
	uint64_t all[] = { op_at(s), read_at(s), write_at(s), total_at(s) };
	uint64_t min = NEVER;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		min = all[i] < min ? all[i] : min;
	return min;
}

static void set_timer(struct aftp_stream *s, uint64_t due)
{
	uint64_t now = uv_now(s->loop);

	s->limits.due = due;
	uv_timer_start(&s->timer, on_timer, due > now ? due - now : 0, 0);
}

void stream_limit_watch(struct aftp_stream *s)
{
	uint64_t due;

	if (s->state == STREAM_CLOSING)
		return;
	due = earliest(s);
	if (due != NEVER && (!uv_is_active((uv_handle_t *)&s->timer) || due < s->limits.due))
		set_timer(s, due);
}

static void op_timeout(struct aftp_stream *s)
{
	/* A half-made connection or half a handshake cannot be gone on with. */
	if (s->op.kind == OP_CONNECT || s->op.kind == OP_TLS)
		stream_fail(s, AFTP_ETIMEDOUT);
	stream_op_end(s, AFTP_ETIMEDOUT);
	stream_op_settle(s);
}

static void expire(struct aftp_stream *s, uint64_t now)
{
	bool op = op_at(s) <= now, rd = read_at(s) <= now, wr = write_at(s) <= now;

	if (total_at(s) <= now) {
		s->limits.expired = true;
		op = s->op.kind != OP_NONE;
		rd = wr = true;
	}
	if (op)
		op_timeout(s);
	if (rd && s->state != STREAM_CLOSING)
		stream_read_timeout(s);
	if (wr && s->state != STREAM_CLOSING)
		stream_write_timeout(s);
}

/* Timers run before the poll. After a long pause of the whole process, bytes may wait in the socket while the limit
 * seems to have passed; so each limit gets one more poll before it is believed. */
static void on_timer(uv_timer_t *timer)
{
	struct aftp_stream *s = timer->data;
	uint64_t now = uv_now(s->loop);
	uint64_t due = earliest(s);

	if (due > now) {
		s->limits.grace = false;
		if (due != NEVER)
			set_timer(s, due);
		return;
	}
	if (!s->limits.grace) {
		s->limits.grace = true;
		set_timer(s, now + 1);
		return;
	}
	s->limits.grace = false;
	expire(s, now);
	stream_limit_watch(s);
}

static void change(uint64_t *limit, int64_t ms)
{
	if (ms >= 0)
		*limit = (uint64_t)ms;
}

void aftp_stream_set_timeouts(
	struct aftp_stream *s, int64_t connect_ms, int64_t read_ms, int64_t write_ms, int64_t total_ms)
{
	change(&s->limits.connect_ms, connect_ms);
	change(&s->limits.read_ms, read_ms);
	change(&s->limits.write_ms, write_ms);
	if (total_ms >= 0) {
		s->limits.total_at = total_ms > 0 ? stream_limit_now() + (uint64_t)total_ms : 0;
		s->limits.expired = false;
	}
	stream_limit_watch(s);
}
