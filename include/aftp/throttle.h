/* throttle - a rate limit that any number of streams can share.
 *
 * A token bucket kept as one virtual clock in integer nanoseconds. Bytes are granted before they move, so
 * a large operation is cut to what is due now; idle time buys no more than the burst. Waiters get their
 * grants in turn. A change of the limit wakes them at once. A throttle without a limit costs a comparison.
 *
 * Streams ask for at least what is due in 2.5 ms (or the burst, if that is less), and their timers count in
 * milliseconds: with a burst below what the limit allows in 5 ms the limit is not reached. */
#ifndef AFTP_THROTTLE_H
#define AFTP_THROTTLE_H

#include <stdint.h>
#include <uv.h>

struct aftp_throttle; /* reference-counted */

/* `bytes_per_s` 0 = no limit. `burst` in bytes, 0 = what the limit allows in 10 ms, at least 1 byte.
 * The caller owns one reference. 0, AFTP_ENOMEM, AFTP_EINVAL. */
int aftp_throttle_new(struct aftp_throttle **out, uv_loop_t *loop, uint64_t bytes_per_s, uint64_t burst);
struct aftp_throttle *aftp_throttle_ref(struct aftp_throttle *t);
void aftp_throttle_unref(struct aftp_throttle *t); /* accepts NULL; the loop may be gone already */

/* A new throttle with the same settings and no memory of the past. */
int aftp_throttle_clone(struct aftp_throttle **out, const struct aftp_throttle *t);

/* Changing the limit takes effect at once for everyone who waits. Debt and credit stay the same in bytes. */
void aftp_throttle_set_limit(struct aftp_throttle *t, uint64_t bytes_per_s);
uint64_t aftp_throttle_limit(const struct aftp_throttle *t);

/* Called after bytes have been charged: n bytes now, total since birth. NULL removes it. It runs in the middle of
 * reads and writes: it must not call the streams that use the throttle. */
typedef void aftp_throttle_observer(void *arg, uint64_t n, uint64_t total, uint64_t now_ns);
void aftp_throttle_observe(struct aftp_throttle *t, aftp_throttle_observer *fn, void *arg);

/* The clock, for tests: nanoseconds, monotonic. NULL = uv_hrtime(). */
typedef uint64_t aftp_clock(void *arg);
void aftp_throttle_set_clock(struct aftp_throttle *t, aftp_clock *clock, void *arg);

/* The arithmetic, usable without a stream. How many of `want` bytes may move at `now` (0..want); not charged yet. */
uint64_t aftp_throttle_allow(const struct aftp_throttle *t, uint64_t want, uint64_t now_ns);
/* Nanoseconds from `now` until at least min(want, burst) bytes may move; 0 when they may now. */
uint64_t aftp_throttle_delay(const struct aftp_throttle *t, uint64_t want, uint64_t now_ns);
/* n bytes moved at `now`. */
void aftp_throttle_charge(struct aftp_throttle *t, uint64_t n, uint64_t now_ns);

/* A pair, as a stream carries it; either may be NULL (no limit). */
struct aftp_stream_throttle {
	struct aftp_throttle *read, *write;
};
int aftp_stream_throttle_from_limits(
	struct aftp_stream_throttle *out, uv_loop_t *loop, uint64_t read_bps, uint64_t write_bps);
int aftp_stream_throttle_clone(struct aftp_stream_throttle *out, const struct aftp_stream_throttle *st);
void aftp_stream_throttle_unref(struct aftp_stream_throttle *st); /* both; accepts a zeroed value */

#endif
