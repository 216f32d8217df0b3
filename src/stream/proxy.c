#include "stream/proxy.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <aftp/status.h>

enum {
	OUT_MAX = 2048,
	HOST_MAX = 255,
	LOGIN_MAX = 255, /* each of user and password */
	LINE_MAX_LEN = 8192,
	HEADERS_MAX = 100,
};

enum socks_code { SOCKS_VERSION = 5, SOCKS_LOGIN_VERSION = 1, SOCKS_CONNECT = 1 };
enum socks_method { SOCKS_OPEN = 0, SOCKS_LOGIN = 2 };
enum socks_address { SOCKS_IPV4 = 1, SOCKS_NAME = 3, SOCKS_IPV6 = 4 };

struct proxy {
	struct aftp_stream *s;
	const struct proxy_settings *settings;
	proxy_cb *cb; /* NULL: abandoned */
	void *arg;
	void (*step)(struct proxy *p); /* after what is being written or read */
	size_t want;                   /* bytes of the answer to come; 0 = a line */
	unsigned headers;
	uint16_t port;
	char host[HOST_MAX + 1];
	unsigned char in[HOST_MAX + 8];
	size_t out_len;
	char out[OUT_MAX];
};

static void wipe(struct proxy *p)
{
	explicit_bzero(p->out, sizeof(p->out));
}

/* The owner's pointer is not known here: it is the callback that forgets it. */
static void end(struct proxy *p, int status, const char *why)
{
	proxy_cb *cb = p->cb;
	void *arg = p->arg;

	wipe(p);
	free(p);
	if (cb)
		cb(arg, status, why);
}

/* --- asking and hearing ---------------------------------------------------------------------------- */

static void heard_line(struct proxy *p, const char *line, size_t n);

static void on_read(void *arg, ssize_t n, const char *data)
{
	struct proxy *p = arg;

	if (n < 0)
		end(p, n == AFTP_EOF || n == AFTP_EINCOMPLETE ? AFTP_ECONNRESET : (int)n,
			n == AFTP_ECANCELED ? "" : "the proxy gives no answer");
	else if (!p->cb)
		end(p, AFTP_ECANCELED, "");
	else if (p->want > 0)
		p->step(p);
	else
		heard_line(p, data, (size_t)n);
}

static void hear(struct proxy *p, size_t want, void (*step)(struct proxy *p), size_t at)
{
	int rc;

	p->want = want;
	p->step = step;
	if (want > 0)
		rc = aftp_stream_read_exactly(p->s, (char *)p->in + at, want, on_read, p);
	else
		rc = aftp_stream_read_line(p->s, LINE_MAX_LEN, on_read, p);
	/* A write that was done may be told when the stream is closing. */
	if (rc < 0)
		end(p, rc == AFTP_ENOTCONN ? AFTP_ECANCELED : rc, "");
}

static void on_written(void *arg, int status)
{
	struct proxy *p = arg;

	wipe(p);
	if (status < 0 || !p->cb)
		end(p, status < 0 ? status : AFTP_ECANCELED, "");
	else
		hear(p, p->want, p->step, 0);
}

/* Sends `out`, then waits for an answer of `want` bytes, or lines. */
static int ask(struct proxy *p, size_t want, void (*step)(struct proxy *p))
{
	p->want = want;
	p->step = step;
	return aftp_stream_write(p->s, p->out, p->out_len, on_written, p);
}

static void ask_or_end(struct proxy *p, size_t want, void (*step)(struct proxy *p))
{
	int rc = ask(p, want, step);

	if (rc < 0)
		end(p, rc, "");
}

static void put(struct proxy *p, const void *data, size_t n)
{
	memcpy(p->out + p->out_len, data, n);
	p->out_len += n;
}

static void put_byte(struct proxy *p, unsigned char c)
{
	put(p, &c, 1);
}

static const char *password(const struct proxy *p)
{
	return p->settings->password ? p->settings->password : "";
}

/* --- SOCKS5 --------------------------------------------------------------------------------------- */

