#include "lib/secured.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <cmocka.h>

#include <aftp/status.h>

#include "lib/scripted.h"
#include "stream/stream_io.h"

enum { LINGER_MS = 30000 };

static void advance(struct secured *s);

static void trouble(struct secured *s, const char *what, const char *text)
{
	if (!s->trouble[0])
		snprintf(s->trouble, sizeof(s->trouble), "step %zu: %s: %.150s", s->at, what, text);
}

static void note(struct secured *s, const char *line)
{
	size_t at = strlen(s->commands);

	snprintf(s->commands + at, sizeof(s->commands) - at, "%s\n", line);
}

/* The step that was waited for is done. A stream that is closed meanwhile calls back with AFTP_ECANCELED. */
static void went_on(struct secured *s)
{
	s->waiting = false;
	s->at++;
	advance(s);
}

/* --- steps that take time -------------------------------------------------------------------------- */

static void on_done(void *arg, int status)
{
	if (status != AFTP_ECANCELED)
		went_on(arg);
}

struct sending {
	struct secured *s;
	char bytes[];
};

static void on_sent(void *arg, int status)
{
	struct sending *m = arg;
	struct secured *s = m->s;

	free(m);
	on_done(s, status);
}

static struct sending *new_sending(struct secured *s, size_t n)
{
	struct sending *m = malloc(sizeof(*m) + n);

	assert_non_null(m);
	m->s = s;
	return m;
}

static int send_off(struct aftp_stream *stream, struct sending *m, size_t n)
{
	int rc = aftp_stream_write(stream, m->bytes, n, on_sent, m);

	if (rc < 0)
		free(m);
	return rc;
}

static void on_tls(void *arg, int status)
{
	struct secured *s = arg;

	if (status == AFTP_ECANCELED)
		return;
	s->tls_status = status;
	if (status == 0)
		note(s, s->data ? "[data TLS]" : "[TLS]");
	if (status == 0 && s->data && aftp_stream_tls_resumed(s->data))
		s->resumed++;
	if (status < 0 && !s->data)
		aftp_stream_close(&s->control, false, NULL, NULL);
	else
		went_on(s);
}

/* "EPRT |1|127.0.0.1|6446|" or "PORT 127,0,0,1,25,46" */
static void note_port(struct secured *s, const char *line)
{
	unsigned a, b;

	if (sscanf(line, "EPRT |1|127.0.0.1|%u|", &a) == 1)
		s->client_port = (uint16_t)a;
	else if (sscanf(line, "PORT 127,0,0,1,%u,%u", &a, &b) == 2)
		s->client_port = (uint16_t)(a * 256 + b);
}

static void on_line(void *arg, ssize_t n, const char *line)
{
	struct secured *s = arg;
	const char *want = s->script[s->at].text;
	char text[512];

	if (n < 0)
		return;
	snprintf(text, sizeof(text), "%.*s", (int)n, line);
	note(s, text);
	note_port(s, text);
	if (strncmp(text, want, strlen(want)) != 0)
		trouble(s, want, text);
	went_on(s);
}

static void on_taken(void *arg, ssize_t n, const char *data)
{
	struct secured *s = arg;

	if (n == AFTP_ECANCELED)
		return;
	for (ssize_t i = 0; i < n; i++)
		if ((unsigned char)data[i] != scripted_byte(s->data_bytes++))
			trouble(s, "wrong data", "");
	if (n > 0 && aftp_stream_read(s->data, s->land, sizeof(s->land), on_taken, s) == 0)
		return;
	s->data_end = (int)n;
	went_on(s);
}

static void on_ended(void *arg, int status)
{
	struct secured *s = arg;

	if (status == AFTP_ECANCELED)
		return;
	aftp_stream_close(&s->data, false, NULL, NULL);
	went_on(s);
}

static int say(struct secured *s, const char *text)
{
	size_t size = strlen(text) + 64;
	const char *port = strstr(text, "%E");

	struct sending *m = new_sending(s, size);

	if (port)
		snprintf(m->bytes, size, "%.*s|||%u|%s", (int)(port - text), text, s->data_port, port + 2);
	else
		snprintf(m->bytes, size, "%s", text);
	return send_off(s->control, m, strlen(m->bytes));
}

static int send_data(struct secured *s, const char *text, size_t n)
{
	struct sending *m = new_sending(s, n);

	if (text)
		memcpy(m->bytes, text, n);
	for (size_t i = 0; !text && i < n; i++)
		m->bytes[i] = (char)scripted_byte(s->position++);
	return send_off(s->data, m, n);
}

static int connect_back(struct secured *s)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(s->client_port) };

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	aftp_stream_close(&s->data, true, NULL, NULL);
	assert_int_equal(aftp_stream_new(&s->data, s->loop), 0);
	return aftp_stream_connect(s->data, (struct sockaddr *)&addr, on_done, s);
}

