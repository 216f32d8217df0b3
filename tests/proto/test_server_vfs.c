/* The server on a vfs whose answers come late, as those of a real file system would: everything works, commands that are
 * answered late end their sessions in good order, and clients that do not wait leave nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/slow_vfs.h"
#include "lib/testd.h"

enum { SIZE = 5000000 };

struct fixture {
	struct testd d;
	struct talk t;
	char *want;
};

static struct fixture *begin(void)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	f->want = malloc(SIZE);
	assert_non_null(f->want);
	aftp_memfs_pattern(1, 0, f->want, SIZE);
	testd_start_slow(&f->d, NULL);
	testd_put(&f->d, "/file", f->want, SIZE);
	testd_put(&f->d, "/dir/a", "x", 1);
	talk_login(&f->t, &f->d, "anonymous", "x");
	return f;
}

static void end(struct fixture *f)
{
	talk_close(&f->t);
	testd_stop(&f->d);
	free(f->want);
	free(f);
}

static void assert_file(struct fixture *f, const char *command, size_t from, size_t to)
{
	size_t n;
	char *got = talk_retrieve(&f->t, command, &n);
	assert_int_equal(n, to - from);
	assert_memory_equal(got, f->want + from, n);
	free(got);
}

static void test_transfers(void **state)
{
	struct fixture *f = begin();
	(void)state;
	assert_file(f, "RETR file", 0, SIZE);
	talk_expect(&f->t, 350, "REST 4000000");
	int fd = talk_epsv(&f->t);
	size_t n;
	talk_expect(&f->t, 150, "RETR file");
	char *got = talk_drain(fd, &n, NULL);
	assert_int_equal(n, 1000000);
	assert_memory_equal(got, f->want + 4000000, n);
	free(got);
	assert_int_equal(talk_reply(&f->t), 226);
	talk_store(&f->t, "STOR up", f->want, 3000000);
	talk_store(&f->t, "APPE up", f->want + 3000000, SIZE - 3000000);
	assert_file(f, "RETR up", 0, SIZE);
	end(f);
}

static void test_commands(void **state)
{
	static const struct talk_step steps[] = {
		{ NULL, 220, NULL },
		{ "USER ftp", 331, NULL },
		{ "PASS x", 230, NULL },
		{ "MKD new", 257, NULL },
		{ "CWD new", 250, NULL },
		{ "CDUP", 250, NULL },
		{ "SIZE file", 213, "5000000" },
		{ "MFMT 20200203040506 file", 213, "20200203040506" },
		{ "MFF modify=20210203040506;UNIX.mode=0600; file", 213, "0600" },
		{ "MDTM file", 213, "20210203040506" },
		{ "SITE CHMOD 644 file", 200, NULL },
		{ "SITE SYMLINK dir link", 200, NULL },
		{ "MLST link", 250, "slink:dir" },
		{ "STAT dir", 213, " a\r\n" },
		{ "RNFR file", 350, NULL },
		{ "RNTO new/file", 250, NULL },
		{ "SIZE file", 550, NULL },
		{ "RMD new", 550, NULL },
		{ "HASH new/file", 213, "SHA-256 0-4999999" },
		{ "DELE new/file", 250, NULL },
		{ "RMD new", 250, NULL },
		/* what this vfs lacks */
		{ "SITE CPFR dir/a", 504, NULL },
		{ "AVBL", 504, NULL },
	};
	struct fixture *f = begin();
	(void)state;
	talk_play(&f->d, steps, sizeof(steps) / sizeof(steps[0]));
	end(f);
}

static void test_listings(void **state)
{
	static const char *const commands[] = { "LIST -a", "MLSD", "NLST" };
	struct fixture *f = begin();
	(void)state;
	for (int i = 0; i < 600; i++) { /* several batches */
		char path[32] = "/many/000";
		path[6] = (char)('0' + i / 100);
		path[7] = (char)('0' + i / 10 % 10);
		path[8] = (char)('0' + i % 10);
		testd_put(&f->d, path, "", 0);
	}
	talk_expect(&f->t, 250, "CWD many");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		size_t n, lines = 0;
		char *text = talk_retrieve(&f->t, commands[i], &n);
		for (const char *p = text; (p = strchr(p, '\n')); p++)
			lines++;
		assert_int_equal(lines, i < 2 ? 602 : 600);
		free(text);
	}
	end(f);
}

/* Replies are in order although the second command would be faster. */
static void test_order(void **state)
{
	struct fixture *f = begin();
	(void)state;
	talk_send(&f->t, "SIZE file\r\nNOOP\r\nMKD x\r\nPWD\r\n", 30);
	assert_int_equal(talk_reply(&f->t), 213);
	assert_int_equal(talk_reply(&f->t), 200);
	assert_int_equal(talk_reply(&f->t), 257);
	assert_non_null(strstr(f->t.reply, "created"));
	assert_int_equal(talk_reply(&f->t), 257);
	end(f);
}

/* The client goes while the vfs is at work, for each kind of work. */
static void test_gone_meanwhile(void **state)
{
	static const char *const commands[] = { "SIZE file", "MLST file", "CWD dir", "MKD n", "DELE none", "RNFR file",
		"RETR file", "STOR up", "LIST dir", "MLSD dir", "STAT dir", "HASH file", "MFMT 20200101000000 file",
		"SITE CHMOD 600 file", "XCRC file" };
	struct fixture *f = begin();
	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct talk other;
		talk_login(&other, &f->d, "anonymous", "x");
		int fd = talk_epsv(&other);
		talk_send(&other, commands[i], strlen(commands[i]));
		talk_send(&other, "\r\n", 2);
		if (i % 2) {
			struct linger reset = { .l_onoff = 1 };
			setsockopt(other.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		}
		talk_close(&other);
		close(fd);
	}
	talk_expect(&f->t, 257, "PWD");
	end(f);
}

/* And the server does. */
static void test_server_ends_meanwhile(void **state)
{
	static const char *const commands[] = { "SIZE file\r\n", "RETR file\r\n", "STOR up\r\n", "LIST dir\r\n",
		"HASH file\r\n", "STAT dir\r\n" };
	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct fixture *f = begin();
		int fd = talk_epsv(&f->t);
		talk_send(&f->t, commands[i], strlen(commands[i]));
		end(f);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_transfers),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_listings),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_gone_meanwhile),
		cmocka_unit_test(test_server_ends_meanwhile),
	};
	return cmocka_run_group_tests_name("server_vfs", tests, NULL, NULL);
}
