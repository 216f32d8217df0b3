/* What the server does when it plays another: each quirk is one that the real server was seen to have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/testd.h"

enum { BIG = 32 << 20 };

#define VSFTPD    AFTP_PLAY_VSFTPD
#define PROFTPD   AFTP_PLAY_PROFTPD
#define PURE_FTPD AFTP_PLAY_PURE_FTPD
#define PYFTPDLIB AFTP_PLAY_PYFTPDLIB
#define AIOFTP    AFTP_PLAY_AIOFTP

struct fixture {
	struct testd d;
	struct talk t;
};

static struct fixture *begin_with(const struct aftp_server_options *o)
{
	static const char *const files[] = { "/dir/in_dir", "/d1/in_d1", "/d[1]/in_d[1]", "/two/in_two",
		"/two words/in_two_words", "/back\\slash/in_back" };
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	testd_start(&f->d, o, false);
	testd_put(&f->d, "/small", "hello", 5);
	testd_pattern(&f->d, "/big", BIG, 1);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		testd_put(&f->d, files[i], "x", 1);
	talk_login(&f->t, &f->d, "anonymous", "x");
	return f;
}

static struct fixture *begin(enum aftp_server_play play)
{
	return begin_with(&(struct aftp_server_options){ .play = play });
}

static void end(struct fixture *f)
{
	talk_close(&f->t);
	testd_stop(&f->d);
	free(f);
}

static void send_line(struct fixture *f, const char *line)
{
	char text[128];
	talk_send(&f->t, text, (size_t)snprintf(text, sizeof(text), "%s\r\n", line));
}

static void reply(struct fixture *f, int code)
{
	if (talk_reply(&f->t) != code)
		fail_msg("not %d but %d: %s", code, f->t.code, f->t.reply);
}

/* Starts a transfer whose data connection is there already; 125 is as good as 150. */
static int start(struct fixture *f, const char *command)
{
	int fd = talk_epsv(&f->t);
	int code = talk_say(&f->t, "%s", command);
	if (code != 150 && code != 125)
		fail_msg("'%s': %s", command, f->t.reply);
	return fd;
}

static bool silent(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	return poll(&p, 1, ms) == 0;
}

/* The end of a data connection: 0 closed, -1 reset. */
static int how_it_ends(int fd)
{
	char c;
	int got = (int)recv(fd, &c, 1, 0);
	close(fd);
	return got;
}

/* --- the order of replies -------------------------------------------------------------------------- */

/* A command that comes while an upload moves; then the end of its data. */
static void behind(struct fixture *f, const char *line, int first, int second)
{
	int fd = start(f, "STOR up");
	assert_int_equal(send(fd, "abc", 3, MSG_NOSIGNAL), 3);
	send_line(f, line);
	if (first != 226)
		reply(f, first);
	close(fd);
	if (first == 226)
		reply(f, 226);
	if (second != 0)
		reply(f, second);
	talk_expect(&f->t, 257, "PWD"); /* in step */
}

static void test_size_behind_an_upload(void **state)
{
	static const struct {
		enum aftp_server_play play;
		int first, second;
	} rows[] = { { VSFTPD, 226, 213 }, { PROFTPD, 213, 226 }, { PURE_FTPD, 500, 226 }, { PYFTPDLIB, 213, 226 },
		{ AIOFTP, 502, 226 } };
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture *f = begin(rows[i].play);
		behind(f, "SIZE up", rows[i].first, rows[i].second);
		end(f);
	}
}

/* ProFTPD takes one command of those that come at once; what comes with the upload's own waits for its end. */
static void test_sizes_behind_an_upload(void **state)
{
	struct fixture *f = begin(PROFTPD);
	int fd = start(f, "STOR up");
	(void)state;
	send_line(f, "SIZE up\r\nSIZE up");
	reply(f, 213);
	close(fd);
	reply(f, 226);
	reply(f, 213);
	fd = talk_epsv(&f->t);
	send_line(f, "STOR up\r\nSIZE up");
	reply(f, 150);
	close(fd);
	reply(f, 226);
	reply(f, 213);
	end(f);
}

