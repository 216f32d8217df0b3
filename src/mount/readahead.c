#include "mount/readahead.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mount/mountinfo.h"

int readahead_raise(const char *mountpoint, int64_t kb)
{
	struct mountinfo m;
	char path[80], text[32];
	if (!mountinfo_find_self(&m, mountpoint))
		return -ENOENT;
	snprintf(path, sizeof(path), "/sys/class/bdi/%u:%u/read_ahead_kb", m.major, m.minor);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int n = snprintf(text, sizeof(text), "%" PRId64, kb);
	int rc = write(fd, text, (size_t)n) == n ? 0 : -errno;
	close(fd);
	return rc;
}
