#include "proto/charset.h"

#include <iconv.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <aftp/status.h>

enum {
	CHAR_MAX_BYTES = 8, /* of one character, in any character set that is taken */
	OUT_MAX = 32,
	ESCAPED = 0xf000, /* and the byte, which is 0x80 or more */
};

struct charset {
	iconv_t decode, encode;
};

/* One conversion from the beginning state, of exactly these bytes. The length of what it gives; < 0: not possible. */
static int convert(iconv_t how, char *out, const char *s, size_t n)
{
	char copy[CHAR_MAX_BYTES], *in = copy, *to = out;
	size_t left = n, room = OUT_MAX;

	memcpy(copy, s, n);
	iconv(how, NULL, NULL, NULL, NULL);
	/* More than 0: it is not the same, but something like it. */
	if (iconv(how, &in, &left, &to, &room) != 0 || left > 0 || iconv(how, NULL, NULL, &to, &room) != 0)
		return -1;
	return to == out ? -1 : (int)(to - out);
}

static bool is_ascii(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] >= 0x80)
			return false;
	return true;
}

/* Some have a sign of their own country for '\\' or '~': that is left as it is, too. */
static bool keeps_ascii(const struct charset *c)
{
	char out[OUT_MAX];

	for (char byte = 1; byte > 0 && byte < 0x7f; byte++) {
		if (byte == '\\' || byte == '~')
			continue;
		if (convert(c->decode, out, &byte, 1) != 1 || out[0] != byte ||
			convert(c->encode, out, &byte, 1) != 1 || out[0] != byte)
			return false;
	}
	return true;
}

int charset_new(struct charset **out, const char *name)
{
	struct charset *c;
	int rc = AFTP_EINVAL;

	*out = NULL;
	if (!name || strcasecmp(name, "UTF-8") == 0 || strcasecmp(name, "UTF8") == 0)
		return 0;
	/* "//TRANSLIT" would put other characters in their place. */
	if (!name[0] || strchr(name, '/'))
		return AFTP_EINVAL;
	c = calloc(1, sizeof *c);
	if (!c)
		return AFTP_ENOMEM;
	c->decode = iconv_open("UTF-8", name);
	if (c->decode == (iconv_t)-1)
		goto free_charset;
	c->encode = iconv_open(name, "UTF-8");
	if (c->encode == (iconv_t)-1)
		goto close_decode;
	if (!keeps_ascii(c))
		goto close_encode;
	*out = c;
	return 0;

close_encode:
	iconv_close(c->encode);
close_decode:
	iconv_close(c->decode);
free_charset:
	free(c);
	return rc;
}

void charset_free(struct charset *c)
{
	if (!c)
		return;
	iconv_close(c->decode);
	iconv_close(c->encode);
	free(c);
}

/* --- UTF-8 ---------------------------------------------------------------------------------------- */

/* The length of the well-formed sequence at s, and what it stands for; 0: there is none. */
static size_t utf8_next(const char *s, size_t n, uint32_t *code)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t len = u[0] < 0x80 ? 1 : u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	if (len > n || (u[0] >= 0x80 && u[0] < 0xc2) || u[0] > 0xf4)
		return 0;
	*code = len == 1 ? u[0] : u[0] & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (u[i] & 0x3fu);
	}
	return *code < least[len] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000) ? 0 : len;
}

static bool is_escape(uint32_t code)
{
	return code >= ESCAPED + 0x80 && code <= ESCAPED + 0xff;
}

/* Is one of these characters an escape? */
static bool has_escape(const char *s, size_t n)
{
	uint32_t code;
	size_t len;

	for (; n > 0; s += len, n -= len) {
		len = utf8_next(s, n, &code);
		if (len == 0 || is_escape(code))
			return true;
	}
	return false;
}

