/* cmd_info - about the server: FEAT HELP NOOP SYST STAT CLNT OPTS. */
#include <aftp/status.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "server/commands.h"
#include "server/format.h"
#include "server/hash.h"
#include "server/lister.h"
#include "server/transfer.h"

static bool has(const struct session *s, const char *verb)
{
	return !server_hides(s->srv, verb);
}

/* "HASH SHA-256*;SHA-512;...", the chosen one starred. */
static void print_hashes(const struct session *s, char *out, size_t size)
{
	size_t n = 0;
	out[0] = '\0';
	for (size_t i = 0; i < hash_kind_count() && n < size; i++) {
		const struct hash_kind *kind = hash_kind_at(i);
		n += (size_t)snprintf(
			out + n, size - n, "%s%s%s", i ? ";" : " ", kind->name, kind == s->hash ? "*" : "");
	}
}

/* RFC 2389. A line goes with the commands that it promises. */
void cmd_feat(struct session *s, const char *arg)
{
	static const struct {
		const char *line, *verbs[2];
	} features[] = {
		{ "AUTH TLS", { "AUTH" } },
		{ "AVBL", { "AVBL" } },
		{ "CLNT", { "CLNT" } },
		{ "EPRT", { "EPRT" } },
		{ "EPSV", { "EPSV" } },
		{ "HASH", { "HASH" } },
		{ "HOST", { "HOST" } },
		{ "MDTM", { "MDTM" } },
		{ "MFF modify;UNIX.mode;", { "MFF" } },
		{ "MFMT", { "MFMT" } },
		{ "MLST", { "MLST", "MLSD" } },
		{ "PASV", { "PASV" } },
		{ "PBSZ", { "PBSZ" } },
		{ "PROT", { "PROT" } },
		{ "RANG STREAM", { "RANG" } },
		{ "REST STREAM", { "REST" } },
		{ "SITE COPY", { "SITE CPFR", "SITE CPTO" } },
		{ "SITE SYMLINK", { "SITE SYMLINK" } },
		{ "SITE UTIME", { "SITE UTIME" } },
		{ "SIZE", { "SIZE" } },
		{ "TVFS", { NULL } },
		{ "UTF8", { NULL } },
		{ "XCRC", { "XCRC" } },
		{ "XMD5", { "XMD5" } },
		{ "XSHA", { "XSHA" } },
		{ "XSHA1", { "XSHA1" } },
		{ "XSHA256", { "XSHA256" } },
		{ "XSHA512", { "XSHA512" } },
	};
	char facts[160];
	(void)arg;
	session_line(s, 211, "Features:");
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		const char *line = features[i].line, *const *verbs = features[i].verbs;
		if ((verbs[0] && !has(s, verbs[0])) || (verbs[1] && !has(s, verbs[1])))
			continue;
		facts[0] = '\0';
		if (strcmp(line, "MLST") == 0) {
			facts[0] = ' ';
			format_print_facts(facts + 1, s->facts, true);
		} else if (strcmp(line, "HASH") == 0) {
			print_hashes(s, facts, sizeof(facts));
		}
		session_reply(s, 0, "%s%s", line, facts);
	}
	session_end(s, 211, "End");
}

static void help_all(struct session *s)
{
	char line[80];
	size_t n = 0;
	session_line(s, 214, "The following commands are recognized.");
	for (size_t i = 0; i < command_count(); i++) {
		if (!has(s, command_at(i)->verb))
			continue;
		n += (size_t)snprintf(line + n, sizeof(line) - n, "%-8s", command_at(i)->verb);
		if (n + 9 > sizeof(line)) {
			session_reply(s, 0, "%s", line);
			n = 0;
		}
	}
	if (n > 0)
		session_reply(s, 0, "%s", line);
	session_end(s, 214, "Help OK.");
}

void cmd_help(struct session *s, const char *arg)
{
	const struct command *cmd = command_find(arg);
	if (!arg[0])
		help_all(s);
	else if (cmd && has(s, cmd->verb))
		session_end(s, 214, "Syntax: %s%s%s", cmd->verb, cmd->syntax[0] ? " " : "", cmd->syntax);
	else
		session_end(s, 502, "Unknown command %s.", arg);
}

void cmd_noop(struct session *s, const char *arg)
{
	(void)arg;
	session_end(s, 200, "NOOP ok.");
}

void cmd_syst(struct session *s, const char *arg)
{
	(void)arg;
	session_end(s, 215, "UNIX Type: L8");
}

