#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <aftp/status.h>
#include <openssl/x509v3.h>

#include "certificate.h"

#define PIN_A "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define PIN_B "sha256//vn0P2xkP+dTvhsQvDh4Wd3f8kFrAHV5xYL9rcq/IQ3M="

static void test_refusals(void **state)
{
	struct certificate cert = certificate_make("one", "secret"), other = certificate_make("two", NULL);
	char junk[CERTIFICATE_PATH];
	int junk_fd = certificate_text(junk, "this is no certificate\n");
	const struct {
		struct aftp_tls_options o;
		int status;
		const char *why;
	} cases[] = {
		{ { .ca_file = "/nonexistent/ca" }, AFTP_ECERT, "CA file /nonexistent/ca: No such file or directory" },
		{ { .ca_file = junk }, AFTP_ECERT, "CA file /proc" },
		{ { .ca_path = "/nonexistent/dir" }, AFTP_ECERT,
			"CA directory /nonexistent/dir: No such file or directory" },
		{ { .cert_file = "/nonexistent/cert" }, AFTP_ECERT,
			"certificate /nonexistent/cert: No such file or directory" },
		{ { .cert_file = junk }, AFTP_ECERT, "certificate /proc" },
		{ { .cert_file = cert.file }, AFTP_ECERT, "key /proc" },
		{ { .cert_file = cert.file, .key_password = "wrong" }, AFTP_ECERT, "key /proc" },
		{ { .cert_file = cert.file, .key_file = "/nonexistent/key" }, AFTP_ECERT,
			"key /nonexistent/key: No such file or directory" },
		{ { .cert_file = cert.file, .key_file = other.file }, AFTP_ECERT, "key values mismatch" },
		{ { .pin = "sha256//short" }, AFTP_EINVAL, "pin sha256//short: not sha256//" },
		{ { .min_version = AFTP_TLS_1_3, .max_version = AFTP_TLS_1_2 }, AFTP_EINVAL, "below the lowest" },
		{ { .ciphers = "NO-SUCH-CIPHER" }, AFTP_EINVAL, "ciphers NO-SUCH-CIPHER: no cipher match" },
		{ { .ciphersuites = "TLS_NO_SUCH" }, AFTP_EINVAL, "ciphersuites TLS_NO_SUCH" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int server = 0; server < 2; server++) {
			struct aftp_tls *t = NULL;
			char why[200];
			int rc = server ? aftp_tls_server_new(&t, &cases[i].o, NULL, why, sizeof(why))
					: aftp_tls_client_new(&t, &cases[i].o, why, sizeof(why));

			assert_int_equal(rc, cases[i].status);
			assert_null(t);
			if (!strstr(why, cases[i].why))
				fail_msg("case %zu: %s", i, why);
			/* Nobody has to listen. */
			assert_int_equal(aftp_tls_client_new(&t, &cases[i].o, NULL, 0), cases[i].status);
		}
	}
	certificate_free(&cert);
	certificate_free(&other);
	close(junk_fd);
}

