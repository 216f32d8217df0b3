#include "client/login.h"

#include <aftp/status.h>

static const struct {
	const char *verb;
	enum login on331, on332;
} steps[] = {
	[LOGIN_USER] = { "USER", LOGIN_PASS, LOGIN_ACCT },
	[LOGIN_PASS] = { "PASS", LOGIN_DENIED, LOGIN_ACCT },
	[LOGIN_ACCT] = { "ACCT", LOGIN_DENIED, LOGIN_DENIED },
};

enum login login_next(enum login at, int code)
{
	switch (code) {
	case 202: /* not needed here */
	case 230:
	case 232: return LOGIN_OK;
	case 331: return steps[at].on331;
	case 332: return steps[at].on332;
	default: return LOGIN_DENIED;
	}
}

const char *login_verb(enum login at)
{
	return steps[at].verb;
}

int login_error(const struct aftp_reply *r)
{
	int error = aftp_reply_error(r);

	if (error == AFTP_ETOOMANY || r->code == 421)
		return AFTP_ETOOMANY;
	if (r->code < 300)
		return AFTP_EPROTO;
	/* 332 to ACCT, 331 to PASS: it asks again for what it has been given, and so does not want it. */
	if (r->code < 400)
		return r->code == 331 || r->code == 332 ? AFTP_ELOGIN : AFTP_EPROTO;
	/* 430 is in no RFC, and means a wrong password. */
	return r->code < 500 && r->code != 430 ? AFTP_EREPLY : AFTP_ELOGIN;
}

int login_greeting_error(const struct aftp_reply *r)
{
	int error = aftp_reply_error(r);

	if (r->code < 400)
		return AFTP_EPROTO;
	if (error == AFTP_ETOOMANY || r->code == 421)
		return AFTP_ETOOMANY;
	return error == AFTP_ELOGIN ? AFTP_ELOGIN : AFTP_EREPLY;
}
