#include "tls_pair.h"

#include "stream/tls_sessions.h"

/* The sessions of a control connection, on both sides. */
struct control {
	struct aftp_tls_sessions *client, *server;
};

static struct control control_new(void)
{
	struct control c;

	assert_int_equal(aftp_tls_sessions_new(&c.client), 0);
	assert_int_equal(aftp_tls_sessions_new(&c.server), 0);
	return c;
}

static void control_free(struct control *c)
{
	aftp_tls_sessions_unref(c->client);
	aftp_tls_sessions_unref(c->server);
}

/* A connection; `cheerful` reads what the server says after the handshake, and the tickets with it. True: resumed, in
 * the eyes of both. */
static bool use(struct fixture *f, const struct control *c, bool cheerful)
{
	struct answer a, b, got = { .p = f->p };
	bool resumed;
	char x;

	handshake_again(f, "ftp.example.org", c->client, c->server, &a, &b);
	assert_int_equal(a.status, 0);
	assert_int_equal(b.status, 0);
	if (cheerful) {
		pair_send(f->p, f->p->b, "x");
		assert_int_equal(PAIR_CALL(f->p, aftp_stream_read(f->p->a, &x, 1, on_bytes, &got)), 0);
		PAIR_UNTIL(f->p, got.calls);
	}
	resumed = aftp_stream_tls_resumed(f->p->a);
	assert_int_equal(resumed, aftp_stream_tls_resumed(f->p->b));
	assert_int_equal(resumed, SSL_session_reused(aftp_stream_ssl(f->p->b)));
	reconnect(f);
	return resumed;
}

static void set_version(struct fixture *f, enum aftp_tls_version v)
{
	settle(f, true, &(struct aftp_tls_options){ .cert_file = f->cert.file, .min_version = v, .max_version = v });
}

static void test_resumption(void **state)
{
	static const enum aftp_tls_version versions[] = { AFTP_TLS_1_2, AFTP_TLS_1_3 };
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++) {
		struct control c = control_new();

		set_version(f, versions[i]);
		assert_false(use(f, &c, true));
		for (int n = 0; n < 20; n++)
			assert_true(use(f, &c, true));
		control_free(&c);
	}
}

/* Data connections that never read, as an upload's may: no new tickets come, and the last one is good for all. */
static void test_last_ticket_stays(void **state)
{
	struct fixture *f = *state;
	struct control c = control_new();

	set_version(f, AFTP_TLS_1_3);
	assert_false(use(f, &c, true));
	for (int n = 0; n < 20; n++)
		assert_true(use(f, &c, false));
	assert_true(use(f, &c, true));
	control_free(&c);
}

/* A server can tell its own tickets of another control connection. */
static void test_foreign_ticket(void **state)
{
	static const enum aftp_tls_version versions[] = { AFTP_TLS_1_2, AFTP_TLS_1_3 };
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++) {
		struct control mine = control_new(), other = control_new(), mixed;
		struct answer a, b;

		set_version(f, versions[i]);
		assert_false(use(f, &mine, true));
		mixed = (struct control){ .client = mine.client, .server = other.server };
		handshake_again(f, "ftp.example.org", mixed.client, mixed.server, &a, &b);
		assert_int_equal(a.status | b.status, 0);
		assert_true(SSL_session_reused(aftp_stream_ssl(f->p->b)));
		assert_true(aftp_stream_tls_resumed(f->p->a));
		assert_false(aftp_stream_tls_resumed(f->p->b));
		reconnect(f);
		control_free(&mine);
		control_free(&other);
	}
}

static void test_limit(void **state)
{
	struct fixture *f = *state;
	struct control c = control_new();
	struct answer a, b;

	assert_false(use(f, &c, true));
	aftp_tls_sessions_limit(c.client, AFTP_TLS_1_2);
	for (int i = 0; i < 2; i++) {
		handshake_again(f, "ftp.example.org", c.client, c.server, &a, &b);
		assert_int_equal(a.status | b.status, 0);
		assert_int_equal(SSL_version(aftp_stream_ssl(f->p->a)), TLS1_2_VERSION);
		assert_int_equal(aftp_stream_tls_resumed(f->p->a), i == 1);
		reconnect(f);
	}
	control_free(&c);
}

