#include "server/words.h"

#include <string.h>

/* What is in quotes, from behind the first one on; *text moves behind the last. */
static bool quoted(const char **text, char *out, size_t size)
{
	size_t n = 0;
	const char *p = *text;
	for (; *p; p++) {
		if (*p == '"' && p[1] != '"') {
			out[n] = '\0';
			*text = p + 1;
			return n > 0;
		}
		if (*p == '"' || (*p == '\\' && (p[1] == '"' || p[1] == '\\')))
			p++;
		if (n + 1 >= size)
			return false;
		out[n++] = *p;
	}
	return false;
}

bool words_next(const char **text, char *out, size_t size)
{
	const char *p = *text;
	if (*p == '"') {
		p++;
		if (!quoted(&p, out, size) || (*p != ' ' && *p != '\0'))
			return false;
	} else {
		size_t n = strcspn(p, " ");
		if (n == 0 || n >= size)
			return false;
		memcpy(out, p, n);
		out[n] = '\0';
		p += n;
	}
	*text = p + (*p == ' ');
	return true;
}

bool words_rest(const char *text, char *out, size_t size)
{
	size_t n = strlen(text);
	if (*text == '"')
		return words_next(&text, out, size) && *text == '\0';
	if (n == 0 || n >= size)
		return false;
	memcpy(out, text, n + 1);
	return true;
}

bool words_number(const char *text, uint64_t *out)
{
	size_t n = strspn(text, "0123456789");
	if (n == 0 || n > 18 || text[n])
		return false;
	*out = 0;
	for (; *text; text++)
		*out = *out * 10 + (uint64_t)(*text - '0');
	return true;
}
