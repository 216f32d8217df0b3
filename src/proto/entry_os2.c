/* entry_os2 - OS/2: "  73098   A   04-06-97   15:15  name", with DIR among the attributes of a directory. */
#include "proto/entry_stamp.h"

static bool attributes(const struct entry_word *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->s[i] < 'A' || w->s[i] > 'Z')
			return false;
	return w->n <= 5;
}

enum aftp_line entry_os2_parse(struct aftp_entry *e, const struct entry_line *l)
{
	struct entry_stamp t;
	size_t at = 1;

	if (l->n < 4 || !scan_all_digits(l->w[0].s, l->w[0].n, &e->size))
		return AFTP_LINE_UNKNOWN;
	e->type = AFTP_TYPE_FILE;
	for (; at < 3 && attributes(&l->w[at]); at++)
		if (scan_is(l->w[at].s, l->w[at].n, "dir"))
			e->type = AFTP_TYPE_DIR;
	if (at + 2 >= l->n || !entry_stamp_numeric(&t, &l->w[at]) || !entry_stamp_time(&t, &l->w[at + 1]))
		return AFTP_LINE_UNKNOWN;
	if (!entry_stamp_apply(e, &t, l->now))
		return AFTP_LINE_UNKNOWN;
	if (e->type == AFTP_TYPE_FILE)
		e->have |= AFTP_HAVE_SIZE;
	return entry_set_name(e, l->w[at + 2].s, l->end) ? AFTP_LINE_ENTRY : AFTP_LINE_UNKNOWN;
}
