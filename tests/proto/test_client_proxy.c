/* A client that goes through a proxy, with its control and its data connections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/kit.h"
#include "lib/loop.h"
#include "lib/relay.h"
#include "lib/secured.h"

#define WELCOME ANSWERS("USER", "331 password"), ANSWERS("PASS", "230 ok")
#define SETUP   ANSWERS("TYPE I", "200 ok"), ANSWERS("FEAT", "502 no")
#define GET                                                                                                 \
	WANTS("EPSV"), DOES(SECURED_LISTEN), SAYS("229 here (%E)"), DOES(SECURED_ACCEPT), WANTS("RETR /f"), \
		SAYS("150 Opening data connection")
#define ALL   DOES_N(SECURED_FILL, SIZE), DOES(SECURED_END_DATA), SAYS("226 Transfer complete")
#define STILL ANSWERS("NOOP", "200 still here"), FINISH

enum { SIZE = 300000 };

static const struct secured_step plain[] = { SAYS("220 ready"), WELCOME, SETUP, GET, ALL, STILL };
static const struct secured_step with_tls[] = { SAYS("220 ready"), ANSWERS("AUTH TLS", "234 go"), DOES(SECURED_TLS),
	WELCOME, ANSWERS("PBSZ", "200 ok"), ANSWERS("PROT P", "200 ok"), SETUP, GET, DOES(SECURED_DATA_TLS), ALL,
	STILL };

struct fixture {
	struct kit k;
	struct secured server;
	struct relay relay;
	struct aftp_tls *tls;
};

static void begin(struct fixture *f, const struct secured_step *script, bool http)
{
	const struct aftp_tls_options o = { .no_verify_peer = true };

	kit_begin(&f->k, NULL);
	assert_int_equal(aftp_tls_server_new(&f->tls, NULL, NULL, NULL, 0), 0);
	assert_int_equal(aftp_tls_client_new(&f->k.o.tls, &o, NULL, 0), 0);
	secured_start(&f->server, &f->k.loop, script, f->tls);
	relay_start(&f->relay, &f->k.loop, http);
	f->k.o.host = "ftp.no-such-name.invalid"; /* the proxy's business */
	f->k.o.port = f->server.port;
	f->k.o.proxy.kind = http ? AFTP_PROXY_HTTP : AFTP_PROXY_SOCKS5;
	f->k.o.proxy.host = "127.0.0.1";
	f->k.o.proxy.port = f->relay.port;
}

static void end(struct fixture *f)
{
	kit_close(&f->k);
	secured_stop(&f->server);
	relay_stop(&f->relay);
	assert_string_equal(f->server.trouble, "");
	aftp_tls_unref(f->tls);
	aftp_tls_unref(f->k.o.tls);
	kit_end(&f->k);
}

static void test_transfers(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		bool http = i & 1, tls = i & 2, login = i & 4;
		struct kit_get g = { 0 };
		struct fixture f;
		char targets[200];

		begin(&f, tls ? with_tls : plain, http);
		f.k.o.tls_mode = tls ? AFTP_TLS_REQUIRE : AFTP_TLS_OFF;
		f.relay.login = login ? "joe:pass" : NULL;
		f.k.o.proxy.user = login ? "joe" : NULL;
		f.k.o.proxy.password = login ? "pass" : NULL;
		assert_int_equal(kit_connect(&f.k), 0);
		assert_int_equal(kit_get(&g, &f.k, "/f", 0), 0);
		assert_int_equal(g.moved, SIZE);
		assert_true(kit_get_right(&g, 0));
		assert_int_equal(kit_command(&f.k, "NOOP", NULL, NULL), 200);
		snprintf(targets, sizeof(targets), "ftp.no-such-name.invalid:%u\nftp.no-such-name.invalid:%u\n",
			f.server.port, f.server.data_port);
		assert_string_equal(f.relay.targets, targets);
		kit_get_free(&g);
		end(&f);
	}
}

static void test_refusals(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		bool http = i & 1, login = i & 2;
		struct fixture f;

		begin(&f, plain, http);
		f.relay.login = login ? "joe:pass" : NULL;
		f.relay.refuses = !login;
		assert_int_equal(kit_connect(&f.k), AFTP_EACCES);
		assert_non_null(strstr(aftp_client_error(f.k.client), "the proxy"));
		kit_close(&f.k);
		f.k.o.proxy.user = "joe";
		f.k.o.proxy.password = "wrong";
		assert_int_equal(kit_connect(&f.k), AFTP_EACCES);
		end(&f);
	}
}

/* The proxy's words are there for a data connection, too. */
static void test_data_refused(void **state)
{
	static const struct secured_step script[] = { SAYS("220 ready"), WELCOME, SETUP,
		ANSWERS("EPSV", "229 here (%E)"), ANSWERS("PASV", "502 no"), STILL };
	struct kit_get g = { 0 };
	struct fixture f;

	(void)state;
	begin(&f, script, false);
	assert_int_equal(kit_connect(&f.k), 0);
	f.relay.refuses = true;
	assert_true(kit_get(&g, &f.k, "/f", 0) < 0);
	assert_int_equal(kit_command(&f.k, "NOOP", NULL, NULL), 200);
	kit_get_free(&g);
	end(&f);
}

static void test_silence(void **state)
{
	struct fixture f;

	(void)state;
	for (int i = 0; i < 2; i++) {
		begin(&f, plain, i);
		f.relay.silent = true;
		f.k.o.connect_timeout_ms = 150;
		assert_int_equal(kit_connect(&f.k), AFTP_ETIMEDOUT);
		end(&f);
	}
}

static void test_close_at_any_time(void **state)
{
	(void)state;
	for (int turns = 0; turns < 30; turns++) {
		struct fixture f;
		int status = 1;

		begin(&f, with_tls, turns & 1);
		f.k.o.tls_mode = AFTP_TLS_REQUIRE;
		assert_int_equal(aftp_client_new(&f.k.client, &f.k.loop, &f.k.o), 0);
		assert_int_equal(aftp_client_connect(f.k.client, kit_note_status, &status), 0);
		for (int i = 0; i < turns; i++)
			uv_run(&f.k.loop, UV_RUN_NOWAIT);
		kit_close(&f.k);
		assert_int_not_equal(status, 1);
		end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_transfers),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_data_refused),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_close_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
