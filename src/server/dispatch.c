#include "server/dispatch.h"

#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/commands.h"
#include "server/play.h"
#include "server/transfer.h"

enum { LINE_MAX_LEN = 4100 };

static void log_command(const struct session *s, const char *verb, const char *arg)
{
	bool secret = strcasecmp(verb, "PASS") == 0 || strcasecmp(verb, "ACCT") == 0;
	aftp_log(&s->log, AFTP_LOG_WIRE, "> %s%s%s", verb, arg[0] ? " " : "", secret && arg[0] ? "****" : arg);
}

bool dispatch_counts(struct session *s)
{
	uint64_t limit = s->srv->faults.set.drop_after_commands;
	s->commands++;
	s->srv->counters.commands++;
	if (limit == 0 || s->commands != limit || !faults_strike(&s->srv->faults))
		return true;
	session_kill(s, true);
	return false;
}

static void forget(struct session *s, unsigned keeps)
{
	if (!(keeps & KEEP_REST)) {
		s->rest = 0;
		s->range_end = UINT64_MAX;
	}
	if (!(keeps & KEEP_RENAME)) {
		free(s->rename_from);
		s->rename_from = NULL;
	}
	if (!(keeps & KEEP_COPY)) {
		free(s->copy_from);
		s->copy_from = NULL;
	}
}

static void say_no_login(struct session *s)
{
	session_end(s, s->srv->play->no_login, "Please login with USER and PASS.");
}

/* The columns of the table. True when the handler may run. */
static bool command_allowed(struct session *s, const struct command *cmd, const char *arg)
{
	if (cmd->login && s->login != LOGIN_DONE)
		say_no_login(s);
	else if (!session_may(s, cmd->may) && cmd->may)
		session_end(s, 550, "Permission denied.");
	else if (cmd->arg == ARG_MUST && !arg[0])
		session_end(s, 501, "Syntax: %s %s", cmd->verb, cmd->syntax);
	else
		return true;
	return false;
}

static void say_unknown(struct session *s, const char *verb, bool hidden)
{
	int code = s->srv->play->unknown;
	s->srv->counters.unknown++;
	forget(s, 0);
	if (s->srv->play->login_first && s->login != LOGIN_DONE)
		say_no_login(s);
	else if (code == 0 && hidden)
		session_end(s, 502, "%s not implemented.", verb);
	else
		session_end(s, code ? code : 500, "%s not understood.", verb);
}

static void command_run(struct session *s, const char *arg)
{
	const struct command *cmd = s->cmd;
	bool uses_rest = cmd->run == cmd_retr || cmd->run == cmd_stor || cmd->run == cmd_appe;
	if (!command_allowed(s, cmd, arg))
		return;
	if (!s->path && !(s->path = calloc(1, PATH_CAP))) {
		session_end_errno(s, AFTP_ENOMEM);
		return;
	}
	forget(s, s->srv->play->rest_is_next && !uses_rest ? cmd->keeps & ~(unsigned)KEEP_REST : cmd->keeps);
	cmd->run(s, arg);
}

static void after_delay(struct session *s)
{
	char *arg = s->held;
	s->held = NULL;
	command_run(s, arg);
	free(arg);
}

static void delay(struct session *s, uint64_t ms, const char *arg)
{
	s->held = strdup(arg);
	if (s->held)
		session_pause(s, ms, after_delay);
	else
		session_end_errno(s, AFTP_ENOMEM);
}

static void babble(struct session *s, enum babble what)
{
	control_babble(s->control, what);
	session_stick(s);
}

/* True when there is a rule that says what becomes of it instead. */
static bool ruled(struct session *s, const char *arg)
{
	const struct aftp_rule *r = s->rule;
	if (!r)
		return false;
	switch (r->act) {
	case AFTP_ACT_REPLY:
		session_text(s, (int)r->number, r->text);
		session_end_silently(s);
		return true;
	case AFTP_ACT_SILENCE: session_end_silently(s); return true;
	case AFTP_ACT_MISSING: say_unknown(s, s->cmd->verb, true); return true;
	case AFTP_ACT_DELAY: delay(s, r->number, arg); return true;
	case AFTP_ACT_DROP: session_kill(s, true); return true;
	case AFTP_ACT_CLOSE: session_leave(s); return true;
	case AFTP_ACT_GARBAGE: babble(s, BABBLE_GARBAGE); return true;
	case AFTP_ACT_ENDLESS_LINE: babble(s, BABBLE_LINE); return true;
	case AFTP_ACT_ENDLESS_REPLY: babble(s, BABBLE_REPLY); return true;
	default: return false;
	}
}

