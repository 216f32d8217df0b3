/* format - the lines of listings, and the times in them (RFC 3659 sections 2.3 and 7; LIST as vsftpd and IIS print
 * it). Pure. */
#ifndef SERVER_FORMAT_H
#define SERVER_FORMAT_H

#include <aftp/server.h>
#include <aftp/vfs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The facts of an MLSx line, in the order in which they are printed. */
enum {
	FACT_MODIFY = 1 << 0,
	FACT_PERM = 1 << 1,
	FACT_SIZE = 1 << 2,
	FACT_TYPE = 1 << 3,
	FACT_UNIQUE = 1 << 4,
	FACT_GROUP = 1 << 5,
	FACT_MODE = 1 << 6,
	FACT_OWNER = 1 << 7,
	FACT_ALL = (1 << 8) - 1,
};

enum { FORMAT_LINE = 4096 + 1024 + 4096 }; /* room for any line: facts, a target, a path */

struct format_entry {
	const char *name;   /* as it should be shown */
	const char *target; /* or NULL */
	const char *dot;    /* "cdir", "pdir" or NULL */
	const struct aftp_vfs_stat *st;
};

/* Each writes one line with CR LF into `out` (FORMAT_LINE bytes) and returns its length. Line ends in names are
 * shown as '?'. */
size_t format_mlsx(char *out, const struct format_entry *e, unsigned facts, unsigned may, bool fractions);
/* `style` is one of the UNIX styles, or one of the DOS styles. */
size_t format_unix(char *out, const struct format_entry *e, int64_t now, enum aftp_listing_style style);
size_t format_dos(char *out, const struct format_entry *e, enum aftp_listing_style style);
size_t format_name(char *out, const struct format_entry *e);

/* "type;size;" (of OPTS MLST) to facts, case-insensitively; unknown ones are passed over. */
unsigned format_parse_facts(const char *list);
/* "modify*;perm;...": all facts, those in `chosen` starred when `stars`, else only those. `out` has 128 bytes. */
void format_print_facts(char *out, unsigned chosen, bool stars);

/* YYYYMMDDHHMMSS[.fraction], UTC. `out` has 32 bytes. Years outside 0..9999 are clamped. */
void format_time(char *out, int64_t sec, uint32_t nsec, bool fractions);
/* 0, or -EINVAL. *end is the first byte after it. */
int format_parse_time(const char *text, int64_t *sec, uint32_t *nsec, const char **end);

/* An octal mode, at most 07777. Likewise. */
int format_parse_mode(const char *text, uint32_t *mode, const char **end);

#endif
