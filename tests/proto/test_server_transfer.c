/* What moves on the data connection, and how the two connections play together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/testd.h"

struct fixture {
	struct testd d;
	struct talk t;
};

static struct fixture *begin(const struct aftp_server_options *o)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	testd_start(&f->d, o, false);
	testd_put(&f->d, "/file", "content", 7);
	testd_put(&f->d, "/dir/one", "1", 1);
	testd_put(&f->d, "/dir/two words", "22", 2);
	testd_put(&f->d, "/dir/ -a", "333", 3);
	testd_pattern(&f->d, "/big", 64 << 20, 1);
	talk_login(&f->t, &f->d, "anonymous", "x");
	return f;
}

static void end(struct fixture *f)
{
	talk_close(&f->t);
	testd_stop(&f->d);
	free(f);
}

static void assert_file(struct fixture *f, const char *path, const char *want, size_t len)
{
	char command[128];
	size_t n;
	snprintf(command, sizeof(command), "RETR %s", path);
	char *got = talk_retrieve(&f->t, command, &n);
	assert_int_equal(n, len);
	assert_memory_equal(got, want, len);
	free(got);
}

/* --- listings --------------------------------------------------------------------------------------- */

static void link_job(struct testd *d, void *arg)
{
	(void)arg;
	assert_int_equal(aftp_memfs_symlink(d->fs, "dir", "/dirlink"), 0);
	assert_int_equal(aftp_memfs_symlink(d->fs, "file", "/filelink"), 0);
	assert_int_equal(aftp_memfs_symlink(d->fs, "none", "/dangling"), 0);
	assert_int_equal(aftp_memfs_mkdir(d->fs, "/empty"), 0);
	assert_int_equal(aftp_memfs_set_mtime(d->fs, "/dir", 1000000000, 0), 0);
	assert_int_equal(aftp_memfs_set_mtime(d->fs, "/file", 1000000000, 0), 0);
	assert_int_equal(aftp_memfs_set_mtime(d->fs, "/filelink", 1000000000, 0), 0);
}

static void test_listings(void **state)
{
	static const struct { const char *command, *want; } cases[] = {
		{ "NLST dir", "one\r\ntwo words\r\n -a\r\n" }, { "NLST -la dir", "one\r\ntwo words\r\n -a\r\n" }, { "NLST file", "file\r\n" },
		{ "NLST dirlink", "one\r\ntwo words\r\n -a\r\n" }, { "NLST empty", "" }, { "LIST empty", "" }, { "LIST -l empty", "" },
		{ "NLST dir/two words", "two words\r\n" }, { "NLST dir/ -a", " -a\r\n" },
		{ "LIST file", "-rw-r--r--    1 1000     1000            7 Sep 09  2001 file\r\n" },
		{ "LIST -la file", "-rw-r--r--    1 1000     1000            7 Sep 09  2001 file\r\n" },
		{ "LIST -d dir", "drwxr-xr-x    2 1000     1000         4096 Sep 09  2001 .\r\n" },
		{ "LIST filelink", "lrwxrwxrwx    1 1000     1000            4 Sep 09  2001 filelink -> file\r\n" },
	};
	struct fixture *f = begin(NULL);
	(void)state;
	testd_call(&f->d, link_job, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n;
		char *got = talk_retrieve(&f->t, cases[i].command, &n);
		assert_string_equal(got, cases[i].want);
		free(got);
	}
	end(f);
}

static void test_dots(void **state)
{
	static const struct { const char *command; const char *has[4], *lacks; } cases[] = {
		{ "LIST", { " dir\r\n", " dangling -> none\r\n" }, " .\r\n" }, { "LIST -a", { " .\r\n", " ..\r\n", " dir\r\n" }, "cdir" },
		{ "LIST -al /dir", { " .\r\n", " ..\r\n", " two words\r\n", "  -a\r\n" }, "file" },
		{ "MLSD", { "type=cdir;", "type=pdir;", "type=OS.unix=slink:dir;", "type=OS.unix=slink:none;" }, "two words" },
		{ "MLSD dirlink", { "type=cdir;", "; two words\r\n", ";  -a\r\n" }, "slink" },
		{ "MLSD /empty", { "type=cdir;", "type=pdir;" }, "type=file" },
	};
	struct fixture *f = begin(NULL);
	(void)state;
	testd_call(&f->d, link_job, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n;
		char *got = talk_retrieve(&f->t, cases[i].command, &n);
		for (size_t k = 0; k < 4 && cases[i].has[k]; k++)
			assert_non_null(strstr(got, cases[i].has[k]));
		assert_null(strstr(got, cases[i].lacks));
		free(got);
	}
	end(f);
}

