/* What a client does with TLS, and with the ways in which servers have it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/kit.h"
#include "lib/loop.h"
#include "lib/secured.h"
#include "stream/tls_settings.h"

#define EXPLICIT        SAYS("220 ready"), ANSWERS("AUTH TLS", "234 go on"), DOES(SECURED_TLS)
#define USER            ANSWERS("USER joe", "331 password"), ANSWERS("PASS secret", "230 ok")
#define PROTECT         ANSWERS("PBSZ 0", "200 ok"), ANSWERS("PROT P", "200 private")
#define FEATURES(lines) ANSWERS("TYPE I", "200 binary"), ANSWERS("FEAT", lines)
#define NOTHING         FEATURES("502 no")
#define SESSION         EXPLICIT, USER, PROTECT, NOTHING
#define PASSIVE         WANTS("EPSV"), DOES(SECURED_LISTEN), SAYS("229 here (%E)")
#define STILL           ANSWERS("NOOP", "200 still here"), FINISH

struct fixture {
	struct kit k;
	struct secured server;
	struct aftp_tls *tls; /* the server's; the client knows it by its pin */
};

static void begin(struct fixture *f, const struct secured_step *script, enum aftp_tls_mode mode)
{
	struct aftp_tls_options o = { 0 };

	kit_begin(&f->k, NULL);
	assert_int_equal(aftp_tls_server_new(&f->tls, NULL, NULL, NULL, 0), 0);
	o.pin = aftp_tls_own_pin(f->tls);
	assert_int_equal(aftp_tls_client_new(&f->k.o.tls, &o, NULL, 0), 0);
	secured_start(&f->server, &f->k.loop, script, f->tls);
	f->k.o.port = f->server.port;
	f->k.o.tls_mode = mode;
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

/* --- sessions -------------------------------------------------------------------------------------- */

struct session {
	const char *name;
	enum aftp_tls_mode mode;
	bool prot_clear;
	int status;
	const char *words;    /* of the error */
	const char *commands; /* all that was said */
	struct secured_step script[24];
};

static const struct session sessions[] = {
	{ "explicit", AFTP_TLS_REQUIRE, false, 0, "",
		"AUTH TLS\n[TLS]\nUSER joe\nPASS secret\nPBSZ 0\nPROT P\nTYPE I\nFEAT\n", { SESSION, FINISH } },
	{ "tried", AFTP_TLS_TRY, false, 0, "", "AUTH TLS\n[TLS]\nUSER joe\nPASS secret\nPBSZ 0\nPROT P\nTYPE I\nFEAT\n",
		{ SESSION, FINISH } },
	{ "implicit", AFTP_TLS_IMPLICIT, false, 0, "", "[TLS]\nUSER joe\nPASS secret\nPBSZ 0\nPROT P\nTYPE I\nFEAT\n",
		{ DOES(SECURED_TLS), SAYS("220 ready"), USER, PROTECT, NOTHING, FINISH } },
	{ "implicit, and no PROT", AFTP_TLS_IMPLICIT, false, 0, "",
		"[TLS]\nUSER joe\nPASS secret\nPBSZ 0\nPROT P\nTYPE I\nFEAT\n",
		{ DOES(SECURED_TLS), SAYS("220 ready"), USER, ANSWERS("PBSZ", "502 no"), ANSWERS("PROT", "502 no"),
			NOTHING, FINISH } },
	{ "AUTH SSL", AFTP_TLS_REQUIRE, false, 0, "",
		"AUTH TLS\nAUTH SSL\n[TLS]\nUSER joe\nPASS secret\nPBSZ 0\nPROT P\nTYPE I\nFEAT\n",
		{ SAYS("220 ready"), ANSWERS("AUTH TLS", "504 unknown"), ANSWERS("AUTH SSL", "234 go"),
			DOES(SECURED_TLS), USER, PROTECT, NOTHING, FINISH } },
	{ "data in the clear", AFTP_TLS_REQUIRE, true, 0, "",
		"AUTH TLS\n[TLS]\nUSER joe\nPASS secret\nPBSZ 0\nPROT C\nTYPE I\nFEAT\n",
		{ EXPLICIT, USER, ANSWERS("PBSZ", "200 ok"), ANSWERS("PROT C", "200 clear"), NOTHING, FINISH } },
	{ "none, and tried", AFTP_TLS_TRY, false, 0, "", "AUTH TLS\nAUTH SSL\nUSER joe\nPASS secret\nTYPE I\nFEAT\n",
		{ SAYS("220 ready"), ANSWERS("AUTH", "502 no"), ANSWERS("AUTH", "502 no"), USER, NOTHING, FINISH } },
	{ "none, and required", AFTP_TLS_REQUIRE, false, AFTP_ETLS, "the server has no TLS: never heard",
		"AUTH TLS\nAUTH SSL\n",
		{ SAYS("220 ready"), ANSWERS("AUTH", "530 log in first"), ANSWERS("AUTH", "500 never heard"),
			FINISH } },
	{ "none for the moment", AFTP_TLS_REQUIRE, false, AFTP_ETLS, "the server has no TLS: later", "AUTH TLS\n",
		{ SAYS("220 ready"), ANSWERS("AUTH", "431 later"), FINISH } },
	{ "PROT refused", AFTP_TLS_REQUIRE, false, AFTP_ETLS, "not for you",
		"AUTH TLS\n[TLS]\nUSER joe\nPASS secret\nPBSZ 0\nPROT P\nTYPE I\nFEAT\n",
		{ EXPLICIT, USER, ANSWERS("PBSZ", "200 ok"), WANTS("PROT P"), WANTS("TYPE I"), WANTS("FEAT"),
			SAYS("536 not for you"), FINISH } },
	{ "another answer to AUTH", AFTP_TLS_REQUIRE, false, AFTP_EPROTO, "what", "AUTH TLS\n",
		{ SAYS("220 ready"), ANSWERS("AUTH", "200 what"), FINISH } },
	{ "something behind 234", AFTP_TLS_REQUIRE, false, AFTP_EPROTO, "in the clear", "AUTH TLS\n",
		{ SAYS("220 ready"), ANSWERS("AUTH", "234 go on\r\n230 you are in"), FINISH } },
	{ "half a line behind 234", AFTP_TLS_TRY, false, AFTP_EPROTO, "in the clear", "AUTH TLS\n",
		{ SAYS("220 ready"), WANTS("AUTH"), { SECURED_SAY, "234 go on\r\n23", 0 }, FINISH } },
};

static void test_sessions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sessions) / sizeof(sessions[0]); i++) {
		const struct session *t = &sessions[i];
		struct fixture f;
		int status;

		begin(&f, t->script, t->mode);
		f.k.o.prot_clear = t->prot_clear;
		status = kit_connect(&f.k);
		if (status != t->status || !strstr(aftp_client_error(f.k.client), t->words))
			fail_msg("%s: %s, \"%s\"", t->name, aftp_err_name(status), aftp_client_error(f.k.client));
		if (strcmp(f.server.commands, t->commands) != 0)
			fail_msg("%s:\n%s", t->name, f.server.commands);
		end(&f);
	}
}

