/* fsexer [-s SEED] [-n OPERATIONS] [-f FILES] [-m MAX_SIZE] [-t TRUTH] DIR  - a random file exerciser.
 *
 * Does random things to a few files of DIR, keeps in memory what they must contain, and compares all that it reads with
 * that. TRUTH is another view of the same folder: what was closed or synced must be the same there. Prints the seed;
 * the same seed does the same. Exit code 1 with the history of the file at the first difference or error. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FILES = 16, HISTORY = 60, LINE = 100 };

struct file {
	char name[32]; /* "" when there is none */
	char *data;
	size_t size;
	int fd; /* -1 when it is closed */
	int flags;
	bool unsaved; /* since the last fsync or close */
};

static struct file files[MAX_FILES];
static size_t file_count = 5, max_size = 600000;
static const char *dir, *truth;
static uint64_t state;
static unsigned long step, names;
static char history[HISTORY][LINE];
static char *buffer;

/* xorshift64*: the same numbers everywhere. */
static uint64_t random_number(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 2685821657736338717u;
}

static size_t below(size_t n)
{
	return n ? (size_t)(random_number() >> 11) % n : 0;
}

/* Small ones more often than large ones. */
static size_t some_length(size_t most)
{
	size_t scale = below(8) == 0 ? most : below(3) == 0 ? 70000 : 5000;

	return 1 + below(scale < most ? scale : most);
}

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
	char *line = history[step % HISTORY];
	va_list ap;
	int n = snprintf(line, LINE, "%lu: ", step);

	va_start(ap, format);
	(void)vsnprintf(line + n, LINE - (size_t)n, format, ap);
	va_end(ap);
}

__attribute__((format(printf, 1, 2), noreturn)) static void fail(const char *format, ...)
{
	va_list ap;

	for (unsigned long i = step < HISTORY ? 0 : step - HISTORY + 1; i <= step; i++)
		printf("  %s\n", history[i % HISTORY]);
	printf("fsexer: step %lu: ", step);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
	(void)fflush(stdout);
	exit(1);
}

static const char *path_of(const char *top, const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned turn;
	char *p = paths[turn++ % 4];

	(void)snprintf(p, PATH_MAX, "%s/%s", top, name);
	return p;
}

/* --- comparing ------------------------------------------------------------------------------------ */

static void compare(const struct file *f, const char *how, size_t off, const char *have, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (have[i] != f->data[off + i])
			fail("%s: %s: byte %zu of %zu is %02x, should be %02x", f->name, how, off + i, f->size,
				(unsigned char)have[i], (unsigned char)f->data[off + i]);
}

static void read_and_compare(const struct file *f, const char *how, int fd, size_t off, size_t len)
{
	size_t want = off >= f->size ? 0 : len < f->size - off ? len : f->size - off, got = 0;

	while (got < len) {
		ssize_t n = pread(fd, buffer + got, len - got, (off_t)(off + got));
		if (n < 0)
			fail("%s: %s at %zu: %s", f->name, how, off + got, strerror(errno));
		if (n == 0)
			break;
		got += (size_t)n;
	}
	if (got != want)
		fail("%s: %s at %zu: %zu bytes, should be %zu (size %zu)", f->name, how, off, got, want, f->size);
	compare(f, how, off, buffer, got);
}

static void compare_size(const struct file *f, const char *path, const char *how)
{
	struct stat st;

	if (stat(path, &st) < 0)
		fail("%s: %s: %s", path, how, strerror(errno));
	if ((size_t)st.st_size != f->size)
		fail("%s: %s: size %lld, should be %zu", path, how, (long long)st.st_size, f->size);
}

static void compare_all(const struct file *f, const char *top, const char *how)
{
	const char *path = path_of(top, f->name);
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		fail("%s: %s: open: %s", path, how, strerror(errno));
	read_and_compare(f, how, fd, 0, max_size + 1);
	if (close(fd) < 0)
		fail("%s: %s: close: %s", path, how, strerror(errno));
	compare_size(f, path, how);
}

static void compare_truth(const struct file *f)
{
	if (truth && f->name[0] && !f->unsaved)
		compare_all(f, truth, "on the server");
}

static void compare_names(const char *top)
{
	DIR *d = opendir(top);
	struct dirent *e;
	size_t want = 0, have = 0;

	if (!d)
		fail("%s: %s", top, strerror(errno));
	while (errno = 0, (e = readdir(d)) != NULL) {
		size_t i = 0;
		if (e->d_name[0] == '.')
			continue;
		while (i < file_count && strcmp(files[i].name, e->d_name) != 0)
			i++;
		if (i == file_count)
			fail("%s/%s is listed, and should not be there", top, e->d_name);
		have++;
	}
	if (errno)
		fail("%s: %s", top, strerror(errno));
	closedir(d);
	for (size_t i = 0; i < file_count; i++)
		want += files[i].name[0] != '\0';
	if (want != have)
		fail("%s: %zu names, should be %zu", top, have, want);
}