/* Tickets may come when nobody else holds the store any more. */
static void test_streams_keep_the_store(void **state)
{
	struct fixture *f = *state;
	struct control c = control_new();
	struct answer a, b, got = { .p = f->p };
	char x;

	handshake_again(f, "ftp.example.org", c.client, c.server, &a, &b);
	control_free(&c); /* tickets are still to come */
	pair_send(f->p, f->p->b, "x");
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_read(f->p->a, &x, 1, on_bytes, &got)), 0);
	PAIR_UNTIL(f->p, got.calls);
	assert_int_equal(got.n, 1);
}

/* --- the store alone ------------------------------------------------------------------------------ */

static SSL_SESSION *make_session(int version, time_t made, long lasts)
{
	SSL_SESSION *session = SSL_SESSION_new();
	unsigned char id[32] = { 0 };

	memcpy(id, &session, sizeof(session));
	assert_int_equal(SSL_SESSION_set_protocol_version(session, version), 1);
	assert_int_equal(SSL_SESSION_set1_id(session, id, sizeof(id)), 1);
	SSL_SESSION_set_time(session, (long)made);
	SSL_SESSION_set_timeout(session, lasts);
	return session;
}

static bool same(const SSL_SESSION *a, const SSL_SESSION *b)
{
	unsigned n, m;
	const unsigned char *x = SSL_SESSION_get_id(a, &n), *y = SSL_SESSION_get_id(b, &m);

	return n == m && memcmp(x, y, n) == 0;
}

static void test_newest_first(void **state)
{
	struct aftp_tls_sessions *s;
	SSL_SESSION *made[3], *got;

	(void)state;
	assert_int_equal(aftp_tls_sessions_new(&s), 0);
	assert_null(tls_sessions_take(s));
	for (int i = 0; i < 3; i++) {
		made[i] = make_session(TLS1_3_VERSION, time(NULL), 300);
		SSL_SESSION_up_ref(made[i]);
		tls_sessions_add(s, made[i]);
	}
	for (int i = 2; i >= -1; i--) {
		got = tls_sessions_take(s);
		assert_true(same(got, made[i > 0 ? i : 0]));
		SSL_SESSION_free(got);
	}
	for (int i = 0; i < 3; i++)
		SSL_SESSION_free(made[i]);
	aftp_tls_sessions_unref(s);
}

static bool keeps(const struct aftp_tls_sessions *s, const SSL_SESSION *session)
{
	unsigned n;
	const unsigned char *id = SSL_SESSION_get_id(session, &n);

	return tls_sessions_find(s, id, n) != NULL;
}

static void test_bounded_and_fresh(void **state)
{
	enum { MADE = 3 * TLS_SESSIONS_MAX };
	struct aftp_tls_sessions *s;
	SSL_SESSION *made[MADE];

	(void)state;
	assert_int_equal(aftp_tls_sessions_new(&s), 0);
	assert_false(tls_sessions_ran_out(s));
	for (int i = 0; i < MADE; i++) {
		made[i] = make_session(TLS1_2_VERSION, time(NULL) - 1000, 300);
		SSL_SESSION_up_ref(made[i]);
		tls_sessions_add(s, made[i]);
	}
	for (int i = 0; i < MADE; i++)
		assert_int_equal(keeps(s, made[i]), i >= MADE - TLS_SESSIONS_MAX);
	assert_null(tls_sessions_take(s));
	for (int i = 0; i < MADE; i++) {
		assert_false(keeps(s, made[i]));
		SSL_SESSION_free(made[i]);
	}
	assert_true(tls_sessions_ran_out(s));
	tls_sessions_add(s, make_session(TLS1_2_VERSION, time(NULL), 300));
	assert_false(tls_sessions_ran_out(s));
	aftp_tls_sessions_unref(s);
	aftp_tls_sessions_unref(NULL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_resumption),
		T(test_last_ticket_stays),
		T(test_foreign_ticket),
		T(test_limit),
		T(test_streams_keep_the_store),
		cmocka_unit_test(test_newest_first),
		cmocka_unit_test(test_bounded_and_fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
