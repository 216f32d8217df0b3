/* value - the words a person writes for numbers, turned into numbers and checked against a range.
 *
 * Each takes a whole NUL-ended string: trailing rubbish is refused, as is what does not fit the range. */
#ifndef MOUNT_VALUE_H
#define MOUNT_VALUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <aftp/log.h>

bool value_count(const char *text, int64_t min, int64_t max, int64_t *out);

/* "1.5", "20s", "500ms", "5m", "1h"; into milliseconds, which min and max are in. */
bool value_duration(const char *text, int64_t min, int64_t max, int64_t *out);

/* "4096", "64K", "8M", "8MiB", "1G": powers of 1024. */
bool value_bytes(const char *text, int64_t min, int64_t max, int64_t *out);

/* Permission bits in octal, up to 0777. */
bool value_octal(const char *text, int64_t *out);

/* A number, or a name that the system knows. */
bool value_uid(const char *text, int64_t *out);
bool value_gid(const char *text, int64_t *out);

/* yes, true, 1 and no, false, 0. */
bool value_switch(const char *text, bool *out);

bool value_log_level(const char *text, enum aftp_log_level *out);

/* "1.2", "1.3", and with "TLSv" in front; an enum aftp_tls_version. */
bool value_tls_version(const char *text, int64_t *out);

/* "4000-4010", "4000"; from 1 to 65535, the lower one first. */
bool value_ports(const char *text, int64_t out[2]);

/* The range in words, as "from 1 to 64", "from 0.1 s to 1 h", "from 64K to 1G"; into `out`, which is returned. */
char *value_count_range(char *out, size_t size, int64_t min, int64_t max);
char *value_duration_range(char *out, size_t size, int64_t min, int64_t max);
char *value_bytes_range(char *out, size_t size, int64_t min, int64_t max);

/* One of n words: its place. */
bool value_word(const char *text, const char *const *words, size_t n, int64_t *out);

#endif
