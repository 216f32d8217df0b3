/* Who may do what, how often, and how fast. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include <aftp/status.h>

#include "lib/testd.h"

enum { RW = AFTP_MAY_READ | AFTP_MAY_WRITE };

static const struct aftp_permission rules[] = {
	{ "/", AFTP_MAY_READ },
	{ "/home/", RW },
	{ "/home/ro", AFTP_MAY_READ },
	{ "/home/none", 0 },
	{ "/home/none/but", AFTP_MAY_READ },
	{ "/drop", AFTP_MAY_WRITE },
	{ "/pub//up/.", RW },
};
static const struct aftp_permission only_pub[] = { { "/pub", AFTP_MAY_READ } };

static const struct aftp_user users[] = {
	{ .name = "joe", .may = RW, .home = "/home", .permissions = rules, .npermissions = 7 },
	{ .name = "ro", .may = AFTP_MAY_READ, .permissions = rules, .npermissions = 7 },
	{ .name = "pub", .may = RW, .home = "/pub", .permissions = only_pub, .npermissions = 1 },
	{ .name = "based", .may = RW, .base = "/home/rw", .home = "/dir" },
	{ .name = "lost", .may = RW, .base = "/nowhere" },
	{ .name = "two", .password = "two", .may = RW, .max_connections = 2 },
	{ .name = "secret", .password = "secret", .may = RW },
	{ .name = "root", .may = RW },
};
static const struct aftp_server_options options = {
	.users = users, .nusers = sizeof(users) / sizeof(users[0]), .login_delay_ms = -1, .max_login_failures = 3
};

static void make_links(struct testd *d, void *arg)
{
	(void)arg;
	assert_int_equal(aftp_memfs_symlink(d->fs, "/home/none", "/home/link"), 0);
	assert_int_equal(aftp_memfs_symlink(d->fs, "../ro/file", "/home/rw/out"), 0);
	assert_int_equal(aftp_memfs_symlink(d->fs, "/dir/file", "/home/rw/in"), 0);
}

static void start(struct testd *d, const struct aftp_server_options *o)
{
	testd_start(d, o, false);
	testd_put(d, "/file", "root", 4);
	testd_put(d, "/home/rw/dir/file", "rw", 2);
	testd_put(d, "/home/ro/file", "ro!", 3);
	testd_put(d, "/home/none/file", "none", 4);
	testd_put(d, "/home/none/but/file", "but..", 5);
	testd_put(d, "/home/mixed/file", "x", 1);
	testd_put(d, "/drop/file", "drop", 4);
	testd_put(d, "/pub/up/file", "pub", 3);
	testd_call(d, make_links, NULL);
}

#define PLAY(steps)                                                     \
	do {                                                            \
		struct testd d;                                         \
		start(&d, &options);                                    \
		talk_play(&d, steps, sizeof(steps) / sizeof(steps[0])); \
		testd_stop(&d);                                         \
	} while (0)

/* --- where ----------------------------------------------------------------------------------------- */

static void test_home(void **state)
{
	static const struct talk_step steps[] = {
		{ NULL, 220, NULL },
		{ "USER joe", 230, NULL },
		{ "PWD", 257, "\"/home\"" },
		{ "SIZE ro/file", 213, "213 3" },
		{ "CDUP", 250, NULL },
		{ "PWD", 257, "\"/\"" },
		{ "REIN", 220, NULL },
		{ "USER root", 230, NULL },
		{ "PWD", 257, "\"/\"" },
		{ "USER pub", 230, NULL },
		{ "PWD", 257, "\"/pub\"" },
	};
	(void)state;
	PLAY(steps);
}

