/* xfer - a transfer as a join: it is over when the final reply has come and the data connection has ended, whichever is
 * first, and well only when both are.
 *
 * What is moved, and by which command, is the business of its kind. A kind may have several attempts (MLSD, then LIST).
 * TLS begins on the data connection when the command was sent and the connection stands: servers wait for the one before
 * the other, in either order. A server may refuse a connection whose session it does not know from the control
 * connection, and then a new login is the only way on.
 *
 * The data connection is made while the command is on its way, once a first one has been made to this server; before
 * that the command waits for it, so that a server whose ports cannot be reached costs no connection. One that stands in
 * advance (arm.h) is better still; when it turns out to be dead, the transfer is done once more, with another.
 *
 * Another command may leave right behind the transfer's: PWD, to learn whether the server does one thing after the other
 * (its 257 comes last, or not); the next EPSV, once it is known to; SIZE or MLST, and EPSV, behind an upload. Servers that do several
 * things at a time answer it first, so a reply is told by what it can be an answer to (xfer_order.c).
 *
 * Stopping: close data, take one more reply (1xx included) for the transfer's end, and prove by PWD, whose 257 nothing
 * else answers, that no reply is left over. A connection that cannot be proven so in time is lost. */
#ifndef CLIENT_XFER_H
#define CLIENT_XFER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <aftp/client.h>

#include "client/active.h"
#include "client/dataconn.h"
#include "client/passive.h"
#include "client/queue.h"

enum { XFER_MESSAGE_MAX = 256, XFER_DRAIN_MS = 5000, XFER_DEAD_MS = 15000 };

enum xfer_phase {
	XFER_WAITING,  /* in the queue */
	XFER_ASKING,   /* for an address; or what goes before */
	XFER_DIALING,  /* no command was sent; the data connection is being made */
	XFER_RUNNING,  /* the command was sent */
	XFER_DRAINING, /* stopped; the connection is being proven in step */
	XFER_OVER,
};

/* Bits of aftp_features::tls_ends. A server may do one and not the other. */
enum { XFER_ENDS_FILE = 1, XFER_ENDS_LISTING = 2, XFER_ENDS_OTHER = 4 };

/* What answers a command right behind a transfer's, and nothing else does. */
enum xfer_behind { XFER_NONE = 0, XFER_PASV = 227, XFER_EPSV = 229, XFER_PWD = 257 };

struct xfer_kind {
	unsigned ends; /* its bit; 0 of kinds that send */
	/* 1: it has sent all that is needed, without a data connection, and calls xfer_over() itself. May be NULL. */
	int (*alone)(struct aftp_transfer *t);
	/* Sends what goes ahead of EPSV; 1 when its answer must be waited for (xfer_prepared()). May be NULL. */
	int (*before)(struct aftp_transfer *t);
	int (*check)(struct aftp_transfer *t);   /* an address is there: go on (0)? may be NULL */
	int (*command)(struct aftp_transfer *t); /* sends the command, by xfer_command() */
	/* The data connection stands and the command is sent, or there is a 1xx, too: go on with the data. */
	void (*flow)(struct aftp_transfer *t);
	void (*early)(struct aftp_transfer *t, const struct aftp_reply *r); /* the first 1xx; may be NULL */
	void (*final)(struct aftp_transfer *t, const struct aftp_reply *r); /* the final reply; may be NULL */
	char *(*lend)(struct aftp_transfer *t, size_t *len);                /* of kinds that read */
	void (*landed)(struct aftp_transfer *t, size_t n);
	bool (*repeat)(struct aftp_transfer *t); /* nothing was moved: may it be done once more? */
	bool (*again)(struct aftp_transfer *t);  /* over with t->status: has another attempt begun? may be NULL */
	void (*done)(struct aftp_transfer *t);   /* calls back, and frees t */
};

