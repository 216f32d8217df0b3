/* session_kit - a session in a loop of its own, on the library's server or a scripted one, with calls that wait.
 *
 * Every call checks the async contract: no callback from inside the call, and each exactly once. */
#ifndef TESTS_SESSION_KIT_H
#define TESTS_SESSION_KIT_H

#include <aftp/data.h>
#include <aftp/session.h>
#include <aftp/status.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "lib/scripted.h"
#include "lib/testd.h"

struct session_kit {
	uv_loop_t loop;
	struct testd d; /* when not scripted */
	struct scripted server;
	bool scripted;
	struct aftp_client_options o;
	struct aftp_session *s;
	char folder[256]; /* an empty local one, when asked for */
};

/* A connected session. `so` and `o` may be NULL; host and port are set here. */
void session_kit_begin(
	struct session_kit *k, const struct aftp_server_options *so, const struct aftp_client_options *o);
void session_kit_begin_scripted(struct session_kit *k, const struct step *script);
/* All of it. Fails the test when something is left on a loop, or the scripted server had trouble. */
void session_kit_end(struct session_kit *k);
/* Closes the session, and leaves the rest. */
void session_kit_close(struct session_kit *k);

/* The connection is in step: PWD is answered by 257, and nothing is under way. */
void session_kit_check(struct session_kit *k);

/* --- callbacks that wait --------------------------------------------------------------------------- */

struct waited {
	uv_loop_t *loop;
	bool over;
	unsigned calls;
	int status;
	int code;       /* of a reply */
	char text[512]; /* of a reply; a path */
	struct aftp_entry entry;
	struct aftp_walk_result walk;
	struct aftp_copy_result copy;
	char path[512];   /* of walk or copy */
	char names[8192]; /* of walk: " /path" each, folders end in '/'; of items: " from>to=status" */
	int answer;       /* of walk and item callbacks, at the answer_at-th call */
	unsigned answer_at, entries;
	struct aftp_op *op;
	unsigned cancel_at; /* cancels `op` at this entry or item */
	char *buf;
	const char *data; /* of a read: to be compared, not looked at */
	ssize_t n;
	char line[512];
};

void waited_op(void *arg, int status);
void waited_reply(void *arg, int status, const struct aftp_reply *r);
void waited_path(void *arg, int status, const char *path);
void waited_stat(void *arg, int status, const struct aftp_entry *e);
int waited_entry(void *arg, const char *path, const struct aftp_entry *e);
void waited_walk(void *arg, int status, const struct aftp_walk_result *r);
int waited_item(void *arg, const char *from, const char *to, int status);
void waited_copy(void *arg, int status, const struct aftp_copy_result *r);
void waited_read(void *arg, ssize_t n, const char *data);
void waited_finish(void *arg, int status, int code, const char *message);
void waited_flag(void *arg); /* closed */

/* rc: of the call. Waits for the callback, which comes once; the status. A failed call is its own status. */
int waited_for(struct session_kit *k, struct waited *w, int rc);

/* --- calls that wait ------------------------------------------------------------------------------ */

int session_kit_command(struct session_kit *k, const char *verb, const char *argument, const char *expected, int *code);
int session_kit_list(struct session_kit *k, struct waited *w, const char *path, unsigned flags);
int session_kit_exists(struct session_kit *k, const char *path);
int session_kit_mkdir(struct session_kit *k, const char *path, unsigned flags);
int session_kit_remove(struct session_kit *k, const char *path, unsigned flags);
int session_kit_rename(struct session_kit *k, const char *from, const char *to);
int session_kit_download(struct session_kit *k, struct waited *w, const char *from, const char *to, unsigned flags);
int session_kit_upload(struct session_kit *k, struct waited *w, const char *from, const char *to, unsigned flags);
ssize_t session_kit_read(struct session_kit *k, struct aftp_data *d, void *buf, size_t cap);
int session_kit_finish(struct session_kit *k, struct aftp_data *d, const char *expected, const char *wait, int *code);
void session_kit_close_data(struct session_kit *k, struct aftp_data **d);

/* --- what is on the server, and here -------------------------------------------------------------- */

/* The server's file is `data`; NULL: there is none. */
void session_kit_assert_remote(struct session_kit *k, const char *path, const void *data, size_t n);
void session_kit_symlink(struct session_kit *k, const char *target, const char *path);
void session_kit_set_mtime(struct session_kit *k, const char *path, int64_t sec);
void session_kit_chmod(struct session_kit *k, const char *path, uint32_t mode);
int64_t session_kit_mtime(struct session_kit *k, const char *path);

/* Below k->folder, which the first call makes. */
const char *session_kit_local(struct session_kit *k, const char *name, char *path, size_t size);
void session_kit_put_local(struct session_kit *k, const char *name, const void *data, size_t n);    /* parents too */
void session_kit_assert_local(struct session_kit *k, const char *name, const void *data, size_t n); /* NULL: none */

#endif