/* It may show as an end, as a reset, or as a write that failed. */
static void test_end_in_the_middle(void **state)
{
	static const struct secured_step script[] = { SAYS("220 ready"), ANSWERS("AUTH", "234 go on"),
		DOES(SECURED_CLOSE), FINISH };
	struct fixture f;

	(void)state;
	begin(&f, script, AFTP_TLS_TRY);
	assert_true(kit_connect(&f.k) < 0);
	assert_string_equal(f.server.commands, "AUTH TLS\n");
	end(&f);
}

/* A certificate that nobody vouches for is refused with the words that help, and taken when its key is known. */
static void test_certificate(void **state)
{
	static const struct secured_step script[] = { SESSION, STILL };
	struct fixture f;
	struct aftp_tls *pinned;
	struct aftp_tls_options strict = { 0 };

	(void)state;
	begin(&f, script, AFTP_TLS_REQUIRE);
	pinned = f.k.o.tls;
	assert_int_equal(aftp_tls_client_new(&f.k.o.tls, &strict, NULL, 0), 0);
	assert_int_equal(kit_connect(&f.k), AFTP_ECERT);
	assert_non_null(strstr(aftp_client_error(f.k.client), "self-signed certificate"));
	assert_non_null(strstr(aftp_client_error(f.k.client), aftp_tls_own_pin(f.tls)));
	assert_string_equal(f.server.commands, "AUTH TLS\n");
	kit_close(&f.k);
	aftp_tls_unref(f.k.o.tls);
	f.k.o.tls = pinned;
	assert_int_equal(kit_connect(&f.k), 0);
	check_still(&f);
	end(&f);
}

