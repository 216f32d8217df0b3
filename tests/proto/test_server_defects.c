/* What other servers were found to do wrong, and this one must not: one test for each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/testd.h"

enum { SPEED = 1000000, BYTES = 500000, BURST = SPEED / 100 };

struct fixture {
	struct testd d;
	struct talk t;
};

static struct fixture *begin(const struct aftp_server_options *o)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	testd_start(&f->d, o, false);
	testd_pattern(&f->d, "/file", BYTES, 1);
	talk_login(&f->t, &f->d, "anonymous", "x");
	return f;
}

static void end(struct fixture *f)
{
	talk_close(&f->t);
	testd_stop(&f->d);
	free(f);
}

static double seconds_since(uint64_t start)
{
	return (double)(uv_hrtime() - start) / 1e9;
}

/* No faster than the limit allows, with one burst for nothing; slower is the machine's affair. */
static void assert_paid(uint64_t start, uint64_t bytes)
{
	assert_true(seconds_since(start) >= 0.95 * (double)(bytes - BURST) / SPEED);
}

/* aioftp: idle time counted as credit without a bound, and 16 MiB came at once. */
static void test_idle_credit(void **state)
{
	struct fixture *f = begin(&(struct aftp_server_options){ .limits = { SPEED, SPEED } });
	size_t n;
	(void)state;
	free(talk_retrieve(&f->t, "RETR file", &n));
	assert_false(talk_ended(&f->t, 1000)); /* twice as long as the file takes */
	uint64_t start = uv_hrtime();
	free(talk_retrieve(&f->t, "RETR file", &n));
	assert_int_equal(n, BYTES);
	assert_paid(start, BYTES);
	end(f);
}

/* aioftp: an operation ran at full speed and was charged afterwards, so the first, or the only one, cost nothing. */
static void test_post_pay(void **state)
{
	struct fixture *f = begin(&(struct aftp_server_options){ .connection_limits = { SPEED, SPEED } });
	char *data = calloc(1, BYTES);
	size_t n;
	(void)state;
	uint64_t start = uv_hrtime();
	free(talk_retrieve(&f->t, "RETR file", &n));
	assert_paid(start, BYTES);
	start = uv_hrtime();
	talk_store(&f->t, "STOR up", data, BYTES);
	assert_paid(start, BYTES);
	free(data);
	end(f);
}

/* aioftp: what data owed was paid by the commands that came next, and by those of others. */
static void test_debt_is_not_paid_by_replies(void **state)
{
	struct fixture *f = begin(&(struct aftp_server_options){ .limits = { 1, 1 } });
	struct talk other;
	(void)state;
	int fd = talk_epsv(&f->t);
	talk_expect(&f->t, 150, "RETR file"); /* would take six days */
	talk_login(&other, &f->d, "anonymous", "x");
	talk_expect(&other, 257, "PWD");
	talk_expect(&f->t, 426, "ABOR");
	assert_int_equal(talk_reply(&f->t), 226);
	talk_expect(&f->t, 257, "PWD");
	close(fd);
	talk_close(&other);
	end(f);
}

/* aioftp: the idle limit cut transfers that ran. */
static void test_idle_timeout_in_transfers(void **state)
{
	const struct aftp_server_options brief = { .idle_timeout_ms = 3000, .limits = { SPEED, SPEED } };
	struct fixture *f = begin(&brief);
	size_t n;
	(void)state;
	testd_pattern(&f->d, "/long", 4 * SPEED, 1);
	uint64_t start = uv_hrtime();
	free(talk_retrieve(&f->t, "RETR long", &n));
	assert_int_equal(n, 4 * SPEED);
	assert_true(seconds_since(start) > 3.0);
	assert_int_equal(talk_reply(&f->t), 421); /* it says so, too */
	assert_int_equal(talk_reply(&f->t), 0);
	end(f);
}

/* aioftp: readers of one file shared their position, and each got a third of it. */
static void test_concurrent_retr_of_one_file(void **state)
{
	enum { N = 4 };
	struct fixture *f = begin(NULL);
	struct talk *others = calloc(N, sizeof(*others));
	char *want = malloc(BYTES);
	int fds[N];
	(void)state;
	assert_non_null(others);
	assert_non_null(want);
	aftp_memfs_pattern(1, 0, want, BYTES);
	for (int i = 0; i < N; i++) {
		talk_login(&others[i], &f->d, "anonymous", "x");
		fds[i] = talk_epsv(&others[i]);
	}
	for (int i = 0; i < N; i++)
		talk_expect(&others[i], 150, "RETR file");
	for (int i = 0; i < N; i++) {
		size_t n;
		char *got = talk_drain(fds[i], &n, NULL);
		assert_int_equal(n, BYTES);
		assert_memory_equal(got, want, BYTES);
		free(got);
		assert_int_equal(talk_reply(&others[i]), 226);
		talk_close(&others[i]);
	}
	free(want);
	free(others);
	end(f);
}