static void test_base(void **state)
{
	static const struct talk_step steps[] = {
		{ NULL, 220, NULL },
		{ "USER based", 230, NULL },
		{ "PWD", 257, "\"/dir\"" },
		{ "SIZE file", 213, "213 2" },
		{ "SIZE /dir/file", 213, NULL },
		{ "SIZE ../../../dir/file", 213, NULL },
		{ "CWD ../..", 250, NULL },
		{ "PWD", 257, "\"/\"" },
		{ "SIZE in", 213, "213 2" },
		{ "SIZE out", 550, "No such" },
		{ "SIZE /home/ro/file", 550, NULL },
		{ "CWD /home", 550, NULL },
		{ "MKD new", 257, "\"/new\"" },
		{ "USER root", 230, NULL },
		{ "CWD /home/rw/new", 250, NULL },
		{ "USER lost", 230, NULL },
		{ "PWD", 257, "\"/\"" },
		{ "CWD /", 550, NULL },
		{ "MKD x", 550, NULL },
	};
	(void)state;
	PLAY(steps);
}

/* --- permissions ----------------------------------------------------------------------------------- */

static void test_nearest_parent_wins(void **state)
{
	static const struct talk_step steps[] = {
		{ NULL, 220, NULL },
		{ "USER joe", 230, NULL },
		{ "SIZE /file", 213, NULL },
		{ "DELE /file", 550, "Permission denied" },
		{ "MKD /x", 550, "Permission denied" },
		{ "MKD /home/x", 257, NULL },
		{ "RMD /home/x", 250, NULL },
		{ "SIZE /home/ro/file", 213, NULL },
		{ "DELE /home/ro/file", 550, "Permission denied" },
		{ "MKD /home/rox", 257, NULL },
		{ "MDTM /pub/up/file", 213, NULL },
		{ "MKD /pub/x", 550, "Permission denied" },
		{ "MKD /pub/up/x", 257, NULL },
		{ "SIZE /drop/file", 550, "Permission denied" },
		{ "MLST /drop/file", 550, "Permission denied" },
		{ "STAT /drop", 550, "Permission denied" },
		{ "CWD /drop", 250, NULL },
		{ "MKD mine", 257, NULL },
		{ "DELE file", 250, NULL },
		/* what cannot be told from what is missing */
		{ "CWD /home/none", 550, "Permission denied" },
		{ "SIZE /home/none/file", 550, "Permission denied" },
		{ "SIZE /home/none/nothing", 550, "Permission denied" },
		{ "MKD /home/none/nothing", 550, "Permission denied" },
		{ "RNFR /home/none/file", 550, "Permission denied" },
		{ "SIZE /home/link/file", 550, "Permission denied" },
		{ "SIZE /home/link/nothing", 550, "Permission denied" },
		{ "CWD /home/link", 550, "Permission denied" },
		{ "SIZE /home/none/but/file", 213, "213 5" },
		{ "SIZE /home/link/but/file", 213, "213 5" },
		/* the user's own limits stay */
		{ "USER ro", 230, NULL },
		{ "SIZE /home/rw/dir/file", 213, NULL },
		{ "MKD /home/x", 550, "Permission denied" },
		{ "CWD /drop", 550, "Permission denied" },
	};
	(void)state;
	PLAY(steps);
}

/* Once there are rules, what none of them names is denied. */
static void test_no_rule_denies(void **state)
{
	static const struct talk_step steps[] = {
		{ NULL, 220, NULL },
		{ "USER pub", 230, NULL },
		{ "CWD /", 550, "Permission denied" },
		{ "SIZE /file", 550, "Permission denied" },
		{ "SIZE /none", 550, "Permission denied" },
		{ "SIZE /pub/../file", 550, "Permission denied" },
		{ "SIZE /public", 550, "Permission denied" },
		{ "MKD /pub/x", 550, "Permission denied" },
		{ "CWD /pub", 250, NULL },
		{ "SIZE up/file", 213, NULL },
		{ "CDUP", 550, "Permission denied" },
		{ "PWD", 257, "\"/pub\"" },
	};
	(void)state;
	PLAY(steps);
}