static const struct {
	int status;
	const char *why;
} socks_refusals[] = {
	[1] = { -EIO, "the proxy failed" },
	[2] = { AFTP_EACCES, "the proxy does not allow it" },
	[3] = { -ENETUNREACH, "the proxy cannot reach the network" },
	[4] = { -EHOSTUNREACH, "the proxy cannot reach the host" },
	[5] = { AFTP_ECONNREFUSED, "the host refused the proxy's connection" },
	[6] = { AFTP_ETIMEDOUT, "the host did not answer the proxy" },
	[7] = { AFTP_ENOTSUP, "the proxy cannot connect" },
	[8] = { AFTP_ENOTSUP, "the proxy does not know this kind of address" },
};

static void socks_connected(struct proxy *p)
{
	end(p, 0, "");
}

/* in: version, code, 0, the kind of the bound address, and one byte of it. */
static void socks_replied(struct proxy *p)
{
	size_t code = p->in[1], rest;

	if (p->in[0] != SOCKS_VERSION) {
		end(p, AFTP_EPROTO, "what answers is no SOCKS5 proxy");
		return;
	}
	if (code > 0 && code < sizeof(socks_refusals) / sizeof(socks_refusals[0])) {
		end(p, socks_refusals[code].status, socks_refusals[code].why);
		return;
	}
	switch (p->in[3]) {
	case SOCKS_IPV4: rest = 3 + 2; break;
	case SOCKS_IPV6: rest = 15 + 2; break;
	case SOCKS_NAME: rest = p->in[4] + 2u; break;
	default: rest = 0; break;
	}
	if (code != 0 || rest == 0)
		end(p, AFTP_EPROTO, "the proxy's answer makes no sense");
	else
		hear(p, rest, socks_connected, 5);
}

static void socks_request(struct proxy *p)
{
	unsigned char raw[16];
	size_t n = strlen(p->host);

	p->out_len = 0;
	put_byte(p, SOCKS_VERSION);
	put_byte(p, SOCKS_CONNECT);
	put_byte(p, 0);
	if (inet_pton(AF_INET, p->host, raw) == 1) {
		put_byte(p, SOCKS_IPV4);
		put(p, raw, 4);
	} else if (inet_pton(AF_INET6, p->host, raw) == 1) {
		put_byte(p, SOCKS_IPV6);
		put(p, raw, 16);
	} else {
		put_byte(p, SOCKS_NAME);
		put_byte(p, (unsigned char)n);
		put(p, p->host, n);
	}
	put_byte(p, (unsigned char)(p->port >> 8));
	put_byte(p, (unsigned char)(p->port & 0xff));
	ask_or_end(p, 5, socks_replied);
}

static void socks_logged_in(struct proxy *p)
{
	if (p->in[1] != 0)
		end(p, AFTP_EACCES, "the proxy refuses the login");
	else
		socks_request(p);
}

static void socks_login(struct proxy *p)
{
	size_t user = strlen(p->settings->user), pass = strlen(password(p));

	p->out_len = 0;
	put_byte(p, SOCKS_LOGIN_VERSION);
	put_byte(p, (unsigned char)user);
	put(p, p->settings->user, user);
	put_byte(p, (unsigned char)pass);
	put(p, password(p), pass);
	ask_or_end(p, 2, socks_logged_in);
}

static void socks_chosen(struct proxy *p)
{
	if (p->in[0] != SOCKS_VERSION)
		end(p, AFTP_EPROTO, "what answers is no SOCKS5 proxy");
	else if (p->in[1] == SOCKS_OPEN)
		socks_request(p);
	else if (p->in[1] == SOCKS_LOGIN && p->settings->user)
		socks_login(p);
	else
		end(p, AFTP_EACCES,
			p->settings->user ? "the proxy wants another kind of login" : "the proxy wants a login");
}

static int socks_start(struct proxy *p)
{
	put_byte(p, SOCKS_VERSION);
	put_byte(p, p->settings->user ? 2 : 1);
	put_byte(p, SOCKS_OPEN);
	if (p->settings->user)
		put_byte(p, SOCKS_LOGIN);
	return ask(p, 2, socks_chosen);
}

/* --- HTTP ----------------------------------------------------------------------------------------- */

