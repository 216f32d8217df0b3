/* spool - a file's content kept locally while it is changed in ways that a stream cannot carry. In memory first;
 * past a limit in a temporary file that has no name, so that nothing is left behind whatever happens. */
#ifndef REMOTE_SPOOL_H
#define REMOTE_SPOOL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct spool;

/* Opens the directory for temporary files; NULL: $TMPDIR, or /var/tmp or /tmp. To be done before anything is mounted: then
 * it is not below the mount that writes there, which would wait for itself. A descriptor, or -errno. */
int spool_open_dir(const char *dir);

/* `dir` from spool_open_dir(), or < 0: more than `memory` is -ENOSPC. 0, AFTP_ENOMEM. */
int spool_new(struct spool **out, size_t memory, int dir);
void spool_free(struct spool *s); /* accepts NULL */

uint64_t spool_size(const struct spool *s);
/* All of it, or < 0 (-ENOSPC, -EFBIG, AFTP_ENOMEM, ...). A gap before `off` reads as zeros. */
int spool_write(struct spool *s, uint64_t off, const void *data, size_t len);
/* The count, short only at the end; or < 0. */
ssize_t spool_read(const struct spool *s, uint64_t off, void *buf, size_t len);
int spool_truncate(struct spool *s, uint64_t size);

#endif
