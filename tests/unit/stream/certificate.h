/* certificate - keys and certificates that are made while the test runs. */
#ifndef TESTS_STREAM_CERTIFICATE_H
#define TESTS_STREAM_CERTIFICATE_H

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct certificate {
	EVP_PKEY *key;
	X509 *x509;
};

/* Self-signed, for the names in `alt` ("DNS:one,IP:127.0.0.1"). */
static inline struct certificate certificate_make(const char *alt)
{
	struct certificate c = { .key = EVP_EC_gen("P-256"), .x509 = X509_new() };
	X509_NAME *name = X509_get_subject_name(c.x509);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alt);

	assert_non_null(c.key);
	assert_non_null(ext);
	X509_set_version(c.x509, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(c.x509), 1);
	X509_gmtime_adj(X509_getm_notBefore(c.x509), -3600);
	X509_gmtime_adj(X509_getm_notAfter(c.x509), 3600);
	X509_set_pubkey(c.x509, c.key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"a test", -1, -1, 0);
	X509_set_issuer_name(c.x509, name);
	X509_add_ext(c.x509, ext, -1);
	X509_EXTENSION_free(ext);
	assert_true(X509_sign(c.x509, c.key, EVP_sha256()) > 0);
	return c;
}

static inline void certificate_free(struct certificate *c)
{
	X509_free(c->x509);
	EVP_PKEY_free(c->key);
}

static inline SSL_CTX *certificate_server(const struct certificate *c)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	assert_int_equal(SSL_CTX_use_certificate(ctx, c->x509), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, c->key), 1);
	return ctx;
}

/* Trusts `c` and nothing else; NULL: trusts nobody. */
static inline SSL_CTX *certificate_client(const struct certificate *c)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if (c)
		assert_int_equal(X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), c->x509), 1);
	return ctx;
}

#endif
