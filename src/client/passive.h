/* passive - where the server waits for a data connection: EPSV (RFC 2428), else PASV (RFC 959).
 *
 * Only the port counts. The address in a 227 may be that of a private network, or of somebody else; the host that the
 * control connection goes to is the one that serves. One question at a time: a server keeps one port open, the newest. */
#ifndef CLIENT_PASSIVE_H
#define CLIENT_PASSIVE_H

#include <stdbool.h>
#include <sys/socket.h>

struct aftp_client;
struct aftp_transfer;

struct passive {
	struct aftp_client *client;
	struct aftp_transfer *transfer; /* who gets the answer; NULL: arm_address() */
	bool pending;                   /* asked and not answered */
	bool pasv;                      /* the one that is asked now is PASV */
	bool epsv_asked, pasv_asked;
};

/* Asks, for a transfer or (NULL) in advance; the answer is xfer_address() or arm_address(). When it was asked in advance
 * and the answer is still due, that is the transfer's. One that is refused is followed by the other, in the order that the
 * client was made with, and not asked again on this connection. < 0 as wire_command(). */
int passive_ask(struct passive *p, struct aftp_transfer *t);

/* The address could not be reached: asks by the other one. False when there is none, or it has been tried. */
bool passive_retry(struct passive *p, struct aftp_transfer *t);
void passive_retry_worked(struct passive *p); /* so the first one is not asked again */

#endif
