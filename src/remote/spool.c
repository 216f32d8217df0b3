#include "remote/spool.h"

#include <aftp/status.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

struct spool {
	size_t limit; /* of memory */
	int dir;      /* not ours */
	char *memory; /* while fd < 0 */
	size_t cap;
	int fd;
	uint64_t size;
};

static int open_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int spool_open_dir(const char *dir)
{
	const char *tmp = getenv("TMPDIR");
	int fd;

	if (dir)
		return open_dir(dir);
	fd = tmp && tmp[0] ? open_dir(tmp) : -ENOENT;
	if (fd < 0)
		fd = open_dir("/var/tmp");
	return fd < 0 ? open_dir("/tmp") : fd;
}

int spool_new(struct spool **out, size_t memory, int dir)
{
	struct spool *s = calloc(1, sizeof *s);

	if (!s)
		return AFTP_ENOMEM;
	s->dir = dir;
	s->limit = memory;
	s->fd = -1;
	*out = s;
	return 0;
}

void spool_free(struct spool *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	free(s->memory);
	free(s);
}

uint64_t spool_size(const struct spool *s)
{
	return s->size;
}

static int write_all(int fd, uint64_t off, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, data, len, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : AFTP_EIO;
		data += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int open_nameless(int dir)
{
	char name[40];
	int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	for (int i = 0; fd < 0 && i < 10; i++) {
		uint64_t number = 0;

		if (getrandom(&number, sizeof number, GRND_NONBLOCK) < 0)
			number = (uint64_t)(uintptr_t)&number + (uint64_t)i;
		snprintf(name, sizeof name, "ftpfs-%016llx", (unsigned long long)number);
		fd = openat(dir, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
		if (fd >= 0)
			unlinkat(dir, name, 0);
		else if (errno != EEXIST)
			break;
	}
	return fd < 0 ? -errno : fd;
}

/* From memory to a file. */
static int move_out(struct spool *s)
{
	int fd = open_nameless(s->dir);
	int rc = fd < 0 ? fd : write_all(fd, 0, s->memory, (size_t)s->size);

	if (rc) {
		if (fd >= 0)
			close(fd);
		return rc;
	}
	free(s->memory);
	s->memory = NULL;
	s->cap = 0;
	s->fd = fd;
	return 0;
}

static int grow(struct spool *s, uint64_t size)
{
	size_t want = s->cap ? s->cap : 16384;
	char *memory;

	if (size <= s->cap)
		return 0;
	while (want < size)
		want *= 2;
	memory = realloc(s->memory, want);
	if (!memory)
		return AFTP_ENOMEM;
	memset(memory + s->cap, 0, want - s->cap);
	s->memory = memory;
	s->cap = want;
	return 0;
}

/* Ready for `size` bytes, wherever they are kept. */
static int make_room(struct spool *s, uint64_t size)
{
	if (size > INT64_MAX)
		return -EFBIG;
	if (s->fd < 0 && size > s->limit)
		return s->dir < 0 ? -ENOSPC : move_out(s);
	return s->fd < 0 ? grow(s, size) : 0;
}

int spool_write(struct spool *s, uint64_t off, const void *data, size_t len)
{
	uint64_t end = off + len;
	int rc = end < off ? -EFBIG : make_room(s, end);

	if (rc || len == 0)
		return rc;
	if (s->fd < 0)
		memcpy(s->memory + off, data, len);
	else
		rc = write_all(s->fd, off, data, len);
	if (!rc && end > s->size)
		s->size = end;
	return rc;
}

ssize_t spool_read(const struct spool *s, uint64_t off, void *buf, size_t len)
{
	char *to = buf;
	size_t done = 0;

	if (off >= s->size)
		return 0;
	if (len > s->size - off)
		len = (size_t)(s->size - off);
	if (s->fd < 0) {
		memcpy(buf, s->memory + off, len);
		return (ssize_t)len;
	}
	while (done < len) {
		ssize_t n = pread(s->fd, to + done, len - done, (off_t)(off + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0) {
			/* A gap at the end that was never written. */
			memset(to + done, 0, len - done);
			break;
		}
		done += (size_t)n;
	}
	return (ssize_t)len;
}

int spool_truncate(struct spool *s, uint64_t size)
{
	int rc = make_room(s, size);

	if (rc)
		return rc;
	if (s->fd >= 0 && ftruncate(s->fd, (off_t)size) < 0)
		return -errno;
	if (s->fd < 0 && size < s->size)
		memset(s->memory + size, 0, (size_t)(s->size - size));
	s->size = size;
	return 0;
}
