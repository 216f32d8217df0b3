#include "stream/throttle_wait.h"

#include <stdlib.h>
#include <utlist.h>

#include <aftp/status.h>

#include "stream/throttle_state.h"

#define QUANTA_PER_S 400

struct throttle_line {
	uv_timer_t timer;
	struct aftp_throttle *throttle; /* NULL once the last user has gone */
	struct throttle_waiter *first;  /* throttle_waiter.next */
	struct throttle_waiter *holder; /* has the turn; NULL for nobody */
	unsigned users;
};

static void tick(uv_timer_t *timer);

int throttle_wait_open(struct aftp_throttle *t)
{
	if (!t->line) {
		struct throttle_line *line = calloc(1, sizeof(*line));

		if (!line)
			return AFTP_ENOMEM;
		uv_timer_init(t->loop, &line->timer);
		line->timer.data = line;
		line->throttle = t;
		t->line = line;
	}
	t->line->users++;
	aftp_throttle_ref(t);
	return 0;
}

static void line_closed(uv_handle_t *timer)
{
	free(timer->data);
}

void throttle_wait_close(struct aftp_throttle *t)
{
	if (--t->line->users == 0) {
		t->line->throttle = NULL;
		uv_close((uv_handle_t *)&t->line->timer, line_closed);
		t->line = NULL;
	}
	aftp_throttle_unref(t);
}

uint64_t throttle_wait_quantum(const struct aftp_throttle *t)
{
	uint64_t n = t->limit / QUANTA_PER_S;

	if (n > t->depth)
		n = t->depth;
	return n > 0 ? n : 1;
}

/* Rounded up: a wake before the bytes are due would be for nothing. */
static uint64_t delay_ms(const struct throttle_line *line)
{
	const struct aftp_throttle *t = line->throttle;
	uint64_t ns = aftp_throttle_delay(t, line->first->need, throttle_now(t));

	return ns / 1000000 + (ns % 1000000 != 0);
}

void throttle_line_wake(struct throttle_line *line)
{
	if (line->first)
		uv_timer_start(&line->timer, tick, delay_ms(line), 0);
	else
		uv_timer_stop(&line->timer);
}

static void give_up_turn(struct throttle_waiter *w)
{
	struct aftp_throttle *t = w->turn;

	w->turn = NULL;
	if (t && t->line && t->line->holder == w)
		t->line->holder = NULL;
}

static void serve_first(struct throttle_line *line)
{
	struct throttle_waiter *w = line->first;
	struct aftp_throttle *t = line->throttle;

	throttle_late(t, throttle_now(t));
	DL_DELETE(line->first, w);
	w->on = NULL;
	w->turn = t;
	line->holder = w;
	w->run(w);
}

/* Passes an unused turn on, and serves one waiter. After a run() the throttle may be gone; the line outlives the
 * tick. */
static void tick(uv_timer_t *timer)
{
	struct throttle_line *line = timer->data;
	uint64_t ms;

	if (line->holder)
		give_up_turn(line->holder);
	do {
		if (!line->first)
			return;
		ms = delay_ms(line);
		if (ms > 0)
			break;
		serve_first(line);
	} while (line->throttle && line->throttle->limit == 0); /* no limit any more: nobody waits for another */
	if (!line->throttle || !line->first)
		return;
	ms = delay_ms(line);
	/* A turn that was not used up at once waits for its socket: a timer of 0 ms would not let the loop poll. */
	uv_timer_start(timer, tick, ms == 0 && line->holder ? 1 : ms, 0);
}

void throttle_wait_add(struct aftp_throttle *t, struct throttle_waiter *w, uint64_t need)
{
	throttle_wait_cancel(w);
	w->need = need;
	w->on = t;
	DL_APPEND(t->line->first, w);
	if (t->line->first == w)
		throttle_line_wake(t->line);
}

void throttle_wait_cancel(struct throttle_waiter *w)
{
	struct aftp_throttle *t = w->on;

	throttle_wait_yield(w);
	if (!t)
		return;
	w->on = NULL;
	DL_DELETE(t->line->first, w);
	throttle_line_wake(t->line);
}

void throttle_wait_yield(struct throttle_waiter *w)
{
	struct aftp_throttle *t = w->turn;

	give_up_turn(w);
	if (t && t->line)
		throttle_line_wake(t->line);
}

bool throttle_wait_must(const struct aftp_throttle *t, const struct throttle_waiter *w)
{
	return t->line && t->line->first && !w->turn;
}
