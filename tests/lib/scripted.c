#include "lib/scripted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <utlist.h>

enum { DRIP_MAX = 4096 };

struct scripted_peer {
	uv_tcp_t tcp;
	struct scripted *s; /* NULL: of no interest any more */
	char land[65536];
	unsigned writing;
	struct write *dripping; /* what leaves byte by byte; the first of them is on its way */
	bool ended;             /* the client has ended its side */
	bool closing;           /* as soon as nothing is being written */
	bool reading;
};

struct write {
	uv_write_t req;
	struct scripted_peer *peer;
	struct write *prev, *next; /* scripted_peer::dripping */
	size_t at, len;
	char bytes[];
};

static void advance(struct scripted *s);
static void take_client(struct scripted *s);

unsigned char scripted_byte(uint64_t position)
{
	return (unsigned char)(position * 31 + (position >> 8) * 7 + (position >> 16));
}

static void trouble(struct scripted *s, const char *what, const char *text)
{
	if (!s->trouble[0])
		snprintf(s->trouble, sizeof s->trouble, "step %zu: %s: %.150s", s->at, what, text);
}

/* --- peers ---------------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void peer_forget(struct scripted_peer **p)
{
	if (*p)
		(*p)->s = NULL;
	*p = NULL;
}

static void peer_close(struct scripted_peer **p)
{
	struct scripted_peer *old = *p;

	peer_forget(p);
	if (old && !uv_is_closing((uv_handle_t *)&old->tcp))
		uv_close((uv_handle_t *)&old->tcp, on_closed);
}

static void peer_reset(struct scripted_peer **p)
{
	struct scripted_peer *old = *p;

	peer_forget(p);
	if (old && !uv_is_closing((uv_handle_t *)&old->tcp) && uv_tcp_close_reset(&old->tcp, on_closed) < 0)
		uv_close((uv_handle_t *)&old->tcp, on_closed);
}

/* What was written still goes out. */
static void peer_end(struct scripted_peer **p)
{
	struct scripted_peer *old = *p;

	if (!old)
		return;
	if (old->writing == 0) {
		peer_close(p);
		return;
	}
	old->closing = true;
	peer_forget(p);
}

static void wrote(struct write *w, int status)
{
	struct scripted_peer *p = w->peer;
	struct scripted *s = p->s;

	free(w);
	p->writing--;
	if (p->closing && p->writing == 0 && !uv_is_closing((uv_handle_t *)&p->tcp))
		uv_close((uv_handle_t *)&p->tcp, on_closed);
	if (s && s->flooding && p == s->control && status == 0)
		advance(s);
}

static void on_wrote(uv_write_t *req, int status)
{
	wrote((struct write *)req, status);
}

static void drip(struct scripted_peer *p);

static void on_dripped(uv_write_t *req, int status)
{
	struct write *w = (struct write *)req;
	struct scripted_peer *p = w->peer;

	if (status == 0 && ++w->at < w->len) {
		drip(p);
		return;
	}
	DL_DELETE(p->dripping, w);
	if (p->dripping)
		drip(p);
	wrote(w, status);
}

static void drip(struct scripted_peer *p)
{
	struct write *w = p->dripping;
	uv_buf_t buf = uv_buf_init(w->bytes + w->at, 1);

	if (uv_write(&w->req, (uv_stream_t *)&p->tcp, &buf, 1, on_dripped) == 0)
		return;
	DL_DELETE(p->dripping, w);
	if (p->dripping)
		drip(p);
	wrote(w, UV_ECANCELED);
}

static void peer_write(struct scripted_peer *p, const char *bytes, size_t n, bool by_byte)
{
	struct write *w = malloc(sizeof *w + n);
	uv_buf_t buf;

	assert_non_null(w);
	memcpy(w->bytes, bytes, n);
	w->peer = p;
	w->at = 0;
	w->len = n;
	if (by_byte || p->dripping) {
		bool first = !p->dripping;

		p->writing++;
		DL_APPEND(p->dripping, w);
		if (first)
			drip(p);
		return;
	}
	buf = uv_buf_init(w->bytes, (unsigned)n);
	if (uv_write(&w->req, (uv_stream_t *)&p->tcp, &buf, 1, on_wrote) < 0)
		free(w);
	else
		p->writing++;
}