static void test_epsv_behind_an_upload(void **state)
{
	static const struct {
		enum aftp_server_play play;
		int first, second;
	} rows[] = { { VSFTPD, 226, 229 }, { PROFTPD, 450, 226 }, { PURE_FTPD, 500, 226 }, { PYFTPDLIB, 229, 0 },
		{ AIOFTP, 229, 226 } };
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture *f = begin(rows[i].play);
		behind(f, "EPSV", rows[i].first, rows[i].second);
		end(f);
	}
}

/* It is not what was sent that is renamed, where the rename comes first. */
static void test_rename_behind_an_upload(void **state)
{
	static const struct {
		enum aftp_server_play play;
		int before[2], after[2]; /* the 226 */
	} rows[] = { { VSFTPD, { 0 }, { 350, 250 } }, { PROFTPD, { 450, 450 }, { 0 } },
		{ PURE_FTPD, { 500, 500 }, { 0 } }, { PYFTPDLIB, { 350, 250 }, { 0 } },
		{ AIOFTP, { 350, 250 }, { 0 } } };
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture *f = begin(rows[i].play);
		int fd = start(f, "STOR up");
		for (int j = 0; j < 2; j++) {
			send_line(f, j == 0 ? "RNFR up" : "RNTO other");
			if (rows[i].before[j])
				reply(f, rows[i].before[j]);
		}
		close(fd);
		reply(f, 226);
		for (int j = 0; j < 2 && rows[i].after[j]; j++)
			reply(f, rows[i].after[j]);
		end(f);
	}
}

/* Two transfers never run at once, whoever is played. */
static void test_transfers_stay_apart(void **state)
{
	static const enum aftp_server_play plays[] = { VSFTPD, PYFTPDLIB, AIOFTP };
	(void)state;
	for (size_t i = 0; i < sizeof(plays) / sizeof(plays[0]); i++) {
		struct fixture *f = begin(plays[i]);
		int fd = start(f, "STOR up");
		send_line(f, "RETR small");
		send_line(f, "QUIT");
		assert_int_equal(send(fd, "abc", 3, MSG_NOSIGNAL), 3);
		close(fd);
		reply(f, 226);
		while (talk_reply(&f->t) != 221) /* whatever RETR has to say without a data connection */
			assert_true(f->t.code >= 100);
		assert_int_equal(talk_reply(&f->t), 0);
		end(f);
	}
}

/* --- data connections ------------------------------------------------------------------------------ */

static void test_second_epsv(void **state)
{
	static const struct {
		enum aftp_server_play play;
		int ends;
	} rows[] = { { VSFTPD, -1 }, { PROFTPD, -1 }, { PURE_FTPD, -1 }, { PYFTPDLIB, 0 }, { AIOFTP, 0 } };
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture *f = begin(rows[i].play);
		char said[64];
		int old = talk_epsv(&f->t);
		snprintf(said, sizeof(said), "%s", strstr(f->t.reply, "(|||"));
		while (testd_counters(&f->d).data_connections < 1)
			;
		int fd = talk_epsv(&f->t);
		assert_int_equal(how_it_ends(old), rows[i].ends);
		if (rows[i].play == AIOFTP)
			assert_string_equal(strstr(f->t.reply, "(|||"), said);
		assert_in_range(talk_say(&f->t, "RETR small"), 125, 150);
		size_t n;
		free(talk_drain(fd, &n, NULL));
		assert_int_equal(n, 5);
		reply(f, 226);
		end(f);
	}
}

