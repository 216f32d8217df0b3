/* loop - running a loop in a test until something has happened, and never for ever. */
#ifndef TESTS_LOOP_H
#define TESTS_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum { LOOP_PATIENCE_MS = 60000 };

/* Runs the loop until *done. Fails the test, and says `what` did not happen, after LOOP_PATIENCE_MS. */
void loop_wait(uv_loop_t *loop, const bool *done, const char *what);

/* Runs the loop for `ms` and for some turns, whatever happens; for what must not happen meanwhile. */
void loop_run_for(uv_loop_t *loop, unsigned ms);

/* Lets what is closing close, then closes the loop. Fails the test when a handle or a request is left on it. */
void loop_finish(uv_loop_t *loop);

/* A callback that sets the bool in its argument. */
void loop_set_flag(void *arg);

#endif