static struct scripted_peer *peer_accept(struct scripted *s, uv_stream_t *listener)
{
	struct scripted_peer *p = calloc(1, sizeof *p);

	assert_non_null(p);
	p->s = s;
	assert_int_equal(uv_tcp_init(s->loop, &p->tcp), 0);
	p->tcp.data = p;
	assert_int_equal(uv_accept(listener, (uv_stream_t *)&p->tcp), 0);
	uv_tcp_nodelay(&p->tcp, 1);
	return p;
}

/* --- what the script sends ------------------------------------------------------------------------- */

static void cut(struct scripted *s)
{
	if (s->cut_resets) {
		peer_reset(&s->control);
		peer_reset(&s->data);
	} else {
		peer_end(&s->control);
		peer_end(&s->data);
	}
}

/* False when the connection was cut. */
static bool say_bytes(struct scripted *s, const char *bytes, size_t n)
{
	bool last = s->cut > 0 && s->said + n >= s->cut;

	if (!s->control)
		return false;
	if (last)
		n = s->cut - s->said;
	s->said += n;
	if (n > 0)
		peer_write(s->control, bytes, n, s->byte_by_byte && s->said < DRIP_MAX);
	if (last)
		cut(s);
	return !last;
}

/* Of the last line; it has one. At most 40 bytes. */
static const char *last_argument(struct scripted *s)
{
	static char argument[40];
	size_t len = strlen(s->commands);
	const char *line = len > 1 ? memrchr(s->commands, '\n', len - 1) : NULL;
	const char *space = strchr(line ? line : s->commands, ' ');

	snprintf(argument, sizeof argument, "%.*s", space ? (int)strcspn(space + 1, "\n") : 0, space ? space + 1 : "");
	return argument;
}

static bool say(struct scripted *s, const char *text)
{
	char out[4096];
	size_t at = 0;

	for (; *text; text++) {
		if (at + 40 > sizeof out)
			fail_msg("a reply of the script is too long");
		if (text[0] != '%' || (text[1] != 'E' && text[1] != 'P' && text[1] != 'A')) {
			out[at++] = *text;
			continue;
		}
		if (*++text == 'A')
			at += (size_t)snprintf(out + at, sizeof out - at, "%s", last_argument(s));
		else if (*text == 'E')
			at += (size_t)snprintf(out + at, sizeof out - at, "|||%u|", s->data_port);
		else
			at += (size_t)snprintf(
				out + at, sizeof out - at, "10,1,2,3,%u,%u", s->data_port / 256u, s->data_port % 256u);
	}
	return say_bytes(s, out, at);
}

static void send_data(struct scripted *s, const char *bytes, size_t n)
{
	bool last = s->cut_data > 0 && s->data_said + n >= s->cut_data;

	if (!s->data) {
		trouble(s, "no data connection", "");
		return;
	}
	if (last)
		n = s->cut_data - s->data_said;
	s->data_said += n;
	if (n > 0)
		peer_write(s->data, bytes, n, false);
	if (last && s->cut_resets)
		peer_reset(&s->data);
	else if (last)
		peer_end(&s->data);
}

static void fill(struct scripted *s, size_t n)
{
	char *bytes = malloc(n);

	assert_non_null(bytes);
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)scripted_byte(s->position++);
	send_data(s, bytes, n);
	free(bytes);
}

static void noise(struct scripted *s, size_t n)
{
	char *bytes = malloc(n);

	assert_non_null(bytes);
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(0x80 | (i & 0x7f));
	(void)say_bytes(s, bytes, n);
	free(bytes);
}

/* --- data connections ------------------------------------------------------------------------------ */

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
	struct scripted_peer *p = handle->data;

	(void)hint;
	*buf = uv_buf_init(p->land, sizeof p->land);
}

static void on_data(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct scripted_peer *p = stream->data;
	struct scripted *s = p->s;

	if (n < 0) {
		p->ended = true;
		uv_read_stop(stream);
	}
	if (!s || n == 0)
		return;
	s->data_reset |= n == UV_ECONNRESET;
	for (ssize_t i = 0; i < n; i++)
		if ((unsigned char)buf->base[i] != scripted_byte(s->taken++))
			s->data_wrong = true;
	s->data_bytes += n > 0 ? (uint64_t)n : 0;
	advance(s);
}

