/* tls_settings - the inside of struct aftp_tls, and the callbacks that come from OpenSSL through it. */
#ifndef STREAM_TLS_SETTINGS_H
#define STREAM_TLS_SETTINGS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#include <aftp/tls.h>

#include "stream/tls_pin.h"

struct aftp_tls {
	unsigned refs;
	SSL_CTX *ctx;
	bool server;
	bool check_host;
	struct tls_pins pins;
	char own_pin[TLS_PIN_TEXT];
	char *own_pem;
};

/* The OpenSSL number of a version; 0 for "no limit". */
int tls_version_number(enum aftp_tls_version v);

/* A new key, and a certificate that it signs itself, for names and addresses joined by ','. 0, AFTP_EINVAL (a name that
 * cannot be one), AFTP_ENOMEM, AFTP_ETLS. */
int tls_selfmade(X509 **cert, EVP_PKEY **key, const char *names);

#endif
