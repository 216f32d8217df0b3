/* commands - every command of the server, one row each; what must hold before a handler runs is in the columns.
 *
 * A handler gets its argument ("" when there was none), and ends the command with exactly one session_end() or
 * session_end_errno(), at once or later. */
#ifndef SERVER_COMMANDS_H
#define SERVER_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "server/session.h"

enum command_arg { ARG_NONE, ARG_MAY, ARG_MUST };

struct command {
	const char *verb;
	bool login;           /* only after login: 530 */
	unsigned may;         /* AFTP_MAY_*, all of them: 550 */
	enum command_arg arg; /* ARG_MUST and none given: 501 */
	unsigned keeps;       /* what the command before it set and it does not clear: KEEP_* */
	void (*run)(struct session *s, const char *arg);
	const char *syntax; /* what follows the verb, for HELP */
	/* answers a bare one that is next in line while a transfer runs; or NULL */
	void (*in_transfer)(struct session *s);
};

enum { KEEP_REST = 1 << 0, KEEP_RENAME = 1 << 1, KEEP_COPY = 1 << 2 };

/* Any case; NULL when there is none. */
const struct command *command_find(const char *verb);
bool command_known(const char *words); /* a verb, or "SITE" and one of its words */
size_t command_count(void);
const struct command *command_at(size_t i); /* in alphabetical order */
size_t command_index(const struct command *cmd);

/* Access. */
void cmd_user(struct session *s, const char *arg);
void cmd_pass(struct session *s, const char *arg);
void cmd_acct(struct session *s, const char *arg);
void cmd_rein(struct session *s, const char *arg);
void cmd_quit(struct session *s, const char *arg);
void cmd_host(struct session *s, const char *arg);
void cmd_auth(struct session *s, const char *arg);
void cmd_pbsz(struct session *s, const char *arg);
void cmd_prot(struct session *s, const char *arg);

/* Information. */
void cmd_feat(struct session *s, const char *arg);
void cmd_help(struct session *s, const char *arg);
void cmd_noop(struct session *s, const char *arg);
void cmd_syst(struct session *s, const char *arg);
void cmd_stat(struct session *s, const char *arg);
void cmd_stat_transfer(struct session *s);
void cmd_clnt(struct session *s, const char *arg);
void cmd_opts(struct session *s, const char *arg);

/* Parameters of transfers. */
void cmd_type(struct session *s, const char *arg);
void cmd_mode(struct session *s, const char *arg);
void cmd_stru(struct session *s, const char *arg);
void cmd_allo(struct session *s, const char *arg);
void cmd_rest(struct session *s, const char *arg);
void cmd_rang(struct session *s, const char *arg);

/* Where the data connection is. */
void cmd_epsv(struct session *s, const char *arg);
void cmd_pasv(struct session *s, const char *arg);
void cmd_port(struct session *s, const char *arg);
void cmd_eprt(struct session *s, const char *arg);

/* Files and directories. */
void cmd_pwd(struct session *s, const char *arg);
void cmd_cwd(struct session *s, const char *arg);
void cmd_cdup(struct session *s, const char *arg);
void cmd_mkd(struct session *s, const char *arg);
void cmd_rmd(struct session *s, const char *arg);
void cmd_dele(struct session *s, const char *arg);
void cmd_rnfr(struct session *s, const char *arg);
void cmd_rnto(struct session *s, const char *arg);

/* What is known about them. */
void cmd_size(struct session *s, const char *arg);
void cmd_mdtm(struct session *s, const char *arg);
void cmd_mfmt(struct session *s, const char *arg);
void cmd_mff(struct session *s, const char *arg);
void cmd_mlst(struct session *s, const char *arg);
void cmd_avbl(struct session *s, const char *arg);
void cmd_hash(struct session *s, const char *arg);
void cmd_xhash(struct session *s, const char *arg); /* XCRC and the like */
void cmd_opts_hash(struct session *s, const char *arg);

void cmd_site(struct session *s, const char *arg);

/* Transfers. */
void cmd_retr(struct session *s, const char *arg);
void cmd_stor(struct session *s, const char *arg);
void cmd_appe(struct session *s, const char *arg);
void cmd_stou(struct session *s, const char *arg);
void cmd_list(struct session *s, const char *arg);
void cmd_nlst(struct session *s, const char *arg);
void cmd_mlsd(struct session *s, const char *arg);
void cmd_abor(struct session *s, const char *arg);

#endif
