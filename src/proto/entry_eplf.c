/* entry_eplf - Easily Parsed LIST Format: "+i8388621.48594,m825718503,r,s280,up644,\tname". */
#include "proto/entry_line.h"

#include <string.h>

static void fact(struct aftp_entry *e, const char *s, size_t n, bool *readable)
{
	uint64_t value;

	switch (s[0]) {
	case '/':
		e->type = AFTP_TYPE_DIR;
		*readable = true;
		break;
	case 'r':
		e->type = e->type == AFTP_TYPE_DIR ? AFTP_TYPE_DIR : AFTP_TYPE_FILE;
		*readable = true;
		break;
	case 's':
		if (scan_all_digits(s + 1, n - 1, &e->size))
			e->have |= AFTP_HAVE_SIZE;
		break;
	case 'm':
		if (scan_all_digits(s + 1, n - 1, &value) && value <= INT64_MAX) {
			e->mtime = (int64_t)value;
			e->precision = AFTP_TIME_SECOND;
			e->have |= AFTP_HAVE_MTIME;
		}
		break;
	case 'i':
		e->unique = s + 1;
		e->unique_len = n - 1;
		e->have |= AFTP_HAVE_UNIQUE;
		break;
	case 'u':
		if (n > 2 && s[1] == 'p' && scan_octal(s + 2, n - 2, 07777, &e->mode))
			e->have |= AFTP_HAVE_MODE;
		break;
	default: break;
	}
}

/* What can be neither read nor entered is not worth showing: the format says so. */
enum aftp_line entry_eplf_parse(struct aftp_entry *e, const struct entry_line *l)
{
	const char *s = l->s, *tab = memchr(s, '\t', (size_t)(l->end - s));
	bool readable = false;

	if (s == l->end || *s != '+' || !tab)
		return AFTP_LINE_UNKNOWN;
	for (s++; s < tab; s++) {
		const char *comma = memchr(s, ',', (size_t)(tab - s));
		const char *end = comma ? comma : tab;

		if (end > s)
			fact(e, s, (size_t)(end - s), &readable);
		s = end;
	}
	if (e->type != AFTP_TYPE_FILE)
		e->have &= ~(uint32_t)AFTP_HAVE_SIZE;
	if (!readable)
		return AFTP_LINE_IGNORE;
	return entry_set_name(e, tab + 1, l->end) ? AFTP_LINE_ENTRY : AFTP_LINE_UNKNOWN;
}
