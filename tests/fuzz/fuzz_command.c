/* Command lines that are made: the verb and its argument, with a NUL between them. One line comes of it, or nothing. And
 * names in other character sets, which must come back as they were. */
#include <string.h>

#include <aftp/status.h>

#include "fuzz.h"
#include "proto/charset.h"
#include "proto/command.h"

static void append(const char *verb, const char *argument)
{
	struct buf line;
	int rc;

	buf_init(&line, 5000);
	MUST(buf_append(&line, "NOOP\r\n", 6) == 0);
	rc = command_append(&line, verb, argument);
	if (rc < 0) {
		MUST(rc == AFTP_EBADNAME || rc == AFTP_ETOOBIG);
		MUST(buf_len(&line) == 6);
	} else {
		const char *s = buf_bytes(&line) + 6;
		size_t n = buf_len(&line) - 6;

		MUST(n >= 2 && memchr(s, '\r', n) == s + n - 2 && memchr(s, '\n', n) == s + n - 1);
		MUST(!memchr(s, '\0', n));
	}
	buf_finish(&line);
	(void)command_is_secret(verb);
	(void)command_list_safe(argument);
}

static void translate(const char *name, const char *s, size_t n)
{
	struct charset *c;
	struct buf out, back;

	MUST(charset_new(&c, name) == 0);
	buf_init(&out, SIZE_MAX / 8);
	buf_init(&back, SIZE_MAX / 8);
	MUST(charset_decode(c, &out, s, n) == 0);
	MUST(charset_encode(c, &back, buf_bytes(&out), buf_len(&out)) == 0);
	MUST(buf_len(&back) == n && memcmp(buf_bytes(&back), s, n) == 0);
	buf_finish(&out);
	buf_finish(&back);
	buf_init(&out, SIZE_MAX / 8);
	if (charset_encode(c, &out, s, n) < 0)
		MUST(buf_len(&out) <= 4 * n);
	buf_finish(&out);
	charset_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const charsets[] = { "ISO-8859-1", "CP1251", "SHIFT-JIS", "EUC-JP", "GB18030", "BIG5-HKSCS",
		"CP1258" };
	char *text = malloc(size + 2);
	size_t verb;

	MUST(text);
	memcpy(text, data, size);
	text[size] = text[size + 1] = '\0';
	verb = strlen(text);
	append(text, verb < size ? text + verb + 1 : "");
	append(text, text);
	if (size > 1 && size < 300)
		translate(charsets[data[0] % 7], (const char *)data + 1, size - 1);
	free(text);
	return 0;
}
