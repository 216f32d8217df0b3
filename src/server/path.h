/* path - virtual paths: absolute, normal, as bytes. Pure. */
#ifndef SERVER_PATH_H
#define SERVER_PATH_H

#include <stddef.h>

enum { PATH_CAP = 4096 }; /* with the NUL */

/* What `arg` means in the working directory `cwd`: "." and ".." are resolved by their letters and never leave the root,
 * repeated and trailing slashes go. 0, -ENAMETOOLONG. `out` has PATH_CAP bytes and may not be `arg` or `cwd`. */
int path_resolve(const char *cwd, const char *arg, char *out);

/* For a reply: quotes doubled (RFC 959 appendix II), line ends shown as '?'. `out` has 2 * PATH_CAP bytes. */
void path_quote(const char *path, char *out);

const char *path_name(const char *path); /* the last component; "/" of the root */

#endif
