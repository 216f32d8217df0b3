#include "proto/entry_stamp.h"

#include "proto/entry_date.h"
#include "proto/entry_month.h"

enum { DAY = 86400 };

/* A number that ends its word, but for a '.' or ',' (day of month) or the character for day, month or year in the
 * languages of East Asia (up to three bytes, in any charset). */
enum suffix { SUFFIX_NONE, SUFFIX_MARK, SUFFIX_WIDE };

static bool suffixed(const struct entry_word *w, unsigned *out, size_t *digits, enum suffix *suffix)
{
	unsigned value = 0;
	size_t i = 0;

	while (i < w->n && i < 5 && scan_is_digit(w->s[i]))
		value = value * 10 + (unsigned)(w->s[i++] - '0');
	if (i == 0 || i > 4)
		return false;
	*out = value;
	*digits = i;
	*suffix = SUFFIX_NONE;
	if (i == w->n)
		return true;
	*suffix = (unsigned char)w->s[i] >= 0x80 ? SUFFIX_WIDE : SUFFIX_MARK;
	if (*suffix == SUFFIX_WIDE)
		return w->n - i <= 3;
	return w->n - i == 1 && (w->s[i] == '.' || w->s[i] == ',');
}

static bool day_of(const struct entry_word *w, unsigned *day, enum suffix *suffix)
{
	size_t digits;

	return suffixed(w, day, &digits, suffix) && digits <= 2 && *day >= 1 && *day <= 31;
}

static bool year_of(const struct entry_word *w, int64_t *year)
{
	enum suffix suffix;
	unsigned value;
	size_t digits;

	if (!suffixed(w, &value, &digits, &suffix) || digits != 4 || suffix == SUFFIX_MARK || value < 1000)
		return false;
	*year = value;
	return true;
}

static bool two_digits(const char **s, const char *end, unsigned *out)
{
	uint64_t value;
	const char *start = *s;

	if (!scan_number(s, end, &value) || *s - start > 2)
		return false;
	*out = (unsigned)value;
	return true;
}

static bool fraction(const char **s, const char *end, uint32_t *nsec)
{
	uint32_t value = 0;
	int digits = 0;

	for (; *s < end && scan_is_digit(**s); (*s)++) {
		if (digits < 9)
			value = value * 10 + (uint32_t)(**s - '0');
		digits++;
	}
	for (int i = digits; i < 9; i++)
		value *= 10;
	*nsec = value;
	return digits > 0;
}

static bool meridiem(struct entry_stamp *t, const char *s, size_t n)
{
	bool pm = scan_is(s, n, "pm");

	if ((!pm && !scan_is(s, n, "am")) || t->hour > 12)
		return false;
	t->hour = t->hour % 12 + (pm ? 12 : 0);
	return true;
}

bool entry_stamp_time(struct entry_stamp *t, const struct entry_word *w)
{
	const char *s = w->s, *end = s + w->n, *minute;
	char separator;

	t->second = 0;
	t->nsec = 0;
	t->precision = AFTP_TIME_MINUTE;
	if (!two_digits(&s, end, &t->hour) || s == end || (*s != ':' && *s != '.'))
		return false;
	separator = *s++;
	minute = s;
	if (!two_digits(&s, end, &t->minute) || (separator == '.' && s - minute != 2))
		return false;
	if (separator == ':' && s < end && *s == ':') {
		s++;
		if (!two_digits(&s, end, &t->second))
			return false;
		t->precision = AFTP_TIME_SECOND;
		if (s < end && (*s == '.' || *s == ',')) {
			s++;
			if (!fraction(&s, end, &t->nsec))
				return false;
			t->precision = AFTP_TIME_NANO;
		}
	}
	if (s < end && !meridiem(t, s, (size_t)(end - s)))
		return false;
	if (t->hour == 24 && (t->minute != 0 || t->second != 0))
		return false;
	return t->hour <= 24 && t->minute <= 59 && t->second <= 60;
}

static bool take(struct entry_stamp *t, const struct entry_line *l, size_t i, size_t words)
{
	t->words = words;
	t->end = entry_word_end(&l->w[i + words - 1]);
	t->padded = false;
	return true;
}

static bool take_day(struct entry_stamp *t, const struct entry_line *l, size_t i, size_t words)
{
	t->hour = t->minute = t->second = 0;
	t->nsec = 0;
	t->precision = AFTP_TIME_DAY;
	return take(t, l, i, words);
}

