/* tls_pair - a pair, and what it takes to make it speak TLS. */
#ifndef TESTS_STREAM_TLS_PAIR_H
#define TESTS_STREAM_TLS_PAIR_H

#include "pair.h"

#include "certificate.h"

struct fixture {
	struct pair *p;
	struct certificate cert;
	struct aftp_tls *client, *server;
};

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->p = pair_new();
	pair_connect(f->p);
	f->cert = certificate_make("ftp.example.org,*.wild.example.org,127.0.0.1,::1", NULL);
	f->client = certificate_client(&f->cert);
	f->server = certificate_server(&f->cert);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;
	void *pair = f->p;
	int rc = pair_teardown(&pair);

	aftp_tls_unref(f->client);
	aftp_tls_unref(f->server);
	certificate_free(&f->cert);
	free(f);
	return rc;
}

/* Both sides shake hands; the answers of both. Sessions may be NULL. */
static inline void handshake_again(struct fixture *f, const char *host, struct aftp_tls_sessions *client,
	struct aftp_tls_sessions *server, struct answer *a, struct answer *b)
{
	*a = *b = (struct answer){ .p = f->p };
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_start_tls(f->p->a, f->client, host, client, on_status, a)), 0);
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_accept_tls(f->p->b, f->server, server, on_status, b)), 0);
	PAIR_UNTIL(f->p, a->calls && b->calls);
	assert_int_equal(a->calls, 1);
	assert_int_equal(b->calls, 1);
}

static inline void handshake(struct fixture *f, const char *host, struct answer *a, struct answer *b)
{
	handshake_again(f, host, NULL, NULL, a, b);
}

static inline void secure(struct fixture *f)
{
	struct answer a, b;

	handshake(f, "ftp.example.org", &a, &b);
	assert_int_equal(a.status, 0);
	assert_int_equal(b.status, 0);
}

/* Other settings for a side. */
static inline void settle(struct fixture *f, bool server, const struct aftp_tls_options *o)
{
	struct aftp_tls **side = server ? &f->server : &f->client;

	aftp_tls_unref(*side);
	*side = certificate_settings(server, o);
}

/* A second connection in the place of the first. */
static inline void reconnect(struct fixture *f)
{
	aftp_stream_close(&f->p->a, true, NULL, NULL);
	aftp_stream_close(&f->p->b, true, NULL, NULL);
	pair_connect(f->p);
}

#endif
