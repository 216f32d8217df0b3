#include "pair.h"

#include "stream/proxy.h"

/* What a proxy wants to hear, and what it says then; NULL-ended pairs. Lengths are given: there are zeros in it. */
struct turn {
	const char *hears;
	size_t hears_len;
	const char *says;
	size_t says_len;
};

#define BYTES(text) (text), sizeof(text) - 1
#define TURN(hears, says)                 \
	{                                 \
		BYTES(hears), BYTES(says) \
	}
#define HTTP_ASKS(target) "CONNECT " target " HTTP/1.1\r\nHost: " target "\r\n\r\n"
#define GREETING          "220 hello\r\n"

struct proxy_case {
	const char *name;
	enum proxy_kind kind;
	const char *user, *password;
	const char *host;
	struct turn turns[3];
	int status;
	const char *why;
};

static const struct proxy_case cases[] = {
	{ "name", PROXY_SOCKS5, NULL, NULL, "ftp.example.org",
		{ TURN("\5\1\0", "\5\0"), TURN("\5\1\0\3\17ftp.example.org\0\25", "\5\0\0\1\12\0\0\1\4\1" GREETING) },
		0, "" },
	{ "IPv4", PROXY_SOCKS5, NULL, NULL, "192.0.2.7",
		{ TURN("\5\1\0", "\5\0"), TURN("\5\1\0\1\300\0\2\7\0\25", "\5\0\0\3\3abc\0\1" GREETING) }, 0, "" },
	{ "IPv6", PROXY_SOCKS5, NULL, NULL, "2001:db8::1",
		{ TURN("\5\1\0", "\5\0"),
			TURN("\5\1\0\4\x20\1\r\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\25",
				"\5\0\0\4\0\1\2\3\4\5\6\7\0\1\2\3\4\5\6\7\4\1" GREETING) },
		0, "" },
	{ "login", PROXY_SOCKS5, "me", "secret", "h",
		{ TURN("\5\2\0\2", "\5\2"), TURN("\1\2me\6secret", "\1\0"),
			TURN("\5\1\0\3\1h\0\25", "\5\0\0\1\0\0\0\0\0\0" GREETING) },
		0, "" },
	{ "login not asked for", PROXY_SOCKS5, "me", NULL, "h",
		{ TURN("\5\2\0\2", "\5\0"), TURN("\5\1\0\3\1h\0\25", "\5\0\0\1\0\0\0\0\0\0" GREETING) }, 0, "" },
	{ "login refused", PROXY_SOCKS5, "me", NULL, "h", { TURN("\5\2\0\2", "\5\2"), TURN("\1\2me\0", "\1\1") },
		AFTP_EACCES, "the proxy refuses the login" },
	{ "login wanted", PROXY_SOCKS5, NULL, NULL, "h", { TURN("\5\1\0", "\5\xff") }, AFTP_EACCES,
		"the proxy wants a login" },
	{ "method not offered", PROXY_SOCKS5, NULL, NULL, "h", { TURN("\5\1\0", "\5\2") }, AFTP_EACCES,
		"the proxy wants a login" },
	{ "refused", PROXY_SOCKS5, NULL, NULL, "h",
		{ TURN("\5\1\0", "\5\0"), TURN("\5\1\0\3\1h\0\25", "\5\5\0\1\0\0\0\0\0\0") }, AFTP_ECONNREFUSED,
		"the host refused the proxy's connection" },
	{ "unreachable", PROXY_SOCKS5, NULL, NULL, "h",
		{ TURN("\5\1\0", "\5\0"), TURN("\5\1\0\3\1h\0\25", "\5\4\0\1\0\0\0\0\0\0") }, -EHOSTUNREACH,
		"the proxy cannot reach the host" },
	{ "unknown code", PROXY_SOCKS5, NULL, NULL, "h",
		{ TURN("\5\1\0", "\5\0"), TURN("\5\1\0\3\1h\0\25", "\5\x63\0\1\0\0\0\0\0\0") }, AFTP_EPROTO,
		"the proxy's answer makes no sense" },
	{ "unknown address", PROXY_SOCKS5, NULL, NULL, "h",
		{ TURN("\5\1\0", "\5\0"), TURN("\5\1\0\3\1h\0\25", "\5\0\0\x9\0\0\0\0\0\0") }, AFTP_EPROTO,
		"the proxy's answer makes no sense" },
	{ "SOCKS4", PROXY_SOCKS5, NULL, NULL, "h", { TURN("\5\1\0", "\0\x5b") }, AFTP_EPROTO,
		"what answers is no SOCKS5 proxy" },
	{ "HTTP", PROXY_HTTP, NULL, NULL, "ftp.example.org",
		{ TURN(HTTP_ASKS("ftp.example.org:21"), "HTTP/1.1 200 Connection established\r\n\r\n" GREETING) }, 0,
		"" },
	{ "HTTP/1.0 with headers", PROXY_HTTP, NULL, NULL, "192.0.2.7",
		{ TURN(HTTP_ASKS("192.0.2.7:21"), "HTTP/1.0 200\r\nX: y\r\nVia: z\r\n\r\n" GREETING) }, 0, "" },
	{ "HTTP, IPv6", PROXY_HTTP, NULL, NULL, "2001:db8::1",
		{ TURN(HTTP_ASKS("[2001:db8::1]:21"), "HTTP/1.1 200 OK\n\n" GREETING) }, 0, "" },
	{ "HTTP login", PROXY_HTTP, "Aladdin", "open sesame", "h",
		{ TURN("CONNECT h:21 HTTP/1.1\r\nHost: h:21\r\n"
		       "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n",
			"HTTP/1.1 200 OK\r\n\r\n" GREETING) },
		0, "" },
	{ "HTTP login wanted", PROXY_HTTP, NULL, NULL, "h",
		{ TURN(HTTP_ASKS("h:21"), "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n") }, AFTP_EACCES,
		"the proxy wants a login" },
	{ "HTTP forbidden", PROXY_HTTP, NULL, NULL, "h", { TURN(HTTP_ASKS("h:21"), "HTTP/1.1 403 Forbidden\r\n\r\n") },
		AFTP_EACCES, "the proxy says: 403 Forbidden" },
	{ "HTTP bad gateway", PROXY_HTTP, NULL, NULL, "h", { TURN(HTTP_ASKS("h:21"), "HTTP/1.1 502 Bad Gateway\r\n") },
		AFTP_ECONNREFUSED, "the proxy says: 502 Bad Gateway" },
	{ "an FTP server", PROXY_HTTP, NULL, NULL, "h", { TURN(HTTP_ASKS("h:21"), "500 CONNECT not understood\r\n") },
		AFTP_EPROTO, "what answers is no HTTP proxy" },
	{ "odd code", PROXY_HTTP, NULL, NULL, "h", { TURN(HTTP_ASKS("h:21"), "HTTP/1.1 2000 OK\r\n\r\n") }, AFTP_EPROTO,
		"what answers is no HTTP proxy" },
};