/* Only the first connection to a port that stays open counts. */
static void test_one_at_a_time(void **state)
{
	struct fixture *f = begin(AIOFTP);
	(void)state;
	talk_expect(&f->t, 229, "EPSV");
	uint16_t port = (uint16_t)strtoul(strstr(f->t.reply, "(|||") + 4, NULL, 10);
	int one = talk_connect(port, false), two = talk_connect(port, false);
	assert_int_equal(how_it_ends(two), 0);
	talk_expect(&f->t, 150, "RETR small");
	size_t n;
	free(talk_drain(one, &n, NULL));
	assert_int_equal(n, 5);
	reply(f, 226);
	end(f);
}

static void test_armed_after_550(void **state)
{
	static const enum aftp_server_play still[] = { VSFTPD, PURE_FTPD, PYFTPDLIB, AIOFTP };
	(void)state;
	for (size_t i = 0; i < sizeof(still) / sizeof(still[0]); i++) {
		struct fixture *f = begin(still[i]);
		int fd = talk_epsv(&f->t);
		talk_expect(&f->t, 550, "RETR none");
		assert_in_range(talk_say(&f->t, "RETR small"), 125, 150);
		size_t n;
		free(talk_drain(fd, &n, NULL));
		assert_int_equal(n, 5);
		reply(f, 226);
		end(f);
	}
	struct fixture *f = begin(PROFTPD);
	int fd = talk_epsv(&f->t);
	talk_expect(&f->t, 550, "RETR none");
	assert_int_equal(how_it_ends(fd), -1);
	talk_expect(&f->t, 425, "RETR small");
	end(f);
}

/* The 226 waits for the client to close its end, too. */
static void test_lingers(void **state)
{
	static const char *const commands[] = { "RETR small", "LIST dir" };
	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct fixture *f = begin(PROFTPD);
		char text[256];
		int fd = start(f, commands[i]);
		while (recv(fd, text, sizeof(text), 0) > 0)
			;
		assert_true(silent(f->t.fd, 500));
		close(fd);
		reply(f, 226);
		end(f);
	}
}

static void test_armed_too_long(void **state)
{
	struct fixture *f = begin_with(&(struct aftp_server_options){ .play = PYFTPDLIB, .stall_timeout_ms = 300 });
	(void)state;
	int fd = talk_epsv(&f->t);
	reply(f, 421);
	assert_int_equal(talk_reply(&f->t), 0);
	close(fd);
	end(f);
}

/* --- how transfers end ----------------------------------------------------------------------------- */

static void test_download_closed_early(void **state)
{
	static const struct {
		enum aftp_server_play play;
		int code;
	} rows[] = { { VSFTPD, 426 }, { PROFTPD, 426 }, { PURE_FTPD, 150 }, { PYFTPDLIB, 426 }, { AIOFTP, 0 } };
	char text[1000];
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture *f = begin(rows[i].play);
		int fd = start(f, "RETR big");
		assert_true(recv(fd, text, sizeof(text), 0) > 0);
		close(fd);
		assert_int_equal(talk_reply(&f->t), rows[i].code);
		if (rows[i].code)
			talk_expect(&f->t, 257, "PWD");
		end(f);
	}
}

static void test_abor_of_a_download(void **state)
{
	static const struct {
		enum aftp_server_play play;
		bool at_once;
		int idle;
	} rows[] = { { VSFTPD, false, 225 }, { PROFTPD, false, 226 }, { PURE_FTPD, true, 226 },
		{ PYFTPDLIB, true, 225 }, { AIOFTP, true, 226 } };
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture *f = begin(rows[i].play);
		size_t n;
		int fd = start(f, "RETR big");
		send_line(f, "ABOR");
		if (rows[i].at_once) {
			reply(f, 426);
			reply(f, 226);
		}
		free(talk_drain(fd, &n, NULL));
		if (!rows[i].at_once) {
			assert_int_equal(n, BIG);
			reply(f, 226);
			reply(f, rows[i].idle);
		}
		talk_expect(&f->t, rows[i].idle, "ABOR");
		end(f);
	}
}

