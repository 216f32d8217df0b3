/* scan - small steps over bytes that are not NUL-ended. */
#ifndef PROTO_SCAN_H
#define PROTO_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool scan_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool scan_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static inline char scan_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Decimal digits at *s; moves *s past them. False: there are none, or more than fits. */
static inline bool scan_number(const char **s, const char *end, uint64_t *out)
{
	const char *p = *s;
	uint64_t value = 0;

	for (; p < end && scan_is_digit(*p); p++) {
		unsigned digit = (unsigned)(*p - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (p == *s)
		return false;
	*s = p;
	*out = value;
	return true;
}

/* All n bytes are decimal digits. */
static inline bool scan_all_digits(const char *s, size_t n, uint64_t *out)
{
	const char *end = s + n;

	return scan_number(&s, end, out) && s == end;
}

/* Octal digits, all of the n bytes, up to `max`. */
static inline bool scan_octal(const char *s, size_t n, uint32_t max, uint32_t *out)
{
	uint32_t value = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '7' || value > max / 8)
			return false;
		value = value * 8 + (uint32_t)(s[i] - '0');
	}
	*out = value;
	return n > 0 && value <= max;
}

/* n bytes equal the NUL-ended `word`, without regard to the case of ASCII letters. */
static inline bool scan_is(const char *s, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (word[i] == '\0' || scan_lower(s[i]) != scan_lower(word[i]))
			return false;
	return word[n] == '\0';
}

#endif
