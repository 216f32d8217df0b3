/* cmd_tls - who may listen: AUTH PBSZ PROT (RFC 4217). */
#include <aftp/status.h>
#include <string.h>
#include <strings.h>

#include "server/commands.h"

/* A client may not go on with what it did in the clear: it logs in anew. */
void cmd_auth(struct session *s, const char *arg)
{
	if (s->secure) {
		session_end(s, 503, "This connection is secure.");
		return;
	}
	if (strcasecmp(arg, "TLS") != 0 && strcasecmp(arg, "TLS-C") != 0 && strcasecmp(arg, "SSL") != 0) {
		session_end(s, 504, "Only TLS is known here.");
		return;
	}
	session_login_reset(s);
	session_reply(s, 234, "Begin TLS.");
	session_secure(s, session_end_silently);
}

void cmd_pbsz(struct session *s, const char *arg)
{
	if (!s->secure)
		session_end(s, 503, "AUTH comes first.");
	else if (strspn(arg, "0123456789") != strlen(arg))
		session_end(s, 501, "PBSZ needs a number.");
	else
		session_end(s, 200, "PBSZ=0");
}

void cmd_prot(struct session *s, const char *arg)
{
	bool clear = strcasecmp(arg, "C") == 0;
	if (!s->secure) {
		session_end(s, 503, "AUTH comes first.");
	} else if (!clear && strcasecmp(arg, "P") != 0) {
		session_end(s, strcasecmp(arg, "S") == 0 || strcasecmp(arg, "E") == 0 ? 536 : 504,
			"Data connections are P (private) or C (clear).");
	} else if (clear && s->srv->tls_required) {
		session_end(s, 534, "Data connections must be private.");
	} else {
		s->private = !clear;
		session_end(s, 200, clear ? "Data connections are clear." : "Data connections are private.");
	}
}
