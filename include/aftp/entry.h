/* entry - one thing in a directory, and the parsers that make it from a line of a listing.
 *
 * MLSD and MLST lines are facts (RFC 3659 section 7). LIST lines have no standard: the dialect is chosen
 * line by line (unix `ls -l`, DOS/IIS, and the rarer ones). A line that no dialect knows is skipped and
 * counted, so that its reader can tell a complete listing from one with holes. Everything here is pure. */
#ifndef AFTP_ENTRY_H
#define AFTP_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum aftp_type { AFTP_TYPE_UNKNOWN, AFTP_TYPE_FILE, AFTP_TYPE_DIR, AFTP_TYPE_LINK, AFTP_TYPE_OTHER };

/* Which fields the line really had. */
enum {
	AFTP_HAVE_SIZE = 1 << 0,
	AFTP_HAVE_MODE = 1 << 1,
	AFTP_HAVE_MTIME = 1 << 2,
	AFTP_HAVE_UNIQUE = 1 << 3,
	AFTP_HAVE_NLINK = 1 << 4,
	AFTP_HAVE_PERM = 1 << 5, /* MLSx perm fact, in `perm` */
	AFTP_HAVE_UID = 1 << 6,  /* numeric owner (unix.uid, unix.owner, or digits in LIST) */
	AFTP_HAVE_GID = 1 << 7,
	AFTP_SIZE_ROUGH = 1 << 8, /* with HAVE_SIZE: rounded by the server ("33.5k", VMS blocks, a Mac's two forks) */
};

/* How fine mtime is. */
enum aftp_precision { AFTP_TIME_NONE, AFTP_TIME_DAY, AFTP_TIME_MINUTE, AFTP_TIME_SECOND, AFTP_TIME_NANO };

/* MLSx perm letters (RFC 3659 section 7.5.5) as bits. */
enum {
	AFTP_PERM_APPEND = 1 << 0,
	AFTP_PERM_CREATE = 1 << 1,
	AFTP_PERM_DELETE = 1 << 2,
	AFTP_PERM_ENTER = 1 << 3,
	AFTP_PERM_RENAME = 1 << 4,
	AFTP_PERM_LIST = 1 << 5,
	AFTP_PERM_MKDIR = 1 << 6,
	AFTP_PERM_PURGE = 1 << 7,
	AFTP_PERM_READ = 1 << 8,
	AFTP_PERM_WRITE = 1 << 9,
};

/* Names are bytes, not NUL-ended; they point into the line that was parsed. */
struct aftp_entry {
	const char *name;
	size_t name_len;
	const char *target; /* of a symbolic link; NULL when the line has none */
	size_t target_len;
	const char *unique; /* MLSx unique fact */
	size_t unique_len;
	enum aftp_type type;
	enum aftp_precision precision;
	uint32_t have;
	uint32_t mode; /* 07777 */
	uint32_t perm;
	uint32_t nlink, uid, gid;
	uint64_t size; /* bytes, of files; of directories what some listings say, without AFTP_HAVE_SIZE */
	int64_t mtime; /* seconds since 1970; of LIST: the wall clock as printed, taken as UTC */
	uint32_t mtime_nsec;
	bool dot; /* ".", ".." or a cdir/pdir fact */
};

enum aftp_line {
	AFTP_LINE_ENTRY,   /* *e is filled */
	AFTP_LINE_IGNORE,  /* known to carry no entry: blank, "total 12", a heading */
	AFTP_LINE_UNKNOWN, /* no dialect knows it; may hide an entry */
};

/* One line of an MLSD listing or of an MLST reply (a leading space is allowed only for MLST lines; the caller cuts
 * it). */
enum aftp_line aftp_entry_parse_mlsx(struct aftp_entry *e, const char *line, size_t len);

/* One line of a LIST listing (CR LF already cut; a lone trailing CR is tolerated).
 * `now` (seconds since 1970 UTC) gives the year to dates that have none. */
enum aftp_line aftp_entry_parse_list(struct aftp_entry *e, const char *line, size_t len, int64_t now);

/* A parser for a dialect that is not known here, with the contract of aftp_entry_parse_list(): what *e points to must
 * live until the entry has been handed over, and an entry without a name is no entry. */
typedef enum aftp_line aftp_line_parser(void *arg, struct aftp_entry *e, const char *line, size_t len, int64_t now);

/* A whole listing, fed in pieces of any size. */
enum aftp_listing_kind { AFTP_LISTING_MLSD, AFTP_LISTING_LIST, AFTP_LISTING_NLST };

/* Called for each entry (dot entries included, marked). Non-zero stops the feed and is returned by it. */
typedef int aftp_entry_cb(void *arg, const struct aftp_entry *e);

struct aftp_listing {
	enum aftp_listing_kind kind;
	int64_t now;
	aftp_entry_cb *cb;
	void *arg;
	size_t max_line;
	aftp_line_parser *parser; /* of LIST lines; NULL = none. May be set after init */
	void *parser_arg;
	bool parser_last;                   /* only for lines that no dialect knows */
	uint64_t entries, ignored, unknown; /* lines of each sort so far */
	char first_unknown[120];            /* for the log; NUL-ended, cut */
	char *line;                         /* the unfinished line; owned */
	size_t line_len, line_cap;
};

/* Caller's memory. max_line 0 = 64 KiB. */
void aftp_listing_init(struct aftp_listing *l, enum aftp_listing_kind kind, int64_t now, aftp_entry_cb *cb, void *arg);
void aftp_listing_finish(struct aftp_listing *l); /* frees; accepts a zeroed value */

/* 0; AFTP_ELINETOOLONG; AFTP_ENOMEM; or what the callback returned. Lines end with LF or CR LF; a VMS entry on two
 * lines is joined. */
int aftp_listing_feed(struct aftp_listing *l, const char *data, size_t len);

/* The end of the data: parses a last line without a line end. Returns as feed. */
int aftp_listing_end(struct aftp_listing *l);

#endif
