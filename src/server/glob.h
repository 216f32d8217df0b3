/* glob - the first entry of a directory that fits a pattern. */
#ifndef SERVER_GLOB_H
#define SERVER_GLOB_H

#include <stdbool.h>
#include <stddef.h>

struct session;

/* `name` is NULL when none fits, or when status < 0; valid during the call. Runs also when the session has died. */
typedef void glob_cb(void *arg, int status, const char *name);
/* Holds the session. 0, AFTP_ENOMEM, -errno. */
int glob_first(struct session *s, const char *dir, const char *pattern, glob_cb *cb, void *arg);

/* Has it characters of `magic`? */
bool glob_is_pattern(const char *text, const char *magic);
/* Without the backslashes that protect what follows them. */
void glob_unescape(char *text);
/* The same pattern for fnmatch(3), with the characters of `plain` meaning themselves. False when it does not fit. */
bool glob_protect(const char *text, const char *plain, char *out, size_t size);

#endif
