/* fstree DIR TRUTH [ONLY]  - what can be done to names and attributes, checked in both views of the folder (fsops.h). One
 * line a row: its name, a tab, the outcome. ONLY: just the rows with this in their name. */
#include "fsops.h"

#include <sys/file.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>

#include <linux/fs.h>

/* --- names that come, go and move ------------------------------------------------------------------ */

static int make_dirs(void)
{
	struct stat st;

	SYS(mkdir("a", 0755));
	SYS(mkdir("a/b", 0755));
	TRY(put_text("a/b/file", "deep"));
	TRY(is_text("a/b/file", "deep"));
	SYS(stat("a", &st));
	if (!S_ISDIR(st.st_mode))
		return wrong("no directory");
	TRY(refused(mkdir("a", 0755), EEXIST));
	TRY(refused(mkdir("none/b", 0755), ENOENT));
	return refused(mkdir("a/b/file/c", 0755), ENOTDIR);
}

static int remove_dirs(void)
{
	SYS(mkdir("a", 0755));
	SYS(mkdir("a/b", 0755));
	TRY(refused(rmdir("a"), ENOTEMPTY));
	TRY(put_text("file", "x"));
	TRY(refused(rmdir("file"), ENOTDIR));
	TRY(refused(rmdir("none"), ENOENT));
	SYS(rmdir("a/b"));
	SYS(rmdir("a"));
	return absent("a");
}

static int remove_files(void)
{
	TRY(put_text("file", "x"));
	SYS(mkdir("dir", 0755));
	TRY(refused(unlink("dir"), EISDIR));
	TRY(refused(unlink("none"), ENOENT));
	SYS(unlink("file"));
	TRY(absent("file"));
	TRY(put_text("file", "again"));
	return is_text("file", "again");
}

static int remove_open(void)
{
	char *b = bytes(12, 50 * KB), part[100];
	int fd;

	TRY(put("file", b, 50 * KB));
	fd = open_file("file", O_RDWR);
	TRY(fd);
	SYS(unlink("file"));
	TRY(absent("file"));
	if (pread(fd, part, 100, 40000) != 100 || memcmp(part, b + 40000, 100) != 0)
		return wrong("what is open cannot be read any more: %s", strerror(errno));
	TRY(write_all(fd, "written", 7, 100));
	if (pread(fd, part, 7, 100) != 7 || memcmp(part, "written", 7) != 0)
		return wrong("what is open cannot be written any more");
	TRY(put_text("file", "another"));
	TRY(close_with(fd, 0));
	return is_text("file", "another");
}

static int rename_plain(void)
{
	TRY(put_text("a", "content"));
	SYS(mkdir("dir", 0755));
	SYS(rename("a", "b"));
	TRY(absent("a"));
	TRY(is_text("b", "content"));
	SYS(rename("b", "dir/c"));
	TRY(absent("b"));
	TRY(is_text("dir/c", "content"));
	TRY(refused(rename("none", "x"), ENOENT));
	SYS(rename("dir/c", "dir/c"));
	return is_text("dir/c", "content");
}

static int rename_over_file(void)
{
	TRY(put_text("a", "new content"));
	TRY(put_text("b", "old"));
	SYS(rename("a", "b"));
	TRY(absent("a"));
	return is_text("b", "new content");
}

static int rename_over_open(void)
{
	char part[8] = "";
	int fd;

	TRY(put_text("a", "new"));
	TRY(put_text("b", "old"));
	fd = open_file("b", O_RDONLY);
	TRY(fd);
	SYS(rename("a", "b"));
	if (read(fd, part, sizeof part) != 3 || memcmp(part, "old", 3) != 0)
		return wrong("the file that was replaced cannot be read by who has it open");
	TRY(is_text("b", "new"));
	return close_with(fd, 0);
}

static int rename_written(void)
{
	int fd = open_file("a", O_WRONLY | O_CREAT);

	TRY(fd);
	TRY(write_all(fd, "one", 3, -1));
	SYS(rename("a", "b"));
	TRY(write_all(fd, "two", 3, -1));
	TRY(close_with(fd, 0));
	TRY(absent("a"));
	return is_text("b", "onetwo");
}

static int rename_dirs(void)
{
	SYS(mkdir("a", 0755));
	TRY(put_text("a/file", "inside"));
	SYS(rename("a", "b"));
	TRY(absent("a"));
	TRY(is_text("b/file", "inside"));
	TRY(put_text("b/other", "more"));
	TRY(is_text("b/other", "more"));
	TRY(refused(rename("b", "b/c"), EINVAL));
	return 0;
}