static void test_abor_of_an_upload(void **state)
{
	static const struct {
		enum aftp_server_play play;
		int first, second;
	} rows[] = { { VSFTPD, 226, 225 }, { PROFTPD, 426, 226 }, { PURE_FTPD, 426, 451 }, { PYFTPDLIB, 426, 226 },
		{ AIOFTP, 426, 226 } };
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture *f = begin(rows[i].play);
		behind(f, "ABOR", rows[i].first, rows[i].second);
		end(f);
	}
}

static void test_rest_past_the_end(void **state)
{
	static const enum aftp_server_play empty[] = { VSFTPD, AIOFTP }, refused[] = { PROFTPD, PURE_FTPD, PYFTPDLIB };
	size_t n;
	(void)state;
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		struct fixture *f = begin(empty[i]);
		int fd = talk_epsv(&f->t);
		talk_expect(&f->t, 350, "REST 6");
		talk_expect(&f->t, 150, "RETR small");
		free(talk_drain(fd, &n, NULL));
		reply(f, 226);
		assert_int_equal(n, 0);
		end(f);
	}
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct fixture *f = begin(refused[i]);
		int fd = talk_epsv(&f->t);
		talk_expect(&f->t, 350, "REST 6");
		talk_expect(&f->t, 554, "RETR small");
		close(fd);
		fd = talk_epsv(&f->t);
		talk_expect(&f->t, 350, "REST 5"); /* the end itself is not past it */
		assert_in_range(talk_say(&f->t, "RETR small"), 125, 150);
		free(talk_drain(fd, &n, NULL));
		assert_int_equal(n, 0);
		reply(f, 226);
		end(f);
	}
}

/* REST behind which EPSV comes counts for nothing on one of them. */
static void test_rest_before_epsv(void **state)
{
	static const struct {
		enum aftp_server_play play;
		size_t n;
	} rows[] = { { VSFTPD, 3 }, { PROFTPD, 3 }, { PURE_FTPD, 3 }, { PYFTPDLIB, 3 }, { AIOFTP, 5 } };
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture *f = begin(rows[i].play);
		size_t n;
		talk_expect(&f->t, 350, "REST 2");
		int fd = start(f, "RETR small");
		free(talk_drain(fd, &n, NULL));
		reply(f, 226);
		assert_int_equal(n, rows[i].n);
		end(f);
	}
}

/* --- listings -------------------------------------------------------------------------------------- */

/* The names of a listing, each with a blank behind it; *code is the last reply's. */
static char *names_of(struct fixture *f, const char *command, int *code)
{
	int fd = talk_epsv(&f->t);
	*code = talk_say(&f->t, "%s", command);
	if (*code != 150 && *code != 125) {
		close(fd);
		return strdup("");
	}
	size_t n;
	char *text = talk_drain(fd, &n, NULL), *names = calloc(1, n + 1), *out = names, *save = NULL;
	assert_non_null(names);
	for (char *line = strtok_r(text, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save)) {
		const char *name = strrchr(line, ' ');
		out = stpcpy(out, name ? name + 1 : line);
		out = stpcpy(out, " ");
	}
	free(text);
	*code = talk_reply(&f->t);
	return names;
}

struct listing {
	enum aftp_server_play play;
	const char *command;
	int code;
	const char *names; /* "": none */
};

