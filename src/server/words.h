/* words - arguments that are more than one word, or in quotes. Pure. */
#ifndef SERVER_WORDS_H
#define SERVER_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first word of *text into `out`, and *text moves behind it and one blank. A word in double quotes has blanks as
 * they are; a quote in it is doubled or comes after a backslash. False when there is none, when it does not end or when
 * it does not fit. */
bool words_next(const char **text, char *out, size_t size);

/* All of `text`, or what is in its quotes. Likewise. */
bool words_rest(const char *text, char *out, size_t size);

/* Decimal digits and nothing else, below 10^18. */
bool words_number(const char *text, uint64_t *out);

#endif
