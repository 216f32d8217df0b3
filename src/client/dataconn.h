/* dataconn - one data connection of a transfer. It outlives its transfer until its handles are closed, and then says
 * nothing any more. */
#ifndef CLIENT_DATACONN_H
#define CLIENT_DATACONN_H

#include <stdbool.h>
#include <sys/socket.h>

#include <aftp/stream.h>

struct aftp_client;
struct aftp_transfer;

struct dataconn {
	struct aftp_client *client;
	struct aftp_transfer *transfer; /* NULL: given up */
	struct aftp_stream *stream;
};

/* Connects within the client's limit; then xfer_connected(). 0, or why not. */
int dataconn_open(struct dataconn **out, struct aftp_transfer *t, struct aftp_client *c, const struct sockaddr *addr);

/* Sets *d to NULL; accepts a pointer to NULL. `abort`: RST, so that the server cannot take it for an orderly end. */
void dataconn_close(struct dataconn **d, bool abort);

#endif
