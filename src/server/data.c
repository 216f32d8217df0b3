#include "server/data.h"

#include <aftp/log.h>
#include <aftp/status.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "server/address.h"
#include "server/play.h"
#include "server/session.h"
#include "server/transfer.h"

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

static void end_stream(struct session *s, struct aftp_stream *stream, bool abort)
{
	session_hold(s);
	aftp_stream_close(&stream, abort, release_session, s);
}

static void reset_stream(struct session *s, struct aftp_stream *stream)
{
	end_stream(s, stream, true);
}

static void tell_waiter(struct session *s, int status)
{
	data_ready_cb *cb = s->data.waiter;
	s->data.waiter = NULL;
	if (cb)
		cb(s, status);
}

static void unused_run(struct delay_item *item)
{
	struct session *s = (struct session *)(void *)((char *)item - offsetof(struct session, data.unused));
	session_reply(s, 421, "Data connection timed out.");
	session_leave(s);
}

static void handshake_run(struct delay_item *item)
{
	struct session *s = (struct session *)(void *)((char *)item - offsetof(struct session, data.handshake));
	s->data.unused.run = unused_run;
	if (s->srv->play->armed_times_out && s->srv->stall_ms > 0 && !s->data.waiter)
		delay_add(s->srv->delay, &s->data.unused, (uint64_t)s->srv->stall_ms);
	s->data.ready = true;
	if (s->data.waiter)
		tell_waiter(s, 0);
	else
		data_tls_listen(s);
}

/* The connection is made, as the kernel sees it. */
static void connected(struct session *s, unsigned latencies)
{
	uint64_t ms = (uint64_t)s->srv->faults.set.latency_ms * latencies;
	s->srv->counters.data_connections++;
	s->data.tls = DATA_TLS_NONE;
	s->data.handshake.run = handshake_run;
	if (ms == 0)
		handshake_run(&s->data.handshake);
	else
		delay_add(s->srv->delay, &s->data.handshake, ms);
}

/* --- passive --------------------------------------------------------------------------------------- */

static void on_connection(uv_stream_t *listener, int status)
{
	struct session *s = listener->data;
	struct aftp_stream *stream = NULL;
	struct sockaddr_storage peer;
	if (status < 0 || !s->data.listener || aftp_stream_new(&stream, s->srv->loop) < 0)
		return;
	/* Who is gone already cannot be asked: the transfer will find out, and nobody waits for another connection. */
	if (aftp_stream_accept(stream, listener) < 0 ||
		(!s->srv->foreign_data && aftp_stream_peer(stream, &peer) == 0 && !address_same(&peer, &s->peer))) {
		aftp_log(&s->log, AFTP_LOG_WARN, "refused a data connection from another address");
		reset_stream(s, stream);
		return;
	}
	if (s->data.stream) { /* where the port stays open */
		end_stream(s, stream, false);
		return;
	}
	if (!s->srv->play->old_port_stays)
		close_listener(s);
	s->data.stream = stream;
	connected(s, HANDSHAKE_LATENCIES);
}

/* The fault: a port that was open a moment ago. */
static int refuse(struct session *s)
{
	close_listener(s);
	return 0;
}

static int listen_on(struct session *s, struct sockaddr_storage *addr)
{
	uv_tcp_t *tcp;
	int len = sizeof(*addr), rc = server_bind(s->srv->loop, (struct sockaddr *)addr, &tcp);
	if (rc < 0)
		return rc;
	tcp->data = s;
	session_hold(s);
	s->data.listener = tcp;
	rc = uv_listen((uv_stream_t *)tcp, 4, on_connection);
	if (rc == 0)
		rc = uv_tcp_getsockname(tcp, (struct sockaddr *)addr, &len);
	if (rc < 0)
		close_listener(s);
	return rc;
}

