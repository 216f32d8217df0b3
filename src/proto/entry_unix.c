/* entry_unix - `ls -l`, as Unix servers and their imitators send it. */
#include "proto/entry_columns.h"

#include <string.h>

#include "proto/entry_date.h"

static const struct {
	char letter;
	enum aftp_type type;
} types[] = {
	{ '-', AFTP_TYPE_FILE }, { 'd', AFTP_TYPE_DIR }, { 'l', AFTP_TYPE_LINK }, { 'D', AFTP_TYPE_DIR },
	{ 'c', AFTP_TYPE_OTHER }, { 'b', AFTP_TYPE_OTHER }, { 'p', AFTP_TYPE_OTHER }, { 's', AFTP_TYPE_OTHER },
	{ 'a', AFTP_TYPE_FILE }, /* Plan 9, append-only */
};

static bool type_of(char letter, enum aftp_type *type)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		if (types[i].letter == letter) {
			*type = types[i].type;
			return true;
		}
	}
	return false;
}

/* One of r w x: sets its bit in *mode, and set-id and sticky marks in *special. */
static bool permission(char c, unsigned place, uint32_t *mode, uint32_t *special)
{
	static const char plain[] = "rwx";
	char mark = place < 6 ? 's' : 't';

	*mode <<= 1;
	if (place % 3 == 0)
		*special <<= 1;
	if (c == '-')
		return true;
	if (c == plain[place % 3]) {
		*mode |= 1;
		return true;
	}
	if (place % 3 != 2 || (c | 0x20) != mark)
		return false;
	*mode |= c == mark;
	*special |= 1;
	return true;
}

/* "rwxr-xr-x" at s; nine bytes. */
static bool nine(const char *s, uint32_t *mode)
{
	uint32_t bits = 0, special = 0;

	for (unsigned i = 0; i < 9; i++)
		if (!permission(s[i], i, &bits, &special))
			return false;
	*mode = special << 9 | bits;
	return true;
}

/* What may be glued to the permissions: an ACL mark, and a link count that found no room. */
static bool tail_ok(const char *s, size_t n)
{
	uint64_t links;

	if (n > 0 && strchr("+.@*", s[0])) {
		s++;
		n--;
	}
	return n == 0 || scan_all_digits(s, n, &links);
}

/* The first column. Some servers have letters of their own, or fewer: then there is a type, but no mode. */
static bool permissions(struct aftp_entry *e, const struct entry_word *w)
{
	static const char known[] = "-rwxsStTaAhHlLRDd";
	size_t n = 0;

	if (w->n < 7 || !type_of(w->s[0], &e->type))
		return false;
	if (w->n >= 10 && nine(w->s + 1, &e->mode) && tail_ok(w->s + 10, w->n - 10)) {
		e->have |= AFTP_HAVE_MODE;
		return true;
	}
	for (n = 1; n < w->n; n++)
		if (!memchr(known, w->s[n], sizeof known - 1))
			return false;
	e->mode = 0;
	return n <= 12;
}

/* Owner and group as numbers; only when all four columns before the date are there. */
static void owner(struct aftp_entry *e, const struct entry_line *l, size_t first, size_t size_at)
{
	uint64_t value;

	if (size_at != first + 3 || !scan_all_digits(l->w[first].s, l->w[first].n, &value))
		return;
	if (value <= UINT32_MAX) {
		e->nlink = (uint32_t)value;
		e->have |= AFTP_HAVE_NLINK;
	}
	if (scan_all_digits(l->w[first + 1].s, l->w[first + 1].n, &value) && value <= UINT32_MAX) {
		e->uid = (uint32_t)value;
		e->have |= AFTP_HAVE_UID;
	}
	if (scan_all_digits(l->w[first + 2].s, l->w[first + 2].n, &value) && value <= UINT32_MAX) {
		e->gid = (uint32_t)value;
		e->have |= AFTP_HAVE_GID;
	}
}

/* Servers on the old Mac write three numbers: resource fork, data fork, both. Only the data fork can be fetched. */
static bool mac_forks(const struct entry_line *l, size_t first, size_t size_at, uint64_t total)
{
	uint64_t resource, data;

	return size_at == first + 2 && scan_all_digits(l->w[first].s, l->w[first].n, &resource) && resource > 0 &&
		scan_all_digits(l->w[first + 1].s, l->w[first + 1].n, &data) && resource <= total &&
		total - resource == data;
}

