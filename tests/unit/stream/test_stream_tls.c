#include "tls_pair.h"

static void exchange(struct fixture *f, const char *text, const char *back)
{
	struct answer got = { .p = f->p };
	char buf[100];

	pair_send(f->p, f->p->a, text);
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_read_exactly(f->p->b, buf, strlen(text), on_bytes, &got)), 0);
	PAIR_UNTIL(f->p, got.calls == 1);
	assert_string_equal(got.line, text);
	pair_send(f->p, f->p->b, back);
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_read_line(f->p->a, 100, on_bytes, &got)), 0);
	PAIR_UNTIL(f->p, got.calls == 2);
	assert_memory_equal(got.line, back, strlen(back) - 1);
}

/* --- who is who ----------------------------------------------------------------------------------- */

static void test_hosts(void **state)
{
	static const struct {
		const char *host;
		int status;
	} cases[] = {
		{ "ftp.example.org", 0 },
		{ "ftp.example.org.", 0 },
		{ "FTP.Example.Org", 0 },
		{ "x.wild.example.org", 0 },
		{ "127.0.0.1", 0 },
		{ "::1", 0 },
		{ NULL, 0 },
		{ "example.org", AFTP_ECERT },
		{ "a.b.wild.example.org", AFTP_ECERT },
		{ "127.0.0.2", AFTP_ECERT },
		{ "ftp.example.org.evil.example", AFTP_ECERT },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct answer a, b;

		handshake(f, cases[i].host, &a, &b);
		assert_int_equal(a.status, cases[i].status);
		if (a.status == 0)
			exchange(f, "hello", "world\n");
		reconnect(f);
	}
}

static void test_sni(void **state)
{
	struct fixture *f = *state;
	struct answer a, b;

	secure(f);
	assert_string_equal(SSL_get_servername(aftp_stream_ssl(f->p->b), TLSEXT_NAMETYPE_host_name), "ftp.example.org");
	reconnect(f);
	handshake(f, "127.0.0.1", &a, &b); /* an address is not a name */
	assert_null(SSL_get_servername(aftp_stream_ssl(f->p->b), TLSEXT_NAMETYPE_host_name));
}

static void test_untrusted(void **state)
{
	struct fixture *f = *state;
	struct certificate other = certificate_make("ftp.example.org", NULL);
	struct answer a, b, late = { .p = f->p };
	char c;

	settle(f, false, &(struct aftp_tls_options){ .ca_file = other.file });
	handshake(f, "ftp.example.org", &a, &b);
	assert_int_equal(a.status, AFTP_ECERT);
	assert_non_null(strstr(aftp_stream_tls_error(f->p->a), "certificate refused: self-signed certificate"));
	assert_non_null(strstr(aftp_stream_tls_error(f->p->a), aftp_tls_own_pin(f->server)));
	/* Nothing passes any more, least of all unprotected. */
	assert_int_equal(aftp_stream_write(f->p->a, "x", 1, on_status, &late), AFTP_ECERT);
	assert_int_equal(aftp_stream_read(f->p->a, &c, 1, on_bytes, &late), AFTP_ECERT);
	assert_int_equal(aftp_stream_start_tls(f->p->a, f->client, NULL, NULL, on_status, &late), AFTP_ECERT);
	reconnect(f);
	settle(f, false, &(struct aftp_tls_options){ .no_verify_peer = true });
	handshake(f, "any.example.net", &a, &b);
	assert_int_equal(a.status, 0);
	assert_string_equal(aftp_stream_tls_error(f->p->a), "");
	certificate_free(&other);
}

static void test_wrong_name(void **state)
{
	struct fixture *f = *state;
	struct answer a, b;

	handshake(f, "ftp.example.net", &a, &b);
	assert_int_equal(a.status, AFTP_ECERT);
	assert_non_null(strstr(aftp_stream_tls_error(f->p->a),
		"it is for ftp.example.org, *.wild.example.org and 2 more, not for ftp.example.net"));
	reconnect(f);
	handshake(f, "127.0.0.2", &a, &b);
	assert_int_equal(a.status, AFTP_ECERT);
	assert_non_null(strstr(aftp_stream_tls_error(f->p->a), "not for 127.0.0.2"));
	reconnect(f);
	settle(f, false, &(struct aftp_tls_options){ .ca_file = f->cert.file, .no_verify_hostname = true });
	handshake(f, "ftp.example.net", &a, &b);
	assert_int_equal(a.status, 0);
	assert_string_equal(SSL_get_servername(aftp_stream_ssl(f->p->b), TLSEXT_NAMETYPE_host_name), "ftp.example.net");
}