/* The next of the range that nobody has; any when there is no range. */
static int listen_in_range(struct session *s, struct sockaddr_storage *addr)
{
	struct aftp_server *srv = s->srv;
	unsigned count = srv->ports[1] ? srv->ports[1] - srv->ports[0] + 1u : 1;
	int rc = -EADDRINUSE;
	for (unsigned i = 0; i < count && rc == -EADDRINUSE; i++) {
		address_set_port(addr, (uint16_t)(srv->ports[1] ? srv->ports[0] + srv->next_port % count : 0));
		srv->next_port++;
		rc = listen_on(s, addr);
	}
	return rc;
}

/* What a new port puts out of use. */
static void data_drop(struct session *s)
{
	bool fin = s->srv->play->old_data_fin;
	delay_remove(s->srv->delay, &s->data.handshake);
	delay_remove(s->srv->delay, &s->data.unused);
	if (s->data.stream)
		end_stream(s, data_take(s), !fin);
}

static void data_replace(struct session *s)
{
	if (s->loose && s->srv->play->epsv_kills)
		transfer_vanish(s);
	data_drop(s);
	data_close(s);
}

int data_listen(struct session *s, uint16_t *port)
{
	struct sockaddr_storage addr = s->local;
	int len = sizeof(addr);
	if (s->srv->play->old_port_stays && s->data.listener) {
		data_drop(s);
		*port = 0;
		int rc = uv_tcp_getsockname(s->data.listener, (struct sockaddr *)&addr, &len);
		*port = rc == 0 ? address_port(&addr) : 0;
		return rc;
	}
	data_replace(s);
	int rc = listen_in_range(s, &addr);
	if (rc < 0)
		return rc;
	*port = address_port(&addr);
	bool refused = s->srv->faults.set.refuse_data || (s->rule && s->rule->act == AFTP_ACT_REFUSE_DATA);
	return refused ? refuse(s) : 0;
}

/* --- active ---------------------------------------------------------------------------------------- */

void data_target(struct session *s, const struct sockaddr_storage *target)
{
	data_replace(s);
	s->data.target = *target;
}

static void on_connected(void *arg, int status)
{
	struct session *s = arg;
	if (status == 0) {
		connected(s, DIAL_LATENCIES);
	} else if (status != AFTP_ECANCELED) {
		reset_stream(s, data_take(s));
		tell_waiter(s, status);
	}
	session_release(s);
}

static int dial(struct session *s)
{
	struct aftp_stream *stream = NULL;
	int rc = aftp_stream_new(&stream, s->srv->loop);
	if (rc < 0)
		return rc;
	aftp_stream_set_timeouts(stream, s->srv->data_ms, -1, -1, -1);
	session_hold(s);
	rc = aftp_stream_connect(stream, (struct sockaddr *)&s->data.target, on_connected, s);
	s->data.target.ss_family = 0;
	if (rc < 0) {
		reset_stream(s, stream);
		session_release(s);
		return rc;
	}
	s->data.stream = stream;
	return 0;
}

/* --- for transfers --------------------------------------------------------------------------------- */

bool data_pending(const struct session *s)
{
	return s->data.listener || s->data.stream || s->data.target.ss_family;
}

void data_wait(struct session *s, data_ready_cb *cb)
{
	s->data.waiter = cb;
	int rc = s->data.target.ss_family ? dial(s) : 0;
	if (rc < 0 || s->data.ready)
		tell_waiter(s, rc);
}

struct aftp_stream *data_take(struct session *s)
{
	struct aftp_stream *stream = s->data.stream;
	data_tls_silence(s);
	s->data.stream = NULL;
	s->data.ready = false;
	delay_remove(s->srv->delay, &s->data.unused);
	return stream;
}

void data_close(struct session *s)
{
	close_listener(s);
	delay_remove(s->srv->delay, &s->data.handshake);
	delay_remove(s->srv->delay, &s->data.unused);
	s->data.waiter = NULL;
	s->data.target.ss_family = 0;
	if (s->data.stream)
		reset_stream(s, data_take(s));
}
