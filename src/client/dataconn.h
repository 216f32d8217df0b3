/* dataconn - one data connection of a transfer. It outlives its transfer until its handles are closed, and then says
 * nothing any more. */
#ifndef CLIENT_DATACONN_H
#define CLIENT_DATACONN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <aftp/stream.h>

struct aftp_client;
struct aftp_transfer;
struct proxy;

struct dataconn {
	struct aftp_client *client;
	struct aftp_transfer *transfer; /* NULL: given up, or aftp_client::arm has it */
	struct aftp_stream *stream;
	struct proxy *proxy;          /* NULL unless one is being asked */
	uint16_t port;                /* that a proxy is asked for */
	struct dataconn *prev, *next; /* aftp_client::retiring */
};

enum { DATACONN_RETIRE_MS = 2000 };

/* Connects within the client's limit; then xfer_connected(), or arm_connected() where `t` is NULL. `addr` is the server's, or the proxy's, which is asked for
 * `port` then. 0, or why not. */
int dataconn_open(struct dataconn **out, struct aftp_transfer *t, struct aftp_client *c, const struct sockaddr *addr,
	uint16_t port);
/* A connection that the server has made. 0, or why it cannot be used. */
int dataconn_accept(struct dataconn **out, struct aftp_transfer *t, struct aftp_client *c, uv_stream_t *listener);

void dataconn_set_limits(struct dataconn *d); /* the client's, as when it was made */

/* TLS with the session of the control connection; then xfer_secured(). 0, or why not. */
int dataconn_secure(struct dataconn *d);
/* Why TLS failed, in words. */
const char *dataconn_tls_error(const struct dataconn *d);

/* Sets *d to NULL; accepts a pointer to NULL. `abort`: RST, so that the server cannot take it for an orderly end. */
void dataconn_close(struct dataconn **d, bool abort);
/* The same for one whose both ends are done, or will be soon: TLS is ended in good order, in its own time. Takes what the
 * server still says, new sessions among it, and does not reset the connection while something is unread. */
void dataconn_retire(struct dataconn **d);
void dataconn_close_retiring(struct aftp_client *c);

#endif
