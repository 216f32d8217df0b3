#include "server/session.h"

#include <aftp/status.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utlist.h>

#include "server/dispatch.h"
#include "server/format.h"
#include "server/hash.h"
#include "server/transfer.h"

enum { BACKLOG_CAP = 64 << 10, KEEPALIVE_S = 60 };

/* --- holds ----------------------------------------------------------------------------------------- */

static void session_free(struct session *s)
{
	struct aftp_server *srv = s->srv;
	DL_DELETE(srv->sessions, s);
	srv->counters.sessions_now--;
	aftp_stream_throttle_unref(&s->throttle);
	aftp_stream_throttle_unref(&s->user_throttle);
	aftp_tls_sessions_unref(s->tls_sessions);
	free(s->login_name);
	free(s->cwd);
	free(s->path);
	free(s->rename_from);
	free(s->copy_from);
	free(s->held);
	free(s);
	server_release(srv);
}

void session_hold(struct session *s)
{
	s->holds++;
}

void session_release(struct session *s)
{
	if (--s->holds == 0)
		session_free(s);
}

bool session_back(struct session *s)
{
	bool alive = s->state != SESSION_DEAD;
	session_release(s);
	return alive;
}

static void release_session(void *arg)
{
	session_release(arg);
}

static void on_idle_closed(uv_handle_t *h)
{
	session_release(h->data);
}

static void session_drained(struct session *s);

void session_stick(struct session *s)
{
	s->stuck = true;
	session_run(s);
}

/* Its place among the user's connections is free again. */
static void forget_user(struct session *s)
{
	if (s->user_counted)
		s->user->connections--;
	s->user_counted = false;
}

void session_kill(struct session *s, bool abort)
{
	if (s->state == SESSION_DEAD)
		return;
	s->state = SESSION_DEAD;
	if (s->counted)
		s->srv->open_sessions--;
	forget_user(s);
	aftp_log(&s->log, AFTP_LOG_INFO, "session ended");
	delay_remove(s->srv->delay, &s->greeting);
	delay_remove(s->srv->delay, &s->pause);
	data_close(s);
	transfer_kill(s);
	session_drained(s);
	session_hold(s);
	control_close(&s->control, abort, release_session, s);
	uv_close((uv_handle_t *)&s->idle, on_idle_closed);
}

void session_when_drained(struct session *s, void (*fn)(void *arg), void *arg)
{
	s->drained = fn;
	s->drained_arg = arg;
}

static void session_drained(struct session *s)
{
	void (*fn)(void *arg) = s->drained;
	s->drained = NULL;
	if (fn)
		fn(s->drained_arg);
}

void session_leave_on(struct session *s)
{
	if (s->state == SESSION_LEAVING && control_backlog(s->control) == 0 && !s->senders)
		session_kill(s, false);
}

void session_leave(struct session *s)
{
	if (s->state >= SESSION_LEAVING)
		return;
	s->state = SESSION_LEAVING;
	control_deafen(s->control);
	session_leave_on(s);
}

/* --- idle ------------------------------------------------------------------------------------------ */

static void on_idle(uv_timer_t *timer)
{
	struct session *s = timer->data;
	if ((s->cmd || s->loose) && !s->stuck)
		return; /* its end starts the timer anew */
	if (s->stuck) {
		session_kill(s, true);
		return;
	}
	session_reply(s, 421, "Timeout.");
	session_leave(s);
}

static void restart_idle(struct session *s)
{
	if (s->srv->idle_ms > 0 && s->state != SESSION_DEAD)
		uv_timer_start(&s->idle, on_idle, (uint64_t)s->srv->idle_ms, 0);
}

void session_end_silently(struct session *s)
{
	s->cmd = NULL;
	s->stuck = false;
	free(s->path);
	s->path = NULL;
	restart_idle(s);
	session_run(s);
}

void session_loosen(struct session *s)
{
	s->loose = true;
	s->cmd = NULL;
}

void session_transfer_ended(struct session *s)
{
	if (!s->loose) {
		session_end_silently(s);
		return;
	}
	s->loose = false;
	s->stuck = s->stuck && s->cmd;
	restart_idle(s);
	session_run(s);
}

/* --- login ----------------------------------------------------------------------------------------- */

void session_login_reset(struct session *s)
{
	free(s->login_name);
	forget_user(s);
	aftp_stream_throttle_unref(&s->user_throttle);
	s->user_throttle = (struct aftp_stream_throttle){ 0 };
	s->login_name = NULL;
	s->user = NULL;
	s->login = LOGIN_NONE;
	free(s->cwd);
	s->cwd = NULL;
	s->type = 'A';
	s->facts = FACT_ALL;
	s->hash = hash_kind_find("SHA-256");
	s->epsv_all = false;
	data_close(s);
}

static void pause_run(struct delay_item *item)
{
	struct session *s = (struct session *)(void *)((char *)item - offsetof(struct session, pause));
	s->after_pause(s);
}

void session_pause(struct session *s, uint64_t ms, void (*fn)(struct session *s))
{
	s->pause.run = pause_run;
	s->after_pause = fn;
	delay_add(s->srv->delay, &s->pause, ms);
}

/* --- commands -------------------------------------------------------------------------------------- */

