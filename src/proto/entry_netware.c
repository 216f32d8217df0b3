/* entry_netware - Novell's NetWare: "d [RWCEAFMS] owner 512 Jan 16 18:53 name", the space after the letter optional. */
#include "proto/entry_columns.h"

#include <string.h>

/* "[RWCEAFMS]" from s; a letter that was not granted is '-'. */
static bool rights(const char *s, size_t n)
{
	if (n < 8 || n > 12 || s[0] != '[' || s[n - 1] != ']')
		return false;
	for (size_t i = 1; i + 1 < n; i++)
		if (!memchr("-RWCEAFMS", s[i], 9))
			return false;
	return true;
}

enum aftp_line entry_netware_parse(struct aftp_entry *e, const struct entry_line *l)
{
	struct entry_columns c;
	size_t first;
	char letter;

	if (l->n < 2 || l->w[0].n == 0)
		return AFTP_LINE_UNKNOWN;
	letter = l->w[0].s[0];
	first = l->w[0].n == 1 ? 2 : 1;
	if (letter != 'd' && letter != '-')
		return AFTP_LINE_UNKNOWN;
	if (first == 2 ? !rights(l->w[1].s, l->w[1].n) : !rights(l->w[0].s + 1, l->w[0].n - 1))
		return AFTP_LINE_UNKNOWN;
	/* An owner is always there, so the size cannot be the first column. */
	if (!entry_columns_find(&c, l, first + 1) || !c.sized || !entry_stamp_apply(e, &c.stamp, l->now))
		return AFTP_LINE_UNKNOWN;
	e->type = letter == 'd' ? AFTP_TYPE_DIR : AFTP_TYPE_FILE;
	if (letter == '-') {
		e->size = c.size;
		e->have |= AFTP_HAVE_SIZE;
	}
	if (c.size_at + c.stamp.words + 1 >= l->n)
		return AFTP_LINE_UNKNOWN;
	return entry_set_name(e, l->w[c.size_at + 1 + c.stamp.words].s, l->end) ? AFTP_LINE_ENTRY : AFTP_LINE_UNKNOWN;
}
