/* entry_date - dates of listings and replies as seconds since 1970, by tables: no locale, no time zone, no mktime. */
#ifndef PROTO_ENTRY_DATE_H
#define PROTO_ENTRY_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Days from 1970-01-01 to a day of the proleptic Gregorian calendar; month 1..12. */
int64_t entry_date_days(int64_t year, unsigned month, unsigned day);

/* The year and day number (0..365) that contain `days`. */
int64_t entry_date_year(int64_t days);

/* Is there such a day? Years 1..9999. */
bool entry_date_valid(int64_t year, unsigned month, unsigned day);

/* "YYYYMMDDHHMMSS[.fraction]" (RFC 3659 section 2.3), all of the n bytes. "19100" for the year 2000 is mended. */
bool entry_date_time_val(const char *s, size_t n, int64_t *sec, uint32_t *nsec);

#endif
