/* options_users - the options about users: who there is, what they may do where, how often, and how fast all are. */
#ifndef MEMFTPD_OPTIONS_USERS_H
#define MEMFTPD_OPTIONS_USERS_H

#include "memftpd/options.h"

/* Of options.c: one line on stderr, and -1; digits with K, M or G behind them, 0 or -1. */
int complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int parse_number(const char *text, uint64_t *out);
/* Each line of a file; blank ones and those that begin with '#' are passed over. 0, or -1 after complaining. */
int load_lines(struct options *o, const char *path, int (*add)(struct options *o, const char *line));

int parse_may(const char *text, unsigned *may); /* "rw" or "ro" */
/* "IN:OUT", or one number for both. */
int parse_limits(const char *option, const char *text, struct aftp_limits *out);

/* Handlers of rows: 0, or -1 after complaining. The user of a NAME has been named before. */
int add_user(struct options *o, const char *value);
int add_anonymous(struct options *o, const char *value);
int set_home(struct options *o, const char *value);
int set_base(struct options *o, const char *value);
int add_permission(struct options *o, const char *value);
int set_user_max(struct options *o, const char *value);
int set_limit(struct options *o, const char *value);
int set_connection_limit(struct options *o, const char *value);
int set_user_limit(struct options *o, const char *value);
int set_user_connection_limit(struct options *o, const char *value);
int set_limits(struct options *o, const char *path); /* the four above, as lines of a file */

void options_users_finish(struct options *o);

#endif
