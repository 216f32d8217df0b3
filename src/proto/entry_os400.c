/* entry_os400 - OS/400: "OWNER  4019 04/03/18 18:58:16 *STMF  name". */
#include "proto/entry_stamp.h"

static enum aftp_type type_of(const struct entry_word *w)
{
	static const struct {
		const char *word;
		enum aftp_type type;
	} types[] = {
		{ "*stmf", AFTP_TYPE_FILE },
		{ "*mem", AFTP_TYPE_FILE },
		{ "*dir", AFTP_TYPE_DIR },
		{ "*ddir", AFTP_TYPE_DIR },
		{ "*lib", AFTP_TYPE_DIR },
		{ "*flr", AFTP_TYPE_DIR },
	};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (scan_is(w->s, w->n, types[i].word))
			return types[i].type;
	return AFTP_TYPE_UNKNOWN;
}

enum aftp_line entry_os400_parse(struct aftp_entry *e, const struct entry_line *l)
{
	struct entry_stamp t;
	size_t at = 4;

	if (l->n >= 3 && scan_is(l->w[1].s, l->w[1].n, "*mem")) {
		at = 1;
	} else {
		if (l->n < 6 || l->w[4].s[0] != '*' || !scan_all_digits(l->w[1].s, l->w[1].n, &e->size))
			return AFTP_LINE_UNKNOWN;
		if (!entry_stamp_numeric(&t, &l->w[2]) || !entry_stamp_time(&t, &l->w[3]) ||
			!entry_stamp_apply(e, &t, l->now))
			return AFTP_LINE_UNKNOWN;
		e->have |= AFTP_HAVE_SIZE;
	}
	e->type = type_of(&l->w[at]);
	if (e->type == AFTP_TYPE_DIR)
		e->have &= ~(uint32_t)AFTP_HAVE_SIZE;
	return entry_set_name(e, l->w[at + 1].s, l->end) ? AFTP_LINE_ENTRY : AFTP_LINE_UNKNOWN;
}
