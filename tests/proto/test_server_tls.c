/* TLS as the server does it: when it begins, what it protects, and what is refused without it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include <aftp/status.h>

#include "lib/testd.h"

enum { SIZE = 3000000 };

struct fixture {
	struct testd d;
	struct aftp_tls *tls;
	SSL_CTX *ctx;
	SSL *ssl; /* of the control connection; NULL while it is plain */
	int fd;
	char in[8192];
	size_t in_len;
	char line[1024];      /* the last of the last reply */
	SSL_SESSION *session; /* the newest that was given to us */
	char *want;
};

/* --- a client that says exactly what it is told, through TLS ----------------------------------------- */

static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
	struct fixture *f = SSL_get_app_data(ssl);
	SSL_SESSION_free(f->session);
	f->session = SSL_SESSION_dup(session); /* one that ends badly cannot be resumed */
	return 0;
}

static SSL *handshake(struct fixture *f, int fd, bool resume)
{
	SSL *ssl = SSL_new(f->ctx);
	assert_non_null(ssl);
	SSL_set_app_data(ssl, f);
	SSL_set_fd(ssl, fd);
	if (resume)
		assert_int_equal(SSL_set_session(ssl, f->session), 1);
	if (SSL_connect(ssl) == 1)
		return ssl;
	SSL_free(ssl);
	return NULL;
}

static void send_text(struct fixture *f, const char *text)
{
	int n = (int)strlen(text);
	assert_int_equal(f->ssl ? SSL_write(f->ssl, text, n) : (int)send(f->fd, text, (size_t)n, MSG_NOSIGNAL), n);
}

/* The code of one reply; 0 at the end of the connection. */
static int reply(struct fixture *f)
{
	for (;;) {
		char *end = memchr(f->in, '\n', f->in_len);
		if (end) {
			size_t n = (size_t)(end - f->in) + 1;
			assert_true(n < sizeof(f->line));
			memcpy(f->line, f->in, n);
			f->line[n] = '\0';
			f->in_len -= n;
			memmove(f->in, f->in + n, f->in_len);
			if (n > 4 && f->line[0] > '0' && f->line[3] == ' ')
				return (int)strtol(f->line, NULL, 10);
			continue;
		}
		size_t room = sizeof(f->in) - f->in_len;
		int got = f->ssl ? SSL_read(f->ssl, f->in + f->in_len, (int)room)
				 : (int)recv(f->fd, f->in + f->in_len, room, 0);
		if (got <= 0)
			return 0;
		f->in_len += (size_t)got;
	}
}

static void expect(struct fixture *f, int code, const char *line)
{
	char text[256];
	snprintf(text, sizeof(text), "%s\r\n", line);
	send_text(f, text);
	if (reply(f) != code)
		fail_msg("'%s': not %d: %s", line, code, f->line);
}

static int data_port(struct fixture *f)
{
	expect(f, 229, "EPSV");
	int fd = talk_connect((uint16_t)strtoul(strstr(f->line, "(|||") + 4, NULL, 10), false);
	assert_true(fd >= 0);
	return fd;
}

