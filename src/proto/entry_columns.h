/* entry_columns - where the size and the date of an `ls -l`-like line are.
 *
 * Owners and groups may be missing, or hold spaces: so the date is looked for, and the size is what stands before
 * it. */
#ifndef PROTO_ENTRY_COLUMNS_H
#define PROTO_ENTRY_COLUMNS_H

#include "proto/entry_stamp.h"

struct entry_columns {
	size_t size_at; /* the word with the size; the date begins at the next one */
	struct entry_stamp stamp;
	bool sized, rough;
	uint64_t size;
};

/* The whole word is a number of bytes: digits, perhaps in groups of three ("1,234,567"). */
bool entry_columns_size(const struct entry_word *w, uint64_t *size);

/* Looks from word `first` on. False: no size and date. */
bool entry_columns_find(struct entry_columns *c, const struct entry_line *l, size_t first);

#endif
