/* client - one logged-in FTP connection: commands, listings, transfers (RFC 959, 2389, 2428, 3659).
 *
 * Commands queue and are pipelined; replies come back in order, one callback each. A command that was sent
 * keeps its reply slot even when its caller lost interest. One transfer at a time: commands issued during
 * a transfer wait until both of its ends have been seen (a final reply and the end of data: the join).
 * A connection that cannot be proven in step with its server is closed, never reused. */
#ifndef AFTP_CLIENT_H
#define AFTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include <aftp/entry.h>
#include <aftp/log.h>
#include <aftp/reply.h>
#include <aftp/throttle.h>
#include <aftp/tls.h>

struct aftp_client;
struct aftp_transfer;

enum aftp_tls_mode {
	AFTP_TLS_OFF,
	AFTP_TLS_TRY,     /* AUTH TLS (RFC 4217); a server that has none gets the password in the clear */
	AFTP_TLS_REQUIRE, /* AUTH TLS, or nothing */
	AFTP_TLS_IMPLICIT /* from the first byte on (no RFC; port 990) */
};

/* Which commands ask for a passive data connection, and in which order. What the server has refused is not asked for
 * again while there is another. */
enum aftp_passive {
	AFTP_PASSIVE_EPSV_PASV, /* EPSV (RFC 2428), then PASV (RFC 959) */
	AFTP_PASSIVE_PASV_EPSV,
	AFTP_PASSIVE_EPSV,
	AFTP_PASSIVE_PASV,
};

enum aftp_proxy_kind { AFTP_PROXY_NONE, AFTP_PROXY_SOCKS5, AFTP_PROXY_HTTP };

/* SOCKS5 (RFC 1928, 1929) or HTTP CONNECT (RFC 9110 section 9.3.6). Control and data connections go through it, and it
 * looks up the server's name. */
struct aftp_proxy {
	enum aftp_proxy_kind kind;
	const char *host;
	uint16_t port;    /* 0 = 1080, or 8080 of HTTP */
	const char *user; /* NULL = no login */
	const char *password;
};

struct aftp_client_options {
	const char *host;                     /* name or address */
	const char *user;                     /* NULL = "anonymous" */
	const char *password;                 /* NULL = "anon@" for anonymous, else "" */
	const char *account;                  /* for ACCT (332); NULL = none: then 332 is AFTP_ELOGIN */
	int64_t connect_timeout_ms;           /* each TCP connect and the greeting; 0 = 30000 */
	int64_t timeout_ms;                   /* silence while something is owed, on either connection; 0 = 60000 */
	uint16_t port;                        /* 0 = 21, or 990 with implicit TLS */
	bool no_epsv;                         /* the same as AFTP_PASSIVE_PASV */
	bool no_mlsd;                         /* LIST at once */
	bool arm;                             /* a data connection is made in advance, while nothing is under way */
	bool no_eprt;                         /* PORT at once, in active mode */
	struct aftp_stream_throttle throttle; /* for data connections; references are taken; may be empty */
	uint64_t read_limit, write_limit;     /* bytes/s of this client's data connections alone; 0 = none */
	const struct aftp_log *log;           /* copied; may be NULL */

	/* The character set of the server's names, in iconv's words ("ISO-8859-1", "CP1251"); NULL = names are bytes and
	 * stay as they are. Else they are UTF-8 in this API: paths that the server has no characters for are -EILSEQ, and a
	 * byte that means nothing in its set is a character from U+F080 to U+F0FF, which turns into that byte again.
	 * The texts of replies stay as they were sent. */
	const char *encoding;
	enum aftp_passive passive;

	/* A parser of one's own for the lines of LIST, before ours, or (list_parser_last) for what ours do not know. */
	aftp_line_parser *list_parser;
	void *list_parser_arg;
	bool list_parser_last;

	enum aftp_tls_mode tls_mode;
	bool prot_clear;      /* data connections in the clear (PROT C, RFC 4217 section 9) */
	struct aftp_tls *tls; /* a client's settings, needed unless the mode is OFF; a reference is taken */

	struct aftp_proxy proxy;

	/* Active mode: the server connects to us (EPRT, RFC 2428; else PORT, RFC 959). Not through a proxy. */
	bool active;
	const char *active_address;                /* what the server is told; NULL = ours on the control connection */
	uint16_t active_port_min, active_port_max; /* where to listen; 0 = any port */
};

