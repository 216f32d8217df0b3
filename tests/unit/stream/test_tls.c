#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <aftp/status.h>

#include "certificate.h"
#include "stream/tls.h"

#define CAP 65536

/* Two sessions, and no network: what comes out of one goes into the other. */
struct fixture {
	struct certificate cert;
	struct aftp_tls *client_settings, *server_settings;
	struct tls *client, *server;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->cert = certificate_make("localhost", NULL);
	f->client_settings = certificate_client(&f->cert);
	f->server_settings = certificate_server(&f->cert);
	assert_int_equal(tls_new(&f->client, f->client_settings, false, "localhost", NULL, CAP), 0);
	assert_int_equal(tls_new(&f->server, f->server_settings, true, NULL, NULL, CAP), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tls_free(f->client);
	tls_free(f->server);
	aftp_tls_unref(f->client_settings);
	aftp_tls_unref(f->server_settings);
	certificate_free(&f->cert);
	free(f);
	return 0;
}

/* At most n bytes from one to the other. */
static size_t carry(struct tls *from, struct tls *to, size_t n)
{
	n = buf_len(&from->out) < n ? buf_len(&from->out) : n;
	assert_int_equal(buf_append(&to->in, buf_bytes(&from->out), n), 0);
	buf_consume(&from->out, n);
	return n;
}

static void shake_hands(struct fixture *f, size_t piece)
{
	int client = 0, server = 0;

	while (client != 1 || server != 1) {
		if (client != 1)
			client = tls_handshake(f->client);
		assert_true(client >= 0);
		while (carry(f->client, f->server, piece) > 0 && server != 1)
			server = tls_handshake(f->server);
		assert_true(server >= 0);
		while (carry(f->server, f->client, piece) > 0 && client != 1)
			client = tls_handshake(f->client);
	}
	carry(f->client, f->server, SIZE_MAX);
	carry(f->server, f->client, SIZE_MAX);
}

static void test_byte_by_byte(void **state)
{
	struct fixture *f = *state;
	char buf[16];

	shake_hands(f, 1);
	assert_int_equal(tls_read(f->client, buf, sizeof(buf)), 0); /* tickets are not data */
	assert_int_equal(tls_write(f->client, "hello", 5), 5);
	while (buf_len(&f->client->out) > 1) {
		carry(f->client, f->server, 1);
		assert_int_equal(tls_read(f->server, buf, sizeof(buf)), 0);
	}
	carry(f->client, f->server, 1);
	assert_true(tls_pending(f->server));
	assert_int_equal(tls_read(f->server, buf, 2), 2);
	assert_true(tls_pending(f->server));
	assert_int_equal(tls_read(f->server, buf + 2, 14), 3);
	assert_memory_equal(buf, "hello", 5);
	assert_false(tls_pending(f->server));
}

static void test_many_records_in_a_read(void **state)
{
	struct fixture *f = *state;
	char *text = malloc(50000), *got = malloc(50000);
	size_t sent = 0;

	shake_hands(f, SIZE_MAX);
	for (size_t i = 0; i < 50000; i++)
		text[i] = (char)(i * 7);
	while (sent < 40000) {
		ssize_t n = tls_write(f->server, text + sent, 50000 - sent);

		assert_true(n > 0);
		sent += (size_t)n;
	}
	carry(f->server, f->client, SIZE_MAX);
	assert_int_equal(tls_read(f->client, got, 50000), sent);
	assert_memory_equal(text, got, sent);
	free(text);
	free(got);
}

static void test_full_buffer_is_not_an_error(void **state)
{
	struct fixture *f = *state;
	char *text = calloc(1, CAP);
	ssize_t n;

	shake_hands(f, SIZE_MAX);
	while ((n = tls_write(f->client, text, CAP)) > 0)
		assert_true(buf_len(&f->client->out) <= CAP);
	assert_int_equal(n, 0);
	carry(f->client, f->server, SIZE_MAX);
	assert_true(tls_write(f->client, text, CAP) > 0);
	free(text);
}

static void test_orderly_end(void **state)
{
	struct fixture *f = *state;
	char buf[8];

	shake_hands(f, SIZE_MAX);
	assert_int_equal(tls_write(f->client, "last", 4), 4);
	assert_int_equal(tls_bye(f->client), 0);
	carry(f->client, f->server, SIZE_MAX);
	assert_int_equal(tls_read(f->server, buf, 8), 4);
	assert_int_equal(tls_read(f->server, buf, 8), AFTP_EOF);
	assert_int_equal(tls_read(f->server, buf, 8), AFTP_EOF);
	/* The other side may go on, and end later. */
	assert_int_equal(tls_write(f->server, "more", 4), 4);
	assert_int_equal(tls_bye(f->server), 0);
	carry(f->server, f->client, SIZE_MAX);
	assert_int_equal(tls_read(f->client, buf, 8), 4);
	assert_int_equal(tls_read(f->client, buf, 8), AFTP_EOF);
}

static void test_damage_is_noticed(void **state)
{
	struct fixture *f = *state;
	char buf[8];

	shake_hands(f, SIZE_MAX);
	assert_int_equal(tls_write(f->client, "money", 5), 5);
	f->client->out.data[f->client->out.end - 1] ^= 1;
	carry(f->client, f->server, SIZE_MAX);
	assert_int_equal(tls_read(f->server, buf, 8), AFTP_ETLS);
	assert_int_equal(tls_read(f->server, buf, 8), AFTP_ETLS);
	assert_true(buf_len(&f->server->out) > 0); /* the alert */
}

/* A peer that asks for new keys again and again, and reads no answer, cannot make us keep them all. */
static void test_answers_are_capped(void **state)
{
	struct fixture *f = *state;
	ssize_t n = 0;
	char buf[8];

	shake_hands(f, SIZE_MAX);
	for (int i = 0; i < 100000 && n >= 0; i++) {
		if (SSL_key_update(f->client->ssl, SSL_KEY_UPDATE_REQUESTED) != 1)
			break;
		assert_int_equal(tls_write(f->client, "x", 1), 1);
		carry(f->client, f->server, SIZE_MAX);
		n = tls_read(f->server, buf, 8);
		assert_true(buf_len(&f->server->out) <= CAP);
	}
	assert_int_equal(n, AFTP_ETLS);
}

static void test_bad_hosts(void **state)
{
	struct fixture *f = *state;
	struct tls *t;
	char name[300];

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(tls_new(&t, f->client_settings, false, name, NULL, CAP), AFTP_EINVAL);
	assert_int_equal(tls_new(&t, f->client_settings, false, "", NULL, CAP), AFTP_EINVAL);
	assert_int_equal(tls_new(&t, f->client_settings, false, ".", NULL, CAP), AFTP_EINVAL);
	/* Nor is a client's side a server's. */
	assert_int_equal(tls_new(&t, f->client_settings, true, NULL, NULL, CAP), AFTP_EINVAL);
	tls_free(NULL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_byte_by_byte),
		T(test_many_records_in_a_read),
		T(test_full_buffer_is_not_an_error),
		T(test_orderly_end),
		T(test_damage_is_noticed),
		T(test_answers_are_capped),
		T(test_bad_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
