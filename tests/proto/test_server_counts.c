/* What the server counts: above all the turns, which are what a client's round trips cost. */
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

struct fixture {
	struct testd d;
	struct talk t;
	uint64_t turns; /* so far */
};

static struct fixture *begin(void)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	testd_start(&f->d, NULL, false);
	testd_put(&f->d, "/file", "content", 7);
	talk_login(&f->t, &f->d, "anonymous", "x");
	f->turns = testd_counters(&f->d).turns;
	return f;
}

static void end(struct fixture *f)
{
	talk_close(&f->t);
	testd_stop(&f->d);
	free(f);
}

/* Since it was asked last. */
static uint64_t turns(struct fixture *f)
{
	uint64_t now = testd_counters(&f->d).turns, n = now - f->turns;
	f->turns = now;
	return n;
}

static void send_text(struct fixture *f, const char *text)
{
	talk_send(&f->t, text, strlen(text));
}

static void replies(struct fixture *f, int n)
{
	while (n-- > 0)
		assert_in_range(talk_reply(&f->t), 100, 599);
}

static void test_each_that_waits(void **state)
{
	struct fixture *f = begin();
	(void)state;
	assert_int_equal(f->turns, 3); /* USER PASS TYPE */
	for (int i = 0; i < 5; i++)
		talk_expect(&f->t, 200, "NOOP");
	assert_int_equal(turns(f), 5);
	talk_expect(&f->t, 500, "NONSENSE");
	assert_int_equal(turns(f), 1);
	end(f);
}

static void test_one_segment(void **state)
{
	struct fixture *f = begin();
	(void)state;
	send_text(f, "NOOP\r\nPWD\r\nSYST\r\nNOOP\r\n");
	replies(f, 4);
	assert_int_equal(turns(f), 1);
	end(f);
}

/* What comes in pieces counts when a line is whole. */
static void test_pieces(void **state)
{
	struct fixture *f = begin();
	(void)state;
	send_text(f, "NO");
	assert_int_equal(turns(f), 0);
	send_text(f, "OP\r\nPW");
	replies(f, 1);
	assert_int_equal(turns(f), 1);
	send_text(f, "D\r\n");
	replies(f, 1);
	assert_int_equal(turns(f), 1);
	end(f);
}

/* On a slow link: what is sent before the replies can have come was not waited for. */
static void test_behind_each_other(void **state)
{
	struct fixture *f = begin();
	(void)state;
	testd_set_faults(&f->d, &(struct aftp_faults){ .latency_ms = 1500 });
	send_text(f, "NOOP\r\n");
	send_text(f, "PWD\r\n");
	send_text(f, "SYST\r\n");
	replies(f, 3);
	assert_int_equal(turns(f), 1);
	testd_set_faults(&f->d, &(struct aftp_faults){ 0 });
	talk_expect(&f->t, 200, "NOOP");
	assert_int_equal(turns(f), 1);
	end(f);
}

/* Nothing that comes while a transfer runs was waited for. */
static void test_transfers(void **state)
{
	struct fixture *f = begin();
	(void)state;
	int fd = talk_epsv(&f->t);
	assert_int_equal(turns(f), 1);
	talk_expect(&f->t, 150, "STOR up");
	assert_int_equal(turns(f), 1);
	send_text(f, "SIZE up\r\n");
	assert_int_equal(send(fd, "abc", 3, MSG_NOSIGNAL), 3);
	close(fd);
	assert_int_equal(talk_reply(&f->t), 226);
	assert_int_equal(talk_reply(&f->t), 213);
	assert_int_equal(turns(f), 0);
	fd = talk_epsv(&f->t);
	send_text(f, "REST 2\r\nRETR file\r\n");
	size_t n;
	free(talk_drain(fd, &n, NULL));
	assert_int_equal(n, 5);
	replies(f, 3);
	assert_int_equal(turns(f), 2);
	assert_int_equal(testd_counters(&f->d).data_connections, 2);
	end(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_that_waits),
		cmocka_unit_test(test_one_segment),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_behind_each_other),
		cmocka_unit_test(test_transfers),
	};
	return cmocka_run_group_tests_name("server_counts", tests, NULL, NULL);
}
