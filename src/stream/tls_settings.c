#include "stream/tls_settings.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <aftp/status.h>

#include "stream/tls.h"
#include "stream/tls_sessions.h"

#define NAMES_DEFAULT "localhost,127.0.0.1,::1"

struct making {
	struct aftp_tls *tls;
	const struct aftp_tls_options *o;
	char *why;
	size_t size;
	bool locked; /* the key has a password */
};

/* --- words ---------------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static int refuse(struct making *m, int status, const char *format, ...)
{
	va_list ap;

	if (m->why && m->size > 0) {
		va_start(ap, format);
		vsnprintf(m->why, m->size, format, ap);
		va_end(ap);
	}
	return status;
}

static const char *reason(void)
{
	unsigned long e = ERR_peek_last_error();
	const char *text = ERR_SYSTEM_ERROR(e) ? strerror(ERR_GET_REASON(e)) : ERR_reason_error_string(e);

	return text ? text : "OpenSSL does not say why";
}

/* The first error is the cause, where a file could not be opened; else the last one says more. */
static int refuse_file(struct making *m, const char *what, const char *file)
{
	unsigned long first = ERR_peek_error();

	if (ERR_SYSTEM_ERROR(first))
		return refuse(m, AFTP_ECERT, "%s %s: %s", what, file, strerror(ERR_GET_REASON(first)));
	return refuse(m, AFTP_ECERT, "%s %s: %s", what, file, reason());
}

/* --- versions and ciphers ------------------------------------------------------------------------- */

int tls_version_number(enum aftp_tls_version v)
{
	switch (v) {
	case AFTP_TLS_1_0: return TLS1_VERSION;
	case AFTP_TLS_1_1: return TLS1_1_VERSION;
	case AFTP_TLS_1_2: return TLS1_2_VERSION;
	case AFTP_TLS_1_3: return TLS1_3_VERSION;
	case AFTP_TLS_DEFAULT: break;
	}
	return 0;
}

static int set_versions(struct making *m)
{
	int min = tls_version_number(m->o->min_version), max = tls_version_number(m->o->max_version);

	if (min == 0)
		min = max != 0 && max < TLS1_2_VERSION ? max : TLS1_2_VERSION;
	if (max != 0 && max < min)
		return refuse(m, AFTP_EINVAL, "the highest TLS version is below the lowest");
	if (SSL_CTX_set_min_proto_version(m->tls->ctx, min) != 1 ||
		SSL_CTX_set_max_proto_version(m->tls->ctx, max) != 1)
		return refuse(m, AFTP_EINVAL, "TLS version: %s", reason());
	/* They sign with SHA-1, which OpenSSL counts as no security at all. */
	if (min < TLS1_2_VERSION)
		SSL_CTX_set_security_level(m->tls->ctx, 0);
	return 0;
}

static int set_ciphers(struct making *m)
{
	const struct aftp_tls_options *o = m->o;

	if (o->ciphers && SSL_CTX_set_cipher_list(m->tls->ctx, o->ciphers) != 1)
		return refuse(m, AFTP_EINVAL, "ciphers %s: %s", o->ciphers, reason());
	if (o->ciphersuites && SSL_CTX_set_ciphersuites(m->tls->ctx, o->ciphersuites) != 1)
		return refuse(m, AFTP_EINVAL, "ciphersuites %s: %s", o->ciphersuites, reason());
	return 0;
}

/* --- our own certificate -------------------------------------------------------------------------- */

static int give_password(char *buf, int size, int writing, void *arg)
{
	struct making *m = arg;
	const char *password = m->o->key_password;
	size_t n = password ? strlen(password) : 0;

	(void)writing;
	m->locked = true;
	if (!password || n > (size_t)size)
		return -1;
	memcpy(buf, password, n);
	return (int)n;
}

static int load_certificate(struct making *m)
{
	const char *key_file = m->o->key_file ? m->o->key_file : m->o->cert_file;
	SSL_CTX *ctx = m->tls->ctx;
	int rc;

	if (SSL_CTX_use_certificate_chain_file(ctx, m->o->cert_file) != 1)
		return refuse_file(m, "certificate", m->o->cert_file);
	SSL_CTX_set_default_passwd_cb(ctx, give_password);
	SSL_CTX_set_default_passwd_cb_userdata(ctx, m);
	rc = SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM);
	SSL_CTX_set_default_passwd_cb(ctx, NULL);
	SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);
	if (rc != 1 && m->locked)
		return refuse(m, AFTP_ECERT, "key %s: %s", key_file,
			m->o->key_password ? "its password is another" : "it needs a password");
	return rc == 1 ? 0 : refuse_file(m, "key", key_file);
}

