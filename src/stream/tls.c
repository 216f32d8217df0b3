#include "stream/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include <aftp/status.h>

#include "stream/tls_sessions.h"
#include "stream/tls_settings.h"

#define RECORD_MAX   (16384 + 512) /* what one record of 2^14 bytes can grow to, generously */
#define NAME_MAX_LEN 253

/* --- the BIO: OpenSSL's side of the two buffers --------------------------------------------------- */

static int bio_read(BIO *bio, char *data, int n)
{
	struct tls *t = BIO_get_data(bio);
	size_t len = buf_len(&t->in);

	BIO_clear_retry_flags(bio);
	if (n <= 0)
		return 0;
	if (len == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	len = len < (size_t)n ? len : (size_t)n;
	memcpy(data, buf_bytes(&t->in), len);
	buf_consume(&t->in, len);
	return (int)len;
}

static int bio_write(BIO *bio, const char *data, int n)
{
	struct tls *t = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	/* Full: the peer makes us answer faster than it reads. That ends here. */
	return n > 0 && buf_append(&t->out, data, (size_t)n) == 0 ? n : -1;
}

static long bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	(void)bio;
	(void)num;
	(void)ptr;
	return cmd == BIO_CTRL_FLUSH;
}

static int make_bio(struct tls *t)
{
	BIO *bio;

	t->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "aftp stream");
	if (!t->method || BIO_meth_set_read(t->method, bio_read) != 1 ||
		BIO_meth_set_write(t->method, bio_write) != 1 || BIO_meth_set_ctrl(t->method, bio_ctrl) != 1)
		return AFTP_ENOMEM;
	bio = BIO_new(t->method);
	if (!bio)
		return AFTP_ENOMEM;
	BIO_set_data(bio, t);
	BIO_set_init(bio, 1);
	SSL_set_bio(t->ssl, bio, bio);
	return 0;
}

/* --- birth ---------------------------------------------------------------------------------------- */

/* Asks for `host`, and lets the verification insist on it. An address is not a name: it is no SNI. */
static int set_host(SSL *ssl, const char *host, bool check)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	size_t n = strlen(host);
	char name[NAME_MAX_LEN + 1];
	unsigned char raw[16];

	if (inet_pton(AF_INET, host, raw) == 1 || inet_pton(AF_INET6, host, raw) == 1)
		return !check || X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1 ? 0 : AFTP_ETLS;
	if (n > 0 && host[n - 1] == '.')
		n--;
	if (n == 0 || n > NAME_MAX_LEN)
		return AFTP_EINVAL;
	memcpy(name, host, n);
	name[n] = '\0';
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (check && X509_VERIFY_PARAM_set1_host(param, name, n) != 1)
		return AFTP_ETLS;
	return SSL_set_tlsext_host_name(ssl, name) == 1 ? 0 : AFTP_ETLS;
}

static int set_session(struct tls *t)
{
	SSL_SESSION *session = tls_sessions_take(t->sessions);
	int max = tls_version_number(tls_sessions_max(t->sessions));
	bool ok = (!session || SSL_set_session(t->ssl, session) == 1) &&
		(max == 0 || SSL_set_max_proto_version(t->ssl, max) == 1);

	SSL_SESSION_free(session);
	return ok ? 0 : AFTP_ETLS;
}