/* A pin is all that counts: neither authority nor name, and not the wish to verify nothing. */
static void test_pin(void **state)
{
	struct fixture *f = *state;
	struct certificate other = certificate_make("ftp.example.org", NULL);
	char right[60], wrong[TLS_PIN_TEXT], both[120];
	struct answer a, b;

	snprintf(right, sizeof(right), "%s", aftp_tls_own_pin(f->server));
	tls_pin_write(wrong, other.x509);
	snprintf(both, sizeof(both), "%s;%s", wrong, right);
	for (int i = 0; i < 4; i++) {
		const char *pin = i == 0 ? right : i == 1 ? both : wrong;

		settle(f, false, &(struct aftp_tls_options){ .pin = pin, .no_verify_peer = i == 3 });
		handshake(f, "any.example.net", &a, &b);
		assert_int_equal(a.status, i < 2 ? 0 : AFTP_ECERT);
		if (i >= 2)
			assert_non_null(strstr(aftp_stream_tls_error(f->p->a), "not the pinned one, but sha256//"));
		reconnect(f);
	}
	certificate_free(&other);
}

static void test_client_certificate(void **state)
{
	struct fixture *f = *state;
	struct certificate own = certificate_make("client", "open sesame"), other = certificate_make("client", NULL);
	struct aftp_tls_options server = { .cert_file = f->cert.file, .ca_file = own.file };
	struct aftp_tls_options with = {
		.ca_file = f->cert.file, .cert_file = own.file, .key_password = "open sesame"
	};
	struct answer a, b;

	settle(f, true, &server);
	handshake(f, NULL, &a, &b);
	assert_int_equal(b.status, AFTP_ECERT); /* none was shown */
	reconnect(f);
	settle(f, false, &with);
	handshake(f, NULL, &a, &b);
	assert_int_equal(b.status, 0);
	reconnect(f);
	with = (struct aftp_tls_options){ .ca_file = f->cert.file, .cert_file = other.file };
	settle(f, false, &with);
	handshake(f, NULL, &a, &b);
	assert_int_equal(b.status, AFTP_ECERT); /* nobody knows it */
	certificate_free(&own);
	certificate_free(&other);
}

/* With TLS 1.3 a client learns only afterwards that it should have shown a certificate. */
static void test_certificate_wanted(void **state)
{
	struct fixture *f = *state;
	struct answer a, b, got = { .p = f->p };
	char c;

	settle(f, true, &(struct aftp_tls_options){ .cert_file = f->cert.file, .ca_file = f->cert.file });
	handshake(f, NULL, &a, &b);
	assert_int_equal(a.status, 0);
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_read(f->p->a, &c, 1, on_bytes, &got)), 0);
	PAIR_UNTIL(f->p, got.calls);
	assert_int_equal(got.n, AFTP_ETLS);
	assert_non_null(strstr(aftp_stream_tls_error(f->p->a), "certificate required"));
}

/* --- handshakes that fail ------------------------------------------------------------------------- */

static void test_injection_is_refused(void **state)
{
	struct fixture *f = *state;
	struct answer never = { .p = f->p }, got = { .p = f->p };

	/* In the socket: sent before the handshake, and nobody's answer. */
	pair_send(f->p, f->p->b, "250 evil\r\n");
	pair_turn(f->p, 3);
	assert_int_equal(aftp_stream_start_tls(f->p->a, f->client, NULL, NULL, on_status, &never), AFTP_EPROTO);
	reconnect(f);
	/* Read ahead behind the line that allowed TLS, on either side. */
	pair_send(f->p, f->p->b, "234 go\r\n250 evil\r\n");
	pair_send(f->p, f->p->a, "AUTH TLS\r\nDELE x\r\n");
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_read_line(f->p->a, 100, on_bytes, &got)), 0);
	PAIR_UNTIL(f->p, got.calls == 1);
	assert_string_equal(got.line, "234 go");
	assert_int_equal(aftp_stream_start_tls(f->p->a, f->client, NULL, NULL, on_status, &never), AFTP_EPROTO);
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_read_line(f->p->b, 100, on_bytes, &got)), 0);
	PAIR_UNTIL(f->p, got.calls == 2);
	assert_int_equal(aftp_stream_accept_tls(f->p->b, f->server, NULL, on_status, &never), AFTP_EPROTO);
	pair_turn(f->p, 3);
	assert_int_equal(never.calls, 0);
}

