/* server - an FTP server on a vfs: users, permissions, limits, counters, and faults on request.
 *
 * Commands that come pipelined are executed strictly in order, one at a time; each command's replies are complete
 * before the next command begins. One exception: while a transfer runs, ABOR and a bare STAT that are next in line
 * are answered at once. RFC 959, 1123 section 4.1, 2389, 2428, 3659. */
#ifndef AFTP_SERVER_H
#define AFTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include <aftp/log.h>
#include <aftp/tls.h>
#include <aftp/vfs.h>

struct aftp_server;

enum { AFTP_MAY_READ = 1 << 0, AFTP_MAY_WRITE = 1 << 1 };

/* What may be done at `path` (absolute, as the user sees it) and below. */
struct aftp_permission {
	const char *path;
	unsigned may; /* AFTP_MAY_*; 0: it cannot even be told from what is missing */
};

/* Bytes per second; 0 = no limit. */
struct aftp_limits {
	uint64_t read;  /* what clients send */
	uint64_t write; /* what they get */
};

struct aftp_user {
	/* NULL: the anonymous user, who logs in as "anonymous" or "ftp" with any password */
	const char *name;
	const char *password; /* NULL: none is asked, USER alone logs in (of the anonymous user: not used) */
	const char *account;  /* NULL, or what ACCT must say after the password (332) */
	unsigned may;         /* AFTP_MAY_*; 0 permits nothing but to look at the working directory */

	const char *base; /* the directory of the vfs that the user sees as "/", and cannot leave; NULL = all of it */
	const char *home; /* where a session starts, absolute, as the user sees it; NULL = "/" */
	/* Narrow `may`: of a path and its parents, the nearest that is named counts. Once there are any, a path with
	 * none denies. A directory is renamed only when all below it might be written, and nothing is renamed to where
	 * it would become easier to get at. */
	const struct aftp_permission *permissions;
	size_t npermissions;
	uint32_t max_connections;             /* logged in at once; one more gets 530; 0 = no limit */
	struct aftp_limits limits;            /* all data connections of the user together */
	struct aftp_limits connection_limits; /* of each session */
};

/* How LIST looks. */
enum aftp_listing_style {
	AFTP_STYLE_UNIX,          /* as `ls -l` prints it */
	AFTP_STYLE_UNIX_TOTAL,    /* with a line "total N" before the entries */
	AFTP_STYLE_UNIX_NO_GROUP, /* only the owner */
	AFTP_STYLE_UNIX_NO_YEAR,  /* "Feb 03 04:05" however old it is */
	AFTP_STYLE_UNIX_LOCAL,    /* the months in German */
	AFTP_STYLE_UNIX_ISO,      /* "2020-02-03 04:05" */
	AFTP_STYLE_DOS,           /* as IIS prints it */
	AFTP_STYLE_DOS_LONG,      /* with four digits for the year and 24 hours */
	AFTP_STYLE_NONSENSE,      /* every listing, not only LIST, is text that no parser should take for entries */
};

/* What is done when a certain command comes. */
enum aftp_act {
	AFTP_ACT_REPLY,   /* `number` and `text` are the reply; the command is not executed */
	AFTP_ACT_SILENCE, /* it is not executed, and nothing is said */
	AFTP_ACT_MISSING, /* as if the server did not have it */
	AFTP_ACT_DELAY,   /* it is executed so many milliseconds later */
	AFTP_ACT_DROP,    /* both connections are reset */
	AFTP_ACT_CLOSE,   /* the session ends in good order, without a word */
	AFTP_ACT_GARBAGE, /* as the faults of the same name */
	AFTP_ACT_ENDLESS_LINE,
	AFTP_ACT_ENDLESS_REPLY,
	/* Of a transfer that it begins: */
	AFTP_ACT_FINAL, /* `number` and `text` are its last reply, whatever happened */
	AFTP_ACT_NO_FINAL,
	AFTP_ACT_SHORT,      /* half of the data, and 226 */
	AFTP_ACT_DROP_AFTER, /* these three after so many bytes */
	AFTP_ACT_DROP_ALL_AFTER,
	AFTP_ACT_STALL_AFTER,
	/* Of EPSV and PASV: */
	AFTP_ACT_REFUSE_DATA,
};