static void test_options(void **state)
{
	struct kit k;
	struct aftp_client *c;

	(void)state;
	kit_begin(&k, NULL);
	k.o.tls_mode = AFTP_TLS_REQUIRE;
	assert_int_equal(aftp_client_new(&c, &k.loop, &k.o), AFTP_EINVAL); /* and no settings */
	k.o.tls_mode = AFTP_TLS_OFF;
	k.o.active = true;
	k.o.active_address = "here";
	assert_int_equal(aftp_client_new(&c, &k.loop, &k.o), AFTP_EINVAL);
	k.o.active_address = "192.0.2.1";
	k.o.active_port_min = 2000;
	assert_int_equal(aftp_client_new(&c, &k.loop, &k.o), AFTP_EINVAL);
	k.o.active_port_min = 0;
	k.o.proxy = (struct aftp_proxy){ .kind = AFTP_PROXY_HTTP, .host = "proxy" };
	assert_int_equal(aftp_client_new(&c, &k.loop, &k.o), AFTP_EINVAL); /* the server cannot reach us there */
	k.o.active = false;
	k.o.proxy.host = NULL;
	assert_int_equal(aftp_client_new(&c, &k.loop, &k.o), AFTP_EINVAL);
	kit_end(&k);
}

/* --- downloads ------------------------------------------------------------------------------------- */

enum { SIZE = 300000, HALF = SIZE / 2 };

#define RETR     DOES(SECURED_ACCEPT), WANTS("RETR /f")
#define GOES     SAYS("150 Opening data connection")
#define FINE     SAYS("226 Transfer complete")
#define ALL      DOES_N(SECURED_FILL, SIZE)
#define DATA_TLS DOES(SECURED_DATA_TLS)

struct download {
	const char *name;
	uint64_t offset;
	int status, code;
	uint64_t moved;
	bool stays;
	struct secured_step script[40];
};

