/* cmd_data - where the data connection is: EPSV PASV EPRT PORT. */
#include <aftp/status.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "server/address.h"
#include "server/commands.h"
#include "server/play.h"

enum { FIRST_OPEN_PORT = 1024 };

static void say_no_port(struct session *s, int status)
{
	session_end(s, 425, "Cannot open a port: %s.", status == -EADDRINUSE ? "none is free" : aftp_strerror(status));
}

void cmd_epsv(struct session *s, const char *arg)
{
	struct in_addr ignored;
	uint16_t port;
	char family = address_ipv4(&s->local, &ignored) ? '1' : '2';
	if (strcasecmp(arg, "ALL") == 0) {
		s->epsv_all = true;
		session_end(s, 200, "EPSV ALL ok.");
		return;
	}
	if (arg[0] && s->srv->play->epsv_bare) {
		session_reply(s, 522, "No arguments here.");
		session_leave(s);
		session_end_silently(s);
		return;
	}
	if (arg[0] && (arg[0] != family || arg[1])) {
		session_end(s, 522, "Network protocol not supported, use (%c).", family);
		return;
	}
	int rc = data_listen(s, &port);
	if (rc < 0)
		say_no_port(s, rc);
	else
		session_end(s, 229, "Entering Extended Passive Mode (|||%u|).", port);
}

/* After EPSV ALL there is nothing else. */
static bool only_epsv(struct session *s)
{
	if (s->epsv_all)
		session_end(s, 501, "%s is not allowed after EPSV ALL.", s->cmd->verb);
	return s->epsv_all;
}

void cmd_pasv(struct session *s, const char *arg)
{
	(void)arg;
	struct in_addr addr;
	char text[INET_ADDRSTRLEN];
	uint16_t port;
	const char *told = s->srv->faults.set.pasv_address;
	if (only_epsv(s))
		return;
	if (!address_ipv4(&s->local, &addr) || !inet_ntop(AF_INET, &addr, text, sizeof(text))) {
		session_end(s, 425, "PASV is for IPv4; use EPSV.");
		return;
	}
	for (char *p = text; *p; p++)
		*p = *p == '.' ? ',' : *p;
	int rc = data_listen(s, &port);
	if (rc < 0)
		say_no_port(s, rc);
	else
		session_end(s, 227, "Entering Passive Mode (%s,%u,%u).", told ? told : text, port >> 8, port & 255);
}

/* A server that connects to wherever it is told is a weapon in other people's hands (RFC 2577). */
static void take_target(struct session *s, const struct sockaddr_storage *target)
{
	bool foreign = !s->srv->foreign_data && !address_same(target, &s->peer);
	if (foreign || address_port(target) < FIRST_OPEN_PORT) {
		session_end(s, 500, "Illegal %s command: not %s.", s->cmd->verb,
			foreign ? "your address" : "below port 1024");
		return;
	}
	data_target(s, target);
	session_end(s, 200, "%s command successful.", s->cmd->verb);
}

void cmd_port(struct session *s, const char *arg)
{
	struct sockaddr_storage target;
	if (only_epsv(s))
		return;
	if (address_parse_port(arg, &target) < 0)
		session_end(s, 501, "Syntax: PORT <sp> h1,h2,h3,h4,p1,p2");
	else
		take_target(s, &target);
}

void cmd_eprt(struct session *s, const char *arg)
{
	struct sockaddr_storage target;
	if (only_epsv(s))
		return;
	int rc = address_parse_eprt(arg, &target);
	if (rc == -EAFNOSUPPORT)
		session_end(s, 522, "Network protocol not supported, use (1,2).");
	else if (rc < 0)
		session_end(s, 501, "Syntax: EPRT <sp> |1 or 2|address|port|");
	else
		take_target(s, &target);
}