static void test_accepted(void **state)
{
	struct certificate cert = certificate_make("one", "secret");
	const struct aftp_tls_options cases[] = {
		{ 0 },
		{ .ca_file = cert.file },
		{ .ca_path = "/" },
		{ .cert_file = cert.file, .key_password = "secret" },
		{ .pin = PIN_A ";" PIN_B },
		{ .ca_file = "/nonexistent/ca", .pin = PIN_A, .no_verify_peer = true }, /* not needed, not read */
		{ .min_version = AFTP_TLS_1_0 },
		{ .max_version = AFTP_TLS_1_1 },
		{ .ciphers = "ECDHE+AESGCM", .ciphersuites = "TLS_AES_128_GCM_SHA256" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		aftp_tls_unref(certificate_settings(false, &cases[i]));
	aftp_tls_unref(certificate_settings(false, NULL));
	aftp_tls_unref(certificate_settings(true, NULL));
	aftp_tls_unref(NULL);
	certificate_free(&cert);
}

static void test_references(void **state)
{
	struct aftp_tls *t = certificate_settings(true, NULL);

	(void)state;
	assert_ptr_equal(aftp_tls_ref(t), t);
	aftp_tls_unref(t);
	assert_int_equal(strncmp(aftp_tls_own_pin(t), "sha256//", 8), 0);
	aftp_tls_unref(t);
}

static X509 *read_pem(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(cert);
	return cert;
}

static void test_selfmade(void **state)
{
	struct aftp_tls *t = NULL;
	char pin[TLS_PIN_TEXT];
	X509 *cert;

	(void)state;
	assert_int_equal(aftp_tls_server_new(&t, NULL, "ftp.example.org,192.0.2.1,2001:db8::1", NULL, 0), 0);
	cert = read_pem(aftp_tls_own_certificate(t));
	tls_pin_write(pin, cert);
	assert_string_equal(pin, aftp_tls_own_pin(t));
	assert_int_equal(X509_check_host(cert, "ftp.example.org", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(cert, "example.org", 0, 0, NULL), 0);
	assert_int_equal(X509_check_ip_asc(cert, "192.0.2.1", 0), 1);
	assert_int_equal(X509_check_ip_asc(cert, "2001:db8::1", 0), 1);
	assert_int_equal(X509_check_ip_asc(cert, "192.0.2.2", 0), 0);
	assert_int_equal(X509_verify(cert, X509_get0_pubkey(cert)), 1);
	assert_true(X509_cmp_current_time(X509_get0_notBefore(cert)) < 0);
	assert_true(X509_cmp_current_time(X509_get0_notAfter(cert)) > 0);
	X509_free(cert);
	aftp_tls_unref(t);
	/* By default it is for this machine. */
	t = certificate_settings(true, NULL);
	cert = read_pem(aftp_tls_own_certificate(t));
	assert_int_equal(X509_check_host(cert, "localhost", 0, 0, NULL), 1);
	assert_int_equal(X509_check_ip_asc(cert, "127.0.0.1", 0), 1);
	X509_free(cert);
	aftp_tls_unref(t);
	t = certificate_settings(false, NULL);
	assert_string_equal(aftp_tls_own_pin(t), "");
	assert_null(aftp_tls_own_certificate(t));
	aftp_tls_unref(t);
}

static void test_names_that_are_none(void **state)
{
	static const char *const names[] = { "", ",", "a,", ",a", "a,,b", "a b" };
	char name[300];

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i <= sizeof(names) / sizeof(names[0]); i++) {
		struct aftp_tls *t;
		char why[400];
		bool last = i == sizeof(names) / sizeof(names[0]);

		assert_int_equal(aftp_tls_server_new(&t, NULL, last ? name : names[i], why, sizeof(why)), AFTP_EINVAL);
		assert_non_null(strstr(why, "cannot be made"));
	}
}

/* --- pins ----------------------------------------------------------------------------------------- */

static void test_pins(void **state)
{
	static const struct {
		const char *text;
		size_t n; /* 0: refused */
	} cases[] = {
		{ PIN_A, 1 },
		{ PIN_A ";" PIN_B, 2 },
		{ PIN_A ";" PIN_A ";" PIN_A ";" PIN_A ";" PIN_A ";" PIN_A ";" PIN_A ";" PIN_A, 8 },
		{ PIN_A ";" PIN_A ";" PIN_A ";" PIN_A ";" PIN_A ";" PIN_A ";" PIN_A ";" PIN_A ";" PIN_A, 0 },
		{ "", 0 },
		{ ";", 0 },
		{ PIN_A ";", 0 },
		{ ";" PIN_A, 0 },
		{ PIN_A " ", 0 },
		{ "sha1//AAAAAAAAAAAAAAAAAAAAAAAAAAA=", 0 },
		{ "SHA256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 0 },
		{ "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0 }, /* 33 bytes */
		{ "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", 0 }, /* 31 */
		{ "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=", 0 }, /* bits that nobody reads */
		{ "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-AAA=", 0 },
		{ "sha256//AAAA AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tls_pins p = { .n = 7 };
		int rc = tls_pins_parse(&p, cases[i].text);

		if (rc != (cases[i].n ? 0 : AFTP_EINVAL))
			fail_msg("%s: %d", cases[i].text, rc);
		assert_int_equal(p.n, cases[i].n ? cases[i].n : 7);
	}
}

static void test_pin_of_a_certificate(void **state)
{
	struct certificate one = certificate_make("one", NULL), two = certificate_make("two", NULL);
	char a[TLS_PIN_TEXT], b[TLS_PIN_TEXT];
	struct tls_pins p;

	(void)state;
	tls_pin_write(a, one.x509);
	tls_pin_write(b, two.x509);
	assert_string_not_equal(a, b);
	assert_int_equal(tls_pins_parse(&p, a), 0);
	assert_true(tls_pins_match(&p, one.x509));
	assert_false(tls_pins_match(&p, two.x509));
	certificate_free(&one);
	certificate_free(&two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_selfmade),
		cmocka_unit_test(test_names_that_are_none),
		cmocka_unit_test(test_pins),
		cmocka_unit_test(test_pin_of_a_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