struct aftp_transfer {
	struct op op; /* first */
	struct aftp_client *c;
	const struct xfer_kind *kind;
	enum xfer_phase phase;
	struct active *active; /* where the server is to connect to; NULL in passive mode, and once it has */
	struct dataconn *data;
	char *path;
	uint64_t offset, until;  /* until: where a download ends, by RANG; 0: at the end of the file */
	int status;              /* what went wrong first */
	bool stopping;           /* nothing is lent, and nobody is told anything, until done */
	bool stop_due;           /* a turn shall see to it */
	bool brief;              /* a download that will not take long */
	bool retried;            /* by PASV */
	bool repeated;           /* with another data connection, as one made in advance was dead */
	bool armed;              /* the data connection stood before the command was sent */
	bool waiting;            /* for the answer to what goes ahead */
	int dialed;              /* < 0: meanwhile the data connection could not be made */
	enum xfer_behind behind; /* what left right behind the command, and is not answered yet */
	bool held;               /* `kept` is a refusal, of our command or of the one behind */
	bool connected;
	bool stood;    /* when the command was sent: the server may look at it before it sees the command */
	bool securing; /* TLS has begun on it */
	bool nudged;   /* and not because of a 1xx */
	bool ready;    /* it may be used, with TLS where that is due */
	bool unclean;  /* TLS did not say its end: the connection may have been cut */
	bool sent;     /* the command */
	bool placed;   /* the server will begin at the offset: REST was accepted, or is not needed */
	bool accepted; /* 1xx */
	bool replied;  /* the final reply */
	bool ended;    /* of the data, one way or the other */
	bool reading;
	bool proven, answered;  /* while draining: the 257; the transfer's last reply */
	bool gathering;         /* of replies: see xfer_order.c */
	unsigned followers;     /* commands that were sent behind an upload's data; while the final reply is owed */
	struct aftp_reply kept; /* what may be the final reply, while it is not known which one is */
	int code;               /* of the final reply */
	char message[XFER_MESSAGE_MAX];
	uint64_t bytes;
};

/* Fills what all kinds have in common. 0, AFTP_EBADNAME or AFTP_ENOMEM. */
int xfer_init(struct aftp_transfer *t, struct aftp_client *c, const struct xfer_kind *kind, const char *path);
void xfer_finish(struct aftp_transfer *t); /* frees what t holds, and t */

/* From within kinds, in callbacks from the loop only. */
int xfer_command(struct aftp_transfer *t, const char *verb, const char *argument);
/* For a kind with an offset: REST ahead of it where it is not 0, or RANG where there is an end. flow() may move nothing until
 * `placed`; it is called when that has come. A refusal ends the transfer with AFTP_ENOTSUP, or AFTP_EBUSY when RANG was
 * refused. */
int xfer_command_at(struct aftp_transfer *t, const char *verb);
void xfer_read_start(struct aftp_transfer *t); /* data comes by lend() and landed(); no effect when it does */
void xfer_data_ended(struct aftp_transfer *t, int status); /* 0: orderly */
void xfer_fail(struct aftp_transfer *t, int status);       /* stops it with this status, which may be > 0 */
/* Begins, or begins again. When it cannot, the connection is lost, and t with it. */
void xfer_attempt(struct aftp_transfer *t);
bool xfer_moved_nothing(struct aftp_transfer *t);
void xfer_over(struct aftp_transfer *t);     /* all is said: another attempt, or done. t may be gone */
void xfer_prepared(struct aftp_transfer *t); /* the answer to what goes ahead is there */

/* From the connection's other parts. */
void xfer_address(struct aftp_transfer *t, int status, const struct sockaddr *addr, uint16_t port);
void xfer_listening(struct aftp_transfer *t, int status); /* the server knows where to connect to */
void xfer_connected(struct aftp_transfer *t, int status);
void xfer_secured(struct aftp_transfer *t, int status);

/* xfer_tls.c */
/* The command is sent, or a reply has come, or the data connection stands: begins with what is possible now. */
void xfer_go_on(struct aftp_transfer *t);
/* Called before anything is sent: no session is left that the server would want to see. Then as below. */
bool xfer_session_expired(struct aftp_transfer *t);
/* Called when all is over: the server wants to see a session of the control connection's, and did not. The connection is
 * lost, and t with it. */
bool xfer_session_refused(struct aftp_transfer *t);
/* TLS was not told the end of the data (t->unclean), and this server tells it: somebody has cut it off. */
bool xfer_was_cut(struct aftp_transfer *t);

/* xfer_order.c */
/* Sends what is to leave right behind the command. < 0 as wire_command(). */
int xfer_follow(struct aftp_transfer *t);
/* A final reply: is it ours, now? If not, it has been seen to. */
bool xfer_is_ours(struct aftp_transfer *t, const struct aftp_reply *r);

/* xfer.c, for xfer_order.c: the final reply is known, and its slot is gone. t may be gone, too. */
void xfer_final(struct aftp_transfer *t, const struct aftp_reply *r);

/* xfer_stop.c */
/* Not read to its end, it leaves something with this server that would come before the next one. */
bool xfer_leaves_rest(const struct aftp_transfer *t);
void xfer_stop(struct aftp_transfer *t);                                /* by phase; t->stopping is set */
void xfer_drained(struct aftp_transfer *t, const struct aftp_reply *r); /* a reply while draining */

#endif
