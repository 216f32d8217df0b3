#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "stream/stream_io.h"

#define KEEPALIVE_MAX 32767 /* the kernel's */

static void on_kick(uv_idle_t *kick);

int aftp_stream_new(struct aftp_stream **out, uv_loop_t *loop)
{
	struct aftp_stream *s;
	int rc;

	if (!out || !loop)
		return AFTP_EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return AFTP_ENOMEM;
	rc = uv_tcp_init(loop, &s->tcp);
	if (rc < 0) {
		free(s);
		return rc;
	}
	s->loop = loop;
	uv_idle_init(loop, &s->kick);
	uv_timer_init(loop, &s->timer);
	s->tcp.data = s->kick.data = s->timer.data = s;
	s->handles = 3;
	s->rd.chunk = STREAM_CHUNK_MIN;
	s->rd.waiter.run = stream_read_wake;
	s->wr.waiter.run = stream_write_wake;
	buf_init(&s->wr.out, STREAM_OUT_MAX);
	stream_limit_init(s);
	*out = s;
	return 0;
}

int stream_usable(const struct aftp_stream *s)
{
	if (s->limits.expired)
		return AFTP_ETIMEDOUT;
	if (s->state == STREAM_FAILED)
		return s->failure;
	return s->state == STREAM_OPEN ? 0 : AFTP_ENOTCONN;
}

void stream_kick(struct aftp_stream *s, enum stream_due due)
{
	s->due |= due;
	uv_idle_start(&s->kick, on_kick);
}

void stream_unkick(struct aftp_stream *s, enum stream_due due)
{
	s->due &= ~due;
	if (s->due == 0)
		uv_idle_stop(&s->kick);
}

static void on_kick(uv_idle_t *kick)
{
	struct aftp_stream *s = kick->data;
	unsigned due = s->due;

	s->due = 0;
	uv_idle_stop(kick);
	if (due & DUE_WRITE) {
		stream_write_go(s);
		stream_write_settle(s);
	}
	if (due & DUE_OP && s->state != STREAM_CLOSING)
		stream_op_settle(s);
	if (due & DUE_READ && s->state != STREAM_CLOSING)
		stream_read_pump(s);
}

void stream_fail(struct aftp_stream *s, int status)
{
	s->state = STREAM_FAILED;
	s->failure = status;
	stream_read_unwatch(s);
}

/* --- connect, TLS or shutdown --------------------------------------------------------------------- */

int stream_op_begin(struct aftp_stream *s, enum stream_op_kind kind, aftp_stream_cb *cb, void *arg)
{
	if (!cb)
		return AFTP_EINVAL;
	if (s->op.kind != OP_NONE)
		return AFTP_EBUSY;
	s->op = (struct stream_op){ .kind = kind, .cb = cb, .arg = arg, .since = stream_limit_now() };
	stream_limit_watch(s);
	return 0;
}

void stream_op_end(struct aftp_stream *s, int status)
{
	if (s->op.kind == OP_NONE || s->op.done)
		return;
	s->op.done = true;
	s->op.status = status;
	stream_kick(s, DUE_OP);
}

void stream_op_settle(struct aftp_stream *s)
{
	struct stream_op op = s->op;

	if (!op.done)
		return;
	stream_unkick(s, DUE_OP);
	s->op = (struct stream_op){ 0 };
	op.cb(op.arg, op.status);
}

static int set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* The kernel's own numbers would take another eleven minutes after the first question. */
static int apply_keepalive(const struct aftp_stream *s, int fd)
{
	int delay = s->keepalive_s < KEEPALIVE_MAX ? (int)s->keepalive_s : KEEPALIVE_MAX;
	int rc = set_option(fd, SOL_SOCKET, SO_KEEPALIVE, delay > 0);

	if (rc < 0 || delay == 0)
		return rc;
	rc = set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, delay);
	if (rc == 0)
		rc = set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, delay > 4 ? delay / 4 : 1);
	return rc < 0 ? rc : set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

static int apply_options(struct aftp_stream *s)
{
	int fd;
	int rc = uv_fileno((uv_handle_t *)&s->tcp, &fd);

	if (rc == 0)
		rc = set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (rc < 0)
		return rc;
	/* Hints: the kernel has its own idea of what is possible. */
	if (s->recv_bytes > 0)
		(void)set_option(fd, SOL_SOCKET, SO_RCVBUF, s->recv_bytes);
	if (s->send_bytes > 0)
		(void)set_option(fd, SOL_SOCKET, SO_SNDBUF, s->send_bytes);
	if (s->unsent_bytes > 0)
		(void)set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, s->unsent_bytes);
	return apply_keepalive(s, fd);
}

static void on_connect(uv_connect_t *req, int status)
{
	struct aftp_stream *s = req->data;

	if (s->state != STREAM_CONNECTING) /* it came too late, or the stream is closing */
		return;
	if (status < 0)
		stream_fail(s, status);
	else
		s->state = STREAM_OPEN;
	stream_op_end(s, status);
	stream_op_settle(s);
}

