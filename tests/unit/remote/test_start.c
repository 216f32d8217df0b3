/* How a site begins: which directory is its root, and what that costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <aftp/status.h>

#include "lib/scripted.h"
#include "lib/site_fixture.h"
#include "remote/internal.h"

#define IN    SAY("220 ready"), REPLY("USER", "331 password"), REPLY("PASS", "230 ok"), REPLY("TYPE I", "200 ok")
#define WHAT  REPLY("FEAT", "502 no")
#define UTF_8 REPLY("FEAT", "211-Features:\r\n UTF8\r\n211 End"), REPLY("OPTS UTF8 ON", "200 on")

struct row {
	const char *name, *path;
	int status;
	const char *root;    /* where it is; or words of the reason why there is none */
	const char *segment; /* was sent in one piece; NULL: it does not matter */
	struct step script[16];
};

static const struct row rows[] = {
	{ "no path", NULL, 0, "/home/joe", "TYPE I+PWD+FEAT+", { IN, REPLY("PWD", "257 \"/home/joe\""), WHAT, END } },
	{ "a path", "/a b", 0, "/a b", "TYPE I+CWD /a b+PWD+FEAT+",
		{ IN, REPLY("CWD /a b", "250 ok"), REPLY("PWD", "257 \"/a b/\""), WHAT, END } },
	{ "FEAT is not waited for", NULL, 0, "/", NULL, { IN, REPLY("PWD", "257 \"/\""), WANT("FEAT"), END } },
	{ "nor is it when it comes first", NULL, 0, "/x", NULL,
		{ IN, WANT("PWD"), WANT("FEAT"), SAY("257 \"/x\""), SAY("502 no"), END } },
	{ "no answer to PWD", "/pub", 0, "/pub", NULL,
		{ IN, REPLY("CWD", "250 ok"), REPLY("PWD", "502 no"), WHAT, END } },
	{ "a path that OPTS may change", "/\xc3\xbc", 0, "/\xc3\xbc", "CWD /\xc3\xbc+PWD+",
		{ IN, UTF_8, REPLY("CWD /\xc3\xbc", "250 ok"), REPLY("PWD", "257 \"/\xc3\xbc\""), END } },
	{ "an answer that OPTS may change", NULL, 0, "/\xc3\xbc", "TYPE I+PWD+FEAT+",
		{ IN, REPLY("PWD", "257 \"/\xfc\""), UTF_8, REPLY("PWD", "257 \"/\xc3\xbc\""), END } },
	{ "not there", "/no", AFTP_ENOENT, "no such place", NULL,
		{ IN, REPLY("CWD", "550 no such place"), REPLY("PWD", "257 \"/\""), WANT("FEAT"), END } },
	{ "not allowed in", NULL, AFTP_ELOGIN, "go away", NULL,
		{ SAY("220 ready"), REPLY("USER", "331 password"), REPLY("PASS", "530 go away"), END } },
	{ "lost before PWD was answered", NULL, AFTP_ECONNRESET, "", NULL, { IN, DO(STEP_CLOSE), END } },
	{ "lost when only PWD was left", "/x\xfc", AFTP_ECONNRESET, "", NULL,
		{ IN, WHAT, REPLY("CWD", "250 ok"), DO(STEP_CLOSE), END } },
};

static void check(const struct row *row)
{
	struct scripted s;
	struct fixture f;
	int status;

	fixture_init(&f);
	scripted_start(&s, &f.loop, row->script);
	f.options.port = s.port;
	f.options.no_arm = true;
	f.options.path = row->path;
	status = fixture_mount(&f);
	if (status != row->status)
		fail_msg("%s: %s, not %s: %s", row->name, aftp_err_name(status), aftp_err_name(row->status), f.why);
	if (status == 0) {
		char *root = node_path(&f.site->nodes, f.site->nodes.root, NULL);

		assert_string_equal(root, row->root);
		free(root);
	} else if (!strstr(f.why, row->root)) {
		fail_msg("%s: %s", row->name, f.why);
	}
	if (row->segment && !strstr(s.segments, row->segment))
		fail_msg("%s: sent: %s", row->name, s.segments);
	fixture_unmount(&f);
	assert_string_equal(s.trouble, "");
	scripted_stop(&s);
	fixture_finish(&f);
}

static void all(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check(&rows[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
