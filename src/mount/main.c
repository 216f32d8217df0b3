/* ftpfs - mounts an FTP site. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <aftp/status.h>

#include "mount/daemon.h"
#include "mount/login.h"
#include "mount/options.h"
#include "mount/run.h"
#include "mount/transport.h"

#define USAGE_ERROR 2

static int say(const char *line)
{
	fprintf(stderr, "ftpfs: %s\n", line);
	return 1;
}

/* `resolved` has room for PATH_MAX bytes. */
static bool check_mountpoint(const char *path, char *resolved, char *why, size_t size)
{
	struct stat st;
	int err = ENOTDIR;
	if (realpath(path, resolved) == NULL || stat(resolved, &st) < 0)
		err = errno;
	else if (S_ISDIR(st.st_mode))
		return true;
	if (err == ENOTCONN)
		snprintf(why, size, "%s: a dead mount is in the way; say fusermount3 -u %s", path, path);
	else
		snprintf(why, size, "%s: %s", path, strerror(err));
	return false;
}

/* A caller may have closed the standard streams; nothing else must land on their numbers. */
static bool open_standard_fds(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd < 3);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int mount_over(const struct options *o, const struct transport *transport, const char *mountpoint)
{
	struct daemon daemon;
	signal(SIGPIPE, SIG_IGN);
	int rc = daemon_start(&daemon, o->foreground);
	if (rc < 0)
		return say(strerror(-rc));
	if (rc > 0)
		return daemon_wait(&daemon);
	return run_mount(o, transport, mountpoint, &daemon);
}

static int mount_site(struct options *o)
{
	struct transport transport;
	char why[512], warning[512], mountpoint[PATH_MAX];
	if (!check_mountpoint(o->mountpoint, mountpoint, why, sizeof(why)))
		return say(why);
	if (login_find(o, why, sizeof(why), warning, sizeof(warning)) < 0)
		return say(why);
	if (warning[0] != '\0')
		say(warning);
	int rc = transport_init(&transport, o, why, sizeof(why));
	if (rc < 0) {
		say(why);
		rc = rc == AFTP_EINVAL ? USAGE_ERROR : 1;
	} else {
		for (unsigned i = 0; transport_warning(o, i) != NULL; i++)
			say(transport_warning(o, i));
		rc = mount_over(o, &transport, mountpoint);
	}
	transport_finish(&transport);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o;
	char why[512];
	int status = 0;
	if (!open_standard_fds())
		return 1;
	if (options_parse(&o, argc, argv, why, sizeof(why)) < 0) {
		say(why);
		status = USAGE_ERROR;
	} else if (o.action == OPTIONS_HELP) {
		options_print_help(stdout);
	} else if (o.action == OPTIONS_VERSION) {
		puts("ftpfs " FTPFS_VERSION);
	} else if (o.action == OPTIONS_MOUNT) {
		status = mount_site(&o);
	}
	options_finish(&o);
	return status;
}
