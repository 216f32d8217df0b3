/* tls_selfmade - a certificate for a server that was given none. */
#include <arpa/inet.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include <aftp/status.h>

#include "stream/tls_settings.h"

enum { NAME_LEN_MAX = 253, CN_LEN_MAX = 64, DAY_S = 24 * 60 * 60, DAYS = 3650 };

static bool is_address(const char *name)
{
	unsigned char raw[16];

	return inet_pton(AF_INET, name, raw) == 1 || inet_pton(AF_INET6, name, raw) == 1;
}

static int add_name(GENERAL_NAMES *all, const char *name)
{
	GENERAL_NAME *one = a2i_GENERAL_NAME(NULL, NULL, NULL, is_address(name) ? GEN_IPADD : GEN_DNS, name, 0);

	if (!one)
		return AFTP_ENOMEM;
	if (sk_GENERAL_NAME_push(all, one) > 0)
		return 0;
	GENERAL_NAME_free(one);
	return AFTP_ENOMEM;
}

/* The next name of a list; 0 at its end, < 0 for one that is none. */
static int next_name(const char **at, char name[NAME_LEN_MAX + 1])
{
	size_t n = strcspn(*at, ",");

	if (**at == '\0')
		return 0;
	if (n == 0 || n > NAME_LEN_MAX || memchr(*at, ' ', n))
		return AFTP_EINVAL;
	memcpy(name, *at, n);
	name[n] = '\0';
	*at += n;
	if (**at == ',' && *++*at == '\0')
		return AFTP_EINVAL;
	return 1;
}

static int add_names(X509 *cert, const char *names)
{
	GENERAL_NAMES *all = sk_GENERAL_NAME_new_null();
	char name[NAME_LEN_MAX + 1];
	int rc = all ? 0 : AFTP_ENOMEM;
	int more = 1;

	while (rc == 0 && (more = next_name(&names, name)) > 0)
		rc = add_name(all, name);
	if (rc == 0)
		rc = more;
	if (rc == 0 && sk_GENERAL_NAME_num(all) == 0)
		rc = AFTP_EINVAL;
	if (rc == 0 && X509_add1_ext_i2d(cert, NID_subject_alt_name, all, 0, 0) != 1)
		rc = AFTP_ENOMEM;
	sk_GENERAL_NAME_pop_free(all, GENERAL_NAME_free);
	return rc;
}

/* The first name, for people. */
static bool set_subject(X509 *cert, const char *names)
{
	size_t n = strcspn(names, ",");
	const unsigned char *name = (const unsigned char *)names;

	return X509_NAME_add_entry_by_NID(X509_get_subject_name(cert), NID_commonName, MBSTRING_UTF8, name,
		       (int)(n < CN_LEN_MAX ? n : CN_LEN_MAX), -1, 0) == 1;
}

static bool set_serial(X509 *cert)
{
	unsigned char raw[8];
	uint64_t n = 0;

	if (RAND_bytes(raw, sizeof(raw)) != 1)
		return false;
	memcpy(&n, raw, sizeof(n));
	return ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), n >> 1 | 1) == 1;
}

/* The signature is over all the rest. */
static bool complete(X509 *cert, EVP_PKEY *key)
{
	return X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
		X509_gmtime_adj(X509_getm_notBefore(cert), -DAY_S) &&
		X509_time_adj_ex(X509_getm_notAfter(cert), DAYS, 0, NULL) && X509_set_pubkey(cert, key) == 1 &&
		X509_set_issuer_name(cert, X509_get_subject_name(cert)) == 1 && X509_sign(cert, key, EVP_sha256()) > 0;
}

int tls_selfmade(X509 **cert, EVP_PKEY **key, const char *names)
{
	int rc;

	*cert = X509_new();
	*key = EVP_EC_gen("P-256");
	rc = *cert && *key ? add_names(*cert, names) : AFTP_ENOMEM;
	if (rc == 0 && (!set_subject(*cert, names) || !complete(*cert, *key)))
		rc = AFTP_ETLS;
	if (rc < 0) {
		X509_free(*cert);
		EVP_PKEY_free(*key);
		*cert = NULL;
		*key = NULL;
	}
	return rc;
}
