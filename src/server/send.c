#include "server/send.h"

#include <aftp/status.h>
#include <stddef.h>
#include <stdlib.h>
#include <utlist.h>

#include "server/play.h"
#include "server/session.h"

enum { WINDOW = 2 << 20, WINDOW_LATENCY = 64 << 20, DRAIN = 4096, LINGER_MS = 10800 };

struct block {
	const char *data;
	size_t len;
	uint64_t due_ns;
	struct block *prev, *next;
};

struct sender {
	struct session *s;
	struct sender *prev, *next; /* session.senders */
	struct aftp_stream *stream;
	const struct source *ops;
	void *source;
	struct block *blocks; /* the first is being written when `writing` */
	size_t queued;        /* bytes in blocks */
	uint64_t total, limit, cut_at;
	enum cut cut;
	bool pulling, ended, writing, cutting, lingering, slowed;
	int status;  /* how it ended */
	send_cb *cb; /* NULL once it ran */
	void *arg;
	struct delay_item timer;
	char drain[DRAIN]; /* what a client sends where it should only read */
};

static void send_go(struct sender *snd);

/* --- the end --------------------------------------------------------------------------------------- */

static void drop_first(struct sender *snd)
{
	struct block *b = snd->blocks;
	DL_DELETE(snd->blocks, b);
	snd->queued -= b->len;
	snd->ops->release(snd->source, b->data);
	free(b);
}

/* Only now may nobody read the blocks any more. */
static void on_closed(void *arg)
{
	struct sender *snd = arg;
	struct session *s = snd->s;
	while (snd->blocks)
		drop_first(snd);
	snd->ops->close(snd->source);
	DL_DELETE(s->senders, snd);
	free(snd);
	session_leave_on(s);
	session_release(s);
}

static void send_tell(struct sender *snd)
{
	send_cb *cb = snd->cb;
	snd->cb = NULL;
	if (cb)
		cb(snd->arg, snd->status);
}

static void send_close(struct sender *snd, bool abort)
{
	if (!snd->stream)
		return;
	delay_remove(snd->s->srv->delay, &snd->timer);
	aftp_stream_close(&snd->stream, abort, on_closed, snd);
	send_tell(snd);
}

static void send_break(struct sender *snd, int status)
{
	if (!snd->stream)
		return;
	snd->status = status;
	snd->ended = true;
	send_close(snd, true);
}

void send_cancel(struct sender *snd)
{
	snd->cb = NULL;
	send_break(snd, AFTP_ECANCELED);
}

void send_cancel_all(struct session *s)
{
	struct sender *snd, *tmp;
	DL_FOREACH_SAFE (s->senders, snd, tmp)
		send_cancel(snd);
}

static void on_lingered(void *arg, int status)
{
	struct sender *snd = arg;
	if (status != AFTP_ECANCELED && snd->stream)
		send_close(snd, false);
}

/* Our side has ended; the peer's is waited for, so that nothing of ours is lost to a reset. */
static void on_shut(void *arg, int status)
{
	struct sender *snd = arg;
	if (status == AFTP_ECANCELED || !snd->stream)
		return;
	if (status < 0) {
		send_break(snd, status);
		return;
	}
	int rc = aftp_stream_finish(snd->stream, LINGER_MS, on_lingered, snd);
	if (rc == 0 && !snd->s->srv->play->lingers)
		send_tell(snd);
	else if (rc < 0)
		send_break(snd, rc);
}

/* Everything is written. */
static void send_drained(struct sender *snd)
{
	uint32_t slow = snd->s->srv->faults.set.slow_close_ms;
	if (slow > 0 && !snd->slowed) {
		snd->slowed = true;
		delay_remove(snd->s->srv->delay, &snd->timer);
		delay_add(snd->s->srv->delay, &snd->timer, slow);
		return;
	}
	if (snd->timer.prev) /* not yet */
		return;
	if (snd->cutting && snd->cut == CUT_STALL) {
		session_stick(snd->s);
		return;
	}
	if (snd->cutting && snd->cut == CUT_ALL) {
		session_kill(snd->s, true);
		return;
	}
	bool bad = snd->cutting || snd->status < 0;
	if (bad || snd->lingering || (!snd->s->srv->play->lingers && !aftp_stream_ssl(snd->stream))) {
		send_close(snd, bad);
		return;
	}
	snd->lingering = true;
	aftp_stream_read_stop(snd->stream);
	int rc = aftp_stream_shutdown(snd->stream, on_shut, snd);
	if (rc < 0)
		send_break(snd, rc);
}

/* --- writing --------------------------------------------------------------------------------------- */

static void on_written(void *arg, int status)
{
	struct sender *snd = arg;
	snd->writing = false;
	if (!snd->stream)
		return;
	if (status < 0) {
		send_break(snd, status);
		return;
	}
	snd->s->srv->counters.bytes_sent += snd->blocks->len;
	drop_first(snd);
	send_go(snd);
}

