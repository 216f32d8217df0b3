/* entry_mlsx - "fact=value;fact=value; name" (RFC 3659 section 7.2). */
#include <aftp/entry.h>

#include <string.h>

#include "proto/entry_date.h"
#include "proto/entry_line.h"

struct span {
	const char *s;
	size_t n;
};

/* Each answers false for a value that makes the whole line doubtful. */
static bool fact_type(struct aftp_entry *e, struct span v)
{
	static const char slink[] = "os.unix=slink:";

	if (scan_is(v.s, v.n, "file")) {
		e->type = AFTP_TYPE_FILE;
	} else if (scan_is(v.s, v.n, "dir")) {
		e->type = AFTP_TYPE_DIR;
	} else if (scan_is(v.s, v.n, "cdir") || scan_is(v.s, v.n, "pdir")) {
		e->type = AFTP_TYPE_DIR;
		e->dot = true;
	} else if (scan_is(v.s, v.n, "os.unix=slink") || scan_is(v.s, v.n, "os.unix=symlink")) {
		e->type = AFTP_TYPE_LINK;
	} else if (v.n >= sizeof slink - 1 && scan_is(v.s, sizeof slink - 1, slink)) {
		e->type = AFTP_TYPE_LINK;
		if (v.n > sizeof slink - 1) {
			e->target = v.s + sizeof slink - 1;
			e->target_len = v.n - (sizeof slink - 1);
		}
	} else if (v.n > 8 && scan_is(v.s, 8, "os.unix=")) {
		e->type = AFTP_TYPE_OTHER;
	}
	return true;
}

static bool fact_size(struct aftp_entry *e, struct span v)
{
	if (!scan_all_digits(v.s, v.n, &e->size))
		return false;
	e->have |= AFTP_HAVE_SIZE;
	return true;
}

static bool fact_modify(struct aftp_entry *e, struct span v)
{
	if (!entry_date_time_val(v.s, v.n, &e->mtime, &e->mtime_nsec))
		return false;
	e->have |= AFTP_HAVE_MTIME;
	e->precision = v.n > 15 ? AFTP_TIME_NANO : AFTP_TIME_SECOND;
	return true;
}

static bool fact_mode(struct aftp_entry *e, struct span v)
{
	/* Python writes octal as 0o644. */
	if (v.n > 2 && v.s[0] == '0' && v.s[1] == 'o')
		v = (struct span){ v.s + 2, v.n - 2 };
	/* Some servers send the bits of the type along. */
	if (!scan_octal(v.s, v.n, 0177777, &e->mode))
		return false;
	e->mode &= 07777;
	e->have |= AFTP_HAVE_MODE;
	return true;
}

/* Owners are numbers or names; a name says nothing to us. */
static bool fact_uid(struct aftp_entry *e, struct span v)
{
	uint64_t value;

	if (scan_all_digits(v.s, v.n, &value) && value <= UINT32_MAX) {
		e->uid = (uint32_t)value;
		e->have |= AFTP_HAVE_UID;
	}
	return true;
}

static bool fact_gid(struct aftp_entry *e, struct span v)
{
	uint64_t value;

	if (scan_all_digits(v.s, v.n, &value) && value <= UINT32_MAX) {
		e->gid = (uint32_t)value;
		e->have |= AFTP_HAVE_GID;
	}
	return true;
}

static bool fact_unique(struct aftp_entry *e, struct span v)
{
	if (v.n > 0) {
		e->unique = v.s;
		e->unique_len = v.n;
		e->have |= AFTP_HAVE_UNIQUE;
	}
	return true;
}

