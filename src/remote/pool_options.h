/* pool_options - what a pool's connections are made with, kept as its own. */
#ifndef REMOTE_POOL_OPTIONS_H
#define REMOTE_POOL_OPTIONS_H

#include "remote/pool.h"

/* Strings are copied and references taken; the log stays the caller's. `to` is ended with pool_options_finish(), also
 * after AFTP_ENOMEM. */
int pool_options_copy(struct pool_options *to, const struct pool_options *from);
void pool_options_finish(struct pool_options *o); /* wipes the strings */

#endif