static const struct download downloads[] = {
	{ "TLS after 150", 0, 0, 226, SIZE, true,
		{ SESSION, PASSIVE, RETR, GOES, DATA_TLS, ALL, DOES(SECURED_END_DATA), FINE, STILL } },
	{ "TLS before 150", 0, 0, 226, SIZE, true,
		{ SESSION, PASSIVE, RETR, DATA_TLS, GOES, ALL, DOES(SECURED_END_DATA), FINE, STILL } },
	{ "no TLS before 150", 0, 0, 226, SIZE, true,
		{ SESSION, PASSIVE, RETR, DOES(SECURED_QUIET), GOES, DATA_TLS, ALL, DOES(SECURED_END_DATA), FINE,
			STILL } },
	{ "150 before the connection", 0, 0, 226, SIZE, true,
		{ SESSION, PASSIVE, WANTS("RETR /f"), GOES, DOES(SECURED_ACCEPT), DATA_TLS, ALL, DOES(SECURED_END_DATA),
			FINE, STILL } },
	{ "226 before the end", 0, 0, 226, SIZE, true,
		{ SESSION, PASSIVE, RETR, GOES, DATA_TLS, ALL, FINE, DOES(SECURED_END_DATA), STILL } },
	{ "nothing", 0, 0, 226, 0, true,
		{ SESSION, PASSIVE, RETR, GOES, DATA_TLS, DOES(SECURED_END_DATA), FINE, STILL } },
	{ "refused", 0, AFTP_ENOENT, 550, 0, true,
		{ SESSION, PASSIVE, RETR, SAYS("550 /f: No such file or directory"), STILL } },
	{ "refused, and the data ended before", 0, AFTP_ENOENT, 550, 0, true,
		{ SESSION, PASSIVE, RETR, DOES(SECURED_CUT_DATA), SAYS("550 /f: No such file or directory"), STILL } },
	{ "refused after TLS", 0, AFTP_EREPLY, 451, 0, true,
		{ SESSION, PASSIVE, RETR, DATA_TLS, DOES(SECURED_END_DATA), SAYS("451 Local error"), STILL } },

	/* Many servers do not say the end. */
	{ "cut, and the size was told", 0, 0, 226, SIZE, true,
		{ SESSION, PASSIVE, RETR, SAYS("150 Opening data connection for f (300000 bytes)"), DATA_TLS, ALL,
			DOES(SECURED_CUT_DATA), FINE, STILL } },
	{ "cut, with an offset, and the rest was told", 1000, 0, 226, SIZE, true,
		{ SESSION, PASSIVE, DOES(SECURED_ACCEPT), ANSWERS("REST 1000", "350 ok"), WANTS("RETR /f"),
			SAYS("150 Opening (300000 bytes)"), DATA_TLS, DOES_N(SECURED_SEEK, 1000), ALL,
			DOES(SECURED_CUT_DATA), FINE, STILL } },
	{ "cut, and SIZE agrees", 0, 0, 226, SIZE, true,
		{ SESSION, PASSIVE, RETR, GOES, DATA_TLS, ALL, DOES(SECURED_CUT_DATA), FINE,
			ANSWERS("SIZE /f", "213 300000"), STILL } },
	{ "cut, with an offset, and SIZE agrees", 1000, 0, 226, SIZE, true,
		{ SESSION, PASSIVE, DOES(SECURED_ACCEPT), ANSWERS("REST 1000", "350 ok"), WANTS("RETR /f"), GOES,
			DATA_TLS, DOES_N(SECURED_SEEK, 1000), ALL, DOES(SECURED_CUT_DATA), FINE,
			ANSWERS("SIZE /f", "213 301000"), STILL } },
	{ "cut, and SIZE does not agree", 0, AFTP_EINCOMPLETE, 226, HALF, true,
		{ SESSION, PASSIVE, RETR, GOES, DATA_TLS, DOES_N(SECURED_FILL, HALF), DOES(SECURED_CUT_DATA), FINE,
			ANSWERS("SIZE /f", "213 300000"), STILL } },
	{ "cut, and the size was told and is not there", 0, AFTP_EINCOMPLETE, 226, HALF, true,
		{ SESSION, PASSIVE, RETR, SAYS("150 Opening (300000 bytes)"), DATA_TLS, DOES_N(SECURED_FILL, HALF),
			DOES(SECURED_CUT_DATA), FINE, ANSWERS("SIZE /f", "213 300000"), STILL } },
	{ "cut, and no SIZE", 0, 0, 226, SIZE, true,
		{ SESSION, PASSIVE, RETR, GOES, DATA_TLS, ALL, DOES(SECURED_CUT_DATA), FINE,
			ANSWERS("SIZE /f", "502 no"), STILL } },
	{ "cut, and FEAT without SIZE", 0, 0, 226, SIZE, true,
		{ EXPLICIT, USER, PROTECT, FEATURES("211-have\r\n REST STREAM\r\n211 end"), PASSIVE, RETR, GOES,
			DATA_TLS, ALL, DOES(SECURED_CUT_DATA), FINE, STILL } },
	{ "cut, the rest was told, and SIZE does not agree", HALF, AFTP_EINCOMPLETE, 226, HALF, true,
		{ SESSION, PASSIVE, DOES(SECURED_ACCEPT), ANSWERS("REST 150000", "350 ok"), WANTS("RETR /f"),
			SAYS("150 Opening (300000 bytes)"), DATA_TLS, DOES_N(SECURED_SEEK, HALF),
			DOES_N(SECURED_FILL, HALF), DOES(SECURED_CUT_DATA), FINE, ANSWERS("SIZE /f", "213 450000"),
			STILL } },
	{ "cut, and 426", 0, AFTP_ECONNRESET, 426, HALF, true,
		{ SESSION, PASSIVE, RETR, GOES, DATA_TLS, DOES_N(SECURED_FILL, HALF), DOES(SECURED_CUT_DATA),
			SAYS("426 Failure writing network stream"), STILL } },

	{ "in the clear by wish of the server", 0, 0, 226, SIZE, true,
		{ EXPLICIT, USER, ANSWERS("PBSZ", "200 ok"), ANSWERS("PROT P", "534 no"), NOTHING, PASSIVE, RETR, GOES,
			ALL, DOES(SECURED_END_DATA), FINE, STILL } },
	{ "no TLS comes", 0, AFTP_ETIMEDOUT, 0, 0, false, { SESSION, PASSIVE, RETR, GOES, FINISH } },
	{ "TLS, and 425", 0, AFTP_ECONNRESET, 425, 0, false,
		{ SESSION, PASSIVE, RETR, DATA_TLS, DOES(SECURED_END_DATA),
			SAYS("425 Unable to build data connection: Operation not permitted"), FINISH } },
	{ "522", 0, AFTP_ECONNRESET, 522, 0, false,
		{ SESSION, PASSIVE, RETR, GOES, DATA_TLS, DOES(SECURED_CUT_DATA),
			SAYS("522 SSL connection failed; session reuse required"), FINISH } },
	{ "450 of FileZilla", 0, AFTP_ECONNRESET, 450, 0, false,
		{ SESSION, PASSIVE, RETR, DATA_TLS, DOES(SECURED_CUT_DATA),
			SAYS("450 TLS session of data connection has not resumed or the session does not match the "
			     "control connection"),
			FINISH } },
	{ "450 of another kind", 0, AFTP_EREPLY, 450, 0, true,
		{ SESSION, PASSIVE, RETR, SAYS("450 resume.txt: in use"), STILL } },
};