static void many_job(struct testd *d, void *arg)
{
	char path[64];
	for (int i = 0; i < *(int *)arg; i++) {
		snprintf(path, sizeof(path), "/many/file number %d", i);
		assert_int_equal(aftp_memfs_put(d->fs, path, "x", 1), 0);
	}
}

static void test_ten_thousand(void **state)
{
	static const char *const commands[] = { "MLSD /many", "LIST /many", "NLST /many" };
	struct fixture *f = begin(NULL);
	int count = 10000;
	(void)state;
	testd_call(&f->d, many_job, &count);
	for (int i = 0; i < 3; i++) {
		size_t n;
		int lines = 0;
		char *got = talk_retrieve(&f->t, commands[i], &n);
		for (const char *p = got; (p = strstr(p, "file number ")); p++)
			assert_int_equal(atoi(p + 12), lines++);
		assert_int_equal(lines, count);
		free(got);
	}
	/* On the control connection too, though that is much more than its buffer. */
	talk_send(&f->t, "STAT /many\r\nNOOP\r\n", 18);
	for (int lines = 0; lines < count;) {
		char block[65536];
		ssize_t n = recv(f->t.fd, block, sizeof(block), 0);
		assert_true(n > 0);
		for (ssize_t i = 0; i + 5 < n; i++)
			lines += memcmp(block + i, "number", 6) == 0;
		if (memmem(block, (size_t)n, "200 NOOP", 8))
			break;
	}
	end(f);
}

/* --- files ------------------------------------------------------------------------------------------ */

static void test_restart(void **state)
{
	static const struct { const char *rest, *command, *want; } cases[] = {
		{ "REST 0", "RETR file", "content" }, { "REST 3", "RETR file", "tent" }, { "REST 7", "RETR file", "" }, { "REST 100", "RETR file", "" },
		{ "NOOP", "RETR file", "content" },
	};
	struct fixture *f = begin(NULL);
	size_t n;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = talk_epsv(&f->t);
		talk_say(&f->t, "%s", cases[i].rest);
		talk_expect(&f->t, 150, "%s", cases[i].command);
		assert_non_null(strstr(f->t.reply, "(7 bytes)"));
		char *got = talk_drain(fd, &n, NULL);
		assert_string_equal(got, cases[i].want);
		free(got);
		assert_int_equal(talk_reply(&f->t), 226);
	}
	/* Once only, and any other command forgets it. */
	talk_expect(&f->t, 350, "REST 3");
	talk_expect(&f->t, 200, "NOOP");
	assert_file(f, "file", "content", 7);
	talk_expect(&f->t, 350, "REST 3");
	assert_file(f, "file", "tent", 4);               /* EPSV in between does not */
	assert_file(f, "file", "content", 7);
	end(f);
}

static void test_store(void **state)
{
	static const struct { const char *rest, *command, *data, *want; size_t len; } cases[] = {
		{ NULL, "STOR f", "new", "new", 3 }, { NULL, "STOR f", "", "", 0 }, { NULL, "APPE f", "+end", "0123456789+end", 14 },
		{ "REST 3", "STOR f", "xyz", "012xyz6789", 10 }, { "REST 9", "STOR f", "xyz", "012345678xyz", 12 },
		{ "REST 12", "STOR f", "x", "0123456789\0\0x", 13 }, { "REST 3", "APPE f", "x", "012x456789", 10 },
		{ "REST 10", "APPE f", "x", "0123456789x", 11 },
	};
	struct fixture *f = begin(NULL);
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		testd_put(&f->d, "/f", "0123456789", 10);
		if (cases[i].rest)
			talk_expect(&f->t, 350, "%s", cases[i].rest);
		talk_store(&f->t, cases[i].command, cases[i].data, strlen(cases[i].data));
		assert_file(f, "f", cases[i].want, cases[i].len);
	}
	talk_store(&f->t, "APPE fresh", "abc", 3);
	assert_file(f, "fresh", "abc", 3);
	end(f);
}

