/* login - the dialogue of USER, PASS and ACCT as data (RFC 959 section 5.4), and what a refusal of it means.
 *
 * Each step leads only forward, so a server that asks for the same thing for ever is refused and not obeyed. */
#ifndef CLIENT_LOGIN_H
#define CLIENT_LOGIN_H

#include <aftp/reply.h>

enum login { LOGIN_USER, LOGIN_PASS, LOGIN_ACCT, LOGIN_OK, LOGIN_DENIED };

/* What follows a final reply to the step `at` (one of the first three). */
enum login login_next(enum login at, int code);

/* "USER", "PASS" or "ACCT". */
const char *login_verb(enum login at);

/* Why a step was denied with this reply: AFTP_ETOOMANY when it says so, AFTP_EREPLY for what may pass by itself
 * (4xx), else AFTP_ELOGIN; AFTP_EPROTO for an answer that is none. */
int login_error(const struct aftp_reply *r);

/* Why a greeting other than 220 is no welcome: AFTP_ETOOMANY, AFTP_ELOGIN or AFTP_EREPLY; AFTP_EPROTO below 400. */
int login_greeting_error(const struct aftp_reply *r);

#endif
