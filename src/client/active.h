/* active - waits for the server to connect: EPRT (RFC 2428), else PORT (RFC 959).
 *
 * It listens where the control connection comes from, and takes a connection from nobody but that server. */
#ifndef CLIENT_ACTIVE_H
#define CLIENT_ACTIVE_H

struct active;
struct aftp_client;
struct aftp_transfer;

/* Listens, and tells the server; the answer is xfer_listening(), which may come at once: when there is nothing to listen
 * on, and then it ends t, or when a data connection has been made before, so that the command need not wait. When the server connects, *out becomes NULL, and then it is xfer_connected(). 0, or as wire_command(). */
int active_ask(struct active **out, struct aftp_transfer *t, struct aftp_client *c);

/* Sets *a to NULL; accepts a pointer to NULL. */
void active_close(struct active **a);

#endif
