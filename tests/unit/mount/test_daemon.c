#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mount/daemon.h"

enum deed { SAY_READY, SAY_FAILED, SAY_TWICE, SAY_MANY_LINES, DIE, LEAVE };

/* What the program does between its fork and its verdict. */
static void child(struct daemon *d, enum deed deed)
{
	switch (deed) {
	case SAY_READY: _exit(daemon_ready(d) == 0 && getsid(0) == getpid() ? 0 : 1);
	case SAY_FAILED: daemon_failed(d, "no such host"); break;
	case SAY_TWICE:
		daemon_failed(d, "first");
		daemon_failed(d, "second");
		break;
	case SAY_MANY_LINES: daemon_failed(d, "one\r\ntwo\x1b[31m"); break;
	case DIE: raise(SIGKILL); break;
	case LEAVE: break;
	}
	_exit(1);
}

/* Runs start and wait in a process of its own, whose standard error is read. Returns its exit status. */
static int run(enum deed deed, char *said, size_t size)
{
	int ends[2], status;
	ssize_t n;
	size_t used = 0;
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct daemon d;
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		int rc = daemon_start(&d, false);
		if (rc == 0)
			child(&d, deed);
		_exit(rc < 0 ? 99 : daemon_wait(&d));
	}
	close(ends[1]);
	while ((n = read(ends[0], said + used, size - 1 - used)) > 0)
		used += (size_t)n;
	said[used] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_verdicts(void **state)
{
	static const struct {
		enum deed deed;
		int exit_status;
		const char *said;
	} rows[] = {
		{ SAY_READY, 0, "" },
		{ SAY_FAILED, 1, "ftpfs: no such host\n" },
		{ SAY_TWICE, 1, "ftpfs: first\n" },
		{ SAY_MANY_LINES, 1, "ftpfs: one  two [31m\n" },
		{ DIE, 1, "ftpfs: ended by a signal while starting (Killed)\n" },
		{ LEAVE, 1, "ftpfs: ended while starting\n" },
	};
	char said[1000];
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(run(rows[i].deed, said, sizeof(said)), rows[i].exit_status);
		assert_string_equal(said, rows[i].said);
	}
}

/* Nothing of the caller's stays open, so that who waits for the end of its output does not wait for the mount. */
static void test_lets_go_of_the_caller(void **state)
{
	int ends[2], told[2];
	char c;
	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(pipe(told), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct daemon d;
		dup2(ends[1], 50);
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		int rc = daemon_start(&d, false);
		if (rc == 0) {
			/* Lives until it is killed. */
			if (daemon_ready(&d) < 0)
				_exit(1);
			for (;;)
				pause();
		}
		(void)!write(told[1], &d.child, sizeof(d.child));
		_exit(daemon_wait(&d));
	}
	close(ends[1]);
	pid_t daemon_pid;
	assert_int_equal(read(told[0], &daemon_pid, sizeof(daemon_pid)), sizeof(daemon_pid));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(read(ends[0], &c, 1), 0);
	assert_int_equal(kill(daemon_pid, SIGKILL), 0);
	close(ends[0]);
	close(told[0]);
	close(told[1]);
}

static void test_foreground(void **state)
{
	struct daemon d;
	(void)state;
	assert_int_equal(daemon_start(&d, true), 0);
	assert_int_equal(daemon_ready(&d), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_lets_go_of_the_caller),
		cmocka_unit_test(test_foreground),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
