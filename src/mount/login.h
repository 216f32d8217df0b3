/* login - who we are to the server: the user, password and account out of all the places that can tell.
 *
 * The first that knows wins: -o user=, password=; the credentials file; the URL; ~/.netrc; for a user without a
 * password the terminal. Without any user the login is anonymous. Runs first of all, while there is a terminal. */
#ifndef MOUNT_LOGIN_H
#define MOUNT_LOGIN_H

#include <stddef.h>

#include "mount/options.h"

/* Fills o->user, o->password and o->account (all NULL: anonymous).
 * 0, or < 0 with one line in `why`. `warning` gets one line for the user, or "". */
int login_find(struct options *o, char *why, size_t why_size, char *warning, size_t warning_size);

#endif