static void check_download(const struct download *d)
{
	struct kit_get g = { 0 };
	struct fixture f;

	begin(&f, d->script, AFTP_TLS_TRY);
	f.k.o.connect_timeout_ms = f.k.o.timeout_ms = d->status == AFTP_ETIMEDOUT ? 300 : 10000;
	assert_int_equal(kit_connect(&f.k), 0);
	(void)kit_get(&g, &f.k, "/f", d->offset);
	if (g.status != d->status || g.code != d->code || g.moved != d->moved)
		fail_msg("%s: %s and %d, %llu bytes", d->name, aftp_err_name(g.status), g.code,
			(unsigned long long)g.moved);
	assert_true(kit_get_right(&g, d->offset));
	if (f.server.trouble[0])
		fail_msg("%s: %s\n%s", d->name, f.server.trouble, f.server.commands);
	if (d->stays)
		check_still(&f);
	else if (aftp_client_alive(f.k.client))
		fail_msg("%s: still alive", d->name);
	kit_get_free(&g);
	end(&f);
}

static void test_downloads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(downloads) / sizeof(downloads[0]); i++)
		check_download(&downloads[i]);
}

/* --- listings --------------------------------------------------------------------------------------- */

#define LISTS(end)                                                                                                 \
	PASSIVE, DOES(SECURED_ACCEPT), WANTS("LIST -a"), GOES, DATA_TLS,                                           \
		{ SECURED_DATA, "-rw-r--r-- 1 u g 1 Jan  1  2020 a\r\n-rw-r--r-- 1 u g 1 Jan  1  2020 .\r\n", 0 }, \
		DOES(end), FINE
