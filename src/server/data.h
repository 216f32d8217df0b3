/* data - the data channel of a session: from EPSV or EPRT to the one connection that a transfer takes.
 *
 * Passive: the first connection from the control peer's address wins, and the port is closed with it; others are reset.
 * Active: the server connects when a transfer asks for the connection. A new EPSV, PASV, EPRT or PORT closes what was
 * pending. The channel keeps across other commands until a transfer takes it. */
#ifndef SERVER_DATA_H
#define SERVER_DATA_H

#include <aftp/stream.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/delay.h"

/* From a connection's SYN to the moment when its server may use it; and its client. */
enum { HANDSHAKE_LATENCIES = 3, DIAL_LATENCIES = 2 };

struct session;

/* status < 0: there is no connection, and will be none. */
typedef void data_ready_cb(struct session *s, int status);

struct data {
	uv_tcp_t *listener;             /* or NULL */
	struct sockaddr_storage target; /* to be connected to; ss_family 0: none */
	struct aftp_stream *stream;     /* connecting or connected, not taken yet; or NULL */
	bool ready;                     /* connected, and its handshake has had the time that latency would take */
	struct delay_item handshake;
	struct delay_item unused; /* what is too long so ends the session, where that is played */
	data_ready_cb *waiter;
};

/* Opens a port on the control connection's local address. 0 or -errno: -EADDRINUSE when none of the range is free. */
int data_listen(struct session *s, uint16_t *port);
void data_target(struct session *s, const struct sockaddr_storage *target); /* where to connect to */
bool data_pending(const struct session *s); /* a port is open, a target is known, or a connection waits */
/* Runs `cb` when the connection is there or cannot be, at once if it is known. */
void data_wait(struct session *s, data_ready_cb *cb);
struct aftp_stream *data_take(struct session *s); /* in or after `cb`; the caller's now */
void data_close(struct session *s);               /* whatever is pending, reset */

#endif
