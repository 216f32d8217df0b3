/* What goes beyond the RFCs: SITE, MFF, HASH and its forerunners, RANG, AVBL, HOST. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "transfer_fixture.h"

enum { RW = AFTP_MAY_READ | AFTP_MAY_WRITE };

static const struct aftp_user users[] = {
	{ .name = "joe", .may = RW },
	{ .name = "ro", .may = AFTP_MAY_READ },
};

static void play(const struct talk_step *steps, size_t n, const struct aftp_server_options *more)
{
	struct aftp_server_options o = more ? *more : (struct aftp_server_options){ 0 };
	struct testd d;
	o.users = users;
	o.nusers = 2;
	testd_start(&d, &o, false);
	testd_put(&d, "/file", "123456789", 9);
	testd_put(&d, "/empty", "", 0);
	testd_put(&d, "/dir/two words", "x", 1);
	testd_put(&d, "/a 2", "123456789", 9);
	talk_play(&d, steps, n);
	testd_stop(&d);
}

#define PLAY(steps) play(steps, sizeof(steps) / sizeof(steps[0]), NULL)

static void test_chmod(void **state)
{
	static const struct talk_step steps[] = {
		{ NULL, 220, NULL },
		{ "SITE CHMOD 600 file", 530, NULL },
		{ "USER joe", 230, NULL },
		{ "SITE CHMOD 600 file", 200, NULL },
		{ "MLST file", 250, "UNIX.mode=0600;" },
		{ "site chmod 02755 dir/two words", 200, NULL },
		{ "MLST dir/two words", 250, "UNIX.mode=02755;" },
		{ "SITE CHMOD 0000 file", 200, NULL },
		{ "XCRC file", 550, "Permission denied" },
		{ "SITE CHMOD 10000 file", 501, NULL },
		{ "SITE CHMOD 8 file", 501, NULL },
		{ "SITE CHMOD u+x file", 501, NULL },
		{ "SITE CHMOD 600", 501, NULL },
		{ "SITE CHMOD", 501, "SITE CHMOD <sp> mode" },
		{ "SITE CHMOD 600 none", 550, NULL },
		{ "SITE NONE file", 504, NULL },
		{ "SITE", 501, NULL },
		{ "SITE HELP", 214, "SYMLINK <sp> target <sp> path\r\n" },
		{ "USER ro", 230, NULL },
		{ "SITE CHMOD 600 file", 550, "Permission denied" },
		{ "SITE SYMLINK a b", 550, NULL },
		{ "SITE CPFR file", 350, NULL },
		{ "SITE CPTO copy", 550, NULL },
		{ "SITE HELP", 214, NULL },
	};
	(void)state;
	PLAY(steps);
}

static void test_utime(void **state)
{
	static const struct talk_step steps[] = {
		{ NULL, 220, NULL },
		{ "USER joe", 230, NULL },
		{ "SITE UTIME 20200102030405 file", 200, NULL },
		{ "MDTM file", 213, "213 20200102030405\r\n" },
		{ "SITE UTIME 202101020304 dir/two words", 200, NULL },
		{ "MDTM dir/two words", 213, "213 20210102030400\r\n" },
		{ "SITE UTIME dir/two words 20200101000000 20220102030405 20200101000000 UTC", 200, NULL },
		{ "MDTM dir/two words", 213, "213 20220102030405\r\n" },
		{ "SITE UTIME \"dir/two words\" 20200101000000 20230102030405 20200101000000 UTC", 200, NULL },
		{ "MDTM dir/two words", 213, "213 20230102030405\r\n" },
		{ "SITE UTIME 20240102030405 \"dir/two words\"", 200, NULL },
		{ "MDTM dir/two words", 213, "213 20240102030405\r\n" },
		{ "SITE UTIME 20200102030405 none", 550, NULL },
		{ "SITE UTIME 20201302030405 file", 501, NULL },
		{ "SITE UTIME 2020 file", 501, NULL },
		{ "SITE UTIME file", 501, NULL },
		{ "SITE UTIME file 20200101000000 20221302030405 20200101000000 UTC", 501, NULL },
		{ "SITE UTIME  20200101000000 20220102030405 20200101000000 UTC", 501, NULL },
		{ "SITE UTIME file 20200101000000 20220102030405 20200101000000 GMT", 501, NULL },
	};
	(void)state;
	PLAY(steps);
}

static void test_symlink(void **state)
{
	static const struct talk_step steps[] = {
		{ NULL, 220, NULL },
		{ "USER joe", 230, NULL },
		{ "SITE SYMLINK file link", 200, NULL },
		{ "SIZE link", 213, "213 9\r\n" },
		{ "MLST link", 250, "type=OS.unix=slink:file;" },
		{ "SITE SYMLINK \"two words\" dir/my link", 200, NULL },
		{ "SIZE dir/my link", 213, "213 1\r\n" },
		{ "SITE SYMLINK \"two words\" \"dir/other link\"", 200, NULL },
		{ "SIZE dir/other link", 213, "213 1\r\n" },
		{ "SITE SYMLINK /nowhere/at/all broken", 200, NULL },
		{ "SIZE broken", 550, NULL },
		{ "SITE SYMLINK x file", 550, "exists" },
		{ "SITE SYMLINK x /", 550, "exists" },
		{ "SITE SYMLINK x none/link", 550, NULL },
		{ "SITE SYMLINK x", 501, NULL },
		{ "SITE SYMLINK \"x", 501, NULL },
	};
	(void)state;
	PLAY(steps);
}

static void test_copy(void **state)
{
	static const struct talk_step steps[] = {
		{ NULL, 220, NULL },
		{ "USER joe", 230, NULL },
		{ "SITE CPTO copy", 503, NULL },
		{ "SITE CPFR file", 350, NULL },
		{ "SITE CPTO dir/a copy", 250, NULL },
		{ "XCRC dir/a copy", 250, "250 cbf43926\r\n" },
		{ "SITE CPTO again", 503, NULL },
		{ "SITE CPFR file", 350, NULL },
		{ "NOOP", 200, NULL },
		{ "SITE CPTO again", 503, NULL },
		{ "SITE CPFR file", 350, NULL },
		{ "SITE CHMOD 600 file", 200, NULL },
		{ "SITE CPTO again", 503, NULL },
		{ "SITE CPFR dir", 550, "directory" },
		{ "SITE CPFR none", 550, NULL },
		{ "SITE CPFR file", 350, NULL },
		{ "SITE CPTO dir", 550, "directory" },
		{ "SITE CPFR file", 350, NULL },
		{ "SITE CPTO file", 550, NULL },
		{ "SITE CPFR empty", 350, NULL },
		{ "SITE CPTO file", 250, NULL },
		{ "SIZE file", 213, "213 0\r\n" },
	};
	(void)state;
	PLAY(steps);
}

static void test_mff(void **state)
{
	static const struct talk_step steps[] = {
		{ NULL, 220, NULL },
		{ "USER joe", 230, NULL },
		{ "MFF modify=20200102030405; file", 213, "213 Modify=20200102030405;UNIX.mode=0644; /file\r\n" },
		{ "MFF UNIX.mode=0600; file", 213, "UNIX.mode=0600; /file\r\n" },
		{ "MFF Modify=20210102030405.5;unix.mode=755; dir/two words", 213,
			"213 Modify=20210102030405.5;UNIX.mode=0755; /dir/two words\r\n" },
		{ "MLST dir/two words", 250, "modify=20210102030405;" },
		{ "MFF modify=20200102030405; none", 550, NULL },
		{ "MFF UNIX.mode=600; none", 550, NULL },
		{ "MFF create=20200102030405; file", 504, NULL },
		/* all or nothing */
		{ "MFF UNIX.mode=777;create=20200102030405; file", 504, NULL },
		{ "MLST file", 250, "UNIX.mode=0600;" },
		{ "MFF modify=2020; file", 504, NULL },
		{ "MFF UNIX.mode=99; file", 504, NULL },
		{ "MFF modify=20200102030405 file", 504, NULL },
		{ "MFF modify=20200102030405;", 504, NULL },
		{ "MFF ", 501, NULL },
		{ "MFF  file", 504, NULL },
		{ "MFCT 20200102030405 file", 500, NULL },
		{ "USER ro", 230, NULL },
		{ "MFF UNIX.mode=777; file", 550, NULL },
	};
	(void)state;
	PLAY(steps);
}