/* Does a server do one command after the other, even during a transfer? Learned from its greeting, or with PWD behind a first
 * transfer. */
enum aftp_order { AFTP_ORDER_UNKNOWN, AFTP_ORDER_YES, AFTP_ORDER_NO };

/* How a server took USER and PASS on an earlier connection: with 331 and 230, in the clear or under TLS. Then the next one may
 * send both at once, and what comes behind, as long as nothing about TLS is different. Else step by step. */
enum aftp_login { AFTP_LOGIN_UNKNOWN, AFTP_LOGIN_CLEAR, AFTP_LOGIN_TLS, AFTP_LOGIN_STEPS };

/* What FEAT and experience have told. */
struct aftp_features {
	bool feat; /* FEAT was answered */
	bool mlst, mdtm, size, rest_stream, epsv, utf8, mfmt, mff, tvfs, rang, hash, clnt, auth_tls;
	bool no_epsv, no_pasv;                   /* refused once; not tried again on this connection */
	bool no_mlsd, no_mlst, no_size, no_mdtm; /* the same */
	bool mlst_vague;                         /* MLST refuses and does not say why */
	bool no_list_all;                        /* `LIST -a` was refused where LIST was not */
	bool no_eprt;
	bool no_rang;
	bool no_arm; /* data connections that are made in advance do not last */
	enum aftp_order downloads_in_order;
	enum aftp_login login; /* STEPS: also when a login at once went wrong */
	bool in_order;         /* it does one thing after the other, uploads too (from its greeting: vsFTPd) */
	bool answers_one;   /* of what comes during an upload it answers the first, and the rest behind it: ProFTPD */
	bool waits_for_end; /* a download's 226 comes only when we have ended the data connection too: ProFTPD */
	bool stat_lists;    /* STAT lists directories as LIST does (from its greeting: vsFTPd) */
	bool no_stat_lists; /* it did not, once */
	bool data_works;    /* a data connection was made; before that, no command is sent until it stands */
	/* Of a listing that is cut short it sends the rest in front of the next one, and a CWD that it refuses takes a
	 * tenth of a second longer than the one before, until one succeeds. */
	bool pure_ftpd;
	bool tls_at_once;     /* it wants TLS on a data connection before it says 150 */
	bool tls_resumes;     /* the server has let a data connection resume a session */
	unsigned tls_ends;    /* kinds of transfers whose end it tells to TLS: one that does not is then cut off */
	unsigned tls_refused; /* data connections that it refused for want of that; from 2 on, TLS 1.2 is tried */
	unsigned alters;      /* bits: what it does to names before it looks at them (from its greeting) */
	char mlst_facts[160]; /* the facts list as sent, "" when none */
	char system[64];      /* SYST's answer when it was asked, else "" */
};

/* All strings are copied. */
int aftp_client_new(struct aftp_client **out, uv_loop_t *loop, const struct aftp_client_options *o);

/* Name lookup, TCP (each address in turn), greeting (220, after any 120), USER/PASS/ACCT (230 at once, 232, 202
 * accepted), FEAT, OPTS UTF8 ON when offered, TYPE I. FEAT knowledge of an earlier connection to the same server may be
 * given with aftp_client_assume() before, and saves its round trip, and those of the login (aftp_login); an idle connection
 * may be told later, too. Failures: AFTP_ERESOLVE, -ECONNREFUSED,
 * AFTP_ETIMEDOUT, AFTP_ELOGIN, AFTP_ETOOMANY (421, or a 530 whose text says so), AFTP_EPROTO, ... After a failure only
 * close may be called. */
typedef void aftp_client_cb(void *arg, int status);
int aftp_client_connect(struct aftp_client *c, aftp_client_cb *cb, void *arg);
void aftp_client_assume(struct aftp_client *c, const struct aftp_features *f);

/* Called at most once, when an established connection is lost with or without anything under way (EOF, 421, reset, out
 * of step). What is under way has got its callback before. After it only close may be called. */
void aftp_client_on_lost(struct aftp_client *c, aftp_client_cb *cb, void *arg);

bool aftp_client_alive(const struct aftp_client *c); /* logged in and in step */
bool aftp_client_idle(const struct aftp_client *c);  /* alive, nothing queued, owed or transferring */
bool aftp_client_armed(const struct aftp_client
		*c); /* alive, and a data connection stands: a transfer's first byte is one round trip away */
