/* client_impl - the inside of a client, for the files that make it up.
 *
 *   client.c    birth, the end, commands           opening.c   from connect to ready (dial.c, login.c, features.c)
 *   wire.c, wire_slot.c  the control connection    queue.c     what waits for its turn
 *   xfer.c      the join of a transfer's two ends  xfer_stop.c how one is stopped and the connection proven in step
 *   xfer_order.c  whose answer a reply is          xfer_tls.c  TLS on data connections
 *   passive.c   EPSV and PASV                      active.c    EPRT and PORT
 *   dataconn.c  the data connection                arm.c       one that is made in advance
 *   settings.c  what a client was made with
 *   retrieve.c, store.c, list.c                    the kinds of transfer
 *   stat.c      MLST, SIZE, MDTM, CWD              cwd.c       where the server's working directory is
 *
 * The public calls only note what is wanted; a turn (client_wake()) later in the loop does it. So nothing calls back
 * from inside a call, and what is asked for in one turn of the loop leaves in one segment. */
#ifndef CLIENT_CLIENT_IMPL_H
#define CLIENT_CLIENT_IMPL_H

#include <aftp/client.h>
#include <aftp/status.h>

#include "client/arm.h"
#include "client/cwd.h"
#include "client/login.h"
#include "client/passive.h"
#include "client/queue.h"
#include "client/wire.h"
#include "proto/charset.h"
#include "stream/later.h"
#include "stream/proxy.h"

struct dial;

enum client_state {
	CLIENT_NEW,
	CLIENT_OPENING,
	CLIENT_READY,
	CLIENT_DEAD, /* could not be opened, or was lost: only close is left */
	CLIENT_CLOSING,
};

struct client_opening {
	aftp_client_cb *cb; /* NULL: it is over */
	void *arg;
	struct dial *dial;
	enum login at;
	bool ssl;      /* AUTH SSL, which is older than AUTH TLS */
	bool at_once;  /* USER, PASS and the first round have left together */
	unsigned owed; /* replies of the round that sets the session up */
};

/* Data connections that may be refused for their sessions before TLS 1.2 is tried. */
enum { TLS_REFUSED_MAX = 2 };

/* What TLS is to do, and what it has come to. */
struct client_tls {
	enum aftp_tls_mode mode;
	struct aftp_tls *settings;
	struct aftp_tls_sessions *sessions; /* NULL while the mode is OFF */
	bool prot_clear;
	bool on;   /* the control connection is protected */
	bool data; /* and so are data connections */
};

struct client_active {
	bool on;
	char *address;
	uint16_t port_min, port_max;
};

struct aftp_client {
	uv_loop_t *loop;
	struct later *later;
	struct later_item turn;
	enum client_state state;
	char *host, *user, *password, *account;
	uint16_t port;
	uint64_t connect_ms, timeout_ms;
	struct client_tls tls;
	struct proxy_settings proxy; /* its strings are copies */
	struct client_active active;
	enum aftp_passive passive_order;
	struct charset *charset; /* NULL: names stay as they are */
	bool few_facts;          /* have been asked for */
	aftp_line_parser *list_parser;
	void *list_parser_arg;
	bool list_parser_last;
	struct aftp_stream_throttle throttle, own_throttle;
	struct aftp_log log;
	struct aftp_features features;
	bool assumed; /* features come from an earlier connection */
	struct client_opening opening;
	struct wire wire;
	struct queue queue;
	struct cwd cwd;
	struct passive passive;
	struct arm arm;
	struct dataconn *retiring; /* what goes on by itself, to an orderly end */
	int open;                  /* connections whose handles are not closed yet, the control connection included */
	bool quitting;             /* QUIT is to be said before the end */
	bool waved;                /* and was */
	bool ended;
	aftp_client_cb *lost;
	void *lost_arg;
	void (*closed)(void *arg);
	void *closed_arg;
	char error[256];
};

/* client.c */
void client_wake(struct aftp_client *c); /* a turn is due */
void client_set_error(struct aftp_client *c, const char *text);
/* The path, as the server has it: 0, AFTP_EBADNAME, AFTP_ETOOBIG, AFTP_ENOMEM. */
int client_check_path(const struct aftp_client *c, const char *path);
/* A path as the server has it, to be freed. 0, or as aftp_client_check_path(). */
int client_take_path(const struct aftp_client *c, char **out, const char *path);
int client_ask(struct aftp_client *c, struct op *op); /* into the queue: 0, AFTP_ENOTCONN, AFTP_ETOOBIG */
void client_connection_closed(struct aftp_client *c); /* one of `open` */

/* settings.c */
int settings_check(const struct aftp_client_options *o);                       /* 0 or AFTP_EINVAL */
int settings_copy(struct aftp_client *c, const struct aftp_client_options *o); /* 0, AFTP_EINVAL or AFTP_ENOMEM */
void settings_free(struct aftp_client *c); /* also what a copy that failed has left */

/* opening.c */
int opening_start(struct aftp_client *c, aftp_client_cb *cb, void *arg);
void opening_fail(struct aftp_client *c, int status); /* the callback gets it; no effect when it is over */

#endif
