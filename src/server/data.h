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

/* Some clients begin TLS as soon as the connection stands, and say what it is for when it is done: so TLS begins with the
 * first byte that comes, if a transfer has not begun it before. */
enum data_tls { DATA_TLS_NONE, DATA_TLS_RUNNING, DATA_TLS_DONE };

struct data {
	uv_tcp_t *listener;             /* or NULL */
	struct sockaddr_storage target; /* to be connected to; ss_family 0: none */
	struct aftp_stream *stream;     /* connecting or connected, not taken yet; or NULL */
	bool ready;                     /* connected, and its handshake has had the time that latency would take */
	struct delay_item handshake;
	struct delay_item unused; /* what is too long so ends the session, where that is played */
	data_ready_cb *waiter;
	enum data_tls tls;         /* of `stream`, and after data_take() of what was taken */
	int tls_status;            /* when it is done */
	struct aftp_stream *early; /* which it has begun on; to compare */
	bool listening;            /* for the first byte */
	struct delay_item hello;
};

/* Opens a port on the control connection's local address. 0 or -errno: -EADDRINUSE when none of the range is free. */
int data_listen(struct session *s, uint16_t *port);
void data_target(struct session *s, const struct sockaddr_storage *target); /* where to connect to */
bool data_pending(const struct session *s); /* a port is open, a target is known, or a connection waits */
/* Runs `cb` when the connection is there or cannot be, at once if it is known. */
void data_wait(struct session *s, data_ready_cb *cb);
struct aftp_stream *data_take(struct session *s); /* in or after `cb`; the caller's now */
void data_close(struct session *s);               /* whatever is pending, reset */

/* data_tls.c */
void data_tls_listen(struct session *s);  /* a connection is there, and nobody has asked for it yet */
void data_tls_silence(struct session *s); /* it is taken, or closed */

#endif
