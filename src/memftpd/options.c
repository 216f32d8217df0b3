#include "memftpd/options.h"

#include "memftpd/options_users.h"
#include "memftpd/scenario.h"

#include <aftp/status.h>
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_CAP = 1024 };

/* SECONDS, MILLISECONDS and COUNT32 give the server -1 for 0: none. */
enum kind { FLAG, NUMBER32, NUMBER64, SECONDS, MILLISECONDS, COUNT32, TEXT, SPECIAL };

struct row {
	const char *name;
	const char *value; /* what the value is called; NULL: there is none */
	enum kind kind;
	size_t offset; /* into struct options */
	int (*special)(struct options *o, const char *value);
	const char *help;
};

int complain(const char *fmt, ...)
{
	va_list ap;
	fputs("memftpd: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return -1;
}

/* Without what is not meant. */
static char *trim(char *line)
{
	line[strcspn(line, "\r\n")] = '\0';
	line += strspn(line, " \t");
	if (line[0] == '#')
		line[0] = '\0';
	for (size_t n = strlen(line); n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'); n--)
		line[n - 1] = '\0';
	return line;
}

int load_lines(struct options *o, const char *path, int (*add)(struct options *o, const char *line))
{
	char line[LINE_CAP];
	int rc = 0;
	FILE *in = fopen(path, "re");
	if (!in)
		return complain("%s: %s", path, aftp_strerror(-errno));
	while (rc == 0 && fgets(line, sizeof(line), in)) {
		if (!strchr(line, '\n') && !feof(in))
			rc = complain("%s: a line is too long", path);
		const char *text = trim(line);
		if (rc == 0 && text[0])
			rc = add(o, text);
	}
	if (rc == 0 && ferror(in))
		rc = complain("%s: %s", path, aftp_strerror(AFTP_EIO));
	fclose(in);
	return rc;
}

/* --- values ---------------------------------------------------------------------------------------- */

/* Digits, and K, M or G for powers of 1024. */
int parse_number(const char *text, uint64_t *out)
{
	char *end;
	if (text[0] < '0' || text[0] > '9')
		return -1;
	errno = 0;
	unsigned long long n = strtoull(text, &end, 10);
	const char *units = "KMG", *unit = *end ? strchr(units, *end) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
	if (errno || (unit ? end[1] : *end) || n > UINT64_MAX >> shift)
		return -1;
	*out = (uint64_t)n << shift;
	return 0;
}

static int add_listen(struct options *o, const char *value)
{
	struct sockaddr_storage *ss = &o->listen[o->nlisten];
	struct sockaddr_in *four = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ss;
	char host[64];
	const char *colon = strrchr(value, ':');
	size_t len = colon ? (size_t)(colon - value) : 0;
	bool brackets = len > 2 && value[0] == '[' && value[len - 1] == ']';
	uint64_t port;
	if (o->nlisten == OPTIONS_LISTEN)
		return complain("--listen: at most %d addresses", OPTIONS_LISTEN);
	if (!colon || len >= sizeof(host) || parse_number(colon + 1, &port) < 0 || port > 65535)
		return complain(
			"--listen wants ADDRESS:PORT, for example 127.0.0.1:2121 or [::1]:2121, not '%s'", value);
	snprintf(host, sizeof(host), "%.*s", (int)(brackets ? len - 2 : len), value + brackets);
	if (brackets && inet_pton(AF_INET6, host, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons((uint16_t)port);
	} else if (!brackets && inet_pton(AF_INET, len ? host : "0.0.0.0", &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)port);
	} else {
		return complain("--listen: '%s' is not an address", host);
	}
	o->nlisten++;
	return 0;
}

static int add_listen_tls(struct options *o, const char *value)
{
	int rc = add_listen(o, value);
	if (rc == 0)
		o->listen_tls[o->nlisten - 1] = true;
	return rc;
}

static int set_tls_max(struct options *o, const char *value)
{
	if (strcmp(value, "1.2") == 0)
		o->tls.max_version = AFTP_TLS_1_2;
	else if (strcmp(value, "1.3") == 0)
		o->tls.max_version = AFTP_TLS_1_3;
	else
		return complain("--tls-max wants 1.2 or 1.3, not '%s'", value);
	return 0;
}

static int add_no(struct options *o, const char *value)
{
	if (o->nno == OPTIONS_NO)
		return complain("--no: at most %d commands", OPTIONS_NO);
	o->no[o->nno++] = value;
	return 0;
}

static int add_load(struct options *o, const char *value)
{
	if (o->nload == OPTIONS_LOAD)
		return complain("--load: at most %d folders", OPTIONS_LOAD);
	o->load[o->nload++] = value;
	return 0;
}

static int add_pattern(struct options *o, const char *value)
{
	const char *colon = strrchr(value, ':');
	struct options_pattern *p = &o->patterns[o->npatterns];
	if (o->npatterns == OPTIONS_LOAD)
		return complain("--pattern: at most %d files", OPTIONS_LOAD);
	if (value[0] != '/' || !colon || parse_number(colon + 1, &p->size) < 0)
		return complain("--pattern wants /PATH:BYTES, not '%s'", value);
	p->path = strndup(value, (size_t)(colon - value));
	if (!p->path)
		return complain("no memory");
	o->npatterns++;
	return 0;
}

static int set_listing(struct options *o, const char *value)
{
	static const char *const names[] = { [AFTP_STYLE_UNIX] = "unix",
		[AFTP_STYLE_UNIX_TOTAL] = "unix-total",
		[AFTP_STYLE_UNIX_NO_GROUP] = "unix-no-group",
		[AFTP_STYLE_UNIX_NO_YEAR] = "unix-no-year",
		[AFTP_STYLE_UNIX_LOCAL] = "unix-local",
		[AFTP_STYLE_UNIX_ISO] = "unix-iso",
		[AFTP_STYLE_DOS] = "dos",
		[AFTP_STYLE_DOS_LONG] = "dos-long",
		[AFTP_STYLE_NONSENSE] = "nonsense" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(value, names[i]) == 0) {
			o->server.faults.listing = (enum aftp_listing_style)i;
			return 0;
		}
	return complain("--listing: there is no style '%s'; see memftpd(1)", value);
}

static int set_play(struct options *o, const char *value)
{
	static const char *const names[] = { [AFTP_PLAY_VSFTPD] = "vsftpd",
		[AFTP_PLAY_PROFTPD] = "proftpd",
		[AFTP_PLAY_PURE_FTPD] = "pure-ftpd",
		[AFTP_PLAY_PYFTPDLIB] = "pyftpdlib",
		[AFTP_PLAY_AIOFTP] = "aioftp" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i] && strcmp(value, names[i]) == 0) {
			o->server.play = (enum aftp_server_play)i;
			return 0;
		}
	return complain("--play wants vsftpd, proftpd, pure-ftpd, pyftpdlib or aioftp, not '%s'", value);
}

/* FIRST-LAST */
static int set_passive_ports(struct options *o, const char *value)
{
	char first[8];
	uint64_t from = 0, to = 0;
	size_t n = strcspn(value, "-");
	if (n < sizeof(first) && value[n] == '-') {
		snprintf(first, sizeof(first), "%.*s", (int)n, value);
		if (parse_number(first, &from) < 0 || parse_number(value + n + 1, &to) < 0)
			from = to = 0;
	}
	if (from == 0 || from > to || to > UINT16_MAX)
		return complain("--passive-ports wants FIRST-LAST, not '%s'", value);
	o->server.first_port = (uint16_t)from;
	o->server.last_port = (uint16_t)to;
	return 0;
}

/* --- the table ------------------------------------------------------------------------------------- */

#define AT(member)    offsetof(struct options, member)
#define FAULT(member) offsetof(struct options, server.faults.member)

static const struct row rows[] = {
	{ "listen", "ADDRESS:PORT", SPECIAL, 0, add_listen,
		"where to listen; port 0 takes a free one; may be repeated (127.0.0.1:2121)" },
	{ "listen-tls", "ADDRESS:PORT", SPECIAL, 0, add_listen_tls, "likewise, and TLS begins with the connection" },
	{ "user", "NAME[:PASSWORD[:ro|rw]]", SPECIAL, 0, add_user,
		"a user; without a password none is asked; may be repeated" },
	{ "anonymous", "[ro|rw]", SPECIAL, 0, add_anonymous,
		"let anonymous in (the default, rw, when no user is named)" },
	{ "home", "NAME:/PATH", SPECIAL, 0, set_home, "where that user's sessions start (/)" },
	{ "base", "NAME:/PATH", SPECIAL, 0, set_base, "what that user sees as /, and cannot leave" },
	{ "permit", "NAME:/PATH:rw|ro|wo|none", SPECIAL, 0, add_permission,
		"what that user may do there and below; nothing elsewhere; may be repeated" },
	{ "account", "WORD", TEXT, AT(account), NULL, "ask every user for this account after the password" },
	{ "load", "FOLDER", SPECIAL, 0, add_load, "fill the tree from a folder; may be repeated" },
	{ "pattern", "/PATH:BYTES", SPECIAL, 0, add_pattern,
		"a file with generated content that takes no memory; may be repeated" },
	{ "welcome", "TEXT", TEXT, AT(server.welcome), NULL, "the text of the greeting" },
	{ "max-connections", "N", NUMBER32, AT(server.max_connections), NULL, "one more gets 421" },
	{ "user-max", "NAME:N", SPECIAL, 0, set_user_max, "so many sessions of that user; one more gets 530" },
	{ "limit", "IN[:OUT]", SPECIAL, 0, set_limit, "bytes per second of all data connections together" },
	{ "connection-limit", "IN[:OUT]", SPECIAL, 0, set_connection_limit, "bytes per second of each session" },
	{ "user-limit", "NAME:IN[:OUT]", SPECIAL, 0, set_user_limit, "bytes per second of that user" },
	{ "user-connection-limit", "NAME:IN[:OUT]", SPECIAL, 0, set_user_connection_limit,
		"bytes per second of each session of that user" },
	{ "limits", "FILE", SPECIAL, 0, set_limits, "the four above, a line each; read again at SIGHUP" },
	{ "quota", "BYTES", NUMBER64, AT(quota), NULL, "what the sizes of all files may add up to; 552" },
	{ "memory", "BYTES", NUMBER64, AT(memory), NULL, "what files and names may take of it; 552" },
	{ "login-delay", "MS", MILLISECONDS, AT(server.login_delay_ms), NULL,
		"answer a refused login so much later, and twice as late each time (250; 0: at once)" },
	{ "login-failures", "N", COUNT32, AT(server.max_login_failures), NULL,
		"so many refused logins end a session (5; 0: none does)" },
	{ "tls", NULL, FLAG, AT(tls_on), NULL, "offer AUTH TLS; so do the others that begin so" },
	{ "tls-required", NULL, FLAG, AT(server.tls_required), NULL, "no login and no data without TLS" },
	{ "tls-reuse", NULL, FLAG, AT(server.tls_reuse), NULL,
		"data connections must resume their control connection's session" },
	{ "tls-cert", "FILE", TEXT, AT(tls.cert_file), NULL, "the certificate, PEM (one made for the occasion)" },
	{ "tls-key", "FILE", TEXT, AT(tls.key_file), NULL, "its key, PEM (in the same file)" },
	{ "tls-client-ca", "FILE", TEXT, AT(tls.ca_file), NULL,
		"clients must show a certificate of these authorities" },
	{ "tls-names", "NAMES", TEXT, AT(tls_names), NULL, "whom the made one is for, joined by commas (localhost)" },
	{ "tls-save", "FILE", TEXT, AT(tls_save), NULL, "write the certificate there, for clients to trust" },
	{ "tls-max", "1.2|1.3", SPECIAL, 0, set_tls_max, "the highest version (1.3)" },
	{ "passive-ports", "FIRST-LAST", SPECIAL, 0, set_passive_ports,
		"the ports of passive data connections (any that is free)" },
	{ "foreign-data", NULL, FLAG, AT(server.foreign_data), NULL,
		"data connections from and to other addresses than the client's" },
	{ "idle-timeout", "SECONDS", SECONDS, AT(server.idle_timeout_ms), NULL,
		"a session without a command ends (300; 0 never)" },
	{ "data-timeout", "SECONDS", SECONDS, AT(server.data_timeout_ms), NULL,
		"wait so long for a data connection (10; 0 for ever)" },
	{ "stall-timeout", "SECONDS", SECONDS, AT(server.stall_timeout_ms), NULL,
		"a transfer without progress ends (300; 0 never)" },
	{ "fractions", NULL, FLAG, AT(server.fractions), NULL, "times with fractions of a second in MDTM and MLSx" },
	{ "play", "SERVER", SPECIAL, 0, set_play, "behave like vsftpd, proftpd, pure-ftpd, pyftpdlib or aioftp" },
	{ "stats", NULL, FLAG, AT(stats), NULL, "print the counters on stderr at the end (and at SIGUSR1 always)" },
	{ "count", "FILE", TEXT, AT(count), NULL, "write the counters into it as JSON at SIGUSR1 and at the end" },
	{ "verbose", NULL, FLAG, AT(verbose), NULL, "log every command and reply on stderr" },
	{ "latency", "MS", NUMBER32, FAULT(latency_ms), NULL, "each way is so much slower" },
	{ "rate", "BYTES", NUMBER64, FAULT(rate), NULL, "bytes per second of each data connection, each way" },
	{ "drop-after", "BYTES", NUMBER64, FAULT(drop_after), NULL,
		"reset the data connection after so many bytes; 426" },
	{ "drop-all-after", "BYTES", NUMBER64, FAULT(drop_all_after), NULL,
		"reset both connections after so many data bytes" },
	{ "stall-after", "BYTES", NUMBER64, FAULT(stall_after), NULL,
		"stop a transfer after so many bytes, and keep it open" },
	{ "drop-control-after", "BYTES", NUMBER64, FAULT(drop_control_after), NULL,
		"reset both after so many bytes of replies" },
	{ "drop-after-commands", "N", NUMBER64, FAULT(drop_after_commands), NULL,
		"reset both instead of the N-th command" },
	{ "times", "N", NUMBER32, FAULT(times), NULL, "the five above strike only so often (0: always)" },
	{ "no", "COMMAND", SPECIAL, 0, add_no, "do not have this command: 502, and not in FEAT; may be repeated" },
	{ "no-final-reply", NULL, FLAG, FAULT(no_final_reply), NULL, "never send the 226 of a transfer" },
	{ "short-data", NULL, FLAG, FAULT(short_data), NULL, "send half of the data, and 226" },
	{ "refuse-data", NULL, FLAG, FAULT(refuse_data), NULL,
		"answer EPSV and PASV with a port where nobody listens" },
	{ "pasv-address", "A.B.C.D", TEXT, FAULT(pasv_address), NULL, "the address in the reply to PASV" },
	{ "listing", "STYLE", SPECIAL, 0, set_listing,
		"unix, unix-total, -no-group, -no-year, -local, -iso, dos, dos-long, nonsense" },
	{ "split-replies", NULL, FLAG, FAULT(split_replies), NULL, "replies leave in pieces of 1 to 3 bytes" },
	{ "merge-replies", "MS", NUMBER32, FAULT(merge_replies_ms), NULL,
		"replies wait so long for others, and leave together" },
	{ "slow-close", "MS", NUMBER32, FAULT(slow_close_ms), NULL,
		"a download's end comes so much later than its last byte" },
	{ "on", "RULE", SPECIAL, 0, scenario_add,
		"COMMAND WHEN ACTION [ARGUMENT]: for instance 'RETR 2 drop-after 1000'" },
	{ "scenario", "FILE", SPECIAL, 0, scenario_load, "rules, a line each" },
	{ "at", "COMMAND", TEXT, FAULT(at), NULL, "where the four below come: its reply (without: the greeting)" },
	{ "garbage", NULL, FLAG, FAULT(garbage), NULL, "bytes that are no FTP, then silence" },
	{ "endless-line", NULL, FLAG, FAULT(endless_line), NULL, "a line that never ends" },
	{ "endless-reply", NULL, FLAG, FAULT(endless_reply), NULL, "a reply that never ends" },
	{ "silence", NULL, FLAG, FAULT(silence), NULL, "nothing" },
	{ "help", NULL, FLAG, AT(help), NULL, "print this" },
	{ "version", NULL, FLAG, AT(version), NULL, "print the version" },
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static int store(struct options *o, const struct row *row, const char *value)
{
	char *at = (char *)o + row->offset;
	uint64_t n = 0;
	if (row->kind == FLAG)
		*(bool *)at = true;
	else if (row->kind == TEXT)
		*(const char **)(void *)at = value;
	else if (row->kind == SPECIAL)
		return row->special(o, value);
	else if (parse_number(value, &n) < 0 || (row->kind != NUMBER64 && n > UINT32_MAX / 1000))
		return complain("--%s wants a number, not '%s'", row->name, value);
	if (row->kind == NUMBER32)
		*(uint32_t *)(void *)at = (uint32_t)n;
	else if (row->kind == NUMBER64)
		*(uint64_t *)(void *)at = n;
	else if (row->kind == SECONDS)
		*(int64_t *)(void *)at = n == 0 ? -1 : (int64_t)n * 1000;
	else if (row->kind == MILLISECONDS)
		*(int64_t *)(void *)at = n == 0 ? -1 : (int64_t)n;
	else if (row->kind == COUNT32)
		*(int32_t *)(void *)at = n == 0 ? -1 : (int32_t)n;
	return 0;
}

static const struct row *find_row(const char *name, size_t len)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strlen(rows[i].name) == len && strncmp(rows[i].name, name, len) == 0)
			return &rows[i];
	return NULL;
}

