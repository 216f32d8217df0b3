/* entry_dos - the `dir` of DOS and Windows, as IIS and others send it. */
#include "proto/entry_columns.h"

#include <string.h>

/* Date and time; *at is the word behind them. */
static bool stamp(struct entry_stamp *t, const struct entry_line *l, size_t *at)
{
	char joined[12];

	if (l->n < 3 || !entry_stamp_numeric(t, &l->w[0]) || !entry_stamp_time(t, &l->w[1]))
		return false;
	*at = 2;
	/* "03:09 PM" */
	if (l->w[2].n != 2 || (!scan_is(l->w[2].s, 2, "am") && !scan_is(l->w[2].s, 2, "pm")))
		return true;
	if (l->w[1].n > 8)
		return false;
	memcpy(joined, l->w[1].s, l->w[1].n);
	memcpy(joined + l->w[1].n, l->w[2].s, 2);
	*at = 3;
	return entry_stamp_time(t, &(struct entry_word){ joined, l->w[1].n + 2 });
}

/* "name [C:\target]" */
static void link_target(struct aftp_entry *e)
{
	const char *end = e->name + e->name_len, *s;

	if (e->type != AFTP_TYPE_LINK || e->name_len < 4 || end[-1] != ']')
		return;
	s = memmem(e->name, e->name_len, " [", 2);
	if (!s || s == e->name)
		return;
	e->name_len = (size_t)(s - e->name);
	e->target = s + 2;
	e->target_len = (size_t)(end - 1 - e->target);
}

static bool kind(struct aftp_entry *e, const struct entry_word *w)
{
	static const struct {
		const char *word;
		enum aftp_type type;
	} kinds[] = {
		{ "<dir>", AFTP_TYPE_DIR },
		{ "<junction>", AFTP_TYPE_LINK },
		{ "<symlinkd>", AFTP_TYPE_LINK },
		{ "<symlink>", AFTP_TYPE_LINK },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (scan_is(w->s, w->n, kinds[i].word)) {
			e->type = kinds[i].type;
			return true;
		}
	}
	if (!entry_columns_size(w, &e->size))
		return false;
	e->type = AFTP_TYPE_FILE;
	e->have |= AFTP_HAVE_SIZE;
	return true;
}

enum aftp_line entry_dos_parse(struct aftp_entry *e, const struct entry_line *l)
{
	struct entry_stamp t;
	const char *s;
	size_t at;

	if (!stamp(&t, l, &at) || at + 1 >= l->n || !kind(e, &l->w[at]) || !entry_stamp_apply(e, &t, l->now))
		return AFTP_LINE_UNKNOWN;
	/* After a size one space ends the column (a name may begin with more); `dir` itself, which writes slashes, and
	 * everybody after <DIR>, pad with spaces. */
	s = entry_word_end(&l->w[at]) + 1;
	if (e->type != AFTP_TYPE_FILE || !memchr(l->w[0].s, '-', l->w[0].n))
		s = l->w[at + 1].s;
	if (!entry_set_name(e, s, l->end))
		return AFTP_LINE_UNKNOWN;
	link_target(e);
	return AFTP_LINE_ENTRY;
}