static void test_store_big(void **state)
{
	enum { N = 5 * 1000 * 1000 + 7 };
	struct fixture *f = begin(NULL);
	char *data = malloc(N);
	(void)state;
	aftp_memfs_pattern(77, 0, data, N);
	talk_store(&f->t, "STOR f", data, N);
	assert_file(f, "f", data, N);
	talk_expect(&f->t, 350, "REST 1048570");
	talk_store(&f->t, "STOR f", data, 2000000);
	char *want = malloc(N);
	memcpy(want, data, N);
	memcpy(want + 1048570, data, 2000000);
	assert_file(f, "f", want, N);
	assert_int_equal(testd_counters(&f->d).bytes_received, N + 2000000);
	free(data);
	free(want);
	end(f);
}

static void test_stou(void **state)
{
	struct fixture *f = begin(NULL);
	char name[2][64];
	(void)state;
	for (int i = 0; i < 2; i++) {
		int fd = talk_epsv(&f->t);
		talk_expect(&f->t, 150, "STOU");
		assert_int_equal(sscanf(f->t.reply, "150 FILE: %63s", name[i]), 1);
		assert_int_equal(send(fd, "xyz", (size_t)i + 1, 0), i + 1);
		close(fd);
		assert_int_equal(talk_reply(&f->t), 226);
	}
	assert_string_not_equal(name[0], name[1]);
	assert_file(f, name[0], "x", 1);
	assert_file(f, name[1], "xy", 2);
	end(f);
}

static void assert_pattern(const char *data, uint64_t off, size_t n)
{
	char *want = malloc(n + 1);
	aftp_memfs_pattern(1, off, want, n);
	assert_memory_equal(data, want, n);
	free(want);
}

struct reader { struct testd *d; uint64_t offset; size_t got; bool same; };

/* cmocka's assertions are the main thread's: this one only notes. */
static void *read_big(void *arg)
{
	struct reader *r = arg;
	struct talk *t = malloc(sizeof(*t));
	bool reset;
	talk_login(t, r->d, "anonymous", "x");
	int fd = talk_epsv(t);
	talk_say(t, "REST %llu", (unsigned long long)r->offset);
	talk_say(t, "RETR big");
	char *data = talk_drain(fd, &r->got, &reset), *want = malloc(r->got + 1);
	aftp_memfs_pattern(1, r->offset, want, r->got);
	r->same = !reset && talk_reply(t) == 226 && memcmp(data, want, r->got) == 0;
	free(data);
	free(want);
	talk_close(t);
	free(t);
	return NULL;
}

static void test_readers_at_once(void **state)
{
	enum { N = 4, SIZE = 64 << 20 };
	struct fixture *f = begin(NULL);
	struct reader readers[N];
	pthread_t threads[N];
	(void)state;
	for (int i = 0; i < N; i++) {
		readers[i] = (struct reader){ .d = &f->d, .offset = (uint64_t)i * 1234567 };
		assert_int_equal(pthread_create(&threads[i], NULL, read_big, &readers[i]), 0);
	}
	for (int i = 0; i < N; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(readers[i].got, SIZE - readers[i].offset);
		assert_true(readers[i].same);
	}
	end(f);
}

/* A file that is replaced while it is read: the reader gets the version that it asked for. */
static void test_one_version(void **state)
{
	enum { N = 32 << 20 };
	struct fixture *f = begin(NULL);
	struct talk *other = malloc(sizeof(*other));
	char *old = malloc(N), *got;
	size_t n;
	bool reset;
	(void)state;
	aftp_memfs_pattern(5, 0, old, N);
	testd_put(&f->d, "/f", old, N);
	talk_login(other, &f->d, "anonymous", "x");
	int fd = talk_epsv(&f->t);
	talk_expect(&f->t, 150, "RETR f");
	talk_store(other, "STOR f", "replaced", 8);
	got = talk_drain(fd, &n, &reset);
	assert_int_equal(talk_reply(&f->t), 226);
	assert_int_equal(n, N);
	assert_memory_equal(got, old, N);
	assert_file(f, "f", "replaced", 8);
	free(old);
	free(got);
	talk_close(other);
	free(other);
	end(f);
}

/* --- the data connection ---------------------------------------------------------------------------- */

static uint16_t epsv_port(struct talk *t)
{
	talk_expect(t, 229, "EPSV");
	return (uint16_t)strtoul(strstr(t->reply, "(|||") + 4, NULL, 10);
}

