#include "mount/logging.h"

#include <errno.h>
#include <syslog.h>
#include <time.h>

static void to_syslog(void *arg, enum aftp_log_level level, const char *line)
{
	static const int priorities[] = {
		[AFTP_LOG_ERROR] = LOG_ERR,
		[AFTP_LOG_WARN] = LOG_WARNING,
		[AFTP_LOG_INFO] = LOG_INFO,
		[AFTP_LOG_DEBUG] = LOG_DEBUG,
		[AFTP_LOG_WIRE] = LOG_DEBUG,
	};
	(void)arg;
	syslog(priorities[level], "%s", line);
}

static void to_file(void *arg, enum aftp_log_level level, const char *line)
{
	struct logging *l = arg;
	struct timespec now;
	struct tm tm;
	char when[32];
	(void)level;
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	fprintf(l->file, "%s.%03ld ftpfs: %s\n", when, now.tv_nsec / 1000000, line);
	fflush(l->file);
}

static void to_stderr(void *arg, enum aftp_log_level level, const char *line)
{
	(void)arg;
	(void)level;
	fprintf(stderr, "ftpfs: %s\n", line);
}

int logging_init(struct logging *l, const struct options *o)
{
	*l = (struct logging){ .log = { .arg = l, .level = o->log_level } };
	if (o->log_file != NULL) {
		l->file = fopen(o->log_file, "ae");
		if (l->file == NULL)
			return -errno;
		l->log.sink = to_file;
	} else if (o->foreground) {
		l->log.sink = to_stderr;
	} else {
		openlog("ftpfs", LOG_PID, LOG_DAEMON);
		l->log.sink = to_syslog;
	}
	return 0;
}

void logging_finish(struct logging *l)
{
	if (l->file != NULL)
		fclose(l->file);
	if (l->log.sink == to_syslog)
		closelog();
	*l = (struct logging){ 0 };
}