/* --- handles -------------------------------------------------------------------------------------- */

static void open_file(struct file *f, int flags)
{
	f->flags = flags;
	f->fd = open(path_of(dir, f->name), flags, 0644);
	if (f->fd < 0)
		fail("%s: open %x: %s", f->name, (unsigned)flags, strerror(errno));
	if (flags & O_TRUNC)
		f->size = 0;
	f->unsaved = f->unsaved || flags & (O_TRUNC | O_CREAT);
}

static void close_file(struct file *f)
{
	if (f->fd < 0)
		return;
	if (close(f->fd) < 0)
		fail("%s: close: %s", f->name, strerror(errno));
	f->fd = -1;
	f->unsaved = false;
}

static bool can_write(const struct file *f)
{
	return f->fd >= 0 && (f->flags & O_ACCMODE) != O_RDONLY;
}

static bool can_read(const struct file *f)
{
	return f->fd >= 0 && (f->flags & O_ACCMODE) != O_WRONLY;
}

/* A file that can be written, whatever it takes. */
static void make_writable(struct file *f)
{
	static const int ways[] = { O_RDWR, O_WRONLY, O_RDWR | O_APPEND, O_WRONLY | O_APPEND, O_RDWR, O_WRONLY };

	if (can_write(f))
		return;
	close_file(f);
	open_file(f, ways[below(6)]);
}

/* --- operations ----------------------------------------------------------------------------------- */

static void do_create(struct file *f)
{
	(void)snprintf(f->name, sizeof f->name, "file %lu", names++);
	note("%s: create", f->name);
	f->size = 0;
	f->unsaved = true;
	open_file(f, O_CREAT | O_EXCL | (below(2) ? O_RDWR : O_WRONLY));
}

static void put(struct file *f, size_t off, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buffer[i] = (char)(random_number() >> 24);
	if (off > f->size)
		memset(f->data + f->size, 0, off - f->size);
	memcpy(f->data + off, buffer, len);
	if (off + len > f->size)
		f->size = off + len;
	f->unsaved = true;
}

static void do_write(struct file *f)
{
	size_t off, len, done = 0;

	make_writable(f);
	/* On, mostly; else anywhere, perhaps behind the end. */
	off = f->flags & O_APPEND || below(3) ? f->size : below(f->size + (below(4) ? 1 : 100000));
	if (off >= max_size) {
		if (f->flags & O_APPEND)
			return;
		off = below(max_size);
	}
	len = some_length(max_size - off);
	note("%s: write %zu at %zu of %zu%s", f->name, len, off, f->size, f->flags & O_APPEND ? " (append)" : "");
	put(f, off, len);
	while (done < len) {
		ssize_t n = pwrite(f->fd, buffer + done, len - done, (off_t)(off + done));
		if (n <= 0)
			fail("%s: write: %s", f->name, strerror(errno));
		done += (size_t)n;
	}
}

static void do_read(struct file *f)
{
	size_t off = below(f->size + 1), len = some_length(max_size);
	bool own = can_read(f);
	int fd = own ? f->fd : open(path_of(dir, f->name), O_RDONLY);

	if (below(4) == 0)
		off = 0;
	note("%s: read %zu at %zu of %zu%s", f->name, len, off, f->size, own ? "" : " (another handle)");
	if (fd < 0)
		fail("%s: open to read: %s", f->name, strerror(errno));
	read_and_compare(f, "read", fd, off, len);
	if (!own && close(fd) < 0)
		fail("%s: close: %s", f->name, strerror(errno));
}

static void do_map(struct file *f)
{
	int fd = open(path_of(dir, f->name), O_RDONLY);
	char *map;

	note("%s: map %zu", f->name, f->size);
	if (fd < 0)
		fail("%s: open to map: %s", f->name, strerror(errno));
	map = f->size ? mmap(NULL, f->size, PROT_READ, MAP_SHARED, fd, 0) : NULL;
	if (map == MAP_FAILED)
		fail("%s: mmap: %s", f->name, strerror(errno));
	if (map) {
		compare(f, "mapped", 0, map, f->size);
		(void)munmap(map, f->size);
	}
	(void)close(fd);
}

static void do_truncate(struct file *f)
{
	size_t size = below(4) == 0 ? 0 : below(3) == 0 ? below(max_size) : below(f->size + 1);
	bool by_path = below(2);

	if (!by_path)
		make_writable(f);
	note("%s: %s %zu of %zu", f->name, by_path ? "truncate by path to" : "ftruncate to", size, f->size);
	if ((by_path ? truncate(path_of(dir, f->name), (off_t)size) : ftruncate(f->fd, (off_t)size)) < 0)
		fail("%s: truncate: %s", f->name, strerror(errno));
	if (size > f->size)
		memset(f->data + f->size, 0, size - f->size);
	f->size = size;
	f->unsaved = f->unsaved || !by_path;
}

