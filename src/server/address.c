#include "server/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

uint16_t address_port(const struct sockaddr_storage *ss)
{
	return ntohs(ss->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)(const void *)ss)->sin6_port
					       : ((const struct sockaddr_in *)(const void *)ss)->sin_port);
}

void address_set_port(struct sockaddr_storage *ss, uint16_t port)
{
	if (ss->ss_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)ss)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)(void *)ss)->sin_port = htons(port);
}

/* As 16 bytes, IPv4 mapped. */
static void address_bytes(const struct sockaddr_storage *ss, struct in6_addr *out)
{
	memset(out, 0, sizeof(*out));
	if (ss->ss_family == AF_INET6) {
		*out = ((const struct sockaddr_in6 *)(const void *)ss)->sin6_addr;
	} else if (ss->ss_family == AF_INET) {
		out->s6_addr[10] = out->s6_addr[11] = 0xff;
		memcpy(out->s6_addr + 12, &((const struct sockaddr_in *)(const void *)ss)->sin_addr, 4);
	}
}

bool address_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	struct in6_addr x, y;
	address_bytes(a, &x);
	address_bytes(b, &y);
	return memcmp(&x, &y, sizeof(x)) == 0;
}

bool address_ipv4(const struct sockaddr_storage *ss, struct in_addr *out)
{
	struct in6_addr bytes;
	address_bytes(ss, &bytes);
	if (!IN6_IS_ADDR_V4MAPPED(&bytes))
		return false;
	memcpy(out, bytes.s6_addr + 12, sizeof(*out));
	return true;
}

/* --- as FTP writes them ---------------------------------------------------------------------------- */

/* 0..max in decimal; *text moves behind it. */
static bool number(const char **text, unsigned max, unsigned *out)
{
	size_t n = strspn(*text, "0123456789");
	*out = 0;
	if (n == 0 || n > 5)
		return false;
	for (; n > 0; n--)
		*out = *out * 10 + (unsigned)(*(*text)++ - '0');
	return *out <= max;
}

int address_parse_port(const char *text, struct sockaddr_storage *out)
{
	unsigned v[6];
	for (int i = 0; i < 6; i++) {
		if (!number(&text, 255, &v[i]) || *text != (i < 5 ? ',' : '\0'))
			return -EINVAL;
		text++;
	}
	struct sockaddr_in *four = (struct sockaddr_in *)(void *)out;
	memset(out, 0, sizeof(*out));
	four->sin_family = AF_INET;
	four->sin_addr.s_addr = htonl((uint32_t)v[0] << 24 | v[1] << 16 | v[2] << 8 | v[3]);
	four->sin_port = htons((uint16_t)(v[4] << 8 | v[5]));
	return 0;
}

int address_parse_eprt(const char *text, struct sockaddr_storage *out)
{
	char delimiter = text[0], host[INET6_ADDRSTRLEN];
	unsigned family, port;
	if (delimiter < '!' || delimiter > '~')
		return -EINVAL;
	text++;
	if (!number(&text, UINT16_MAX, &family) || *text++ != delimiter)
		return -EINVAL;
	const char *end = strchr(text, delimiter);
	if (!end || (size_t)(end - text) >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, (size_t)(end - text));
	host[end - text] = '\0';
	text = end + 1;
	if (!number(&text, UINT16_MAX, &port) || text[0] != delimiter || text[1] != '\0')
		return -EINVAL;
	if (family != 1 && family != 2)
		return -EAFNOSUPPORT;
	memset(out, 0, sizeof(*out));
	out->ss_family = family == 1 ? AF_INET : AF_INET6;
	void *to = family == 1 ? (void *)&((struct sockaddr_in *)(void *)out)->sin_addr
			       : (void *)&((struct sockaddr_in6 *)(void *)out)->sin6_addr;
	address_set_port(out, (uint16_t)port);
	return inet_pton(out->ss_family, host, to) == 1 ? 0 : -EINVAL;
}