const struct aftp_features *aftp_client_features(const struct aftp_client *c);
/* The server's words (or the system's) for the latest failure: one line, "" when none. Valid until the next call. */
const char *aftp_client_error(const struct aftp_client *c);

/* Cancels whatever is under way (their callbacks run with AFTP_ECANCELED), closes, sets *c to NULL, then runs `closed`
 * (may be NULL). aftp_client_quit() says QUIT first and waits at most a second for its 221. */
void aftp_client_close(struct aftp_client **c, void (*closed)(void *arg), void *arg);
void aftp_client_quit(struct aftp_client **c, void (*closed)(void *arg), void *arg);

/* --- commands ------------------------------------------------------------------------------------- */

/* status 0: `r` is the final reply (any code; 1xx ones before it are skipped), valid during the call. status < 0: r is
 * NULL. */
typedef void aftp_reply_cb(void *arg, int status, const struct aftp_reply *r);

/* Queues one command. Several queued in one loop turn leave in one segment. < 0: AFTP_EBADNAME, -EILSEQ (see
 * aftp_client_options), AFTP_ENOTCONN, AFTP_ETOOBIG (too many queued), AFTP_ENOMEM. Not for commands that open a data
 * connection. Before the connection is ready, and before aftp_client_connect(), too: then it leaves with the first segment
 * behind the login, and nobody looks whether this server alters its argument. */
int aftp_client_command(struct aftp_client *c, aftp_reply_cb *cb, void *arg, const char *verb, const char *argument);

/* What the server sent (the text of a reply, say) in UTF-8: see `encoding`. A copy, to be freed; NULL: no memory. */
char *aftp_client_decode(const struct aftp_client *c, const char *text);

/* Can the server be told this path? AFTP_EBADNAME also for a path that this server would take for another one (it
 * replaces control characters, say); all calls below refuse such a path. 0, AFTP_EBADNAME, AFTP_ETOOBIG (too long for a
 * command), AFTP_ENOMEM, -EILSEQ. */
int aftp_client_check_path(const struct aftp_client *c, const char *path);

/* --- stat ----------------------------------------------------------------------------------------- */

/* MLST where the server has it (RFC 3659), else SIZE and MDTM together, and CWD where those do not tell (a directory). The
 * entry's name is the one asked for. Statuses: 0; AFTP_ENOENT only when the server's words say so; AFTP_EACCES;
 * AFTP_EREPLY when it refused without saying why; network errors. */
typedef void aftp_stat_cb(void *arg, int status, const struct aftp_entry *e);
int aftp_client_stat(struct aftp_client *c, const char *path, aftp_stat_cb *cb, void *arg);
/* The same of what a link leads to: MLST may tell of the link itself, so SIZE, MDTM and CWD are asked. */
int aftp_client_stat_target(struct aftp_client *c, const char *path, aftp_stat_cb *cb, void *arg);

/* --- transfers ------------------------------------------------------------------------------------ */

struct aftp_transfer_result {
	uint64_t bytes;      /* moved on the data connection */
	bool accepted;       /* of an upload: the server had said 1xx to it */
	int code;            /* the final reply's code, 0 when none came */
	const char *message; /* its text, "" when none; valid during the call */
};

/* The end of a transfer, exactly once. 0: both ends agree. AFTP_ECANCELED after a cancel (the connection is in step
 * again, or lost). AFTP_EREPLY and the path errors of aftp_reply_error(): the server refused, and result says how. */
typedef void aftp_transfer_cb(void *arg, int status, const struct aftp_transfer_result *result);

/* RETR with REST when offset > 0. Bytes land in memory that `lend` gives (see aftp_stream_lend: NULL pauses); `data`
 * tells how many came. Both may pause, resume or cancel the transfer. `started` (may be NULL) runs when the server has
 * accepted (1xx), with the size its text tells or UINT64_MAX.
 *
 * `until`, unless 0: the offset of the first byte that is not wanted, within the file. Servers with RANG
 * (draft-bryan-ftp-range) end there; aftp_client_ranges() tells. Elsewhere the transfer goes on, for the caller to cancel. One
 * that refuses RANG after all ends it with AFTP_EBUSY, and will not be asked again. */
struct aftp_sink {
	char *(*lend)(void *arg, size_t *len);
	void (*data)(void *arg, size_t n);
	void (*started)(void *arg, uint64_t size);
	aftp_transfer_cb *done;
	void *arg;
	bool brief; /* little is left of the file: what makes the end come sooner may be done */
	uint64_t until;
};
bool aftp_client_ranges(const struct aftp_client *c);
int aftp_client_retrieve(struct aftp_client *c, struct aftp_transfer **out, const char *path, uint64_t offset,
	const struct aftp_sink *sink);

