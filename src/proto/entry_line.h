/* entry_line - one line of a LIST listing cut into words, the common start of every dialect. */
#ifndef PROTO_ENTRY_LINE_H
#define PROTO_ENTRY_LINE_H

#include <aftp/entry.h>

#include "proto/scan.h"

/* Columns that matter come first; what follows is the name. */
enum { ENTRY_WORDS = 24 };

struct entry_word {
	const char *s;
	size_t n;
};

struct entry_line {
	const char *s, *end; /* the whole line, without its line end */
	int64_t now;         /* for dates that have no year */
	size_t n;            /* words in w */
	struct entry_word w[ENTRY_WORDS];
};

static inline void entry_line_split(struct entry_line *l, const char *s, size_t len, int64_t now)
{
	const char *p = s, *end = s + len;

	l->s = s;
	l->end = end;
	l->now = now;
	l->n = 0;
	while (l->n < ENTRY_WORDS) {
		const char *start;

		while (p < end && scan_is_space(*p))
			p++;
		if (p == end)
			return;
		start = p;
		while (p < end && !scan_is_space(*p))
			p++;
		l->w[l->n++] = (struct entry_word){ start, (size_t)(p - start) };
	}
}

static inline const char *entry_word_end(const struct entry_word *w)
{
	return w->s + w->n;
}

/* The dialects. Each says ENTRY with *e filled (it comes in zeroed), or UNKNOWN. */
enum aftp_line entry_unix_parse(struct aftp_entry *e, const struct entry_line *l);
enum aftp_line entry_dos_parse(struct aftp_entry *e, const struct entry_line *l);
enum aftp_line entry_netware_parse(struct aftp_entry *e, const struct entry_line *l);
enum aftp_line entry_eplf_parse(struct aftp_entry *e, const struct entry_line *l);
enum aftp_line entry_vms_parse(struct aftp_entry *e, const struct entry_line *l);
enum aftp_line entry_mvs_parse(struct aftp_entry *e, const struct entry_line *l);
enum aftp_line entry_os400_parse(struct aftp_entry *e, const struct entry_line *l);
enum aftp_line entry_os2_parse(struct aftp_entry *e, const struct entry_line *l);

/* Is the line a VMS name whose attributes come on the next line? */
bool entry_vms_is_first_half(const char *line, size_t len);

/* The name from `s` to `end`: the trailing slash of a directory is cut, "." and ".." are marked. False: it is empty. */
bool entry_set_name(struct aftp_entry *e, const char *s, const char *end);

#endif
