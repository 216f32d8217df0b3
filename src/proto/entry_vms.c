/* entry_vms - VMS: "NAME.EXT;1  4/16  2-JUN-1998 07:32:04  [GROUP,OWNER]  (RWED,RWED,RE,)", the columns in any order.
 *
 * The version is cut off, and so is the ".DIR" of a directory. Sizes are in blocks: an upper bound. */
#include "proto/entry_stamp.h"

#include <string.h>

enum { BLOCK = 512 };

/* Where the version's ';' is; NULL when the word is no name with a version. */
static const char *version(const char *s, size_t n)
{
	const char *semicolon = memrchr(s, ';', n), *end = s + n;
	uint64_t value;

	if (!semicolon || semicolon == s || !scan_all_digits(semicolon + 1, (size_t)(end - semicolon - 1), &value))
		return NULL;
	return semicolon;
}

bool entry_vms_is_first_half(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (scan_is_space(line[i]))
			return false;
	return len < 256 && version(line, len);
}

/* "9" or "9/12": used blocks, then allocated ones. */
static bool blocks(const struct entry_word *w, uint64_t *out)
{
	const char *s = w->s, *end = s + w->n;
	uint64_t allocated;

	if (!scan_number(&s, end, out) || *out > UINT64_MAX / BLOCK)
		return false;
	return s == end || (*s++ == '/' && scan_number(&s, end, &allocated) && s == end);
}

static bool protection(const struct entry_word *w)
{
	if (w->n < 2 || w->s[0] != '(' || w->s[w->n - 1] != ')')
		return false;
	for (size_t i = 1; i + 1 < w->n; i++)
		if (!memchr("RWED,", w->s[i], 5))
			return false;
	return true;
}

static bool columns(struct aftp_entry *e, const struct entry_line *l)
{
	struct entry_stamp t;
	uint64_t value;

	for (size_t i = 1; i < l->n; i++) {
		const struct entry_word *w = &l->w[i];

		if (!(e->have & AFTP_HAVE_MTIME) && entry_stamp_match(&t, l, i, ENTRY_STAMP_STRONG)) {
			if (!entry_stamp_apply(e, &t, l->now))
				return false;
			i += t.words - 1;
		} else if (!(e->have & AFTP_HAVE_SIZE) && blocks(w, &value)) {
			e->size = value * BLOCK;
			e->have |= AFTP_HAVE_SIZE | AFTP_SIZE_ROUGH;
		} else if (w->s[0] != '[' && !protection(w)) {
			return false;
		}
	}
	return e->have & AFTP_HAVE_MTIME;
}

enum aftp_line entry_vms_parse(struct aftp_entry *e, const struct entry_line *l)
{
	const char *s, *end, *bracket;

	if (l->n < 2)
		return AFTP_LINE_UNKNOWN;
	s = l->w[0].s;
	end = version(s, l->w[0].n);
	if (!end || !columns(e, l))
		return AFTP_LINE_UNKNOWN;
	bracket = memrchr(s, ']', (size_t)(end - s));
	s = bracket ? bracket + 1 : s;
	e->type = AFTP_TYPE_FILE;
	if (end - s > 4 && scan_is(end - 4, 4, ".dir")) {
		e->type = AFTP_TYPE_DIR;
		e->have &= ~(uint32_t)(AFTP_HAVE_SIZE | AFTP_SIZE_ROUGH);
		end -= 4;
	}
	return entry_set_name(e, s, end) ? AFTP_LINE_ENTRY : AFTP_LINE_UNKNOWN;
}