static void timer_run(struct delay_item *item)
{
	send_go((struct sender *)(void *)((char *)item - offsetof(struct sender, timer)));
}

static void send_write(struct sender *snd)
{
	struct block *b = snd->blocks;
	if (snd->writing || !b)
		return;
	if (b->due_ns > uv_hrtime()) {
		delay_remove(snd->s->srv->delay, &snd->timer);
		delay_add_at(snd->s->srv->delay, &snd->timer, b->due_ns);
		return;
	}
	int rc = aftp_stream_write(snd->stream, b->data, b->len, on_written, snd);
	if (rc < 0)
		send_break(snd, rc);
	else
		snd->writing = true;
}

static void send_go(struct sender *snd)
{
	uint32_t latency = snd->s->srv->faults.set.latency_ms;
	if (snd->lingering)
		return;
	send_write(snd);
	if (!snd->stream)
		return;
	if (snd->ended && !snd->blocks) {
		send_drained(snd);
		return;
	}
	if (snd->ended && latency > 0 && !snd->s->srv->play->lingers && !(snd->cutting && snd->cut != CUT_DATA))
		send_tell(snd);
	if (!snd->pulling && !snd->ended && snd->queued < (latency > 0 ? WINDOW_LATENCY : WINDOW)) {
		snd->pulling = true;
		snd->ops->pull(snd->source);
	}
}

/* --- what the source says -------------------------------------------------------------------------- */

/* How many of n bytes may go before the end that a fault sets; notes that end. */
static size_t send_allowed(struct sender *snd, size_t n)
{
	if (snd->limit - snd->total <= n) {
		n = (size_t)(snd->limit - snd->total);
		snd->ended = true;
	}
	if (snd->cut != CUT_NONE && snd->cut_at - snd->total <= n) {
		if (!session_strike(snd->s)) {
			snd->cut = CUT_NONE;
			return n;
		}
		n = (size_t)(snd->cut_at - snd->total);
		snd->ended = snd->cutting = true;
		snd->status = AFTP_ECONNRESET;
	}
	return n;
}

void send_block(struct sender *snd, const char *data, size_t n)
{
	struct block *b = snd->stream ? malloc(sizeof(*b)) : NULL;
	snd->pulling = false;
	if (!b) {
		snd->ops->release(snd->source, data);
		send_break(snd, AFTP_ENOMEM);
		return;
	}
	b->data = data;
	b->len = send_allowed(snd, n);
	b->due_ns = uv_hrtime() + (uint64_t)snd->s->srv->faults.set.latency_ms * 1000000;
	DL_APPEND(snd->blocks, b);
	snd->queued += b->len;
	snd->total += b->len;
	if (b->len == 0) { /* the last one, then: nothing of it goes */
		DL_DELETE(snd->blocks, b);
		snd->ops->release(snd->source, data);
		free(b);
	}
	send_go(snd);
}

void send_end(struct sender *snd)
{
	snd->pulling = false;
	snd->ended = true;
	if (snd->stream)
		send_go(snd);
}

void send_failed(struct sender *snd, int status)
{
	snd->pulling = false;
	send_break(snd, status);
}

/* --- the beginning --------------------------------------------------------------------------------- */

static char *on_lend(void *arg, size_t *len)
{
	struct sender *snd = arg;
	*len = sizeof(snd->drain);
	return snd->drain;
}

/* A client may end its side early; only a reset matters. */
static void on_data(void *arg, ssize_t n)
{
	struct sender *snd = arg;
	if (n < 0 && n != AFTP_EOF && n != AFTP_EINCOMPLETE && snd->stream)
		send_break(snd, (int)n);
}

uint64_t send_bytes(const struct sender *snd)
{
	return snd->total - snd->queued;
}

int send_new(struct sender **out, struct session *s, struct aftp_stream *stream, const struct source *ops, void *source,
	uint64_t limit, send_cb *cb, void *arg)
{
	struct sender *snd = calloc(1, sizeof(*snd));
	if (!snd)
		return AFTP_ENOMEM;
	*snd = (struct sender){
		.s = s, .stream = stream, .ops = ops, .source = source, .limit = limit, .cb = cb, .arg = arg
	};
	snd->timer.run = timer_run;
	snd->cut = session_next_cut(s, &snd->cut_at);
	aftp_stream_set_timeouts(stream, -1, 0, s->srv->stall_ms, 0);
	int rc = aftp_stream_read_start(stream, on_lend, on_data, snd);
	if (rc < 0) {
		free(snd);
		return rc;
	}
	session_hold(s);
	DL_APPEND(s->senders, snd);
	*out = snd;
	return 0;
}

void send_start(struct sender *snd)
{
	send_go(snd);
}
