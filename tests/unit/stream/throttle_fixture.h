/* throttle_fixture - a loop, and a clock that only the test moves. */
#ifndef TESTS_STREAM_THROTTLE_FIXTURE_H
#define TESTS_STREAM_THROTTLE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <aftp/status.h>

#include "stream/throttle_state.h"

#define MS     1000000ull
#define SECOND (1000 * MS)
#define KB     1000ull
#define MB     (1000 * KB)
#define GB     (1000 * MB)

/* All time in these tests is made up. */
struct fixture {
	uv_loop_t loop;
	uint64_t now;
};

static inline uint64_t fake_clock(void *arg)
{
	return ((struct fixture *)arg)->now;
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || uv_loop_init(&f->loop) < 0)
		return -1;
	f->now = 1000 * SECOND;
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;
	int rc;

	uv_run(&f->loop, UV_RUN_DEFAULT);
	rc = uv_loop_close(&f->loop);
	free(f);
	return rc;
}

static inline struct aftp_throttle *make(struct fixture *f, uint64_t limit, uint64_t burst)
{
	struct aftp_throttle *t;

	assert_int_equal(aftp_throttle_new(&t, &f->loop, limit, burst), 0);
	aftp_throttle_set_clock(t, fake_clock, f);
	return t;
}

static inline uint64_t empty_bucket(struct aftp_throttle *t, uint64_t now)
{
	uint64_t n = aftp_throttle_allow(t, UINT64_MAX, now);

	aftp_throttle_charge(t, n, now);
	return n;
}

#endif
