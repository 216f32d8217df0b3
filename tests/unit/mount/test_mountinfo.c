#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "mount/mountinfo.h"

static const struct {
	const char *line;
	bool ok;
	unsigned major, minor;
	const char *mountpoint, *type;
} lines[] = {
	{ "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue", true, 98, 0, "/mnt2",
		"ext3" },
	{ "65 26 0:38 / /tmp/mt ro,nosuid - fuse.ftpfs ftp://h/ ro,user_id=0", true, 0, 38, "/tmp/mt", "fuse.ftpfs" },
	{ "65 26 0:38 / /a\\040b\\011c\\134d\\012e rw shared:3 master:4 - fuse x y", true, 0, 38, "/a b\tc\\d\ne",
		"fuse" },
	{ "65 26 0:38 / /a\\04 rw - fuse x y", true, 0, 38, "/a\\04", "fuse" },
	{ "65 26 0:38 / /mnt rw - fuse", true, 0, 38, "/mnt", "fuse" },
	{ "65 26 4294967295:4294967295 / /m rw - t s o", true, 4294967295u, 4294967295u, "/m", "t" },
	{ "65 26 4294967296:0 / /m rw - t s o", false, 0, 0, NULL, NULL },
	{ "65 26 0:38 / /mnt rw", false, 0, 0, NULL, NULL },
	{ "65 26 0:38 / /mnt rw -", false, 0, 0, NULL, NULL },
	{ "65 26 038 / /mnt rw - fuse x y", false, 0, 0, NULL, NULL },
	{ "65 26 0:38x / /mnt rw - fuse x y", false, 0, 0, NULL, NULL },
	{ "65 26 : / /mnt rw - fuse x y", false, 0, 0, NULL, NULL },
	{ "65 26 0:", false, 0, 0, NULL, NULL },
	{ "65 26", false, 0, 0, NULL, NULL },
	{ "", false, 0, 0, NULL, NULL },
};

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct mountinfo m;
		print_message("%s\n", lines[i].line);
		assert_int_equal(mountinfo_parse(&m, lines[i].line, strlen(lines[i].line)), lines[i].ok);
		if (!lines[i].ok)
			continue;
		assert_int_equal(m.major, lines[i].major);
		assert_int_equal(m.minor, lines[i].minor);
		assert_string_equal(m.mountpoint, lines[i].mountpoint);
		assert_string_equal(m.type, lines[i].type);
	}
}

static void test_no_room_for_a_mountpoint(void **state)
{
	char line[2 * PATH_MAX] = "65 26 0:38 / /";
	struct mountinfo m;
	(void)state;
	memset(line + 14, 'x', PATH_MAX);
	memcpy(line + 14 + PATH_MAX, " rw - fuse x y", 15);
	assert_false(mountinfo_parse(&m, line, strlen(line)));
}

static void test_the_newest_counts(void **state)
{
	static const char text[] = "1 0 0:1 / / rw - ext4 x y\n"
				   "2 1 0:2 / /mnt rw - fuse.ftpfs x y\n"
				   "rubbish\n"
				   "3 2 0:3 / /mnt rw - fuse.ftpfs x y\n"
				   "4 1 0:4 / /mnt/sub rw - tmpfs x y";
	struct mountinfo m;
	(void)state;
	assert_true(mountinfo_find(&m, text, strlen(text), "/mnt"));
	assert_int_equal(m.minor, 3);
	assert_true(mountinfo_find(&m, text, strlen(text), "/mnt/sub"));
	assert_int_equal(m.minor, 4);
	assert_false(mountinfo_find(&m, text, strlen(text), "/mn"));
	assert_false(mountinfo_find(&m, "", 0, "/mnt"));
}

/* The kernel's own text: it must agree with stat(2). */
static void test_this_machine(void **state)
{
	struct mountinfo m;
	struct stat st;
	(void)state;
	assert_int_equal(stat("/proc", &st), 0);
	assert_true(mountinfo_find_self(&m, "/proc"));
	assert_int_equal(m.major, major(st.st_dev));
	assert_int_equal(m.minor, minor(st.st_dev));
	assert_string_equal(m.type, "proc");
	assert_false(mountinfo_find_self(&m, "/proc/self"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_no_room_for_a_mountpoint),
		cmocka_unit_test(test_the_newest_counts),
		cmocka_unit_test(test_this_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
