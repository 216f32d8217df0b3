#include "client/features.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "proto/command.h"

/* A line is a name, and perhaps a space and a parameter. */
struct feature {
	const char *name;
	size_t name_len;
	const char *param;
	size_t param_len;
};

static bool is(const char *s, size_t n, const char *word)
{
	return n == strlen(word) && strncasecmp(s, word, n) == 0;
}

/* One of the words that are joined by ';', ',' or a space. */
static bool has_word(const char *s, size_t n, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i + len <= n; i++) {
		bool begins = i == 0 || strchr(" ;,", s[i - 1]);
		bool ends = i + len == n || strchr(" ;,", s[i + len]);

		if (begins && ends && strncasecmp(s + i, word, len) == 0)
			return true;
	}
	return false;
}

static void take_facts(struct aftp_features *f, const struct feature *line)
{
	size_t n = line->param_len < sizeof f->mlst_facts - 1 ? line->param_len : sizeof f->mlst_facts - 1;

	f->mlst = true;
	/* A list that does not fit is cut after a whole fact. */
	if (n < line->param_len)
		while (n > 0 && line->param[n - 1] != ';')
			n--;
	memcpy(f->mlst_facts, line->param, n);
	f->mlst_facts[n] = '\0';
}

static void take(struct aftp_features *f, const struct feature *line)
{
	const struct {
		const char *name;
		bool *flag;
	} plain[] = {
		{ "MDTM", &f->mdtm }, { "SIZE", &f->size }, { "EPSV", &f->epsv }, { "UTF8", &f->utf8 },
		{ "MFMT", &f->mfmt }, { "MFF", &f->mff }, { "TVFS", &f->tvfs }, { "RANG", &f->rang },
		{ "HASH", &f->hash }, { "CLNT", &f->clnt }, { "ESTP", &f->pure_ftpd }, /* who else has that? */
	};

	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (is(line->name, line->name_len, plain[i].name))
			*plain[i].flag = true;
	if (is(line->name, line->name_len, "MLST"))
		take_facts(f, line);
	if (is(line->name, line->name_len, "REST"))
		f->rest_stream |= has_word(line->param, line->param_len, "STREAM");
	if (is(line->name, line->name_len, "AUTH"))
		f->auth_tls |= has_word(line->param, line->param_len, "TLS");
}

void features_parse(struct aftp_features *f, const struct aftp_reply *r)
{
	f->feat = r->code == 211;
	if (!f->feat)
		return;
	for (size_t i = 0; i < r->lines; i++) {
		struct feature line = { 0 };
		size_t n, cut;
		const char *s = aftp_reply_line(r, i, &n);

		while (n > 0 && (*s == ' ' || *s == '\t'))
			s++, n--;
		while (n > 0 && strchr(" \t\r", s[n - 1]))
			n--;
		for (cut = 0; cut < n && s[cut] != ' ';)
			cut++;
		line.name = s;
		line.name_len = cut;
		line.param = cut < n ? s + cut + 1 : s + n;
		line.param_len = cut < n ? n - cut - 1 : 0;
		take(f, &line);
	}
}

/* --- the greeting --------------------------------------------------------------------------------- */

static bool has_text(const struct aftp_reply *r, const char *text)
{
	for (size_t i = 0; i < r->lines; i++) {
		size_t n;
		const char *line = aftp_reply_line(r, i, &n);

		if (memmem(line, n, text, strlen(text)))
			return true;
	}
	return false;
}

void features_greeted(struct aftp_features *f, const struct aftp_reply *r)
{
	bool vsftpd = has_text(r, "vsFTPd"), proftpd = has_text(r, "ProFTPD");

	f->pure_ftpd = has_text(r, "Pure-FTPd");
	f->alters = f->pure_ftpd ? COMMAND_MENDED : 0;
	f->alters |= proftpd ? COMMAND_TELNET : 0;
	f->alters |= has_text(r, "pyftpdlib") ? COMMAND_UTF_8 : 0;
	f->waits_for_end = f->answers_one = f->mlst_vague = proftpd;
	f->stat_lists = f->in_order = vsftpd;
	if (f->downloads_in_order == AFTP_ORDER_UNKNOWN && (vsftpd || proftpd))
		f->downloads_in_order = AFTP_ORDER_YES;
}

/* --- facts ---------------------------------------------------------------------------------------- */

static bool is_needed(const char *fact, size_t n)
{
	return is(fact, n, "type") || is(fact, n, "size") || is(fact, n, "modify") || is(fact, n, "unix.mode");
}

static bool is_useful(const char *fact, size_t n)
{
	static const char *const useful[] = { "perm", "unique", "unix.uid", "unix.gid", "unix.owner", "unix.group" };

	for (size_t i = 0; i < sizeof useful / sizeof *useful; i++)
		if (is(fact, n, useful[i]))
			return true;
	return is_needed(fact, n);
}

static bool is_chosen(enum features_choice choice, const char *fact, size_t n, bool on)
{
	switch (choice) {
	case FEATURES_NEEDED: return is_needed(fact, n);
	case FEATURES_USEFUL: return is_useful(fact, n);
	case FEATURES_USUAL: return on || is_useful(fact, n);
	}
	return false;
}

bool features_facts(const struct aftp_features *f, enum features_choice choice, char *out, size_t size)
{
	size_t at = sizeof "MLST " - 1, spared = 0;
	bool missing = false;

	if (!f->mlst || size <= at)
		return false;
	memcpy(out, "MLST ", at);
	for (const char *s = f->mlst_facts; *s;) {
		size_t n = strcspn(s, ";");
		bool on = n > 0 && s[n - 1] == '*';
		size_t len = on ? n - 1 : n;

		if (len > 0 && is_chosen(choice, s, len, on)) {
			if (at + len + 2 > size)
				return false;
			memcpy(out + at, s, len);
			at += len;
			out[at++] = ';';
			missing |= !on;
		} else if (on) {
			spared += len;
		}
		s += s[n] ? n + 1 : n;
	}
	out[at] = '\0';
	return choice == FEATURES_NEEDED ? spared > at * 3 / 2 : choice == FEATURES_USUAL || missing;
}

/* --- choices -------------------------------------------------------------------------------------- */

bool features_may_mlst(const struct aftp_features *f)
{
	return !f->no_mlst && (f->mlst || !f->feat);
}

bool features_may_mlsd(const struct aftp_features *f)
{
	return !f->no_mlsd && (f->mlst || !f->feat);
}

bool features_may_size(const struct aftp_features *f)
{
	return !f->no_size && (f->size || !f->feat);
}

bool features_may_mdtm(const struct aftp_features *f)
{
	return !f->no_mdtm && (f->mdtm || !f->feat);
}

bool features_unknown_command(int code)
{
	return code == 500 || code == 502 || code == 504;
}