static int append_escaped(struct buf *out, const char *s, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		unsigned char byte = (unsigned char)s[i];
		unsigned code = ESCAPED + byte;
		const char text[] = { (char)(0xe0 | code >> 12), (char)(0x80 | (code >> 6 & 0x3f)),
			(char)(0x80 | (code & 0x3f)) };

		rc = byte < 0x80 ? buf_append(out, s + i, 1) : buf_append(out, text, sizeof text);
	}
	return rc;
}

/* --- to and fro ----------------------------------------------------------------------------------- */

static int decode_each(struct charset *c, struct buf *out, const char *s, size_t n)
{
	char text[OUT_MAX];
	int rc = 0;

	while (n > 0 && rc == 0) {
		size_t most = n < CHAR_MAX_BYTES ? n : CHAR_MAX_BYTES, used = 1;
		int len = -1;

		if ((unsigned char)*s < 0x80) {
			text[0] = *s;
			len = 1;
			used = 2;
		}
		for (; used <= most && len < 0; used++)
			len = convert(c->decode, text, s, used);
		used = len < 0 ? 1 : used - 1;
		if (len < 0 || has_escape(text, (size_t)len))
			rc = append_escaped(out, s, used);
		else
			rc = buf_append(out, text, (size_t)len);
		s += used;
		n -= used;
	}
	return rc;
}

/* It must turn into the same bytes again. */
static int comes_back(struct charset *c, const char *text, size_t text_len, const char *s, size_t n, bool *same)
{
	struct buf back;
	int rc;

	buf_init(&back, SIZE_MAX / 4);
	rc = charset_encode(c, &back, text, text_len);
	*same = rc == 0 && buf_len(&back) == n && memcmp(buf_bytes(&back), s, n) == 0;
	buf_finish(&back);
	return rc == AFTP_ENOMEM ? rc : 0;
}

int charset_decode(struct charset *c, struct buf *out, const char *s, size_t n)
{
	size_t before = buf_len(out);
	bool same = false;
	int rc;

	if (!c || is_ascii(s, n))
		return buf_append(out, s, n);
	rc = decode_each(c, out, s, n);
	if (rc == 0)
		rc = comes_back(c, buf_bytes(out) + before, buf_len(out) - before, s, n, &same);
	if (rc < 0 || same)
		return rc;
	out->end = out->start + before;
	return append_escaped(out, s, n);
}

/* What would end a name, or a command, is never made from something else. */
static bool harmless(const char *s, size_t n)
{
	return !memchr(s, '/', n) && !memchr(s, '\n', n) && !memchr(s, '\r', n) && !memchr(s, '\0', n);
}

static int encode_one(struct charset *c, struct buf *out, const char *s, size_t n, uint32_t code)
{
	char byte = (char)(code & 0xff), text[OUT_MAX];
	int len;

	if (code < 0x80)
		return buf_append(out, s, 1);
	if (is_escape(code))
		return buf_append(out, &byte, 1);
	len = convert(c->encode, text, s, n);
	if (len < 0 || !harmless(text, (size_t)len))
		return -EILSEQ;
	return buf_append(out, text, (size_t)len);
}

int charset_encode(struct charset *c, struct buf *out, const char *s, size_t n)
{
	uint32_t code = 0;
	int rc = 0;

	if (!c || is_ascii(s, n))
		return buf_append(out, s, n);
	while (n > 0 && rc == 0) {
		size_t used = utf8_next(s, n, &code);

		rc = used == 0 ? -EILSEQ : encode_one(c, out, s, used, code);
		s += used;
		n -= used;
	}
	return rc;
}

int charset_encoded(struct charset *c, char **out, const char *s)
{
	struct buf text;
	int rc;

	*out = NULL;
	buf_init(&text, SIZE_MAX / 4);
	rc = charset_encode(c, &text, s, strlen(s));
	if (rc == 0)
		rc = buf_append(&text, "", 1);
	if (rc == 0)
		*out = strdup(buf_bytes(&text));
	buf_finish(&text);
	return rc < 0 || *out ? rc : AFTP_ENOMEM;
}
