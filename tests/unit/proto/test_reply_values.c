#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include <aftp/reply.h>
#include <aftp/status.h>

/* A reply of the lines in `text`, separated by '\n'. */
static void make(struct aftp_reply *r, const char *text)
{
	aftp_reply_init(r, 4096);
	for (;;) {
		size_t n = strcspn(text, "\n");

		assert_true(aftp_reply_add_line(r, text, n) >= 0);
		if (!text[n])
			return;
		text += n + 1;
	}
}

static void test_epsv(void **state)
{
	static const struct {
		const char *text;
		unsigned port; /* 0 = EPROTO */
	} table[] = {
		{ "229 Entering Extended Passive Mode (|||6446|)", 6446 },
		{ "229 Entering Extended Passive Mode (|||6446|).", 6446 },
		{ "229 Extended Passive mode OK (|||65535|)", 65535 },
		{ "229 (|||1|)", 1 },
		{ "229 ok (!!!6446!)", 6446 },
		{ "229 ok (~~~6446~)", 6446 },
		{ "229 ok (|1|132.235.1.2|6275|)", 6275 },
		{ "229 ok (|2|1080::8:800:200C:417A|5282|)", 5282 },
		{ "229 ok (11164461)", 6446 },
		{ "229 Passive (really) mode (|||21|)", 21 },
		{ "229 mode (|||21|) (have fun)", 21 },
		{ "229-words (|||1|)\n229 mode (|||22|)", 22 },
		{ "229 Entering Extended Passive Mode |||6446|", 6446 },
		{ "229 Entering Extended Passive Mode (|||6446|", 6446 },
		{ "227 Entering Extended Passive Mode (|||6446|)", 0 },
		{ "229 Entering Extended Passive Mode", 0 },
		{ "229 (|||0|)", 0 },
		{ "229 (|||65536|)", 0 },
		{ "229 (|||99999999999999999999|)", 0 },
		{ "229 (||||)", 0 },
		{ "229 (|||64x6|)", 0 },
		{ "229 (||6446|)", 0 },
		{ "229 (|||6446)", 0 },
		{ "229 (|||-1|)", 0 },
		{ "229 (|||+6446|)", 0 },
		{ "229 (||| 6446|)", 0 },
		{ "229 (   6446 )", 0 },
		{ "229 ()", 0 },
		{ "229 (", 0 },
		{ "229 (|", 0 },
		{ "229 (|)", 0 },
		{ "229 (||)", 0 },
		{ "229", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct aftp_reply r;
		uint16_t port = 0;
		int rc;

		make(&r, table[i].text);
		rc = aftp_reply_epsv_port(&r, &port);
		if (rc != (table[i].port ? 0 : AFTP_EPROTO) || port != table[i].port)
			fail_msg("%s: %d, port %u", table[i].text, rc, port);
		aftp_reply_finish(&r);
	}
}

static void test_pasv(void **state)
{
	static const struct {
		const char *text;
		uint8_t host[4];
		unsigned port;
	} table[] = {
		{ "227 Entering Passive Mode (192,168,1,2,19,137)", { 192, 168, 1, 2 }, 5001 },
		{ "227 Entering Passive Mode (192,168,1,2,19,137).", { 192, 168, 1, 2 }, 5001 },
		{ "227 Entering Passive Mode. 10,0,0,1,0,21", { 10, 0, 0, 1 }, 21 },
		{ "227 Entering Passive Mode =10,0,0,1,255,255", { 10, 0, 0, 1 }, 65535 },
		{ "227 =10,0,0,1,1,0", { 10, 0, 0, 1 }, 256 },
		{ "227 ok (127, 0, 0, 1, 4, 5)", { 127, 0, 0, 1 }, 1029 },
		{ "227 listen socket created (0,0,0,0,4,5)", { 0, 0, 0, 0 }, 1029 },
		{ "227 Mode 2 (127,0,0,1,4,5)", { 127, 0, 0, 1 }, 1029 },
		{ "227 1,2 then 127,0,0,1,4,5", { 127, 0, 0, 1 }, 1029 },
		{ "227-x\n227 (1,2,3,4,5,6)", { 1, 2, 3, 4 }, 1286 },
		{ "229 (1,2,3,4,5,6)", { 0 }, 0 },
		{ "227 (1,2,3,4,0,0)", { 0 }, 0 },
		{ "227 (1,2,3,4,5)", { 0 }, 0 },
		{ "227 (1,2,3,4,5,)", { 0 }, 0 },
		{ "227 (1,2,3,4,5,6,7)", { 0 }, 0 },
		{ "227 (256,2,3,4,5,6)", { 0 }, 0 },
		{ "227 (1,2,3,4,5,256)", { 0 }, 0 },
		{ "227 (1,2,3,4,5,99999999999999999999)", { 0 }, 0 },
		{ "227 (1,-2,3,4,5,6)", { 0 }, 0 },
		{ "227 (1.2.3.4.5.6)", { 0 }, 0 },
		{ "227 ok", { 0 }, 0 },
		{ "227", { 0 }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct aftp_reply r;
		uint8_t host[4] = { 0 };
		uint16_t port = 0;
		int rc;

		make(&r, table[i].text);
		rc = aftp_reply_pasv(&r, host, &port);
		if (rc != (table[i].port ? 0 : AFTP_EPROTO) || port != table[i].port ||
			memcmp(host, table[i].host, 4) != 0)
			fail_msg("%s: %d, port %u", table[i].text, rc, port);
		if (rc == 0)
			assert_int_equal(aftp_reply_pasv(&r, NULL, &port), 0);
		aftp_reply_finish(&r);
	}
}

static void test_quoted_path(void **state)
{
	static const struct {
		const char *text, *path;
		int rc;
	} table[] = {
		{ "257 \"/home/joe\" is the current directory", "/home/joe", 0 },
		{ "257 \"/\"", "/", 0 },
		{ "257 \"\" is empty", "", 0 },
		{ "257 \"/a\"\"b\" created", "/a\"b", 0 },
		{ "257 \"\"\"\" created", "\"", 0 },
		{ "257 \"/a\" and \"/b\"", "/a", 0 },
		{ "257-\"/a\"\n257 done", "/a", 0 },
		{ "257-\"/a\"\n257 \"/b\"", "/b", 0 },
		{ "257 current is \"/x y\".", "/x y", 0 },
		{ "257 \"/not ended", NULL, AFTP_EPROTO },
		{ "257 \"/not ended\"\"", NULL, AFTP_EPROTO },
		{ "257 /no quotes", NULL, AFTP_EPROTO },
		{ "257", NULL, AFTP_EPROTO },
		{ "250 \"/a\"", NULL, AFTP_EPROTO },
		{ "257 \"/123456789012345\"", NULL, AFTP_ETOOBIG },
		{ "257 \"/12345678901234\"", "/12345678901234", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct aftp_reply r;
		char path[16];

		make(&r, table[i].text);
		assert_int_equal(aftp_reply_quoted_path(&r, path, sizeof path), table[i].rc);
		if (table[i].path)
			assert_string_equal(path, table[i].path);
		aftp_reply_finish(&r);
	}
}

static void test_size(void **state)
{
	static const struct {
		const char *text;
		uint64_t size;
		int rc;
	} table[] = {
		{ "213 0", 0, 0 },
		{ "213 1234", 1234, 0 },
		{ "213  1234", 1234, 0 },
		{ "213 1234 bytes", 1234, 0 },
		{ "213-SIZE\n213 77", 77, 0 },
		{ "213 18446744073709551615", UINT64_MAX, 0 },
		{ "213 18446744073709551616", 0, AFTP_EPROTO },
		{ "213 -1", 0, AFTP_EPROTO },
		{ "213 12x", 0, AFTP_EPROTO },
		{ "213 ", 0, AFTP_EPROTO },
		{ "213", 0, AFTP_EPROTO },
		{ "214 12", 0, AFTP_EPROTO },
		{ "550 12", 0, AFTP_EPROTO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct aftp_reply r;
		uint64_t size = 0;

		make(&r, table[i].text);
		assert_int_equal(aftp_reply_size(&r, &size), table[i].rc);
		assert_true(size == table[i].size);
		aftp_reply_finish(&r);
	}
}

static void test_mdtm(void **state)
{
	static const struct {
		const char *text;
		int64_t sec;
		uint32_t nsec;
		int rc;
	} table[] = {
		{ "213 19700101000000", 0, 0, 0 },
		{ "213 20230105101112", 1672913472, 0, 0 },
		{ "213 20230105101112.5", 1672913472, 500000000, 0 },
		{ "213 20230105101112.123456789012", 1672913472, 123456789, 0 },
		{ "213 19691231235959", -1, 0, 0 },
		{ "213 20000229120000", 951825600, 0, 0 },
		{ "213 191000229120000", 951825600, 0, 0 },
		{ "213 20161231235960", 1483228800, 0, 0 },
		{ "213 20230105101112 foo", 1672913472, 0, 0 },
		{ "213 20010229120000", 0, 0, AFTP_EPROTO },
		{ "213 20231305101112", 0, 0, AFTP_EPROTO },
		{ "213 20230132101112", 0, 0, AFTP_EPROTO },
		{ "213 20230105241112", 0, 0, AFTP_EPROTO },
		{ "213 20230105106012", 0, 0, AFTP_EPROTO },
		{ "213 20230105101161", 0, 0, AFTP_EPROTO },
		{ "213 2023010510111", 0, 0, AFTP_EPROTO },
		{ "213 202301051011120", 0, 0, AFTP_EPROTO },
		{ "213 20230105101112.", 0, 0, AFTP_EPROTO },
		{ "213 20230105101112.x", 0, 0, AFTP_EPROTO },
		{ "213 20230105101112x5", 0, 0, AFTP_EPROTO },
		{ "213 yesterday", 0, 0, AFTP_EPROTO },
		{ "213", 0, 0, AFTP_EPROTO },
		{ "250 20230105101112", 0, 0, AFTP_EPROTO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct aftp_reply r;
		int64_t sec = 0;
		uint32_t nsec = 0;
		int rc;

		make(&r, table[i].text);
		rc = aftp_reply_mdtm(&r, &sec, &nsec);
		if (rc != table[i].rc || sec != table[i].sec || nsec != table[i].nsec)
			fail_msg("%s: %d, %" PRId64 ".%" PRIu32, table[i].text, rc, sec, nsec);
		assert_int_equal(aftp_reply_mdtm(&r, &sec, NULL), table[i].rc);
		aftp_reply_finish(&r);
	}
}

static void test_transfer_size(void **state)
{
	static const struct {
		const char *text;
		uint64_t size;
		int rc;
	} table[] = {
		{ "150 Opening BINARY mode data connection for x.iso (1234 bytes).", 1234, 0 },
		{ "150 Opening BINARY mode data connection for x.iso (1234 bytes)", 1234, 0 },
		{ "150 Opening BINARY mode data connection for x(0 bytes).", 0, 0 },
		{ "150 Opening BINARY mode data connection for a (7 bytes).txt (1234 Bytes).", 1234, 0 },
		{ "125 Data connection already open (1 byte)", 1, 0 },
		{ "150-more\n150 for x (99 bytes)", 99, 0 },
		{ "150 File status okay. About to open data connection.", 0, AFTP_ENOENT },
		{ "150 for a (7 bytes).txt (1)", 0, AFTP_ENOENT },
		{ "150 for x (1234 kbytes)", 0, AFTP_ENOENT },
		{ "150 for x (1234 bytes", 0, AFTP_ENOENT },
		{ "150 for x (99999999999999999999 bytes)", 0, AFTP_ENOENT },
		{ "150 for x ( bytes)", 0, AFTP_ENOENT },
		{ "150 (", 0, AFTP_ENOENT },
		{ "226 done (1234 bytes)", 0, AFTP_ENOENT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct aftp_reply r;
		uint64_t size = 0;

		make(&r, table[i].text);
		assert_int_equal(aftp_reply_transfer_size(&r, &size), table[i].rc);
		assert_true(size == table[i].size);
		aftp_reply_finish(&r);
	}
}

static void test_an_empty_reply_has_no_values(void **state)
{
	struct aftp_reply r = { 0 };
	uint64_t size;
	uint16_t port;
	int64_t sec;
	char path[8];

	(void)state;
	assert_int_equal(aftp_reply_epsv_port(&r, &port), AFTP_EPROTO);
	assert_int_equal(aftp_reply_pasv(&r, NULL, &port), AFTP_EPROTO);
	assert_int_equal(aftp_reply_quoted_path(&r, path, sizeof path), AFTP_EPROTO);
	assert_int_equal(aftp_reply_size(&r, &size), AFTP_EPROTO);
	assert_int_equal(aftp_reply_mdtm(&r, &sec, NULL), AFTP_EPROTO);
	assert_int_equal(aftp_reply_transfer_size(&r, &size), AFTP_ENOENT);
	assert_int_equal(aftp_reply_error(&r), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_epsv),
		cmocka_unit_test(test_pasv),
		cmocka_unit_test(test_quoted_path),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_mdtm),
		cmocka_unit_test(test_transfer_size),
		cmocka_unit_test(test_an_empty_reply_has_no_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
