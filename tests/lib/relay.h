/* relay - a SOCKS5 and HTTP proxy for tests: takes connections in the test's loop, does as it is asked, and remembers what
 * for. */
#ifndef TESTS_RELAY_H
#define TESTS_RELAY_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct relay_pair;

struct relay {
	uv_loop_t *loop;
	uv_tcp_t listener;
	uint16_t port;
	bool http;         /* else SOCKS5 */
	bool refuses;      /* every request */
	bool silent;       /* never answers */
	const char *login; /* "user:password" that is wanted, or NULL */
	unsigned connections;
	char targets[1024]; /* "host:port" of each request, ended by '\n' */
	struct relay_pair *pairs;
};

/* On a free port of 127.0.0.1. Whatever host is asked for, it connects to 127.0.0.1 at the port that is asked for. Set the
 * rest before a client comes. */
void relay_start(struct relay *r, uv_loop_t *loop, bool http);
void relay_stop(struct relay *r); /* all handles are closing after it */

#endif
