/* session - one client: its login, its parameters, and the one command that is being executed.
 *
 * Everything that ends asynchronously (the control connection, a transfer, a vfs operation) holds the session; its
 * memory goes when it is dead and nothing holds it any more. */
#ifndef SERVER_SESSION_H
#define SERVER_SESSION_H

#include <aftp/log.h>
#include <aftp/stream.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/control.h"
#include "server/data.h"
#include "server/path.h"
#include "server/server.h"

struct command;
struct hash_kind;
struct sender;
struct transfer;

enum session_state {
	SESSION_GREETING, /* accepted; the greeting has not been said */
	SESSION_OPEN,
	SESSION_LEAVING, /* the last reply is on its way; no more commands */
	SESSION_DEAD,    /* everything is being closed */
};

enum session_login { LOGIN_NONE, LOGIN_PASSWORD, LOGIN_ACCOUNT, LOGIN_DONE };

struct session {
	struct aftp_server *srv;
	struct session *prev, *next; /* aftp_server.sessions */
	uint64_t id;
	struct aftp_log log;
	enum session_state state;
	unsigned holds;
	bool counted; /* among the open sessions */
	struct control *control;
	struct sockaddr_storage peer, local;
	struct delay_item greeting;
	uv_timer_t idle;

	enum session_login login;
	char *login_name;
	struct user *user; /* may be NULL before LOGIN_DONE */
	bool user_counted; /* among the user's connections */
	uint32_t login_failures;
	struct aftp_stream_throttle throttle, user_throttle;

	char *cwd;                /* NULL: "/" */
	char type;                /* 'A' or 'I' */
	uint64_t rest, range_end; /* where the next transfer starts, and ends before; UINT64_MAX: at the end */
	char *rename_from;        /* or NULL */
	char *copy_from;          /* or NULL */
	unsigned facts;           /* FACT_* */
	unsigned listed;          /* entries of the listing under way, or the last */
	bool shell_dots;          /* of the listing that waits for its pattern */
	bool listing_cut;         /* there were more */
	bool listed_nothing;      /* no entry fitted, or there was no such path */
	const struct hash_kind *hash;
	int32_t wanted_mode; /* MFF: what comes after the time; -1: nothing */
	bool epsv_all;
	bool secure;                            /* TLS on the control connection */
	bool private;                           /* and on data connections */
	struct aftp_tls_sessions *tls_sessions; /* or NULL */

	const struct command *cmd;                    /* under way, or NULL */
	const struct aftp_rule *rule, *transfer_rule; /* of it, and of the transfer; or NULL */
	char *held;                                   /* the argument of a command that waits; or NULL */
	bool loose;                                   /* the transfer is not `cmd` any more: others run beside it */
	bool looping;                                 /* session_run() is on the stack */
	bool arrived;                                 /* input that no command has been taken from */
	bool stuck;                                   /* a fault keeps the command from ever ending */
	uint64_t commands;
	char *path;                /* the command's path argument, PATH_CAP bytes; NULL between commands */
	struct aftp_vfs_req req;   /* the command's vfs operation */
	struct transfer *transfer; /* under way, or NULL */
	/* of the transfer, and of earlier ones whose bytes are still on their way */
	struct sender *senders;
	struct data data;
	struct delay_item pause; /* what session_pause() waits for */
	void (*after_pause)(struct session *s);
	void (*secured)(struct session *s);
	void (*drained)(void *arg); /* or NULL */
	void *drained_arg;
};

/* A connection waits on the listener; takes it. `tls`: from its first byte on. */
void session_accept(struct aftp_server *srv, uv_stream_t *listener, bool tls);

/* One line of a reply: "code text"; "code-text" with session_line(); " text" when code is 0. Line ends in the text
 * become '?'. */
void session_reply(struct session *s, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void session_text(struct session *s, int code, const char *text); /* with a line for each of the text's */
void session_line(struct session *s, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* TLS from now on, when all that was said has left: `done` runs when it is there; else the session dies. */
void session_secure(struct session *s, void (*done)(struct session *s));

/* Executes what may be executed now. Called when that may have changed. */
void session_run(struct session *s);

/* The last reply of the command under way. */
void session_end(struct session *s, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void session_end_errno(struct session *s, int status); /* the code and words for a vfs status < 0 */
void session_end_silently(struct session *s);          /* without a reply */
/* The transfer goes on, and another command may be the one under way. */
void session_loosen(struct session *s);
void session_transfer_ended(struct session *s);   /* its last reply was said: as session_end_silently() */
const char *session_words(int status, int *code); /* the same, to look at */

/* For the callback of a vfs operation that holds the session: false when the session is dead, and then perhaps
 * freed. */
void session_hold(struct session *s);
void session_release(struct session *s);
bool session_back(struct session *s);

/* --- files, in session_vfs.c ------------------------------------------------------------------------ */

/* Resolves a path argument into s->path; false when it cannot be, or when the user may not do there what the command
 * needs (then the command has ended). */
bool session_path(struct session *s, const char *arg);
bool session_path_for(
	struct session *s, const char *arg, unsigned may); /* when the table does not know what it needs */
const char *session_cwd(const struct session *s);
int session_chdir(struct session *s, const char *path);  /* 0, AFTP_ENOMEM */
struct aftp_vfs *session_vfs(const struct session *s);   /* as the user sees it */
bool session_may(const struct session *s, unsigned may); /* anywhere at all */

/* Around one vfs call with s->req: hold the session, call, session_started(rc); in the callback session_came_back(),
 * false when there is nothing more to do: dead, or refused and said so. */
void session_started(struct session *s, int rc);
bool session_came_back(struct session *s, int status);
void session_stat(struct session *s, unsigned flags, aftp_vfs_cb *cb); /* of s->path */

/* --- leaving ---------------------------------------------------------------------------------------- */

/* A fault of the transfer: by its rule, or by one that is for all. */
bool session_faulty(const struct session *s, enum aftp_act act, bool for_all);
/* As faults_next_cut(), and faults_strike() at it. */
enum cut session_next_cut(const struct session *s, uint64_t *at);
bool session_strike(struct session *s);

/* Runs `fn` once: when the kernel has every reply, or when the session dies. One at a time. */
void session_when_drained(struct session *s, void (*fn)(void *arg), void *arg);

/* Runs `fn` so much later, unless the session dies before. The command stays under way. One at a time. */
void session_pause(struct session *s, uint64_t ms, void (*fn)(struct session *s));

/* no more commands; closes when replies and data have left */
void session_leave(struct session *s);
void session_leave_on(struct session *s); /* looks whether they have */
/* a fault: the command will not end; when the client goes, all ends */
void session_stick(struct session *s);
void session_kill(struct session *s, bool abort); /* ends everything now; `abort`: with a reset */
void session_login_reset(struct session *s);      /* nobody is logged in */

#endif
