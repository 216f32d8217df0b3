#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <aftp/status.h>

#include "mount/transport.h"

#define PIN "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

struct reached {
	struct options o;
	struct transport t;
	char why[512];
	int rc;
};

static void reach(struct reached *r, const char *url, const char *option)
{
	char *argv[] = { strdup("ftpfs"), strdup("-o"), strdup(option), strdup(url), strdup("/m"), NULL };

	assert_int_equal(options_parse(&r->o, 5, argv, r->why, sizeof(r->why)), 0);
	r->rc = transport_init(&r->t, &r->o, r->why, sizeof(r->why));
	assert_int_equal(r->rc < 0, r->why[0] != '\0');
	for (size_t i = 0; argv[i] != NULL; i++)
		free(argv[i]);
}

static void end(struct reached *r)
{
	transport_finish(&r->t);
	options_finish(&r->o);
}

static void test_tls(void **state)
{
	static const struct {
		const char *url, *option;
		enum aftp_tls_mode mode;
		bool prot_clear;
	} rows[] = {
		{ "ftp://h", "rw", AFTP_TLS_OFF, false },
		{ "ftp://h", "tls=off,disable_tls13,no_verify_peer", AFTP_TLS_OFF, false },
		{ "ftp://h", "tls", AFTP_TLS_REQUIRE, false },
		{ "ftp://h", "tls=require", AFTP_TLS_REQUIRE, false },
		{ "ftp://h", "tls=try", AFTP_TLS_TRY, false },
		{ "ftp://h", "tls=control", AFTP_TLS_REQUIRE, true },
		{ "ftp://h", "ssl", AFTP_TLS_REQUIRE, false },
		{ "ftp://h", "ssl_try", AFTP_TLS_TRY, false },
		{ "ftp://h", "ssl_control", AFTP_TLS_REQUIRE, true },
		{ "ftp://h", "explicit_tls=true", AFTP_TLS_REQUIRE, false },
		{ "ftp://h", "explicit-tls=false", AFTP_TLS_OFF, false },
		{ "ftpes://h", "rw", AFTP_TLS_REQUIRE, false },
		{ "ftpes://h", "tls=control", AFTP_TLS_REQUIRE, true },
		{ "ftps://h", "rw", AFTP_TLS_IMPLICIT, false },
		{ "ftps://h", "ssl", AFTP_TLS_IMPLICIT, false },
		{ "ftps://h", "tls_pin=" PIN ",tls_min=1.3", AFTP_TLS_IMPLICIT, false },
	};
	struct reached r;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s %s\n", rows[i].url, rows[i].option);
		reach(&r, rows[i].url, rows[i].option);
		assert_string_equal(r.why, "");
		assert_int_equal(r.t.site.tls_mode, rows[i].mode);
		assert_int_equal(r.t.site.prot_clear, rows[i].prot_clear);
		assert_int_equal(r.t.site.tls != NULL, rows[i].mode != AFTP_TLS_OFF);
		end(&r);
	}
}

/* Each with a part of what must be said. */
static void test_refused(void **state)
{
	static const struct {
		const char *url, *option;
		int rc;
		const char *says;
	} rows[] = {
		{ "ftpes://h", "tls=off", AFTP_EINVAL, "ftpes:// requires TLS" },
		{ "ftps://h", "tls=try", AFTP_EINVAL, "ftps:// requires TLS" },
		{ "ftp://h", "cacert=/x", AFTP_EINVAL, "'cacert' is about TLS, and there is none" },
		{ "ftp://h", "tls_pin=" PIN, AFTP_EINVAL, "'tls_pin' is about TLS" },
		{ "ftps://h", "tls_pin=abc", AFTP_EINVAL, "pin abc" },
		{ "ftps://h", "tls_min=1.3,tls_max=1.2", AFTP_EINVAL, "version" },
		{ "ftps://h", "ciphers=NONE:SUCH", AFTP_EINVAL, "NONE:SUCH" },
		{ "ftps://h", "key=/x", AFTP_EINVAL, "'key' needs 'cert'" },
		{ "ftps://h", "cacert=/no/such", AFTP_ECERT, "/no/such: No such file" },
		{ "ftps://h", "cacert=/dev/null", AFTP_ECERT, "/dev/null" },
		{ "ftps://h", "capath=/no/such", -ENOENT, "/no/such: No such file" },
		{ "ftps://h", "cert=/no/such", AFTP_ECERT, "/no/such: No such file" },
		{ "ftp://h", "proxy=p:1080", AFTP_EINVAL, "must begin with socks5://" },
		{ "ftp://h", "proxy=ftp://p", AFTP_EINVAL, "must begin with socks5://" },
		{ "ftp://h", "proxy=socks5://", AFTP_EINVAL, "the host is missing" },
		{ "ftp://h", "proxy=http://p:0", AFTP_EINVAL, "the port" },
		{ "ftp://h", "proxy=http://p/path", AFTP_EINVAL, "a path" },
		{ "ftp://h", "proxy_user=joe:x", AFTP_EINVAL, "no proxy is given" },
		{ "ftp://h", "socks5", AFTP_EINVAL, "no proxy is given" },
		{ "ftp://h", "active,proxy=http://p", AFTP_EINVAL, "no active mode" },
		{ "ftp://h", "active_address=eth0", AFTP_EINVAL, "active_address=eth0: must be an IP address" },
	};
	struct reached r;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s %s\n", rows[i].url, rows[i].option);
		reach(&r, rows[i].url, rows[i].option);
		assert_int_equal(r.rc, rows[i].rc);
		if (strstr(r.why, rows[i].says) == NULL)
			fail_msg("%s", r.why);
		assert_null(strchr(r.why, '\n'));
		end(&r);
	}
}

