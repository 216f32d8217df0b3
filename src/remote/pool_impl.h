/* pool_impl - what pool.c (the queue) and pool_dial.c (the connections) share. */
#ifndef REMOTE_POOL_IMPL_H
#define REMOTE_POOL_IMPL_H

#include "remote/pool.h"

enum conn_state { CONN_DIALING, CONN_IDLE, CONN_OUT, CONN_CLOSING };

struct pool_conn {
	struct pool *pool;
	struct aftp_client *client; /* NULL once it is closing */
	enum conn_state state;
	uint64_t since;        /* ms: in this state */
	enum pool_class class; /* of the request that it was given to */
	bool giving;           /* its holder has agreed to give it back */
	pool_yield_cb *yield;
	void *yield_arg;
	struct pool_conn *prev, *next; /* pool::conns; idle ones: the latest used first */
};

struct pool {
	uv_loop_t *loop;
	struct later *later;
	struct pool_options o;
	struct aftp_log log;
	struct pool_conn *conns;
	struct pool_request *queue[POOL_CLASSES];
	unsigned limit, max_seen; /* the limit is learned, <= o.max_conns */
	uint64_t limit_at;
	uint64_t backoff_ms, redial_at; /* no dial before redial_at */
	uint64_t failing_since;         /* 0: the latest dial worked */
	int last_status;
	char why[300];
	uint64_t moved_at; /* when a connection was given to somebody who was asked */
	bool ask_now;      /* somebody new waits: the holders are asked at once */
	pool_prepare_cb *prepare;
	void *prepare_arg;
	bool has_features;
	struct aftp_features features;
	uv_timer_t timer;
	bool closing, timer_closed;
	void (*closed)(void *arg);
	void *closed_arg;
};

static inline uint64_t pool_now(const struct pool *p)
{
	return uv_now(p->loop);
}

/* --- pool.c --- */
void pool_learn(struct pool *p, const struct aftp_client *client); /* what it knows of the server */
void pool_catch_up(struct pool *p); /* what connections have learned since they were given back */
enum pool_who { WHO_IS_LATE, WHO_TRIES_ONCE, WHO_WAITS };
void pool_fail_requests(struct pool *p, int status, enum pool_who who);
void pool_run(struct pool *p); /* something has changed: who gets what? */

/* --- pool_dial.c --- */
unsigned pool_count(const struct pool *p, enum conn_state state);
unsigned pool_live(const struct pool *p); /* those on their way out count: the server may still count them too */
void conn_set_state(struct pool_conn *c, enum conn_state state);
void conn_close(struct pool_conn *c, bool politely);
int pool_dial(struct pool *p); /* one more */
void pool_maybe_closed(struct pool *p);

#endif