static void test_hash(void **state)
{
	static const struct talk_step steps[] = {
		{ NULL, 220, NULL },
		{ "USER ro", 230, NULL },
		{ "HASH file", 213,
			"213 SHA-256 0-8 15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225 /file\r\n" },
		{ "OPTS HASH", 200, "200 SHA-256\r\n" },
		{ "OPTS HASH crc32", 200, "200 CRC32\r\n" },
		{ "FEAT", 211, " HASH SHA-256;SHA-512;SHA-1;MD5;CRC32*\r\n" },
		{ "HASH file", 213, "213 CRC32 0-8 cbf43926 /file\r\n" },
		{ "OPTS HASH MD5", 200, NULL },
		{ "HASH empty", 213, "213 MD5 0-0 d41d8cd98f00b204e9800998ecf8427e /empty\r\n" },
		{ "OPTS HASH SHA-3", 504, NULL },
		{ "OPTS HASH", 200, "200 MD5\r\n" },
		{ "RANG 2 4", 350, NULL },
		{ "HASH file", 213, "213 MD5 2-4 d81f9c1be2e08964bf9f24b15f0e4900 /file\r\n" },
		{ "REST 8", 350, NULL },
		{ "HASH file", 213, "213 MD5 8-8 45c48cce2e2d7fbdea1afc51c7c6ad26 /file\r\n" },
		{ "HASH file", 213, "213 MD5 0-8 " },
		{ "HASH dir", 550, NULL },
		{ "HASH none", 550, NULL },
		{ "REIN", 220, NULL },
		{ "USER ro", 230, NULL },
		{ "OPTS HASH", 200, "200 SHA-256\r\n" },
		{ "XCRC file", 250, "250 cbf43926\r\n" },
		{ "XCRC \"file\"", 250, "250 cbf43926\r\n" },
		{ "XCRC \"file\" 0 9", 250, "250 cbf43926\r\n" },
		{ "XMD5 \"file\" 2 5", 250, "250 d81f9c1be2e08964bf9f24b15f0e4900\r\n" },
		{ "XMD5 \"file\" 8", 250, "250 45c48cce2e2d7fbdea1afc51c7c6ad26\r\n" },
		{ "XMD5 \"file\" 0 1000", 250, "250 25f9e794323b453885f5181f1b624d0b\r\n" },
		{ "XMD5 \"file\" 5 2", 250, "250 d41d8cd98f00b204e9800998ecf8427e\r\n" },
		{ "XCRC a 2", 250, "250 cbf43926\r\n" },
		{ "XSHA file", 250, "250 f7c3bc1d808e04732adf679965ccc34ca7ae3441\r\n" },
		{ "XSHA1 file", 250, "250 f7c3bc1d808e04732adf679965ccc34ca7ae3441\r\n" },
		{ "XSHA256 file", 250, "250 15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225\r\n" },
		{ "XSHA512 file", 250, "250 d9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274a" },
		{ "XCRC \"file\" x", 501, NULL },
		{ "XCRC \"file\" 1 2 3", 501, NULL },
		{ "XCRC \"file", 501, NULL },
		{ "XCRC none", 550, NULL },
		{ "XCRC dir", 550, NULL },
	};
	(void)state;
	PLAY(steps);
}