static void test_connection_after_command(void **state)
{
	struct fixture *f = begin(NULL);
	size_t n;
	(void)state;
	uint16_t port = epsv_port(&f->t);
	talk_send(&f->t, "RETR file\r\n", 11);
	talk_send(&f->t, "NOOP\r\n", 6);                 /* has to wait */
	int fd = talk_connect(port, false);
	assert_true(fd >= 0);
	assert_int_equal(talk_reply(&f->t), 150);
	char *got = talk_drain(fd, &n, NULL);
	assert_string_equal(got, "content");
	free(got);
	assert_int_equal(talk_reply(&f->t), 226);
	assert_int_equal(talk_reply(&f->t), 200);
	end(f);
}

static void test_data_before_command(void **state)
{
	struct fixture *f = begin(NULL);
	(void)state;
	int fd = talk_epsv(&f->t);
	assert_int_equal(send(fd, "early", 5, 0), 5);
	close(fd);
	talk_expect(&f->t, 150, "STOR f");
	assert_int_equal(talk_reply(&f->t), 226);
	assert_file(f, "f", "early", 5);
	end(f);
}

static void test_no_connection(void **state)
{
	const struct aftp_server_options brief = { .data_timeout_ms = 100 };
	struct fixture *f = begin(&brief);
	(void)state;
	uint16_t port = epsv_port(&f->t);
	talk_expect(&f->t, 425, "RETR file");
	assert_int_equal(talk_connect(port, false), -ECONNREFUSED);
	talk_expect(&f->t, 425, "LIST");
	assert_file(f, "file", "content", 7);
	end(f);
}

static void test_new_port_closes_the_old(void **state)
{
	struct fixture *f = begin(NULL);
	size_t n;
	bool reset;
	(void)state;
	uint16_t first = epsv_port(&f->t);
	int fd = talk_epsv(&f->t);
	assert_int_equal(talk_connect(first, false), -ECONNREFUSED);
	int again = talk_epsv(&f->t);
	free(talk_drain(fd, &n, &reset));
	assert_true(reset);
	assert_int_equal(n, 0);
	talk_expect(&f->t, 227, "PASV");
	unsigned p[2];
	assert_int_equal(sscanf(strchr(f->t.reply, '('), "(127,0,0,1,%u,%u)", &p[0], &p[1]), 2);
	free(talk_drain(again, &n, &reset));
	assert_true(reset);
	fd = talk_connect((uint16_t)(p[0] << 8 | p[1]), false);
	assert_true(fd >= 0);
	talk_expect(&f->t, 150, "RETR file");
	char *got = talk_drain(fd, &n, NULL);
	assert_string_equal(got, "content");
	free(got);
	assert_int_equal(talk_reply(&f->t), 226);
	end(f);
}

static void test_first_connection_wins(void **state)
{
	struct fixture *f = begin(NULL);
	size_t n;
	(void)state;
	uint16_t port = epsv_port(&f->t);
	int fd = talk_connect(port, false);
	assert_true(fd >= 0);
	while (testd_counters(&f->d).data_connections == 0)
		;
	assert_int_equal(talk_connect(port, false), -ECONNREFUSED);
	talk_expect(&f->t, 150, "RETR file");
	char *got = talk_drain(fd, &n, NULL);
	assert_string_equal(got, "content");
	free(got);
	end(f);
}

