/* tls - a TLS session between two buffers; knows no socket.
 *
 * What the network brought goes into `in`, what it must get comes out in `out`. */
#ifndef STREAM_TLS_H
#define STREAM_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"

struct tls {
	SSL *ssl;
	BIO_METHOD *method;
	struct buf in, out;
};

/* As a client, `host` (may be NULL) is sent as SNI when it is a name, and checked when the context verifies.
 * 0, AFTP_ENOMEM, AFTP_EINVAL, AFTP_ETLS. */
int tls_new(struct tls **out, SSL_CTX *ctx, bool server, const char *host, SSL_SESSION *session, size_t max);
void tls_free(struct tls *t); /* accepts NULL */

int tls_handshake(struct tls *t); /* 1 done; 0 needs more in `in`; AFTP_ECERT, AFTP_ETLS */

/* 1..n bytes; 0 needs more in `in`; AFTP_EOF at close_notify; AFTP_ETLS. */
ssize_t tls_read(struct tls *t, char *buf, size_t n);
/* 1..n bytes taken; 0 when `out` is too full; AFTP_ETLS. */
ssize_t tls_write(struct tls *t, const char *data, size_t n);

int tls_bye(struct tls *t);            /* close_notify into `out`; 0 or AFTP_ETLS */
bool tls_pending(const struct tls *t); /* tls_read() may have something without more in `in` */

#endif