#define ONE PASSIVE, DOES(SECURED_ACCEPT), WANTS("RETR /f"), GOES, DATA_TLS, DOES_N(SECURED_FILL, HALF), FINE

/* A listing tells no size. One that TLS was not told the end of proves no absence; and where the server is known to tell
 * it, it was cut off. */
static void test_listings(void **state)
{
	static const struct secured_step script[] = { SESSION, LISTS(SECURED_CUT_DATA), LISTS(SECURED_CUT_DATA),
		LISTS(SECURED_END_DATA), LISTS(SECURED_CUT_DATA), STILL };
	static const struct {
		int status;
		bool truncated;
	} want[] = { { 0, true }, { 0, true }, { 0, false }, { AFTP_EINCOMPLETE, true } };
	struct fixture f;

	(void)state;
	begin(&f, script, AFTP_TLS_REQUIRE);
	f.k.o.no_mlsd = true;
	assert_int_equal(kit_connect(&f.k), 0);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct kit_list l = { 0 };

		print_message("listing %zu\n", i);
		assert_int_equal(kit_list(&l, &f.k, "/d"), want[i].status);
		assert_int_equal(l.truncated, want[i].truncated);
	}
	check_still(&f);
	end(&f);
}

/* The same of a file whose size nobody tells. */
static void test_cut_without_size(void **state)
{
	static const struct secured_step script[] = { SESSION, ONE, DOES(SECURED_CUT_DATA), ANSWERS("SIZE", "502 no"),
		ONE, DOES(SECURED_END_DATA), ONE, DOES(SECURED_CUT_DATA), ANSWERS("SIZE", "502 no"), STILL };
	static const int want[] = { 0, 0, AFTP_EINCOMPLETE };
	struct fixture f;

	(void)state;
	begin(&f, script, AFTP_TLS_REQUIRE);
	assert_int_equal(kit_connect(&f.k), 0);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct kit_get g = { 0 };

		print_message("download %zu\n", i);
		assert_int_equal(kit_get(&g, &f.k, "/f", 0), want[i]);
		assert_int_equal(g.moved, HALF);
		kit_get_free(&g);
	}
	check_still(&f);
	end(&f);
}

/* --- uploads --------------------------------------------------------------------------------------- */

/* The server has all of it, and an end that TLS has confirmed, whatever tickets nobody has read. */
static void test_uploads(void **state)
{
	static const uint64_t sizes[] = { 0, 1, 16384, 65537, 10 * 1000 * 1000 };
	static const struct secured_step script[] = { SESSION, PASSIVE, DOES(SECURED_ACCEPT), WANTS("STOR /f"), GOES,
		DATA_TLS, DOES(SECURED_TAKE_ALL), DOES(SECURED_CUT_DATA), FINE, STILL };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct kit_put p = { 0 };
		struct fixture f;

		begin(&f, script, AFTP_TLS_REQUIRE);
		assert_int_equal(kit_connect(&f.k), 0);
		kit_put_start(&p, &f.k, AFTP_STORE, "/f", 0, sizes[i], 50000);
		assert_int_equal(kit_put_wait(&p), 0);
		assert_int_equal(f.server.data_end, AFTP_EOF);
		assert_int_equal(f.server.data_bytes, sizes[i]);
		assert_non_null(strstr(f.server.commands, "[data TLS]"));
		check_still(&f);
		end(&f);
	}
}

