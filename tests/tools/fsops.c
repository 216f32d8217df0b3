/* fsops DIR TRUTH [ONLY]  - what can be done to the bytes of files, with a check of each outcome in both views
 * of the folder (fsops.h). One line a row: its name, a tab, the outcome. ONLY: just the rows with this in their name. */
#include "fsops.h"

#include <sys/mman.h>
#include <sys/wait.h>

/* --- new files and their bytes -------------------------------------------------------------------- */

static int create_write(void)
{
	char *b = bytes(1, 300 * KB);

	TRY(put("file", b, 300 * KB));
	TRY(is("file", b, 300 * KB));
	TRY(put("small", b, 1));
	TRY(is("small", b, 1));
	return 0;
}

static int create_empty(void)
{
	TRY(put("file", "", 0));
	return is("file", "", 0);
}

static int create_exclusive(void)
{
	TRY(put_at("file", O_WRONLY | O_CREAT | O_EXCL, "one", 3));
	TRY(refused(open("file", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST));
	return is_text("file", "one");
}

static int create_with_mode(void)
{
	char path[8192];
	struct stat st;
	int fd = open("file", O_WRONLY | O_CREAT, 0600);

	SYS(fd);
	TRY(close_with(fd, write_all(fd, "secret", 6, -1)));
	TRY(is_text("file", "secret"));
	(void)snprintf(path, sizeof path, "%s/file", truth);
	SYS(stat(path, &st));
	if ((st.st_mode & 0777) != 0600)
		(void)snprintf(note, sizeof note, "%03o", st.st_mode & 0777);
	return 0;
}

static int open_truncating(void)
{
	char *b = bytes(2, 200 * KB);

	TRY(put("file", b, 200 * KB));
	TRY(put_text("file", "short"));
	TRY(is_text("file", "short"));
	TRY(put_at("file", O_WRONLY | O_TRUNC, "", 0));
	return is("file", "", 0);
}

static int truncate_path(void)
{
	char *b = bytes(3, 100 * KB), *want = zeros(200 * KB);

	TRY(put("file", b, 100 * KB));
	SYS(truncate("file", 70001));
	TRY(is("file", b, 70001));
	SYS(truncate("file", 150000));
	memcpy(want, b, 70001);
	TRY(is("file", want, 150000));
	SYS(truncate("file", 0));
	TRY(is("file", "", 0));
	SYS(truncate("file", 5000));
	memset(want, 0, 5000);
	TRY(is("file", want, 5000));
	return 0;
}

static int truncate_handle(void)
{
	char *b = bytes(4, 100 * KB), *want = zeros(200 * KB);
	int fd = open_file("file", O_RDWR | O_CREAT);

	TRY(fd);
	TRY(write_all(fd, b, 100 * KB, -1));
	SYS(ftruncate(fd, 60000));
	TRY(holds(".", "file", b, 60000));
	SYS(ftruncate(fd, 90000));
	TRY(write_all(fd, "tail", 4, 89996));
	memcpy(want, b, 60000);
	memcpy(want + 89996, "tail", 4);
	TRY(close_with(fd, 0));
	TRY(is("file", want, 90000));
	fd = open_file("file", O_WRONLY);
	TRY(fd);
	SYS(ftruncate(fd, 0));
	TRY(write_all(fd, "new", 3, -1));
	TRY(close_with(fd, 0));
	return is_text("file", "new");
}

static int append(void)
{
	char *b = bytes(5, 500 * KB);

	TRY(put("file", b, 100 * KB));
	TRY(put_at("file", O_WRONLY | O_APPEND, b + 100 * KB, 1));
	TRY(put_at("file", O_WRONLY | O_APPEND, b + 100 * KB + 1, 400 * KB - 1));
	TRY(is("file", b, 500 * KB));
	TRY(put_at("new", O_WRONLY | O_APPEND | O_CREAT, b, 10));
	return is("new", bytes(5, 10), 10);
}

static int append_in_turn(void)
{
	char want[64];
	int a, b;

	TRY(put_text("file", "0"));
	a = open_file("file", O_WRONLY | O_APPEND);
	b = open_file("file", O_RDWR | O_APPEND);
	TRY(a < b ? a : b);
	for (int i = 0; i < 6; i++)
		TRY(write_all(i & 1 ? b : a, (char[]){ (char)('a' + i) }, 1, -1));
	TRY(close_with(a, 0));
	TRY(write_all(b, "Z", 1, -1));
	TRY(close_with(b, 0));
	(void)snprintf(want, sizeof want, "0abcdefZ");
	return is_text("file", want);
}

static int append_processes(void)
{
	char want[4 * 3 * 5 + 1] = "";

	for (int turn = 0; turn < 12; turn++) {
		char line[6];
		int status;
		pid_t pid;

		(void)snprintf(line, sizeof line, "%c%03d\n", 'a' + turn % 3, turn);
		pid = fork();
		SYS(pid);
		if (pid == 0)
			_exit(-put_at("log", O_WRONLY | O_CREAT | O_APPEND, line, 5));
		SYS(waitpid(pid, &status, 0));
		if (status)
			return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
		memcpy(want + (size_t)turn * 5, line, 6);
	}
	return is_text("log", want);
}

static int read_write(void)
{
	char *b = bytes(6, 300 * KB), part[1000];
	int fd;

	TRY(put("file", b, 300 * KB));
	fd = open_file("file", O_RDWR);
	TRY(fd);
	memset(b + 150000, 'x', 1000);
	TRY(write_all(fd, b + 150000, 1000, 150000));
	if (pread(fd, part, 1000, 149500) != 1000 || memcmp(part, b + 149500, 1000) != 0)
		return wrong("read back other bytes than were written");
	memset(b, 'y', 7);
	TRY(write_all(fd, b, 7, 0));
	TRY(close_with(fd, 0));
	TRY(is("file", b, 300 * KB));
	return 0;
}

static int write_middle(void)
{
	char *b = bytes(7, 300 * KB);
	int fd;

	TRY(put("file", b, 300 * KB));
	fd = open_file("file", O_WRONLY);
	TRY(fd);
	memset(b + 100, 'm', 50000);
	TRY(write_all(fd, b + 100, 50000, 100));
	TRY(close_with(fd, 0));
	TRY(is("file", b, 300 * KB));
	return 0;
}

static int write_backwards(void)
{
	char *b = bytes(8, 256 * KB);
	int fd = open_file("file", O_WRONLY | O_CREAT);

	TRY(fd);
	for (int i = 31; i >= 0; i--)
		TRY(write_all(fd, b + i * 8 * KB, 8 * KB, i * 8 * KB));
	TRY(close_with(fd, 0));
	TRY(is("file", b, 256 * KB));
	return 0;
}

static int write_sparse(void)
{
	char *want = zeros(6 * MB);
	int fd = open_file("file", O_WRONLY | O_CREAT);

	TRY(fd);
	TRY(write_all(fd, "begin", 5, 0));
	TRY(write_all(fd, "end", 3, 6 * MB - 3));
	TRY(write_all(fd, "middle", 6, 3000000));
	TRY(close_with(fd, 0));
	memcpy(want, "begin", 5);
	memcpy(want + 6 * MB - 3, "end", 3);
	memcpy(want + 3000000, "middle", 6);
	TRY(is("file", want, 6 * MB));
	return 0;
}

static int write_mapped(void)
{
	char *b = bytes(9, 64 * KB), *map;
	int fd;

	TRY(put("file", b, 64 * KB));
	fd = open_file("file", O_RDWR);
	TRY(fd);
	map = mmap(NULL, 64 * KB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	memset(map + 10000, 'M', 20000);
	memset(b + 10000, 'M', 20000);
	SYS(msync(map, 64 * KB, MS_SYNC));
	SYS(munmap(map, 64 * KB));
	SYS(fsync(fd));
	TRY(close_with(fd, 0));
	TRY(is("file", b, 64 * KB));
	return 0;
}

/* What fsync has confirmed is on the server, while the file is open. */
static int sync_open(void)
{
	char *b = bytes(10, 200 * KB);
	int fd = open_file("file", O_RDWR | O_CREAT);

	TRY(fd);
	TRY(write_all(fd, b, 100 * KB, -1));
	SYS(fsync(fd));
	TRY(is("file", b, 100 * KB));
	TRY(write_all(fd, b + 100 * KB, 100 * KB, -1));
	SYS(fdatasync(fd));
	TRY(is("file", b, 200 * KB));
	return close_with(fd, 0);
}

static int two_handles(void)
{
	int fd = open_file("file", O_WRONLY | O_CREAT), copy, other;

	TRY(fd);
	copy = dup(fd);
	SYS(copy);
	TRY(write_all(fd, "one", 3, -1));
	TRY(close_with(fd, 0));
	TRY(is_text("file", "one"));
	TRY(write_all(copy, "two", 3, -1));
	other = open_file("file", O_RDONLY);
	TRY(other);
	TRY(holds(".", "file", "onetwo", 6));
	TRY(close_with(copy, 0));
	TRY(close_with(other, 0));
	return is_text("file", "onetwo");
}

static int hole_data(void)
{
	int fd;

	TRY(put_text("file", "0123456789"));
	fd = open_file("file", O_RDONLY);
	TRY(fd);
	if (lseek(fd, 3, SEEK_DATA) != 3 || lseek(fd, 3, SEEK_HOLE) != 10)
		return wrong("all is data, and the hole is at the end: %s", strerror(errno));
	TRY(refused((int)lseek(fd, 10, SEEK_DATA), ENXIO));
	return close_with(fd, 0);
}

static int copy_range(void)
{
	char *b = bytes(11, 300 * KB);
	int in, out;
	ssize_t n;

	TRY(put("from", b, 300 * KB));
	in = open_file("from", O_RDONLY);
	out = open_file("to", O_WRONLY | O_CREAT);
	TRY(in < out ? in : out);
	while ((n = copy_file_range(in, NULL, out, NULL, 400 * KB, 0)) > 0)
		;
	SYS(n);
	TRY(close_with(in, 0));
	TRY(close_with(out, 0));
	TRY(is("from", b, 300 * KB));
	TRY(is("to", b, 300 * KB));
	return 0;
}

static int allocate(void)
{
	int fd = open_file("file", O_WRONLY | O_CREAT);
	int rc;

	TRY(fd);
	rc = fallocate(fd, 0, 0, 4096) < 0 ? -errno : 0;
	return close_with(fd, rc);
}

/* -------------------------------------------------------------------------------------------------- */

static const struct row rows[] = {
	{ "create, write, close", create_write },
	{ "create an empty file", create_empty },
	{ "create with O_EXCL", create_exclusive },
	{ "create with mode 600", create_with_mode },
	{ "open with O_TRUNC", open_truncating },
	{ "truncate: 0, shorter, longer", truncate_path },
	{ "ftruncate while writing", truncate_handle },
	{ "append", append },
	{ "append from two handles in turn", append_in_turn },
	{ "append from processes in turn", append_processes },
	{ "read and write one handle", read_write },
	{ "write in the middle", write_middle },
	{ "write backwards", write_backwards },
	{ "write with gaps", write_sparse },
	{ "write through mmap", write_mapped },
	{ "fsync, fdatasync", sync_open },
	{ "dup, and two readers of what is written", two_handles },
	{ "lseek SEEK_DATA, SEEK_HOLE", hole_data },
	{ "copy_file_range", copy_range },
	{ "fallocate", allocate },
};

int main(int argc, char **argv)
{
	if (argc < 3) {
		(void)fputs("usage: fsops DIR TRUTH [ONLY]\n", stderr);
		return 2;
	}
	tops[0] = argv[1];
	tops[1] = argv[2];
	(void)umask(022);
	return run_rows(rows, sizeof rows / sizeof rows[0], "op", argc > 3 ? argv[3] : NULL);
}