/* "HTTP/1.1 200 Connection established" */
static int status_code(const char *line, size_t n)
{
	int code = 0;

	if (n < 12 || memcmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ')
		return -1;
	for (size_t i = 9; i < 12; i++) {
		if (line[i] < '0' || line[i] > '9')
			return -1;
		code = code * 10 + (line[i] - '0');
	}
	return n == 12 || line[12] == ' ' ? code : -1;
}

static void http_refused(struct proxy *p, int code, const char *line, size_t n)
{
	char why[160];

	if (code == 407) {
		end(p, AFTP_EACCES, p->settings->user ? "the proxy refuses the login" : "the proxy wants a login");
		return;
	}
	snprintf(why, sizeof(why), "the proxy says: %.*s", (int)(n - 9 < 120 ? n - 9 : 120), line + 9);
	end(p, code == 403 ? AFTP_EACCES : AFTP_ECONNREFUSED, why);
}

static void heard_line(struct proxy *p, const char *line, size_t n)
{
	int code;

	if (p->headers > 0 && n == 0) {
		end(p, 0, "");
		return;
	}
	if (p->headers == 0) {
		code = status_code(line, n);
		if (code < 0) {
			end(p, AFTP_EPROTO, "what answers is no HTTP proxy");
			return;
		}
		if (code < 200 || code > 299) {
			http_refused(p, code, line, n);
			return;
		}
	}
	if (++p->headers > HEADERS_MAX)
		end(p, AFTP_ETOOBIG, "the proxy's answer does not end");
	else
		hear(p, 0, NULL, 0);
}

static void put_text(struct proxy *p, const char *text)
{
	put(p, text, strlen(text));
}

static void put_login(struct proxy *p)
{
	char plain[2 * LOGIN_MAX + 2];
	int n = snprintf(plain, sizeof(plain), "%s:%s", p->settings->user, password(p));

	put_text(p, "Proxy-Authorization: Basic ");
	p->out_len += (size_t)EVP_EncodeBlock((unsigned char *)p->out + p->out_len, (const unsigned char *)plain, n);
	put_text(p, "\r\n");
	explicit_bzero(plain, sizeof(plain));
}

static int http_start(struct proxy *p)
{
	bool six = strchr(p->host, ':') != NULL;
	char target[HOST_MAX + 16];

	snprintf(target, sizeof(target), "%s%s%s:%u", six ? "[" : "", p->host, six ? "]" : "", (unsigned)p->port);
	put_text(p, "CONNECT ");
	put_text(p, target);
	put_text(p, " HTTP/1.1\r\nHost: ");
	put_text(p, target);
	put_text(p, "\r\n");
	if (p->settings->user)
		put_login(p);
	put_text(p, "\r\n");
	return ask(p, 0, NULL);
}

/* --- the calls ------------------------------------------------------------------------------------ */

static bool host_ok(const char *host)
{
	for (const char *c = host; *c; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	return host[0] && strlen(host) <= HOST_MAX;
}

/* An empty user cannot be told to SOCKS5, and one with ':' not to HTTP. */
static bool login_ok(const struct proxy_settings *s)
{
	if (!s->user)
		return true;
	if (strlen(s->user) > LOGIN_MAX || (s->password && strlen(s->password) > LOGIN_MAX))
		return false;
	return s->kind == PROXY_SOCKS5 ? s->user[0] != '\0' : strchr(s->user, ':') == NULL;
}

int proxy_start(struct proxy **out, struct aftp_stream *s, const struct proxy_settings *settings, const char *host,
	uint16_t port, proxy_cb *cb, void *arg)
{
	struct proxy *p;
	int rc;

	if (settings->kind == PROXY_NONE || !host_ok(host) || !login_ok(settings) || !cb)
		return AFTP_EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return AFTP_ENOMEM;
	*p = (struct proxy){ .s = s, .settings = settings, .port = port, .cb = cb, .arg = arg };
	memcpy(p->host, host, strlen(host) + 1);
	rc = settings->kind == PROXY_SOCKS5 ? socks_start(p) : http_start(p);
	if (rc < 0) {
		wipe(p);
		free(p);
		return rc;
	}
	*out = p;
	return 0;
}

void proxy_abandon(struct proxy **p)
{
	if (*p)
		(*p)->cb = NULL;
	*p = NULL;
}
