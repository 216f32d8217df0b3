/* wire_tls - how the control connection becomes a TLS connection. */
#include <aftp/status.h>
#include <openssl/ssl.h>

#include "client/wire.h"

static void on_tls(void *arg, int status)
{
	struct wire *w = arg;

	if (w->status < 0)
		return;
	if (status < 0) {
		wire_lose(w, status, aftp_stream_tls_error(w->stream));
		return;
	}
	aftp_log(&w->log, AFTP_LOG_DEBUG, "control connection: %s, %s", SSL_get_version(aftp_stream_ssl(w->stream)),
		SSL_get_cipher_name(aftp_stream_ssl(w->stream)));
	status = wire_listen(w);
	if (status < 0)
		wire_lose(w, status, "");
	else
		w->secure.cb(w->secure.arg);
}

int wire_tls_begin(struct wire *w)
{
	struct wire_secure *t = &w->secure;
	int rc;

	t->due = false;
	aftp_stream_read_stop(w->stream);
	/* Whoever is on the way could have put it there, and it would be taken for what the server says under TLS. */
	rc = buf_len(&w->in) > 0 ? AFTP_EPROTO
				 : aftp_stream_start_tls(w->stream, t->tls, t->host, t->sessions, on_tls, w);
	if (rc != AFTP_EPROTO)
		return rc;
	wire_lose(w, rc, "something came in the clear before TLS began");
	return 0;
}

void wire_secure(struct wire *w, struct aftp_tls *tls, struct aftp_tls_sessions *sessions, const char *host,
	wire_secured_cb *secured, void *arg)
{
	w->secure = (struct wire_secure){
		.due = true, .tls = tls, .sessions = sessions, .host = host, .cb = secured, .arg = arg
	};
}
