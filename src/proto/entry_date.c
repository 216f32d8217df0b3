#include "proto/entry_date.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Era arithmetic on a year that begins in March, so that the leap day is the last one. */
int64_t entry_date_days(int64_t year, unsigned month, unsigned day)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

int64_t entry_date_year(int64_t days)
{
	int64_t year = 1970 + days / 366 - (days < 0);

	while (entry_date_days(year + 1, 1, 1) <= days)
		year++;
	while (entry_date_days(year, 1, 1) > days)
		year--;
	return year;
}

bool entry_date_valid(int64_t year, unsigned month, unsigned day)
{
	static const unsigned char length[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > length[month - 1])
		return false;
	return month != 2 || day < 29 || leap;
}

static unsigned two(const char *s)
{
	return (unsigned)(s[0] - '0') * 10 + (unsigned)(s[1] - '0');
}

static uint32_t fraction(const char *s, size_t n)
{
	uint32_t value = 0;

	for (size_t i = 0; i < 9; i++)
		value = value * 10 + (i < n ? (uint32_t)(s[i] - '0') : 0);
	return value;
}

bool entry_date_time_val(const char *s, size_t n, int64_t *sec, uint32_t *nsec)
{
	size_t digits = 0, rest;
	int64_t year;

	while (digits < n && is_digit(s[digits]))
		digits++;
	if (digits == 15 && s[0] == '1' && s[1] == '9' && s[2] == '1') {
		year = 2000 + two(s + 3);
		s++;
		n--;
	} else if (digits == 14) {
		year = (int64_t)two(s) * 100 + two(s + 2);
	} else {
		return false;
	}
	if (!entry_date_valid(year, two(s + 4), two(s + 6)) || two(s + 8) > 23 || two(s + 10) > 59 || two(s + 12) > 60)
		return false;
	rest = n > 15 ? n - 15 : 0;
	for (size_t i = 0; i < rest; i++)
		if (!is_digit(s[15 + i]))
			return false;
	if (n > 14 && (s[14] != '.' || rest == 0))
		return false;
	*sec = entry_date_days(year, two(s + 4), two(s + 6)) * 86400 + (int64_t)two(s + 8) * 3600 +
		(int64_t)two(s + 10) * 60 + two(s + 12);
	*nsec = fraction(s + 15, rest);
	return true;
}