/* Buffer sizes count for the window that SYN offers, so the socket is made and set up before. */
static int make_socket(struct aftp_stream *s, int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc;

	if (fd < 0)
		return -errno;
	rc = uv_tcp_open(&s->tcp, fd);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return apply_options(s);
}

int aftp_stream_connect(struct aftp_stream *s, const struct sockaddr *addr, aftp_stream_cb *cb, void *arg)
{
	int rc;

	if (!addr || !cb)
		return AFTP_EINVAL;
	if (s->limits.expired)
		return AFTP_ETIMEDOUT;
	if (s->state != STREAM_NEW)
		return s->state == STREAM_FAILED ? s->failure : AFTP_EBUSY;
	rc = make_socket(s, addr->sa_family);
	if (rc == 0) {
		s->connect_req.data = s;
		rc = uv_tcp_connect(&s->connect_req, &s->tcp, addr, on_connect);
	}
	if (rc < 0) {
		stream_fail(s, rc);
		return rc;
	}
	s->state = STREAM_CONNECTING;
	return stream_op_begin(s, OP_CONNECT, cb, arg);
}

int aftp_stream_accept(struct aftp_stream *s, uv_stream_t *listener)
{
	int rc;

	if (s->state != STREAM_NEW)
		return AFTP_EBUSY;
	rc = uv_accept(listener, (uv_stream_t *)&s->tcp);
	if (rc < 0)
		return rc;
	s->state = STREAM_OPEN;
	/* A peer that is gone already shows in the first read. */
	(void)apply_options(s);
	return 0;
}

/* --- options and facts ---------------------------------------------------------------------------- */

static bool has_socket(const struct aftp_stream *s)
{
	return s->state == STREAM_OPEN || s->state == STREAM_CONNECTING;
}

int aftp_stream_set_keepalive(struct aftp_stream *s, unsigned delay_s)
{
	s->keepalive_s = delay_s;
	return has_socket(s) ? apply_options(s) : 0;
}

int aftp_stream_set_buffers(struct aftp_stream *s, int recv_bytes, int send_bytes)
{
	if (recv_bytes < 0 || send_bytes < 0)
		return AFTP_EINVAL;
	if (recv_bytes > 0)
		s->recv_bytes = recv_bytes;
	if (send_bytes > 0)
		s->send_bytes = send_bytes;
	return has_socket(s) ? apply_options(s) : 0;
}

int aftp_stream_set_unsent(struct aftp_stream *s, int bytes)
{
	if (bytes < 0)
		return AFTP_EINVAL;
	if (bytes > 0)
		s->unsent_bytes = bytes;
	return has_socket(s) ? apply_options(s) : 0;
}

int aftp_stream_peer(const struct aftp_stream *s, struct sockaddr_storage *addr)
{
	int len = sizeof(*addr);

	return uv_tcp_getpeername(&s->tcp, (struct sockaddr *)addr, &len);
}

int aftp_stream_local(const struct aftp_stream *s, struct sockaddr_storage *addr)
{
	int len = sizeof(*addr);

	return uv_tcp_getsockname(&s->tcp, (struct sockaddr *)addr, &len);
}

uint64_t aftp_stream_bytes_read(const struct aftp_stream *s)
{
	return s->rd.total;
}

uint64_t aftp_stream_bytes_written(const struct aftp_stream *s)
{
	return s->wr.total;
}

/* --- the end -------------------------------------------------------------------------------------- */

static void cancel_op(struct aftp_stream *s)
{
	if (s->op.kind == OP_NONE)
		return;
	if (!s->op.done)
		s->op.status = AFTP_ECANCELED;
	s->op.done = true;
	stream_op_settle(s);
}

static void finish(struct aftp_stream *s)
{
	cancel_op(s);
	stream_finish_cancel(s);
	stream_read_cancel(s);
	stream_write_cancel(s);
	if (s->closed)
		s->closed(s->closed_arg);
	buf_finish(&s->rd.in);
	free(s->rd.block);
	buf_finish(&s->wr.out);
	tls_free(s->tls);
	free(s);
}

static void on_closed(uv_handle_t *handle)
{
	struct aftp_stream *s = handle->data;

	if (--s->handles == 0)
		finish(s);
}

void aftp_stream_close(struct aftp_stream **s, bool abort, void (*closed)(void *arg), void *arg)
{
	struct aftp_stream *old = *s;
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };
	int fd;

	*s = NULL;
	if (!old)
		return;
	stream_throttle_finish(old);
	/* uv_tcp_close_reset() would do the same. */
	if (abort && uv_fileno((uv_handle_t *)&old->tcp, &fd) == 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	old->state = STREAM_CLOSING;
	old->closed = closed;
	old->closed_arg = arg;
	uv_close((uv_handle_t *)&old->tcp, on_closed);
	uv_close((uv_handle_t *)&old->kick, on_closed);
	uv_close((uv_handle_t *)&old->timer, on_closed);
}
