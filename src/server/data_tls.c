#include <aftp/status.h>
#include <stddef.h>

#include "server/data.h"
#include "server/session.h"
#include "server/transfer.h"

/* Not taken yet: the result waits. Else a transfer waits for it. Closed: nobody does. */
static void on_early(void *arg, int status)
{
	struct session *s = arg;
	if (status == AFTP_ECANCELED) {
		session_release(s);
	} else if (s->data.stream == s->data.early) {
		s->data.tls = DATA_TLS_DONE;
		s->data.tls_status = status;
		session_release(s);
	} else {
		transfer_secured(s, status);
	}
}

static void hello_run(struct delay_item *item)
{
	struct session *s = (struct session *)(void *)((char *)item - offsetof(struct session, data.hello));
	struct aftp_stream *stream = s->data.stream;
	data_tls_silence(s);
	aftp_stream_set_timeouts(stream, s->srv->data_ms, -1, -1, -1);
	session_hold(s);
	int rc = aftp_stream_accept_tls(stream, s->srv->tls, s->tls_sessions, on_early, s);
	if (rc < 0) { /* a transfer will try, and say what is wrong */
		session_release(s);
		return;
	}
	/* What it will be for is not known: see transfer.c. */
	SSL_set_num_tickets(aftp_stream_ssl(stream), 0);
	s->data.tls = DATA_TLS_RUNNING;
	s->data.early = stream;
}

/* Called when there is something to read. It is left where it is. */
static char *came(void *arg, size_t *len)
{
	struct session *s = arg;
	(void)len;
	s->data.hello.run = hello_run;
	delay_remove(s->srv->delay, &s->data.hello);
	delay_add(s->srv->delay, &s->data.hello, 0);
	return NULL;
}

/* Whoever takes the connection sees for himself. */
static void ended(void *arg, ssize_t n)
{
	(void)arg;
	(void)n;
}

void data_tls_listen(struct session *s)
{
	if (s->private && s->data.stream)
		s->data.listening = aftp_stream_read_start(s->data.stream, came, ended, s) == 0;
}

void data_tls_silence(struct session *s)
{
	delay_remove(s->srv->delay, &s->data.hello);
	if (s->data.listening && s->data.stream)
		aftp_stream_read_stop(s->data.stream);
	s->data.listening = false;
}
