/* entry_stamp - a date, and mostly a time, among the words of a line.
 *
 * "Jan 5 10:11", "Jan 5 2023", "5 Jan 10:11", "2023-01-05 10:11:12.5 +0100", "01-jun-99", "6月 3日 2003年" and
 * their relatives. The wall clock is taken as it is printed; a zone is skipped. */
#ifndef PROTO_ENTRY_STAMP_H
#define PROTO_ENTRY_STAMP_H

#include "proto/entry_line.h"

struct entry_stamp {
	int64_t year; /* 0 = the line has none */
	unsigned month, day, hour, minute, second;
	uint32_t nsec;
	enum aftp_precision precision;
	const char *end; /* one past its last byte */
	size_t words;    /* how many words it takes */
	bool padded;     /* it has no time, and spaces fill the column where others have one */
};

/* Numbers alone ("3 29 03:26", "09-26 13:45") are dates only when nothing better is on the line. */
enum entry_stamp_form { ENTRY_STAMP_STRONG, ENTRY_STAMP_WEAK };

/* Does a date begin at word i? */
bool entry_stamp_match(struct entry_stamp *t, const struct entry_line *l, size_t i, enum entry_stamp_form form);

/* "H:MM", "H:MM:SS", "H:MM:SS.fraction", "H.MM", with "AM" or "PM" at its end or without. 24:00 is midnight of the
 * next day. */
bool entry_stamp_time(struct entry_stamp *t, const struct entry_word *w);

/* "1-2-3" with any of "-/." between: three numbers and their number of digits. */
struct entry_triple {
	unsigned v[3];
	size_t digits[3];
	char separator;
};
bool entry_stamp_triple(struct entry_triple *out, const struct entry_word *w);

/* A date of three numbers: month first, unless the numbers or a '.' say otherwise, or the first one has four digits
 * and so is the year. */
bool entry_stamp_numeric(struct entry_stamp *t, const struct entry_word *w);

/* A year of one to three digits counts from 1900 (70 to 999) or 2000 (0 to 69). */
int64_t entry_stamp_century(unsigned year, size_t digits);

/* Puts the date into the entry. A date without a year gets the latest one that is not more than a day after `now`.
 * False: there is no such day. */
bool entry_stamp_apply(struct aftp_entry *e, const struct entry_stamp *t, int64_t now);

#endif
