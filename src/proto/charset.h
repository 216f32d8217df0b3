/* charset - names between a server's character set and UTF-8, by iconv, there and back without loss.
 *
 * What a server sends always has a UTF-8 form that turns into the same bytes again: a byte that means nothing in its
 * character set becomes a character from U+F080 to U+F0FF (private use, and what Cygwin takes), by its number. A UTF-8
 * name that the server's character set has no characters for is refused; nothing is put in their place. */
#ifndef PROTO_CHARSET_H
#define PROTO_CHARSET_H

#include <stddef.h>

#include "base/buf.h"

struct charset;

/* *out = NULL for UTF-8 and NULL: names stay as they are. 0, AFTP_ENOMEM, or AFTP_EINVAL: nobody knows that name, or
 * ASCII is not the same in it (UTF-16, ISO-2022-JP, EBCDIC). */
int charset_new(struct charset **out, const char *name);
void charset_free(struct charset *c); /* accepts NULL */

/* Both append to *out. c may be NULL: a copy. 0, AFTP_ENOMEM, AFTP_ETOOBIG. */
int charset_decode(struct charset *c, struct buf *out, const char *s, size_t n); /* from the server */
/* Also -EILSEQ: it is not UTF-8, or the server has no such character. */
int charset_encode(struct charset *c, struct buf *out, const char *s, size_t n);

/* A NUL-ended copy, to be freed. */
int charset_encoded(struct charset *c, char **out, const char *s);

#endif