/* Somebody else who guesses the port gets nothing, and spoils nothing. */
static void test_stranger(void **state)
{
	struct fixture *f = begin(NULL);
	struct sockaddr_in from = { .sin_family = AF_INET }, to = { .sin_family = AF_INET };
	char byte;
	size_t n;
	(void)state;
	uint16_t port = epsv_port(&f->t);
	int stranger = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	inet_pton(AF_INET, "127.0.0.2", &from.sin_addr);
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	to.sin_port = htons(port);
	assert_int_equal(bind(stranger, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(stranger, (struct sockaddr *)&to, sizeof(to)), 0);
	talk_send(&f->t, "RETR file\r\n", 11);
	assert_int_equal(recv(stranger, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	close(stranger);
	int fd = talk_connect(port, false);
	assert_true(fd >= 0);
	assert_int_equal(talk_reply(&f->t), 150);
	char *got = talk_drain(fd, &n, NULL);
	assert_string_equal(got, "content");
	free(got);
	assert_int_equal(talk_reply(&f->t), 226);
	end(f);
}

static void test_armed_channel_keeps(void **state)
{
	static const char *const between[] = { "NOOP", "PWD", "SIZE file", "CWD /dir", "CWD /", "RETR none", "RETR dir", "MLSD file", "MLST file",
	                                       "TYPE I", "REST 0", "FEAT", "STAT", "ABOR" };
	struct fixture *f = begin(NULL);
	size_t n;
	(void)state;
	int fd = talk_epsv(&f->t);
	for (size_t i = 0; i < sizeof(between) / sizeof(between[0]); i++)
		assert_true(talk_say(&f->t, "%s", between[i]) >= 200);
	talk_expect(&f->t, 150, "RETR file");
	char *got = talk_drain(fd, &n, NULL);
	assert_string_equal(got, "content");
	free(got);
	end(f);
}

/* --- stopping ---------------------------------------------------------------------------------------- */

static int read_some(struct talk *t, const char *command)
{
	char data[100000];
	size_t n = 0;
	int fd = talk_epsv(t);
	talk_expect(t, 150, "%s", command);
	while (n < sizeof(data)) {
		ssize_t got = recv(fd, data + n, sizeof(data) - n, 0);
		assert_true(got > 0);
		n += (size_t)got;
	}
	assert_pattern(data, 0, n);
	return fd;
}

static void test_early_close(void **state)
{
	struct fixture *f = begin(NULL);
	(void)state;
	for (int i = 0; i < 20; i++) {
		close(read_some(&f->t, "RETR big"));
		assert_int_equal(talk_reply(&f->t), 426);
		talk_expect(&f->t, 257, "PWD");
	}
	assert_file(f, "file", "content", 7);
	end(f);
}

static void test_abort_of_a_download(void **state)
{
	struct fixture *f = begin(NULL);
	size_t n;
	bool reset;
	(void)state;
	int fd = read_some(&f->t, "RETR big");
	talk_expect(&f->t, 211, "STAT");
	assert_non_null(strstr(f->t.reply, "Transferring: "));
	talk_expect(&f->t, 426, "ABOR");
	assert_int_equal(talk_reply(&f->t), 226);
	free(talk_drain(fd, &n, &reset));
	assert_true(reset);
	talk_expect(&f->t, 225, "ABOR");
	assert_file(f, "file", "content", 7);
	end(f);
}

static void test_abort_of_an_upload(void **state)
{
	struct fixture *f = begin(NULL);
	char byte;
	(void)state;
	int fd = talk_epsv(&f->t);
	talk_expect(&f->t, 150, "STOR f");
	assert_int_equal(send(fd, "abc", 3, 0), 3);
	while (testd_counters(&f->d).bytes_received < 3)
		;
	talk_expect(&f->t, 426, "ABOR");
	assert_int_equal(talk_reply(&f->t), 226);
	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	close(fd);
	assert_file(f, "f", "abc", 3);
	end(f);
}

static void test_abort_while_waiting(void **state)
{
	struct fixture *f = begin(NULL);
	(void)state;
	uint16_t port = epsv_port(&f->t);
	talk_send(&f->t, "RETR file\r\nABOR\r\n", 17);
	assert_int_equal(talk_reply(&f->t), 426);
	assert_int_equal(talk_reply(&f->t), 226);
	assert_int_equal(talk_connect(port, false), -ECONNREFUSED);
	assert_file(f, "file", "content", 7);
	end(f);
}

/* Commands behind a transfer wait for it; an ABOR behind them waits too. */
static void test_order_around_a_transfer(void **state)
{
	static const int codes[] = { 226, 257, 213, 225 };
	struct fixture *f = begin(NULL);
	size_t n;
	(void)state;
	int fd = read_some(&f->t, "RETR big");
	talk_send(&f->t, "PWD\r\nSIZE file\r\nABOR\r\n", 22);
	char *rest = talk_drain(fd, &n, NULL);
	assert_int_equal(n, (64 << 20) - 100000);
	assert_pattern(rest, 100000, n);
	free(rest);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		assert_int_equal(talk_reply(&f->t), codes[i]);
	end(f);
}

static void test_quit_waits_for_a_transfer(void **state)
{
	struct fixture *f = begin(NULL);
	size_t n;
	(void)state;
	int fd = read_some(&f->t, "RETR big");
	talk_send(&f->t, "QUIT\r\n", 6);
	free(talk_drain(fd, &n, NULL));
	assert_int_equal(n, (64 << 20) - 100000);
	assert_int_equal(talk_reply(&f->t), 226);
	assert_int_equal(talk_reply(&f->t), 221);
	assert_int_equal(talk_reply(&f->t), 0);
	end(f);
}

static void test_idle_limit_spares_transfers(void **state)
{
	const struct aftp_server_options brief = { .idle_timeout_ms = 150, .faults.rate = 400000 };
	struct fixture *f = begin(&brief);
	size_t n;
	bool reset;
	(void)state;
	testd_pattern(&f->d, "/slow", 200000, 2);
	int fd = talk_epsv(&f->t);
	uint64_t start = uv_hrtime();
	talk_expect(&f->t, 150, "RETR slow");
	free(talk_drain(fd, &n, &reset));
	assert_int_equal(n, 200000);
	assert_false(reset);
	assert_true(uv_hrtime() - start > 300000000);            /* longer than the limit, or nothing was shown */
	assert_int_equal(talk_reply(&f->t), 226);
	assert_int_equal(talk_reply(&f->t), 421);
	assert_int_equal(talk_reply(&f->t), 0);
	end(f);
}

static void test_stalled_upload_ends(void **state)
{
	const struct aftp_server_options brief = { .stall_timeout_ms = 100 };
	struct fixture *f = begin(&brief);
	(void)state;
	int fd = talk_epsv(&f->t);
	talk_expect(&f->t, 150, "STOR f");
	assert_int_equal(talk_reply(&f->t), 426);
	close(fd);
	talk_expect(&f->t, 200, "NOOP");
	end(f);
}

static void test_stalled_download_ends(void **state)
{
	const struct aftp_server_options brief = { .stall_timeout_ms = 100 };
	struct fixture *f = begin(&brief);
	(void)state;
	int fd = talk_epsv(&f->t);
	talk_expect(&f->t, 150, "RETR big");
	assert_int_equal(talk_reply(&f->t), 426);
	close(fd);
	talk_expect(&f->t, 200, "NOOP");
	end(f);
}

/* The client vanishes, or the server stops, in every stage of a transfer. end() fails when something is left over. */
static void test_end_in_every_stage(void **state)
{
	static const char *const commands[] = { "RETR big", "STOR f", "MLSD /many", "LIST -a /", "RETR file", "STAT /many" };
	const struct aftp_server_options brief = { .data_timeout_ms = 200 };
	int count = 1000;
	(void)state;
	for (int round = 0; round < 24; round++) {
		struct fixture *f = begin(&brief);
		const char *command = commands[round % 6];
		testd_call(&f->d, many_job, &count);
		uint16_t port = epsv_port(&f->t);
		int fd = round % 4 < 3 ? talk_connect(port, false) : -1;
		talk_send(&f->t, command, strlen(command));
		talk_send(&f->t, "\r\n", 2);
		if (round % 4 == 1 && command[0] != 'S')
			assert_true(talk_reply(&f->t) > 0);
		if (round % 3 == 0) {
			struct linger now = { .l_onoff = 1 };
			setsockopt(f->t.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
			talk_close(&f->t);
			while (round % 2 && testd_counters(&f->d).sessions_now > 0)
				;
		}
		end(f);
		if (fd >= 0)
			close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listings), cmocka_unit_test(test_dots), cmocka_unit_test(test_ten_thousand), cmocka_unit_test(test_restart),
		cmocka_unit_test(test_store), cmocka_unit_test(test_store_big), cmocka_unit_test(test_stou), cmocka_unit_test(test_readers_at_once),
		cmocka_unit_test(test_one_version), cmocka_unit_test(test_connection_after_command), cmocka_unit_test(test_data_before_command),
		cmocka_unit_test(test_no_connection), cmocka_unit_test(test_new_port_closes_the_old), cmocka_unit_test(test_first_connection_wins),
		cmocka_unit_test(test_stranger), cmocka_unit_test(test_armed_channel_keeps), cmocka_unit_test(test_early_close),
		cmocka_unit_test(test_abort_of_a_download), cmocka_unit_test(test_abort_of_an_upload), cmocka_unit_test(test_abort_while_waiting),
		cmocka_unit_test(test_order_around_a_transfer), cmocka_unit_test(test_quit_waits_for_a_transfer),
		cmocka_unit_test(test_idle_limit_spares_transfers), cmocka_unit_test(test_stalled_upload_ends),
		cmocka_unit_test(test_stalled_download_ends), cmocka_unit_test(test_end_in_every_stage),
	};
	return cmocka_run_group_tests_name("server_transfer", tests, NULL, NULL);
}
