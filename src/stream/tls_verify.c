/* tls_verify - is the peer's certificate good, and if not, why, in words that help. */
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "stream/tls.h"
#include "stream/tls_settings.h"

enum { NAMES_SHOWN = 3, NAMES_TEXT = 256 };

void tls_explain(struct tls *t, const char *format, ...)
{
	va_list ap;

	if (t->why)
		return;
	va_start(ap, format);
	if (vasprintf(&t->why, format, ap) < 0)
		t->why = NULL;
	va_end(ap);
}

/* --- whom a certificate is for -------------------------------------------------------------------- */

static bool printable(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	return n > 0;
}

/* "a.example, b.example and 3 more"; what cannot be shown is left out. */
static void write_names(char text[NAMES_TEXT], X509 *cert)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	size_t at = 0;
	int more = 0;

	for (int i = 0, shown = 0; i < sk_GENERAL_NAME_num(all); i++) {
		int type;
		const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(all, i), &type);
		const char *name = type == GEN_DNS ? (const char *)ASN1_STRING_get0_data(value) : NULL;
		size_t n = name ? (size_t)ASN1_STRING_length(value) : 0;

		if (!name || shown == NAMES_SHOWN || at + n + 32 > NAMES_TEXT || !printable(name, n)) {
			more++;
			continue;
		}
		at += (size_t)snprintf(text + at, NAMES_TEXT - at, "%s%.*s", at > 0 ? ", " : "", (int)n, name);
		shown++;
	}
	GENERAL_NAMES_free(all);
	if (at == 0)
		snprintf(text, NAMES_TEXT, "%s", more > 0 ? "others" : "no name");
	else if (more > 0)
		snprintf(text + at, NAMES_TEXT - at, " and %d more", more);
}

static void explain_host(struct tls *t, X509 *cert, const char *pin)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(t->ssl);
	const char *host = X509_VERIFY_PARAM_get0_host(param, 0);
	char *address = host ? NULL : X509_VERIFY_PARAM_get1_ip_asc(param);
	char names[NAMES_TEXT];

	write_names(names, cert);
	tls_explain(t, "certificate refused: it is for %s, not for %s; its key is %s", names,
		host              ? host
			: address ? address
				  : "this host",
		pin);
	OPENSSL_free(address);
}

/* --- the verdict ---------------------------------------------------------------------------------- */

static void explain(struct tls *t, X509 *cert, int error)
{
	char pin[TLS_PIN_TEXT];

	tls_pin_write(pin, cert);
	if (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH)
		explain_host(t, cert, pin);
	else
		tls_explain(t, "certificate refused: %s; its key is %s", X509_verify_cert_error_string(error), pin);
}

static int verify_pin(struct tls *t, X509_STORE_CTX *store, const struct tls_pins *pins)
{
	X509 *cert = X509_STORE_CTX_get0_cert(store);
	char pin[TLS_PIN_TEXT];

	if (tls_pins_match(pins, cert)) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	tls_pin_write(pin, cert);
	tls_explain(t, "certificate refused: its key is not the pinned one, but %s", pin);
	return 0;
}

int tls_verify(struct tls *t, X509_STORE_CTX *store, const struct aftp_tls *settings)
{
	if (settings->pins.n > 0)
		return verify_pin(t, store, &settings->pins);
	if (SSL_get_verify_mode(t->ssl) == SSL_VERIFY_NONE) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	if (X509_verify_cert(store) == 1)
		return 1;
	/* It never says OK to a certificate that it could not verify. */
	if (X509_STORE_CTX_get_error(store) == X509_V_OK)
		X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED);
	explain(t, X509_STORE_CTX_get0_cert(store), X509_STORE_CTX_get_error(store));
	return 0;
}
