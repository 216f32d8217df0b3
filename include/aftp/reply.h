/* reply - one FTP reply, built line by line (RFC 959 section 4.2).
 *
 * "ddd text" is a whole reply; "ddd-text" opens one that ends at the first line that begins with the
 * same "ddd ". Lines between may be anything, numbers included. The parser is pure: bytes in, values out. */
#ifndef AFTP_REPLY_H
#define AFTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aftp_reply {
	int code;     /* 100..599; 0 while no line has come */
	size_t lines; /* number of lines so far */
	size_t len;   /* bytes in text */
	size_t max;   /* the cap on len */
	char *text;   /* every line as sent, without its line end, joined by '\n', NUL-ended; owned */
	size_t cap;
};

/* Caller's memory; `max` caps the whole reply in bytes. */
void aftp_reply_init(struct aftp_reply *r, size_t max);
void aftp_reply_finish(struct aftp_reply *r); /* frees; accepts a zeroed value */
void aftp_reply_reset(struct aftp_reply *r);  /* empty again, memory kept */

/* Adds one line (without its line end). 1: the reply is complete; 0: more lines follow;
 * AFTP_EPROTO: not FTP; AFTP_ETOOBIG: over the cap; AFTP_ENOMEM. */
int aftp_reply_add_line(struct aftp_reply *r, const char *line, size_t len);

/* Line `i` (from 0) without its code and separator when it has them; *len gets its length. NULL past the end. */
const char *aftp_reply_line(const struct aftp_reply *r, size_t i, size_t *len);

/* The text of the last line without its code: what a log should show. NUL-ended, "" when empty. */
const char *aftp_reply_message(const struct aftp_reply *r);

/* Does the code match one of the masks in `masks`, joined by '|'? "2xx", "25x|226", "1". A non-digit stands for any
 * digit. */
bool aftp_code_match(int code, const char *masks);

/* 229 "...(|||port|)" (RFC 2428). The delimiter may be any character from 33 to 126; only the port is used.
 * 0, or AFTP_EPROTO. */
int aftp_reply_epsv_port(const struct aftp_reply *r, uint16_t *port);

/* 227 "...h1,h2,h3,h4,p1,p2..." with or without parentheses. `host` (4 bytes, network order) may be NULL. 0, or
 * AFTP_EPROTO. */
int aftp_reply_pasv(const struct aftp_reply *r, uint8_t host[4], uint16_t *port);

/* 257 "\"path\" comment" with doubled quotes (RFC 959 appendix II). Writes the path; 0, AFTP_EPROTO, AFTP_ETOOBIG. */
int aftp_reply_quoted_path(const struct aftp_reply *r, char *out, size_t size);

/* 213 of SIZE: the number. 213 of MDTM: seconds since 1970 UTC and nanoseconds (may be NULL). (RFC 3659.) 0, or
 * AFTP_EPROTO. A two-digit-century bug ("19100" for 2000) is mended as other clients do. */
int aftp_reply_size(const struct aftp_reply *r, uint64_t *size);
int aftp_reply_mdtm(const struct aftp_reply *r, int64_t *sec, uint32_t *nsec);

/* The 150 of RETR often tells the size: "(1234 bytes)". 0, or AFTP_ENOENT when it does not. */
int aftp_reply_transfer_size(const struct aftp_reply *r, uint64_t *size);

/* What a refusal of a path means, from its code and words (English texts of the common servers): AFTP_ENOENT,
 * AFTP_EACCES, -EEXIST, -ENOTDIR, -EISDIR, -ENOTEMPTY, -ENOSPC, -EDQUOT, -ENAMETOOLONG, -EROFS, AFTP_ENOTSUP (500,
 * 502, 504, "not implemented/understood"), AFTP_ETOOMANY, AFTP_ELOGIN (530, 532), AFTP_EREPLY when the words do not
 * say. 0 for codes below 400. */
int aftp_reply_error(const struct aftp_reply *r);

#endif
