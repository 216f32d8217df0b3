/* session - a client with the operations that programs want: look, make, remove, and copy files and whole trees.
 *
 * Everything here is made of the commands and transfers of client.h, and queues behind each other there: operations
 * may be asked for at once by several callers. Each is an aftp_op while it is under way. What fails, fails alone: the
 * session is usable for the next command, or the connection is lost and every call says AFTP_ENOTCONN.
 *
 * Paths on the server are bytes, absolute or relative to the server's working directory. Symbolic links are never
 * followed by what walks a tree. Names come from the server and are not trusted: one that is empty, is "." or "..",
 * or has a '/' or a NUL in it never becomes part of a path.
 *
 * The async contract is the one in status.h. */
#ifndef AFTP_SESSION_H
#define AFTP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include <aftp/client.h>
#include <aftp/entry.h>
#include <aftp/reply.h>

struct aftp_session;

/* An operation under way: valid from the call that gave it to the end of its last callback. Where a call gives one,
 * `out` may be NULL. */
struct aftp_op;

/* The end of an operation: 0, or a status; some calls answer more than 0. */
typedef void aftp_op_cb(void *arg, int status);

/* Stops an operation. Its callback runs with AFTP_ECANCELED when nothing of it is under way any more: no file is open,
 * no memory lent, and the connection in step or lost. That takes no longer than the client's time limit. The second
 * time it has no effect. */
void aftp_op_cancel(struct aftp_op *op);
/* Bytes of files moved so far by a download or an upload; for status displays. */
uint64_t aftp_op_bytes(const struct aftp_op *op);

/* --- birth and end -------------------------------------------------------------------------------- */

/* A session with a client of its own; the options are the client's. As aftp_client_new(). */
int aftp_session_new(struct aftp_session **out, uv_loop_t *loop, const struct aftp_client_options *o);
int aftp_session_connect(struct aftp_session *s, aftp_client_cb *cb, void *arg); /* as aftp_client_connect() */

/* The session's client, for what is only there (features, error texts, aftp_client_on_lost()). It is closed by the
 * session alone. */
struct aftp_client *aftp_session_client(const struct aftp_session *s);

/* Cancels all that is under way, closes the connection (quit: says QUIT first), sets *s to NULL, and runs `closed` (may
 * be NULL) when every other callback has run. The session's streams are over then, and remain to be closed. Accepts
 * a pointer to NULL (then `closed` never runs). */
void aftp_session_close(struct aftp_session **s, void (*closed)(void *arg), void *arg);
void aftp_session_quit(struct aftp_session **s, void (*closed)(void *arg), void *arg);

/* Cancels every operation and every stream of the session. The callback gets 0 when the connection is in step again.
 * With nothing under way it is ABOR (RFC 959 section 4.1.3), and AFTP_EREPLY when the server does not answer 2xx. */
int aftp_session_abort(struct aftp_session *s, struct aftp_op **out, aftp_op_cb *done, void *arg);

/* --- commands ------------------------------------------------------------------------------------- */

/* Any command that opens no data connection. 0: the final reply's code matches `expected` (masks as in
 * aftp_code_match(); NULL = "2xx"); AFTP_EREPLY: it does not. `r` is the reply in both cases, valid during the call,
 * and NULL for every other status. 1xx replies are passed over. */
int aftp_session_command(struct aftp_session *s, struct aftp_op **out, const char *verb, const char *argument,
	const char *expected, aftp_reply_cb *done, void *arg);

/* PWD (RFC 959 section 4.1.3 and appendix II); `path` is valid during the call, NULL when status < 0. AFTP_EPROTO: a
 * 257 without a quoted path. */
typedef void aftp_path_cb(void *arg, int status, const char *path);
int aftp_session_pwd(struct aftp_session *s, struct aftp_op **out, aftp_path_cb *done, void *arg);

/* CWD; CDUP for ".." (RFC 959 section 4.1.1). What is under way with relative paths should be over before. */
int aftp_session_cwd(struct aftp_session *s, struct aftp_op **out, const char *path, aftp_op_cb *done, void *arg);

/* RNFR and RNTO (RFC 959 section 4.1.3), with nothing between them. Whether an existing `to` is replaced is the
 * server's decision. */
int aftp_session_rename(
	struct aftp_session *s, struct aftp_op **out, const char *from, const char *to, aftp_op_cb *done, void *arg);

/* --- looking -------------------------------------------------------------------------------------- */

/* aftp_client_stat(), and where that finds no clear answer, the parent's listing: an entry there is the answer; that
 * a complete one has none is AFTP_ENOENT. */
int aftp_session_stat(struct aftp_session *s, struct aftp_op **out, const char *path, aftp_stat_cb *done, void *arg);

/* 1: yes; 0: no; < 0: it could not be found out. What does not exist is neither a file nor a folder. A symbolic link is
 * followed as far as the server does it. */
int aftp_session_exists(struct aftp_session *s, struct aftp_op **out, const char *path, aftp_op_cb *done, void *arg);
int aftp_session_is_file(struct aftp_session *s, struct aftp_op **out, const char *path, aftp_op_cb *done, void *arg);
int aftp_session_is_dir(struct aftp_session *s, struct aftp_op **out, const char *path, aftp_op_cb *done, void *arg);