static bool session_step(struct session *s)
{
	const char *line;
	size_t len;
	if (s->state >= SESSION_LEAVING)
		return false;
	enum control_line next = control_next(s->control, &line, &len);
	if (next == CONTROL_EOF && s->stuck)
		session_kill(s, false);
	else if (next == CONTROL_EOF && s->state == SESSION_OPEN && !s->cmd && !s->loose)
		session_leave(s);
	if (next == CONTROL_NONE || next == CONTROL_EOF || s->state != SESSION_OPEN ||
		control_backlog(s->control) > BACKLOG_CAP)
		return false;
	if (s->cmd && s->loose)
		return false;
	if (s->cmd || s->loose)
		return next == CONTROL_LINE && dispatch_in_transfer(s, line, len);
	if (next == CONTROL_TOO_LONG) {
		control_consume(s->control);
		s->srv->counters.unknown++;
		if (dispatch_counts(s))
			session_end(s, 500, "Line too long.");
		return true;
	}
	dispatch_line(s, line, len);
	return true;
}

void session_run(struct session *s)
{
	if (s->looping)
		return;
	s->looping = true;
	session_hold(s);
	while (session_step(s))
		;
	s->looping = false;
	session_release(s);
}

static void on_control(void *arg, enum control_event event)
{
	struct session *s = arg;
	switch (event) {
	case CONTROL_ARRIVED:
		if (s->state == SESSION_OPEN && !s->cmd && !s->loose && !control_owes(s->control))
			s->srv->counters.turns++;
		break;
	case CONTROL_INPUT:
		s->arrived = true;
		session_run(s);
		break;
	case CONTROL_DRAINED:
		session_drained(s);
		session_leave_on(s);
		session_run(s);
		break;
	case CONTROL_GONE:
	case CONTROL_CUT: session_kill(s, true); break;
	}
}

/* --- the beginning --------------------------------------------------------------------------------- */

static void greet(struct session *s)
{
	enum babble babble = faults_babble(&s->srv->faults, NULL);
	uint32_t max = s->srv->max_connections;
	if (max > 0 && s->srv->open_sessions >= max) {
		s->srv->counters.refused++;
		session_reply(s, 421, "Too many connections, please try again later.");
		session_leave(s);
		return;
	}
	s->counted = true;
	s->srv->open_sessions++;
	if (babble != BABBLE_NONE) {
		control_babble(s->control, babble);
		session_stick(s);
		return;
	}
	s->state = SESSION_OPEN;
	session_text(s, 220, s->srv->welcome);
	restart_idle(s);
	session_run(s);
}

static void start_greeting(struct session *s)
{
	uint64_t ms = (uint64_t)s->srv->faults.set.latency_ms * HANDSHAKE_LATENCIES;
	if (ms == 0)
		greet(s);
	else
		delay_add(s->srv->delay, &s->greeting, ms);
}

static void greeting_run(struct delay_item *item)
{
	greet((struct session *)(void *)((char *)item - offsetof(struct session, greeting)));
}

static struct session *session_new(struct aftp_server *srv)
{
	struct session *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->srv = srv;
	if (uv_timer_init(srv->loop, &s->idle) < 0) {
		free(s);
		return NULL;
	}
	s->idle.data = s;
	s->holds = 1; /* of the idle timer */
	s->id = ++srv->last_id;
	s->log = srv->log;
	snprintf(s->log.prefix, sizeof(s->log.prefix), "session %llu: ", (unsigned long long)s->id);
	s->greeting.run = greeting_run;
	session_login_reset(s);
	DL_APPEND(srv->sessions, s);
	srv->holds++;
	srv->counters.sessions++;
	srv->counters.sessions_now++;
	return s;
}

/* A session without a control connection: what session_kill() does for the others. */
static void session_stillborn(struct session *s)
{
	s->state = SESSION_DEAD;
	uv_close((uv_handle_t *)&s->idle, on_idle_closed);
}

static void on_secured(void *arg, int status)
{
	struct session *s = arg;
	if (status < 0) {
		aftp_log(&s->log, AFTP_LOG_INFO, "no TLS: %s", aftp_strerror(status));
		session_kill(s, true);
		return;
	}
	s->secure = true;
	s->secured(s);
}

void session_secure(struct session *s, void (*done)(struct session *s))
{
	s->secured = done;
	int rc = s->tls_sessions ? 0 : aftp_tls_sessions_new(&s->tls_sessions);
	if (rc == 0)
		rc = control_start_tls(s->control, s->srv->tls, s->tls_sessions, on_secured);
	if (rc < 0)
		on_secured(s, rc);
}

static int session_begin(struct session *s, struct aftp_stream *stream, bool tls)
{
	int rc = aftp_stream_peer(stream, &s->peer);
	if (rc == 0)
		rc = aftp_stream_local(stream, &s->local);
	if (rc == 0)
		rc = control_new(&s->control, s->srv, stream, on_control, s);
	if (rc < 0)
		return rc;
	aftp_stream_set_keepalive(stream, KEEPALIVE_S);
	restart_idle(s);
	s->private = tls;
	if (tls)
		session_secure(s, start_greeting);
	else
		start_greeting(s);
	return 0;
}

void session_accept(struct aftp_server *srv, uv_stream_t *listener, bool tls)
{
	struct aftp_stream *stream = NULL;
	struct session *s = NULL;
	int rc = aftp_stream_new(&stream, srv->loop);
	if (rc == 0)
		rc = aftp_stream_accept(stream, listener);
	if (rc == 0)
		rc = (s = session_new(srv)) ? session_begin(s, stream, tls) : AFTP_ENOMEM;
	if (rc == 0)
		return;
	aftp_log(&srv->log, AFTP_LOG_WARN, "cannot take a connection: %s", aftp_strerror(rc));
	aftp_stream_close(&stream, true, NULL, NULL);
	if (s)
		session_stillborn(s);
}