static int rename_over_dir(void)
{
	SYS(mkdir("a", 0755));
	TRY(put_text("a/file", "inside"));
	SYS(mkdir("empty", 0755));
	SYS(mkdir("full", 0755));
	TRY(put_text("full/x", "x"));
	TRY(put_text("file", "x"));
	if (rename("a", "full") == 0 || (errno != ENOTEMPTY && errno != EEXIST))
		return wrong("over a full directory: %s", strerrorname_np(errno));
	TRY(refused(rename("file", "empty"), EISDIR));
	TRY(refused(rename("a", "file"), ENOTDIR));
	TRY(is_text("a/file", "inside"));
	TRY(is_text("full/x", "x"));
	SYS(rename("a", "empty"));
	TRY(absent("a"));
	return is_text("empty/file", "inside");
}

static int rename_noreplace(void)
{
	TRY(put_text("a", "a"));
	TRY(put_text("b", "b"));
	TRY(refused(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE), EEXIST));
	TRY(is_text("a", "a"));
	TRY(is_text("b", "b"));
	SYS(renameat2(AT_FDCWD, "a", AT_FDCWD, "c", RENAME_NOREPLACE));
	TRY(absent("a"));
	return is_text("c", "a");
}

static int rename_exchange(void)
{
	TRY(put_text("a", "a"));
	TRY(put_text("b", "b"));
	return renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE) < 0 ? -errno : 0;
}

static int make_node(void)
{
	SYS(mknod("file", S_IFREG | 0644, 0));
	TRY(is("file", "", 0));
	return refused(mknod("file", S_IFREG | 0644, 0), EEXIST);
}

static int make_fifo(void)
{
	return mkfifo("fifo", 0644) < 0 ? -errno : 0;
}

static int hard_link(void)
{
	TRY(put_text("a", "a"));
	return link("a", "b") < 0 ? -errno : 0;
}

static int symbolic_link(void)
{
	char target[64];

	TRY(put_text("file", "through"));
	SYS(symlink("file", "link"));
	ssize_t n = readlink("link", target, sizeof target);
	if (n != 4 || memcmp(target, "file", 4) != 0)
		return wrong("readlink: %zd %s", n, strerror(errno));
	TRY(is_text("link", "through"));
	SYS(symlink("nowhere", "dangling"));
	if (readlink("dangling", target, sizeof target) != 7)
		return wrong("readlink of a dangling link");
	TRY(refused(symlink("file", "link"), EEXIST));
	SYS(rename("link", "moved"));
	TRY(is_text("moved", "through"));
	SYS(unlink("moved"));
	TRY(absent("moved"));
	return is_text("file", "through");
}

static int absolute_link(void)
{
	char target[64];

	SYS(symlink("/", "link"));
	if (readlink("link", target, sizeof target) != 1 || target[0] != '/')
		return wrong("readlink");
	TRY(refused(symlink("/", "link"), EEXIST));
	SYS(unlink("link"));
	return absent("link");
}

/* --- attributes ----------------------------------------------------------------------------------- */

static int mode_is(const char *name, mode_t want)
{
	char path[8192];
	struct stat a, b;

	(void)snprintf(path, sizeof path, "%s/%s", truth, name);
	if (stat(name, &a) < 0 || stat(path, &b) < 0)
		return wrong("%s: %s", name, strerror(errno));
	if ((a.st_mode & 07777) != want || (b.st_mode & 07777) != want)
		return wrong("%s: %o, on the server %o", name, a.st_mode & 07777, b.st_mode & 07777);
	return 0;
}

static int change_mode(void)
{
	TRY(put_text("file", "x"));
	SYS(mkdir("dir", 0755));
	SYS(chmod("file", 0640));
	TRY(mode_is("file", 0640));
	SYS(chmod("file", 0755));
	TRY(mode_is("file", 0755));
	SYS(chmod("dir", 0700));
	return mode_is("dir", 0700);
}

static int change_mode_open(void)
{
	int fd = open_file("file", O_WRONLY | O_CREAT);

	TRY(fd);
	TRY(write_all(fd, "text", 4, -1));
	SYS(fchmod(fd, 0600));
	TRY(write_all(fd, "more", 4, -1));
	TRY(close_with(fd, 0));
	TRY(is_text("file", "textmore"));
	return mode_is("file", 0600);
}

static int change_owner_same(void)
{
	struct stat st;

	TRY(put_text("file", "x"));
	SYS(stat("file", &st));
	SYS(chown("file", st.st_uid, st.st_gid));
	SYS(chown("file", (uid_t)-1, (gid_t)-1));
	return 0;
}

static int change_owner(void)
{
	TRY(put_text("file", "x"));
	return chown("file", 12345, 12345) < 0 ? -errno : 0;
}

static int time_is(const char *name, time_t want)
{
	char path[8192];
	struct stat a, b;

	(void)snprintf(path, sizeof path, "%s/%s", truth, name);
	if (stat(name, &a) < 0 || stat(path, &b) < 0)
		return wrong("%s: %s", name, strerror(errno));
	if (a.st_mtime != want)
		return wrong("%s: time %lld, should be %lld", name, (long long)a.st_mtime, (long long)want);
	/* A second mount knows what the listing tells: perhaps only the day. */
	if (b.st_mtime > want || want - b.st_mtime >= 86400)
		return wrong(
			"%s: time on the server %lld, should be %lld", name, (long long)b.st_mtime, (long long)want);
	return 0;
}

