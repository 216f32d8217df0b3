#include <aftp/log.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { LINE_MAX_BYTES = 1024 };

static bool wanted(const struct aftp_log *log, enum aftp_log_level level)
{
	return log && log->sink && level <= log->level;
}

/* A peer's bytes may be in the line: a terminal or a log file must not obey them. Bytes above 127 stay as they are. */
static void escape(char *out, size_t size, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool control = c < 0x20 || c == 0x7f;

		if (n + (control ? 4 : 1) >= size)
			break;
		if (control) {
			out[n++] = '\\';
			out[n++] = 'x';
			out[n++] = hex[c >> 4];
			out[n++] = hex[c & 15];
		} else {
			out[n++] = (char)c;
		}
	}
	out[n] = '\0';
}

void aftp_vlog(const struct aftp_log *log, enum aftp_log_level level, const char *fmt, va_list ap)
{
	char raw[LINE_MAX_BYTES], line[LINE_MAX_BYTES];
	size_t n;

	if (!wanted(log, level))
		return;
	n = strnlen(log->prefix, sizeof log->prefix - 1);
	memcpy(raw, log->prefix, n);
	if (vsnprintf(raw + n, sizeof raw - n, fmt, ap) < 0)
		raw[n] = '\0';
	escape(line, sizeof line, raw);
	log->sink(log->arg, level, line);
}

void aftp_log(const struct aftp_log *log, enum aftp_log_level level, const char *fmt, ...)
{
	va_list ap;

	if (!wanted(log, level))
		return;
	va_start(ap, fmt);
	aftp_vlog(log, level, fmt, ap);
	va_end(ap);
}

void aftp_log_to_file(void *arg, enum aftp_log_level level, const char *line)
{
	FILE *f = arg;

	(void)level;
	fprintf(f, "%s\n", line);
	fflush(f);
}
