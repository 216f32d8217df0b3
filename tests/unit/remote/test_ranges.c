/* Reads here and there end by themselves where the server has RANG; the bytes are right in every case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <aftp/status.h>

#include "lib/site_fixture.h"

#define MIB   (1024u * 1024)
#define SIZE  (20u * MIB + 77)
#define SEED  6
#define JUMPS 24u

static struct fixture f;
static char got[MIB], want[MIB];

static int setup(void **state)
{
	(void)state;
	fixture_init(&f);
	assert_int_equal(aftp_memfs_put_pattern(f.fs, "/big", SIZE, SEED), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_finish(&f);
	return 0;
}

static struct site_file *open_big(void)
{
	struct site_open_result r = { 0 };

	fixture_serve(&f);
	assert_int_equal(fixture_mount(&f), 0);
	assert_int_equal(fixture_open(&f, "/big", &r), 0);
	return r.file;
}

static void check(struct site_file *file, uint64_t off, size_t len)
{
	size_t expect = off >= SIZE ? 0 : SIZE - off < len ? (size_t)(SIZE - off) : len;

	assert_int_equal(fixture_read(&f, file, off, len, got), expect);
	aftp_memfs_pattern(SEED, off, want, expect);
	assert_memory_equal(got, want, expect);
}

/* Far from the place before; one of them at the end of the file. */
static uint64_t place(unsigned i)
{
	return i == JUMPS / 2 ? SIZE - 100 : (uint64_t)(i + 1) * 13 * MIB % (20 * MIB) + i * 1000 + 1;
}

static void jump_about(struct site_file *file, size_t len)
{
	for (unsigned i = 0; i < JUMPS; i++)
		check(file, place(i), len);
}

static void no_more_than_is_asked_for(void **state)
{
	struct site_file *file = open_big();

	(void)state;
	jump_about(file, 4096);
	site_release(file);
	assert_in_range(fixture_commands(&f, "RANG"), JUMPS / 2, JUMPS);
	assert_int_equal(fixture_commands(&f, "RANG") + fixture_commands(&f, "REST"), JUMPS);
	assert_int_equal(fixture_commands(&f, "RETR"), JUMPS);
}

static void one_connection(void **state)
{
	struct site_file *file;

	(void)state;
	f.options.max_conns = 1;
	file = open_big();
	jump_about(file, 70000);
	site_release(file);
	assert_int_equal(fixture_commands(&f, "USER"), 1);
}

static void it_goes_on_after_all(void **state)
{
	struct site_file *file = open_big();

	(void)state;
	jump_about(file, 4096);
	for (uint64_t off = 5 * MIB; off < 9 * MIB; off += 100000)
		check(file, off, 100000);
	jump_about(file, 100000);
	site_release(file);
}

static void it_is_refused(void **state)
{
	static const struct aftp_rule rule = { "RANG", 1, 0, AFTP_ACT_REPLY, 500, "no" };
	struct site_file *file;

	(void)state;
	f.server_options.faults.rules = &rule;
	f.server_options.faults.nrules = 1;
	f.options.max_conns = 1;
	file = open_big();
	jump_about(file, 4096);
	site_release(file);
	assert_int_equal(fixture_commands(&f, "RANG"), 1);
	assert_int_equal(fixture_commands(&f, "REST"), JUMPS);
}

static void it_is_not_offered(void **state)
{
	struct site_file *file;

	(void)state;
	f.server_options.play = AFTP_PLAY_VSFTPD;
	file = open_big();
	jump_about(file, 4096);
	site_release(file);
	assert_int_equal(fixture_commands(&f, "RANG"), 0);
}

static void connections_break(void **state)
{
	struct site_file *file;

	(void)state;
	f.server_options.faults = (struct aftp_faults){ .drop_after = 30000 };
	file = open_big();
	jump_about(file, 70000);
	site_release(file);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(no_more_than_is_asked_for),
		CASE(one_connection),
		CASE(it_goes_on_after_all),
		CASE(it_is_refused),
		CASE(it_is_not_offered),
		CASE(connections_break),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
