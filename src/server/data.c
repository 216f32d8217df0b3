#include "server/data.h"

#include <aftp/log.h>
#include <aftp/status.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "server/session.h"

/* An address as 16 bytes, IPv4 mapped. */
static void address_bytes(const struct sockaddr_storage *ss, struct in6_addr *out)
{
	memset(out, 0, sizeof(*out));
	if (ss->ss_family == AF_INET6) {
		*out = ((const struct sockaddr_in6 *)ss)->sin6_addr;
	} else if (ss->ss_family == AF_INET) {
		out->s6_addr[10] = out->s6_addr[11] = 0xff;
		memcpy(out->s6_addr + 12, &((const struct sockaddr_in *)ss)->sin_addr, 4);
	}
}

static bool same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	struct in6_addr x, y;
	address_bytes(a, &x);
	address_bytes(b, &y);
	return memcmp(&x, &y, sizeof(x)) == 0;
}

static void on_listener_closed(uv_handle_t *h)
{
	struct session *s = h->data;
	free(h);
	session_release(s);
}

static void close_listener(struct session *s)
{
	if (s->data.listener)
		uv_close((uv_handle_t *)s->data.listener, on_listener_closed);
	s->data.listener = NULL;
}

static void release_session(void *arg)
{
	session_release(arg);
}

static void reset_stream(struct session *s, struct aftp_stream *stream)
{
	session_hold(s);
	aftp_stream_close(&stream, true, release_session, s);
}

static void handshake_run(struct delay_item *item)
{
	struct session *s = (struct session *)(void *)((char *)item - offsetof(struct session, data.handshake));
	data_ready_cb *cb = s->data.waiter;
	s->data.ready = true;
	s->data.waiter = NULL;
	if (cb)
		cb(s);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct session *s = listener->data;
	struct aftp_stream *stream = NULL;
	struct sockaddr_storage peer;
	if (status < 0 || !s->data.listener || aftp_stream_new(&stream, s->srv->loop) < 0)
		return;
	if (aftp_stream_accept(stream, listener) < 0 || aftp_stream_peer(stream, &peer) < 0 ||
		!same_address(&peer, &s->peer)) {
		aftp_log(&s->log, AFTP_LOG_WARN, "refused a data connection from another address");
		reset_stream(s, stream);
		return;
	}
	close_listener(s);
	s->srv->counters.data_connections++;
	s->data.stream = stream;
	s->data.handshake.run = handshake_run;
	uint64_t ms = (uint64_t)s->srv->faults.set.latency_ms * HANDSHAKE_LATENCIES;
	if (ms == 0)
		handshake_run(&s->data.handshake);
	else
		delay_add(s->srv->delay, &s->data.handshake, ms);
}

/* The fault: a port that was open a moment ago. */
static int refuse(struct session *s)
{
	close_listener(s);
	return 0;
}

int data_listen(struct session *s, uint16_t *port)
{
	struct sockaddr_storage addr = s->local;
	int len = sizeof(addr);
	uv_tcp_t *tcp;
	data_close(s);
	if (addr.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&addr)->sin6_port = 0;
	else
		((struct sockaddr_in *)&addr)->sin_port = 0;
	int rc = server_bind(s->srv->loop, (struct sockaddr *)&addr, &tcp);
	if (rc < 0)
		return rc;
	tcp->data = s;
	session_hold(s);
	s->data.listener = tcp;
	rc = uv_listen((uv_stream_t *)tcp, 4, on_connection);
	if (rc == 0)
		rc = uv_tcp_getsockname(tcp, (struct sockaddr *)&addr, &len);
	if (rc < 0) {
		close_listener(s);
		return rc;
	}
	*port = ntohs(addr.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&addr)->sin6_port
						 : ((struct sockaddr_in *)&addr)->sin_port);
	return s->srv->faults.set.refuse_data ? refuse(s) : 0;
}

bool data_pending(const struct session *s)
{
	return s->data.listener || s->data.stream;
}

void data_wait(struct session *s, data_ready_cb *cb)
{
	if (s->data.ready)
		cb(s);
	else
		s->data.waiter = cb;
}

struct aftp_stream *data_take(struct session *s)
{
	struct aftp_stream *stream = s->data.stream;
	s->data.stream = NULL;
	s->data.ready = false;
	return stream;
}

void data_close(struct session *s)
{
	close_listener(s);
	delay_remove(s->srv->delay, &s->data.handshake);
	s->data.waiter = NULL;
	if (s->data.stream)
		reset_stream(s, data_take(s));
}
