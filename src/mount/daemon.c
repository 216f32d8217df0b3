#include "mount/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define GOOD "+\n"

int daemon_start(struct daemon *d, bool foreground)
{
	int ends[2];
	*d = (struct daemon){ .pipe = -1 };
	if (foreground)
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid_t parent = getpid(), pid = fork();
	if (pid < 0) {
		int err = errno;
		close(ends[0]);
		close(ends[1]);
		return -err;
	}
	close(ends[pid == 0 ? 0 : 1]);
	d->pipe = ends[pid == 0 ? 1 : 0];
	d->child = pid;
	if (pid == 0) {
		/* What the caller has open beside the standard streams must not stay open as long as the mount. */
		if (d->pipe == 3 || dup3(d->pipe, 3, O_CLOEXEC) == 3) {
			close_range(4, ~0u, 0);
			d->pipe = 3;
		}
		/* A start that nobody waits for any more is given up. */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			raise(SIGTERM);
	}
	return pid == 0 ? 0 : 1;
}

static size_t read_verdict(int fd, char *out, size_t size)
{
	size_t n = 0;
	while (n + 1 < size) {
		ssize_t got = read(fd, out + n, size - 1 - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
		if (memchr(out, '\n', n) != NULL)
			break;
	}
	out[n] = '\0';
	return n;
}

int daemon_wait(struct daemon *d)
{
	char line[1024];
	int status = 0;
	size_t n = read_verdict(d->pipe, line, sizeof(line));
	close(d->pipe);
	if (n > 0 && strcmp(line, GOOD) == 0)
		return 0;
	while (waitpid(d->child, &status, 0) < 0 && errno == EINTR)
		;
	if (n > 0)
		fprintf(stderr, "ftpfs: %.*s\n", (int)strcspn(line, "\n"), line);
	else if (WIFSIGNALED(status))
		fprintf(stderr, "ftpfs: ended by a signal while starting (%s)\n", strsignal(WTERMSIG(status)));
	else
		fprintf(stderr, "ftpfs: ended while starting\n");
	return 1;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static int leave_terminal(void)
{
	if (setsid() < 0 || chdir("/") < 0)
		return -errno;
	int null = open("/dev/null", O_RDWR);
	if (null < 0)
		return -errno;
	int rc = 0;
	for (int fd = 0; fd < 3 && rc == 0; fd++)
		rc = dup2(null, fd) < 0 ? -errno : 0;
	if (null > 2)
		close(null);
	return rc;
}

int daemon_ready(struct daemon *d)
{
	if (d->pipe < 0 || d->told)
		return 0;
	prctl(PR_SET_PDEATHSIG, 0);
	int rc = leave_terminal();
	if (rc == 0)
		rc = write_all(d->pipe, GOOD, strlen(GOOD));
	if (rc < 0)
		return rc;
	d->told = true;
	close(d->pipe);
	d->pipe = -1;
	return 0;
}

void daemon_failed(struct daemon *d, const char *why)
{
	char line[900];
	if (d->told)
		return;
	d->told = true;
	int n = snprintf(line, sizeof(line), d->pipe < 0 ? "ftpfs: %.800s\n" : "%.800s\n", why);
	for (int i = 0; i < n - 1; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 127)
			line[i] = ' ';
	/* When nobody reads it, there is nobody to tell. */
	(void)!write_all(d->pipe < 0 ? STDERR_FILENO : d->pipe, line, (size_t)n);
	if (d->pipe >= 0)
		close(d->pipe);
	d->pipe = -1;
}