/* After the 150. */
static void assert_content(struct fixture *f, int fd, SSL *ssl)
{
	int got;
	size_t n = 0;
	char *data = malloc(SIZE + 1);
	assert_non_null(data);
	assert_non_null(ssl);
	while (n < SIZE + 1 && (got = SSL_read(ssl, data + n, (int)(SIZE + 1 - n))) > 0)
		n += (size_t)got;
	if (n != SIZE)
		fail_msg("%zu bytes of %s; %s; %d %s", n, SSL_get_version(ssl),
			SSL_session_reused(ssl) ? "resumed" : "fresh", reply(f), f->line);
	assert_memory_equal(data, f->want, SIZE);
	assert_int_equal(SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
	assert_int_equal(reply(f), 226); /* though our end is open still */
	SSL_shutdown(ssl);
	SSL_free(ssl);
	close(fd);
	free(data);
}

static void assert_download(struct fixture *f, bool resume)
{
	int fd = data_port(f);
	expect(f, 150, "RETR file");
	assert_content(f, fd, handshake(f, fd, resume));
}

static void upload(struct fixture *f, bool notify, int code)
{
	int fd = data_port(f);
	expect(f, 150, "STOR up");
	SSL *ssl = handshake(f, fd, false);
	assert_non_null(ssl);
	assert_int_equal(SSL_write(ssl, f->want, SIZE), SIZE);
	if (notify) {
		assert_int_equal(SSL_shutdown(ssl), 0);
		assert_int_equal(SSL_shutdown(ssl), 1); /* the server has said so, too */
	}
	SSL_free(ssl);
	close(fd);
	assert_int_equal(reply(f), code);
}

/* --- life ------------------------------------------------------------------------------------------ */

static struct fixture *begin_with(struct aftp_server_options *o, enum aftp_tls_version max)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	assert_int_equal(
		aftp_tls_server_new(&f->tls, &(struct aftp_tls_options){ .max_version = max }, NULL, NULL, 0), 0);
	o->tls = f->tls;
	testd_start(&f->d, o, false);
	f->want = malloc(SIZE);
	assert_non_null(f->want);
	aftp_memfs_pattern(1, 0, f->want, SIZE);
	testd_put(&f->d, "/file", f->want, SIZE);
	f->ctx = SSL_CTX_new(TLS_client_method());
	assert_non_null(f->ctx);
	SSL_CTX_set_session_cache_mode(f->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(f->ctx, on_new_session);
	f->fd = talk_connect(f->d.port, false);
	assert_true(f->fd >= 0);
	return f;
}

static void log_in(struct fixture *f)
{
	expect(f, 331, "USER anonymous");
	expect(f, 230, "PASS x");
	expect(f, 200, "TYPE I");
}

static void start_tls(struct fixture *f)
{
	expect(f, 234, "AUTH TLS");
	f->ssl = handshake(f, f->fd, false);
	assert_non_null(f->ssl);
}

static struct fixture *begin(void)
{
	struct aftp_server_options o = { 0 };
	struct fixture *f = begin_with(&o, AFTP_TLS_DEFAULT);
	assert_int_equal(reply(f), 220);
	start_tls(f);
	log_in(f);
	expect(f, 200, "PBSZ 0");
	expect(f, 200, "PROT P");
	return f;
}

static void end(struct fixture *f)
{
	SSL_free(f->ssl);
	close(f->fd);
	testd_stop(&f->d);
	SSL_SESSION_free(f->session);
	SSL_CTX_free(f->ctx);
	aftp_tls_unref(f->tls);
	free(f->want);
	free(f);
}

/* --- tests ----------------------------------------------------------------------------------------- */

static void test_explicit(void **state)
{
	struct fixture *f = begin();
	(void)state;
	assert_download(f, false);
	upload(f, true, 226);
	expect(f, 213, "SIZE up");
	assert_int_equal(strtol(f->line + 4, NULL, 10), SIZE);
	expect(f, 200, "PROT C");
	int fd = data_port(f);
	size_t n;
	expect(f, 150, "RETR file");
	free(talk_drain(fd, &n, NULL));
	assert_int_equal(n, SIZE);
	assert_int_equal(reply(f), 226);
	expect(f, 503, "AUTH TLS");
	expect(f, 221, "QUIT");
	assert_int_equal(reply(f), 0);
	assert_int_equal(SSL_get_shutdown(f->ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
	end(f);
}

static void listen_tls(struct testd *d, void *arg)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_storage at;
	bool tls = false;
	assert_int_equal(aftp_server_listen_tls(d->server, (struct sockaddr *)&four), 0);
	assert_int_equal(aftp_server_local_of(d->server, 0, &at, &tls), 0);
	assert_false(tls);
	assert_int_equal(aftp_server_local_of(d->server, 1, &at, &tls), 0);
	assert_true(tls);
	assert_int_equal(aftp_server_local_of(d->server, 2, &at, &tls), AFTP_ENOENT);
	*(uint16_t *)arg = ntohs(((struct sockaddr_in *)(void *)&at)->sin_port);
}

static void test_implicit(void **state)
{
	struct aftp_server_options o = { .tls_required = true };
	struct fixture *f = begin_with(&o, AFTP_TLS_DEFAULT);
	uint16_t port;
	(void)state;
	assert_int_equal(reply(f), 220);
	close(f->fd);
	testd_call(&f->d, listen_tls, &port);
	f->fd = talk_connect(port, false);
	f->ssl = handshake(f, f->fd, false);
	assert_non_null(f->ssl);
	assert_int_equal(reply(f), 220);
	log_in(f);
	assert_download(f, false); /* private without PROT */
	upload(f, true, 226);
	end(f);
}

static void test_required(void **state)
{
	struct aftp_server_options o = { .tls_required = true };
	struct fixture *f = begin_with(&o, AFTP_TLS_DEFAULT);
	(void)state;
	assert_int_equal(reply(f), 220);
	expect(f, 530, "USER anonymous");
	expect(f, 530, "PWD");
	expect(f, 503, "PROT P");
	start_tls(f);
	log_in(f);
	int fd = data_port(f);
	expect(f, 522, "RETR file");
	expect(f, 534, "PROT C");
	expect(f, 536, "PROT S");
	expect(f, 504, "PROT X");
	expect(f, 200, "PROT P");
	close(fd);
	assert_download(f, false);
	end(f);
}

/* Whoever sits between may not put words behind the AUTH that count as said in private. */
static void test_words_behind_auth(void **state)
{
	struct aftp_server_options o = { 0 };
	struct fixture *f = begin_with(&o, AFTP_TLS_DEFAULT);
	(void)state;
	assert_int_equal(reply(f), 220);
	send_text(f, "AUTH TLS\r\nUSER anonymous\r\n");
	int code = reply(f);
	assert_true(code == 234 || code == 0);
	assert_int_equal(reply(f), 0);
	assert_int_equal(testd_count(&f->d, "USER"), 0);
	end(f);
}

static void test_login_does_not_last(void **state)
{
	struct aftp_server_options o = { 0 };
	struct fixture *f = begin_with(&o, AFTP_TLS_DEFAULT);
	(void)state;
	assert_int_equal(reply(f), 220);
	log_in(f);
	start_tls(f);
	expect(f, 530, "PWD");
	log_in(f);
	expect(f, 257, "PWD");
	end(f);
}

static void check_reuse(enum aftp_tls_version version, bool tickets)
{
	struct aftp_server_options o = { .tls_required = true, .tls_reuse = true };
	struct fixture *f = begin_with(&o, version);
	if (!tickets)
		SSL_CTX_set_options(f->ctx, SSL_OP_NO_TICKET);
	assert_int_equal(reply(f), 220);
	start_tls(f);
	log_in(f);
	expect(f, 200, "PROT P");
	int fd = data_port(f);
	expect(f, 150, "RETR file");
	SSL *ssl = handshake(f, fd, false);
	assert_int_equal(reply(f), 522);
	SSL_free(ssl);
	close(fd);
	assert_non_null(f->session);
	/* That of the refused data connection is no worse; what counts is whose it is. */
	for (int i = 0; i < 3; i++)
		assert_download(f, true);
	end(f);
}

static void test_reuse(void **state)
{
	(void)state;
	check_reuse(AFTP_TLS_1_3, true);
	check_reuse(AFTP_TLS_1_2, true);
	check_reuse(AFTP_TLS_1_2, false);
}

/* A session of another control connection is somebody else's. */
static void test_reuse_of_anothers(void **state)
{
	static const enum aftp_tls_version versions[] = { AFTP_TLS_1_2, AFTP_TLS_1_3 };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct aftp_server_options o = { .tls_reuse = true };
		struct fixture *f = begin_with(&o, versions[i]);
		assert_int_equal(reply(f), 220);
		start_tls(f);
		expect(f, 331, "USER anonymous"); /* brings the tickets of TLS 1.3 */
		SSL_SESSION *theirs = f->session;
		assert_non_null(theirs);
		SSL_SESSION_up_ref(theirs);
		SSL_free(f->ssl);
		close(f->fd);
		f->ssl = NULL;
		f->in_len = 0;
		f->fd = talk_connect(f->d.port, false);
		assert_int_equal(reply(f), 220);
		start_tls(f);
		log_in(f);
		expect(f, 200, "PROT P");
		int fd = data_port(f);
		expect(f, 150, "RETR file");
		SSL_SESSION_free(f->session);
		f->session = theirs;
		SSL *ssl = handshake(f, fd, true);
		assert_int_equal(reply(f), 522);
		SSL_free(ssl);
		close(fd);
		end(f);
	}
}

/* An end that TLS was not told of may be somebody's cut. */
static void test_cut_upload_is_no_success(void **state)
{
	struct fixture *f = begin();
	(void)state;
	upload(f, false, 426);
	expect(f, 257, "PWD");
	end(f);
}

static void test_no_handshake(void **state)
{
	struct fixture *f = begin();
	char c;
	(void)state;
	int fd = data_port(f);
	expect(f, 150, "STOR up");
	assert_int_equal(send(fd, "this is no TLS at all\r\n", 23, MSG_NOSIGNAL), 23);
	assert_int_equal(reply(f), 522);
	while (recv(fd, &c, 1, 0) > 0)
		;
	close(fd);
	fd = data_port(f);
	expect(f, 150, "RETR file");
	send_text(f, "ABOR\r\n");
	assert_int_equal(reply(f), 426);
	assert_int_equal(reply(f), 226);
	close(fd);
	assert_download(f, false);
	end(f);
}

/* Some clients shake hands first, and say what for when it is done. */
static void test_handshake_before_the_command(void **state)
{
	struct fixture *f = begin();
	(void)state;
	for (int i = 0; i < 3; i++) {
		int fd = data_port(f);
		SSL *ssl = handshake(f, fd, i == 2);
		assert_non_null(ssl);
		expect(f, 150, "RETR file");
		assert_content(f, fd, ssl);
	}
	int fd = data_port(f);
	SSL *ssl = handshake(f, fd, false);
	assert_non_null(ssl);
	assert_int_equal(SSL_write(ssl, f->want, 10000), 10000);
	expect(f, 150, "STOR early");
	assert_int_equal(SSL_write(ssl, f->want + 10000, SIZE - 10000), SIZE - 10000);
	SSL_shutdown(ssl);
	assert_int_equal(SSL_shutdown(ssl), 1);
	SSL_free(ssl);
	close(fd);
	assert_int_equal(reply(f), 226);
	expect(f, 213, "SIZE early");
	assert_string_equal(f->line, "213 3000000\r\n");
	end(f);
}

/* It is begun, and never used: another port, PROT C, the end of the session; and words that are no handshake. */
static void test_handshake_for_nothing(void **state)
{
	struct fixture *f = begin();
	(void)state;
	int fd = data_port(f);
	SSL *ssl = handshake(f, fd, false);
	assert_non_null(ssl);
	int second = data_port(f);
	SSL *other = handshake(f, second, false);
	assert_non_null(other);
	expect(f, 200, "PROT C");
	expect(f, 150, "RETR file");
	assert_content(f, second, other);
	SSL_free(ssl);
	close(fd);
	expect(f, 200, "PROT P");
	fd = data_port(f);
	assert_int_equal(send(fd, "no handshake", 12, MSG_NOSIGNAL), 12);
	expect(f, 257, "PWD");
	expect(f, 150, "RETR file");
	assert_int_equal(reply(f), 522);
	close(fd);
	fd = data_port(f);
	ssl = handshake(f, fd, false);
	assert_non_null(ssl);
	expect(f, 550, "RETR missing");
	expect(f, 150, "RETR file");
	assert_content(f, fd, ssl);
	fd = data_port(f);
	ssl = handshake(f, fd, false);
	assert_non_null(ssl);
	end(f);
	SSL_free(ssl);
	close(fd);
}

static void test_handshake_takes_too_long(void **state)
{
	struct aftp_server_options o = { .data_timeout_ms = 300 };
	struct fixture *f = begin_with(&o, AFTP_TLS_DEFAULT);
	(void)state;
	assert_int_equal(reply(f), 220);
	start_tls(f);
	log_in(f);
	expect(f, 200, "PROT P");
	int fd = data_port(f);
	expect(f, 150, "RETR file");
	assert_int_equal(reply(f), 522);
	close(fd);
	expect(f, 257, "PWD");
	end(f);
}

/* The server ends in the middle of everything. */
static void test_end_in_every_stage(void **state)
{
	(void)state;
	for (int stage = 0; stage < 4; stage++) {
		struct aftp_server_options o = { 0 };
		struct fixture *f = begin_with(&o, AFTP_TLS_DEFAULT);
		assert_int_equal(reply(f), 220);
		if (stage == 0)
			expect(f, 234, "AUTH TLS");
		if (stage > 0)
			start_tls(f);
		int fd = -1;
		if (stage > 1) {
			log_in(f);
			expect(f, 200, "PROT P");
			fd = data_port(f);
			expect(f, 150, "RETR file");
		}
		SSL *ssl = stage > 2 ? handshake(f, fd, false) : NULL;
		end(f);
		SSL_free(ssl);
		if (fd >= 0)
			close(fd);
	}
}

static void test_without(void **state)
{
	static const struct talk_step steps[] = {
		{ NULL, 220, NULL },
		{ "AUTH TLS", 502, NULL },
		{ "PROT P", 502, NULL },
	};
	struct aftp_server *srv;
	struct testd d;
	(void)state;
	testd_start(&d, NULL, false);
	talk_play(&d, steps, sizeof(steps) / sizeof(steps[0]));
	struct sockaddr_in four = { .sin_family = AF_INET };
	assert_int_equal(aftp_server_listen_tls(d.server, (struct sockaddr *)&four), AFTP_EINVAL);
	testd_stop(&d);
	uv_loop_t loop;
	struct aftp_memfs *fs;
	uv_loop_init(&loop);
	assert_int_equal(aftp_memfs_new(&fs, &loop), 0);
	struct aftp_server_options o = { .vfs = aftp_memfs_vfs(fs), .tls_required = true };
	assert_int_equal(aftp_server_new(&srv, &loop, &o), AFTP_EINVAL);
	aftp_memfs_close(&fs);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_explicit),
		cmocka_unit_test(test_implicit),
		cmocka_unit_test(test_required),
		cmocka_unit_test(test_words_behind_auth),
		cmocka_unit_test(test_login_does_not_last),
		cmocka_unit_test(test_reuse),
		cmocka_unit_test(test_reuse_of_anothers),
		cmocka_unit_test(test_cut_upload_is_no_success),
		cmocka_unit_test(test_no_handshake),
		cmocka_unit_test(test_handshake_before_the_command),
		cmocka_unit_test(test_handshake_for_nothing),
		cmocka_unit_test(test_handshake_takes_too_long),
		cmocka_unit_test(test_end_in_every_stage),
		cmocka_unit_test(test_without),
	};
	return cmocka_run_group_tests_name("server_tls", tests, NULL, NULL);
}