/* A stopped upload must not look like a whole one. */
static void test_stopped_upload(void **state)
{
	static const struct secured_step script[] = { SESSION, PASSIVE, DOES(SECURED_ACCEPT), WANTS("STOR /f"), GOES,
		DATA_TLS, DOES(SECURED_TAKE_ALL), SAYS("426 aborted"), ANSWERS("PWD", "257 \"/\""), STILL };
	struct kit_put p = { 0 };
	struct fixture f;

	(void)state;
	begin(&f, script, AFTP_TLS_REQUIRE);
	assert_int_equal(kit_connect(&f.k), 0);
	p.cancel_at = 100000;
	kit_put_start(&p, &f.k, AFTP_STORE, "/f", 0, 1000000, 50000);
	assert_int_equal(kit_put_wait(&p), AFTP_ECANCELED);
	assert_int_not_equal(f.server.data_end, AFTP_EOF);
	check_still(&f);
	end(&f);
}

/* --- sessions of data connections ------------------------------------------------------------------- */

/* Steps of the script below. */
enum { TRANSFER = 16, REFUSAL = 28 };

#define ONE_GET PASSIVE, RETR, GOES, DATA_TLS

static const struct secured_step demanding[] = { SESSION,
	/* TRANSFER */ ONE_GET, DOES_N(SECURED_UNLESS_RESUMED, REFUSAL), DOES_N(SECURED_SEEK, 0), ALL,
	DOES(SECURED_END_DATA), FINE, DOES_N(SECURED_GO_TO, TRANSFER),
	/* REFUSAL */ DOES(SECURED_CUT_DATA), SAYS("522 SSL connection failed; session reuse required"), FINISH };

static void restrict_server(struct fixture *f, enum aftp_tls_version v)
{
	const struct aftp_tls_options o = { .min_version = v, .max_version = v };
	struct aftp_tls_options client = { 0 };

	secured_stop(&f->server);
	aftp_tls_unref(f->tls);
	aftp_tls_unref(f->k.o.tls);
	assert_int_equal(aftp_tls_server_new(&f->tls, &o, NULL, NULL, 0), 0);
	client.pin = aftp_tls_own_pin(f->tls);
	assert_int_equal(aftp_tls_client_new(&f->k.o.tls, &client, NULL, 0), 0);
	loop_run_for(&f->k.loop, 1);
	secured_start(&f->server, &f->k.loop, demanding, f->tls);
	f->k.o.port = f->server.port;
}

static void test_server_demands_reuse(void **state)
{
	static const enum aftp_tls_version versions[] = { AFTP_TLS_1_2, AFTP_TLS_1_3 };

	(void)state;
	for (size_t v = 0; v < 2; v++) {
		struct fixture f;

		begin(&f, demanding, AFTP_TLS_REQUIRE);
		restrict_server(&f, versions[v]);
		assert_int_equal(kit_connect(&f.k), 0);
		for (int i = 0; i < 30; i++) {
			struct kit_get g = { 0 };

			assert_int_equal(kit_get(&g, &f.k, "/f", 0), 0);
			assert_int_equal(g.moved, SIZE);
			kit_get_free(&g);
		}
		assert_int_equal(f.server.resumed, 30);
		assert_true(aftp_client_features(f.k.client)->tls_resumes);
		end(&f);
	}
}

/* A session has its time. Where one is wanted, a new login comes before a command that would fail. */
static void test_expired_session(void **state)
{
	struct kit_get g = { 0 };
	struct kit_put p = { 0 };
	struct fixture f;

	(void)state;
	begin(&f, demanding, AFTP_TLS_REQUIRE);
	SSL_CTX_set_timeout(f.tls->ctx, 1);
	assert_int_equal(kit_connect(&f.k), 0);
	assert_int_equal(kit_get(&g, &f.k, "/f", 0), 0);
	kit_get_free(&g);
	loop_run_for(&f.k.loop, 2100);
	kit_put_start(&p, &f.k, AFTP_STORE, "/f", 0, 10, 10);
	assert_int_equal(kit_put_wait(&p), AFTP_ECONNRESET);
	assert_null(strstr(f.server.commands, "STOR"));
	assert_int_equal(f.k.lost, 1);
	end(&f);
}

