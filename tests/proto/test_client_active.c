/* Active mode: the server connects to the client. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/kit.h"
#include "lib/loop.h"
#include "lib/secured.h"

#define SESSION                                                                                                     \
	SAYS("220 ready"), ANSWERS("USER", "331 password"), ANSWERS("PASS", "230 ok"), ANSWERS("TYPE I", "200 ok"), \
		ANSWERS("FEAT", "502 no")
#define EPRT    ANSWERS("EPRT |1|127.0.0.1|", "200 ok")
#define PORT    ANSWERS("PORT 127,0,0,1,", "200 ok")
#define NO_EPRT ANSWERS("EPRT", "500 what?")
#define RETR    WANTS("RETR /f")
#define CONNECT DOES(SECURED_CONNECT)
#define GOES    SAYS("150 Opening data connection")
#define ALL     DOES_N(SECURED_FILL, SIZE), DOES(SECURED_END_DATA), SAYS("226 Transfer complete")
#define STILL   ANSWERS("NOOP", "200 still here"), FINISH

enum { SIZE = 100000 };

struct fixture {
	struct kit k;
	struct secured server;
	struct aftp_tls *tls;
};

static void begin(struct fixture *f, const struct secured_step *script)
{
	kit_begin(&f->k, NULL);
	assert_int_equal(aftp_tls_server_new(&f->tls, NULL, NULL, NULL, 0), 0);
	secured_start(&f->server, &f->k.loop, script, f->tls);
	f->k.o.port = f->server.port;
	f->k.o.active = true;
}

static void end(struct fixture *f)
{
	kit_close(&f->k);
	secured_stop(&f->server);
	assert_string_equal(f->server.trouble, "");
	aftp_tls_unref(f->tls);
	aftp_tls_unref(f->k.o.tls);
	kit_end(&f->k);
}

static void check_still(struct fixture *f)
{
	char text[256];

	assert_int_equal(kit_command(&f->k, "NOOP", NULL, text), 200);
}

/* --- downloads ------------------------------------------------------------------------------------- */

struct download {
	const char *name;
	int status, code;
	unsigned times;
	struct secured_step script[40];
};

static const struct download downloads[] = {
	{ "after 150", 0, 226, 1, { SESSION, EPRT, RETR, GOES, CONNECT, ALL, STILL } },
	{ "before 150", 0, 226, 1, { SESSION, EPRT, RETR, CONNECT, GOES, ALL, STILL } },
	{ "twice", 0, 226, 2,
		{ SESSION, EPRT, RETR, GOES, CONNECT, ALL, EPRT, RETR, GOES, CONNECT, DOES_N(SECURED_SEEK, 0), ALL,
			STILL } },
	{ "PORT, and at once the second time", 0, 226, 2,
		{ SESSION, NO_EPRT, PORT, RETR, GOES, CONNECT, ALL, PORT, RETR, GOES, CONNECT, DOES_N(SECURED_SEEK, 0),
			ALL, STILL } },
	{ "neither", AFTP_ENOTSUP, 0, 1, { SESSION, NO_EPRT, ANSWERS("PORT", "502 no"), STILL } },
	{ "somebody else first", 0, 226, 1, { SESSION, EPRT, RETR, GOES, DOES(SECURED_INTRUDE), CONNECT, ALL, STILL } },
	{ "before 200", 0, 226, 2,
		{ SESSION, WANTS("EPRT"), CONNECT, SAYS("200 ok"), RETR, GOES, ALL, WANTS("EPRT"), CONNECT,
			SAYS("200 ok"), RETR, DOES_N(SECURED_SEEK, 0), GOES, ALL, STILL } },
	{ "before 200, and somebody else before that", 0, 226, 1,
		{ SESSION, WANTS("EPRT"), DOES(SECURED_INTRUDE), CONNECT, SAYS("200 ok"), RETR, GOES, ALL, STILL } },
	{ "connected, and not wanted", AFTP_ENOTSUP, 0, 1,
		{ SESSION, WANTS("EPRT"), CONNECT, SAYS("500 what?"), ANSWERS("PORT", "502 no"), STILL } },
	{ "refused", AFTP_ENOENT, 550, 1, { SESSION, EPRT, RETR, SAYS("550 /f: No such file"), STILL } },
	{ "425", AFTP_ECONNRESET, 425, 1, { SESSION, EPRT, RETR, GOES, SAYS("425 Cannot connect to you"), STILL } },
	{ "connected, and refused", AFTP_ENOENT, 550, 1,
		{ SESSION, EPRT, RETR, CONNECT, DOES(SECURED_CUT_DATA), SAYS("550 /f: No such file"), STILL } },
	{ "nobody comes", AFTP_ETIMEDOUT, 0, 1, { SESSION, EPRT, RETR, FINISH } },
};