/* aioftp: a path that no permission covered was open to all. */
static void test_fail_open_permissions(void **state)
{
	static const struct aftp_permission rules[] = { { "/in", AFTP_MAY_READ | AFTP_MAY_WRITE } };
	static const struct aftp_user user = {
		.may = AFTP_MAY_READ | AFTP_MAY_WRITE, .permissions = rules, .npermissions = 1
	};
	struct fixture *f = begin(&(struct aftp_server_options){ .users = &user, .nusers = 1 });
	(void)state;
	testd_put(&f->d, "/in/side", "x", 1);
	talk_expect(&f->t, 213, "SIZE in/side");
	talk_expect(&f->t, 550, "SIZE file");
	talk_expect(&f->t, 550, "DELE file");
	talk_expect(&f->t, 550, "MKD new");
	/* and the answers told what is there */
	talk_say(&f->t, "DELE file");
	char *there = strdup(f->t.reply);
	talk_say(&f->t, "DELE none");
	assert_string_equal(f->t.reply, there);
	free(there);
	end(f);
}

/* aioftp: the session ended without a word when a client closed a download early. */
static void test_early_closed_retr(void **state)
{
	struct fixture *f = begin(NULL);
	char byte;
	(void)state;
	testd_pattern(&f->d, "/big", 100 << 20, 1);
	for (int i = 0; i < 5; i++) {
		int fd = talk_epsv(&f->t);
		talk_expect(&f->t, 150, "RETR big");
		assert_int_equal(recv(fd, &byte, 1, 0), 1);
		close(fd);
		assert_int_equal(talk_reply(&f->t), 426);
	}
	talk_expect(&f->t, 257, "PWD");
	end(f);
}

/* aioftp: ABOR got no reply while the data connection was waited for. */
static void test_abort_while_waiting(void **state)
{
	struct fixture *f = begin(NULL);
	(void)state;
	talk_expect(&f->t, 229, "EPSV");
	talk_send(&f->t, "RETR file\r\nABOR\r\n", 17);
	assert_int_equal(talk_reply(&f->t), 426);
	assert_int_equal(talk_reply(&f->t), 226);
	talk_expect(&f->t, 257, "PWD");
	end(f);
}

/* aioftp: a name alone took a place among the user's connections. */
static void test_a_name_takes_no_place(void **state)
{
	static const struct aftp_user user = {
		.name = "joe", .password = "secret", .may = AFTP_MAY_READ, .max_connections = 1
	};
	struct testd d;
	struct talk first, second;
	(void)state;
	testd_start(&d, &(struct aftp_server_options){ .users = &user, .nusers = 1 }, false);
	talk_open(&first, &d);
	assert_int_equal(talk_reply(&first), 220);
	talk_expect(&first, 331, "USER joe");
	talk_login(&second, &d, "joe", "secret");
	talk_expect(&first, 530, "PASS secret");
	talk_close(&first);
	talk_close(&second);
	testd_stop(&d);
}

/* aioftp: "LIST -a" was a path, MLSD ended with 200, quotes in a path were not doubled. */
static void test_small_things(void **state)
{
	struct fixture *f = begin(NULL);
	size_t n;
	(void)state;
	free(talk_retrieve(&f->t, "LIST -a", &n));
	free(talk_retrieve(&f->t, "MLSD", &n));
	talk_expect(&f->t, 257, "MKD a\"b");
	talk_expect(&f->t, 250, "CWD a\"b");
	talk_expect(&f->t, 257, "PWD");
	assert_non_null(strstr(f->t.reply, "\"/a\"\"b\""));
	end(f);
}

/* aioftp: commands that came together raced, and their replies came as they were ready. */
static void test_pipelined_commands_keep_their_order(void **state)
{
	struct fixture *f = begin(NULL);
	static const char lines[] = "MKD d\r\nCWD d\r\nPWD\r\nCDUP\r\nRMD d\r\n";
	(void)state;
	for (int i = 0; i < 50; i++) {
		talk_send(&f->t, lines, sizeof(lines) - 1);
		assert_int_equal(talk_reply(&f->t), 257);
		assert_int_equal(talk_reply(&f->t), 250);
		assert_int_equal(talk_reply(&f->t), 257);
		assert_non_null(strstr(f->t.reply, "/d\""));
		assert_int_equal(talk_reply(&f->t), 250);
		assert_int_equal(talk_reply(&f->t), 250);
	}
	end(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle_credit),
		cmocka_unit_test(test_post_pay),
		cmocka_unit_test(test_debt_is_not_paid_by_replies),
		cmocka_unit_test(test_idle_timeout_in_transfers),
		cmocka_unit_test(test_concurrent_retr_of_one_file),
		cmocka_unit_test(test_fail_open_permissions),
		cmocka_unit_test(test_early_closed_retr),
		cmocka_unit_test(test_abort_while_waiting),
		cmocka_unit_test(test_a_name_takes_no_place),
		cmocka_unit_test(test_small_things),
		cmocka_unit_test(test_pipelined_commands_keep_their_order),
	};
	return cmocka_run_group_tests_name("server_defects", tests, NULL, NULL);
}