static int make_certificate(struct making *m, const char *names)
{
	X509 *cert;
	EVP_PKEY *key;
	int rc = tls_selfmade(&cert, &key, names);

	if (rc < 0)
		return refuse(m, rc, "a certificate for %s cannot be made", names);
	if (SSL_CTX_use_certificate(m->tls->ctx, cert) != 1 || SSL_CTX_use_PrivateKey(m->tls->ctx, key) != 1)
		rc = refuse(m, AFTP_ETLS, "a certificate was made in vain: %s", reason());
	X509_free(cert);
	EVP_PKEY_free(key);
	return rc;
}

/* What others need to know us by. */
static int describe_certificate(struct making *m)
{
	X509 *cert = SSL_CTX_get0_certificate(m->tls->ctx);
	BIO *bio = cert ? BIO_new(BIO_s_mem()) : NULL;
	char *text;
	long n;

	if (!cert)
		return 0;
	tls_pin_write(m->tls->own_pin, cert);
	if (bio && PEM_write_bio_X509(bio, cert) == 1) {
		n = BIO_get_mem_data(bio, &text);
		m->tls->own_pem = strndup(text, (size_t)n);
	}
	BIO_free(bio);
	return m->tls->own_pem ? 0 : AFTP_ENOMEM;
}

/* --- those of others ------------------------------------------------------------------------------ */

static int load_authorities(struct making *m)
{
	const struct aftp_tls_options *o = m->o;

	if (o->ca_file && SSL_CTX_load_verify_file(m->tls->ctx, o->ca_file) != 1)
		return refuse_file(m, "CA file", o->ca_file);
	/* OpenSSL looks into it only when it needs something. */
	if (o->ca_path && access(o->ca_path, R_OK | X_OK) < 0)
		return refuse(m, AFTP_ECERT, "CA directory %s: %s", o->ca_path, strerror(errno));
	if (o->ca_path && SSL_CTX_load_verify_dir(m->tls->ctx, o->ca_path) != 1)
		return refuse_file(m, "CA directory", o->ca_path);
	if (!o->ca_file && !o->ca_path && SSL_CTX_set_default_verify_paths(m->tls->ctx) != 1)
		return refuse(m, AFTP_ECERT, "the system's certificates: %s", reason());
	return 0;
}

static int set_pins(struct making *m)
{
	if (m->o->pin && tls_pins_parse(&m->tls->pins, m->o->pin) < 0)
		return refuse(m, AFTP_EINVAL, "pin %s: not sha256// and the BASE64 of 32 bytes", m->o->pin);
	return 0;
}

static int on_verify(X509_STORE_CTX *store, void *arg)
{
	return tls_verify(
		SSL_get_app_data(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())), store, arg);
}

/* --- sessions ------------------------------------------------------------------------------------- */

static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls *t = SSL_get_app_data(ssl);

	if (!t || !t->sessions)
		return 0;
	tls_sessions_add(t->sessions, session);
	return 1;
}

/* Clients that take no tickets (curl, up to TLS 1.2) are known by the session's number, for as long as their control
 * connection lives. */
static int on_new_number(SSL *ssl, SSL_SESSION *session)
{
	struct tls *t = SSL_get_app_data(ssl);
	SSL_SESSION *copy;

	if (!t || !t->sessions || SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION)
		return 0;
	copy = SSL_SESSION_dup(session); /* OpenSSL spoils one whose connection ends badly */
	if (copy)
		tls_sessions_add(t->sessions, copy);
	return 0;
}

static SSL_SESSION *on_number(SSL *ssl, const unsigned char *id, int len, int *copy)
{
	struct tls *t = SSL_get_app_data(ssl);
	SSL_SESSION *session = t && t->sessions ? tls_sessions_find(t->sessions, id, (size_t)len) : NULL;

	*copy = 0;
	session = session ? SSL_SESSION_dup(session) : NULL;
	if (session)
		t->marked = true;
	return session;
}

static int on_ticket(SSL *ssl, void *arg)
{
	struct tls *t = SSL_get_app_data(ssl);

	(void)arg;
	if (!t || !t->sessions)
		return 1;
	return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), tls_sessions_mark(t->sessions), TLS_SESSIONS_MARK);
}