static void size(struct aftp_entry *e, const struct entry_line *l, size_t first, const struct entry_columns *c)
{
	if (!c->sized || (e->type != AFTP_TYPE_FILE && e->type != AFTP_TYPE_DIR))
		return;
	e->size = c->size;
	if (e->type == AFTP_TYPE_DIR)
		return;
	e->have |= AFTP_HAVE_SIZE;
	if (c->rough || mac_forks(l, first, c->size_at, c->size))
		e->have |= AFTP_SIZE_ROUGH;
}

/* "name -> target". Both may hold arrows; a link's size is the length of its target, and settles it. */
static const char *arrow(const char *s, const char *end, uint64_t target_len)
{
	const char *first = memmem(s, (size_t)(end - s), " -> ", 4);
	size_t room = first ? (size_t)(end - first) - 4 : 0;

	if (first && target_len > 0 && target_len < room && memcmp(end - target_len - 4, " -> ", 4) == 0)
		return end - target_len - 4;
	return first;
}

static enum aftp_line name(struct aftp_entry *e, const char *s, const char *end, uint64_t target_len)
{
	if (e->type == AFTP_TYPE_LINK) {
		const char *split = arrow(s, end, target_len);

		if (split && split + 4 < end) {
			e->target = split + 4;
			e->target_len = (size_t)(end - e->target);
		}
		if (split)
			end = split;
	}
	return entry_set_name(e, s, end) ? AFTP_LINE_ENTRY : AFTP_LINE_UNKNOWN;
}

/* "0100644 500 101 12345 123456789 name": mode, owner, group, size and time as numbers. */
static enum aftp_line numeric(struct aftp_entry *e, const struct entry_line *l)
{
	uint64_t v[5];
	uint32_t mode;
	const char *s;

	if (l->n < 6 || l->w[0].n < 6 || !scan_octal(l->w[0].s, l->w[0].n, 0177777, &mode))
		return AFTP_LINE_UNKNOWN;
	for (size_t i = 1; i < 5; i++)
		if (!scan_all_digits(l->w[i].s, l->w[i].n, &v[i]) || v[i] > INT64_MAX || (i < 3 && v[i] > UINT32_MAX))
			return AFTP_LINE_UNKNOWN;
	e->type = mode >> 12 == 010 ? AFTP_TYPE_FILE
		: mode >> 12 == 04  ? AFTP_TYPE_DIR
		: mode >> 12 == 012 ? AFTP_TYPE_LINK
				    : AFTP_TYPE_OTHER;
	e->mode = mode & 07777;
	e->uid = (uint32_t)v[1];
	e->gid = (uint32_t)v[2];
	e->mtime = (int64_t)v[4];
	e->precision = AFTP_TIME_SECOND;
	e->have = AFTP_HAVE_MODE | AFTP_HAVE_UID | AFTP_HAVE_GID | AFTP_HAVE_MTIME;
	if (e->type == AFTP_TYPE_FILE) {
		e->size = v[3];
		e->have |= AFTP_HAVE_SIZE;
	}
	s = l->w[5].s;
	return name(e, s, l->end, v[3]);
}

/* Inode and block count may stand before the permissions. */
static bool first_column(struct aftp_entry *e, const struct entry_line *l, size_t *at)
{
	uint64_t value;

	for (*at = 0; *at < 3 && *at < l->n; (*at)++) {
		if (permissions(e, &l->w[*at]))
			return true;
		if (!scan_all_digits(l->w[*at].s, l->w[*at].n, &value))
			return false;
	}
	return false;
}

enum aftp_line entry_unix_parse(struct aftp_entry *e, const struct entry_line *l)
{
	struct entry_columns c;
	const char *s;
	size_t first;

	if (!first_column(e, l, &first))
		return l->n > 0 && scan_is_digit(l->w[0].s[0]) ? numeric(e, l) : AFTP_LINE_UNKNOWN;
	first++;
	if (!entry_columns_find(&c, l, first) || l->end - c.stamp.end < 2 || !entry_stamp_apply(e, &c.stamp, l->now))
		return AFTP_LINE_UNKNOWN;
	owner(e, l, first, c.size_at);
	size(e, l, first, &c);
	/* One space ends the date; more belong to the name. */
	s = c.stamp.end + 1;
	while (c.stamp.padded && s < l->end && *s == ' ')
		s++;
	return name(e, s, l->end, c.sized ? c.size : 0);
}