static void do_reopen(struct file *f)
{
	static const int ways[] = { O_RDONLY, O_RDWR, O_WRONLY, O_RDWR | O_APPEND, O_WRONLY | O_APPEND,
		O_WRONLY | O_TRUNC, O_RDWR | O_TRUNC };
	int flags = ways[below(7)];

	note("%s: reopen %x of %zu", f->name, (unsigned)flags, f->size);
	close_file(f);
	compare_truth(f);
	open_file(f, flags);
}

static void do_close(struct file *f)
{
	note("%s: close of %zu", f->name, f->size);
	close_file(f);
	compare_truth(f);
}

static void do_sync(struct file *f)
{
	if (f->fd < 0)
		return;
	note("%s: fsync of %zu", f->name, f->size);
	if (fsync(f->fd) < 0)
		fail("%s: fsync: %s", f->name, strerror(errno));
	if (can_write(f))
		f->unsaved = false;
	compare_truth(f);
}

/* To a new name, or over another file, which may be open. */
static void do_rename(struct file *f)
{
	struct file *to = &files[below(file_count)];
	char name[32];

	if (to == f || !to->name[0]) {
		(void)snprintf(name, sizeof name, "file %lu", names++);
		to = NULL;
	} else {
		memcpy(name, to->name, sizeof name);
	}
	note("%s: rename to %s%s", f->name, name, !to ? "" : to->fd >= 0 ? ", which is open" : ", which is there");
	if (rename(path_of(dir, f->name), path_of(dir, name)) < 0)
		fail("%s: rename to %s: %s", f->name, name, strerror(errno));
	if (to) {
		if (can_read(to))
			read_and_compare(to, "after it was replaced", to->fd, 0, max_size);
		close_file(to);
		to->name[0] = '\0';
		to->size = 0;
	}
	memcpy(f->name, name, sizeof name);
}

static void do_unlink(struct file *f)
{
	struct stat st;

	note("%s: unlink%s", f->name, f->fd >= 0 ? ", open" : "");
	if (unlink(path_of(dir, f->name)) < 0)
		fail("%s: unlink: %s", f->name, strerror(errno));
	if (stat(path_of(dir, f->name), &st) == 0 || errno != ENOENT)
		fail("%s: is there after unlink: %s", f->name, strerror(errno));
	if (can_read(f))
		read_and_compare(f, "after unlink", f->fd, 0, max_size);
	close_file(f);
	f->name[0] = '\0';
	f->size = 0;
}

static void do_stat(struct file *f)
{
	note("%s: stat of %zu", f->name, f->size);
	compare_size(f, path_of(dir, f->name), "stat");
	compare_names(dir);
}

static void do_whole(struct file *f)
{
	note("%s: read all of %zu", f->name, f->size);
	compare_all(f, dir, "read all");
}

static void one_step(void)
{
	static void (*const operations[])(struct file *) = { do_write, do_write, do_write, do_write, do_write, do_write,
		do_write, do_write, do_read, do_read, do_read, do_read, do_map, do_truncate, do_reopen, do_reopen,
		do_close, do_sync, do_rename, do_unlink, do_stat, do_whole };
	struct file *f = &files[below(file_count)];

	if (!f->name[0])
		do_create(f);
	else
		operations[below(sizeof operations / sizeof operations[0])](f);
}

static int parse(int argc, char **argv, unsigned long *steps)
{
	int c;

	state = ((uint64_t)time(NULL) << 20) ^ (uint64_t)getpid();
	while ((c = getopt(argc, argv, "s:n:f:m:t:")) != -1) {
		unsigned long n = optarg ? strtoul(optarg, NULL, 10) : 0;
		switch (c) {
		case 's': state = n; break;
		case 'n': *steps = n; break;
		case 'f': file_count = n < MAX_FILES ? n : MAX_FILES; break;
		case 'm': max_size = n; break;
		case 't': truth = optarg; break;
		default: return -1;
		}
	}
	dir = argv[optind];
	return dir && file_count && max_size ? 0 : -1;
}

int main(int argc, char **argv)
{
	unsigned long steps = 1000;

	if (parse(argc, argv, &steps) < 0) {
		(void)fputs(
			"usage: fsexer [-s SEED] [-n OPERATIONS] [-f FILES] [-m MAX_SIZE] [-t TRUTH] DIR\n", stderr);
		return 2;
	}
	printf("fsexer: seed %llu, %lu operations\n", (unsigned long long)state, steps);
	(void)fflush(stdout);
	state = state * 2 + 1;
	buffer = malloc(max_size + 1);
	for (size_t i = 0; i < file_count; i++) {
		files[i].data = malloc(max_size + 1);
		files[i].fd = -1;
		if (!files[i].data || !buffer)
			return 2;
	}
	for (step = 0; step < steps; step++)
		one_step();
	note("the end");
	for (size_t i = 0; i < file_count; i++) {
		close_file(&files[i]);
		if (files[i].name[0])
			compare_all(&files[i], dir, "at the end");
		compare_truth(&files[i]);
		free(files[i].data);
	}
	compare_names(dir);
	free(buffer);
	printf("fsexer: no difference\n");
	return 0;
}
