/* limit SECONDS COMMAND [ARG...]  - runs a test so that nothing of it outlives it, and none beside it meets its ports.
 *
 * Where this may be done (by root), it runs in a network namespace of its own, in which there is the loopback device alone.
 * Every process that comes of the command becomes a child of this one once its parent is gone (subreaper), so
 * daemons are found too. Exits as the command did (128 + n for signal n); 124 when the time was up; 125 when
 * it left processes behind, which are named and killed. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { GRACE_SECONDS = 30, TIME_UP = 124, LEFT_BEHIND = 125, CANNOT_RUN = 126 };

/* The parent of process `pid`, or -1; name gets the command's name. */
static long parent_of(const char *pid, char *name, size_t cap)
{
	char path[64], line[512];
	FILE *f;
	long ppid = -1;

	if (snprintf(path, sizeof path, "/proc/%.20s/stat", pid) < 0)
		return -1;
	f = fopen(path, "r");
	if (!f)
		return -1;
	if (fgets(line, sizeof line, f)) {
		char *open = strchr(line, '('), *close = strrchr(line, ')');

		if (open && close && close[1] == ' ' && close[2] && close[3] == ' ') {
			ppid = strtol(close + 4, NULL, 10);
			*close = '\0';
			(void)snprintf(name, cap, "%s", open + 1);
		}
	}
	(void)fclose(f);
	return ppid;
}

/* Kills every child, naming it when asked to. Grandchildren become children and are met by the next call. */
static void kill_children(bool tell)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	char name[64];

	if (!d)
		return;
	while ((e = readdir(d))) {
		if (!isdigit((unsigned char)e->d_name[0]) || parent_of(e->d_name, name, sizeof name) != getpid())
			continue;
		if (tell)
			(void)fprintf(stderr, "limit: left behind: process %s (%s)\n", e->d_name, name);
		(void)kill((pid_t)strtol(e->d_name, NULL, 10), SIGKILL);
	}
	(void)closedir(d);
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Reaps what has ended; `main_pid`'s status goes to *status. Are there children left? */
static bool reap(pid_t main_pid, int *status)
{
	int st;
	pid_t pid;

	while ((pid = waitpid(-1, &st, WNOHANG)) > 0)
		if (pid == main_pid)
			*status = WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
	return pid == 0;
}

/* Until a child ends, or `until`. Which signal ended the wait: 0 none, SIGCHLD, or one that asks us to stop. */
static int wait_for(const sigset_t *set, int64_t until)
{
	int64_t left = until - now_ms();
	struct timespec t;
	int sig;

	if (left <= 0)
		return 0;
	t = (struct timespec){ .tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000 };
	sig = sigtimedwait(set, NULL, &t);
	return sig < 0 ? (errno == EINTR ? SIGCHLD : 0) : sig;
}

static void kill_all(pid_t main_pid, bool tell)
{
	sigset_t set;
	int status;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	do {
		kill_children(tell);
		(void)wait_for(&set, now_ms() + 200);
	} while (reap(main_pid, &status));
}

static int supervise(pid_t pid, long seconds, const sigset_t *set)
{
	int64_t until = now_ms() + seconds * 1000;
	int status = -1, sig = SIGCHLD;
	bool children = true;

	while (status < 0 && sig == SIGCHLD) {
		sig = wait_for(set, until);
		children = reap(pid, &status);
	}
	if (status < 0) {
		if (sig)
			(void)fprintf(stderr, "limit: stopped by signal %d\n", sig);
		else
			(void)fprintf(stderr, "limit: time is up after %ld s\n", seconds);
		kill_all(pid, false);
		return sig ? 128 + sig : TIME_UP;
	}
	until = now_ms() + GRACE_SECONDS * 1000;
	for (sig = SIGCHLD; children && sig == SIGCHLD; children = reap(pid, &status))
		sig = wait_for(set, until);
	if (!children)
		return status;
	kill_all(pid, true);
	return sig ? 128 + sig : LEFT_BEHIND;
}

/* False only when the network that there was is gone, and the new one does not work. */
static bool own_network(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;
	bool up;

	if (unshare(CLONE_NEWNET))
		return true;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
	if (fd >= 0)
		(void)close(fd);
	return up;
}

int main(int argc, char **argv)
{
	long seconds = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	sigset_t set, old;
	pid_t pid;

	if (seconds <= 0) {
		(void)fprintf(stderr, "usage: limit SECONDS COMMAND [ARG...]\n");
		return CANNOT_RUN;
	}
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, &old) || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) || !own_network()) {
		perror("limit");
		return CANNOT_RUN;
	}
	pid = fork();
	if (pid < 0) {
		perror("limit: fork");
		return CANNOT_RUN;
	}
	if (pid == 0) {
		(void)sigprocmask(SIG_SETMASK, &old, NULL);
		(void)setsid();
		(void)execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(CANNOT_RUN);
	}
	return supervise(pid, seconds, &set);
}
