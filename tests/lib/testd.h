/* testd - the library's server in a thread of its own, and a plain blocking client that says exactly what a test
 * wants said.
 *
 * Every wait of the client is bounded; what goes wrong fails the test. */
#ifndef TESTS_TESTD_H
#define TESTS_TESTD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include <aftp/server.h>

struct slow_vfs;

struct testd {
	uv_loop_t loop;
	uv_thread_t thread;
	uv_async_t wake;
	uv_sem_t done;
	struct aftp_memfs *fs;
	struct aftp_server *server;
	uint16_t port;
	void (*job)(struct testd *d, void *arg);
	void *job_arg;
	struct slow_vfs *slow; /* in front of fs; or NULL */
	bool leaked;           /* a handle was left on the loop at the end */
};

/* `options` may be NULL; its vfs is set here. `ipv6`: on ::1. */
void testd_start(struct testd *d, const struct aftp_server_options *options, bool ipv6);
void testd_start_slow(struct testd *d, const struct aftp_server_options *options); /* behind a slow_vfs */
void testd_stop(struct testd *d); /* fails the test when something is left on the loop */
/* Runs `job` in the server's thread and waits for it. */
void testd_call(struct testd *d, void (*job)(struct testd *d, void *arg), void *arg);
void testd_put(struct testd *d, const char *path, const void *data, size_t n);
void testd_pattern(struct testd *d, const char *path, uint64_t size, uint64_t seed);
uint64_t testd_count(struct testd *d, const char *verb);
struct aftp_server_counters testd_counters(struct testd *d);
void testd_set_faults(struct testd *d, const struct aftp_faults *faults);

struct talk {
	int fd;
	uint16_t port;
	bool ipv6;
	char in[1 << 17]; /* what came and was not looked at */
	size_t in_len;
	char reply[1 << 17]; /* the last reply, all lines, NUL-ended */
	int code;            /* its code; 0: the connection ended; -1: it was reset */
};

void talk_open(struct talk *t, const struct testd *d); /* connects; no greeting is read */
void talk_close(struct talk *t);
void talk_send(struct talk *t, const void *data, size_t n);
int talk_reply(struct talk *t);                                                           /* reads one reply; t->code */
int talk_say(struct talk *t, const char *fmt, ...) __attribute__((format(printf, 2, 3))); /* a line, and its reply */
void talk_expect(struct talk *t, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void talk_login(struct talk *t, const struct testd *d, const char *user, const char *password);
/* the server has closed or reset it, within ms; input is dropped */
bool talk_ended(struct talk *t, int ms);

/* A dialogue as a table. */
struct talk_step {
	const char *line; /* NULL: a new connection, and its greeting */
	int code;         /* 0: nothing is said; the connection has ended */
	const char *text; /* in the reply; may be NULL */
};
void talk_play(struct testd *d, const struct talk_step *steps, size_t n);

int talk_epsv(struct talk *t); /* EPSV, and the connected data socket */
int talk_connect(uint16_t port, bool ipv6);
/* All bytes to the end; *reset tells how it ended. The caller's to free(); NUL-ended. */
char *talk_drain(int fd, size_t *n, bool *reset);
/* Whole transfers: 150, data, 226. */
char *talk_retrieve(struct talk *t, const char *command, size_t *n);
void talk_store(struct talk *t, const char *command, const void *data, size_t n);

#endif
