/* server - the server object as its parts see it. */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include <aftp/server.h>

#include "server/attempts.h"
#include "server/delay.h"
#include "server/faults.h"
#include "server/users.h"
#include "stream/later.h"

enum { SERVER_LISTENERS = 8 };

struct aftp_stream;
struct play;
struct session;
struct listener;

struct aftp_server {
	uv_loop_t *loop;
	struct aftp_vfs *vfs;
	struct users users;
	char *welcome;
	int64_t idle_ms, data_ms, stall_ms; /* 0 = none */
	uint32_t max_connections;
	uint64_t login_delay_ms;
	uint32_t max_login_failures; /* 0 = no limit */
	struct attempts attempts;
	struct aftp_limits limits, connection_limits;
	struct aftp_stream_throttle throttle;
	bool foreign_data;
	uint16_t ports[2];  /* for passive data connections, first and last; 0: any */
	unsigned next_port; /* counts on */
	bool fractions;
	struct aftp_log log;
	struct faults faults;
	const struct play *play;
	struct aftp_tls *tls; /* or NULL */
	bool tls_required, tls_reuse;
	struct later *later;
	struct delay *delay;
	struct listener *listeners[SERVER_LISTENERS];
	size_t nlisteners;
	struct session *sessions; /* session.prev/next */
	unsigned open_sessions;   /* those that count for max_connections */
	uint64_t last_id;
	struct aftp_server_counters counters;
	uint64_t *verb_counts; /* one for each row of the command table */
	unsigned holds;        /* handles and sessions that are not closed yet */
	bool closing;
	void (*closed)(void *arg);
	void *closed_arg;
};

/* The server is said not to have it: a verb, or "SITE" and one of its words. */
bool server_hides(const struct aftp_server *srv, const char *verb);

void server_release(struct aftp_server *srv); /* one hold less */

/* A bound socket whose connections will have out-of-band bytes inline (an ABOR may carry one). 0 or -errno; on
 * success *tcp is the caller's to uv_close() and free, on failure it is NULL. */
int server_bind(uv_loop_t *loop, const struct sockaddr *addr, uv_tcp_t **tcp);

#endif