static void test_proxies(void **state)
{
	static const struct {
		const char *option;
		enum aftp_proxy_kind kind;
		const char *host;
		uint16_t port;
		const char *user, *password;
	} rows[] = {
		{ "proxy=socks5://p", AFTP_PROXY_SOCKS5, "p", 0, NULL, NULL },
		{ "proxy=socks5h://p:21", AFTP_PROXY_SOCKS5, "p", 21, NULL, NULL },
		{ "proxy=HTTP://joe:a%40b@p:3128/", AFTP_PROXY_HTTP, "p", 3128, "joe", "a@b" },
		{ "proxy=http://[::1]:3128", AFTP_PROXY_HTTP, "::1", 3128, NULL, NULL },
		{ "proxy=http://p,proxy_user=joe:a%40:b", AFTP_PROXY_HTTP, "p", 0, "joe", "a%40:b" },
		{ "proxy=socks5://ann:x@p,proxy_user=joe", AFTP_PROXY_SOCKS5, "p", 0, "joe", "" },
		{ "proxy=p:1,httpproxy", AFTP_PROXY_HTTP, "p", 1, NULL, NULL },
		{ "socks5,proxy=p:1", AFTP_PROXY_SOCKS5, "p", 1, NULL, NULL },
		{ "socks_proxy=joe:x@p:1", AFTP_PROXY_SOCKS5, "p", 1, "joe", "x" },
		{ "http-proxy=http://p:1", AFTP_PROXY_HTTP, "p", 1, NULL, NULL },
	};
	struct reached r;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].option);
		reach(&r, "ftp://h", rows[i].option);
		assert_string_equal(r.why, "");
		assert_int_equal(r.t.site.proxy.kind, rows[i].kind);
		assert_string_equal(r.t.site.proxy.host, rows[i].host);
		assert_int_equal(r.t.site.proxy.port, rows[i].port);
		assert_string_equal(r.t.site.proxy.user ? r.t.site.proxy.user : "-", rows[i].user ? rows[i].user : "-");
		assert_string_equal(r.t.site.proxy.password ? r.t.site.proxy.password : "-",
			rows[i].password ? rows[i].password : "-");
		end(&r);
	}
}

static void test_active(void **state)
{
	static const struct {
		const char *option, *address;
		int min, max;
		unsigned conns;
	} rows[] = {
		{ "active", NULL, 0, 0, 4 },
		{ "ftp_port=-", NULL, 0, 0, 4 },
		{ "active_ports=4000-4009", NULL, 4000, 4009, 4 },
		{ "active_ports=4000-4001,active_address=10.0.0.1", "10.0.0.1", 4000, 4001, 2 },
		{ "active_ports=4000,ftp_port=fe80::1", "fe80::1", 4000, 4000, 1 },
	};
	struct reached r;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].option);
		reach(&r, "ftp://h", rows[i].option);
		assert_string_equal(r.why, "");
		assert_true(r.t.site.active);
		assert_string_equal(r.t.site.active_address ? r.t.site.active_address : "-",
			rows[i].address ? rows[i].address : "-");
		assert_int_equal(r.t.site.active_port_min, rows[i].min);
		assert_int_equal(r.t.site.active_port_max, rows[i].max);
		assert_int_equal(r.t.max_conns, rows[i].conns);
		end(&r);
	}
	reach(&r, "ftp://h", "rw");
	assert_false(r.t.site.active);
	end(&r);
}

static void test_limits(void **state)
{
	struct reached r;
	(void)state;
	reach(&r, "ftp://h", "read_limit=2M,write_limit=100k,conn_read_limit=1000,conn_write_limit=1GiB");
	assert_int_equal(r.t.site.read_limit, 2 << 20);
	assert_int_equal(r.t.site.write_limit, 100 << 10);
	assert_int_equal(r.t.site.conn_read_limit, 1000);
	assert_int_equal(r.t.site.conn_write_limit, 1 << 30);
	end(&r);
}

static void test_warnings(void **state)
{
	static const struct {
		const char *option, *says; /* NULL: nothing */
	} rows[] = {
		{ "tls", NULL },
		{ "no_verify_peer", "no_verify_peer: " },
		{ "no_check_certificate", "no_verify_peer: " },
		{ "no_verify_hostname", "no_verify_hostname: " },
		{ "no_verify_peer,tls_pin=" PIN, NULL },
		{ "tls_min=1.0", "below 1.2" },
		{ "tls_min=TLSv1.3", NULL },
		{ "sslv3", "sslv3 is ignored" },
	};
	struct reached r;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *said;

		print_message("%s\n", rows[i].option);
		reach(&r, "ftpes://h", rows[i].option);
		assert_string_equal(r.why, "");
		said = transport_warning(&r.o, 0);
		assert_int_equal(said != NULL, rows[i].says != NULL);
		if (said != NULL)
			assert_non_null(strstr(said, rows[i].says));
		assert_null(transport_warning(&r.o, 1));
		end(&r);
	}
}

static void test_explain(void **state)
{
	char out[256];
	(void)state;
	transport_explain(out, sizeof(out), "certificate refused: it has expired; its key is " PIN);
	assert_string_equal(out, "certificate refused: it has expired; to trust it, say -o tls_pin=" PIN);
	transport_explain(out, sizeof(out), "something else");
	assert_string_equal(out, "something else");
	transport_explain(out, 8, "its key is " PIN);
	assert_string_equal(out, "to trus");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_proxies),
		cmocka_unit_test(test_active),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_explain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
