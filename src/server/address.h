/* address - what the server asks of socket addresses, and how FTP writes them. Pure. */
#ifndef SERVER_ADDRESS_H
#define SERVER_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

uint16_t address_port(const struct sockaddr_storage *ss);
void address_set_port(struct sockaddr_storage *ss, uint16_t port);

/* But for the port; IPv4 mapped into IPv6 is IPv4. */
bool address_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b);
bool address_ipv4(const struct sockaddr_storage *ss, struct in_addr *out);

/* "h1,h2,h3,h4,p1,p2" of PORT (RFC 959). 0, -EINVAL. */
int address_parse_port(const char *text, struct sockaddr_storage *out);
/* "|1|132.235.1.2|6275|" of EPRT (RFC 2428). 0, -EINVAL, -EAFNOSUPPORT (neither 1 nor 2). */
int address_parse_eprt(const char *text, struct sockaddr_storage *out);

#endif
