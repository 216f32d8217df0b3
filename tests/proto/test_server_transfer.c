/* What moves on the data connection: listings, downloads, uploads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "proto/transfer_fixture.h"

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
	static const struct {
		const char *command, *want;
	} cases[] = {
		{ "NLST dir", "one\r\ntwo words\r\n -a\r\n" },
		{ "NLST -la dir", "one\r\ntwo words\r\n -a\r\n" },
		{ "NLST file", "file\r\n" },
		{ "NLST dirlink", "one\r\ntwo words\r\n -a\r\n" },
		{ "NLST empty", "" },
		{ "LIST empty", "" },
		{ "LIST -l empty", "" },
		{ "NLST dir/two words", "two words\r\n" },
		{ "NLST dir/ -a", " -a\r\n" },
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
	static const struct {
		const char *command;
		const char *has[4], *lacks;
	} cases[] = {
		{ "LIST", { " dir\r\n", " dangling -> none\r\n" }, " .\r\n" },
		{ "LIST -a", { " .\r\n", " ..\r\n", " dir\r\n" }, "cdir" },
		{ "LIST -al /dir", { " .\r\n", " ..\r\n", " two words\r\n", "  -a\r\n" }, "file" },
		{ "MLSD", { "type=cdir;", "type=pdir;", "type=OS.unix=slink:dir;", "type=OS.unix=slink:none;" },
			"two words" },
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

static void test_ten_thousand(void **state)
{
	static const char *const commands[] = { "MLSD /many", "LIST /many", "NLST /many" };
	struct fixture *f = begin(NULL);
	int count = 10000;
	(void)state;
	testd_call(&f->d, make_many, &count);
	for (int i = 0; i < 3; i++) {
		size_t n;
		int lines = 0;
		char *got = talk_retrieve(&f->t, commands[i], &n);
		for (const char *p = got; (p = strstr(p, "file number ")); p++)
			assert_int_equal(strtol(p + 12, NULL, 10), lines++);
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
	static const struct {
		const char *rest, *command, *want;
	} cases[] = {
		{ "REST 0", "RETR file", "content" },
		{ "REST 3", "RETR file", "tent" },
		{ "REST 7", "RETR file", "" },
		{ "REST 100", "RETR file", "" },
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
	assert_file(f, "file", "tent", 4); /* EPSV in between does not */
	assert_file(f, "file", "content", 7);
	end(f);
}

static void test_store(void **state)
{
	static const struct {
		const char *rest, *command, *data, *want;
		size_t len;
	} cases[] = {
		{ NULL, "STOR f", "new", "new", 3 },
		{ NULL, "STOR f", "", "", 0 },
		{ NULL, "APPE f", "+end", "0123456789+end", 14 },
		{ "REST 3", "STOR f", "xyz", "012xyz6789", 10 },
		{ "REST 9", "STOR f", "xyz", "012345678xyz", 12 },
		{ "REST 12", "STOR f", "x", "0123456789\0\0x", 13 },
		{ "REST 3", "APPE f", "x", "012x456789", 10 },
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

struct reader {
	struct testd *d;
	uint64_t offset;
	size_t got;
	bool same;
};

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listings),
		cmocka_unit_test(test_dots),
		cmocka_unit_test(test_ten_thousand),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_store),
		cmocka_unit_test(test_store_big),
		cmocka_unit_test(test_stou),
		cmocka_unit_test(test_readers_at_once),
		cmocka_unit_test(test_one_version),
	};
	return cmocka_run_group_tests_name("server_transfer", tests, NULL, NULL);
}