struct outcome {
	struct pair *p;
	int calls;
	int status;
	char why[200];
};

static void on_proxy(void *arg, int status, const char *why)
{
	struct outcome *o = arg;

	assert_false(o->p->calling);
	o->calls++;
	o->status = status;
	snprintf(o->why, sizeof(o->why), "%s", why);
}

/* The proxy's part; its answers in pieces, each of which arrives alone. */
static void serve(struct pair *p, const struct turn *turns, size_t piece)
{
	for (size_t i = 0; i < 3 && turns[i].hears; i++) {
		struct answer got = { .p = p }, sent = { .p = p };
		char heard[512];

		assert_int_equal(aftp_stream_read_exactly(p->b, heard, turns[i].hears_len, on_bytes, &got), 0);
		PAIR_UNTIL(p, got.calls);
		assert_int_equal(got.n, turns[i].hears_len);
		assert_memory_equal(heard, turns[i].hears, turns[i].hears_len);
		for (size_t at = 0; at < turns[i].says_len; at += piece) {
			size_t left = turns[i].says_len - at;

			sent.calls = 0;
			assert_int_equal(aftp_stream_write(p->b, turns[i].says + at, left < piece ? left : piece,
						 on_status, &sent),
				0);
			PAIR_UNTIL(p, sent.calls);
			pair_turn(p, 2);
		}
	}
}

static void run(struct pair *p, const struct proxy_case *c, size_t piece)
{
	const struct proxy_settings settings = { .kind = c->kind, .user = c->user, .password = c->password };
	struct outcome o = { .p = p };
	struct answer got = { .p = p };
	struct proxy *proxy;

	assert_int_equal(PAIR_CALL(p, proxy_start(&proxy, p->a, &settings, c->host, 21, on_proxy, &o)), 0);
	serve(p, c->turns, piece);
	PAIR_UNTIL(p, o.calls);
	if (o.status != c->status || strcmp(o.why, c->why) != 0)
		fail_msg("%s: %d, \"%s\"", c->name, o.status, o.why);
	if (c->status == 0) {
		assert_int_equal(aftp_stream_read_line(p->a, 100, on_bytes, &got), 0);
		PAIR_UNTIL(p, got.calls);
		assert_string_equal(got.line, "220 hello");
	}
	pair_turn(p, 3);
	assert_int_equal(o.calls, 1);
}

