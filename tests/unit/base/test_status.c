#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <aftp/status.h>

static const struct {
	int status;
	const char *name;
	int error;
} table[] = {
	{ AFTP_OK, "OK", 0 },
	{ AFTP_EINVAL, "EINVAL", EINVAL },
	{ AFTP_ENOMEM, "ENOMEM", ENOMEM },
	{ AFTP_EBUSY, "EBUSY", EBUSY },
	{ AFTP_EALREADY, "EALREADY", EALREADY },
	{ AFTP_ECANCELED, "ECANCELED", ECANCELED },
	{ AFTP_ETIMEDOUT, "ETIMEDOUT", ETIMEDOUT },
	{ AFTP_ECONNRESET, "ECONNRESET", ECONNRESET },
	{ AFTP_ECONNREFUSED, "ECONNREFUSED", ECONNREFUSED },
	{ AFTP_ENOTCONN, "ENOTCONN", ENOTCONN },
	{ AFTP_EPROTO, "EPROTO", EPROTO },
	{ AFTP_ENOTSUP, "ENOTSUP", EOPNOTSUPP },
	{ AFTP_ENOENT, "ENOENT", ENOENT },
	{ AFTP_EACCES, "EACCES", EACCES },
	{ AFTP_EIO, "EIO", EIO },
	{ AFTP_EOF, "EOF", EIO },
	{ AFTP_ELINETOOLONG, "ELINETOOLONG", EIO },
	{ AFTP_EINCOMPLETE, "EINCOMPLETE", EIO },
	{ AFTP_EREPLY, "EREPLY", EIO },
	{ AFTP_ELOGIN, "ELOGIN", EACCES },
	{ AFTP_ETLS, "ETLS", EIO },
	{ AFTP_ECERT, "ECERT", EACCES },
	{ AFTP_ETOOBIG, "ETOOBIG", EIO },
	{ AFTP_ESHORT, "ESHORT", EIO },
	{ AFTP_EBADNAME, "EBADNAME", EINVAL },
	{ AFTP_ERESOLVE, "ERESOLVE", EHOSTUNREACH },
	{ AFTP_ETOOMANY, "ETOOMANY", EBUSY },
	{ AFTP_ECHANGED, "ECHANGED", ESTALE },
	/* What POSIX has and the enum has not. */
	{ -EISDIR, "EISDIR", EISDIR },
	{ -ENOTEMPTY, "ENOTEMPTY", ENOTEMPTY },
	{ -EHOSTUNREACH, "EHOSTUNREACH", EHOSTUNREACH },
};

static void test_every_status_has_name_text_and_errno(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		assert_string_equal(aftp_err_name(table[i].status), table[i].name);
		assert_int_equal(aftp_errno(table[i].status), table[i].error);
		assert_string_not_equal(aftp_strerror(table[i].status), "unknown error");
		assert_true(strlen(aftp_strerror(table[i].status)) > 3);
	}
}

static void test_texts_differ(void **state)
{
	size_t n = sizeof table / sizeof *table;

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++)
			assert_string_not_equal(aftp_strerror(table[i].status), aftp_strerror(table[k].status));
}

static void test_unknown_numbers(void **state)
{
	static const int unknown[] = { -3000, -4094, -5999, -6013, -7000, INT32_MIN, -134 };

	(void)state;
	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
		assert_string_equal(aftp_strerror(unknown[i]), "unknown error");
		assert_string_equal(aftp_err_name(unknown[i]), "UNKNOWN");
		assert_int_equal(aftp_errno(unknown[i]), EIO);
	}
}

static void test_counts_are_success(void **state)
{
	(void)state;
	assert_int_equal(aftp_errno(1), 0);
	assert_int_equal(aftp_errno(INT32_MAX), 0);
	assert_string_equal(aftp_strerror(17), "success");
	assert_string_equal(aftp_err_name(17), "OK");
}

/* Only the server's word may become ENOENT. */
static void test_nothing_else_is_absence(void **state)
{
	(void)state;
	for (int status = -7000; status < 100; status++)
		if (status != AFTP_ENOENT)
			assert_int_not_equal(aftp_errno(status), ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_status_has_name_text_and_errno),
		cmocka_unit_test(test_texts_differ),
		cmocka_unit_test(test_unknown_numbers),
		cmocka_unit_test(test_counts_are_success),
		cmocka_unit_test(test_nothing_else_is_absence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
