/* daemon - into the background, but only once the mount is live.
 *
 * The program forks early. The parent keeps the terminal and waits for one verdict through a pipe; the child connects,
 * mounts, and says "good" or one line that tells what went wrong. So the exit status of ftpfs tells the truth, and a
 * script may use the mountpoint as soon as ftpfs has returned. In the foreground there is no child: the verdict goes
 * straight to standard error. */
#ifndef MOUNT_DAEMON_H
#define MOUNT_DAEMON_H

#include <stdbool.h>
#include <sys/types.h>

struct daemon {
	int pipe;    /* write end in the child, read end in the parent; -1 = foreground */
	pid_t child; /* in the parent */
	bool told;   /* the verdict was given */
};

/* Foreground: 0. Background: 0 in the child, 1 in the parent. < 0: -errno. */
int daemon_start(struct daemon *d, bool foreground);

/* In the parent: waits for the verdict, prints it when it is bad, and returns the exit status. When it is bad, the
 * child has ended. */
int daemon_wait(struct daemon *d);

/* The mount is live: leaves terminal, session and directory behind. < 0: nobody waits any more, so the mount should
 * go. */
int daemon_ready(struct daemon *d);

/* One line for the user. Without effect once a verdict was given. */
void daemon_failed(struct daemon *d, const char *why);

#endif
