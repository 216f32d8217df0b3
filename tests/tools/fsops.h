/* fsops - what fsops (operations) and fsnames (names) share: a folder seen in two ways, and rows of results.
 *
 * DIR is where things are done; TRUTH is another view of the same folder: the server's own, or a second mount that
 * caches nothing. After each row both must show the same. A row's outcome is "yes", the name of an errno, or a note;
 * "WRONG: why" is a lie that the file system told, and fails the run. */
#ifndef TOOLS_FSOPS_H
#define TOOLS_FSOPS_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct row {
	const char *name;
	int (*run)(void); /* 0 or -errno */
};

static char here[4096], truth[4096]; /* of the row that runs */
static const char *tops[2];
static char problem[1024];
static char note[64];

__attribute__((format(printf, 1, 2))) static int wrong(const char *format, ...)
{
	va_list ap;

	if (!problem[0]) {
		va_start(ap, format);
		(void)vsnprintf(problem, sizeof problem, format, ap);
		va_end(ap);
	}
	return -EBADE;
}

/* Zeros; they go with the row. */
static char *lent[8];
static inline char *zeros(size_t len)
{
	for (size_t i = 0; i < sizeof lent / sizeof lent[0]; i++)
		if (!lent[i] && (lent[i] = calloc(1, len)) != NULL)
			return lent[i];
	abort();
}

/* Bytes that differ from each other, the same in every run. */
static inline char *bytes(unsigned seed, size_t len)
{
	char *p = zeros(len);
	unsigned x = seed * 2654435761u + 1;

	for (size_t i = 0; i < len; i++) {
		x = x * 1103515245u + 12345u;
		p[i] = (char)(x >> 16);
	}
	return p;
}

static inline int write_all(int fd, const char *data, size_t len, off_t at)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = at < 0 ? write(fd, data + done, len - done)
				   : pwrite(fd, data + done, len - done, at + (off_t)done);
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

static inline int close_with(int fd, int rc)
{
	return close(fd) < 0 && rc == 0 ? -errno : rc;
}

static inline int put_at(const char *path, int flags, const char *data, size_t len)
{
	int fd = open(path, flags, 0644);

	return fd < 0 ? -errno : close_with(fd, write_all(fd, data, len, -1));
}

/* In the row's own folder, which is the current one. */
static inline int put(const char *name, const char *data, size_t len)
{
	return put_at(name, O_WRONLY | O_CREAT | O_TRUNC, data, len);
}

static inline int put_text(const char *name, const char *text)
{
	return put(name, text, strlen(text));
}

static inline int holds(const char *dir, const char *name, const char *data, size_t len)
{
	char path[8192], *have = malloc(len + 1);
	struct stat st = { 0 };
	ssize_t n, got = 0;
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_RDONLY);
	if (!have || fd < 0) {
		free(have);
		return wrong("%s cannot be opened: %s", path, strerror(errno));
	}
	while ((n = read(fd, have + got, len + 1 - (size_t)got)) > 0)
		got += n;
	if (n < 0 || fstat(fd, &st) < 0)
		wrong("%s cannot be read: %s", path, strerror(errno));
	else if ((size_t)got != len || (size_t)st.st_size != len)
		wrong("%s: %zd bytes, size %lld, should be %zu", path, got, (long long)st.st_size, len);
	else if (memcmp(have, data, len) != 0)
		wrong("%s has other bytes", path);
	close(fd);
	free(have);
	return problem[0] ? -EBADE : 0;
}

/* Both views have the file, with just these bytes. */
static inline int is(const char *name, const char *data, size_t len)
{
	int rc = holds(".", name, data, len);

	return rc ? rc : holds(truth, name, data, len);
}

static inline int is_text(const char *name, const char *text)
{
	return is(name, text, strlen(text));
}

static inline int absent(const char *name)
{
	char path[8192];
	struct stat st;

	(void)snprintf(path, sizeof path, "%s/%s", truth, name);
	if (lstat(name, &st) == 0)
		return wrong("%s is still there", name);
	if (errno != ENOENT)
		return wrong("%s: %s instead of ENOENT", name, strerror(errno));
	return lstat(path, &st) == 0 ? wrong("%s is still there on the server", name) : 0;
}

/* 0 when the call failed as it should. */
static inline int refused(int rc, int want)
{
	if (rc >= 0)
		return wrong("succeeded, should give %s", strerrorname_np(want));
	return errno == want ? 0 : wrong("%s, should be %s", strerrorname_np(errno), strerrorname_np(want));
}

#define TRY(call)                   \
	do {                        \
		int rc_ = (call);   \
		if (rc_ < 0)        \
			return rc_; \
	} while (0)