static bool fact_perm(struct aftp_entry *e, struct span v)
{
	static const uint16_t bits[26] = {
		['a' - 'a'] = AFTP_PERM_APPEND,
		['c' - 'a'] = AFTP_PERM_CREATE,
		['d' - 'a'] = AFTP_PERM_DELETE,
		['e' - 'a'] = AFTP_PERM_ENTER,
		['f' - 'a'] = AFTP_PERM_RENAME,
		['l' - 'a'] = AFTP_PERM_LIST,
		['m' - 'a'] = AFTP_PERM_MKDIR,
		['p' - 'a'] = AFTP_PERM_PURGE,
		['r' - 'a'] = AFTP_PERM_READ,
		['w' - 'a'] = AFTP_PERM_WRITE,
	};

	for (size_t i = 0; i < v.n; i++) {
		char letter = scan_lower(v.s[i]);

		if (letter >= 'a' && letter <= 'z')
			e->perm |= bits[letter - 'a'];
	}
	e->have |= AFTP_HAVE_PERM;
	return true;
}

#define FACT(name, take)                    \
	{                                   \
		name, sizeof name - 1, take \
	}

static const struct {
	const char *name;
	size_t n;
	bool (*take)(struct aftp_entry *e, struct span value);
} facts[] = {
	FACT("type", fact_type),
	FACT("size", fact_size),
	FACT("modify", fact_modify),
	FACT("perm", fact_perm),
	FACT("unique", fact_unique),
	FACT("unix.mode", fact_mode),
	FACT("unix.uid", fact_uid),
	FACT("unix.owner", fact_uid),
	FACT("unix.gid", fact_gid),
	FACT("unix.group", fact_gid),
};

/* Facts with names of no interest are skipped. "sizd", a directory's size, is one of them. */
static bool take(struct aftp_entry *e, struct span name, struct span value)
{
	for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
		if (name.n == facts[i].n && scan_is(name.s, name.n, facts[i].name))
			return facts[i].take(e, value);
	return name.n > 0;
}

static bool take_all(struct aftp_entry *e, const char *s, const char *end)
{
	while (s < end) {
		const char *equals = s, *stop;

		while (equals < end && *equals != '=' && *equals != ';')
			equals++;
		if (equals == end || *equals == ';')
			return false;
		for (stop = equals + 1; stop < end && *stop != ';';)
			stop++;
		if (!take(e, (struct span){ s, (size_t)(equals - s) },
			    (struct span){ equals + 1, (size_t)(stop - equals - 1) }))
			return false;
		s = stop + 1;
	}
	return true;
}

/* Where the facts end: at the first space. A link's target may hold spaces, though; then "; " is the end. */
static const char *facts_end(const char *s, const char *end)
{
	const char *space = memchr(s, ' ', (size_t)(end - s)), *tab, *last;

	if (!space)
		space = end;
	tab = memchr(s, '\t', (size_t)(space - s));
	if (tab)
		space = tab;
	if (space == end || space == s || space[-1] == ';')
		return space;
	last = memrchr(s, ';', (size_t)(space - s));
	last = last ? last + 1 : s;
	if (space - last >= 19 && scan_is(last, 19, "type=os.unix=slink:")) {
		const char *stop = memmem(space, (size_t)(end - space), "; ", 2);

		return stop ? stop + 1 : space;
	}
	return space;
}

enum aftp_line aftp_entry_parse_mlsx(struct aftp_entry *e, const char *line, size_t len)
{
	const char *end, *space;

	if (len > 0 && line[len - 1] == '\r')
		len--;
	end = line + len;
	*e = (struct aftp_entry){ 0 };
	while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (end == line)
		return AFTP_LINE_IGNORE;
	end = line + len;
	space = facts_end(line, end);
	if (space == end || !take_all(e, line, space))
		return AFTP_LINE_UNKNOWN;
	if (e->type != AFTP_TYPE_FILE && e->type != AFTP_TYPE_UNKNOWN)
		e->have &= ~(uint32_t)AFTP_HAVE_SIZE;
	return entry_set_name(e, space + 1, end) ? AFTP_LINE_ENTRY : AFTP_LINE_UNKNOWN;
}
