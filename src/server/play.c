#include "server/play.h"

static const char *const vsftpd_no[] = { "AVBL", "CLNT", "HASH", "HOST", "MFF", "MFMT", "MLSD", "MLST", "RANG",
	"SITE CPFR", "SITE CPTO", "SITE SYMLINK", "SITE UTIME", "XCRC", "XMD5", "XSHA", "XSHA1", "XSHA256", "XSHA512",
	NULL };
static const char *const proftpd_no[] = { "AVBL", "HASH", "XCRC", "XMD5", "XSHA", "XSHA1", "XSHA256", "XSHA512", NULL };
static const char *const pure_ftpd_no[] = { "AVBL", "CLNT", "HASH", "HOST", "MFF", "RANG", "SITE CPFR", "SITE CPTO",
	"SITE SYMLINK", "XCRC", "XMD5", "XSHA", "XSHA1", "XSHA256", "XSHA512", NULL };
static const char *const pyftpdlib_no[] = { "AVBL", "CLNT", "HASH", "HOST", "MFF", "RANG", "SITE CPFR", "SITE CPTO",
	"SITE SYMLINK", "SITE UTIME", "XCRC", "XMD5", "XSHA", "XSHA1", "XSHA256", "XSHA512", NULL };
static const char *const aioftp_no[] = { "ACCT", "ALLO", "AVBL", "CLNT", "EPRT", "FEAT", "HASH", "HELP", "HOST", "MDTM",
	"MFF", "MFMT", "MODE", "NLST", "NOOP", "OPTS", "PORT", "RANG", "REIN", "SITE", "SIZE", "STAT", "STOU", "STRU",
	"XCRC", "XMD5", "XSHA", "XSHA1", "XSHA256", "XSHA512", NULL };

static const struct play table[] = {
	[AFTP_PLAY_MEMFTPD] = {
		.welcome = "memftpd ready",
		.no_login = 530,
		.abor_idle = 225,
		.abor_upload = 226,
		.mlsd_end = 226,
	},
	[AFTP_PLAY_VSFTPD] = {
		.welcome = "(vsFTPd 3.0.3)",
		.no = vsftpd_no,
		.unknown = 500,
		.login_first = true,
		.no_login = 530,
		.abor_waits_down = true,
		.abor_waits_up = true,
		.abor_idle = 225,
		.abor_upload = 226,
		.mdtm_files = true,
		.mdtm_sets = true,
		.mlsd_end = 226,
		.list = PLAY_ENTRIES,
		.absent = PLAY_EMPTY,
		.nlst_paths = true,
	},
	[AFTP_PLAY_PROFTPD] = {
		.welcome = "ProFTPD Server",
		.no = proftpd_no,
		.unknown = 500,
		.no_login = 530,
		.order = PLAY_BUSY,
		.abor_waits_down = true,
		.abor_idle = 226,
		.abor_upload = 226,
		.refusal_closes = true,
		.lingers = true,
		.past_end = true,
		.ascii_no_size = true,
		.mdtm_files = true,
		.mlsd_end = 226,
		.list = PLAY_GLOB,
		.absent = PLAY_450,
		.nlst_paths = true,
	},
	[AFTP_PLAY_PURE_FTPD] = {
		.welcome = "---------- Welcome to Pure-FTPd ----------\nYou will be disconnected after 15 minutes of inactivity.",
		.no = pure_ftpd_no,
		.unknown = 500,
		.login_first = true,
		.no_login = 530,
		.order = PLAY_LOST,
		.abor_idle = 226,
		.abor_upload = 451,
		.broken = PLAY_150,
		.past_end = true,
		.mdtm_files = true,
		.mlsd_end = 226,
		.counts = true,
		.list_max = 10000,
		.list = PLAY_SHELL,
		.absent = PLAY_EMPTY,
		.nlst_paths = true,
		.no_backslash = true,
		.bare_257 = true,
	},
	[AFTP_PLAY_PYFTPDLIB] = {
		.welcome = "pyftpdlib 1.5.7 ready.",
		.no = pyftpdlib_no,
		.unknown = 500,
		.no_login = 530,
		.order = PLAY_AT_ONCE,
		.abor_idle = 225,
		.abor_upload = 226,
		.epsv_kills = true,
		.old_data_fin = true,
		.early_150 = true,
		.armed_times_out = true,
		.past_end = true,
		.ascii_no_size = true,
		.mdtm_files = true,
		.mlsd_end = 226,
		.mlsd_refused = 501,
		.no_dots = true,
		.list = PLAY_BARE_OPTION,
		.not_utf8 = PLAY_REFUSED,
	},
	[AFTP_PLAY_AIOFTP] = {
		.welcome = "welcome",
		.no = aioftp_no,
		.unknown = 502,
		.no_login = 503,
		.order = PLAY_AT_ONCE,
		.abor_idle = 226,
		.abor_upload = 226,
		.old_data_fin = true,
		.old_port_stays = true,
		.broken = PLAY_GONE,
		.rest_is_next = true,
		.epsv_bare = true,
		.mlsd_end = 200,
		.mlsd_of_file = true,
		.no_dots = true,
		.list = PLAY_LITERAL,
		.list_no_file = true,
		.not_utf8 = PLAY_FATAL,
	},
};
enum { COUNT = sizeof(table) / sizeof(table[0]) };

const struct play *play_find(enum aftp_server_play which)
{
	return (unsigned)which < COUNT ? &table[which] : NULL;
}

/* How many bytes may follow this first one; -1 when it cannot be first. */
static int followers(unsigned char c)
{
	return c < 0x80 ? 0 : c < 0xc2 ? -1 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf5 ? 3 : -1;
}

bool play_utf8(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		int more = followers(*p);
		if (more < 0 || (*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
			(*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
			return false;
		for (; more > 0; more--)
			if ((*++p & 0xc0) != 0x80)
				return false;
	}
	return true;
}
