/* fsnames DIR TRUTH [ONLY]  - awkward names, each through the life of a file and of a directory, seen in both views of the
 * folder (fsops.h). One line a row: what the names are, a tab, "yes" or the errno of the first that could not be. */
#include "fsops.h"

static const char *const *row_names;
static size_t row_count;

/* Listed just once in the current folder. */
static int listed(const char *name)
{
	static struct names n;
	int found = 0;

	if (read_names(".", &n) < 0)
		return -EBADE;
	for (size_t i = 0; i < n.n; i++)
		found += strcmp(n.name[i], name) == 0;
	free_names(&n);
	return found == 1 ? 0 : wrong("\"%s\" is listed %d times", name, found);
}

static int as_file(const char *name)
{
	int rc = put_text(name, name);

	if (rc == 0)
		rc = is_text(name, name);
	if (rc == 0)
		rc = listed(name);
	if (rc == 0 && rename(name, "plain") < 0)
		rc = -errno;
	if (rc == 0)
		rc = absent(name);
	if (rc == 0 && rename("plain", name) < 0)
		rc = -errno;
	if (rc == 0)
		rc = is_text(name, name);
	if (rc == 0 && unlink(name) < 0)
		rc = -errno;
	return rc ? rc : absent(name);
}

static int as_directory(const char *name)
{
	char inside[600];
	int rc = mkdir(name, 0755) < 0 ? -errno : 0;

	(void)snprintf(inside, sizeof inside, "%s/in side", name);
	if (rc == 0)
		rc = put_text(inside, "inside");
	if (rc == 0)
		rc = is_text(inside, "inside");
	if (rc == 0 && rmdir(name) == 0)
		rc = wrong("a full directory was removed");
	if (rc == 0)
		rc = listed(name);
	if (rc == 0 && (unlink(inside) < 0 || rmdir(name) < 0))
		rc = -errno;
	return rc ? rc : absent(name);
}

/* What could not be leaves nothing. */
static void sweep(const char *name)
{
	char inside[600];

	(void)snprintf(inside, sizeof inside, "%s/in side", name);
	(void)unlink(inside);
	(void)rmdir(name);
	(void)unlink(name);
	(void)unlink("plain");
}

static int each_name(void)
{
	int rc = put_text("beside", "beside");

	for (size_t i = 0; i < row_count && rc == 0; i++) {
		rc = as_file(row_names[i]);
		if (rc == 0)
			rc = as_directory(row_names[i]);
		if (rc)
			sweep(row_names[i]);
	}
	return rc ? rc : is_text("beside", "beside");
}

static int controls(void)
{
	char name[8];
	int rc = 0;

	for (int c = 1; c <= 127 && rc == 0; c++) {
		if ((c >= 32 && c < 127) || c == '\r' || c == '\n')
			continue;
		(void)snprintf(name, sizeof name, "a%cb", c);
		rc = as_file(name);
		if (rc)
			sweep(name);
	}
	return rc;
}

static int line_ends(void)
{
	static const char *const bad[] = { "a\nb", "a\rb", "\r", "\nDELE x" };
	int rc = put_text("x", "x");

	for (size_t i = 0; i < sizeof bad / sizeof bad[0] && rc == 0; i++) {
		if (mkdir(bad[i], 0755) == 0 || put_text(bad[i], "") == 0 || rename("x", bad[i]) == 0 ||
			symlink("x", bad[i]) == 0)
			return wrong("a line end in a name passed");
		rc = refused(mkdir(bad[i], 0755), EINVAL);
		if (rc == 0)
			rc = refused(rename("x", bad[i]), EINVAL);
		if (rc == 0)
			rc = put_text(bad[i], "") == -EINVAL ? 0 : wrong("create: %s", strerrorname_np(errno));
	}
	return rc ? rc : is_text("x", "x");
}

static int long_names(void)
{
	char name[257];
	int rc;

	memset(name, 'n', 256);
	name[256] = '\0';
	rc = refused(mkdir(name, 0755), ENAMETOOLONG);
	name[255] = '\0';
	if (rc == 0)
		rc = as_file(name);
	return rc ? rc : as_directory(name);
}

struct name_row {
	const char *what;
	const char *names[24];
};

static const struct name_row rows[] = {
	{ "names with spaces inside", { "a b", "two  spaces", "a b c d" } },
	{ "names with leading spaces", { " a", "  a b" } },
	{ "names with trailing spaces", { "a ", "a b  " } },
	{ "names of spaces only", { " ", "   " } },
	{ "names with quotes", { "it's", "\"quoted\"", "a\"b", "`tick`", "\"\"" } },
	{ "names with [ ] ? { }", { "[1]", "x[ab]y", "what?", "{a,b}", "]", "?" } },
	{ "names with *", { "*", "a*b" } },
	{ "names with # % + & ; | $ ~ @ = , :",
		{ "#hash", "100%", "%41", "plus+plus", "a&b", "semi;colon", "a|b", "$HOME", "~", "~tilde", "a@b", "a=b",
			"a,b", "a:b", "type=dir; c" } },
	{ "names with a backslash", { "back\\slash", "\\" } },
	{ "names with ->", { "a -> b", "->", " -> x" } },
	{ "names with a leading dash", { "-a", "--help", "-la x", "-" } },
	{ "names with a leading dot", { ".hidden", "...", "..x" } },
	{ "names like replies", { "226 Done", "total 12", "250-x", "421" } },
	{ "names in UTF-8", { "na\303\257ve", "\346\227\245\346\234\254", "\360\237\230\200" } },
	{ "names that are not UTF-8", { "caf\351", "\200", "a\300b" } },
	{ "names with a byte of 255", { "a\377b", "\377\376", "\377" } },
};

int main(int argc, char **argv)
{
	static const struct row special[] = {
		{ "names with control characters", controls },
		{ "names with CR or LF are refused (EINVAL)", line_ends },
		{ "names of 255 bytes", long_names },
	};
	const char *only = argc > 3 ? argv[3] : NULL;
	int bad = 0;

	if (argc < 3) {
		(void)fputs("usage: fsnames DIR TRUTH [ONLY]\n", stderr);
		return 2;
	}
	tops[0] = argv[1];
	tops[1] = argv[2];
	(void)umask(022);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row row = { rows[i].what, each_name };
		char prefix[16];

		(void)snprintf(prefix, sizeof prefix, "name%02zu-", i);
		row_names = rows[i].names;
		for (row_count = 0; row_names[row_count]; row_count++)
			;
		bad |= run_rows(&row, 1, prefix, only);
	}
	return bad | run_rows(special, sizeof special / sizeof special[0], "names-", only);
}
