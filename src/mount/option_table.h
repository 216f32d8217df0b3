/* option_table - every word that -o takes, as data. */
#ifndef MOUNT_OPTION_TABLE_H
#define MOUNT_OPTION_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_type {
	OPTION_FLAG,     /* bool; name, name=yes, name=no */
	OPTION_NOT,      /* the same, and means the opposite */
	OPTION_COUNT,    /* int64_t */
	OPTION_DURATION, /* int64_t, milliseconds */
	OPTION_BYTES,    /* int64_t */
	OPTION_OCTAL,    /* int64_t */
	OPTION_UID,      /* int64_t */
	OPTION_GID,      /* int64_t */
	OPTION_TEXT,     /* char *; with `min` 1 the value may be missing, and then nothing is set */
	OPTION_SECRET,   /* char *, wiped from argv */
	OPTION_USER,     /* user=NAME[:PASSWORD] is a login; `user` alone is a word of mount(8) */
	OPTION_LEVEL,    /* enum aftp_log_level */
	OPTION_SET,      /* int64_t, set to `min`; name=no changes nothing */
	OPTION_TLS,      /* int64_t: enum options_tls; without a value it is required */
	OPTION_AHEAD,    /* int64_t: enum site_lookahead */
	OPTION_VERSION,  /* int64_t: enum aftp_tls_version */
	OPTION_PORTS,    /* int64_t[2] */
	OPTION_PROXY,    /* char *, a secret; `min` is the kind when the value does not say */
	OPTION_UNLESS,   /* name=no sets an int64_t to `min`; name and name=yes change nothing */
	OPTION_FUSE,     /* passed on to libfuse as it is */
	OPTION_IGNORE,   /* swallowed, with or without a value */
	OPTION_WARN,     /* the same, and said so; help says why */
	OPTION_REFUSE,   /* known, but not possible; help says why */
};

struct option_row {
	const char *name;
	enum option_type type;
	const char *value; /* what stands behind '=' in the help; NULL = nothing */
	size_t offset;     /* in struct options */
	int64_t min, max;
	const char *help; /* NULL = not shown */
};

/* The row for the word key[0..len); '-' and '_' are the same. NULL when it is unknown. */
const struct option_row *option_table_find(const char *key, size_t len);

/* One line for each row that is shown. */
void option_table_print(FILE *to);

#endif
