/* tls_pin - public keys that are known beforehand: "sha256//" and BASE64 of the hash of a SubjectPublicKeyInfo. */
#ifndef STREAM_TLS_PIN_H
#define STREAM_TLS_PIN_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

enum {
	TLS_PINS_MAX = 8,
	TLS_PIN_HASH = 32,
	TLS_PIN_TEXT = 8 + 44 + 1, /* with its NUL */
};

struct tls_pins {
	size_t n;
	unsigned char hash[TLS_PINS_MAX][TLS_PIN_HASH];
};

/* Several are joined by ';'. 0, AFTP_EINVAL (and *p is not touched). */
int tls_pins_parse(struct tls_pins *p, const char *text);
bool tls_pins_match(const struct tls_pins *p, X509 *cert);

/* The pin of a certificate's key; "" when there is none to be had. */
void tls_pin_write(char text[TLS_PIN_TEXT], X509 *cert);

#endif