/* Nothing is moved out of the reach of its rules. */
static void test_renames_keep_rules(void **state)
{
	static const struct talk_step steps[] = {
		{ NULL, 220, NULL },
		{ "USER joe", 230, NULL },
		{ "RNFR /home", 350, NULL },
		{ "RNTO /pub/up/home", 550, "Permission denied" },
		{ "RNFR /drop/file", 350, NULL },
		{ "RNTO /home/file", 550, "Permission denied" },
		{ "RNFR /home/mixed", 350, NULL },
		{ "RNTO /drop/mixed", 250, NULL },
		{ "RNFR /home/rw/dir/file", 350, NULL },
		{ "RNTO /pub/up/moved", 250, NULL },
		{ "RNFR /pub/up/moved", 350, NULL },
		{ "RNTO /pub/moved", 550, "Permission denied" },
		{ "RNFR /pub/up", 350, NULL },
		{ "RNTO /home/up", 250, NULL },
		{ "RNFR /file", 550, "Permission denied" },
	};
	(void)state;
	PLAY(steps);
}

static void test_listing_shows_what_may_be_done(void **state)
{
	static const struct {
		const char *command, *line;
	} cases[] = {
		{ "MLSD /", "perm=flcdmpe;type=dir; home\r\n" },
		{ "MLSD /", "perm=r;type=file; file\r\n" },
		{ "MLSD /home", "perm=le;type=dir; ro\r\n" },
		{ "MLSD /home", "perm=flcdmpe;type=dir; rw\r\n" },
		{ "MLSD /home", "perm=e;type=dir; none\r\n" },
		{ "MLSD /home/none/but", "perm=le;type=cdir; .\r\n" },
	};
	struct testd d;
	struct talk t;
	(void)state;
	start(&d, &options);
	talk_login(&t, &d, "joe", NULL);
	talk_expect(&t, 200, "OPTS MLST type;perm;");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n;
		char *text = talk_retrieve(&t, cases[i].command, &n);
		if (!strstr(text, cases[i].line))
			fail_msg("%s: no '%s' in:\n%s", cases[i].command, cases[i].line, text);
		assert_true(!strstr(text, "pdir") == (strcmp(cases[i].command, "MLSD /home/none/but") == 0));
		free(text);
	}
	talk_close(&t);
	testd_stop(&d);
}

/* --- limits of connections ------------------------------------------------------------------------- */

static void test_user_limit(void **state)
{
	struct testd d;
	struct talk t[3];
	(void)state;
	start(&d, &options);
	talk_login(&t[0], &d, "two", "two");
	talk_login(&t[1], &d, "two", "two");
	talk_open(&t[2], &d);
	talk_reply(&t[2]);
	talk_expect(&t[2], 331, "USER two");
	talk_expect(&t[2], 530, "PASS two");
	assert_non_null(strstr(t[2].reply, "Too many connections"));
	talk_expect(&t[2], 230, "USER root"); /* others are not meant */
	/* A name alone takes no place, and the same session none twice. */
	for (int i = 0; i < 3; i++) {
		talk_expect(&t[0], 331, "USER two");
		talk_expect(&t[0], 230, "PASS two");
	}
	talk_expect(&t[2], 331, "USER two");
	talk_expect(&t[2], 530, "PASS two");
	/* It is free again after another login, after QUIT, and after a loss. */
	talk_expect(&t[0], 220, "REIN");
	talk_expect(&t[2], 331, "USER two");
	talk_expect(&t[2], 230, "PASS two");
	talk_expect(&t[1], 221, "QUIT");
	assert_true(talk_ended(&t[1], 60000));
	talk_close(&t[1]);
	talk_login(&t[1], &d, "two", "two");
	talk_close(&t[1]);
	talk_open(&t[1], &d);
	talk_reply(&t[1]);
	do {
		talk_expect(&t[1], 331, "USER two");
	} while (talk_say(&t[1], "PASS two") == 530);
	assert_int_equal(t[1].code, 230);
	for (int i = 0; i < 3; i++)
		talk_close(&t[i]);
	testd_stop(&d);
}

/* --- refused logins -------------------------------------------------------------------------------- */

