/* What is said on the control connection, as tables: a line, and the code that answers it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/testd.h"

static const struct aftp_user users[] = {
	{ .name = "joe", .password = "secret", .may = AFTP_MAY_READ | AFTP_MAY_WRITE },
	{ .name = "ro", .password = "ro", .may = AFTP_MAY_READ },
	{ .name = "none", .password = "none", .may = 0 },
	{ .name = "open", .may = AFTP_MAY_READ },
	{ .name = "acct", .password = "p", .account = "a", .may = AFTP_MAY_READ },
	{ .name = NULL, .may = AFTP_MAY_READ },
};
static const struct aftp_server_options options = { .users = users, .nusers = 6, .welcome = "line one\nline two" };

static void make_files(struct testd *d)
{
	testd_put(d, "/file", "content", 7);
	testd_put(d, "/dir/a \"quoted\" name", "x", 1);
	testd_put(d, "/dir/sub/deep", "xy", 2);
}

#define PLAY(steps)                                                     \
	do {                                                            \
		struct testd d;                                         \
		testd_start(&d, &options, false);                       \
		make_files(&d);                                         \
		talk_play(&d, steps, sizeof(steps) / sizeof(steps[0])); \
		testd_stop(&d);                                         \
	} while (0)

#define AS_JOE                                          \
	{ NULL, 220, NULL }, { "USER joe", 331, NULL }, \
	{                                               \
		"PASS secret", 230, NULL                \
	}

static void test_login(void **state)
{
	static const struct talk_step steps[] = {
		{ NULL, 220, "220-line one\r\n220 line two\r\n" },
		{ "PWD", 530, NULL },
		{ "RETR file", 530, NULL },
		{ "STAT /", 530, NULL },
		{ "PASS x", 503, NULL },
		{ "ACCT x", 503, NULL },
		{ "USER", 501, NULL },
		{ "USER joe", 331, NULL },
		{ "PWD", 530, NULL },
		{ "PASS wrong", 530, NULL },
		{ "PASS secret", 503, NULL },
		{ "user joe", 331, NULL },
		{ "pass secret", 230, NULL },
		{ "PWD", 257, "\"/\"" },
		{ "PASS again", 230, NULL },
		{ "USER nobody", 331, NULL },
		{ "PWD", 530, NULL },
		{ "PASS secret", 530, NULL },
		{ "USER open", 230, NULL },
		{ "PWD", 257, NULL },
		{ "REIN", 220, NULL },
		{ "PWD", 530, NULL },
		{ "USER acct", 331, NULL },
		{ "PASS p", 332, NULL },
		{ "PWD", 530, NULL },
		{ "ACCT b", 530, NULL },
		{ "ACCT a", 503, NULL },
		{ "USER acct", 331, NULL },
		{ "PASS p", 332, NULL },
		{ "ACCT a", 230, NULL },
		{ "ACCT a", 202, NULL },
		{ "PWD", 257, NULL },
		{ "USER anonymous", 331, NULL },
		{ "PASS me@here", 230, NULL },
		{ "MKD x", 550, "Permission denied" },
		{ "USER ftp", 331, NULL },
		{ "PASS", 230, NULL },
		{ "QUIT", 221, NULL },
		{ "", 0, NULL },
		{ NULL, 220, NULL },
		{ "QUIT", 221, NULL },
		{ "", 0, NULL },
	};
	(void)state;
	PLAY(steps);
}

static void test_permissions(void **state)
{
	static const struct talk_step steps[] = {
		{ NULL, 220, NULL },
		{ "USER ro", 331, NULL },
		{ "PASS ro", 230, NULL },
		{ "SIZE file", 213, "213 7\r\n" },
		{ "MKD x", 550, "Permission denied" },
		{ "RMD dir", 550, "Permission denied" },
		{ "DELE file", 550, "Permission denied" },
		{ "RNFR file", 550, "Permission denied" },
		{ "RNTO x", 550, "Permission denied" },
		{ "MFMT 20200101000000 file", 550, "Permission denied" },
		{ "STOR x", 550, "Permission denied" },
		{ "APPE x", 550, "Permission denied" },
		{ "STOU", 550, "Permission denied" },
		{ "MLST file", 250, "perm=r;" },
		{ "MLST dir", 250, "perm=le;" },
		{ NULL, 220, NULL },
		{ "USER none", 331, NULL },
		{ "PASS none", 230, NULL },
		{ "PWD", 257, NULL },
		{ "SIZE file", 550, "Permission denied" },
		{ "LIST", 550, "Permission denied" },
		{ "MLSD", 550, "Permission denied" },
		{ "STAT /", 550, "Permission denied" },
		{ "RETR file", 550, "Permission denied" },
		{ "MLST", 550, "Permission denied" },
	};
	(void)state;
	PLAY(steps);
}

static void test_directories(void **state)
{
	static const struct talk_step steps[] = {
		AS_JOE,
		{ "CWD dir", 250, NULL },
		{ "PWD", 257, "\"/dir\"" },
		{ "CWD sub/", 250, NULL },
		{ "PWD", 257, "\"/dir/sub\"" },
		{ "CDUP", 250, NULL },
		{ "XPWD", 257, "\"/dir\"" },
		{ "CWD ..", 250, NULL },
		{ "CWD ..", 250, NULL },
		{ "PWD", 257, "\"/\"" },
		{ "CWD ../../dir/./sub/../sub", 250, NULL },
		{ "PWD", 257, "\"/dir/sub\"" },
		{ "XCWD /", 250, NULL },
		{ "CWD none", 550, "No such file or directory" },
		{ "CWD file", 550, "Not a directory" },
		{ "PWD", 257, "\"/\"" },
		{ "CWD", 501, NULL },
		{ "MKD new", 257, "\"/new\"" },
		{ "MKD new", 550, "File exists" },
		{ "MKD none/x", 550, "No such file" },
		{ "MKD file/x", 550, "Not a dir" },
		{ "MKD a \"b\"", 257, "\"/a \"\"b\"\"\"" },
		{ "CWD a \"b\"", 250, NULL },
		{ "PWD", 257, "\"/a \"\"b\"\"\"" },
		{ "XCUP", 250, NULL },
		{ "XMKD new/x", 257, NULL },
		{ "RMD new", 550, "not empty" },
		{ "XRMD new/x", 250, NULL },
		{ "RMD new", 250, NULL },
		{ "RMD new", 550, "No such file" },
		{ "RMD file", 550, "Not a directory" },
		{ "RMD /", 550, NULL },
		{ "DELE dir", 550, "Is a directory" },
		{ "DELE none", 550, "No such file" },
		{ "DELE file", 250, NULL },
		{ "SIZE file", 550, "No such file" },
	};
	(void)state;
	PLAY(steps);
}

static void test_rename(void **state)
{
	static const struct talk_step steps[] = {
		AS_JOE,
		{ "RNTO x", 503, NULL },
		{ "RNFR none", 550, "No such file" },
		{ "RNTO x", 503, NULL },
		{ "RNFR file", 350, NULL },
		{ "NOOP", 200, NULL },
		{ "RNTO x", 503, NULL },
		{ "RNFR file", 350, NULL },
		{ "RNTO dir/moved", 250, NULL },
		{ "SIZE dir/moved", 213, "7" },
		{ "RNTO again", 503, NULL },
		{ "RNFR dir", 350, NULL },
		{ "RNTO dir/sub/inside", 550, NULL },
		{ "RNFR dir/moved", 350, NULL },
		{ "RNTO dir/sub/deep", 250, NULL },
		{ "SIZE dir/sub/deep", 213, "7" },
		{ "RNFR dir/sub", 350, NULL },
		{ "RNTO /top", 250, NULL },
		{ "SIZE /top/deep", 213, "7" },
		{ "RNFR top", 350, NULL },
		{ "RNTO none/x", 550, "No such file" },
		{ "RNFR /", 350, NULL },
		{ "RNTO /x", 550, NULL },
	};
	(void)state;
	PLAY(steps);
}

static void test_facts(void **state)
{
	static const struct talk_step steps[] = {
		AS_JOE,
		{ "MFMT 20200203040506 file", 213, "Modify=20200203040506; /file" },
		{ "MDTM file", 213, "213 20200203040506\r\n" },
		{ "MFMT 20200203040506.25 file", 213, "Modify=20200203040506.25; /file" },
		{ "MDTM file", 213, "213 20200203040506\r\n" },
		{ "MLST file", 250,
			"250-Start of list for /file\r\n"
			" modify=20200203040506;perm=adfrw;size=7;type=file;" },
		{ "MFMT x file", 501, NULL },
		{ "MFMT 20200203040506", 501, NULL },
		{ "MFMT 20200203040506 none", 550, "No such" },
		{ "MDTM none", 550, "No such" },
		{ "SIZE dir", 550, NULL },
		{ "SIZE", 501, NULL },
		{ "MLST none", 550, "No such" },
		{ "MLST", 250, " /\r\n" },
		{ "CWD dir", 250, NULL },
		{ "MLST", 250, "; /dir\r\n" },
		{ "MLST a \"quoted\" name", 250, "; /dir/a \"quoted\" name\r\n" },
		{ "CDUP", 250, NULL },
		{ "OPTS MLST type;SIZE;nonsense;", 200, "MLST OPTS size;type;\r\n" },
		{ "MLST file", 250, "\r\n size=7;type=file; /file\r\n" },
		{ "FEAT", 211, " MLST modify;perm;size*;type*;unique;" },
		{ "OPTS MLST", 200, "200 MLST OPTS\r\n" },
		{ "MLST file", 250, "\r\n  /file\r\n" },
	};
	(void)state;
	PLAY(steps);
}

static void test_parameters(void **state)
{
	static const struct talk_step steps[] = {
		AS_JOE,
		{ "TYPE I", 200, NULL },
		{ "TYPE A", 200, NULL },
		{ "TYPE A N", 200, NULL },
		{ "TYPE L 8", 200, NULL },
		{ "TYPE E", 504, NULL },
		{ "TYPE", 501, NULL },
		{ "MODE S", 200, NULL },
		{ "MODE B", 504, NULL },
		{ "STRU F", 200, NULL },
		{ "STRU R", 504, NULL },
		{ "ALLO 100", 202, NULL },
		{ "REST 10", 350, NULL },
		{ "REST x", 501, NULL },
		{ "REST -1", 501, NULL },
		{ "REST 99999999999999999999", 501, NULL },
		{ "EPSV 2", 522, "(1)" },
		{ "EPSV 3", 522, NULL },
		{ "EPSV x", 522, NULL },
		{ "EPSV 1", 229, "(|||" },
		{ "EPSV", 229, NULL },
		{ "PASV", 227, "(127,0,0,1," },
		{ "EPSV ALL", 200, NULL },
		{ "PASV", 501, NULL },
		{ "EPSV", 229, NULL },
		{ "NOOP", 200, NULL },
		{ "NOOP with words", 200, NULL },
		{ "SYST", 215, "UNIX Type: L8" },
		{ "CLNT a test", 200, NULL },
		{ "OPTS UTF8 ON", 200, NULL },
		{ "opts utf8 on", 200, NULL },
		{ "OPTS UTF8 OFF", 501, NULL },
		{ "OPTS NONE", 501, NULL },
		{ "ABOR", 225, NULL },
		{ "\xff\xf4\xff\xf2"
		  "ABOR",
			225, NULL },
		{ "NONSENSE", 500, NULL },
		{ "", 500, NULL },
		{ " NOOP", 500, NULL },
		{ "HELP", 214, " RETR " },
		{ "HELP RETR", 214, "RETR <sp> file" },
		{ "HELP NONE", 502, NULL },
		{ "FEAT", 211,
			"211-Features:\r\n AVBL\r\n CLNT\r\n EPRT\r\n EPSV\r\n"
			" HASH SHA-256*;SHA-512;SHA-1;MD5;CRC32\r\n HOST\r\n MDTM\r\n"
			" MFF modify;UNIX.mode;\r\n MFMT\r\n"
			" MLST modify*;perm*;size*;type*;unique*;UNIX.group*;UNIX.mode*;UNIX.owner*;\r\n"
			" PASV\r\n RANG STREAM\r\n REST STREAM\r\n SITE COPY\r\n SITE SYMLINK\r\n SITE UTIME\r\n"
			" SIZE\r\n TVFS\r\n UTF8\r\n XCRC\r\n XMD5\r\n XSHA\r\n XSHA1\r\n XSHA256\r\n XSHA512\r\n"
			"211 End\r\n" },
		{ "STAT", 211, "Logged in as joe" },
		{ "STAT file", 213, " file\r\n213 End" },
		{ "STAT dir", 213, " sub\r\n" },
		{ "STAT none", 550, NULL },
	};
	(void)state;
	PLAY(steps);
}

static void test_without_data_connection(void **state)
{
	static const struct talk_step steps[] = {
		AS_JOE,
		{ "RETR file", 425, NULL },
		{ "STOR x", 425, NULL },
		{ "LIST", 425, NULL },
		{ "MLSD", 425, NULL },
		{ "NLST", 425, NULL },
		{ "EPSV", 229, NULL },
		{ "RETR none", 550, "No such file" },
		{ "RETR dir", 550, "Is a directory" },
		{ "STOR dir", 550, "Is a directory" },
		{ "STOR none/x", 550, "No such file" },
		{ "MLSD file", 550, "Not a directory" },
		{ "MLSD none", 550, "No such" },
		{ "LIST none", 550, "No such" },
	};
	(void)state;
	PLAY(steps);
}

/* --- lines ------------------------------------------------------------------------------------------ */

