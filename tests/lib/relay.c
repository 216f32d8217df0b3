#include "lib/relay.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <utlist.h>

#include <aftp/status.h>
#include <aftp/stream.h>

enum { LINE = 1024, BLOCK = 16384 };

/* One way of a pair. */
struct way {
	struct relay_pair *pair;
	struct aftp_stream **from, **to;
	char block[BLOCK];
};

struct relay_pair {
	struct relay *relay;
	struct relay_pair *prev, *next;
	struct aftp_stream *client, *server;
	unsigned handles;
	bool closing;
	bool welcome; /* the login was right, or none is wanted */
	char host[300];
	unsigned port;
	unsigned char in[600];
	char out[LINE];
	struct way up, down;
};

static void closed(void *arg)
{
	struct relay_pair *p = arg;

	if (--p->handles == 0)
		free(p);
}

static void pair_close(struct relay_pair *p)
{
	if (p->closing)
		return;
	p->closing = true;
	DL_DELETE(p->relay->pairs, p);
	p->handles = 1u + (p->server != NULL);
	aftp_stream_close(&p->client, false, closed, p);
	aftp_stream_close(&p->server, false, closed, p);
}

/* Every call of a stream that cannot be done ends the pair. */
static void must(struct relay_pair *p, int rc)
{
	if (rc < 0)
		pair_close(p);
}

/* --- both ways ------------------------------------------------------------------------------------- */

static void pump(struct way *w);

static void way_written(void *arg, int status)
{
	struct way *w = arg;

	if (status < 0 || w->pair->closing)
		pair_close(w->pair);
	else
		pump(w);
}

static void way_shut(void *arg, int status)
{
	(void)arg;
	(void)status;
}

static void way_read(void *arg, ssize_t n, const char *data)
{
	struct way *w = arg;

	if (w->pair->closing)
		return;
	if (n > 0)
		must(w->pair, aftp_stream_write(*w->to, data, (size_t)n, way_written, w));
	else if (n == AFTP_EOF)
		(void)aftp_stream_shutdown(*w->to, way_shut, w);
	else
		pair_close(w->pair);
}

static void pump(struct way *w)
{
	if (!w->pair->closing)
		must(w->pair, aftp_stream_read(*w->from, w->block, BLOCK, way_read, w));
}

static void go(void *arg, int status)
{
	struct relay_pair *p = arg;

	if (status < 0 || p->closing) {
		pair_close(p);
		return;
	}
	p->up = (struct way){ .pair = p, .from = &p->client, .to = &p->server };
	p->down = (struct way){ .pair = p, .from = &p->server, .to = &p->client };
	pump(&p->up);
	pump(&p->down);
}

static void say(struct relay_pair *p, const char *text, size_t n, aftp_stream_cb *then)
{
	memcpy(p->out, text, n);
	must(p, aftp_stream_write(p->client, p->out, n, then, p));
}

static void said_no(void *arg, int status)
{
	(void)status;
	pair_close(arg);
}

static void refuse(struct relay_pair *p, int code)
{
	char text[100];

	if (p->relay->http)
		snprintf(text, sizeof(text), "HTTP/1.1 %d No\r\n\r\n", code);
	if (p->relay->http)
		say(p, text, strlen(text), said_no);
	else
		say(p, "\5\2\0\1\0\0\0\0\0\0", 10, said_no);
}

static void connected(void *arg, int status)
{
	struct relay_pair *p = arg;

	if (p->closing)
		pair_close(p);
	else if (status < 0)
		refuse(p, 502);
	else if (p->relay->http)
		say(p, "HTTP/1.1 200 Connected\r\n\r\n", 26, go);
	else
		say(p, "\5\0\0\1\0\0\0\0\0\0", 10, go);
}

static void connect_on(struct relay_pair *p)
{
	struct relay *r = p->relay;
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t)p->port) };
	size_t at = strlen(r->targets);

	snprintf(r->targets + at, sizeof(r->targets) - at, "%s:%u\n", p->host, p->port);
	if (r->refuses || !p->welcome) {
		refuse(p, p->welcome ? 403 : 407);
		return;
	}
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(aftp_stream_new(&p->server, r->loop), 0);
	must(p, aftp_stream_connect(p->server, (struct sockaddr *)&addr, connected, p));
}

/* --- SOCKS5 ---------------------------------------------------------------------------------------- */

static void socks_target(void *arg, ssize_t n, const char *data)
{
	struct relay_pair *p = arg;
	size_t len = p->in[4];

	(void)data;
	if (n < 0 || p->closing) {
		pair_close(p);
		return;
	}
	if (p->in[3] == 1)
		snprintf(p->host, sizeof(p->host), "%u.%u.%u.%u", p->in[4], p->in[5], p->in[6], p->in[7]);
	else
		snprintf(p->host, sizeof(p->host), "%.*s", (int)len, (char *)p->in + 5);
	p->port = p->in[3] == 1 ? p->in[8] * 256u + p->in[9] : p->in[5 + len] * 256u + p->in[6 + len];
	connect_on(p);
}

