#include "mount/value.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <aftp/tls.h>

/* Digits only: strtoll() alone would take blanks and signs too. */
static bool whole_number(const char *text, int base, int64_t *out, const char **end)
{
	char *stop;
	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	long long n = strtoll(text, &stop, base);
	if (errno != 0)
		return false;
	*out = n;
	*end = stop;
	return true;
}

bool value_count(const char *text, int64_t min, int64_t max, int64_t *out)
{
	const char *end;
	int64_t n;
	if (!whole_number(text, 10, &n, &end) || *end != '\0' || n < min || n > max)
		return false;
	*out = n;
	return true;
}

bool value_duration(const char *text, int64_t min, int64_t max, int64_t *out)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = {
		{ "", 1000 },
		{ "s", 1000 },
		{ "ms", 1 },
		{ "m", 60000 },
		{ "h", 3600000 },
	};
	char *end;
	if (!isdigit((unsigned char)text[0]) || strspn(text, "0123456789.smh") != strlen(text))
		return false;
	double n = strtod(text, &end);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit) != 0)
			continue;
		double ms = n * units[i].ms;
		if (ms < (double)min || ms > (double)max)
			return false;
		*out = (int64_t)(ms + 0.5);
		return true;
	}
	return false;
}

bool value_bytes(const char *text, int64_t min, int64_t max, int64_t *out)
{
	static const struct {
		const char *suffix;
		int shift;
	} suffixes[] = {
		{ "", 0 },
		{ "B", 0 },
		{ "K", 10 },
		{ "Ki", 10 },
		{ "KiB", 10 },
		{ "KB", 10 },
		{ "M", 20 },
		{ "Mi", 20 },
		{ "MiB", 20 },
		{ "MB", 20 },
		{ "G", 30 },
		{ "Gi", 30 },
		{ "GiB", 30 },
		{ "GB", 30 },
	};
	const char *end;
	int64_t n;
	if (!whole_number(text, 10, &n, &end))
		return false;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (strcasecmp(end, suffixes[i].suffix) != 0)
			continue;
		int64_t unit = (int64_t)1 << suffixes[i].shift;
		if (n > INT64_MAX / unit || n * unit < min || n * unit > max)
			return false;
		*out = n * unit;
		return true;
	}
	return false;
}

bool value_octal(const char *text, int64_t *out)
{
	const char *end;
	int64_t n;
	if (!whole_number(text, 8, &n, &end) || *end != '\0' || n > 0777)
		return false;
	*out = n;
	return true;
}

/* (uid_t)-1 means "no change" to the system, so it is nobody's number. */
bool value_uid(const char *text, int64_t *out)
{
	if (value_count(text, 0, UINT32_MAX - 1, out))
		return true;
	const struct passwd *p = text[0] != '\0' ? getpwnam(text) : NULL;
	if (p != NULL)
		*out = p->pw_uid;
	return p != NULL;
}

bool value_gid(const char *text, int64_t *out)
{
	if (value_count(text, 0, UINT32_MAX - 1, out))
		return true;
	const struct group *g = text[0] != '\0' ? getgrnam(text) : NULL;
	if (g != NULL)
		*out = g->gr_gid;
	return g != NULL;
}

bool value_switch(const char *text, bool *out)
{
	static const struct {
		const char *word;
		bool on;
	} words[] = {
		{ "yes", true },
		{ "true", true },
		{ "1", true },
		{ "no", false },
		{ "false", false },
		{ "0", false },
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i].word) == 0) {
			*out = words[i].on;
			return true;
		}
	}
	return false;
}

bool value_log_level(const char *text, enum aftp_log_level *out)
{
	static const struct {
		const char *word;
		enum aftp_log_level level;
	} words[] = {
		{ "error", AFTP_LOG_ERROR },
		{ "warn", AFTP_LOG_WARN },
		{ "info", AFTP_LOG_INFO },
		{ "debug", AFTP_LOG_DEBUG },
		{ "wire", AFTP_LOG_WIRE },
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i].word) == 0) {
			*out = words[i].level;
			return true;
		}
	}
	return false;
}

bool value_tls_version(const char *text, int64_t *out)
{
	static const struct {
		const char *word;
		enum aftp_tls_version version;
	} words[] = {
		{ "1.0", AFTP_TLS_1_0 },
		{ "1.1", AFTP_TLS_1_1 },
		{ "1.2", AFTP_TLS_1_2 },
		{ "1.3", AFTP_TLS_1_3 },
	};
	if (strncasecmp(text, "TLSv", 4) == 0)
		text += 4;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i].word) == 0) {
			*out = words[i].version;
			return true;
		}
	}
	return false;
}

bool value_ports(const char *text, int64_t out[2])
{
	const char *end;
	int64_t low, high;
	if (!whole_number(text, 10, &low, &end))
		return false;
	high = low;
	if (*end == '-' && !whole_number(end + 1, 10, &high, &end))
		return false;
	if (*end != '\0' || low < 1 || high < low || high > 65535)
		return false;
	out[0] = low;
	out[1] = high;
	return true;
}

char *value_count_range(char *out, size_t size, int64_t min, int64_t max)
{
	snprintf(out, size, "from %" PRId64 " to %" PRId64, min, max);
	return out;
}

char *value_duration_range(char *out, size_t size, int64_t min, int64_t max)
{
	snprintf(out, size, "from %g to %g seconds", (double)min / 1000, (double)max / 1000);
	return out;
}

static void print_bytes(char *out, size_t size, int64_t n)
{
	static const char suffixes[] = { '\0', 'K', 'M', 'G' };
	size_t i = 0;
	while (n != 0 && n % 1024 == 0 && i + 1 < sizeof(suffixes)) {
		n /= 1024;
		i++;
	}
	snprintf(out, size, "%" PRId64 "%.1s", n, &suffixes[i]);
}

char *value_bytes_range(char *out, size_t size, int64_t min, int64_t max)
{
	char low[32], high[32];
	print_bytes(low, sizeof(low), min);
	print_bytes(high, sizeof(high), max);
	snprintf(out, size, "from %s to %s", low, high);
	return out;
}

bool value_word(const char *text, const char *const *words, size_t n, int64_t *out)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(text, words[i]) == 0) {
			*out = (int64_t)i;
			return true;
		}
	}
	return false;
}
