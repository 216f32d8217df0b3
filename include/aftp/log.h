/* log - where the library says what it does.
 *
 * A log is a value that its owner keeps and passes down; there is no global one. A NULL log, or one
 * without a sink, costs a comparison. Passwords never reach a sink: the command builder masks them. */
#ifndef AFTP_LOG_H
#define AFTP_LOG_H

#include <stdarg.h>

enum aftp_log_level { AFTP_LOG_ERROR, AFTP_LOG_WARN, AFTP_LOG_INFO, AFTP_LOG_DEBUG, AFTP_LOG_WIRE };

/* Gets one finished line without a newline; valid during the call. */
typedef void aftp_log_sink(void *arg, enum aftp_log_level level, const char *line);

struct aftp_log {
	aftp_log_sink *sink;
	void *arg;
	enum aftp_log_level level; /* the most talkative level that is passed on */
	char prefix[24];           /* put before each line, for example "conn 3: "; may be empty */
};

/* Formats and passes on one line (cut at 1 KiB; control bytes are shown as \xNN). `log` may be NULL. */
void aftp_log(const struct aftp_log *log, enum aftp_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void aftp_vlog(const struct aftp_log *log, enum aftp_log_level level, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

/* A sink that writes "prefix line\n" to the FILE * in `arg`. */
void aftp_log_to_file(void *arg, enum aftp_log_level level, const char *line);

#endif