static void dispatch(struct session *s, const char *verb, const char *arg)
{
	const struct command *cmd = command_find(verb);
	log_command(s, verb, arg);
	if (cmd)
		s->srv->verb_counts[command_index(cmd)]++;
	if (!cmd || server_hides(s->srv, cmd->verb)) {
		say_unknown(s, verb, cmd);
		return;
	}
	enum babble what = faults_babble(&s->srv->faults, cmd->verb);
	s->cmd = cmd;
	s->rule = faults_rule(&s->srv->faults, cmd->verb, s->srv->verb_counts[command_index(cmd)]);
	if (what != BABBLE_NONE)
		babble(s, what);
	else if (!ruled(s, arg))
		command_run(s, arg);
}

/* Cuts a line into verb and argument; the argument is everything after one blank. */
void dispatch_line(struct session *s, const char *line, size_t len)
{
	char text[LINE_MAX_LEN];
	bool ok = len < sizeof(text) && !memchr(line, '\0', len);
	s->arrived = false;
	len = ok ? len : 0;
	memcpy(text, line, len);
	text[len] = '\0';
	control_consume(s->control);
	if (!dispatch_counts(s))
		return;
	if (!ok) {
		session_end(s, 501, "A command cannot have a NUL in it.");
		return;
	}
	if (s->srv->play->not_utf8 == PLAY_FATAL && !play_utf8(text)) {
		session_leave(s);
		return;
	}
	char *arg = text + strcspn(text, " ");
	if (*arg)
		*arg++ = '\0';
	dispatch(s, text, arg);
}

/* --- while a transfer runs ------------------------------------------------------------------------- */

enum when { LATER, ANSWERED, NOW, BUSY, LOST };

static bool one_of(const char *verb, const char *const *list)
{
	while (*list && strcmp(*list, verb) != 0)
		list++;
	return *list;
}

static bool abor_waits(const struct session *s)
{
	return transfer_is_upload(s) ? s->srv->play->abor_waits_up : s->srv->play->abor_waits_down;
}

static enum when when_to_run(const struct session *s, const struct command *cmd, bool bare)
{
	static const char *const alone[] = { "ACCT", "APPE", "HASH", "LIST", "MLSD", "NLST", "PASS", "QUIT", "REIN",
		"RETR", "STOR", "STOU", "USER", NULL };
	static const char *const needs_data[] = { "APPE", "EPRT", "EPSV", "LIST", "MLSD", "NLST", "PASV", "PORT",
		"RETR", "RNFR", "RNTO", "STOR", "STOU", NULL };
	enum play_order order = s->srv->play->order;
	if (cmd && server_hides(s->srv, cmd->verb))
		cmd = NULL;
	if (bare && cmd && strcmp(cmd->verb, "ABOR") == 0)
		return abor_waits(s) ? LATER : ANSWERED;
	if (order == PLAY_LOST)
		return transfer_moving(s) ? LOST : LATER;
	if (bare && cmd && cmd->in_transfer)
		return ANSWERED;
	if (order == PLAY_BUSY && cmd && one_of(cmd->verb, needs_data))
		return transfer_moving(s) ? BUSY : LATER;
	return order == PLAY_STRICT || (cmd && one_of(cmd->verb, alone)) ? LATER : NOW;
}

static void answer_at_once(struct session *s, enum when when, const struct command *cmd, const char *verb)
{
	control_consume(s->control);
	s->arrived = false;
	if (!dispatch_counts(s))
		return;
	log_command(s, verb, "");
	if (cmd)
		s->srv->verb_counts[command_index(cmd)]++;
	if (when == ANSWERED)
		cmd->in_transfer(s);
	else if (when == BUSY)
		session_reply(s, 450, "%s: data transfer in progress", verb);
	else
		session_reply(s, 500, "Unknown command");
}

bool dispatch_in_transfer(struct session *s, const char *line, size_t len)
{
	char verb[16];
	const char *blank = memchr(line, ' ', len);
	size_t n = blank ? (size_t)(blank - line) : len;
	if (!transfer_running(s) || n >= sizeof(verb) || memchr(line, '\0', n))
		return false;
	memcpy(verb, line, n);
	verb[n] = '\0';
	const struct command *cmd = command_find(verb);
	enum when when = when_to_run(s, cmd, !blank);
	if (when == LATER || (s->srv->play->order == PLAY_BUSY && !s->arrived))
		return false;
	if (when != NOW) {
		answer_at_once(s, when, cmd, verb);
		return s->state != SESSION_DEAD;
	}
	session_loosen(s);
	dispatch_line(s, line, len);
	return true;
}
