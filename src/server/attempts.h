/* attempts - failed logins by address, so that guessing gets slower however many connections it uses.
 *
 * A fixed table: who fails most recently pushes out who failed longest ago. Of IPv6 the first 64 bits count. Time is
 * an argument. */
#ifndef SERVER_ATTEMPTS_H
#define SERVER_ATTEMPTS_H

#include <stdint.h>
#include <sys/socket.h>

enum { ATTEMPTS_SLOTS = 256, ATTEMPTS_DOUBLINGS = 4 };

struct attempts {
	struct {
		uint8_t network[8];
		uint64_t last_ns;
		unsigned count; /* 0: unused */
	} slots[ATTEMPTS_SLOTS];
};

/* One more failure from there at `now_ns`: how often the delay of a first one is doubled, 0..ATTEMPTS_DOUBLINGS. */
unsigned attempts_failed(struct attempts *a, const struct sockaddr_storage *from, uint64_t now_ns);

#endif