static void test_one_thing_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .p = f->p }, b = { .p = f->p }, got = { .p = f->p };
	char c;

	assert_int_equal(aftp_stream_start_tls(f->p->a, NULL, NULL, NULL, on_status, &a), AFTP_EINVAL);
	assert_int_equal(aftp_stream_start_tls(f->p->a, f->client, NULL, NULL, NULL, NULL), AFTP_EINVAL);
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_read(f->p->a, &c, 1, on_bytes, &got)), 0);
	assert_int_equal(aftp_stream_start_tls(f->p->a, f->client, NULL, NULL, on_status, &a), AFTP_EBUSY);
	pair_send(f->p, f->p->b, "x");
	PAIR_UNTIL(f->p, got.calls);
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_start_tls(f->p->a, f->client, NULL, NULL, on_status, &a)), 0);
	assert_int_equal(aftp_stream_start_tls(f->p->a, f->client, NULL, NULL, on_status, &a), AFTP_EBUSY);
	assert_int_equal(aftp_stream_read(f->p->a, &c, 1, on_bytes, &got), AFTP_EBUSY);
	assert_int_equal(aftp_stream_write(f->p->a, "x", 1, on_status, &got), AFTP_EBUSY);
	assert_int_equal(aftp_stream_shutdown(f->p->a, on_status, &got), AFTP_EBUSY);
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_accept_tls(f->p->b, f->server, NULL, on_status, &b)), 0);
	PAIR_UNTIL(f->p, a.calls && b.calls);
	assert_int_equal(a.status, 0);
	assert_int_equal(aftp_stream_start_tls(f->p->a, f->client, NULL, NULL, on_status, &a), AFTP_EALREADY);
}

static void test_peer_is_not_tls(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .p = f->p };

	assert_int_equal(PAIR_CALL(f->p, aftp_stream_start_tls(f->p->a, f->client, NULL, NULL, on_status, &a)), 0);
	pair_send(f->p, f->p->b, "220 what do you mean?\r\n");
	PAIR_UNTIL(f->p, a.calls);
	assert_int_equal(a.status, AFTP_ETLS);
	assert_string_equal(aftp_stream_tls_error(f->p->a), "TLS handshake failed: wrong version number");
}

static void test_peer_goes_in_the_middle(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .p = f->p };

	assert_int_equal(PAIR_CALL(f->p, aftp_stream_start_tls(f->p->a, f->client, NULL, NULL, on_status, &a)), 0);
	pair_fin(f->p, f->p->b);
	PAIR_UNTIL(f->p, a.calls);
	assert_int_equal(a.status, AFTP_EINCOMPLETE);
}

static void test_handshake_limit(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .p = f->p };

	aftp_stream_set_timeouts(f->p->a, 60, -1, -1, -1);
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_start_tls(f->p->a, f->client, NULL, NULL, on_status, &a)), 0);
	PAIR_UNTIL(f->p, a.calls);
	assert_int_equal(a.status, AFTP_ETIMEDOUT);
	assert_int_equal(aftp_stream_write(f->p->a, "x", 1, on_status, &a), AFTP_ETIMEDOUT);
}

static void test_close_in_the_middle(void **state)
{
	struct fixture *f = *state;
	struct answer a = { .p = f->p };

	assert_int_equal(PAIR_CALL(f->p, aftp_stream_start_tls(f->p->a, f->client, NULL, NULL, on_status, &a)), 0);
	PAIR_CALL(f->p, (aftp_stream_close(&f->p->a, false, on_closed_count, f->p), 0));
	PAIR_UNTIL(f->p, f->p->closed);
	assert_int_equal(a.calls, 1);
	assert_int_equal(a.status, AFTP_ECANCELED);
}

/* --- keys ----------------------------------------------------------------------------------------- */

/* New keys in the middle, asked for by one side and answered by the other. */
static void test_key_update(void **state)
{
	struct fixture *f = *state;

	secure(f);
	exchange(f, "before", "so far\n");
	assert_int_equal(SSL_key_update(aftp_stream_ssl(f->p->a), SSL_KEY_UPDATE_REQUESTED), 1);
	exchange(f, "after", "new keys\n");
	exchange(f, "and", "on\n");
}

