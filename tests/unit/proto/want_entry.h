/* want_entry - a line and what it should say, for tables. */
#ifndef TESTS_WANT_ENTRY_H
#define TESTS_WANT_ENTRY_H

#include <stdlib.h>
#include <string.h>

#include <aftp/entry.h>

#include "proto/entry_date.h"

#define F  AFTP_TYPE_FILE
#define D  AFTP_TYPE_DIR
#define L  AFTP_TYPE_LINK
#define O  AFTP_TYPE_OTHER
#define U  AFTP_TYPE_UNKNOWN
#define NO (-1)

struct want {
	const char *line, *name;
	enum aftp_type type;
	int64_t size, mode; /* NO = the line has none */
	const char *mtime;  /* "YYYY-MM-DD HH:MM:SS"; NULL = none */
	const char *target;
};

static inline int64_t want_time(const char *text)
{
	int64_t year = strtol(text, NULL, 10), hour = strtol(text + 11, NULL, 10);

	return entry_date_days(year, (unsigned)strtoul(text + 5, NULL, 10), (unsigned)strtoul(text + 8, NULL, 10)) *
		86400 +
		hour * 3600 + strtol(text + 14, NULL, 10) * 60 + strtol(text + 17, NULL, 10);
}

static inline bool want_bytes(const char *want, const char *s, size_t n)
{
	return want ? s && strlen(want) == n && memcmp(want, s, n) == 0 : !s;
}

/* The field that differs, or NULL. */
static inline const char *want_differs(const struct want *w, const struct aftp_entry *e)
{
	if (!want_bytes(w->name, e->name, e->name_len))
		return "name";
	if (e->type != w->type)
		return "type";
	if (w->size == NO ? e->have & AFTP_HAVE_SIZE : !(e->have & AFTP_HAVE_SIZE) || e->size != (uint64_t)w->size)
		return "size";
	if (w->mode == NO ? e->have & AFTP_HAVE_MODE : !(e->have & AFTP_HAVE_MODE) || e->mode != (uint32_t)w->mode)
		return "mode";
	if (w->mtime ? !(e->have & AFTP_HAVE_MTIME) || e->mtime != want_time(w->mtime) : e->have & AFTP_HAVE_MTIME)
		return "mtime";
	return want_bytes(w->target, e->target, e->target_len) ? NULL : "target";
}

#endif
