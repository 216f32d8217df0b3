/* listing - cuts a listing into lines, whatever the pieces it comes in, and counts what its lines are. */
#include <aftp/entry.h>

#include <stdlib.h>
#include <string.h>

#include <aftp/status.h>

#include "proto/entry_line.h"

enum { DEFAULT_MAX_LINE = 64 * 1024 };

void aftp_listing_init(struct aftp_listing *l, enum aftp_listing_kind kind, int64_t now, aftp_entry_cb *cb, void *arg)
{
	*l = (struct aftp_listing){ .kind = kind, .now = now, .cb = cb, .arg = arg };
}

void aftp_listing_finish(struct aftp_listing *l)
{
	free(l->line);
	l->line = NULL;
	l->line_len = l->line_cap = 0;
}

static size_t max_line(const struct aftp_listing *l)
{
	return l->max_line > 0 ? l->max_line : DEFAULT_MAX_LINE;
}

static void remember(struct aftp_listing *l, const char *s, size_t n)
{
	size_t i;

	if (l->unknown++ > 0)
		return;
	for (i = 0; i < n && i < sizeof l->first_unknown - 1; i++)
		l->first_unknown[i] = (unsigned char)s[i] < ' ' || s[i] == 0x7f ? '?' : s[i];
	l->first_unknown[i] = '\0';
}

/* A name list may give paths: the name is what comes last. */
static enum aftp_line parse_name(struct aftp_entry *e, const char *s, size_t n)
{
	const char *end = s + n, *slash;

	*e = (struct aftp_entry){ 0 };
	if (n > 1 && end[-1] == '/')
		end--;
	slash = memrchr(s, '/', (size_t)(end - s));
	if (slash && slash + 1 < end)
		s = slash + 1;
	return entry_set_name(e, s, end) ? AFTP_LINE_ENTRY : AFTP_LINE_IGNORE;
}

static enum aftp_line parse_own(const struct aftp_listing *l, struct aftp_entry *e, const char *s, size_t n)
{
	enum aftp_line kind;

	*e = (struct aftp_entry){ 0 };
	if (!l->parser || l->kind != AFTP_LISTING_LIST)
		return AFTP_LINE_UNKNOWN;
	kind = l->parser(l->parser_arg, e, s, n, l->now);
	if (kind != AFTP_LINE_ENTRY)
		return kind;
	if (!e->name || e->name_len == 0)
		return AFTP_LINE_UNKNOWN;
	e->dot |= (e->name_len == 1 && e->name[0] == '.') || (e->name_len == 2 && memcmp(e->name, "..", 2) == 0);
	return AFTP_LINE_ENTRY;
}

static enum aftp_line parse_list(const struct aftp_listing *l, struct aftp_entry *e, const char *s, size_t n)
{
	enum aftp_line kind = l->parser_last ? AFTP_LINE_UNKNOWN : parse_own(l, e, s, n);

	if (kind == AFTP_LINE_UNKNOWN)
		kind = aftp_entry_parse_list(e, s, n, l->now);
	if (kind == AFTP_LINE_UNKNOWN && l->parser_last)
		kind = parse_own(l, e, s, n);
	return kind;
}

static enum aftp_line parse(const struct aftp_listing *l, struct aftp_entry *e, const char *s, size_t n)
{
	switch (l->kind) {
	case AFTP_LISTING_MLSD: return aftp_entry_parse_mlsx(e, s, n);
	case AFTP_LISTING_LIST: return parse_list(l, e, s, n);
	case AFTP_LISTING_NLST: break;
	}
	return parse_name(e, s, n);
}

static int one(struct aftp_listing *l, const char *s, size_t n)
{
	struct aftp_entry e;

	if (n > 0 && s[n - 1] == '\r')
		n--;
	switch (parse(l, &e, s, n)) {
	case AFTP_LINE_ENTRY: l->entries++; return l->cb(l->arg, &e);
	case AFTP_LINE_IGNORE: l->ignored++; break;
	case AFTP_LINE_UNKNOWN: remember(l, s, n); break;
	}
	return 0;
}