static void check_download(const struct download *d)
{
	struct fixture f;

	begin(&f, d->script);
	if (d->status == AFTP_ETIMEDOUT)
		f.k.o.timeout_ms = 200;
	assert_int_equal(kit_connect(&f.k), 0);
	for (unsigned i = 0; i < d->times; i++) {
		struct kit_get g = { 0 };

		(void)kit_get(&g, &f.k, "/f", 0);
		if (g.status != d->status || g.code != d->code || g.moved != (d->status == 0 ? SIZE : 0))
			fail_msg("%s: %s and %d, %llu bytes; %s", d->name, aftp_err_name(g.status), g.code,
				(unsigned long long)g.moved, f.server.trouble);
		assert_true(kit_get_right(&g, 0));
		kit_get_free(&g);
	}
	if (d->status != AFTP_ETIMEDOUT)
		check_still(&f);
	if (f.server.intruder > 0) {
		char c;
		ssize_t n = read(f.server.intruder, &c, 1);

		assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
	}
	end(&f);
}

static void test_downloads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(downloads) / sizeof(downloads[0]); i++)
		check_download(&downloads[i]);
}

/* Once it has worked, the command does not wait for the answer; where that is a refusal then, the next one waits again. */
static void test_at_once(void **state)
{
	static const struct secured_step script[] = { SESSION, EPRT, RETR, GOES, CONNECT, ALL, WANTS("EPRT"), RETR,
		SAYS("200 ok"), GOES, CONNECT, DOES_N(SECURED_SEEK, 0), ALL, WANTS("EPRT"), RETR, SAYS("500 what?"),
		SAYS("425 nowhere to go"), ANSWERS("PWD", "257 \"/\""), PORT, RETR, GOES, CONNECT,
		DOES_N(SECURED_SEEK, 0), ALL, STILL };
	static const int statuses[] = { 0, 0, AFTP_ENOTSUP, 0 };
	struct fixture f;

	(void)state;
	begin(&f, script);
	assert_int_equal(kit_connect(&f.k), 0);
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
		struct kit_get g = { 0 };

		assert_int_equal(kit_get(&g, &f.k, "/f", 0), statuses[i]);
		assert_int_equal(g.moved, statuses[i] == 0 ? SIZE : 0);
		assert_true(kit_get_right(&g, 0));
		kit_get_free(&g);
	}
	check_still(&f);
	end(&f);
}

static void test_upload(void **state)
{
	static const struct secured_step script[] = { SESSION, EPRT, WANTS("STOR /f"), CONNECT, GOES,
		DOES(SECURED_TAKE_ALL), SAYS("226 fine"), STILL };
	struct kit_put p = { 0 };
	struct fixture f;

	(void)state;
	begin(&f, script);
	assert_int_equal(kit_connect(&f.k), 0);
	kit_put_start(&p, &f.k, AFTP_STORE, "/f", 0, SIZE, 5000);
	assert_int_equal(kit_put_wait(&p), 0);
	assert_int_equal(f.server.data_bytes, SIZE);
	check_still(&f);
	end(&f);
}

static void test_tls(void **state)
{
	static const struct secured_step script[] = { DOES(SECURED_TLS), SAYS("220 ready"), ANSWERS("USER", "230 ok"),
		ANSWERS("PBSZ", "200 ok"), ANSWERS("PROT P", "200 ok"), ANSWERS("TYPE I", "200 ok"),
		ANSWERS("FEAT", "502 no"), EPRT, RETR, GOES, CONNECT, DOES(SECURED_DATA_TLS), ALL, STILL };
	const struct aftp_tls_options anybody = { .no_verify_peer = true };
	struct kit_get g = { 0 };
	struct fixture f;

	(void)state;
	begin(&f, script);
	assert_int_equal(aftp_tls_client_new(&f.k.o.tls, &anybody, NULL, 0), 0);
	f.k.o.tls_mode = AFTP_TLS_IMPLICIT;
	assert_int_equal(kit_connect(&f.k), 0);
	assert_int_equal(kit_get(&g, &f.k, "/f", 0), 0);
	assert_int_equal(f.server.resumed, 1);
	kit_get_free(&g);
	check_still(&f);
	end(&f);
}

