/* A connection that dies at any byte of what the server says, at any command, at any byte of the data: what was written is
 * there all the same. */
#include "lib/site_test.h"

#define LEN 150000
#define OLD 1000

enum way { NEW, OVER, SAME_SIZE, APPENDED, CHANGED, CUT, ALL_WAYS };

static const char *const names[] = { "new", "over", "same size", "appended", "changed", "cut" };

static char model[OLD + LEN], got[OLD + LEN + 1];

static void open_it(enum way way, struct site_open_result *r)
{
	struct site_attr attr;

	if (way == NEW)
		assert_int_equal(fixture_create(&f, SITE_ROOT, "x", O_WRONLY | O_EXCL, &attr, r), 0);
	else
		assert_int_equal(fixture_open_flags(&f, "x",
					 way == APPENDED                           ? O_WRONLY | O_APPEND
						 : way == OVER || way == SAME_SIZE ? O_WRONLY | O_TRUNC
										   : O_RDWR,
					 r),
			0);
}

/* Writes in pieces; what the file must be then is in model[0..size). */
static int write_it(enum way way, struct site_file *file, size_t *size)
{
	size_t at = way == APPENDED ? OLD : way == CHANGED ? 500 : 0, end = at + LEN;

	memset(model, 'o', OLD);
	if (way == CUT) {
		*size = 300;
		return fixture_truncate(&f, "x", file, 300);
	}
	for (size_t i = at; i < end; i++)
		model[i] = (char)(i * 31 + (i >> 8) * 7);
	*size = end;
	for (size_t n; at < end; at += n) {
		ssize_t done;

		n = end - at < 40000 ? end - at : 40000;
		done = fixture_write(&f, file, at, model + at, n);
		if (done < 0)
			return (int)done;
		assert_int_equal(done, n);
	}
	return 0;
}

static void once(enum way way, unsigned conns, const struct aftp_faults *faults, const char *what, uint64_t n)
{
	struct site_open_result r = { 0 };
	struct aftp_vfs_stat st;
	size_t size = 0;
	int rc;

	fixture_init(&f);
	f.hurried = true;
	f.options.max_conns = conns;
	memset(model, 'o', sizeof model);
	if (way != NEW)
		assert_int_equal(aftp_memfs_put(f.fs, "/x", model, way == SAME_SIZE ? LEN : OLD), 0);
	up();
	assert_int_equal(fixture_count(&f, SITE_ROOT), way != NEW);
	assert_int_equal(aftp_server_set_faults(f.server, faults), 0);
	open_it(way, &r);
	rc = write_it(way, r.file, &size);
	if (rc == 0)
		rc = fixture_flush(&f, r.file);
	site_release(r.file);
	if (rc < 0)
		fail_msg("%s, %u connections, %s %llu: %s", names[way], conns, what, (unsigned long long)n,
			aftp_err_name(rc));
	assert_int_equal(aftp_memfs_stat(f.fs, "/x", &st), 0);
	if (st.size != size || aftp_memfs_read(f.fs, "/x", 0, got, sizeof got) != (ssize_t)size ||
		memcmp(got, model, size))
		fail_msg("%s, %u connections, %s %llu: wrong content of %llu bytes", names[way], conns, what,
			(unsigned long long)n, (unsigned long long)st.size);
	fixture_finish(&f);
}

static void everywhere(struct aftp_faults *faults, const char *what, uint64_t n)
{
	for (int way = 0; way < ALL_WAYS; way++)
		for (unsigned conns = 1; conns <= 4; conns += 3)
			once((enum way)way, conns, faults, what, n);
}

static void at_any_command(void **state)
{
	(void)state;
	for (uint32_t n = 1; n <= 14; n++) {
		struct aftp_faults faults = { .drop_after_commands = n, .times = 1 };
		everywhere(&faults, "command", n);
	}
}

static void at_any_byte_of_replies(void **state)
{
	(void)state;
	for (uint64_t n = 350; n < 1100; n += 23) {
		struct aftp_faults faults = { .drop_control_after = n, .times = 1 };
		everywhere(&faults, "byte of replies", n);
	}
}

static void at_any_byte_of_data(void **state)
{
	static const uint64_t at[] = { 1, 2, 999, 40000, 40001, 65536, 100000, LEN - 1, LEN, OLD + LEN - 1 };

	(void)state;
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		struct aftp_faults data = { .drop_after = at[i], .times = 1 },
				   all = { .drop_all_after = at[i], .times = 1 };
		everywhere(&data, "byte of data", at[i]);
		everywhere(&all, "byte of all", at[i]);
	}
}

static void again_and_again(void **state)
{
	(void)state;
	for (uint64_t n = 20000; n < 60000; n += 9973) {
		struct aftp_faults faults = { .drop_all_after = n };
		everywhere(&faults, "every byte", n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_any_command),
		cmocka_unit_test(at_any_byte_of_replies),
		cmocka_unit_test(at_any_byte_of_data),
		cmocka_unit_test(again_and_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