/* STOR or APPE (with REST when offset > 0). `ready` runs when the server wants data and after each chunk: answer with
 * aftp_transfer_write() or aftp_transfer_finish().
 *
 * `early`: where the server is known to do one thing after the other (aftp_client_options::arm), the first bytes leave behind
 * the command, before the server has said that it wants them. `ready` then tells nothing about that;
 * aftp_transfer_result::accepted does. When they went to a data connection that stood in advance and was dead, the transfer
 * begins again by itself, with the same bytes. */
struct aftp_source {
	void (*ready)(void *arg);
	aftp_transfer_cb *done;
	void *arg;
	bool early;
};
enum aftp_store { AFTP_STORE, AFTP_APPEND };
int aftp_client_store(struct aftp_client *c, struct aftp_transfer **out, enum aftp_store how, const char *path,
	uint64_t offset, const struct aftp_source *source);
int aftp_transfer_write(struct aftp_transfer *t, const char *data,
	size_t n); /* memory is lent until the next ready or done; AFTP_EBUSY before ready */
int aftp_transfer_finish(struct aftp_transfer *t); /* end of data: half-close, then the final reply */
/* A question about the same path (SIZE, MDTM or MLST) that leaves right behind the end of the data, and so saves a
 * round trip; only after aftp_transfer_finish(). Its callback is as that of aftp_client_command(), and runs at any time
 * from then on, before or after done. AFTP_EBUSY: the server did not take one thing after the other, and its answer
 * would say nothing about the finished upload; ask again. (aftp_features::answers_one: ask twice at once.) */
int aftp_transfer_follow(struct aftp_transfer *t, aftp_reply_cb *cb, void *arg, const char *verb);

/* After a NULL from lend: ask again (later in the loop). */
void aftp_transfer_resume(struct aftp_transfer *t);

/* Stops early: closes the data connection, takes the server's word for it, proves the connection in step (or closes
 * it), then done(AFTP_ECANCELED). `t` is valid until done. A second cancel is ignored. */
void aftp_transfer_cancel(struct aftp_transfer *t);
uint64_t aftp_transfer_bytes(const struct aftp_transfer *t);

/* --- listings ------------------------------------------------------------------------------------- */

struct aftp_list_result {
	uint64_t entries; /* handed over */
	uint64_t unknown; /* lines no dialect knows: when > 0 the listing has holes */
	bool truncated;   /* the server said that it cut the listing, or it ends in the middle of a line */
	enum aftp_listing_kind kind;
	const char *message; /* the final reply's text; valid during the call */
};
typedef void aftp_list_cb(void *arg, int status, const struct aftp_list_result *result);

/* MLSD path, or where the server has none: LIST -a path when the path is safe to send so, else CWD and LIST -a (see
 * command_list_safe). "." and ".." are handed over, marked. Entries come while the data flows. Callbacks: entry any
 * number of times (non-zero stops the listing with that status), done once. */
int aftp_client_list(struct aftp_client *c, struct aftp_transfer **out, const char *path, aftp_entry_cb *entry,
	aftp_list_cb *done, void *arg);

/* The same for a directory that is thought to be small. Where the server is known to list as well over the control connection
 * (STAT), it does: that costs one round trip and no data connection, but a cancelled listing still comes to its end. */
int aftp_client_list_small(struct aftp_client *c, struct aftp_transfer **out, const char *path, aftp_entry_cb *entry,
	aftp_list_cb *done, void *arg);

/* The same, but LIST even where the server has MLSD: it tells where a symbolic link points, and many servers' MLSD does
 * not. Of a file it is -ENOTDIR, as there. */
int aftp_client_list_plain(struct aftp_client *c, struct aftp_transfer **out, const char *path, aftp_entry_cb *entry,
	aftp_list_cb *done, void *arg);

/* From now on MLSD and MLST tell type, size, time and mode alone (ProFTPD's lines are then a third as long), or again all
 * that they did. Leaves ahead of what is asked next, and takes no time; nothing is sent where little would be gained, or
 * nothing changed. 0, or as aftp_client_command(). */
int aftp_client_few_facts(struct aftp_client *c, bool few);

#endif