/* Somebody else, from another address, comes first; how that ends is looked at later. */
static void intrude(struct secured *s)
{
	struct sockaddr_in from = { .sin_family = AF_INET }, to = { .sin_family = AF_INET };
	struct timeval patience = { .tv_sec = 60 };

	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons(s->client_port);
	s->intruder = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(s->intruder, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(bind(s->intruder, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(s->intruder, (struct sockaddr *)&to, sizeof(to)), 0);
}

/* --- the script ------------------------------------------------------------------------------------ */

static void on_data_connection(uv_stream_t *listener, int status)
{
	struct secured *s = listener->data;

	if (status < 0)
		return;
	aftp_stream_close(&s->data, true, NULL, NULL);
	assert_int_equal(aftp_stream_new(&s->data, s->loop), 0);
	assert_int_equal(aftp_stream_accept(s->data, listener), 0);
	if (s->waiting && s->script[s->at].kind == SECURED_ACCEPT)
		went_on(s);
}

static uint16_t listen_on(uv_loop_t *loop, uv_tcp_t *tcp, uv_connection_cb cb, void *data)
{
	struct sockaddr_in addr;
	int len = sizeof(addr);

	assert_int_equal(uv_tcp_init(loop, tcp), 0);
	tcp->data = data;
	assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &addr), 0);
	assert_int_equal(uv_tcp_bind(tcp, (struct sockaddr *)&addr, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)tcp, 16, cb), 0);
	assert_int_equal(uv_tcp_getsockname(tcp, (struct sockaddr *)&addr, &len), 0);
	return ntohs(addr.sin_port);
}

/* Steps that are done at once. */
static int bytes_waiting(const struct aftp_stream *data)
{
	int fd, n = 0;

	assert_int_equal(uv_fileno((const uv_handle_t *)&data->tcp, &fd), 0);
	assert_int_equal(ioctl(fd, FIONREAD, &n), 0);
	return n;
}

static void do_step(struct secured *s, const struct secured_step *step)
{
	switch (step->kind) {
	case SECURED_LISTEN: aftp_stream_close(&s->data, true, NULL, NULL); break;
	case SECURED_CUT_DATA: aftp_stream_close(&s->data, false, NULL, NULL); break;
	case SECURED_QUIET:
		if (bytes_waiting(s->data) > 0)
			trouble(s, "data came too early", "");
		break;
	case SECURED_SEEK: s->position = (uint64_t)step->n; break;
	case SECURED_INTRUDE: intrude(s); break;
	case SECURED_CLOSE: aftp_stream_close(&s->control, false, NULL, NULL); break;
	case SECURED_UNLESS_RESUMED:
		if (!s->data || !aftp_stream_tls_resumed(s->data))
			s->at = (size_t)step->n - 1;
		break;
	case SECURED_GO_TO: s->at = (size_t)step->n - 1; break;
	default: break;
	}
}

/* 0: it is under way; 1: there is nothing to wait for; < 0: it cannot be done. */
static int begin_step(struct secured *s, const struct secured_step *step)
{
	switch (step->kind) {
	case SECURED_WANT: return aftp_stream_read_line(s->control, 4096, on_line, s);
	case SECURED_SAY: return say(s, step->text);
	case SECURED_TLS: return aftp_stream_accept_tls(s->control, s->tls, s->sessions, on_tls, s);
	case SECURED_ACCEPT: return s->data ? 1 : 0;
	case SECURED_CONNECT: return connect_back(s);
	case SECURED_DATA_TLS: return aftp_stream_accept_tls(s->data, s->tls, s->sessions, on_tls, s);
	case SECURED_FILL: return send_data(s, NULL, (size_t)step->n);
	case SECURED_DATA: return send_data(s, step->text, strlen(step->text));
	case SECURED_END_DATA: return aftp_stream_finish(s->data, LINGER_MS, on_ended, s);
	case SECURED_TAKE_ALL: return aftp_stream_read(s->data, s->land, sizeof(s->land), on_taken, s);
	default: return 1;
	}
}

static void advance(struct secured *s)
{
	if (s->busy || s->waiting)
		return;
	s->busy = true;
	while (s->script[s->at].kind != SECURED_END && s->control) {
		const struct secured_step *step = &s->script[s->at];
		int rc = begin_step(s, step);

		if (rc == 0) {
			s->waiting = true;
			break;
		}
		if (rc < 0)
			trouble(s, "a step cannot be done", aftp_err_name(rc));
		do_step(s, step);
		s->at++;
	}
	s->finished = s->script[s->at].kind == SECURED_END;
	s->busy = false;
}

/* --- control connections --------------------------------------------------------------------------- */

static void drop(struct secured *s)
{
	aftp_stream_close(&s->control, false, NULL, NULL);
	aftp_stream_close(&s->data, false, NULL, NULL);
	aftp_tls_sessions_unref(s->sessions);
	s->sessions = NULL;
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct secured *s = listener->data;

	if (status < 0)
		return;
	drop(s);
	assert_int_equal(aftp_tls_sessions_new(&s->sessions), 0);
	assert_int_equal(aftp_stream_new(&s->control, s->loop), 0);
	assert_int_equal(aftp_stream_accept(s->control, listener), 0);
	s->connections++;
	s->at = 0;
	s->position = 0;
	s->waiting = s->finished = false;
	advance(s);
}

void secured_start(struct secured *s, uv_loop_t *loop, const struct secured_step *script, struct aftp_tls *tls)
{
	memset(s, 0, sizeof(*s));
	s->loop = loop;
	s->script = script;
	s->tls = aftp_tls_ref(tls);
	s->port = listen_on(loop, &s->listener, on_connection, s);
	s->data_port = listen_on(loop, &s->data_listener, on_data_connection, s);
}

void secured_stop(struct secured *s)
{
	drop(s);
	aftp_tls_unref(s->tls);
	if (s->intruder > 0)
		close(s->intruder);
	uv_close((uv_handle_t *)&s->listener, NULL);
	uv_close((uv_handle_t *)&s->data_listener, NULL);
}