static void test_hash_of_much(void **state)
{
	struct fixture *f = begin(NULL);
	struct talk other;
	(void)state;
	talk_login(&other, &f->d, "anonymous", "x");
	/* a session that goes in the middle of it leaves nothing behind */
	talk_send(&other, "HASH big\r\nHASH big\r\n", 20);
	talk_close(&other);
	talk_expect(&f->t, 250, "XCRC big");
	char first[64];
	snprintf(first, sizeof(first), "%.60s", f->t.reply);
	talk_expect(&f->t, 250, "XCRC \"big\" 0 %d", 64 << 20);
	assert_string_equal(f->t.reply, first);
	talk_send(&f->t, "HASH big\r\n", 10);
	end(f);
}

static void test_range(void **state)
{
	static const struct {
		const char *range, *want;
	} cases[] = {
		{ "RANG 0 0", "c" },
		{ "RANG 1 3", "ont" },
		{ "RANG 0 6", "content" },
		{ "RANG 5 100", "nt" },
		{ "RANG 7 100", "" },
		{ "RANG 1 0", "content" },
		{ "REST 2", "ntent" },
	};
	struct fixture *f = begin(NULL);
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n;
		int fd = talk_epsv(&f->t);
		talk_expect(&f->t, 350, "%s", cases[i].range);
		talk_expect(&f->t, 150, "RETR file");
		char *got = talk_drain(fd, &n, NULL);
		assert_string_equal(got, cases[i].want);
		free(got);
		assert_int_equal(talk_reply(&f->t), 226);
		assert_file(f, "file", "content", 7); /* once only */
	}
	talk_expect(&f->t, 501, "RANG");
	talk_expect(&f->t, 501, "RANG 1");
	talk_expect(&f->t, 501, "RANG 5 4");
	talk_expect(&f->t, 501, "RANG a b");
	talk_expect(&f->t, 501, "RANG 1 2 3");
	talk_expect(&f->t, 501, "RANG -1 2");
	int fd = talk_epsv(&f->t);
	talk_expect(&f->t, 350, "RANG 1 2");
	talk_expect(&f->t, 503, "STOR file");
	talk_expect(&f->t, 350, "RANG 1 2");
	talk_expect(&f->t, 200, "NOOP");
	talk_expect(&f->t, 350, "RANG 3 4");
	talk_expect(&f->t, 350, "REST 1");
	talk_expect(&f->t, 150, "RETR file");
	size_t n;
	char *got = talk_drain(fd, &n, NULL);
	assert_string_equal(got, "ontent");
	free(got);
	assert_int_equal(talk_reply(&f->t), 226);
	end(f);
}

