/* certificate - keys and certificates that are made while the test runs, in files that nobody else sees. */
#ifndef TESTS_STREAM_CERTIFICATE_H
#define TESTS_STREAM_CERTIFICATE_H

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <aftp/tls.h>

#include "stream/tls_settings.h"

enum { CERTIFICATE_PATH = 32 };

struct certificate {
	EVP_PKEY *key;
	X509 *x509;
	int fd;                      /* the certificate and its key */
	char file[CERTIFICATE_PATH]; /* its name */
};

/* A file without a place: its name works as long as the descriptor is open. */
static inline int certificate_memfile(char path[CERTIFICATE_PATH])
{
	int fd = memfd_create("certificate", MFD_CLOEXEC);

	assert_true(fd >= 0);
	snprintf(path, CERTIFICATE_PATH, "/proc/self/fd/%d", fd);
	return fd;
}

static inline int certificate_text(char path[CERTIFICATE_PATH], const char *text)
{
	int fd = certificate_memfile(path);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

/* Self-signed, for the names ("one,127.0.0.1"); the key is in the same file, under a password unless that is NULL. */
static inline struct certificate certificate_make(const char *names, const char *password)
{
	struct certificate c;
	FILE *f;

	assert_int_equal(tls_selfmade(&c.x509, &c.key, names), 0);
	c.fd = certificate_memfile(c.file);
	f = fdopen(dup(c.fd), "w");
	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, c.x509), 1);
	assert_int_equal(PEM_write_PKCS8PrivateKey(f, c.key, password ? EVP_aes_128_cbc() : NULL, password,
				 password ? (int)strlen(password) : 0, NULL, NULL),
		1);
	assert_int_equal(fclose(f), 0);
	return c;
}

static inline void certificate_free(struct certificate *c)
{
	X509_free(c->x509);
	EVP_PKEY_free(c->key);
	close(c->fd);
}

static inline struct aftp_tls *certificate_settings(bool server, const struct aftp_tls_options *o)
{
	struct aftp_tls *t = NULL;
	char why[200] = "";
	int rc = server ? aftp_tls_server_new(&t, o, NULL, why, sizeof(why))
			: aftp_tls_client_new(&t, o, why, sizeof(why));

	assert_string_equal(why, "");
	assert_int_equal(rc, 0);
	return t;
}

static inline struct aftp_tls *certificate_server(const struct certificate *c)
{
	return certificate_settings(true, &(struct aftp_tls_options){ .cert_file = c->file });
}

/* Trusts `c` and nothing else. */
static inline struct aftp_tls *certificate_client(const struct certificate *c)
{
	return certificate_settings(false, &(struct aftp_tls_options){ .ca_file = c->file });
}

#endif
