#include "proto/entry_columns.h"

/* "1,234,567" or "1.234.567" */
static bool grouped(const struct entry_word *w, uint64_t *size)
{
	const char *s = w->s, *end = s + w->n;
	uint64_t value = 0, part;
	char separator = '\0';
	size_t digits;

	for (;;) {
		const char *start = s;

		if (!scan_number(&s, end, &part))
			return false;
		digits = (size_t)(s - start);
		if (separator ? digits != 3 : digits > 3 || s == end)
			return false;
		if (value > (UINT64_MAX - part) / 1000)
			return false;
		value = value * 1000 + part;
		if (s == end)
			break;
		if ((*s != ',' && *s != '.') || (separator && *s != separator))
			return false;
		separator = *s++;
	}
	*size = value;
	return true;
}

/* "9.0M", "33.5k", "12K" */
static bool with_unit(const struct entry_word *w, uint64_t *size)
{
	static const char units[] = "kmgtp";
	const char *s = w->s, *end = s + w->n, *unit;
	uint64_t whole, tenths = 0, factor = 1024;

	if (!scan_number(&s, end, &whole) || whole > 99999)
		return false;
	if (end - s > 2 && (*s == '.' || *s == ',') && scan_is_digit(s[1])) {
		tenths = (uint64_t)(s[1] - '0');
		s += 2;
	}
	if (end - s != 1)
		return false;
	for (unit = units; *unit && *unit != scan_lower(*s); unit++)
		factor *= 1024;
	*size = whole * factor + factor * tenths / 10;
	return *unit != '\0';
}

bool entry_columns_size(const struct entry_word *w, uint64_t *size)
{
	return scan_all_digits(w->s, w->n, size) || grouped(w, size);
}

static bool size_of(struct entry_columns *c, const struct entry_word *w)
{
	c->rough = false;
	c->sized = entry_columns_size(w, &c->size);
	if (!c->sized)
		c->sized = c->rough = with_unit(w, &c->size);
	return c->sized;
}

/* "109,767": the numbers of a device. */
static bool device(const struct entry_word *w)
{
	const char *s = w->s, *end = s + w->n;
	uint64_t value;

	return scan_number(&s, end, &value) && s < end && *s++ == ',' && scan_number(&s, end, &value) && s == end;
}

/* A group and a size without a space between: which digits are whose cannot be told. */
static bool glued(const struct entry_word *w)
{
	size_t digits = 0;

	while (digits < w->n && scan_is_digit(w->s[w->n - 1 - digits]))
		digits++;
	return digits >= 3 && digits < w->n && (unsigned char)w->s[0] > '9';
}

static bool at(struct entry_columns *c, const struct entry_line *l, size_t i, enum entry_stamp_form form)
{
	c->size_at = i;
	return (size_of(c, &l->w[i]) || device(&l->w[i])) && entry_stamp_match(&c->stamp, l, i + 1, form);
}

bool entry_columns_find(struct entry_columns *c, const struct entry_line *l, size_t first)
{
	/* The usual place: links, owner, group, size. */
	if (first + 4 < l->n && at(c, l, first + 3, ENTRY_STAMP_STRONG))
		return true;
	for (size_t i = first; i + 1 < l->n; i++)
		if (at(c, l, i, ENTRY_STAMP_STRONG))
			return true;
	for (size_t i = first; i + 1 < l->n; i++)
		if (at(c, l, i, ENTRY_STAMP_WEAK))
			return true;
	c->sized = c->rough = false;
	for (size_t i = first; i + 1 < l->n; i++) {
		c->size_at = i;
		if (glued(&l->w[i]) && entry_stamp_match(&c->stamp, l, i + 1, ENTRY_STAMP_STRONG))
			return true;
	}
	return false;
}
