/* reply_values - the numbers, paths and addresses that replies carry in their text. */
#include <aftp/reply.h>

#include <string.h>

#include <aftp/status.h>

#include "proto/entry_date.h"
#include "proto/scan.h"

/* "d net d address d port d" between `s` and `end`; the delimiter is the first byte. It may even be a digit. */
static int epsv_body(const char *s, const char *end, uint16_t *port)
{
	char d = s < end ? *s : ' ';
	uint64_t value;

	if (d < 33 || d > 126 || end[-1] != d)
		return AFTP_EPROTO;
	for (int i = 0; i < 2; i++) {
		s = memchr(s + 1, d, (size_t)(end - s - 1));
		if (!s)
			return AFTP_EPROTO;
	}
	s++;
	if (s >= end || !scan_number(&s, end - 1, &value) || s != end - 1 || value == 0 || value > 65535)
		return AFTP_EPROTO;
	*port = (uint16_t)value;
	return 0;
}

/* Some servers leave the parentheses out. */
static int epsv_bare(const char *text, uint16_t *port)
{
	for (const char *s = text; (s = strstr(s, "|||")) != NULL; s++) {
		const char *end = strchr(s + 3, '|');

		if (end && epsv_body(s, end + 1, port) == 0)
			return 0;
	}
	return AFTP_EPROTO;
}

int aftp_reply_epsv_port(const struct aftp_reply *r, uint16_t *port)
{
	const char *text = aftp_reply_message(r);

	if (r->code != 229)
		return AFTP_EPROTO;
	for (const char *s = text + strlen(text); s > text;) {
		const char *end;

		if (*--s != '(')
			continue;
		end = strrchr(s, ')');
		if (end && end > s + 1 && epsv_body(s + 1, end, port) == 0)
			return 0;
	}
	return epsv_bare(text, port);
}

/* Six numbers below 256, joined by commas, and no seventh. */
static bool six(const char *s, const char *end, uint8_t out[6])
{
	for (int i = 0; i < 6; i++) {
		uint64_t value;

		if (!scan_number(&s, end, &value) || value > 255)
			return false;
		out[i] = (uint8_t)value;
		if (i == 5)
			break;
		if (s >= end || *s++ != ',')
			return false;
		while (s < end && *s == ' ')
			s++;
	}
	return s >= end || *s != ',';
}

int aftp_reply_pasv(const struct aftp_reply *r, uint8_t host[4], uint16_t *port)
{
	const char *text = aftp_reply_message(r), *end = text + strlen(text);

	if (r->code != 227)
		return AFTP_EPROTO;
	for (const char *s = text; s < end; s++) {
		uint8_t v[6];

		if (!scan_is_digit(*s) || (s > text && (scan_is_digit(s[-1]) || s[-1] == ',')) || !six(s, end, v))
			continue;
		if (v[4] == 0 && v[5] == 0)
			return AFTP_EPROTO;
		if (host)
			memcpy(host, v, 4);
		*port = (uint16_t)(v[4] << 8 | v[5]);
		return 0;
	}
	return AFTP_EPROTO;
}

static int unquote(const char *s, const char *end, char *out, size_t size)
{
	size_t n = 0;

	for (s = s + 1; s < end; s++) {
		if (*s == '"' && (s + 1 >= end || s[1] != '"')) {
			if (n >= size)
				return AFTP_ETOOBIG;
			out[n] = '\0';
			return 0;
		}
		if (*s == '"')
			s++;
		if (n + 1 >= size)
			return AFTP_ETOOBIG;
		out[n++] = *s;
	}
	return AFTP_EPROTO;
}

int aftp_reply_quoted_path(const struct aftp_reply *r, char *out, size_t size)
{
	if (r->code != 257)
		return AFTP_EPROTO;
	for (size_t i = r->lines; i-- > 0;) {
		size_t len;
		const char *line = aftp_reply_line(r, i, &len);
		const char *quote = memchr(line, '"', len);

		if (quote)
			return unquote(quote, line + len, out, size);
	}
	return AFTP_EPROTO;
}

int aftp_reply_size(const struct aftp_reply *r, uint64_t *size)
{
	const char *s = aftp_reply_message(r), *end = s + strlen(s);
	uint64_t value;

	s += strspn(s, " ");
	if (r->code != 213 || !scan_number(&s, end, &value) || (*s != '\0' && *s != ' '))
		return AFTP_EPROTO;
	*size = value;
	return 0;
}

int aftp_reply_mdtm(const struct aftp_reply *r, int64_t *sec, uint32_t *nsec)
{
	const char *s = aftp_reply_message(r);
	uint32_t fraction;

	s += strspn(s, " ");
	if (r->code != 213 || !entry_date_time_val(s, strcspn(s, " "), sec, &fraction))
		return AFTP_EPROTO;
	if (nsec)
		*nsec = fraction;
	return 0;
}

/* The name comes before the size and may hold parentheses of its own, so the last pair counts. */
int aftp_reply_transfer_size(const struct aftp_reply *r, uint64_t *size)
{
	const char *text = aftp_reply_message(r), *end = text + strlen(text);
	const char *s = memrchr(text, '(', (size_t)(end - text));
	uint64_t value;

	if (r->code / 100 != 1 || !s)
		return AFTP_ENOENT;
	s++;
	if (!scan_number(&s, end, &value) || end - s < 5 || !scan_is(s, 5, " byte"))
		return AFTP_ENOENT;
	s += 5;
	s += *s == 's' || *s == 'S';
	if (*s != ')')
		return AFTP_ENOENT;
	*size = value;
	return 0;
}