/* Of a system call. */
#define SYS(call)                      \
	do {                           \
		if ((call) < 0)        \
			return -errno; \
	} while (0)

enum { KB = 1024, MB = 1024 * 1024 };

static inline int open_file(const char *name, int flags)
{
	int fd = open(name, flags, 0644);

	return fd < 0 ? -errno : fd;
}

/* --- both views ----------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
	char *name[512];
	size_t n;
};

static inline int read_names(const char *dir, struct names *out)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	out->n = 0;
	if (!d)
		return wrong("%s cannot be listed: %s", dir, strerror(errno));
	while (errno = 0, (e = readdir(d)) != NULL && out->n < 512)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			out->name[out->n++] = strdup(e->d_name);
	if (errno)
		wrong("%s cannot be listed: %s", dir, strerror(errno));
	closedir(d);
	qsort(out->name, out->n, sizeof out->name[0], by_name);
	return 0;
}

static inline void free_names(struct names *n)
{
	while (n->n)
		free(n->name[--n->n]);
}

static inline void compare_entry(const char *name)
{
	struct stat a, b;
	char path[8192];

	(void)snprintf(path, sizeof path, "%s/%s", truth, name);
	if (lstat(name, &a) < 0 || lstat(path, &b) < 0)
		wrong("%s is listed, but: %s", name, strerror(errno));
	else if ((a.st_mode & S_IFMT) != (b.st_mode & S_IFMT))
		wrong("%s is not what it is on the server", name);
	else if (S_ISREG(a.st_mode) && a.st_size != b.st_size)
		wrong("%s: size %lld, on the server %lld", name, (long long)a.st_size, (long long)b.st_size);
	if (strncmp(name, ".ftpfs-", 7) == 0)
		wrong("%s was left behind", name);
}

static inline void compare_names(const struct names *a, const struct names *b)
{
	if (a->n != b->n)
		wrong("%zu names, on the server %zu", a->n, b->n);
	for (size_t i = 0; i < a->n && i < b->n; i++)
		if (strcmp(a->name[i], b->name[i]) != 0)
			wrong("%s is listed, on the server %s", a->name[i], b->name[i]);
	for (size_t i = 0; i < a->n && !problem[0]; i++)
		compare_entry(a->name[i]);
}

static inline bool set_aside(const struct names *n)
{
	for (size_t i = 0; i < n->n; i++)
		if (strncmp(n->name[i], ".ftpfs-", 7) == 0)
			return true;
	return false;
}

/* A file that was open when it was removed goes soon after its last close(2), not during it. */
static inline void compare_views(void)
{
	enum { TRIES = 1200 }; /* a minute */
	static struct names a, b;

	for (int tries = 0; tries < TRIES; tries++) {
		if (read_names(".", &a) < 0 || read_names(truth, &b) < 0)
			break;
		if (!set_aside(&b) || tries == TRIES - 1) {
			compare_names(&a, &b);
			break;
		}
		free_names(&b);
		free_names(&a);
		(void)usleep(50000);
	}
	free_names(&a);
	free_names(&b);
}

/* --- rows ----------------------------------------------------------------------------------------- */

static inline char *printable(char *s)
{
	for (char *p = s; *p; p++)
		if (*p < ' ' || *p == 127)
			*p = '?';
	return s;
}

static inline void say_row(const char *name, int rc)
{
	if (rc == 0 && !problem[0])
		printf("%s\t%s\n", name, note[0] ? note : "yes");
	else if (problem[0])
		printf("%s\tWRONG: %s\n", name, printable(problem));
	else
		printf("%s\t%s\n", name, strerrorname_np(-rc) ? strerrorname_np(-rc) : "?");
	(void)fflush(stdout);
}

/* Each row in a new folder of its own. The exit code. */
static inline int run_rows(const struct row *rows, size_t n, const char *prefix, const char *only)
{
	int bad = 0;

	for (size_t i = 0; i < n; i++) {
		if (only && !strstr(rows[i].name, only))
			continue;
		problem[0] = note[0] = '\0';
		(void)snprintf(here, sizeof here, "%s/%s%02zu", tops[0], prefix, i);
		(void)snprintf(truth, sizeof truth, "%s/%s%02zu", tops[1], prefix, i);
		bool made = mkdir(here, 0755) == 0 && chdir(here) == 0;
		int rc = made ? rows[i].run() : wrong("no folder for it: %s", strerrorname_np(errno));
		if (made && rc != -EBADE && !problem[0])
			compare_views();
		if (chdir("/") < 0)
			abort();
		for (size_t k = 0; k < sizeof lent / sizeof lent[0]; k++) {
			free(lent[k]);
			lent[k] = NULL;
		}
		say_row(rows[i].name, rc);
		bad |= problem[0] != '\0';
	}
	return bad;
}

#endif