enum {
	AFTP_RECURSIVE = 1 << 0,
	AFTP_PARENTS = 1 << 1,    /* make the missing parents */
	AFTP_KEEP_GOING = 1 << 2, /* a failure is remembered, and the rest is done all the same */
	AFTP_PLAIN_LIST = 1 << 3, /* LIST, even where the server has MLSD: it tells where a link points */
	/* copying */
	AFTP_INTO = 1 << 4,       /* `to` is the folder to put it into, under its own name */
	AFTP_RESUME = 1 << 5,     /* go on where an earlier copy stopped, by REST (RFC 3659 section 5) */
	AFTP_KEEP_TIMES = 1 << 6, /* the copy of a file gets its modification time */
	AFTP_APPENDED = 1 << 7,   /* upload of a file: behind what is there, by APPE */
};

/* Each entry, "." and ".." left out; `path` is the folder's with the name behind it. Valid during the call. Non-zero
 * stops the listing with that status. */
typedef int aftp_walk_cb(void *arg, const char *path, const struct aftp_entry *e);

struct aftp_walk_result {
	uint64_t entries; /* handed over */
	uint64_t folders; /* listed to their end */
	uint64_t unknown; /* lines that no dialect knows, and names that cannot be: the listing has holes */
	bool truncated;   /* the server said that it cut a listing */
	uint64_t failed;  /* with AFTP_KEEP_GOING: folders that could not be listed */
	const char *path; /* the folder that failed first, else ""; valid during the call */
};
typedef void aftp_walk_done_cb(void *arg, int status, const struct aftp_walk_result *result);

/* A folder, by MLSD (RFC 3659 section 7) or LIST; AFTP_RECURSIVE: and all below it, one folder after the other, those
 * nearer to `path` first. Of a file: -ENOTDIR. Flags: RECURSIVE, KEEP_GOING, PLAIN_LIST. -ELOOP: too deep. */
int aftp_session_list(struct aftp_session *s, struct aftp_op **out, const char *path, unsigned flags,
	aftp_walk_cb *entry, aftp_walk_done_cb *done, void *arg);

/* --- making and removing -------------------------------------------------------------------------- */

/* MKD (RFC 959 section 4.1.3). -EEXIST: something is there. AFTP_PARENTS: its parents too, and a folder that is there
 * already is fine. */
int aftp_session_mkdir(
	struct aftp_session *s, struct aftp_op **out, const char *path, unsigned flags, aftp_op_cb *done, void *arg);

/* By DELE and RMD (RFC 959 section 4.1.3): a file, a link (the link itself) or an empty folder; AFTP_RECURSIVE: a
 * folder and all below it. A folder that might be a link to another one is not entered. AFTP_ENOENT: nothing is there.
 * Flags: RECURSIVE, KEEP_GOING. */
int aftp_session_remove(
	struct aftp_session *s, struct aftp_op **out, const char *path, unsigned flags, aftp_op_cb *done, void *arg);

/* --- copying -------------------------------------------------------------------------------------- */

enum aftp_copied {
	AFTP_COPIED,
	AFTP_COPY_SAME,    /* with AFTP_RESUME: it was complete already */
	AFTP_COPY_SKIPPED, /* a link, or neither file nor folder */
};

/* A file or a folder is done: an enum aftp_copied, or the status that it failed with (AFTP_EINCOMPLETE of a folder: its
 * listing has holes). Return 0 to go on, anything else to stop with that. Without this callback the first failure
 * stops everything, unless AFTP_KEEP_GOING. */
typedef int aftp_copy_item_cb(void *arg, const char *from, const char *to, int status);

struct aftp_copy_result {
	uint64_t files, folders; /* copied, or there already */
	uint64_t bytes;          /* moved */
	uint64_t skipped, failed;
	uint64_t untimed; /* with AFTP_KEEP_TIMES: files that could not be given their time */
	const char *path; /* on the side it comes from, what failed first; else "". Valid during the call */
};
typedef void aftp_copy_cb(void *arg, int status, const struct aftp_copy_result *result);

/* `from` becomes `to`, a file or a whole folder; AFTP_INTO: `to`/NAME, where NAME is the last part of `from`. A folder
 * that is there already is added to. The status is that of the first failure.
 *
 * download: a local file is opened, and an old one cut, only when the server has agreed to send. Below `to` nothing is
 * written through a symbolic link, and nothing outside. A file is complete when the transfer's two ends agree and its
 * size is the one that the server tells; AFTP_ESHORT or AFTP_ECHANGED otherwise. What is there of an unfinished file
 * stays, for AFTP_RESUME, which goes on behind it unless the server's is newer or shorter.
 *
 * upload: the server's SIZE (RFC 3659 section 4) is compared, where it has one (AFTP_ESHORT). AFTP_KEEP_TIMES is MFMT,
 * else MDTM with a time.
 *
 * Flags: INTO, PARENTS, RESUME, KEEP_TIMES, KEEP_GOING; upload of one file: APPENDED. `item` may be NULL. */
int aftp_session_download(struct aftp_session *s, struct aftp_op **out, const char *from, const char *to,
	unsigned flags, aftp_copy_item_cb *item, aftp_copy_cb *done, void *arg);
int aftp_session_upload(struct aftp_session *s, struct aftp_op **out, const char *from, const char *to, unsigned flags,
	aftp_copy_item_cb *item, aftp_copy_cb *done, void *arg);

#endif