struct aftp_rule {
	const char *verb;
	/* the first and the last time that it comes, counted over all sessions (aftp_server_count()) from 1; 0 as the
	 * last: for ever */
	uint64_t first, last;
	enum aftp_act act;
	uint64_t number;  /* a code, milliseconds or bytes */
	const char *text; /* REPLY, FINAL: lines are separated by '\n'; else NULL */
};

/* Things that go wrong on purpose. All zero: nothing does. */
struct aftp_faults {
	/* Each way: what a client sends is seen this much later, and what the server sends leaves this much later,
	 * in order and without limiting the rate. A connection counts as made after three times this, as its
	 * handshake would take. */
	uint32_t latency_ms;
	uint64_t rate; /* bytes/s of each data connection, each way; 0 = no limit */

	/* When a transfer has moved this many bytes on its data connection; 0 = never. */
	uint64_t drop_after;     /* the data connection is reset; 426; the session goes on */
	uint64_t drop_all_after; /* both connections are reset, as when a network dies */
	uint64_t stall_after;    /* nothing more is sent or read on it; everything stays open */

	/* When the control connection has carried this many bytes of replies (greeting included), or this many
	 * commands; 0 = never. */
	uint64_t drop_control_after; /* both connections are reset, in the middle of a reply where it falls so */
	/* the command that reaches the count is not executed: both connections are reset */
	uint64_t drop_after_commands;
	uint32_t times; /* how often, over all sessions, the five above may strike; 0 = always */

	/* verbs that the server does not have (502, not in FEAT or HELP); NULL-ended, may be NULL */
	const char *const *no;
	bool no_final_reply; /* a transfer's 226 never comes */
	bool short_data;     /* RETR and listings: half of the data, then 226 as if it were all */
	bool refuse_data;    /* 229 and 227 name a port where nobody listens */
	/* the address that 227 tells ("10,1,2,3" or "10.1.2.3"), whatever it really is; NULL = the true one */
	const char *pasv_address;
	enum aftp_listing_style listing;

	/* In place of the reply to `at` (a verb; NULL = of the greeting), for ever or until the client goes: */
	const char *at;
	bool garbage;       /* bytes that are no FTP, 4 KiB, then silence */
	bool endless_line;  /* a line that never ends */
	bool endless_reply; /* a multi-line reply that never ends */
	bool silence;       /* nothing at all */

	bool split_replies;        /* they leave in pieces of 1 to 3 bytes */
	uint32_t merge_replies_ms; /* they wait so long for others, and leave together */
	uint32_t slow_close_ms;    /* a download's end comes so much later than its last byte */

	/* The first that fits a command counts. */
	const struct aftp_rule *rules;
	size_t nrules;
};

/* Whose behaviour the server shows. Commands that the other lacks are missing, and what it does at odds with others is
 * done; what it has beyond ours is not. */
enum aftp_server_play {
	AFTP_PLAY_MEMFTPD,
	AFTP_PLAY_VSFTPD,    /* 3.0.3 */
	AFTP_PLAY_PROFTPD,   /* 1.3.8 */
	AFTP_PLAY_PURE_FTPD, /* 1.0.50 */
	AFTP_PLAY_PYFTPDLIB, /* 1.5.7 */
	AFTP_PLAY_AIOFTP,    /* 0.21 */
};

struct aftp_server_options {
	struct aftp_vfs *vfs;          /* not owned: outlives the server */
	const struct aftp_user *users; /* copied; none: one anonymous user who may read and write */
	size_t nusers;
	const char *welcome; /* the text of the 220; NULL = that of `play`; may have several lines */
	/* a session without a command (a running transfer is no idleness): 421; 0 = 300000, -1 = none */
	int64_t idle_timeout_ms;
	int64_t data_timeout_ms; /* a transfer command without its data connection: 425; 0 = 10000, -1 = none */
	/* a data connection without progress, replies that are not read: 426, or the end; 0 = 300000, -1 = none */
	int64_t stall_timeout_ms;
	uint32_t max_connections; /* one more gets 421 and is closed; 0 = no limit */
	/* A refused login is answered so much later, and twice that for each further one from the same address within
	 * a minute, up to 16 times; nobody else waits. 0 = 250, -1 = at once. */
	int64_t login_delay_ms;
	int32_t max_login_failures;           /* of a session, which then ends; 0 = 5, -1 = no limit */
	struct aftp_limits limits;            /* all data connections together; replies are never slowed */
	struct aftp_limits connection_limits; /* the data connections of each session */
	/* Passive data connections take the next free port of these (both 0: any that is free); none free gets 425. */
	uint16_t first_port, last_port;
	/* Data connections may come from, and PORT and EPRT may name, other addresses than the client's own. Without
	 * need this lets clients use the server against others. */
	bool foreign_data;
	/* MDTM and the modify fact carry fractions of a second where a file has them */
	bool fractions;
	enum aftp_server_play play;
	/* For AUTH TLS (RFC 4217), and for aftp_server_listen_tls(). NULL: there is no TLS. A reference is taken. */
	struct aftp_tls *tls;
	bool tls_required; /* no login without it (530), and no data connection (522) */
	/* a data connection must resume a session of its control connection (522): so it cannot be anybody else's */
	bool tls_reuse;
	struct aftp_faults faults;  /* copied, strings and all */
	const struct aftp_log *log; /* copied; may be NULL. Commands and replies are WIRE, sessions INFO */
};