static void test_dialogues(void **state)
{
	struct pair *p = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t piece = 1; piece <= 1000; piece += 999) {
			pair_connect(p);
			run(p, &cases[i], piece);
			aftp_stream_close(&p->a, true, NULL, NULL);
			aftp_stream_close(&p->b, true, NULL, NULL);
		}
	}
	pair_connect(p);
}

static void test_refused_at_once(void **state)
{
	static const struct {
		struct proxy_settings settings;
		const char *host;
	} bad[] = {
		{ { .kind = PROXY_HTTP }, "" },
		{ { .kind = PROXY_HTTP }, "h\r\nX: y" },
		{ { .kind = PROXY_HTTP }, "a b" },
		{ { .kind = PROXY_HTTP, .user = "a:b" }, "h" },
		{ { .kind = PROXY_SOCKS5, .user = "" }, "h" },
		{ { .kind = PROXY_NONE }, "h" },
	};
	struct pair *p = *state;
	struct outcome o = { .p = p };
	struct proxy *proxy;
	char name[300];

	pair_connect(p);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
			proxy_start(&proxy, p->a, &bad[i].settings, bad[i].host, 21, on_proxy, &o), AFTP_EINVAL);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(proxy_start(&proxy, p->a, &bad[0].settings, name, 21, on_proxy, &o), AFTP_EINVAL);
	name[256] = '\0';
	assert_int_equal(proxy_start(&proxy, p->a, &(struct proxy_settings){ .kind = PROXY_SOCKS5, .user = name }, "h",
				 21, on_proxy, &o),
		AFTP_EINVAL);
	pair_turn(p, 3);
	assert_int_equal(o.calls, 0);
}

static void test_silence_and_end(void **state)
{
	const struct proxy_settings settings = { .kind = PROXY_SOCKS5 };
	struct pair *p = *state;
	struct outcome o = { .p = p };
	struct proxy *proxy;

	pair_connect(p);
	aftp_stream_set_timeouts(p->a, -1, 50, 50, -1);
	assert_int_equal(proxy_start(&proxy, p->a, &settings, "h", 21, on_proxy, &o), 0);
	PAIR_UNTIL(p, o.calls);
	assert_int_equal(o.status, AFTP_ETIMEDOUT);
	aftp_stream_set_timeouts(p->a, -1, 0, 0, -1);
	assert_int_equal(proxy_start(&proxy, p->a, &settings, "h", 21, on_proxy, &o), 0);
	pair_fin(p, p->b);
	PAIR_UNTIL(p, o.calls == 2);
	assert_int_equal(o.status, AFTP_ECONNRESET);
}

static void test_endless_headers(void **state)
{
	const struct proxy_settings settings = { .kind = PROXY_HTTP };
	struct pair *p = *state;
	struct outcome o = { .p = p };
	struct proxy *proxy;

	pair_connect(p);
	assert_int_equal(proxy_start(&proxy, p->a, &settings, "h", 21, on_proxy, &o), 0);
	pair_send(p, p->b, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 200 && !o.calls; i++)
		pair_send(p, p->b, "X: y\r\n");
	PAIR_UNTIL(p, o.calls);
	assert_int_equal(o.status, AFTP_ETOOBIG);
}

/* Abandoned or closed at any step, it goes with its stream. */
static void test_abandon(void **state)
{
	const struct proxy_settings settings = { .kind = PROXY_SOCKS5 };
	struct pair *p = *state;

	for (int i = 0; i < 8; i++) {
		struct outcome o = { .p = p };
		struct proxy *proxy;

		pair_connect(p);
		p->closed = 0;
		assert_int_equal(proxy_start(&proxy, p->a, &settings, "h", 21, on_proxy, &o), 0);
		if (i >= 4)
			pair_send(p, p->b, "\5");
		pair_turn(p, i % 4);
		if (i % 2)
			proxy_abandon(&proxy);
		aftp_stream_close(&p->a, false, on_closed_count, p);
		PAIR_UNTIL(p, p->closed);
		assert_int_equal(o.calls, i % 2 ? 0 : 1);
		if (o.calls)
			assert_int_equal(o.status, AFTP_ECANCELED);
		aftp_stream_close(&p->b, true, NULL, NULL);
	}
	pair_connect(p);
}

#define T(name) cmocka_unit_test_setup_teardown(name, pair_setup_alone, pair_teardown)

static int pair_setup_alone(void **state)
{
	*state = pair_new();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_dialogues),
		T(test_refused_at_once),
		T(test_silence_and_end),
		T(test_endless_headers),
		T(test_abandon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
