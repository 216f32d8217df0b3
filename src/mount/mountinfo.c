#include "mount/mountinfo.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Field number n of a line whose fields stand apart by single spaces. */
static bool field(const char *line, size_t len, unsigned n, const char **start, size_t *size)
{
	const char *at = line, *end = line + len;
	for (; n > 0; n--) {
		at = memchr(at, ' ', (size_t)(end - at));
		if (at == NULL)
			return false;
		at++;
	}
	const char *space = memchr(at, ' ', (size_t)(end - at));
	*start = at;
	*size = (size_t)((space != NULL ? space : end) - at);
	return *size > 0;
}

static bool is_octal(const char *s)
{
	return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' && s[2] <= '7';
}

/* The kernel writes blank, tab, newline and backslash as \ooo. */
static bool decode(char *out, size_t size, const char *text, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c == '\\' && len - i >= 4 && is_octal(text + i + 1)) {
			c = (char)((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 | (text[i + 3] - '0'));
			i += 3;
		}
		if (n + 1 >= size)
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return true;
}

static bool number(const char *text, size_t len, char after, unsigned *out, size_t *used)
{
	uint64_t n = 0;
	size_t i = 0;
	for (; i < len && text[i] >= '0' && text[i] <= '9' && i < 10; i++)
		n = n * 10 + (uint64_t)(text[i] - '0');
	if (i == 0 || n > UINT32_MAX || (i < len ? text[i] : ' ') != after)
		return false;
	*out = (unsigned)n;
	*used = i + 1;
	return true;
}

bool mountinfo_parse(struct mountinfo *m, const char *line, size_t len)
{
	const char *at;
	size_t n, used;
	if (!field(line, len, 2, &at, &n) || !number(at, n, ':', &m->major, &used) ||
		!number(at + used, n - used, ' ', &m->minor, &used))
		return false;
	if (!field(line, len, 4, &at, &n) || !decode(m->mountpoint, sizeof(m->mountpoint), at, n))
		return false;
	/* Optional fields end with a lone "-"; the type follows. */
	for (unsigned i = 6; field(line, len, i, &at, &n); i++) {
		if (n == 1 && at[0] == '-')
			return field(line, len, i + 1, &at, &n) && decode(m->type, sizeof(m->type), at, n);
	}
	return false;
}

bool mountinfo_find(struct mountinfo *m, const char *text, size_t len, const char *mountpoint)
{
	bool found = false;
	const char *end = text + len;
	struct mountinfo *one = malloc(sizeof(*one));
	if (one == NULL)
		return false;
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		const char *stop = nl != NULL ? nl : end;
		if (mountinfo_parse(one, text, (size_t)(stop - text)) && strcmp(one->mountpoint, mountpoint) == 0) {
			*m = *one; /* later lines lie on top of earlier ones */
			found = true;
		}
		text = nl != NULL ? nl + 1 : end;
	}
	free(one);
	return found;
}

bool mountinfo_find_self(struct mountinfo *m, const char *mountpoint)
{
	char *line = NULL;
	size_t cap = 0;
	bool found = false;
	FILE *f = fopen("/proc/self/mountinfo", "re");
	if (f == NULL)
		return false;
	for (ssize_t n; (n = getline(&line, &cap, f)) > 0;) {
		size_t len = (size_t)n - (line[n - 1] == '\n');
		struct mountinfo one;
		if (mountinfo_find(&one, line, len, mountpoint)) {
			*m = one;
			found = true;
		}
	}
	free(line);
	fclose(f);
	return found;
}