void cmd_clnt(struct session *s, const char *arg)
{
	aftp_log(&s->log, AFTP_LOG_INFO, "client is %s", arg);
	session_end(s, 200, "Noted.");
}

static void opts_mlst(struct session *s, const char *arg)
{
	char facts[128];
	s->facts = format_parse_facts(arg);
	format_print_facts(facts, s->facts, false);
	session_end(s, 200, "MLST OPTS%s%s", facts[0] ? " " : "", facts);
}

void cmd_opts(struct session *s, const char *arg)
{
	if (strcasecmp(arg, "UTF8 ON") == 0 || strcasecmp(arg, "UTF8") == 0 || strcasecmp(arg, "UTF-8 ON") == 0)
		session_end(s, 200, "Always in UTF8 mode.");
	else if (strncasecmp(arg, "MLST", 4) == 0 && (arg[4] == ' ' || arg[4] == '\0') && has(s, "MLST"))
		opts_mlst(s, arg[4] ? arg + 5 : "");
	else if (strncasecmp(arg, "HASH", 4) == 0 && (arg[4] == ' ' || arg[4] == '\0') && has(s, "HASH"))
		cmd_opts_hash(s, arg[4] ? arg + 5 : "");
	else
		session_end(s, 501, "Option not understood.");
}

/* --- STAT ------------------------------------------------------------------------------------------ */

static void say_status(struct session *s)
{
	session_line(s, 211, "FTP server status:");
	if (s->login == LOGIN_DONE)
		session_reply(s, 0, "Logged in as %s", s->login_name);
	session_reply(s, 0, "TYPE: %s", s->type == 'I' ? "BINARY" : "ASCII");
	session_reply(s, 0, "Sessions: %u", s->srv->open_sessions);
	if (transfer_running(s))
		session_reply(s, 0, "Transferring: %" PRIu64 " bytes so far", transfer_bytes(s));
}

void cmd_stat_transfer(struct session *s)
{
	say_status(s);
	session_reply(s, 211, "End of status");
}

/* STAT of a path lists it here, block by block as the client takes them. */
struct stat_listing {
	struct session *s;
	struct lister *lister;
};

enum { STAT_BACKLOG = 256 << 10 };

static void stat_go(void *arg);

static void stat_end(struct stat_listing *l, int status)
{
	struct session *s = l->s;
	if (l->lister)
		lister_close(l->lister);
	free(l);
	if (!session_back(s))
		return;
	int code;
	const char *words = session_words(status, &code);
	session_end(s, 213, "%s", status < 0 ? words : "End of status");
}

static void on_block(void *arg, int status, char *data, size_t n)
{
	struct stat_listing *l = arg;
	if (n == 0) {
		stat_end(l, status);
		return;
	}
	int rc = l->s->state == SESSION_DEAD ? AFTP_ECANCELED : control_put(l->s->control, data, n);
	free(data);
	if (rc < 0)
		stat_end(l, rc);
	else if (control_backlog(l->s->control) > STAT_BACKLOG)
		session_when_drained(l->s, stat_go, l);
	else
		stat_go(l);
}

static void stat_go(void *arg)
{
	struct stat_listing *l = arg;
	int rc = l->s->state == SESSION_DEAD ? AFTP_ECANCELED : lister_next(l->lister, on_block, l);
	if (rc < 0)
		stat_end(l, rc);
}

static void on_lister(void *arg, int status, struct lister *lister)
{
	struct stat_listing *l = arg;
	struct session *s = l->s;
	l->lister = lister;
	if (status == 0) {
		session_line(s, 213, "Status follows:");
		stat_go(l);
		return;
	}
	free(l);
	if (session_back(s))
		session_end_errno(s, status);
}

void cmd_stat(struct session *s, const char *arg)
{
	if (!arg[0]) {
		say_status(s);
		session_end(s, 211, "End of status");
		return;
	}
	if (s->login != LOGIN_DONE || !session_may(s, AFTP_MAY_READ)) {
		session_end(s, s->login == LOGIN_DONE ? 550 : 530, "%s",
			s->login == LOGIN_DONE ? "Permission denied." : "Please login with USER and PASS.");
		return;
	}
	if (!session_path_for(s, arg, AFTP_MAY_READ))
		return;
	struct stat_listing *l = calloc(1, sizeof(*l));
	session_hold(s);
	if (l)
		l->s = s;
	int rc = l ? lister_open(s, s->path, &(struct lister_wish){ .format = LISTER_LIST, .dots = true }, on_lister, l)
		   : AFTP_ENOMEM;
	if (rc == 0)
		return;
	free(l);
	session_release(s);
	session_end_errno(s, rc);
}