static void job_limits(struct testd *d, void *arg)
{
	(void)arg;
	aftp_memfs_set_limits(d->fs, (64 << 20) + 1000, 0);
}

static void test_room(void **state)
{
	struct fixture *f = begin(NULL);
	char data[2000];
	(void)state;
	memset(data, 'x', sizeof(data));
	talk_expect(&f->t, 213, "AVBL");
	assert_true(strtoull(f->t.reply + 4, NULL, 10) > 0);
	testd_call(&f->d, job_limits, NULL);
	talk_expect(&f->t, 213, "AVBL /dir");
	assert_string_equal(f->t.reply, "213 987\r\n"); /* less what the fixture's small files have */
	talk_expect(&f->t, 550, "AVBL none");
	int fd = talk_epsv(&f->t);
	talk_expect(&f->t, 150, "STOR up");
	assert_int_equal(write(fd, data, sizeof(data)), sizeof(data));
	close(fd);
	assert_int_equal(talk_reply(&f->t), 552);
	assert_non_null(strstr(f->t.reply, "quota"));
	talk_expect(&f->t, 213, "SIZE up");
	assert_string_equal(f->t.reply, "213 987\r\n");
	talk_expect(&f->t, 350, "SITE CPFR up");
	talk_expect(&f->t, 552, "SITE CPTO copy");
	talk_expect(&f->t, 250, "DELE up");
	talk_store(&f->t, "STOR up", data, 987);
	end(f);
}

static void test_host(void **state)
{
	static const struct talk_step steps[] = {
		{ NULL, 220, NULL },
		{ "HOST", 501, NULL },
		{ "HOST ftp.example.org", 220, NULL },
		{ "HOST [2001:db8::1]", 220, NULL },
		{ "USER joe", 230, NULL },
		{ "HOST ftp.example.org", 503, NULL },
		{ "REIN", 220, NULL },
		{ "HOST ftp.example.org", 220, NULL },
	};
	(void)state;
	PLAY(steps);
}

static void test_switched_off(void **state)
{
	static const char *const no_words[] = { "SITE CPTO", "site utime", "HASH", NULL };
	static const char *const no_site[] = { "SITE", NULL };
	static const char *const unknown[] = { "SITE NONE", NULL };
	static const struct talk_step some[] = {
		{ NULL, 220, NULL },
		{ "USER joe", 230, NULL },
		{ "FEAT", 211, " REST STREAM\r\n SITE SYMLINK\r\n SIZE" },
		{ "SITE CPFR file", 350, NULL },
		{ "SITE CPTO copy", 504, NULL },
		{ "SITE UTIME 202001020304 file", 504, NULL },
		{ "SITE HELP", 214, " HELP\r\n SYMLINK <sp> target <sp> path\r\n214 " },
		{ "HASH file", 502, NULL },
		{ "OPTS HASH", 501, NULL },
	};
	static const struct talk_step none[] = {
		{ NULL, 220, NULL },
		{ "USER joe", 230, NULL },
		{ "FEAT", 211, " REST STREAM\r\n SIZE" },
		{ "SITE CHMOD 600 file", 502, NULL },
	};
	struct aftp_server_options o = { .faults = { .no = no_words } };
	(void)state;
	play(some, sizeof(some) / sizeof(some[0]), &o);
	o.faults.no = no_site;
	play(none, sizeof(none) / sizeof(none[0]), &o);
	struct fixture *f = begin(NULL);
	struct aftp_server *server = NULL;
	o.vfs = aftp_memfs_vfs(f->d.fs);
	o.faults.no = unknown;
	assert_true(aftp_server_new(&server, &f->d.loop, &o) < 0);
	end(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chmod),
		cmocka_unit_test(test_utime),
		cmocka_unit_test(test_symlink),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_mff),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_hash_of_much),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_switched_off),
	};
	return cmocka_run_group_tests_name("site", tests, NULL, NULL);
}
