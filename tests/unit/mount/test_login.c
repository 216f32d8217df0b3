#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <aftp/status.h>

#include "mount/login.h"

/* A folder that serves as HOME. */
static int set_up(void **state)
{
	char *dir = strdup("/tmp/test_login.XXXXXX");
	if (dir == NULL || mkdtemp(dir) == NULL)
		return -1;
	*state = dir;
	return setenv("HOME", dir, 1);
}

static int tear_down(void **state)
{
	char path[300];
	static const char *const names[] = { "/.netrc", "/cred" };
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s%s", (char *)*state, names[i]);
		unlink(path);
	}
	int rc = rmdir(*state);
	free(*state);
	return rc;
}

static void put(void **state, const char *name, const char *text, mode_t mode)
{
	char path[300];
	snprintf(path, sizeof(path), "%s/%s", (char *)*state, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

struct result {
	struct options o;
	char why[300], warning[300];
	int rc;
};

/* Options as the parser leaves them; $ in `option` stands for HOME. */
static void find(void **state, struct result *r, const char *url, const char *option)
{
	char *words[] = { strdup("ftpfs"), strdup("-o"), NULL, strdup(url), strdup("/m"), NULL };
	const char *dollar = strchr(option, '$');
	int before = dollar != NULL ? (int)(dollar - option) : (int)strlen(option);
	*r = (struct result){ 0 };
	assert_true(asprintf(&words[2], "%.*s%s%s", before, option, dollar != NULL ? (char *)*state : "",
			    dollar != NULL ? dollar + 1 : "") > 0);
	assert_int_equal(options_parse(&r->o, 5, words, r->why, sizeof(r->why)), 0);
	r->rc = login_find(&r->o, r->why, sizeof(r->why), r->warning, sizeof(r->warning));
	assert_int_equal(r->rc < 0, r->why[0] != '\0');
	for (size_t i = 0; i < 5; i++)
		free(words[i]);
}

static void same(const char *have, const char *want)
{
	if (want == NULL) {
		assert_null(have);
	} else {
		assert_non_null(have);
		assert_string_equal(have, want);
	}
}

static void expect(void **state, const char *url, const char *option, const char *user, const char *password)
{
	struct result r;
	print_message("%s %s\n", url, option);
	find(state, &r, url, option);
	assert_string_equal(r.why, "");
	assert_int_equal(r.rc, 0);
	same(r.o.user, user);
	same(r.o.password, password);
	options_finish(&r.o);
}

static void test_url_and_options(void **state)
{
	expect(state, "ftp://h", "ro", NULL, NULL);
	expect(state, "ftp://joe:pw@h", "ro", "joe", "pw");
	expect(state, "ftp://joe:@h", "ro", "joe", "");
	expect(state, "ftp://h", "user=joe,password=pw", "joe", "pw");
	expect(state, "ftp://joe@h", "password=pw", "joe", "pw");
	expect(state, "ftp://joe:url@h", "password=option", "joe", "option");
	expect(state, "ftp://joe:url@h", "user=joe", "joe", "url");
	/* The password of another user is no password. */
	expect(state, "ftp://joe:url@h", "user=ann", "ann", NULL);
}

static void test_netrc(void **state)
{
	put(state, ".netrc", "machine h login joe password net\nmachine g login ann password other\n", 0600);
	expect(state, "ftp://h", "ro", "joe", "net");
	expect(state, "ftp://joe@h", "ro", "joe", "net");
	expect(state, "ftp://h", "user=joe", "joe", "net");
	expect(state, "ftp://ann@h", "ro", "ann", NULL);
	expect(state, "ftp://i", "ro", NULL, NULL);
	expect(state, "ftp://joe:url@h", "ro", "joe", "url");
	expect(state, "ftp://h", "no_netrc", NULL, NULL);
	put(state, "cred", "machine h login cred password cred\n", 0600);
	expect(state, "ftp://h", "netrc=$/cred", "cred", "cred");
}

static void test_netrc_without_home(void **state)
{
	char *home = strdup(getenv("HOME"));
	struct result r;
	assert_non_null(home);
	setenv("HOME", "", 1);
	find(state, &r, "ftp://host.invalid", "ro");
	assert_int_equal(r.rc, 0);
	options_finish(&r.o);
	setenv("HOME", home, 1);
	free(home);
}

static void test_netrc_that_others_can_read(void **state)
{
	struct result r;
	put(state, ".netrc", "machine h login joe password net\n", 0644);
	find(state, &r, "ftp://h", "ro");
	assert_int_equal(r.rc, 0);
	assert_null(r.o.user);
	assert_non_null(strstr(r.warning, ".netrc is not used"));
	options_finish(&r.o);
}

static void test_bad_netrc(void **state)
{
	struct result r;
	put(state, ".netrc", "machine h login \"joe\n", 0600);
	find(state, &r, "ftp://h", "ro");
	assert_int_equal(r.rc, AFTP_EPROTO);
	assert_non_null(strstr(r.why, ".netrc: a quote is not closed"));
	options_finish(&r.o);
	find(state, &r, "ftp://h", "netrc=$/missing");
	assert_int_equal(r.rc, AFTP_ENOENT);
	assert_non_null(strstr(r.why, "/missing: No such file"));
	options_finish(&r.o);
}

static void test_credentials(void **state)
{
	put(state, ".netrc", "machine h login net password net\n", 0600);
	put(state, "cred", "# mine\nusername=joe\r\n password=p w=#x\n\n", 0600);
	expect(state, "ftp://h", "credentials=$/cred", "joe", "p w=#x");
	expect(state, "ftp://url:url@h", "credentials=$/cred", "joe", "p w=#x");
	expect(state, "ftp://h", "user=ann,password=o,credentials=$/cred", "ann", "o");
}

static void test_other_secrets(void **state)
{
	struct result r;
	put(state, "cred", "username=joe\npassword=x\nproxy_user=ann:y\nkey_password=z\n", 0600);
	find(state, &r, "ftps://h", "credentials=$/cred");
	assert_int_equal(r.rc, 0);
	assert_string_equal(r.o.proxy_user, "ann:y");
	assert_string_equal(r.o.key_password, "z");
	options_finish(&r.o);
}

static void test_bad_credentials(void **state)
{
	struct result r;
	put(state, "cred", "username=joe\npassword=x\n", 0640);
	find(state, &r, "ftp://h", "credentials=$/cred");
	assert_int_equal(r.rc, AFTP_EACCES);
	assert_non_null(strstr(r.why, "others can read it"));
	options_finish(&r.o);
	put(state, "cred", "username=joe\nsecret\n", 0600);
	find(state, &r, "ftp://h", "credentials=$/cred");
	assert_int_equal(r.rc, AFTP_EPROTO);
	assert_null(strstr(r.why, "secret"));
	options_finish(&r.o);
	put(state, "cred", "password=x\n", 0600);
	find(state, &r, "ftp://h", "credentials=$/cred");
	assert_int_equal(r.rc, AFTP_EINVAL);
	assert_non_null(strstr(r.why, "without a user"));
	options_finish(&r.o);
	find(state, &r, "ftp://h", "credentials=$/missing");
	assert_int_equal(r.rc, AFTP_ENOENT);
	options_finish(&r.o);
	find(state, &r, "ftp://h", "credentials=$");
	assert_true(r.rc < 0);
	options_finish(&r.o);
}

/* Standard input is replaced by a pipe that holds `text`. */
static void feed(const char *text)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
	close(ends[1]);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
}

static void test_password_on_stdin(void **state)
{
	struct result r;
	feed("from stdin\r\nnext\n");
	expect(state, "ftp://joe:url@h", "password_stdin", "joe", "from stdin");
	expect(state, "ftp://joe:url@h", "password_stdin,password=x", "joe", "next");
	feed("no line end");
	expect(state, "ftp://joe@h", "password_stdin", "joe", "no line end");
	feed("\n");
	expect(state, "ftp://joe@h", "password_stdin", "joe", "");
	feed("");
	find(state, &r, "ftp://joe@h", "password_stdin");
	assert_int_equal(r.rc, AFTP_EOF);
	assert_non_null(strstr(r.why, "standard input"));
	options_finish(&r.o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_url_and_options, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_netrc, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_netrc_without_home, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_netrc_that_others_can_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_netrc, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_credentials, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_secrets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_credentials, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_password_on_stdin, set_up, tear_down),
	};
	/* A user without a password would be asked at a terminal. */
	int null = open("/dev/null", O_RDONLY);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
