#include "lib/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { TURNS = 50 };

static void on_late(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

static void on_closed(uv_handle_t *timer)
{
	*(bool *)timer->data = true;
}

/* True when *done came first. `done` may be NULL. */
static bool run(uv_loop_t *loop, const bool *done, unsigned ms)
{
	uv_timer_t timer;
	bool late = false, closed = false;

	uv_timer_init(loop, &timer);
	uv_update_time(loop);
	timer.data = &late;
	/* Again and again: one that is due when a turn begins is rung before the turn sleeps, and does not end its sleep. */
	uv_timer_start(&timer, on_late, ms, 1);
	while (!(done && *done) && !late)
		uv_run(loop, UV_RUN_ONCE);
	timer.data = &closed;
	uv_close((uv_handle_t *)&timer, on_closed);
	while (!closed)
		uv_run(loop, UV_RUN_NOWAIT);
	return done && *done;
}

void loop_wait(uv_loop_t *loop, const bool *done, const char *what)
{
	if (!run(loop, done, LOOP_PATIENCE_MS))
		fail_msg("%s: nothing happened for %d ms", what, LOOP_PATIENCE_MS);
}

void loop_run_for(uv_loop_t *loop, unsigned ms)
{
	(void)run(loop, NULL, ms);
	/* On a busy machine, the time may be over before anything was done. */
	for (unsigned i = 0; i < TURNS; i++)
		uv_run(loop, UV_RUN_NOWAIT);
}

static void count(uv_handle_t *handle, void *arg)
{
	if (!uv_is_closing(handle))
		++*(int *)arg;
}

void loop_finish(uv_loop_t *loop)
{
	int left = 0;

	uv_walk(loop, count, &left);
	if (left > 0) {
		uv_print_all_handles(loop, stderr);
		fail_msg("%d handles are left on the loop", left);
	}
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(loop), 0);
}

void loop_set_flag(void *arg)
{
	*(bool *)arg = true;
}
