/* Where links may point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <aftp/status.h>

#include "remote/symlink.h"

struct link {
	const char *target;
	unsigned depth;
	const char *base;
	const char *plain;     /* contained; NULL: refused */
	const char *transform; /* and transformed */
};

static const struct link links[] = {
	{ "x", 0, "/", "x", "x" },
	{ "a/b", 3, "/", "a/b", "a/b" },
	{ "./a", 0, "/", "./a", "./a" },
	{ "..", 0, "/", NULL, NULL },
	{ "..", 1, "/", "..", ".." },
	{ "../x", 1, "/", "../x", "../x" },
	{ "../../x", 1, "/", NULL, NULL },
	{ "../../x", 2, "/", "../../x", "../../x" },
	{ "..//../x", 2, "/", "..//../x", "..//../x" },
	{ "./../x", 1, "/", "./../x", "./../x" },
	{ "./../x", 0, "/", NULL, NULL },
	{ "a/../x", 5, "/", NULL, NULL },
	{ "../a/../x", 5, "/", NULL, NULL },
	{ "a/..", 5, "/", NULL, NULL },
	{ "..a/...", 0, "/", "..a/...", "..a/..." },
	{ "/etc/passwd", 0, "/", NULL, "etc/passwd" },
	{ "/etc/passwd", 2, "/", NULL, "../../etc/passwd" },
	{ "/", 2, "/", NULL, "../.." },
	{ "/", 0, "/", NULL, "." },
	{ "//x", 0, "/", NULL, "x" },
	{ "/pub/x", 1, "/pub", NULL, "../x" },
	{ "/pub", 1, "/pub", NULL, ".." },
	{ "/public/x", 1, "/pub", NULL, NULL },
	{ "/other/x", 1, "/pub", NULL, NULL },
	{ "/pub/../etc/passwd", 1, "/pub", NULL, NULL },
	{ "", 0, "/", "", "" },
};

static void check(const struct link *l, bool contain, bool transform, const char *want)
{
	const struct symlink_rules rules = { .contain = contain, .transform = transform, .base = l->base };
	char *got = NULL;
	int rc = symlink_shape(&got, &rules, l->target, l->depth);

	if (rc != (want ? 0 : -EPERM) || (want && strcmp(got, want) != 0))
		fail_msg("%s at %u: %d %s, not %s", l->target, l->depth, rc, got ? got : "-", want ? want : "-");
	free(got);
}

static void all(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
		check(&links[i], true, false, links[i].plain);
		check(&links[i], true, true, links[i].transform);
		check(&links[i], false, false, links[i].target);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
