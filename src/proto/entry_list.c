/* entry_list - which dialect a line of a LIST listing speaks. */
#include "proto/entry_line.h"

#include <string.h>

static enum aftp_line (*const dialects[])(struct aftp_entry *e, const struct entry_line *l) = {
	entry_unix_parse,
	entry_dos_parse,
	entry_netware_parse,
	entry_eplf_parse,
	entry_vms_parse,
	entry_os400_parse,
	entry_os2_parse,
	entry_mvs_parse,
};

bool entry_set_name(struct aftp_entry *e, const char *s, const char *end)
{
	if (end - s > 1 && end[-1] == '/')
		end--;
	e->name = s;
	e->name_len = (size_t)(end - s);
	e->dot = e->dot || (e->name_len == 1 && s[0] == '.') || (e->name_len == 2 && s[0] == '.' && s[1] == '.');
	return end > s;
}

static bool word_is(const struct entry_line *l, size_t i, const char *text)
{
	return i < l->n && scan_is(l->w[i].s, l->w[i].n, text);
}

/* "total 12", in some of the languages of ls; "Total of 11 files, 17 blocks." */
static bool is_total(const struct entry_line *l)
{
	static const char *const words[] = { "total", "insgesamt", "gesamt", "totale", "totaal", "totalt", "samtals",
		"razem", "celkem", "toplam", "yhteens\303\244", "\303\266sszesen",
		"\320\270\321\202\320\276\320\263\320\276", "\345\220\210\350\250\210", "\345\220\210\350\256\241",
		"\346\200\273\347\224\250\351\207\217", "\346\200\273\350\256\241", "\347\270\275\350\250\210" };

	if (l->n < 2 || (!scan_is_digit(l->w[1].s[0]) && !word_is(l, 1, "of")))
		return false;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (word_is(l, 0, words[i]))
			return true;
	return false;
}

/* Two words that only a heading or a footer begins with. */
static bool is_heading(const struct entry_line *l)
{
	static const char *const pairs[][2] = { { "directory", NULL }, { "volume", "in" }, { "volume", "serial" },
		{ "volume", "unit" }, { "name", "vv.mm" }, { "jobname", "jobid" }, { "file", "name" },
		{ "file", "code" }, { "size", "date" }, { "end", "of" }, { "files:", NULL }, { "*.*;", NULL } };
	const struct entry_word *last = &l->w[l->n - 1];

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (l->n > 1 && word_is(l, 0, pairs[i][0]) && (!pairs[i][1] || word_is(l, 1, pairs[i][1])))
			return true;
	/* "sub:" and "./sub dir:" of ls -R, "DISK:[DIR]" of VMS. */
	if (entry_word_end(last)[-1] == ':')
		return l->n == 1 || l->w[0].s[0] == '.' || l->w[0].s[0] == '/';
	return l->n == 1 && last->s[last->n - 1] == ']' && memmem(last->s, last->n, ":[", 2);
}

/* "6 files  75,978 bytes", "729088 Bytes Available" */
static bool is_footer(const struct entry_line *l)
{
	static const char *const units[] = { "file", "files", "file(s)", "dir", "dirs", "dir(s)", "bytes" };

	if (l->n < 2 || !scan_is_digit(l->w[0].s[0]))
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (word_is(l, 1, units[i]))
			return true;
	return false;
}

/* The lines around a listing that comes as a STAT reply. */
static bool is_status(const struct entry_line *l)
{
	const struct entry_word *w = &l->w[0];

	if (w->n < 3 || w->s[0] != '2' || w->s[1] != '1' || !scan_is_digit(w->s[2]))
		return false;
	return w->n == 3 ? word_is(l, 1, "end") : w->s[3] == '-';
}

/* "(RWED,RWED,RE,)" alone: what VMS could not fit on the line before. */
static bool is_rest(const struct entry_line *l)
{
	const struct entry_word *w = &l->w[0];

	if (l->n != 1 || w->s[0] != '(' || w->s[w->n - 1] != ')')
		return false;
	for (size_t i = 1; i + 1 < w->n; i++)
		if (!memchr("RWED,", w->s[i], 5))
			return false;
	return true;
}

static bool ignorable(const struct entry_line *l)
{
	return is_total(l) || is_heading(l) || is_footer(l) || is_status(l) || is_rest(l);
}

enum aftp_line aftp_entry_parse_list(struct aftp_entry *e, const char *line, size_t len, int64_t now)
{
	struct entry_line l;

	if (len > 0 && line[len - 1] == '\r')
		len--;
	entry_line_split(&l, line, len, now);
	if (l.n == 0)
		return AFTP_LINE_IGNORE;
	for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++) {
		enum aftp_line rc;

		*e = (struct aftp_entry){ 0 };
		rc = dialects[i](e, &l);
		if (rc != AFTP_LINE_UNKNOWN)
			return rc;
	}
	return ignorable(&l) ? AFTP_LINE_IGNORE : AFTP_LINE_UNKNOWN;
}
