/* hash - digests of content, by the names that FTP gives them. Pure.
 *
 * draft-bryan-ftpext-hash (HASH), and the older XCRC, XMD5, XSHA and the like. */
#ifndef SERVER_HASH_H
#define SERVER_HASH_H

#include <stddef.h>

struct hash;

struct hash_kind {
	const char *name;     /* "SHA-256" */
	const char *evp;      /* OpenSSL's name; NULL: CRC-32, as zip has it */
	const char *verbs[2]; /* commands for this one alone; or NULL */
};

enum { HASH_HEX = 129 }; /* the longest digest in hexadecimal, and a NUL */

size_t hash_kind_count(void);
const struct hash_kind *hash_kind_at(size_t i);           /* the best first */
const struct hash_kind *hash_kind_find(const char *name); /* any case; or NULL */
const struct hash_kind *hash_kind_of_verb(const char *verb);

/* 0, AFTP_ENOMEM, AFTP_ENOTSUP (this OpenSSL has it not, or may not use it). */
int hash_new(struct hash **out, const struct hash_kind *kind);
void hash_free(struct hash *h);                            /* accepts NULL */
void hash_update(struct hash *h, const void *p, size_t n); /* in any thread, one at a time */
int hash_final(struct hash *h, char *hex);                 /* 0, AFTP_EIO; `hex` has HASH_HEX bytes */

#endif
