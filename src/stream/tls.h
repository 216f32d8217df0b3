/* tls - a TLS session between two buffers; knows no socket.
 *
 * What the network brought goes into `in`, what it must get comes out in `out`. */
#ifndef STREAM_TLS_H
#define STREAM_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <sys/types.h>

#include <aftp/tls.h>

#include "base/buf.h"

struct tls {
	SSL *ssl;
	BIO_METHOD *method;
	struct aftp_tls *settings;
	struct aftp_tls_sessions *sessions; /* may be NULL */
	bool marked;                        /* the session that was resumed is one of `sessions` */
	char *why;                          /* words about what went wrong; NULL until it does */
	struct buf in, out;
};

/* As a client, `host` (may be NULL) is sent as SNI when it is a name, and checked when the settings say so. `server` must
 * be what the settings were made for. 0, AFTP_ENOMEM, AFTP_EINVAL, AFTP_ETLS. */
int tls_new(struct tls **out, struct aftp_tls *settings, bool server, const char *host,
	struct aftp_tls_sessions *sessions, size_t max);
void tls_free(struct tls *t); /* accepts NULL */

int tls_handshake(struct tls *t); /* 1 done; 0 needs more in `in`; AFTP_ECERT, AFTP_ETLS */

/* 1..n bytes; 0 needs more in `in`; AFTP_EOF at close_notify; AFTP_ETLS. */
ssize_t tls_read(struct tls *t, char *buf, size_t n);
/* 1..n bytes taken; 0 when `out` is too full; AFTP_ETLS. */
ssize_t tls_write(struct tls *t, const char *data, size_t n);

int tls_bye(struct tls *t);            /* close_notify into `out`; 0 or AFTP_ETLS */
bool tls_pending(const struct tls *t); /* tls_read() may have something without more in `in` */
bool tls_resumed(const struct tls *t);

/* tls_verify.c: the verdict on the peer's certificate, 1 or 0, and words about it. OpenSSL asks, by SSL_get_app_data(). */
int tls_verify(struct tls *t, X509_STORE_CTX *store, const struct aftp_tls *settings);
/* The first words stand. */
void tls_explain(struct tls *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
