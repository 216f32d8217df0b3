#include "server/attempts.h"

#include <netinet/in.h>
#include <string.h>

#define FORGET_NS (60 * UINT64_C(1000000000))

static void network_of(const struct sockaddr_storage *from, uint8_t network[8])
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)from;
	memset(network, 0, 8);
	if (from->ss_family == AF_INET)
		memcpy(network + 4, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
	else if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
		memcpy(network + 4, six->sin6_addr.s6_addr + 12, 4);
	else
		memcpy(network, six->sin6_addr.s6_addr, 8);
}

unsigned attempts_failed(struct attempts *a, const struct sockaddr_storage *from, uint64_t now_ns)
{
	uint8_t network[8];
	size_t at = 0;
	network_of(from, network);
	for (size_t i = 0; i < ATTEMPTS_SLOTS; i++) {
		if (a->slots[i].count > 0 && memcmp(a->slots[i].network, network, sizeof(network)) == 0) {
			at = i;
			break;
		}
		if (a->slots[i].last_ns < a->slots[at].last_ns)
			at = i;
	}
	if (memcmp(a->slots[at].network, network, sizeof(network)) != 0 || now_ns - a->slots[at].last_ns > FORGET_NS)
		a->slots[at].count = 0;
	memcpy(a->slots[at].network, network, sizeof(network));
	a->slots[at].last_ns = now_ns;
	if (a->slots[at].count <= ATTEMPTS_DOUBLINGS)
		a->slots[at].count++;
	return a->slots[at].count - 1;
}
