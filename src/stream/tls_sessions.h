/* tls_sessions - the sessions of a control connection and its data connections: see aftp_tls_sessions_new(). */
#ifndef STREAM_TLS_SESSIONS_H
#define STREAM_TLS_SESSIONS_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include <aftp/tls.h>

enum { TLS_SESSIONS_MAX = 8, TLS_SESSIONS_MARK = 16 };

/* Takes the reference. The oldest goes when there are too many. */
void tls_sessions_add(struct aftp_tls_sessions *s, SSL_SESSION *session);

/* The one to resume, or NULL; the caller owns it. */
SSL_SESSION *tls_sessions_take(struct aftp_tls_sessions *s);

/* The one with this number, or NULL; it stays theirs. */
SSL_SESSION *tls_sessions_find(const struct aftp_tls_sessions *s, const unsigned char *id, size_t len);

/* There were some, and none is usable any more. */
bool tls_sessions_ran_out(struct aftp_tls_sessions *s);
enum aftp_tls_version tls_sessions_max(const struct aftp_tls_sessions *s);

/* What a server writes into its tickets, to know them again: TLS_SESSIONS_MARK random bytes. */
const unsigned char *tls_sessions_mark(const struct aftp_tls_sessions *s);
bool tls_sessions_marked(const struct aftp_tls_sessions *s, SSL_SESSION *session);

#endif