static void read_data(struct scripted *s)
{
	if (s->data && !s->data->reading) {
		s->data->reading = true;
		uv_read_start((uv_stream_t *)&s->data->tcp, on_alloc, on_data);
	}
}

static void on_data_connection(uv_stream_t *listener, int status)
{
	struct scripted *s = listener->data;
	struct scripted_peer *p;

	if (status < 0 || !s)
		return;
	p = peer_accept(s, listener);
	peer_close(&s->data);
	s->data = p;
	advance(s);
}

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

static void close_listener(struct scripted *s)
{
	if (!s->data_listener)
		return;
	s->data_listener->data = NULL;
	uv_close((uv_handle_t *)s->data_listener, free_handle);
	s->data_listener = NULL;
}

static uint16_t listen_on(uv_tcp_t *tcp, uv_connection_cb cb)
{
	struct sockaddr_in addr;
	int len = sizeof addr;

	assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &addr), 0);
	assert_int_equal(uv_tcp_bind(tcp, (struct sockaddr *)&addr, 0), 0);
	if (cb)
		assert_int_equal(uv_listen((uv_stream_t *)tcp, 16, cb), 0);
	assert_int_equal(uv_tcp_getsockname(tcp, (struct sockaddr *)&addr, &len), 0);
	return ntohs(addr.sin_port);
}

/* A bound port that does not listen refuses, and nobody else can get it meanwhile. */
static void open_port(struct scripted *s, bool listens)
{
	close_listener(s);
	peer_close(&s->data);
	s->data_listener = calloc(1, sizeof *s->data_listener);
	assert_non_null(s->data_listener);
	assert_int_equal(uv_tcp_init(s->loop, s->data_listener), 0);
	s->data_listener->data = s;
	s->data_port = listen_on(s->data_listener, listens ? on_data_connection : NULL);
}

/* --- the script ------------------------------------------------------------------------------------ */

static void on_timer(uv_timer_t *timer)
{
	struct scripted *s = timer->data;

	s->pausing = false;
	s->at++;
	advance(s);
}

/* A whole line is there. */
static bool take_line(struct scripted *s, const char *prefix)
{
	char *end = memchr(s->line, '\n', s->line_len);
	char text[sizeof s->line];
	size_t n;

	if (!end)
		return false;
	n = (size_t)(end - s->line) + 1;
	snprintf(text, sizeof text, "%.*s", (int)(n > 1 && end[-1] == '\r' ? n - 2 : n - 1), s->line);
	memmove(s->line, s->line + n, s->line_len - n);
	s->line_len -= n;
	snprintf(s->commands + strlen(s->commands), sizeof s->commands - strlen(s->commands), "%s\n", text);
	if (strncmp(text, prefix, strlen(prefix)) != 0)
		trouble(s, prefix, text);
	return true;
}

/* True: the next step can begin. */
static bool wait_step(struct scripted *s, const struct step *step)
{
	switch (step->kind) {
	case STEP_WANT: return take_line(s, step->text);
	case STEP_ACCEPT: return s->data != NULL;
	case STEP_PAUSE:
		s->pausing = true;
		uv_timer_start(&s->timer, on_timer, (uint64_t)step->n, 0);
		return false;
	case STEP_HOLD: return s->going_on;
	case STEP_DATA_GONE:
	case STEP_TAKE_ALL: read_data(s); return !s->data || s->data->ended;
	case STEP_TAKE: read_data(s); return s->data_bytes >= (uint64_t)step->n || !s->data || s->data->ended;
	case STEP_FLOOD:
		s->flooding = true;
		if (s->control && s->control->writing < 4)
			(void)say(s, step->text);
		return false;
	default: return true;
	}
}

