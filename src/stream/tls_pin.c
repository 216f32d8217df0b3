#include "stream/tls_pin.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

#include <aftp/status.h>

#define PREFIX "sha256//"

enum { PREFIX_LEN = sizeof(PREFIX) - 1, BASE64_LEN = 44 };

static void write_pin(char text[TLS_PIN_TEXT], const unsigned char hash[TLS_PIN_HASH])
{
	memcpy(text, PREFIX, PREFIX_LEN);
	EVP_EncodeBlock((unsigned char *)text + PREFIX_LEN, hash, TLS_PIN_HASH);
}

/* Written back it must be the same: there is one way only to write a hash. */
static bool parse_pin(unsigned char hash[TLS_PIN_HASH], const char *text, size_t n)
{
	unsigned char raw[TLS_PIN_HASH + 1];
	char again[TLS_PIN_TEXT];

	if (n != PREFIX_LEN + BASE64_LEN || memcmp(text, PREFIX, PREFIX_LEN) != 0)
		return false;
	if (EVP_DecodeBlock(raw, (const unsigned char *)text + PREFIX_LEN, BASE64_LEN) != sizeof(raw))
		return false;
	memcpy(hash, raw, TLS_PIN_HASH);
	write_pin(again, hash);
	return memcmp(text, again, n) == 0;
}

int tls_pins_parse(struct tls_pins *p, const char *text)
{
	struct tls_pins found = { 0 };

	for (;;) {
		size_t n = strcspn(text, ";");

		if (found.n == TLS_PINS_MAX || !parse_pin(found.hash[found.n], text, n))
			return AFTP_EINVAL;
		found.n++;
		if (!text[n])
			break;
		text += n + 1;
	}
	*p = found;
	return 0;
}

static bool hash_key(unsigned char hash[TLS_PIN_HASH], X509 *cert)
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	bool ok = n > 0 && SHA256(der, (size_t)n, hash) != NULL;

	OPENSSL_free(der);
	return ok;
}

bool tls_pins_match(const struct tls_pins *p, X509 *cert)
{
	unsigned char hash[TLS_PIN_HASH];

	if (!hash_key(hash, cert))
		return false;
	for (size_t i = 0; i < p->n; i++)
		if (memcmp(hash, p->hash[i], sizeof(hash)) == 0)
			return true;
	return false;
}

void tls_pin_write(char text[TLS_PIN_TEXT], X509 *cert)
{
	unsigned char hash[TLS_PIN_HASH];

	text[0] = '\0';
	if (hash_key(hash, cert))
		write_pin(text, hash);
}