static int connect_knowing(struct fixture *f, const struct aftp_features *known)
{
	int status = 1;
	bool over = false;

	assert_int_equal(aftp_client_new(&f->k.client, &f->k.loop, &f->k.o), 0);
	aftp_client_assume(f->k.client, known);
	assert_int_equal(aftp_client_connect(f->k.client, kit_note_status, &status), 0);
	for (int i = 0; i < 1000 && status == 1; i++)
		loop_run_for(&f->k.loop, 10);
	over = status != 1;
	assert_true(over);
	return status;
}

/* A server that is never content: a new login, then TLS 1.2, then the truth. */
static void test_refused_for_good(void **state)
{
	static const struct secured_step script[] = { EXPLICIT, USER, PROTECT, ANSWERS("TYPE I", "200 binary"), ONE_GET,
		DOES(SECURED_CUT_DATA), SAYS("522 SSL connection failed; session reuse required"), STILL };
	struct aftp_features known = { .feat = true };
	struct fixture f;

	(void)state;
	begin(&f, script, AFTP_TLS_REQUIRE);
	for (unsigned i = 1; i <= 4; i++) {
		struct kit_get g = { 0 };

		assert_int_equal(connect_knowing(&f, &known), 0);
		assert_int_equal(
			SSL_version(aftp_stream_ssl(f.server.control)), i <= 2 ? TLS1_3_VERSION : TLS1_2_VERSION);
		assert_int_equal(kit_get(&g, &f.k, "/f", 0), i < 4 ? AFTP_ECONNRESET : AFTP_ETLS);
		kit_get_free(&g);
		known = *aftp_client_features(f.k.client);
		assert_int_equal(known.tls_refused, i);
		assert_non_null(strstr(aftp_client_error(f.k.client), "session reuse required"));
		if (i == 4)
			check_still(&f);
		kit_close(&f.k);
	}
	end(&f);
}

/* --- the end --------------------------------------------------------------------------------------- */

/* At any time: in the handshakes, and while a data connection is still being ended. */
static void test_close_at_any_time(void **state)
{
	static const struct secured_step script[] = { SESSION, PASSIVE, RETR, DATA_TLS, GOES, ALL, FINE, STILL };

	(void)state;
	for (int turns = 0; turns < 60; turns++) {
		struct kit_get g = { 0 };
		struct fixture f;
		int status = 1;

		begin(&f, script, AFTP_TLS_REQUIRE);
		if (turns < 30) {
			assert_int_equal(aftp_client_new(&f.k.client, &f.k.loop, &f.k.o), 0);
			assert_int_equal(aftp_client_connect(f.k.client, kit_note_status, &status), 0);
		} else {
			assert_int_equal(kit_connect(&f.k), 0);
			kit_get_start(&g, &f.k, "/f", 0);
		}
		for (int i = 0; i < turns % 30; i++)
			uv_run(&f.k.loop, UV_RUN_NOWAIT);
		kit_close(&f.k);
		assert_int_not_equal(turns < 30 ? status : (int)g.done, turns < 30 ? 1 : 0);
		if (turns >= 30)
			kit_get_free(&g);
		end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_end_in_the_middle),
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_downloads),
		cmocka_unit_test(test_listings),
		cmocka_unit_test(test_cut_without_size),
		cmocka_unit_test(test_uploads),
		cmocka_unit_test(test_stopped_upload),
		cmocka_unit_test(test_server_demands_reuse),
		cmocka_unit_test(test_expired_session),
		cmocka_unit_test(test_refused_for_good),
		cmocka_unit_test(test_close_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