static void socks_request(void *arg, ssize_t n, const char *data)
{
	struct relay_pair *p = arg;
	size_t rest = p->in[3] == 1 ? 5 : p->in[4] + 2u;

	(void)data;
	if (n < 0 || p->closing)
		pair_close(p);
	else
		must(p, aftp_stream_read_exactly(p->client, (char *)p->in + 5, rest, socks_target, p));
}

static void socks_ready(void *arg, int status)
{
	struct relay_pair *p = arg;

	if (status < 0 || p->closing)
		pair_close(p);
	else
		must(p, aftp_stream_read_exactly(p->client, (char *)p->in, 5, socks_request, p));
}

static void socks_password(void *arg, ssize_t n, const char *data)
{
	struct relay_pair *p = arg;
	char login[600];
	size_t user = p->in[1];

	(void)data;
	if (n < 0 || p->closing) {
		pair_close(p);
		return;
	}
	snprintf(login, sizeof(login), "%.*s:%.*s", (int)user, (char *)p->in + 2, (int)p->in[2 + user],
		(char *)p->in + 3 + user);
	p->welcome = p->relay->login && strcmp(login, p->relay->login) == 0;
	say(p, p->welcome ? "\1\0" : "\1\1", 2, p->welcome ? socks_ready : said_no);
}

/* The whole of it, as clients send it in one piece. */
static void socks_login(void *arg, int status)
{
	struct relay_pair *p = arg;

	if (status < 0 || p->closing)
		pair_close(p);
	else
		must(p, aftp_stream_read(p->client, (char *)p->in, sizeof(p->in), socks_password, p));
}

static void socks_greeting(void *arg, ssize_t n, const char *data)
{
	struct relay_pair *p = arg;
	bool offered = n == 4 && data[3] == 2;

	if (n < 3 || p->closing) {
		pair_close(p);
		return;
	}
	p->welcome = !p->relay->login;
	if (p->welcome)
		say(p, "\5\0", 2, socks_ready);
	else
		say(p, offered ? "\5\2" : "\5\xff", 2, offered ? socks_login : said_no);
}

/* --- HTTP ------------------------------------------------------------------------------------------ */

static void http_line(void *arg, ssize_t n, const char *line)
{
	struct relay_pair *p = arg;
	char text[LINE];

	if (n < 0 || p->closing) {
		pair_close(p);
		return;
	}
	snprintf(text, sizeof(text), "%.*s", (int)n, line);
	(void)sscanf(text, "CONNECT %255[^:]:%u HTTP/1.1", p->host, &p->port);
	/* "joe:pass", the only login that tests use */
	if (strcmp(text, "Proxy-Authorization: Basic am9lOnBhc3M=") == 0)
		p->welcome = true;
	if (n == 0)
		connect_on(p);
	else
		must(p, aftp_stream_read_line(p->client, LINE, http_line, p));
}

/* --- the relay ------------------------------------------------------------------------------------- */

static void on_connection(uv_stream_t *listener, int status)
{
	struct relay *r = listener->data;
	struct relay_pair *p = calloc(1, sizeof(*p));

	assert_int_equal(status, 0);
	assert_non_null(p);
	p->relay = r;
	r->connections++;
	DL_APPEND(r->pairs, p);
	assert_int_equal(aftp_stream_new(&p->client, r->loop), 0);
	assert_int_equal(aftp_stream_accept(p->client, listener), 0);
	if (r->silent)
		return;
	p->welcome = !r->login;
	if (r->http)
		must(p, aftp_stream_read_line(p->client, LINE, http_line, p));
	else
		must(p, aftp_stream_read(p->client, (char *)p->in, sizeof(p->in), socks_greeting, p));
}

void relay_start(struct relay *r, uv_loop_t *loop, bool http)
{
	struct sockaddr_in addr;
	int len = sizeof(addr);

	*r = (struct relay){ .loop = loop, .http = http };
	assert_int_equal(uv_tcp_init(loop, &r->listener), 0);
	r->listener.data = r;
	assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &addr), 0);
	assert_int_equal(uv_tcp_bind(&r->listener, (struct sockaddr *)&addr, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&r->listener, 16, on_connection), 0);
	assert_int_equal(uv_tcp_getsockname(&r->listener, (struct sockaddr *)&addr, &len), 0);
	r->port = ntohs(addr.sin_port);
}

void relay_stop(struct relay *r)
{
	while (r->pairs)
		pair_close(r->pairs);
	uv_close((uv_handle_t *)&r->listener, NULL);
}