/* "Oct 20, 99 10:39 pm" and "Mar 29 93 14:57": a short year needs a time behind it. */
static bool short_year(struct entry_stamp *t, const struct entry_line *l, size_t i, size_t at, bool comma)
{
	size_t words = at - i + 2;
	enum suffix suffix;
	unsigned value;
	size_t digits;

	if (at + 1 >= l->n || !suffixed(&l->w[at], &value, &digits, &suffix) || suffix != SUFFIX_NONE)
		return false;
	if ((digits != 2 && !(comma && digits == 4)) || !entry_stamp_time(t, &l->w[at + 1]))
		return false;
	t->year = entry_stamp_century(value, digits);
	if (digits == 2 && comma && at + 2 < l->n && meridiem(t, l->w[at + 2].s, l->w[at + 2].n))
		words++;
	return take(t, l, i, words);
}

/* Month and day are known and take `used` words from word i on; what follows is a time or a year. */
static bool time_or_year(struct entry_stamp *t, const struct entry_line *l, size_t i, size_t used, bool comma)
{
	size_t at = i + used;

	if (at >= l->n)
		return false;
	t->year = 0;
	if (entry_stamp_time(t, &l->w[at])) {
		/* "10:37:00 1999": only ls -T writes seconds, and a year always comes after them. */
		if (t->precision == AFTP_TIME_SECOND && at + 2 < l->n && year_of(&l->w[at + 1], &t->year))
			return take(t, l, i, used + 2);
		return take(t, l, i, used + 1);
	}
	if (short_year(t, l, i, at, comma))
		return true;
	return year_of(&l->w[at], &t->year) && take_day(t, l, i, used + 1);
}

/* "YYYY-MM-DD" or "DD-MM-YYYY", then a time and a zone when they are there. */
static bool match_iso(struct entry_stamp *t, const struct entry_line *l, size_t i)
{
	struct entry_triple d;
	size_t words = 1;

	if (!entry_stamp_triple(&d, &l->w[i]) || (d.digits[0] != 4 && d.digits[2] != 4) ||
		!entry_stamp_numeric(t, &l->w[i]))
		return false;
	if (i + 1 >= l->n || !entry_stamp_time(t, &l->w[i + 1])) {
		take_day(t, l, i, 1);
		t->padded = true;
		return d.digits[0] == 4;
	}
	words++;
	if (t->precision >= AFTP_TIME_SECOND && i + words < l->n) {
		const struct entry_word *zone = &l->w[i + words];
		uint64_t value;

		if (zone->n == 5 && (zone->s[0] == '+' || zone->s[0] == '-') && scan_all_digits(zone->s + 1, 4, &value))
			words++;
	}
	return take(t, l, i, words);
}

/* "01-jun-99", "2-JUN-1998", and a time when it is there. */
static bool match_dashed(struct entry_stamp *t, const struct entry_line *l, size_t i)
{
	const char *s = l->w[i].s, *end = entry_word_end(&l->w[i]), *name;
	uint64_t year;

	if (!two_digits(&s, end, &t->day) || s == end || *s++ != '-')
		return false;
	for (name = s; s < end && *s != '-'; s++)
		if (scan_is_digit(*s))
			return false;
	t->month = entry_month(name, (size_t)(s - name));
	if (t->month == 0 || s == end || end - s < 3 || end - s > 5 ||
		!scan_all_digits(s + 1, (size_t)(end - s - 1), &year))
		return false;
	t->year = entry_stamp_century((unsigned)year, (size_t)(end - s - 1));
	if (i + 1 < l->n && entry_stamp_time(t, &l->w[i + 1]))
		return take(t, l, i, 2);
	return take_day(t, l, i, 1);
}

/* "6月 3日 15:13", "8月 17 08:52", "2003 3月 20": the month's suffix is what tells. */
static bool match_wide(struct entry_stamp *t, const struct entry_line *l, size_t i)
{
	bool year_first = year_of(&l->w[i], &t->year);
	size_t m = i + year_first, digits;
	enum suffix suffix;

	if (m + 1 >= l->n || !suffixed(&l->w[m], &t->month, &digits, &suffix) || suffix != SUFFIX_WIDE || digits > 2)
		return false;
	if (!day_of(&l->w[m + 1], &t->day, &suffix))
		return false;
	if (!year_first)
		return time_or_year(t, l, i, 2, false);
	if (m + 2 < l->n && entry_stamp_time(t, &l->w[m + 2]))
		return take(t, l, i, 4);
	return take_day(t, l, i, 3);
}