static void count_key_updates(
	int write_p, int version, int content_type, const void *buf, size_t len, SSL *ssl, void *arg)
{
	(void)version;
	(void)ssl;
	if (!write_p && content_type == SSL3_RT_HANDSHAKE && len > 0 &&
		*(const unsigned char *)buf == SSL3_MT_KEY_UPDATE)
		++*(int *)arg;
}

/* Who only reads answers, too: OpenSSL leaves an answer until the next write, or until the peer asks again. */
static void test_key_update_of_a_reader(void **state)
{
	struct fixture *f = *state;
	struct answer got = { .p = f->p }, never = { .p = f->p };
	int updates = 0;
	char buf[8], c;

	secure(f);
	SSL_set_msg_callback(aftp_stream_ssl(f->p->a), count_key_updates);
	SSL_set_msg_callback_arg(aftp_stream_ssl(f->p->a), &updates);
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_read(f->p->a, &c, 1, on_bytes, &never)), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(SSL_key_update(aftp_stream_ssl(f->p->a), SSL_KEY_UPDATE_REQUESTED), 1);
		pair_send(f->p, f->p->a, "new");
	}
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_read_exactly(f->p->b, buf, 6, on_bytes, &got)), 0);
	PAIR_UNTIL(f->p, got.calls && updates == 1);
	pair_send(f->p, f->p->b, "x");
	PAIR_UNTIL(f->p, never.calls);
	assert_string_equal(never.line, "x");
}

/* --- the end -------------------------------------------------------------------------------------- */

static void test_end_and_truncation(void **state)
{
	struct fixture *f = *state;
	struct answer got = { .p = f->p };
	char buf[16];

	secure(f);
	pair_send(f->p, f->p->b, "all");
	pair_fin(f->p, f->p->b);
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_read(f->p->a, buf, 16, on_bytes, &got)), 0);
	PAIR_UNTIL(f->p, got.calls == 1);
	assert_string_equal(got.line, "all");
	for (int i = 2; i < 4; i++) {
		assert_int_equal(PAIR_CALL(f->p, aftp_stream_read(f->p->a, buf, 16, on_bytes, &got)), 0);
		PAIR_UNTIL(f->p, got.calls == i);
		assert_int_equal(got.n, AFTP_EOF);
	}
	/* Our side is still open after their close_notify. */
	pair_send(f->p, f->p->a, "answer");
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_read(f->p->b, buf, 16, on_bytes, &got)), 0);
	PAIR_UNTIL(f->p, got.calls == 4);
	assert_string_equal(got.line, "answer");
	pair_fin(f->p, f->p->a);
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_read(f->p->b, buf, 16, on_bytes, &got)), 0);
	PAIR_UNTIL(f->p, got.calls == 5);
	assert_int_equal(got.n, AFTP_EOF);

	reconnect(f);
	secure(f);
	exchange(f, "take", "the tickets\n");
	exchange(f, "take", "the tickets\n");
	pair_send(f->p, f->p->b, "cut\nhere");
	aftp_stream_close(&f->p->b, false, NULL, NULL); /* FIN and no close_notify */
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_read_line(f->p->a, 16, on_bytes, &got)), 0);
	PAIR_UNTIL(f->p, got.calls == 6);
	assert_string_equal(got.line, "cut");
	/* Half a line of a truncated stream is not a line. */
	assert_int_equal(PAIR_CALL(f->p, aftp_stream_read_line(f->p->a, 16, on_bytes, &got)), 0);
	PAIR_UNTIL(f->p, got.calls == 7);
	assert_int_equal(got.n, AFTP_EINCOMPLETE);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_hosts),
		T(test_sni),
		T(test_untrusted),
		T(test_wrong_name),
		T(test_pin),
		T(test_client_certificate),
		T(test_certificate_wanted),
		T(test_injection_is_refused),
		T(test_one_thing_at_a_time),
		T(test_peer_is_not_tls),
		T(test_peer_goes_in_the_middle),
		T(test_handshake_limit),
		T(test_close_in_the_middle),
		T(test_key_update),
		T(test_key_update_of_a_reader),
		T(test_end_and_truncation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