static void test_login_failures_end(void **state)
{
	static const struct talk_step steps[] = {
		{ NULL, 220, NULL },
		{ "USER secret", 331, NULL },
		{ "PASS wrong", 530, NULL },
		{ "USER nobody", 331, NULL },
		{ "PASS wrong", 530, NULL },
		{ "USER secret", 331, NULL },
		{ "PASS secret", 230, NULL },
		{ "USER secret", 331, NULL },
		{ "PASS wrong", 530, "last attempt" },
		{ NULL, 0, NULL },
	};
	(void)state;
	PLAY(steps);
}

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

/* Each one longer than the one before, also over several connections; nobody else waits. */
static void test_login_failures_slow(void **state)
{
	static const unsigned least[] = { 100, 200, 400, 800, 1600, 1600 };
	struct aftp_server_options o = options;
	struct testd d;
	struct talk guess, other;
	bool quick = false;
	(void)state;
	o.login_delay_ms = 100;
	start(&d, &o);
	talk_login(&other, &d, "root", NULL);
	for (size_t i = 0; i < sizeof(least) / sizeof(least[0]); i++) {
		talk_open(&guess, &d);
		talk_reply(&guess);
		talk_expect(&guess, 331, i % 2 ? "USER secret" : "USER nobody");
		uint64_t from = now_ms();
		talk_send(&guess, "PASS wrong\r\n", 12);
		talk_expect(&other, 257, "PWD");
		talk_expect(&other, 331, "USER secret");
		talk_expect(&other, 230, "PASS secret");
		quick |= now_ms() - from < least[i];
		assert_int_equal(talk_reply(&guess), 530);
		assert_true(now_ms() - from >= least[i] - 1);
		talk_close(&guess);
	}
	assert_true(quick);
	/* Who goes meanwhile leaves nothing behind. */
	talk_open(&guess, &d);
	talk_reply(&guess);
	talk_expect(&guess, 331, "USER secret");
	talk_send(&guess, "PASS wrong\r\n", 12);
	talk_close(&guess);
	talk_close(&other);
	testd_stop(&d);
}

/* --- limits of speed ------------------------------------------------------------------------------- */

enum { BYTES = 400 << 10, SPEED = 1 << 20 };

static char data[BYTES];

struct set_limits {
	enum aftp_limit_level level;
	const char *user;
	struct aftp_limits to;
	int rc;
};

static void job_limits(struct testd *d, void *arg)
{
	struct set_limits *l = arg;
	l->rc = aftp_server_set_limits(d->server, l->level, l->user, &l->to);
}

static int set_limits(struct testd *d, enum aftp_limit_level level, const char *user, uint64_t read, uint64_t write)
{
	struct set_limits l = { level, user, { read, write }, 0 };
	testd_call(d, job_limits, &l);
	return l.rc;
}

static const struct aftp_user limited[] = {
	{ .name = "user", .may = RW, .limits = { SPEED, SPEED } },
	{ .name = "each", .may = RW, .connection_limits = { SPEED, SPEED } },
	{ .name = "free", .may = RW },
};

/* No faster than that, after an idle time too; half of the time is allowed for a burst and a coarse clock. */
static void assert_slow(uint64_t from_ms, uint64_t bytes)
{
	uint64_t took = now_ms() - from_ms, least = bytes * 1000 / SPEED;
	if (took < least * 9 / 10)
		fail_msg("%llu bytes in %llu ms, not %llu", (unsigned long long)bytes, (unsigned long long)took,
			(unsigned long long)least);
}

static void assert_slow_both_ways(struct testd *d, const char *user)
{
	struct talk t;
	size_t n;
	talk_login(&t, d, user, NULL);
	uint64_t from = now_ms();
	talk_store(&t, "STOR up", data, BYTES);
	assert_slow(from, BYTES);
	from = now_ms();
	free(talk_retrieve(&t, "RETR up", &n));
	assert_int_equal(n, BYTES);
	assert_slow(from, BYTES);
	talk_close(&t);
}