static int setup(struct tls *t, bool server, const char *host)
{
	int rc;

	ERR_clear_error();
	t->ssl = SSL_new(t->settings->ctx);
	rc = t->ssl ? make_bio(t) : AFTP_ETLS;
	if (rc < 0)
		return rc;
	SSL_set_app_data(t->ssl, t);
	SSL_set_mode(
		t->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_set_options(t->ssl, SSL_OP_NO_RENEGOTIATION);
	if (host)
		rc = set_host(t->ssl, host, t->settings->check_host);
	if (rc == 0 && t->sessions)
		rc = set_session(t);
	if (server)
		SSL_set_accept_state(t->ssl);
	else
		SSL_set_connect_state(t->ssl);
	return rc;
}

int tls_new(struct tls **out, struct aftp_tls *settings, bool server, const char *host,
	struct aftp_tls_sessions *sessions, size_t max)
{
	struct tls *t;
	int rc;

	if (settings->server != server)
		return AFTP_EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return AFTP_ENOMEM;
	t->settings = aftp_tls_ref(settings);
	if (sessions)
		t->sessions = aftp_tls_sessions_ref(sessions);
	buf_init(&t->in, max);
	buf_init(&t->out, max);
	rc = setup(t, server, host);
	if (rc < 0)
		tls_free(t);
	else
		*out = t;
	return rc;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	/* Else OpenSSL spoils the session for others who use it, for no better reason than a close without
	 * close_notify. After a real failure it has done so already. */
	if (t->ssl)
		SSL_set_shutdown(t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(t->ssl); /* and the BIO with it */
	BIO_meth_free(t->method);
	aftp_tls_sessions_unref(t->sessions);
	aftp_tls_unref(t->settings);
	buf_finish(&t->in);
	buf_finish(&t->out);
	free(t->why);
	free(t);
}

/* --- life ----------------------------------------------------------------------------------------- */

static bool certificate_refused(const SSL *ssl)
{
	if (!(SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER))
		return false;
	return SSL_get_verify_result(ssl) != X509_V_OK ||
		ERR_GET_REASON(ERR_peek_error()) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
}

static int failed(struct tls *t, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	tls_explain(t, "%s%s%s", what, reason ? ": " : "", reason ? reason : "");
	return AFTP_ETLS;
}

int tls_handshake(struct tls *t)
{
	int rc;

	ERR_clear_error();
	rc = SSL_do_handshake(t->ssl);
	if (rc == 1)
		return 1;
	if (SSL_get_error(t->ssl, rc) == SSL_ERROR_WANT_READ)
		return 0;
	rc = certificate_refused(t->ssl) ? AFTP_ECERT : AFTP_ETLS;
	(void)failed(t, "TLS handshake failed");
	return rc;
}

ssize_t tls_read(struct tls *t, char *buf, size_t n)
{
	size_t got = 0;

	/* A record holds 16 KiB at most: the reader gets many at a time. An error comes again at the next call. */
	while (got < n) {
		size_t took;
		int rc;

		ERR_clear_error();
		rc = SSL_read_ex(t->ssl, buf + got, n - got, &took);
		if (rc != 1) {
			int why = SSL_get_error(t->ssl, rc);

			if (got > 0)
				break;
			if (why == SSL_ERROR_WANT_READ)
				return 0;
			return why == SSL_ERROR_ZERO_RETURN ? AFTP_EOF : failed(t, "TLS failed");
		}
		got += took;
	}
	return (ssize_t)got;
}

ssize_t tls_write(struct tls *t, const char *data, size_t n)
{
	size_t took;

	/* A record must fit as a whole: half of one would bind us to the same bytes for the next call. */
	if (t->out.max - buf_len(&t->out) < RECORD_MAX)
		return 0;
	ERR_clear_error();
	if (SSL_write_ex(t->ssl, data, n, &took) != 1)
		return failed(t, "TLS failed");
	return (ssize_t)took;
}

int tls_bye(struct tls *t)
{
	ERR_clear_error();
	return SSL_shutdown(t->ssl) >= 0 ? 0 : failed(t, "TLS failed");
}

bool tls_pending(const struct tls *t)
{
	return buf_len(&t->in) > 0 || SSL_has_pending(t->ssl) || SSL_get_shutdown(t->ssl) & SSL_RECEIVED_SHUTDOWN;
}

bool tls_resumed(const struct tls *t)
{
	return SSL_session_reused(t->ssl) == 1 && (t->marked || !t->settings->server);
}
