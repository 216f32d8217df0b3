/* arm - a data connection that stands before a transfer wants one.
 *
 * While nothing is under way, EPSV is sent and its port connected to. A transfer takes the connection over, and its
 * command is the first thing it has to send: data is there one round trip later. Where the server is known to do one
 * command after the other, the next EPSV already leaves behind a download's command; and behind the end of an upload's data,
 * where that is in order, too.
 *
 * An armed connection is watched. When the server ends it, it is dropped, and the next transfer makes its own. A site that
 * ends them at once, or gives no port for them, is left alone after a few times (aftp_features::no_arm). */
#ifndef CLIENT_ARM_H
#define CLIENT_ARM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

struct aftp_client;
struct aftp_transfer;
struct dataconn;

enum {
	ARM_FAILURES_MAX = 3,    /* in a row */
	ARM_QUICK_MS = 5000,     /* ended by the server so soon: it does not want them */
	ARM_AGE_MAX_MS = 600000, /* older than this, something on the way has forgotten it */
	ARM_KEEPALIVE_S = 30,
};

struct arm {
	bool on;               /* wanted */
	bool due;              /* something has ended: it is time for a new one */
	bool now;              /* and nothing need be waited for */
	bool stands;           /* `data` is connected, and watched */
	struct dataconn *data; /* NULL: none, or not yet */
	uint64_t since;        /* ms of the loop's clock: it stands */
	unsigned failures;
	char land[16]; /* what must not come lands here */
};

/* Asks for a port now, behind what was just sent. No effect when there is a connection or a question already, or arming is
 * of no use here. < 0 as wire_command(). */
int arm_ask(struct aftp_client *c);
/* A turn: asks, when it is due and nothing goes on that a server would give up for it. */
void arm_turn(struct aftp_client *c);

/* The question is not answered yet, and a server that does several things at a time might answer others first: then
 * nothing may be sent. */
bool arm_holds(const struct aftp_client *c);

/* The connection, standing or being made, becomes the transfer's. False: there is none. */
bool arm_take(struct aftp_client *c, struct aftp_transfer *t);
void arm_worked(struct aftp_client *c); /* a transfer went well on it */
void arm_failed(struct aftp_client *c);
void arm_drop(struct aftp_client *c);

/* From passive.c and dataconn.c. */
void arm_address(struct aftp_client *c, int status, const struct sockaddr *addr, uint16_t port);
void arm_connected(struct aftp_client *c, int status);

#endif
