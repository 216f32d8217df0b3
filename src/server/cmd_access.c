/* cmd_access - who is there, and for how long: HOST USER PASS ACCT REIN QUIT. */
#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>

#include "server/commands.h"

static void logged_in(struct session *s)
{
	struct user *user = s->user;
	if (user->set.max_connections > 0 && user->connections >= user->set.max_connections) {
		session_login_reset(s);
		session_end(s, 530, "Too many connections of this user.");
		return;
	}
	if (session_chdir(s, user->set.home) < 0) {
		session_login_reset(s);
		session_end_errno(s, AFTP_ENOMEM);
		return;
	}
	user->connections++;
	s->user_counted = true;
	s->login = LOGIN_DONE;
	s->srv->counters.logins++;
	aftp_log(&s->log, AFTP_LOG_INFO, "login of %s", s->login_name);
	session_end(s, 230, "Login successful.");
}

static void say_refused(struct session *s)
{
	uint32_t max = s->srv->max_login_failures;
	bool enough = max > 0 && s->login_failures >= max;
	session_login_reset(s);
	if (enough) {
		session_reply(s, 530, "Login incorrect. That was the last attempt.");
		session_leave(s);
		session_end_silently(s);
	} else {
		session_end(s, 530, "Login incorrect.");
	}
}

static void login_refused(struct session *s)
{
	unsigned doublings = attempts_failed(&s->srv->attempts, &s->peer, uv_hrtime());
	aftp_log(&s->log, AFTP_LOG_INFO, "login of %s refused", s->login_name);
	s->login_failures++;
	if (s->srv->login_delay_ms > 0)
		session_pause(s, s->srv->login_delay_ms << doublings, say_refused);
	else
		say_refused(s);
}

/* RFC 7151. There is one site, whatever it is called. */
void cmd_host(struct session *s, const char *arg)
{
	if (s->login != LOGIN_NONE || s->login_name) {
		session_end(s, 503, "HOST comes before USER.");
		return;
	}
	aftp_log(&s->log, AFTP_LOG_INFO, "host is %s", arg);
	session_end(s, 220, "Host accepted.");
}

void cmd_user(struct session *s, const char *arg)
{
	if (s->srv->tls_required && !s->secure) {
		session_end(s, 530, "TLS is required: AUTH TLS comes first.");
		return;
	}
	session_login_reset(s);
	s->login_name = strdup(arg);
	if (!s->login_name) {
		session_end_errno(s, AFTP_ENOMEM);
		return;
	}
	s->user = users_find(&s->srv->users, arg);
	if (users_needs_password(s->user)) {
		s->login = LOGIN_PASSWORD;
		session_end(s, 331, "Please specify the password.");
	} else if (s->user->set.account) {
		s->login = LOGIN_ACCOUNT;
		session_end(s, 332, "Please specify the account.");
	} else {
		logged_in(s);
	}
}

void cmd_pass(struct session *s, const char *arg)
{
	if (s->login == LOGIN_DONE) {
		session_end(s, 230, "Already logged in.");
	} else if (s->login != LOGIN_PASSWORD) {
		session_end(s, 503, "Login with USER first.");
	} else if (!users_check_password(s->user, arg)) {
		login_refused(s);
	} else if (s->user->set.account) {
		s->login = LOGIN_ACCOUNT;
		session_end(s, 332, "Please specify the account.");
	} else {
		logged_in(s);
	}
}

void cmd_acct(struct session *s, const char *arg)
{
	if (s->login == LOGIN_DONE) {
		session_end(s, 202, "No account is needed.");
	} else if (s->login != LOGIN_ACCOUNT) {
		session_end(s, 503, "Login with USER first.");
	} else if (!users_check_account(s->user, arg)) {
		login_refused(s);
	} else {
		logged_in(s);
	}
}

void cmd_rein(struct session *s, const char *arg)
{
	(void)arg;
	session_login_reset(s);
	session_end(s, 220, "Service ready for a new user.");
}

void cmd_quit(struct session *s, const char *arg)
{
	(void)arg;
	session_reply(s, 221, "Goodbye.");
	session_leave(s);
	session_end_silently(s);
}
