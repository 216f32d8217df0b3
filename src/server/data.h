/* data - the passive data channel of a session: from EPSV to the one connection that a transfer takes.
 *
 * The first connection from the control peer's address wins, and the port is closed with it; others are reset. A new
 * EPSV or PASV closes what was pending. The channel keeps across other commands until a transfer takes it. */
#ifndef SERVER_DATA_H
#define SERVER_DATA_H

#include <aftp/stream.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/delay.h"

enum { HANDSHAKE_LATENCIES = 3 }; /* from a connection's SYN to the moment when its server may use it */

struct session;

typedef void data_ready_cb(struct session *s);

struct data {
	uv_tcp_t *listener;         /* or NULL */
	struct aftp_stream *stream; /* connected, not taken yet; or NULL */
	bool ready;                 /* and its handshake has had the time that latency would take */
	struct delay_item handshake;
	data_ready_cb *waiter;
};

/* Opens a port on the control connection's local address. 0 or -errno. */
int data_listen(struct session *s, uint16_t *port);
bool data_pending(const struct session *s); /* a port is open, or a connection waits */
/* Runs `cb` when the connection is there, at once if it is. */
void data_wait(struct session *s, data_ready_cb *cb);
struct aftp_stream *data_take(struct session *s); /* in or after `cb`; the caller's now */
void data_close(struct session *s);               /* whatever is pending, reset */

#endif
