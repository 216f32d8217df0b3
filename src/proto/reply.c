#include <aftp/reply.h>

#include <stdlib.h>
#include <string.h>

#include <aftp/status.h>

#include "proto/scan.h"

void aftp_reply_init(struct aftp_reply *r, size_t max)
{
	*r = (struct aftp_reply){ .max = max };
}

void aftp_reply_finish(struct aftp_reply *r)
{
	free(r->text);
	*r = (struct aftp_reply){ .max = r->max };
}

void aftp_reply_reset(struct aftp_reply *r)
{
	r->code = 0;
	r->lines = 0;
	r->len = 0;
	if (r->text)
		r->text[0] = '\0';
}

/* The code at the start of a line; -1 when there is none. */
static int code_of(const char *s, size_t n)
{
	if (n < 3 || s[0] < '1' || s[0] > '5' || !scan_is_digit(s[1]) || !scan_is_digit(s[2]))
		return -1;
	return (s[0] - '0') * 100 + (s[1] - '0') * 10 + (s[2] - '0');
}

static int append(struct aftp_reply *r, const char *line, size_t len)
{
	size_t at = r->lines > 0 ? r->len + 1 : 0, need;

	if (at > r->max || len > r->max - at)
		return AFTP_ETOOBIG;
	need = at + len + 1;
	if (need > r->cap) {
		size_t cap = r->cap * 2 < need ? need + 80 : r->cap * 2;
		char *text = realloc(r->text, cap);

		if (!text)
			return AFTP_ENOMEM;
		r->text = text;
		r->cap = cap;
	}
	if (at > 0)
		r->text[at - 1] = '\n';
	/* The text ends at its first NUL for whoever prints it, so no NUL and no second line end comes in. */
	for (size_t i = 0; i < len; i++)
		r->text[at + i] = line[i] == '\0' || line[i] == '\n' ? '?' : line[i];
	r->len = at + len;
	r->text[r->len] = '\0';
	r->lines++;
	return 0;
}

int aftp_reply_add_line(struct aftp_reply *r, const char *line, size_t len)
{
	int code = code_of(line, len), rc;
	char sep = len > 3 ? line[3] : ' ';

	if (r->code != 0) {
		rc = append(r, line, len);
		return rc < 0 ? rc : code == r->code && len > 3 && sep == ' ';
	}
	if (code < 0 || (sep != ' ' && sep != '-'))
		return AFTP_EPROTO;
	rc = append(r, line, len);
	if (rc < 0)
		return rc;
	r->code = code;
	return sep == ' ';
}

const char *aftp_reply_line(const struct aftp_reply *r, size_t i, size_t *len)
{
	const char *s = r->text, *end = s ? s + r->len : NULL;
	const char *stop;
	size_t n;

	if (i >= r->lines || !s)
		return NULL;
	while (i-- > 0)
		s = (const char *)memchr(s, '\n', (size_t)(end - s)) + 1;
	stop = memchr(s, '\n', (size_t)(end - s));
	n = (size_t)((stop ? stop : end) - s);
	if (code_of(s, n) == r->code && (n == 3 || s[3] == ' ' || s[3] == '-')) {
		size_t cut = n == 3 ? 3 : 4;

		s += cut;
		n -= cut;
	}
	*len = n;
	return s;
}

const char *aftp_reply_message(const struct aftp_reply *r)
{
	const char *s = r->text, *last;

	if (r->lines == 0 || !s)
		return "";
	last = memrchr(s, '\n', r->len);
	s = last ? last + 1 : s;
	if (code_of(s, strlen(s)) == r->code && (s[3] == ' ' || s[3] == '-'))
		return s + 4;
	return code_of(s, strlen(s)) == r->code && s[3] == '\0' ? s + 3 : s;
}

static bool match_one(const char digits[3], const char *mask, size_t n)
{
	if (n == 0 || n > 3)
		return false;
	for (size_t i = 0; i < n; i++)
		if (scan_is_digit(mask[i]) && mask[i] != digits[i])
			return false;
	return true;
}

bool aftp_code_match(int code, const char *masks)
{
	char digits[3];

	if (code < 100 || code > 999)
		return false;
	digits[0] = (char)('0' + code / 100);
	digits[1] = (char)('0' + code / 10 % 10);
	digits[2] = (char)('0' + code % 10);
	for (;;) {
		size_t n = strcspn(masks, "|");

		if (match_one(digits, masks, n))
			return true;
		if (masks[n] == '\0')
			return false;
		masks += n + 1;
	}
}