static bool has_data(const struct scripted *s)
{
	uv_os_fd_t fd;
	char byte;

	return s->data && uv_fileno((const uv_handle_t *)&s->data->tcp, &fd) == 0 &&
		recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static void do_step(struct scripted *s, const struct step *step)
{
	switch (step->kind) {
	case STEP_SAY: (void)say(s, step->text); break;
	case STEP_CLOSE: peer_end(&s->control); break;
	case STEP_RESET: peer_reset(&s->control); break;
	case STEP_NOISE: noise(s, (size_t)step->n); break;
	case STEP_LISTEN: open_port(s, true); break;
	case STEP_NO_PORT: open_port(s, false); break;
	case STEP_DATA: send_data(s, step->text, strlen(step->text)); break;
	case STEP_FILL: fill(s, (size_t)step->n); break;
	case STEP_END_DATA: peer_end(&s->data); break;
	case STEP_RESET_DATA: peer_reset(&s->data); break;
	case STEP_NOTHING:
		if (has_data(s))
			trouble(s, "data came too early", "");
		break;
	case STEP_SEEK: s->position = s->taken = (uint64_t)step->n; break;
	default: break;
	}
}

static void advance(struct scripted *s)
{
	if (s->busy || s->pausing)
		return;
	s->busy = true;
	while (s->script[s->at].kind != STEP_END && s->control) {
		const struct step *step = &s->script[s->at];

		if (!wait_step(s, step))
			break;
		do_step(s, step);
		s->at++;
	}
	s->finished = s->script[s->at].kind == STEP_END;
	s->busy = false;
	if (s->others && !s->control)
		take_client(s);
}

/* --- control connections --------------------------------------------------------------------------- */

static void note_segment(struct scripted *s, const char *bytes, size_t n)
{
	size_t at = strlen(s->segments);

	for (size_t i = 0; i < n && at + 2 < sizeof s->segments; i++)
		if (bytes[i] != '\r')
			s->segments[at++] = bytes[i] == '\n' ? '+' : bytes[i];
	s->segments[at++] = '\n';
	s->segments[at] = '\0';
}

static void on_control(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct scripted_peer *p = stream->data;
	struct scripted *s = p->s;

	if (!s) {
		if (n < 0)
			uv_read_stop(stream);
		return;
	}
	if (n < 0) {
		s->flooding = false;
		peer_close(&s->control);
		return;
	}
	if (s->line_len + (size_t)n > sizeof s->line) {
		trouble(s, "too much at once", "");
		peer_close(&s->control);
		return;
	}
	note_segment(s, buf->base, (size_t)n);
	memcpy(s->line + s->line_len, buf->base, (size_t)n);
	s->line_len += (size_t)n;
	advance(s);
}

static void take_client(struct scripted *s)
{
	struct scripted_peer *p = peer_accept(s, (uv_stream_t *)&s->listener);

	s->others = false;
	peer_close(&s->control);
	peer_close(&s->data);
	s->control = p;
	if (s->scripts)
		s->script = s->scripts[0];
	if (s->scripts && s->scripts[1])
		s->scripts++;
	s->connections++;
	s->at = s->line_len = s->said = s->data_said = 0;
	s->position = s->taken = 0;
	s->flooding = s->pausing = s->going_on = s->finished = false;
	uv_timer_stop(&s->timer);
	uv_read_start((uv_stream_t *)&p->tcp, on_alloc, on_control);
	advance(s);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct scripted *s = listener->data;

	if (status < 0)
		return;
	s->others = s->one_only && s->control;
	if (!s->others)
		take_client(s);
}

void scripted_start(struct scripted *s, uv_loop_t *loop, const struct step *script)
{
	memset(s, 0, sizeof *s);
	s->loop = loop;
	s->script = script;
	assert_int_equal(uv_timer_init(loop, &s->timer), 0);
	assert_int_equal(uv_tcp_init(loop, &s->listener), 0);
	s->timer.data = s->listener.data = s;
	s->port = listen_on(&s->listener, on_connection);
}

void scripted_go_on(struct scripted *s)
{
	s->going_on = true;
	advance(s);
}

void scripted_stop(struct scripted *s)
{
	close_listener(s);
	peer_close(&s->control);
	peer_close(&s->data);
	uv_close((uv_handle_t *)&s->timer, NULL);
	uv_close((uv_handle_t *)&s->listener, NULL);
}