/* 0, AFTP_ENOMEM, AFTP_EINVAL (no vfs, an unusable user or option, TLS that is asked for and not there, a base or permissions with a vfs that has no
 * views). */
int aftp_server_new(struct aftp_server **out, uv_loop_t *loop, const struct aftp_server_options *o);

/* Listens on one address (port 0 = any free port); may be called again for further ones, at most 8. 0 or -errno. */
int aftp_server_listen(struct aftp_server *srv, const struct sockaddr *addr);
/* The same; TLS begins with the connection. AFTP_EINVAL without `tls` in the options. */
int aftp_server_listen_tls(struct aftp_server *srv, const struct sockaddr *addr);
uint16_t aftp_server_port(const struct aftp_server *srv); /* of the first listen; 0 before it */
/* likewise; AFTP_ENOTCONN before it */
int aftp_server_local(const struct aftp_server *srv, struct sockaddr_storage *addr);
/* Of the listen number `i`, from 0; `tls` (may be NULL) tells whether it was aftp_server_listen_tls(). AFTP_ENOENT past
 * the last. */
int aftp_server_local_of(const struct aftp_server *srv, size_t i, struct sockaddr_storage *addr, bool *tls);

/* Replaces the faults for what happens from now on; `times` is counted anew. 0, AFTP_ENOMEM, AFTP_EINVAL (the old
 * ones stay). */
int aftp_server_set_faults(struct aftp_server *srv, const struct aftp_faults *faults);

enum aftp_limit_level {
	AFTP_LIMIT_SERVER,
	AFTP_LIMIT_CONNECTION,
	AFTP_LIMIT_USER, /* these two: of the user of that name (NULL: the anonymous one) */
	AFTP_LIMIT_USER_CONNECTION,
};
/* Changes a limit, also of transfers that run. 0, AFTP_ENOENT (no such user), AFTP_EINVAL. */
int aftp_server_set_limits(
	struct aftp_server *srv, enum aftp_limit_level level, const char *user, const struct aftp_limits *limits);

/* Ends every session at once, sets *srv to NULL, then runs `closed` (may be NULL); the memory is gone then. Accepts
 * a pointer to NULL (then `closed` never runs). */
void aftp_server_close(struct aftp_server **srv, void (*closed)(void *arg), void *arg);

/* --- counters ------------------------------------------------------------------------------------- */

struct aftp_server_counters {
	uint64_t sessions; /* accepted since the start, refused ones included */
	uint64_t sessions_now;
	uint64_t refused; /* of them refused with 421 */
	uint64_t logins;
	uint64_t commands; /* lines received, unknown ones included */
	/* Commands that came when the server owed nothing: each is a round trip that a client waited for. What comes
	 * behind it, before its replies have left, belongs to the same turn. */
	uint64_t turns;
	uint64_t unknown;                    /* of them not in the table or switched off */
	uint64_t data_connections;           /* accepted */
	uint64_t bytes_sent, bytes_received; /* on data connections */
};
void aftp_server_counters(const struct aftp_server *srv, struct aftp_server_counters *out);

/* How often a verb was received ("RETR"; XMKD and the like count under their own name); 0 for a verb that the server
 * does not know. */
uint64_t aftp_server_count(const struct aftp_server *srv, const char *verb);

/* Every verb that was received at least once, in alphabetical order. */
typedef void aftp_server_count_cb(void *arg, const char *verb, uint64_t n);
void aftp_server_each_count(const struct aftp_server *srv, aftp_server_count_cb *cb, void *arg);

#endif
