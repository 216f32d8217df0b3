/* cmd_param - how the next transfer is to go: TYPE MODE STRU ALLO REST EPSV PASV. */
#include <aftp/status.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "server/commands.h"

/* ASCII is accepted and nothing is converted, as most servers do. */
void cmd_type(struct session *s, const char *arg)
{
	if (strcasecmp(arg, "I") == 0 || strcasecmp(arg, "L 8") == 0 || strcasecmp(arg, "L8") == 0) {
		s->type = 'I';
		session_end(s, 200, "Switching to Binary mode.");
	} else if (strcasecmp(arg, "A") == 0 || strcasecmp(arg, "A N") == 0) {
		s->type = 'A';
		session_end(s, 200, "Switching to ASCII mode.");
	} else {
		session_end(s, 504, "Unrecognised TYPE.");
	}
}

void cmd_mode(struct session *s, const char *arg)
{
	if (strcasecmp(arg, "S") == 0)
		session_end(s, 200, "Mode set to S.");
	else
		session_end(s, 504, "Bad MODE command.");
}

void cmd_stru(struct session *s, const char *arg)
{
	if (strcasecmp(arg, "F") == 0)
		session_end(s, 200, "Structure set to F.");
	else
		session_end(s, 504, "Bad STRU command.");
}

void cmd_allo(struct session *s, const char *arg)
{
	(void)arg;
	session_end(s, 202, "ALLO command ignored.");
}

void cmd_rest(struct session *s, const char *arg)
{
	uint64_t n = 0;
	size_t len = strspn(arg, "0123456789");
	if (arg[len] || len > 18) {
		session_end(s, 501, "REST needs a number of bytes.");
		return;
	}
	for (const char *p = arg; *p; p++)
		n = n * 10 + (uint64_t)(*p - '0');
	s->rest = n;
	session_end(s, 350, "Restart position accepted (%s).", arg);
}

static bool is_ipv4(const struct sockaddr_storage *ss, struct in_addr *out)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)ss;
	if (ss->ss_family == AF_INET) {
		*out = ((const struct sockaddr_in *)(const void *)ss)->sin_addr;
		return true;
	}
	if (!IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
		return false;
	memcpy(out, six->sin6_addr.s6_addr + 12, sizeof(*out));
	return true;
}

void cmd_epsv(struct session *s, const char *arg)
{
	struct in_addr ignored;
	uint16_t port;
	char family = is_ipv4(&s->local, &ignored) ? '1' : '2';
	if (strcasecmp(arg, "ALL") == 0) {
		s->epsv_all = true;
		session_end(s, 200, "EPSV ALL ok.");
		return;
	}
	if (arg[0] && (arg[0] != family || arg[1])) {
		session_end(s, 522, "Network protocol not supported, use (%c).", family);
		return;
	}
	int rc = data_listen(s, &port);
	if (rc < 0)
		session_end(s, 425, "Cannot open a port: %s.", aftp_strerror(rc));
	else
		session_end(s, 229, "Entering Extended Passive Mode (|||%u|).", port);
}

void cmd_pasv(struct session *s, const char *arg)
{
	(void)arg;
	struct in_addr addr;
	char text[INET_ADDRSTRLEN];
	uint16_t port;
	const char *told = s->srv->faults.set.pasv_address;
	if (s->epsv_all) {
		session_end(s, 501, "PASV is not allowed after EPSV ALL.");
		return;
	}
	if (!is_ipv4(&s->local, &addr) || !inet_ntop(AF_INET, &addr, text, sizeof(text))) {
		session_end(s, 425, "PASV is for IPv4; use EPSV.");
		return;
	}
	for (char *p = text; *p; p++)
		*p = *p == '.' ? ',' : *p;
	int rc = data_listen(s, &port);
	if (rc < 0)
		session_end(s, 425, "Cannot open a port: %s.", aftp_strerror(rc));
	else
		session_end(s, 227, "Entering Passive Mode (%s,%u,%u).", told ? told : text, port >> 8, port & 255);
}