static struct talk *open_talk(struct testd *d)
{
	struct talk *t = malloc(sizeof(*t));
	assert_non_null(t);
	testd_start(d, &options, false);
	make_files(d);
	talk_login(t, d, "joe", "secret");
	return t;
}

static void close_talk(struct testd *d, struct talk *t)
{
	talk_close(t);
	free(t);
	testd_stop(d);
}

static void test_pipelined_in_order(void **state)
{
	static const char lines[] = "NOOP\r\nPWD\r\nSIZE file\r\n"
				    "CWD dir\nPWD\r\nMLST sub\r\nSIZE none\r\nNONSENSE\r\nSYST\r\n";
	static const int codes[] = { 200, 257, 213, 250, 257, 250, 550, 500, 215 };
	struct testd d;
	struct talk *t = open_talk(&d);
	(void)state;
	talk_send(t, lines, strlen(lines));
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		assert_int_equal(talk_reply(t), codes[i]);
	close_talk(&d, t);
}

/* Far more than any buffer holds: the client is paused, nothing is lost, everything is answered in order. */
static void test_flood(void **state)
{
	enum { N = 20000 };
	struct testd d;
	struct talk *t = open_talk(&d);
	size_t sent = 0, got = 0, len = 0;
	char *lines = malloc(N * 16);
	(void)state;
	for (int i = 0; i < N; i++)
		len += (size_t)snprintf(lines + len, 16, i % 100 ? "NOOP\r\n" : "SIZE file\r\n");
	while (got < N) {
		ssize_t n = sent < len ? send(t->fd, lines + sent, len - sent, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
		sent += n > 0 ? (size_t)n : 0;
		for (int i = 0; i < 50 && got < N && (sent == len || got < sent / 16); i++, got++)
			assert_int_equal(talk_reply(t), got % 100 ? 200 : 213);
	}
	free(lines);
	close_talk(&d, t);
}

static void test_long_line(void **state)
{
	struct testd d;
	struct talk *t = open_talk(&d);
	char *line = malloc(100000);
	(void)state;
	memset(line, 'x', 100000);
	memcpy(line + 4096, "\r\n", 2);
	talk_send(t, line, 4098); /* the longest that is one */
	assert_int_equal(talk_reply(t), 500);
	assert_non_null(strstr(t->reply, "not understood"));
	memset(line, 'x', 100000);
	line[99999] = '\n';
	talk_send(t, line, 100000);
	assert_int_equal(talk_reply(t), 500);
	assert_non_null(strstr(t->reply, "too long"));
	talk_expect(t, 257, "PWD"); /* once, and the session goes on */
	free(line);
	close_talk(&d, t);
}

static void test_nul_in_line(void **state)
{
	struct testd d;
	struct talk *t = open_talk(&d);
	(void)state;
	talk_send(t, "DELE file\0x\r\n", 13);
	assert_int_equal(talk_reply(t), 501);
	talk_expect(t, 213, "SIZE file");
	close_talk(&d, t);
}

/* A line without its end is not a command, even when nothing more can come. */
static void test_cut_line_is_not_executed(void **state)
{
	struct testd d;
	struct talk *t = open_talk(&d), *other = malloc(sizeof(*other));
	(void)state;
	talk_send(t, "NOOP\r\nDELE file", 15);
	assert_int_equal(shutdown(t->fd, SHUT_WR), 0);
	assert_int_equal(talk_reply(t), 200);
	assert_int_equal(talk_reply(t), 0);
	talk_login(other, &d, "joe", "secret");
	talk_expect(other, 213, "SIZE file");
	talk_close(other);
	free(other);
	close_talk(&d, t);
}

/* Byte by byte, and with the last byte out of band, as some clients abort. */
static void test_odd_segments(void **state)
{
	struct testd d;
	struct talk *t = open_talk(&d);
	(void)state;
	for (const char *p = "SIZE file\r\n"; *p; p++)
		talk_send(t, p, 1);
	assert_int_equal(talk_reply(t), 213);
	assert_int_equal(send(t->fd,
				 "\xff\xf4\xff\xf2"
				 "ABOR\r\n",
				 10, MSG_OOB | MSG_NOSIGNAL),
		10);
	assert_int_equal(talk_reply(t), 225);
	talk_expect(t, 200, "NOOP");
	close_talk(&d, t);
}

static void test_long_paths(void **state)
{
	struct testd d;
	struct talk *t = open_talk(&d);
	char name[300];
	(void)state;
	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	talk_expect(t, 257, "MKD %s", name);
	name[255] = 'n';
	name[256] = '\0';
	talk_expect(t, 553, "MKD %s", name);
	name[200] = '\0';
	int depth = 0;
	while (talk_say(t, "MKD %s", name) == 257 && talk_say(t, "CWD %s", name) == 250)
		depth++;
	assert_int_equal(t->code, 553);
	assert_int_equal(depth, 4095 / 201);
	talk_expect(t, 257, "PWD");
	close_talk(&d, t);
}

static void test_ipv6(void **state)
{
	struct testd d;
	struct talk *t = malloc(sizeof(*t));
	size_t n;
	(void)state;
	testd_start(&d, &options, true);
	make_files(&d);
	talk_login(t, &d, "joe", "secret");
	talk_expect(t, 425, "PASV");
	talk_expect(t, 522, "EPSV 1");
	talk_expect(t, 229, "EPSV 2");
	char *data = talk_retrieve(t, "RETR file", &n);
	assert_string_equal(data, "content");
	free(data);
	close_talk(&d, t);
}

static void test_max_connections(void **state)
{
	const struct aftp_server_options two = { .max_connections = 2 };
	struct talk *t = malloc(4 * sizeof(*t));
	struct testd d;
	(void)state;
	testd_start(&d, &two, false);
	talk_login(&t[0], &d, "anonymous", "x");
	talk_login(&t[1], &d, "anonymous", "x");
	talk_open(&t[2], &d);
	assert_int_equal(talk_reply(&t[2]), 421);
	assert_int_equal(talk_reply(&t[2]), 0);
	talk_expect(&t[0], 221, "QUIT");
	assert_int_equal(talk_reply(&t[0]), 0);
	talk_login(&t[3], &d, "anonymous", "x");
	struct aftp_server_counters c = testd_counters(&d);
	assert_int_equal(c.sessions, 4);
	assert_int_equal(c.refused, 1);
	assert_int_equal(c.sessions_now, 2);
	assert_int_equal(c.logins, 3);
	for (int i = 0; i < 4; i++)
		talk_close(&t[i]);
	free(t);
	testd_stop(&d);
}

static void test_idle(void **state)
{
	const struct aftp_server_options brief = { .idle_timeout_ms = 2000 };
	struct talk *t = malloc(sizeof(*t));
	struct testd d;
	(void)state;
	testd_start(&d, &brief, false);
	talk_login(t, &d, "anonymous", "x");
	assert_int_equal(talk_reply(t), 421);
	assert_int_equal(talk_reply(t), 0);
	close_talk(&d, t);
}

static void test_counters(void **state)
{
	struct testd d;
	struct talk *t = open_talk(&d);
	(void)state;
	talk_expect(t, 200, "NOOP");
	talk_expect(t, 200, "noop");
	talk_expect(t, 500, "NONSENSE");
	assert_int_equal(testd_count(&d, "NOOP"), 2);
	assert_int_equal(testd_count(&d, "noop"), 2);
	assert_int_equal(testd_count(&d, "USER"), 1);
	assert_int_equal(testd_count(&d, "MLSD"), 0);
	assert_int_equal(testd_count(&d, "NONSENSE"), 0);
	assert_int_equal(testd_counters(&d).commands, 6);
	assert_int_equal(testd_counters(&d).unknown, 1);
	close_talk(&d, t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_permissions),
		cmocka_unit_test(test_directories),
		cmocka_unit_test(test_rename),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_without_data_connection),
		cmocka_unit_test(test_pipelined_in_order),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_nul_in_line),
		cmocka_unit_test(test_cut_line_is_not_executed),
		cmocka_unit_test(test_odd_segments),
		cmocka_unit_test(test_long_paths),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_max_connections),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_counters),
	};
	return cmocka_run_group_tests_name("server_dialogue", tests, NULL, NULL);
}
