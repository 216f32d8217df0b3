#include "server/commands.h"

#include <string.h>
#include <strings.h>

#include "server/transfer.h"

#define READ   AFTP_MAY_READ
#define WRITE  AFTP_MAY_WRITE
#define REST   KEEP_REST
#define RENAME KEEP_RENAME
#define COPY   KEEP_COPY
#define SUM    "<sp> file | <sp> \"file\" [<sp> start [<sp> end]]"

/* clang-format off */
static const struct command table[] = {
	/* verb   login  may    argument  keeps   handler   syntax */
	{ "ABOR", false, 0,     ARG_NONE, 0,      cmd_abor, "", transfer_abort },
	{ "ACCT", false, 0,     ARG_MUST, 0,      cmd_acct, "<sp> account", NULL },
	{ "ALLO", true,  0,     ARG_MAY,  REST,   cmd_allo, "<sp> size", NULL },
	{ "APPE", true,  WRITE, ARG_MUST, REST,   cmd_appe, "<sp> file", NULL },
	{ "AUTH", false, 0,     ARG_MUST, 0,      cmd_auth, "<sp> TLS", NULL },
	{ "AVBL", true,  0,     ARG_MAY,  0,      cmd_avbl, "[<sp> directory]", NULL },
	{ "CDUP", true,  0,     ARG_NONE, 0,      cmd_cdup, "", NULL },
	{ "CLNT", false, 0,     ARG_MAY,  0,      cmd_clnt, "<sp> name", NULL },
	{ "CWD",  true,  0,     ARG_MUST, 0,      cmd_cwd,  "<sp> directory", NULL },
	{ "DELE", true,  WRITE, ARG_MUST, 0,      cmd_dele, "<sp> file", NULL },
	{ "EPRT", true,  0,     ARG_MUST, REST,   cmd_eprt, "<sp> |1 or 2|address|port|", NULL },
	{ "EPSV", true,  0,     ARG_MAY,  REST,   cmd_epsv, "[<sp> 1 | 2 | ALL]", NULL },
	{ "FEAT", false, 0,     ARG_NONE, 0,      cmd_feat, "", NULL },
	{ "HASH", true,  READ,  ARG_MUST, REST,   cmd_hash, "<sp> file", NULL },
	{ "HELP", false, 0,     ARG_MAY,  0,      cmd_help, "[<sp> command]", NULL },
	{ "HOST", false, 0,     ARG_MUST, 0,      cmd_host, "<sp> name", NULL },
	{ "LIST", true,  READ,  ARG_MAY,  0,      cmd_list, "[<sp> -options] [<sp> path]", NULL },
	{ "MDTM", true,  READ,  ARG_MUST, 0,      cmd_mdtm, "<sp> path", NULL },
	{ "MFF",  true,  WRITE, ARG_MUST, 0,      cmd_mff,  "<sp> fact=value; ... <sp> path", NULL },
	{ "MFMT", true,  WRITE, ARG_MUST, 0,      cmd_mfmt, "<sp> YYYYMMDDHHMMSS <sp> path", NULL },
	{ "MKD",  true,  WRITE, ARG_MUST, 0,      cmd_mkd,  "<sp> directory", NULL },
	{ "MLSD", true,  READ,  ARG_MAY,  0,      cmd_mlsd, "[<sp> directory]", NULL },
	{ "MLST", true,  READ,  ARG_MAY,  0,      cmd_mlst, "[<sp> path]", NULL },
	{ "MODE", true,  0,     ARG_MUST, REST,   cmd_mode, "<sp> S", NULL },
	{ "NLST", true,  READ,  ARG_MAY,  0,      cmd_nlst, "[<sp> path]", NULL },
	{ "NOOP", false, 0,     ARG_MAY,  0,      cmd_noop, "", NULL },
	{ "OPTS", false, 0,     ARG_MUST, 0,      cmd_opts, "<sp> UTF8 ON | MLST [<sp> facts] | HASH [<sp> name]", NULL },
	{ "PASS", false, 0,     ARG_MAY,  0,      cmd_pass, "<sp> password", NULL },
	{ "PASV", true,  0,     ARG_NONE, REST,   cmd_pasv, "", NULL },
	{ "PBSZ", false, 0,     ARG_MUST, REST,   cmd_pbsz, "<sp> 0", NULL },
	{ "PORT", true,  0,     ARG_MUST, REST,   cmd_port, "<sp> h1,h2,h3,h4,p1,p2", NULL },
	{ "PROT", false, 0,     ARG_MUST, REST,   cmd_prot, "<sp> P | C", NULL },
	{ "PWD",  true,  0,     ARG_NONE, 0,      cmd_pwd,  "", NULL },
	{ "QUIT", false, 0,     ARG_NONE, 0,      cmd_quit, "", NULL },
	{ "RANG", true,  0,     ARG_MUST, 0,      cmd_rang, "<sp> first byte <sp> last byte", NULL },
	{ "REIN", false, 0,     ARG_NONE, 0,      cmd_rein, "", NULL },
	{ "REST", true,  0,     ARG_MUST, 0,      cmd_rest, "<sp> offset", NULL },
	{ "RETR", true,  READ,  ARG_MUST, REST,   cmd_retr, "<sp> file", NULL },
	{ "RMD",  true,  WRITE, ARG_MUST, 0,      cmd_rmd,  "<sp> directory", NULL },
	{ "RNFR", true,  WRITE, ARG_MUST, 0,      cmd_rnfr, "<sp> path", NULL },
	{ "RNTO", true,  WRITE, ARG_MUST, RENAME, cmd_rnto, "<sp> path", NULL },
	{ "SITE", true,  0,     ARG_MUST, COPY,   cmd_site, "<sp> CHMOD | CPFR | CPTO | HELP | SYMLINK | UTIME ...", NULL },
	{ "SIZE", true,  READ,  ARG_MUST, 0,      cmd_size, "<sp> file", NULL },
	{ "STAT", false, 0,     ARG_MAY,  0,      cmd_stat, "[<sp> path]", cmd_stat_transfer },
	{ "STOR", true,  WRITE, ARG_MUST, REST,   cmd_stor, "<sp> file", NULL },
	{ "STOU", true,  WRITE, ARG_MAY,  0,      cmd_stou, "[<sp> file]", NULL },
	{ "STRU", true,  0,     ARG_MUST, REST,   cmd_stru, "<sp> F", NULL },
	{ "SYST", false, 0,     ARG_NONE, 0,      cmd_syst, "", NULL },
	{ "TYPE", true,  0,     ARG_MUST, REST,   cmd_type, "<sp> A | I | L 8", NULL },
	{ "USER", false, 0,     ARG_MUST, 0,      cmd_user, "<sp> name", NULL },
	{ "XCRC", true,  READ,  ARG_MUST, 0,      cmd_xhash, SUM, NULL },
	{ "XCUP", true,  0,     ARG_NONE, 0,      cmd_cdup, "", NULL },
	{ "XCWD", true,  0,     ARG_MUST, 0,      cmd_cwd,  "<sp> directory", NULL },
	{ "XMD5", true,  READ,  ARG_MUST, 0,      cmd_xhash, SUM, NULL },
	{ "XMKD", true,  WRITE, ARG_MUST, 0,      cmd_mkd,  "<sp> directory", NULL },
	{ "XPWD", true,  0,     ARG_NONE, 0,      cmd_pwd,  "", NULL },
	{ "XRMD", true,  WRITE, ARG_MUST, 0,      cmd_rmd,  "<sp> directory", NULL },
	{ "XSHA", true,  READ,  ARG_MUST, 0,      cmd_xhash, SUM, NULL },
	{ "XSHA1", true, READ,  ARG_MUST, 0,      cmd_xhash, SUM, NULL },
	{ "XSHA256", true, READ, ARG_MUST, 0,     cmd_xhash, SUM, NULL },
	{ "XSHA512", true, READ, ARG_MUST, 0,     cmd_xhash, SUM, NULL },
};
/* clang-format on */

size_t command_count(void)
{
	return sizeof(table) / sizeof(table[0]);
}

const struct command *command_at(size_t i)
{
	return &table[i];
}

size_t command_index(const struct command *cmd)
{
	return (size_t)(cmd - table);
}

const struct command *command_find(const char *verb)
{
	size_t low = 0, high = command_count();
	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = strcasecmp(verb, table[mid].verb);
		if (order == 0)
			return &table[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}
