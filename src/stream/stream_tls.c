#include <sys/ioctl.h>

#include "stream/stream_io.h"

static int ended(int raw_end)
{
	return raw_end == AFTP_EOF ? AFTP_EINCOMPLETE : raw_end;
}

/* From then on nothing may pass, least of all unprotected. An alert for the peer is sent if it can be. */
static void failed(struct aftp_stream *s, int status)
{
	(void)stream_write_flush(s);
	stream_fail(s, status);
	stream_op_end(s, status);
}

void stream_tls_step(struct aftp_stream *s)
{
	int rc = tls_handshake(s->tls);
	int sent;

	if (rc < 0) {
		failed(s, rc);
		return;
	}
	sent = stream_write_flush(s);
	if (sent < 0) {
		failed(s, sent);
		return;
	}
	if (rc == 1) {
		stream_op_end(s, 0);
		return;
	}
	rc = s->rd.raw_end != 0 ? ended(s->rd.raw_end) : stream_read_watch(s);
	if (rc < 0)
		failed(s, rc);
}

bool stream_tls_pull(struct aftp_stream *s)
{
	struct stream_reader *rd = &s->rd;
	uint64_t grant = stream_read_want(s);
	size_t len;
	char *room;
	ssize_t n;

	if (!tls_pending(s->tls) && rd->raw_end == 0)
		return false;
	if (s->n_throttles > 0)
		grant = stream_throttle_grant(s, STREAM_READ, grant);
	room = grant > 0 ? stream_read_room(s, grant, &len) : NULL;
	if (!room)
		return false;
	n = tls_read(s->tls, room, len);
	(void)stream_write_flush(s); /* key updates are answered; an error shows in the next write */
	if (n > 0) {
		rd->total += (uint64_t)n;
		if (s->n_throttles > 0)
			stream_throttle_charge(s, STREAM_READ, (uint64_t)n);
		stream_read_landed(s, (size_t)n);
		return true;
	}
	if (n < 0)
		rd->end = (int)n;
	else if (rd->raw_end != 0)
		rd->end = ended(rd->raw_end);
	return rd->end != 0;
}

/* --- the calls ------------------------------------------------------------------------------------ */

/* A TLS server does not speak first: what a client finds in its socket before the handshake is not from TLS. */
static bool something_came(const struct aftp_stream *s, bool server)
{
	int fd, n = 0;

	if (buf_len(&s->rd.in) > 0)
		return true;
	if (server || uv_fileno((const uv_handle_t *)&s->tcp, &fd) < 0)
		return false;
	return ioctl(fd, FIONREAD, &n) == 0 && n > 0;
}

static int may_start(const struct aftp_stream *s, bool server)
{
	int rc = stream_usable(s);

	if (rc < 0)
		return rc;
	if (s->tls)
		return s->op.kind == OP_TLS ? AFTP_EBUSY : AFTP_EALREADY;
	if (s->op.kind != OP_NONE || s->rd.mode != READ_NONE || s->wr.active)
		return AFTP_EBUSY;
	if (s->wr.shut)
		return -EPIPE;
	if (s->wr.error < 0)
		return s->wr.error;
	if (something_came(s, server))
		return AFTP_EPROTO;
	return s->rd.end;
}

static int start(struct aftp_stream *s, struct aftp_tls *tls, bool server, const char *host,
	struct aftp_tls_sessions *sessions, aftp_stream_cb *cb, void *arg)
{
	int rc;

	if (!tls || !cb)
		return AFTP_EINVAL;
	rc = may_start(s, server);
	if (rc < 0)
		return rc;
	rc = tls_new(&s->tls, tls, server, host, sessions, STREAM_CHUNK_MAX * 2);
	if (rc < 0)
		return rc;
	(void)stream_op_begin(s, OP_TLS, cb, arg);
	stream_tls_step(s);
	return 0;
}

int aftp_stream_start_tls(struct aftp_stream *s, struct aftp_tls *tls, const char *host,
	struct aftp_tls_sessions *sessions, aftp_stream_cb *cb, void *arg)
{
	return start(s, tls, false, host, sessions, cb, arg);
}

int aftp_stream_accept_tls(
	struct aftp_stream *s, struct aftp_tls *tls, struct aftp_tls_sessions *sessions, aftp_stream_cb *cb, void *arg)
{
	return start(s, tls, true, NULL, sessions, cb, arg);
}

bool aftp_stream_tls_resumed(const struct aftp_stream *s)
{
	return s->tls && tls_resumed(s->tls);
}

const char *aftp_stream_tls_error(const struct aftp_stream *s)
{
	return s->tls && s->tls->why ? s->tls->why : "";
}

SSL *aftp_stream_ssl(const struct aftp_stream *s)
{
	return s->tls ? s->tls->ssl : NULL;
}