/* --anonymous alone is --anonymous rw. */
static bool takes_next(const struct row *row, const char *next)
{
	unsigned may;
	return next && (strcmp(row->name, "anonymous") != 0 || parse_may(next, &may) == 0);
}

static int parse_one(struct options *o, char **argv, int *i)
{
	const char *word = argv[*i], *equals = strchr(word, '=');
	if (strncmp(word, "--", 2) != 0 || word[2] == '\0')
		return complain("'%s' is not an option; see memftpd --help", word);
	size_t len = equals ? (size_t)(equals - word) - 2 : strlen(word) - 2;
	const struct row *row = find_row(word + 2, len);
	if (!row)
		return complain("there is no option '%.*s'; see memftpd --help", (int)len + 2, word);
	if (!row->value)
		return equals ? complain("--%s takes no value", row->name) : store(o, row, NULL);
	if (equals)
		return store(o, row, equals + 1);
	if (takes_next(row, argv[*i + 1]))
		return store(o, row, argv[++*i]);
	if (strcmp(row->name, "anonymous") == 0)
		return store(o, row, "rw");
	return complain("--%s wants %s", row->name, row->value);
}

int options_parse(struct options *o, int argc, char **argv)
{
	memset(o, 0, sizeof(*o));
	for (int i = 1; i < argc; i++)
		if (parse_one(o, argv, &i) < 0)
			return -1;
	for (size_t i = 0; i < o->nlisten; i++)
		o->tls_on = o->tls_on || o->listen_tls[i];
	o->tls_on = o->tls_on || o->server.tls_required || o->server.tls_reuse || o->tls.cert_file || o->tls.key_file ||
		o->tls.ca_file || o->tls_names || o->tls_save || o->tls.max_version;
	if (o->nlisten == 0)
		add_listen(o, "127.0.0.1:2121");
	static const struct aftp_user everyone = { .may = AFTP_MAY_READ | AFTP_MAY_WRITE };
	if (o->nusers == 0)
		o->users[o->nusers++] = everyone;
	for (size_t i = 0; i < o->nusers; i++)
		o->users[i].account = o->account;
	o->server.users = o->users;
	o->server.nusers = o->nusers;
	o->server.faults.no = o->no;
	o->server.faults.rules = o->rules;
	o->server.faults.nrules = o->nrules;
	return 0;
}

void options_finish(struct options *o)
{
	options_users_finish(o);
	scenario_finish(o);
	for (size_t i = 0; i < o->npatterns; i++)
		free(o->patterns[i].path);
}

void options_help(FILE *out)
{
	fputs("memftpd: an FTP server that keeps everything in memory, for tests\n\nusage: memftpd [options]\n\n", out);
	for (size_t i = 0; i < ROWS; i++) {
		int n = fprintf(
			out, "  --%s%s%s", rows[i].name, rows[i].value ? " " : "", rows[i].value ? rows[i].value : "");
		fprintf(out, n < 32 ? "%*s%s\n" : "\n%*s%s\n", n < 32 ? 34 - n : 34, "", rows[i].help);
	}
	fputs("\nBYTES may end in K, M or G. See memftpd(1).\n", out);
}
