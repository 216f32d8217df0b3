/* pool - the logged-in connections of a site, and the queue for them.
 *
 * Connections are opened on demand up to a limit, handed out by class and then in order, kept for a while when idle,
 * and replaced when they die. No request ever holds one connection while it waits for another, so one is enough for
 * everything. A holder that could give its connection back (a reader that runs ahead) says so with pool_hold(), and
 * is asked while others wait. The server's own limit is learned from its refusals (421, 530 "too many"), and tested
 * again later.
 *
 * A request waits through failed dials, with growing pauses, until its deadline; then it gets the latest reason. */
#ifndef REMOTE_POOL_H
#define REMOTE_POOL_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include <aftp/client.h>

#include "stream/later.h"

struct pool;
struct pool_conn;

enum pool_class { POOL_METADATA, POOL_READ, POOL_UPLOAD, POOL_AHEAD, POOL_CLASSES };

/* status 0: conn is the caller's until pool_release(). `why`: a line for people, "" on success; valid during the
 * call. */
typedef void pool_cb(void *arg, int status, struct pool_conn *conn, const char *why);

struct pool_request { /* embedded in the one who asks; zero it before first use */
	struct pool *pool;
	enum pool_class class;
	bool once; /* one dial, no second try (for the first connection of a mount) */
	pool_cb *cb;
	void *arg;
	uint64_t asked, deadline; /* ms of the loop's clock */
	int status;
	struct pool_conn *conn;
	struct later_item due;
	struct pool_request *prev, *next; /* pool::queue[class] */
	enum { POOL_REQUEST_IDLE, POOL_REQUEST_QUEUED, POOL_REQUEST_DUE } state;
};

struct pool_options {
	struct aftp_client_options client; /* copied deeply */
	unsigned max_conns;
	int64_t wait_ms; /* how long a request waits for a connection */
	int64_t idle_ms; /* an unused connection is closed after it */
};

int pool_new(struct pool **out, uv_loop_t *loop, struct later *later, const struct pool_options *o);

/* Requests get AFTP_ECANCELED, connections that are out are closed under their holders; then closed(arg). Sets *p to
 * NULL. */
void pool_close(struct pool **p, void (*closed)(void *arg), void *arg);

/* What connects from now on goes through `prepare` first, which may ask for what is to leave behind the login. NULL: no more. */
typedef void pool_prepare_cb(void *arg, struct aftp_client *client);
void pool_prepare(struct pool *p, pool_prepare_cb *prepare, void *arg);

/* Async contract; cannot fail. */
void pool_acquire(struct pool *p, struct pool_request *r, enum pool_class class, pool_cb *cb, void *arg);

/* A queued request becomes more urgent, and goes behind those of its new class. No effect on any other. */
void pool_promote(struct pool_request *r, enum pool_class class);

/* Much is to come: opens now what may be opened. On a far link a login takes longer than what it is for. */
void pool_expect(struct pool *p);

/* The callback will not run; a connection that was on its way goes back. No effect on an idle request. */
void pool_abandon(struct pool_request *r);

/* Gives a connection back. One that is not idle and in step is closed. */
void pool_release(struct pool_conn *conn);

/* NULL when the pool is closing. */
struct aftp_client *pool_client(const struct pool_conn *conn);

/* Asked at once and then every now and then while a request of class `wanted` (never POOL_AHEAD) waits, since `waited_ms`,
 * and no connection is free; those that look ahead first, and no more of them than are needed. The holder may cancel its
 * transfer and release when that is done: true, and it is not asked again. NULL: never ask. Cleared by
 * pool_release(). */
typedef bool pool_yield_cb(void *arg, enum pool_class wanted, uint64_t waited_ms);
void pool_hold(struct pool_conn *conn, pool_yield_cb *yield, void *arg);

/* Does anybody wait for a connection that cannot be opened? Those who only look ahead do not count. */
bool pool_wanted(const struct pool *p, enum pool_class *wanted);

/* What the server can do; NULL before the first connection. */
const struct aftp_features *pool_features(const struct pool *p);

unsigned pool_limit(const struct pool *p); /* connections that may be open, as far as is known */
unsigned pool_connected(const struct pool *p);
unsigned pool_connected_max(const struct pool *p); /* the most at one time so far */

#endif
