/* buf - a byte buffer that grows up to a cap given at birth, and never past it. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

struct buf {
	char *data;   /* not NUL-ended */
	size_t start; /* first unread byte */
	size_t end;   /* one past the last byte */
	size_t cap;   /* allocated */
	size_t max;   /* the cap on end - start */
};

void buf_init(struct buf *b, size_t max);
void buf_finish(struct buf *b); /* frees; accepts a zeroed value */
size_t buf_len(const struct buf *b);
const char *buf_bytes(const struct buf *b); /* first unread byte */
/* Both: 0, AFTP_ETOOBIG or AFTP_ENOMEM; all or nothing. */
int buf_append(struct buf *b, const void *data, size_t n);
int buf_reserve(struct buf *b, size_t n, char **room); /* room for n more bytes at *room */
void buf_commit(struct buf *b, size_t n);              /* n bytes of the reserved room were filled */
void buf_consume(struct buf *b, size_t n);             /* n <= buf_len(b) bytes were read */

#endif