/* --- where it listens ------------------------------------------------------------------------------ */

/* A port that is taken, and stays so. */
static int take_port(uint16_t *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	*port = ntohs(addr.sin_port);
	return fd;
}

static void test_range(void **state)
{
	static const struct secured_step script[] = { SESSION, EPRT, RETR, GOES, CONNECT, ALL, STILL };
	struct kit_get g = { 0 };
	struct fixture f;
	uint16_t taken;
	int fd = take_port(&taken);

	(void)state;
	begin(&f, script);
	f.k.o.active_port_min = (uint16_t)(taken < 65000 ? taken : taken - 100);
	f.k.o.active_port_max = (uint16_t)(f.k.o.active_port_min + 100);
	assert_int_equal(kit_connect(&f.k), 0);
	assert_int_equal(kit_get(&g, &f.k, "/f", 0), 0);
	assert_in_range(f.server.client_port, f.k.o.active_port_min, f.k.o.active_port_max);
	assert_int_not_equal(f.server.client_port, taken);
	kit_get_free(&g);
	end(&f);
	close(fd);
}

static void test_no_port_is_free(void **state)
{
	static const struct secured_step script[] = { SESSION, STILL };
	struct kit_get g = { 0 };
	struct kit_list l = { 0 };
	struct fixture f;
	uint16_t taken;
	int fd = take_port(&taken);

	(void)state;
	begin(&f, script);
	f.k.o.active_port_min = f.k.o.active_port_max = taken;
	assert_int_equal(kit_connect(&f.k), 0);
	assert_int_equal(kit_get(&g, &f.k, "/f", 0), -EADDRINUSE);
	assert_string_equal(aftp_client_error(f.k.client), "no port to listen on");
	assert_int_equal(kit_list(&l, &f.k, "/d"), -EADDRINUSE);
	check_still(&f);
	kit_get_free(&g);
	end(&f);
	close(fd);
}

static void test_address(void **state)
{
	static const struct secured_step script[] = { SESSION, ANSWERS("EPRT |1|192.0.2.7|", "501 no"),
		ANSWERS("PORT 192,0,2,7,", "501 no"), ANSWERS("NOOP", "200 ok"), FINISH };
	static const struct secured_step six[] = { SESSION, ANSWERS("EPRT |2|2001:db8::7|", "522 no"), STILL };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct kit_get g = { 0 };
		struct fixture f;

		begin(&f, i == 0 ? script : six);
		f.k.o.active_address = i == 0 ? "192.0.2.7" : "2001:db8::7";
		assert_int_equal(kit_connect(&f.k), 0);
		assert_true(kit_get(&g, &f.k, "/f", 0) < 0);
		kit_get_free(&g);
		check_still(&f);
		end(&f);
	}
}

static void test_close_at_any_time(void **state)
{
	static const struct secured_step script[] = { SESSION, EPRT, RETR, GOES, CONNECT, ALL, STILL };

	(void)state;
	for (int turns = 0; turns < 20; turns++) {
		struct kit_get g = { 0 };
		struct fixture f;

		begin(&f, script);
		assert_int_equal(kit_connect(&f.k), 0);
		kit_get_start(&g, &f.k, "/f", 0);
		for (int i = 0; i < turns; i++)
			uv_run(&f.k.loop, UV_RUN_NOWAIT);
		if (turns % 2 && !g.over)
			aftp_transfer_cancel(g.transfer);
		kit_close(&f.k);
		assert_int_equal(g.done, 1);
		kit_get_free(&g);
		f.server.trouble[0] = '\0'; /* a PWD that the script knows nothing of */
		end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_downloads),
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_upload),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_no_port_is_free),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_close_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