static void test_four_levels(void **state)
{
	struct aftp_server_options o = { .users = limited, .nusers = 3, .limits = { SPEED, SPEED } };
	struct testd d;
	(void)state;
	testd_start(&d, &o, false);
	assert_slow_both_ways(&d, "free");
	testd_stop(&d);
	o.limits = (struct aftp_limits){ 0, 0 };
	o.connection_limits = (struct aftp_limits){ SPEED, SPEED };
	testd_start(&d, &o, false);
	assert_slow_both_ways(&d, "free");
	testd_stop(&d);
	o.connection_limits = (struct aftp_limits){ 0, 0 };
	testd_start(&d, &o, false);
	assert_slow_both_ways(&d, "user");
	assert_slow_both_ways(&d, "each");
	testd_stop(&d);
}

/* Two downloads at once, by one thread: both sockets are full of what may come. */
static uint64_t two_downloads(struct testd *d, const char *user)
{
	struct talk t[2];
	int fd[2];
	uint64_t from = now_ms();
	for (int i = 0; i < 2; i++) {
		talk_login(&t[i], d, user, NULL);
		fd[i] = talk_epsv(&t[i]);
		talk_expect(&t[i], 150, "RETR /file");
	}
	for (int i = 0; i < 2; i++) {
		size_t n;
		free(talk_drain(fd[i], &n, NULL));
		assert_int_equal(n, BYTES);
		assert_int_equal(talk_reply(&t[i]), 226);
		talk_close(&t[i]);
	}
	return now_ms() - from;
}

/* A busy machine may be slow; what shares a limit is never fast. */
static bool ever_faster(struct testd *d, const char *user, uint64_t ms)
{
	for (int i = 0; i < 20; i++)
		if (two_downloads(d, user) < ms)
			return true;
	return false;
}

static void test_shared_or_not(void **state)
{
	const struct aftp_server_options o = { .users = limited, .nusers = 3 };
	struct testd d;
	(void)state;
	testd_start(&d, &o, false);
	testd_put(&d, "/file", data, BYTES);
	uint64_t together = 2 * (uint64_t)BYTES * 1000 / SPEED;
	assert_true(two_downloads(&d, "user") >= together * 9 / 10);
	assert_true(ever_faster(&d, "each", together * 9 / 10));
	assert_int_equal(set_limits(&d, AFTP_LIMIT_SERVER, NULL, 0, SPEED), 0);
	assert_true(two_downloads(&d, "free") >= together * 9 / 10);
	assert_int_equal(set_limits(&d, AFTP_LIMIT_SERVER, NULL, 0, 0), 0);
	assert_int_equal(set_limits(&d, AFTP_LIMIT_CONNECTION, NULL, 0, SPEED), 0);
	assert_true(ever_faster(&d, "free", together * 9 / 10));
	testd_stop(&d);
}

/* One byte a second would take days: each change takes hold of what is under way. */
static void test_changed_while_running(void **state)
{
	static const struct {
		enum aftp_limit_level level;
		const char *user;
	} cases[] = {
		{ AFTP_LIMIT_SERVER, NULL },
		{ AFTP_LIMIT_CONNECTION, NULL },
		{ AFTP_LIMIT_USER, "free" },
		{ AFTP_LIMIT_USER_CONNECTION, "free" },
	};
	const struct aftp_server_options o = { .users = limited, .nusers = 3 };
	struct testd d;
	struct talk t;
	(void)state;
	testd_start(&d, &o, false);
	testd_put(&d, "/file", data, BYTES);
	talk_login(&t, &d, "free", NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n;
		assert_int_equal(set_limits(&d, cases[i].level, cases[i].user, 1, 1), 0);
		int fd = talk_epsv(&t);
		talk_expect(&t, 150, "RETR /file");
		assert_int_equal(set_limits(&d, cases[i].level, cases[i].user, 0, 0), 0);
		free(talk_drain(fd, &n, NULL));
		assert_int_equal(n, BYTES);
		assert_int_equal(talk_reply(&t), 226);
	}
	assert_int_equal(set_limits(&d, AFTP_LIMIT_USER, "nobody", 0, 0), AFTP_ENOENT);
	assert_int_equal(set_limits(&d, AFTP_LIMIT_USER, NULL, 0, 0), AFTP_ENOENT);
	assert_int_equal(set_limits(&d, (enum aftp_limit_level)9, NULL, 0, 0), AFTP_EINVAL);
	talk_close(&t);
	testd_stop(&d);
}

