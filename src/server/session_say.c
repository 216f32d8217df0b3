/* session_say - what a session says: replies, and the words for what went wrong. */
#include <aftp/status.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "server/format.h"
#include "server/session.h"

enum { REPLY_CAP = FORMAT_LINE + 64 };

/* --- replies --------------------------------------------------------------------------------------- */

__attribute__((format(printf, 4, 0))) static void put_line(
	struct session *s, int code, char sep, const char *fmt, va_list ap)
{
	char line[REPLY_CAP];
	int n = code ? snprintf(line, sizeof(line), "%03d%c", code, sep) : snprintf(line, sizeof(line), " ");
	int m = vsnprintf(line + n, sizeof(line) - (size_t)n - 2, fmt, ap);
	size_t len = (size_t)n + (m < 0 ? 0 : (size_t)m);
	if (len > sizeof(line) - 3)
		len = sizeof(line) - 3;
	for (size_t i = 0; i < len; i++)
		line[i] = line[i] == '\r' || line[i] == '\n' ? '?' : line[i];
	aftp_log(&s->log, AFTP_LOG_WIRE, "< %.*s", (int)len, line);
	memcpy(line + len, "\r\n", 2);
	if (s->state != SESSION_DEAD && control_put(s->control, line, len + 2) < 0)
		session_kill(s, true);
}

void session_reply(struct session *s, int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	put_line(s, code, ' ', fmt, ap);
	va_end(ap);
}

void session_line(struct session *s, int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	put_line(s, code, '-', fmt, ap);
	va_end(ap);
}

void session_text(struct session *s, int code, const char *text)
{
	for (;;) {
		size_t n = strcspn(text, "\n");
		if (text[n] == '\0')
			break;
		session_line(s, code, "%.*s", (int)n, text);
		text += n + 1;
	}
	session_reply(s, code, "%s", text);
}

void session_end(struct session *s, int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	put_line(s, code, ' ', fmt, ap);
	va_end(ap);
	session_end_silently(s);
}

const char *session_words(int status, int *code)
{
	static const struct {
		int status, code;
		const char *words;
	} table[] = {
		{ -ENOENT, 550, "No such file or directory" },
		{ -EACCES, 550, "Permission denied" },
		{ -EPERM, 550, "Operation not permitted" },
		{ -EEXIST, 550, "File exists" },
		{ -ENOTDIR, 550, "Not a directory" },
		{ -EISDIR, 550, "Is a directory" },
		{ -ENOTEMPTY, 550, "Directory not empty" },
		{ -ELOOP, 550, "Too many levels of symbolic links" },
		{ -EBUSY, 550, "Device or resource busy" },
		{ -EINVAL, 550, "Invalid argument" },
		{ -EROFS, 550, "Read-only file system" },
		{ -ENAMETOOLONG, 553, "File name too long" },
		{ -ENOSPC, 552, "No space left on device" },
		{ -EDQUOT, 552, "Disk quota exceeded" },
		{ -EFBIG, 552, "File too large" },
		{ -ENOMEM, 451, "Cannot allocate memory" },
		{ -ENOTSUP, 504, "Operation not supported" },
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].status == status) {
			*code = table[i].code;
			return table[i].words;
		}
	*code = 451;
	return "Input/output error";
}

void session_end_errno(struct session *s, int status)
{
	int code;
	const char *words = session_words(status, &code);
	session_end(s, code, "%s.", words);
}
