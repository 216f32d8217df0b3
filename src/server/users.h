/* users - who may log in (a copy of the options'), and with what. Pure. */
#ifndef SERVER_USERS_H
#define SERVER_USERS_H

#include <aftp/server.h>
#include <stdbool.h>
#include <stddef.h>

struct users {
	struct aftp_user *list;
	size_t count;
};

/* No users: one anonymous one who may do everything. 0, AFTP_EINVAL (a name twice, empty, or with a blank or control
 * byte), AFTP_ENOMEM. */
int users_init(struct users *u, const struct aftp_user *list, size_t count);
void users_finish(struct users *u); /* accepts a zeroed value */

const struct aftp_user *users_find(const struct users *u, const char *login); /* or NULL */
bool users_needs_password(const struct aftp_user *user);
/* user may be NULL: false, in the same time */
bool users_check_password(const struct aftp_user *user, const char *password);
bool users_check_account(const struct aftp_user *user, const char *account);

#endif
