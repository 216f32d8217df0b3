/* netrc - the login for a host out of the text of a ~/.netrc, as ftp(1) and curl read it.
 *
 * Tokens are separated by blanks and line ends: machine NAME, default, login NAME, password TEXT, account TEXT, and
 * macdef NAME, whose lines up to an empty one are skipped. A token may be quoted with "...", where \ takes the next
 * character as it is. '#' at the start of a token outside of a value begins a comment. */
#ifndef MOUNT_NETRC_H
#define MOUNT_NETRC_H

#include <stddef.h>

struct netrc_login {
	char *login, *password, *account; /* NULL = the entry has none */
};

/* The first entry that fits: its machine is `host` (or it is the default one), and, when `user` is not NULL, it has
 * that login or none. 1 and *out filled, which the caller ends with netrc_login_finish(); 0 when nothing fits;
 * AFTP_ENOMEM; AFTP_EPROTO when a quote is not closed. */
int netrc_find(struct netrc_login *out, const char *text, size_t len, const char *host, const char *user);

void netrc_login_finish(struct netrc_login *l); /* accepts a zeroed value */

#endif