static int set_time(const char *name, time_t t)
{
	struct timespec ts[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = t } };

	return utimensat(AT_FDCWD, name, ts, 0) < 0 ? -errno : 0;
}

static int file_time(void)
{
	struct stat st;

	TRY(put_text("file", "x"));
	TRY(set_time("file", 981173106));
	TRY(time_is("file", 981173106));
	TRY(set_time("file", 1600000000));
	TRY(time_is("file", 1600000000));
	SYS(utimensat(AT_FDCWD, "file", NULL, 0));
	SYS(stat("file", &st));
	if (llabs((long long)st.st_mtime - (long long)time(NULL)) > 100)
		return wrong("touch sets another time than now");
	return is_text("file", "x");
}

static int file_time_open(void)
{
	struct timespec ts[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 981173106 } };
	int fd = open_file("file", O_WRONLY | O_CREAT);

	TRY(fd);
	TRY(write_all(fd, "text", 4, -1));
	SYS(futimens(fd, ts));
	TRY(close_with(fd, 0));
	TRY(is_text("file", "text"));
	return time_is("file", 981173106);
}

static int dir_time(void)
{
	SYS(mkdir("dir", 0755));
	TRY(set_time("dir", 981173106));
	return time_is("dir", 981173106);
}

static int statistics(void)
{
	struct statvfs v;

	SYS(statvfs(".", &v));
	return v.f_namemax >= 255 && v.f_bsize > 0 ? 0 : wrong("statvfs: namemax %lu", v.f_namemax);
}

static int accessible(void)
{
	TRY(put_text("file", "x"));
	SYS(access("file", R_OK | W_OK));
	SYS(access(".", R_OK | W_OK | X_OK));
	return refused(access("none", F_OK), ENOENT);
}

/* --- locks ---------------------------------------------------------------------------------------- */

static int flocks(void)
{
	int a, b;

	TRY(put_text("file", "x"));
	a = open_file("file", O_RDWR);
	b = open_file("file", O_RDWR);
	TRY(a < b ? a : b);
	SYS(flock(a, LOCK_EX | LOCK_NB));
	TRY(refused(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK));
	SYS(flock(a, LOCK_UN));
	SYS(flock(b, LOCK_EX | LOCK_NB));
	TRY(close_with(a, 0));
	return close_with(b, 0);
}

static int record_locks(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 10 };
	int fd, status = 0;
	pid_t pid;

	TRY(put_text("file", "x"));
	fd = open_file("file", O_RDWR);
	TRY(fd);
	SYS(fcntl(fd, F_SETLK, &l));
	pid = fork();
	SYS(pid);
	if (pid == 0) {
		struct flock other = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 15, .l_len = 1 };
		int mine = open("file", O_RDWR);

		if (fcntl(mine, F_SETLK, &other) == 0 || (errno != EAGAIN && errno != EACCES))
			_exit(1);
		other.l_start = 20;
		_exit(fcntl(mine, F_SETLK, &other) == 0 ? 0 : 2);
	}
	SYS(waitpid(pid, &status, 0));
	if (status)
		return wrong("another process: status %x", (unsigned)status);
	return close_with(fd, 0);
}

/* -------------------------------------------------------------------------------------------------- */

static const struct row rows[] = {
	{ "mkdir", make_dirs },
	{ "rmdir", remove_dirs },
	{ "unlink", remove_files },
	{ "unlink an open file", remove_open },
	{ "rename", rename_plain },
	{ "rename over a file", rename_over_file },
	{ "rename over an open file", rename_over_open },
	{ "rename a file that is being written", rename_written },
	{ "rename a directory", rename_dirs },
	{ "rename over an empty directory", rename_over_dir },
	{ "rename with RENAME_NOREPLACE", rename_noreplace },
	{ "rename with RENAME_EXCHANGE", rename_exchange },
	{ "mknod of a file", make_node },
	{ "mkfifo", make_fifo },
	{ "link", hard_link },
	{ "symlink to a relative path", symbolic_link },
	{ "symlink to an absolute path", absolute_link },
	{ "chmod", change_mode },
	{ "fchmod while writing", change_mode_open },
	{ "chown to the same owner", change_owner_same },
	{ "chown to another", change_owner },
	{ "utimens of a file", file_time },
	{ "futimens while writing", file_time_open },
	{ "utimens of a directory", dir_time },
	{ "statfs", statistics },
	{ "access", accessible },
	{ "flock", flocks },
	{ "fcntl locks", record_locks },
};

int main(int argc, char **argv)
{
	if (argc < 3) {
		(void)fputs("usage: fstree DIR TRUTH [ONLY]\n", stderr);
		return 2;
	}
	tops[0] = argv[1];
	tops[1] = argv[2];
	(void)umask(022);
	return run_rows(rows, sizeof rows / sizeof rows[0], "tree", argc > 3 ? argv[3] : NULL);
}