/* What a data connection owes is nobody else's to pay. */
static void test_replies_are_not_slowed(void **state)
{
	struct testd d;
	struct talk t, other;
	(void)state;
	testd_start(&d, &(struct aftp_server_options){ .limits = { 1, 1 }, .connection_limits = { 1, 1 } }, false);
	testd_put(&d, "/file", data, BYTES);
	talk_login(&t, &d, "anonymous", "x");
	talk_login(&other, &d, "anonymous", "x");
	int fd = talk_epsv(&t);
	talk_expect(&t, 150, "RETR /file");
	for (int i = 0; i < 20; i++) {
		talk_expect(&other, 214, "HELP");
		talk_expect(&t, 211, "STAT");
	}
	talk_expect(&t, 426, "ABOR");
	assert_int_equal(talk_reply(&t), 226);
	for (int i = 0; i < 20; i++)
		talk_expect(&t, 214, "HELP");
	close(fd);
	talk_close(&t);
	talk_close(&other);
	testd_stop(&d);
}

static void test_idle_time_buys_nothing(void **state)
{
	struct testd d;
	struct talk t;
	size_t n;
	(void)state;
	testd_start(&d, &(struct aftp_server_options){ .limits = { SPEED, SPEED } }, false);
	testd_put(&d, "/file", data, BYTES);
	talk_login(&t, &d, "anonymous", "x");
	free(talk_retrieve(&t, "RETR /file", &n));
	assert_false(talk_ended(&t, 700)); /* as long as the file takes, and more */
	uint64_t from = now_ms();
	free(talk_retrieve(&t, "RETR /file", &n));
	assert_slow(from, BYTES);
	talk_close(&t);
	testd_stop(&d);
}

/* --- what cannot be used ---------------------------------------------------------------------------- */

static void test_bad_users(void **state)
{
	static const struct aftp_permission twice[] = { { "/a", RW }, { "/a/", RW } };
	static const struct aftp_permission relative[] = { { "a", RW } };
	static const struct aftp_permission nothing[] = { { NULL, RW } };
	static const struct aftp_user bad[] = {
		{ .name = "a", .home = "home" },
		{ .name = "a", .home = "" },
		{ .name = "a", .base = "base" },
		{ .name = "a", .permissions = twice, .npermissions = 2 },
		{ .name = "a", .permissions = relative, .npermissions = 1 },
		{ .name = "a", .permissions = nothing, .npermissions = 1 },
	};
	struct testd d;
	(void)state;
	testd_start(&d, NULL, false);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct aftp_server *server = NULL;
		const struct aftp_server_options o = { .vfs = aftp_memfs_vfs(d.fs), .users = &bad[i], .nusers = 1 };
		assert_int_equal(aftp_server_new(&server, &d.loop, &o), AFTP_EINVAL);
	}
	testd_stop(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_home),
		cmocka_unit_test(test_base),
		cmocka_unit_test(test_nearest_parent_wins),
		cmocka_unit_test(test_no_rule_denies),
		cmocka_unit_test(test_renames_keep_rules),
		cmocka_unit_test(test_listing_shows_what_may_be_done),
		cmocka_unit_test(test_user_limit),
		cmocka_unit_test(test_login_failures_end),
		cmocka_unit_test(test_login_failures_slow),
		cmocka_unit_test(test_four_levels),
		cmocka_unit_test(test_shared_or_not),
		cmocka_unit_test(test_changed_while_running),
		cmocka_unit_test(test_replies_are_not_slowed),
		cmocka_unit_test(test_idle_time_buys_nothing),
		cmocka_unit_test(test_bad_users),
	};
	return cmocka_run_group_tests_name("users", tests, NULL, NULL);
}