static void test_listings(void **state)
{
	static const struct listing rows[] = {
		{ VSFTPD, "MLSD dir", 500, "" },
		{ AIOFTP, "MLSD dir", 200, "in_dir " },
		{ PYFTPDLIB, "MLSD dir", 226, "in_dir " },
		{ PROFTPD, "MLSD dir", 226, ". .. in_dir " },
		{ PROFTPD, "MLSD d[1]", 226, ". .. in_d[1] " },
		{ PURE_FTPD, "MLSD d[1]", 226, ". .. in_d[1] " },
		{ VSFTPD, "LIST d[1]", 226, "in_d[1] " },
		{ PROFTPD, "LIST d[1]", 226, "d1 " },
		{ PURE_FTPD, "LIST d[1]", 226, "in_d1 " },
		{ PYFTPDLIB, "LIST d[1]", 226, "in_d[1] " },
		{ VSFTPD, "LIST d*", 226, "dir d1 d[1] " },
		{ PROFTPD, "LIST d*", 226, "dir d1 d[1] " },
		{ PYFTPDLIB, "LIST d*", 550, "" },
		{ VSFTPD, "LIST two words", 226, "in_two_words " },
		{ PURE_FTPD, "LIST two words", 226, "in_two " },
		{ PURE_FTPD, "LIST back\\slash", 226, "" },
		{ PROFTPD, "LIST back\\slash", 226, "in_back " },
		{ VSFTPD, "LIST -a dir", 226, ". .. in_dir " },
		{ PYFTPDLIB, "LIST -a dir", 550, "" },
		{ AIOFTP, "LIST -a dir", 550, "" },
		{ AIOFTP, "LIST -a", 550, "" },
		{ AIOFTP, "LIST small", 226, "" },
		{ AIOFTP, "MLSD small", 200, "" },
		{ PYFTPDLIB, "MLSD small", 501, "" },
		{ PYFTPDLIB, "MLSD none", 501, "" },
		{ VSFTPD, "LIST none", 226, "" },
		{ PURE_FTPD, "LIST none", 226, "" },
		{ PROFTPD, "LIST none", 450, "" },
		{ PYFTPDLIB, "LIST none", 550, "" },
		{ AIOFTP, "LIST none", 550, "" },
		{ VSFTPD, "NLST dir", 226, "dir/in_dir " },
		{ PURE_FTPD, "NLST dir", 226, "dir/. dir/.. dir/in_dir " },
		{ AIOFTP, "NLST dir", 502, "" },
		{ PYFTPDLIB, "MLSD \xff", 501, "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture *f = begin(rows[i].play);
		int code;
		char *names = names_of(f, rows[i].command, &code);
		if (code != rows[i].code || strcmp(names, rows[i].names) != 0)
			fail_msg("row %zu, '%s': %d, '%s'", i, rows[i].command, code, names);
		free(names);
		end(f);
	}
}

/* What a client falls back on works everywhere but with a backslash on one. */
static void test_cwd_and_list_a(void **state)
{
	static const struct listing rows[] = {
		{ VSFTPD, "d[1]", 250, ". .. in_d[1] " },
		{ PROFTPD, "d[1]", 250, ". .. in_d[1] " },
		{ PURE_FTPD, "d[1]", 250, ". .. in_d[1] " },
		{ PYFTPDLIB, "d[1]", 250, "in_d[1] " },
		{ PURE_FTPD, "two words", 250, ". .. in_two_words " },
		{ VSFTPD, "back\\slash", 250, ". .. in_back " },
		{ PURE_FTPD, "back\\slash", 553, NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture *f = begin(rows[i].play);
		int code;
		talk_expect(&f->t, rows[i].code, "CWD %s", rows[i].command);
		char *names = rows[i].names ? names_of(f, "LIST -a", &code) : NULL;
		if (rows[i].names)
			assert_string_equal(names, rows[i].names);
		free(names);
		end(f);
	}
}

static void job_fill(struct testd *d, void *arg)
{
	char path[32];
	(void)arg;
	for (int i = 0; i < 10005; i++) {
		snprintf(path, sizeof(path), "/many/f%05d", i);
		assert_int_equal(aftp_memfs_put(d->fs, path, "", 0), 0);
	}
}

static void test_cut_at_ten_thousand(void **state)
{
	static const char *const commands[] = { "LIST many", "MLSD many" };
	struct fixture *f = begin(PURE_FTPD);
	(void)state;
	testd_call(&f->d, job_fill, NULL);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		size_t n, lines = 0;
		int fd = start(f, commands[i]);
		char *text = talk_drain(fd, &n, NULL);
		for (const char *p = text; (p = strchr(p, '\n')); p++)
			lines++;
		free(text);
		assert_int_equal(lines, 10000);
		reply(f, 226);
		assert_non_null(strstr(f->t.reply, "Output truncated to 10000 matches"));
	}
	end(f);
}

/* --- the rest -------------------------------------------------------------------------------------- */

static void test_replies(void **state)
{
	static const struct {
		enum aftp_server_play play;
		struct talk_step steps[8];
	} rows[] = {
		{ VSFTPD,
			{ { NULL, 220, "vsFTPd" }, { "NONE", 530, NULL }, { "USER ftp", 331, NULL },
				{ "PASS x", 230, NULL }, { "NONE", 500, NULL }, { "MLST small", 500, NULL },
				{ "RANG 0 1", 500, NULL }, { "SITE CPFR small", 504, NULL } } },
		{ PROFTPD,
			{ { NULL, 220, "ProFTPD" }, { "NONE", 500, NULL }, { "PWD", 530, NULL },
				{ "USER ftp", 331, NULL }, { "PASS x", 230, NULL }, { "SIZE small", 550, "ASCII" },
				{ "RANG 0 1", 350, NULL }, { "HASH small", 500, NULL } } },
		{ PURE_FTPD,
			{ { NULL, 220, "Pure-FTPd" }, { "NONE", 530, NULL }, { "USER ftp", 331, NULL },
				{ "PASS x", 230, NULL }, { "SIZE small", 213, NULL }, { "MLST small", 250, NULL },
				{ "MKD q\"q", 257, "/q\"q\"" }, { "HOST x", 500, NULL } } },
		{ PYFTPDLIB,
			{ { NULL, 220, "pyftpdlib" }, { "NONE", 500, NULL }, { "USER ftp", 331, NULL },
				{ "PASS x", 230, NULL }, { "SIZE small", 550, "ASCII" },
				{ "MKD q\"q", 257, "/q\"\"q\"" }, { "CWD \xff", 550, NULL },
				{ "SITE UTIME 20200101000000 small", 504, NULL } } },
		{ AIOFTP,
			{ { NULL, 220, "welcome" }, { "NONE", 502, NULL }, { "PWD", 503, NULL }, { "FEAT", 502, NULL },
				{ "USER ftp", 331, NULL }, { "PASS x", 230, NULL }, { "NOOP", 502, NULL },
				{ "SYST", 215, NULL } } },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture *f = begin(rows[i].play);
		talk_play(&f->d, rows[i].steps, 8);
		end(f);
	}
}

static void test_what_is_not_utf8_ends(void **state)
{
	struct fixture *f = begin(AIOFTP);
	(void)state;
	assert_int_equal(talk_say(&f->t, "CWD \xff"), 0);
	end(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size_behind_an_upload),
		cmocka_unit_test(test_sizes_behind_an_upload),
		cmocka_unit_test(test_epsv_behind_an_upload),
		cmocka_unit_test(test_rename_behind_an_upload),
		cmocka_unit_test(test_transfers_stay_apart),
		cmocka_unit_test(test_second_epsv),
		cmocka_unit_test(test_one_at_a_time),
		cmocka_unit_test(test_armed_after_550),
		cmocka_unit_test(test_lingers),
		cmocka_unit_test(test_armed_too_long),
		cmocka_unit_test(test_download_closed_early),
		cmocka_unit_test(test_abor_of_a_download),
		cmocka_unit_test(test_abor_of_an_upload),
		cmocka_unit_test(test_rest_past_the_end),
		cmocka_unit_test(test_rest_before_epsv),
		cmocka_unit_test(test_listings),
		cmocka_unit_test(test_cwd_and_list_a),
		cmocka_unit_test(test_cut_at_ten_thousand),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_what_is_not_utf8_ends),
	};
	return cmocka_run_group_tests_name("server_play", tests, NULL, NULL);
}
