/* users - who may log in (a copy of the options'), with what, and what they may do where. Pure. */
#ifndef SERVER_USERS_H
#define SERVER_USERS_H

#include <aftp/server.h>
#include <aftp/throttle.h>
#include <stdbool.h>
#include <stddef.h>

struct user {
	struct aftp_user set;
	unsigned connections;               /* logged in now */
	struct aftp_vfs *view;              /* the server's to open and to close; NULL: the whole vfs */
	struct aftp_stream_throttle shared; /* likewise */
};

struct users {
	struct user *list;
	size_t count;
};

/* No users: one anonymous one who may do everything. 0, AFTP_EINVAL (a name twice, empty, or with a blank or control
 * byte; a path that is not absolute, or permissions twice for one), AFTP_ENOMEM. */
int users_init(struct users *u, const struct aftp_user *list, size_t count);
void users_finish(struct users *u); /* accepts a zeroed value */

struct user *users_find(const struct users *u, const char *login); /* who logs in so; or NULL */
struct user *users_named(const struct users *u, const char *name); /* NULL: the anonymous one; or NULL */
bool users_needs_password(const struct user *user);
/* user may be NULL: false, in the same time */
bool users_check_password(const struct user *user, const char *password);
bool users_check_account(const struct user *user, const char *account);

/* Paths are normal, and as the user sees them. */
unsigned users_may(const struct user *user, const char *path);
/* As struct aftp_vfs_guard; arg is a struct user. Without permissions, 0 is always allowed. */
bool users_allow(void *user, const char *path, unsigned need, bool tree);
bool users_move(void *user, const char *from, const char *to);

#endif
