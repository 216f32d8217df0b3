/* entry_mvs - MVS (z/OS): data sets, and members of a partitioned one. Sizes are tracks or lines, so there are none. */
#include "proto/entry_stamp.h"

static enum aftp_line is(struct aftp_entry *e, enum aftp_type type, const struct entry_word *name)
{
	e->type = type;
	return entry_set_name(e, name->s, entry_word_end(name)) ? AFTP_LINE_ENTRY : AFTP_LINE_UNKNOWN;
}

static bool word_is(const struct entry_line *l, size_t i, const char *text)
{
	return scan_is(l->w[i].s, l->w[i].n, text);
}

/* "SAVE01 3390   2004/06/23  1    1  FB     128  6144  PO    NAME"; the date is the last use's. */
static enum aftp_line data_set(struct aftp_entry *e, const struct entry_line *l)
{
	static const struct {
		const char *organization;
		enum aftp_type type;
	} kinds[] = {
		{ "PO", AFTP_TYPE_DIR },
		{ "PO-E", AFTP_TYPE_DIR },
		{ "PS", AFTP_TYPE_FILE },
		{ "PS-E", AFTP_TYPE_FILE },
		{ "PS-L", AFTP_TYPE_FILE },
		{ "DA", AFTP_TYPE_FILE },
		{ "VS", AFTP_TYPE_FILE },
		{ "VSAM", AFTP_TYPE_FILE },
	};
	struct entry_triple date;

	if (l->n < 8 || l->n > 10 || !scan_is_digit(l->w[1].s[0]))
		return AFTP_LINE_UNKNOWN;
	if (!word_is(l, 2, "**NONE**") && (!entry_stamp_triple(&date, &l->w[2]) || date.separator != '/'))
		return AFTP_LINE_UNKNOWN;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (word_is(l, l->n - 2, kinds[i].organization))
			return is(e, kinds[i].type, &l->w[l->n - 1]);
	return AFTP_LINE_UNKNOWN;
}

/* "NAME  01.03 2002/09/12 2002/10/11 09:37  11  11  0 USER"; the second date is the change's. */
static enum aftp_line member(struct aftp_entry *e, const struct entry_line *l)
{
	struct entry_triple version, date;
	struct entry_stamp t;
	const char *s = l->n >= 5 ? l->w[1].s : "";

	if (l->n < 5 || l->w[1].n != 5 || s[2] != '.' || !scan_is_digit(s[0]) || !scan_is_digit(s[4]))
		return AFTP_LINE_UNKNOWN;
	if (!entry_stamp_triple(&version, &l->w[2]) || !entry_stamp_triple(&date, &l->w[3]) || date.separator != '/')
		return AFTP_LINE_UNKNOWN;
	if (!entry_stamp_time(&t, &l->w[4]))
		return AFTP_LINE_UNKNOWN;
	t.year = entry_stamp_century(date.v[0], date.digits[0]);
	t.month = date.v[1];
	t.day = date.v[2];
	return entry_stamp_apply(e, &t, l->now) ? is(e, AFTP_TYPE_FILE, &l->w[0]) : AFTP_LINE_UNKNOWN;
}

static bool hex(const struct entry_word *w, uint64_t *out)
{
	uint64_t value = 0;

	for (size_t i = 0; i < w->n; i++) {
		char c = w->s[i];

		if (!scan_is_digit(c) && (c < 'A' || c > 'F'))
			return false;
		value = value * 16 + (uint64_t)(scan_is_digit(c) ? c - '0' : c - 'A' + 10);
	}
	*out = value;
	return w->n == 6;
}

/* "NAME  005F48   000011 ALIAS 00 FO   RN RU   31   ANY"; size and place in hexadecimal. */
static enum aftp_line load_module(struct aftp_entry *e, const struct entry_line *l)
{
	uint64_t place;

	if (l->n < 6 || !hex(&l->w[1], &e->size) || !hex(&l->w[2], &place))
		return AFTP_LINE_UNKNOWN;
	if (!word_is(l, l->n - 1, "ANY") && !word_is(l, l->n - 1, "24") && !word_is(l, l->n - 1, "31"))
		return AFTP_LINE_UNKNOWN;
	e->have |= AFTP_HAVE_SIZE;
	return is(e, AFTP_TYPE_FILE, &l->w[0]);
}

enum aftp_line entry_mvs_parse(struct aftp_entry *e, const struct entry_line *l)
{
	enum aftp_line rc;

	if (l->n == 2 && word_is(l, 0, "migrated"))
		return is(e, AFTP_TYPE_FILE, &l->w[1]);
	if (l->n == 3 && word_is(l, 1, "tape"))
		return is(e, AFTP_TYPE_FILE, &l->w[2]);
	if (l->n == 3 && word_is(l, 0, "pseudo") && word_is(l, 1, "directory"))
		return is(e, AFTP_TYPE_DIR, &l->w[2]);
	rc = data_set(e, l);
	if (rc == AFTP_LINE_UNKNOWN)
		rc = member(e, l);
	return rc == AFTP_LINE_UNKNOWN ? load_module(e, l) : rc;
}