static int keep(struct aftp_listing *l, const char *s, size_t n)
{
	if (n > max_line(l) || l->line_len > max_line(l) - n)
		return AFTP_ELINETOOLONG;
	if (l->line_len + n > l->line_cap) {
		size_t cap = l->line_cap * 2 < l->line_len + n ? l->line_len + n + 256 : l->line_cap * 2;
		char *line = realloc(l->line, cap);

		if (!line)
			return AFTP_ENOMEM;
		l->line = line;
		l->line_cap = cap;
	}
	if (n > 0)
		memcpy(l->line + l->line_len, s, n);
	l->line_len += n;
	return 0;
}

static size_t without_cr(const char *s, size_t n)
{
	return n > 0 && s[n - 1] == '\r' ? n - 1 : n;
}

static bool is_first_half(const struct aftp_listing *l, const char *s, size_t n)
{
	struct aftp_entry e;

	if (l->kind != AFTP_LISTING_LIST || !entry_vms_is_first_half(s, without_cr(s, n)))
		return false;
	return l->parser_last || parse_own(l, &e, s, without_cr(s, n)) == AFTP_LINE_UNKNOWN;
}

/* A first half waits in l->line with a '\n' behind it. The second has come: together they are an entry, or else they
 * are two lines. */
static int both(struct aftp_listing *l, const char *newline)
{
	size_t first = (size_t)(newline - l->line), n = l->line_len;
	const char *second = newline + 1;
	size_t second_len = n - first - 1;
	struct aftp_entry e;

	l->line_len = 0;
	if (aftp_entry_parse_list(&e, l->line, without_cr(l->line, n), l->now) == AFTP_LINE_ENTRY) {
		l->entries++;
		return l->cb(l->arg, &e);
	}
	remember(l, l->line, first);
	if (!is_first_half(l, second, second_len))
		return one(l, second, second_len);
	second_len = without_cr(second, second_len);
	memmove(l->line, second, second_len);
	l->line[second_len] = '\n';
	l->line_len = second_len + 1;
	return 0;
}

/* A whole line is there, without its LF: at s, or in l->line when an earlier piece began it. */
static int line(struct aftp_listing *l, const char *s, size_t n)
{
	const char *newline;
	int rc;

	if (n > max_line(l))
		return AFTP_ELINETOOLONG;
	if (l->line_len == 0 && !is_first_half(l, s, n))
		return one(l, s, n);
	rc = keep(l, s, n);
	if (rc < 0)
		return rc;
	newline = memchr(l->line, '\n', l->line_len);
	if (newline)
		return both(l, newline);
	n = l->line_len;
	if (is_first_half(l, l->line, n)) {
		l->line_len = without_cr(l->line, n);
		return keep(l, "\n", 1);
	}
	l->line_len = 0;
	return one(l, l->line, n);
}

int aftp_listing_feed(struct aftp_listing *l, const char *data, size_t len)
{
	const char *end = data + len;

	while (data < end) {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		int rc;

		if (!newline)
			return keep(l, data, (size_t)(end - data));
		rc = line(l, data, (size_t)(newline - data));
		if (rc != 0)
			return rc;
		data = newline + 1;
	}
	return 0;
}

int aftp_listing_end(struct aftp_listing *l)
{
	const char *newline = l->line_len > 0 ? memchr(l->line, '\n', l->line_len) : NULL;
	size_t n;
	int rc = 0;

	if (newline && newline + 1 < l->line + l->line_len)
		rc = both(l, newline);
	n = l->line_len;
	l->line_len = 0;
	if (rc != 0 || n == 0)
		return rc;
	/* A first half whose second never came. */
	if (l->line[n - 1] == '\n')
		n--;
	return one(l, l->line, n);
}