static SSL_TICKET_RETURN on_ticket_back(
	SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t len, SSL_TICKET_STATUS status, void *arg)
{
	struct tls *t = SSL_get_app_data(ssl);

	(void)name;
	(void)len;
	(void)arg;
	switch (status) {
	case SSL_TICKET_SUCCESS:
	case SSL_TICKET_SUCCESS_RENEW:
		/* New tickets will carry our own mark, so this is the time to look. */
		t->marked = t->sessions && tls_sessions_marked(t->sessions, session);
		return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
	case SSL_TICKET_EMPTY:
	case SSL_TICKET_NO_DECRYPT: return SSL_TICKET_RETURN_IGNORE_RENEW;
	default: return SSL_TICKET_RETURN_ABORT;
	}
}

/* --- making --------------------------------------------------------------------------------------- */

static int setup_client(struct making *m)
{
	const struct aftp_tls_options *o = m->o;
	SSL_CTX *ctx = m->tls->ctx;
	bool verify = !o->no_verify_peer || o->pin;
	int rc = set_pins(m);

	if (rc == 0 && verify && !o->pin)
		rc = load_authorities(m);
	if (rc == 0 && o->cert_file)
		rc = load_certificate(m);
	m->tls->check_host = verify && !o->pin && !o->no_verify_hostname;
	SSL_CTX_set_verify(ctx, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, on_new_session);
	return rc;
}

static int setup_server(struct making *m, const char *names)
{
	const struct aftp_tls_options *o = m->o;
	SSL_CTX *ctx = m->tls->ctx;
	bool verify = o->ca_file || o->ca_path || o->pin;
	int rc = set_pins(m);

	if (rc == 0 && (o->ca_file || o->ca_path))
		rc = load_authorities(m);
	if (rc == 0 && o->ca_file)
		SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(o->ca_file));
	if (rc == 0)
		rc = o->cert_file ? load_certificate(m) : make_certificate(m, names ? names : NAMES_DEFAULT);
	SSL_CTX_set_verify(ctx, verify ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, on_new_number);
	SSL_CTX_sess_set_get_cb(ctx, on_number);
	if (rc == 0 &&
		(SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"aftp", 4) != 1 ||
			SSL_CTX_set_session_ticket_cb(ctx, on_ticket, on_ticket_back, NULL) != 1))
		rc = AFTP_ETLS;
	return rc;
}

static int make(struct making *m, bool server, const char *names)
{
	const SSL_METHOD *method = server ? TLS_server_method() : TLS_client_method();
	int rc;

	m->tls->refs = 1;
	m->tls->server = server;
	m->tls->ctx = SSL_CTX_new(method);
	if (!m->tls->ctx)
		return refuse(m, AFTP_ENOMEM, "%s", reason());
	SSL_CTX_set_cert_verify_callback(m->tls->ctx, on_verify, m->tls);
	rc = set_versions(m);
	if (rc == 0)
		rc = set_ciphers(m);
	if (rc == 0)
		rc = server ? setup_server(m, names) : setup_client(m);
	return rc < 0 ? rc : describe_certificate(m);
}

static int make_new(
	struct aftp_tls **out, bool server, const struct aftp_tls_options *o, const char *names, char *why, size_t size)
{
	struct aftp_tls_options none = { 0 };
	struct making m = { .o = o ? o : &none, .why = why, .size = size };
	int rc;

	if (!out)
		return AFTP_EINVAL;
	m.tls = calloc(1, sizeof(*m.tls));
	if (!m.tls)
		return refuse(&m, AFTP_ENOMEM, "%s", aftp_strerror(AFTP_ENOMEM));
	(void)refuse(&m, 0, "%s", "");
	ERR_clear_error();
	rc = make(&m, server, names);
	ERR_clear_error();
	if (rc < 0)
		aftp_tls_unref(m.tls);
	else
		*out = m.tls;
	return rc;
}

int aftp_tls_client_new(struct aftp_tls **out, const struct aftp_tls_options *o, char *why, size_t size)
{
	return make_new(out, false, o, NULL, why, size);
}

int aftp_tls_server_new(
	struct aftp_tls **out, const struct aftp_tls_options *o, const char *names, char *why, size_t size)
{
	return make_new(out, true, o, names, why, size);
}

/* --- life ----------------------------------------------------------------------------------------- */

struct aftp_tls *aftp_tls_ref(struct aftp_tls *t)
{
	t->refs++;
	return t;
}

void aftp_tls_unref(struct aftp_tls *t)
{
	if (!t || --t->refs > 0)
		return;
	SSL_CTX_free(t->ctx);
	free(t->own_pem);
	free(t);
}

const char *aftp_tls_own_pin(const struct aftp_tls *t)
{
	return t->own_pin;
}

const char *aftp_tls_own_certificate(const struct aftp_tls *t)
{
	return t->own_pem;
}