static bool match_strong(struct entry_stamp *t, const struct entry_line *l, size_t i)
{
	const struct entry_word *w = &l->w[i];
	enum suffix suffix;

	t->month = entry_month(w->s, w->n);
	if (t->month > 0)
		return i + 1 < l->n && day_of(&l->w[i + 1], &t->day, &suffix) && suffix != SUFFIX_WIDE &&
			time_or_year(t, l, i, 2, suffix == SUFFIX_MARK);
	if (!scan_is_digit(w->s[0]))
		return false;
	if (i + 1 < l->n && day_of(w, &t->day, &suffix) && suffix != SUFFIX_WIDE) {
		t->month = entry_month(l->w[i + 1].s, l->w[i + 1].n);
		if (t->month > 0)
			return time_or_year(t, l, i, 2, false);
	}
	return match_iso(t, l, i) || match_dashed(t, l, i) || match_wide(t, l, i);
}

/* "3 29 03:26", "09-26 13:45", "09-26 2000". */
static bool match_weak(struct entry_stamp *t, const struct entry_line *l, size_t i)
{
	const char *s = l->w[i].s, *end = entry_word_end(&l->w[i]);
	enum suffix suffix;

	if (!scan_is_digit(*s) || !two_digits(&s, end, &t->month) || t->month < 1 || t->month > 12)
		return false;
	if (s < end)
		return *s++ == '-' && two_digits(&s, end, &t->day) && s == end && time_or_year(t, l, i, 1, false);
	return i + 1 < l->n && day_of(&l->w[i + 1], &t->day, &suffix) && suffix == SUFFIX_NONE &&
		time_or_year(t, l, i, 2, false);
}

bool entry_stamp_match(struct entry_stamp *t, const struct entry_line *l, size_t i, enum entry_stamp_form form)
{
	if (i >= l->n || !(form == ENTRY_STAMP_STRONG ? match_strong(t, l, i) : match_weak(t, l, i)))
		return false;
	return entry_date_valid(t->year > 0 ? t->year : 2000, t->month, t->day);
}

bool entry_stamp_triple(struct entry_triple *out, const struct entry_word *w)
{
	const char *s = w->s, *end = s + w->n;

	out->separator = '\0';
	for (int i = 0; i < 3; i++) {
		const char *start = s;
		uint64_t value;

		if (!scan_number(&s, end, &value) || s - start > 4)
			return false;
		out->v[i] = (unsigned)value;
		out->digits[i] = (size_t)(s - start);
		if (i == 2)
			break;
		if (s == end || (*s != '-' && *s != '/' && *s != '.') || (i == 1 && *s != out->separator))
			return false;
		out->separator = *s++;
	}
	return s == end;
}

bool entry_stamp_numeric(struct entry_stamp *t, const struct entry_word *w)
{
	struct entry_triple d;
	bool day_first;

	if (!entry_stamp_triple(&d, w))
		return false;
	if (d.digits[0] == 4) {
		t->year = d.v[0];
		t->month = d.v[1];
		t->day = d.v[2];
		return true;
	}
	if (d.digits[0] > 2 || d.digits[1] > 2)
		return false;
	day_first = d.separator == '.' || d.v[0] > 12;
	t->month = d.v[day_first ? 1 : 0];
	t->day = d.v[day_first ? 0 : 1];
	t->year = entry_stamp_century(d.v[2], d.digits[2]);
	return true;
}

int64_t entry_stamp_century(unsigned year, size_t digits)
{
	if (digits >= 4)
		return year;
	return year < 70 && digits <= 2 ? 2000 + (int64_t)year : 1900 + (int64_t)year;
}

static int64_t seconds(const struct entry_stamp *t, int64_t year)
{
	return entry_date_days(year, t->month, t->day) * DAY + (int64_t)t->hour * 3600 + (int64_t)t->minute * 60 +
		t->second;
}

bool entry_stamp_apply(struct aftp_entry *e, const struct entry_stamp *t, int64_t now)
{
	static const int64_t first = -62135596800, last = 253402300799; /* the years 1 to 9999 */
	int64_t year = t->year, oldest;

	if (year == 0) {
		now = now < first ? first : now > last ? last : now;
		year = entry_date_year((now - (now % DAY + DAY) % DAY) / DAY) + 1;
		/* Leap days are up to eight years apart. */
		oldest = year - 10;
		while (year > oldest && (!entry_date_valid(year, t->month, t->day) || seconds(t, year) > now + DAY))
			year--;
	}
	if (!entry_date_valid(year, t->month, t->day))
		return false;
	e->mtime = seconds(t, year);
	e->mtime_nsec = t->nsec;
	e->precision = t->precision;
	e->have |= AFTP_HAVE_MTIME;
	return true;
}
