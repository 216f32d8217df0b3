#include "server/format.h"

#include <aftp/server.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define YEAR_0    (-62167219200)
#define YEAR_9999 253402300799
enum { HALF_YEAR = 182 * 86400 };

static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
	"Dec" };

/* snprintf into a line that is known to have room. */
__attribute__((format(printf, 2, 3))) static size_t put(char *out, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(out, 256, fmt, ap);
	va_end(ap);
	return n < 0 ? 0 : (size_t)n;
}

static size_t put_name(char *out, const char *name)
{
	size_t n = strnlen(name, 4096);
	for (size_t i = 0; i < n; i++)
		out[i] = name[i] == '\r' || name[i] == '\n' ? '?' : name[i];
	return n;
}

static size_t put_end(char *out)
{
	memcpy(out, "\r\n", 2);
	return 2;
}

/* --- times ----------------------------------------------------------------------------------------- */

static void broken_down(int64_t sec, struct tm *tm)
{
	time_t t = (time_t)(sec < YEAR_0 ? YEAR_0 : sec > YEAR_9999 ? YEAR_9999 : sec);
	gmtime_r(&t, tm);
}

void format_time(char *out, int64_t sec, uint32_t nsec, bool fractions)
{
	struct tm tm;
	broken_down(sec, &tm);
	size_t n = put(out, "%04d%02d%02d%02d%02d%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		tm.tm_min, tm.tm_sec);
	if (!fractions || nsec == 0)
		return;
	n += put(out + n, ".%09" PRIu32, nsec);
	while (out[n - 1] == '0')
		out[--n] = '\0';
}

static int digits(const char **p, int count)
{
	int v = 0;
	for (; count > 0; count--, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		v = v * 10 + (**p - '0');
	}
	return v;
}

static uint32_t fraction(const char **p)
{
	uint32_t ns = 0, scale = 100000000;
	if (**p != '.')
		return 0;
	for ((*p)++; **p >= '0' && **p <= '9'; (*p)++) {
		ns += (uint32_t)(**p - '0') * scale;
		scale /= 10;
	}
	return ns;
}

int format_parse_time(const char *text, int64_t *sec, uint32_t *nsec, const char **end)
{
	const char *p = text;
	int year = digits(&p, 4), mon = year < 0 ? -1 : digits(&p, 2), day = mon < 0 ? -1 : digits(&p, 2);
	int hour = day < 0 ? -1 : digits(&p, 2), min = hour < 0 ? -1 : digits(&p, 2), s = min < 0 ? -1 : digits(&p, 2);
	if (s < 0 || mon < 1 || mon > 12 || day < 1 || hour > 23 || min > 59 || s > 60)
		return -EINVAL;
	struct tm tm = {
		.tm_year = year - 1900, .tm_mon = mon - 1, .tm_mday = day, .tm_hour = hour, .tm_min = min, .tm_sec = s
	};
	*sec = timegm(&tm);
	if (tm.tm_mday != day && s < 60) /* the 31st of a month that has 30 */
		return -EINVAL;
	*nsec = fraction(&p);
	*end = p;
	return 0;
}

int format_parse_mode(const char *text, uint32_t *mode, const char **end)
{
	uint32_t v = 0;
	size_t n = strspn(text, "01234567");
	if (n == 0 || n > 5)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		v = v * 8 + (uint32_t)(text[i] - '0');
	*mode = v;
	*end = text + n;
	return v > 07777 ? -EINVAL : 0;
}

/* --- MLSx ------------------------------------------------------------------------------------------ */

static const char *const fact_names[] = { "modify", "perm", "size", "type", "unique", "UNIX.group", "UNIX.mode",
	"UNIX.owner" };
enum { FACTS = sizeof(fact_names) / sizeof(fact_names[0]) };

unsigned format_parse_facts(const char *list)
{
	unsigned facts = 0;
	while (*list) {
		size_t n = strcspn(list, ";");
		for (unsigned i = 0; i < FACTS; i++)
			if (strlen(fact_names[i]) == n && strncasecmp(list, fact_names[i], n) == 0)
				facts |= 1u << i;
		list += n + (list[n] == ';');
	}
	return facts;
}

void format_print_facts(char *out, unsigned chosen, bool stars)
{
	out[0] = '\0';
	for (unsigned i = 0; i < FACTS; i++) {
		bool on = chosen & (1u << i);
		if (stars || on)
			out += put(out, "%s%s;", fact_names[i], stars && on ? "*" : "");
	}
}

static const char *perm_of(const struct aftp_vfs_stat *st, unsigned may)
{
	bool r = (may & AFTP_MAY_READ) && (st->mode & 0400), w = (may & AFTP_MAY_WRITE) && (st->mode & 0200);
	if (st->type == AFTP_TYPE_DIR)
		return r && w ? "flcdmpe" : w ? "fcdmpe" : r ? "le" : "e";
	/* Removing and renaming are the parent's business; its mode is not looked at here. */
	const char *own = may & AFTP_MAY_WRITE ? "df" : "";
	return r && w ? "adfrw" : w ? "adfw" : r ? (own[0] ? "dfr" : "r") : own;
}

static size_t put_type(char *out, const struct format_entry *e)
{
	if (e->dot)
		return put(out, "type=%s;", e->dot);
	if (e->st->type == AFTP_TYPE_LINK && e->target && !strpbrk(e->target, ";\r\n")) {
		size_t n = put(out, "type=OS.unix=slink:");
		n += put_name(out + n, e->target);
		out[n++] = ';';
		return n;
	}
	return put(out, "type=%s;",
		e->st->type == AFTP_TYPE_DIR            ? "dir"
			: e->st->type == AFTP_TYPE_LINK ? "OS.unix=symlink"
							: "file");
}

size_t format_mlsx(char *out, const struct format_entry *e, unsigned facts, unsigned may, bool fractions)
{
	const struct aftp_vfs_stat *st = e->st;
	char when[32];
	size_t n = 0;
	format_time(when, st->mtime, st->mtime_nsec, fractions);
	if (facts & FACT_MODIFY)
		n += put(out + n, "modify=%s;", when);
	if (facts & FACT_PERM)
		n += put(out + n, "perm=%s;", perm_of(st, may));
	if ((facts & FACT_SIZE) && st->type != AFTP_TYPE_DIR)
		n += put(out + n, "size=%" PRIu64 ";", st->size);
	if (facts & FACT_TYPE)
		n += put_type(out + n, e);
	if (facts & FACT_UNIQUE)
		n += put(out + n, "unique=M%" PRIX64 ";", st->unique);
	if (facts & FACT_GROUP)
		n += put(out + n, "UNIX.group=%" PRIu32 ";", st->gid);
	if (facts & FACT_MODE)
		n += put(out + n, "UNIX.mode=0%03" PRIo32 ";", st->mode);
	if (facts & FACT_OWNER)
		n += put(out + n, "UNIX.owner=%" PRIu32 ";", st->uid);
	out[n++] = ' ';
	n += put_name(out + n, e->name);
	return n + put_end(out + n);
}

/* --- LIST ------------------------------------------------------------------------------------------ */

static void mode_letters(char *out, const struct aftp_vfs_stat *st)
{
	static const char all[] = "rwxrwxrwx";
	out[0] = st->type == AFTP_TYPE_DIR ? 'd' : st->type == AFTP_TYPE_LINK ? 'l' : '-';
	for (unsigned i = 0; i < 9; i++)
		out[1 + i] = st->mode & (0400u >> i) ? all[i] : '-';
	if (st->mode & 04000)
		out[3] = st->mode & 0100 ? 's' : 'S';
	if (st->mode & 02000)
		out[6] = st->mode & 0010 ? 's' : 'S';
	if (st->mode & 01000)
		out[9] = st->mode & 0001 ? 't' : 'T';
	out[10] = '\0';
}

static size_t put_date(char *out, int64_t when, int64_t now, enum aftp_listing_style style)
{
	static const char local[12][5] = { "Jan", "Feb", "M\xc3\xa4r", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt",
		"Nov", "Dez" };
	struct tm tm;
	broken_down(when, &tm);
	if (style == AFTP_STYLE_UNIX_ISO)
		return put(out, "%04d-%02d-%02d %02d:%02d ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
			tm.tm_min);
	bool old = (when > now || when < now - HALF_YEAR) && style != AFTP_STYLE_UNIX_NO_YEAR;
	size_t n =
		put(out, "%s %02d ", style == AFTP_STYLE_UNIX_LOCAL ? local[tm.tm_mon] : months[tm.tm_mon], tm.tm_mday);
	return n +
		(old ? put(out + n, " %04d ", tm.tm_year + 1900) : put(out + n, "%02d:%02d ", tm.tm_hour, tm.tm_min));
}

size_t format_unix(char *out, const struct format_entry *e, int64_t now, enum aftp_listing_style style)
{
	const struct aftp_vfs_stat *st = e->st;
	char mode[11];
	mode_letters(mode, st);
	uint64_t size = st->type == AFTP_TYPE_DIR ? 4096 : st->size;
	size_t n = put(out, "%s %4" PRIu32 " %-8" PRIu32 " ", mode, st->nlink, st->uid);
	if (style != AFTP_STYLE_UNIX_NO_GROUP)
		n += put(out + n, "%-8" PRIu32 " ", st->gid);
	n += put(out + n, "%8" PRIu64 " ", size);
	n += put_date(out + n, st->mtime, now, style);
	n += put_name(out + n, e->name);
	if (e->target) {
		n += put(out + n, " -> ");
		n += put_name(out + n, e->target);
	}
	return n + put_end(out + n);
}

size_t format_dos(char *out, const struct format_entry *e, enum aftp_listing_style style)
{
	struct tm tm;
	broken_down(e->st->mtime, &tm);
	size_t n = style == AFTP_STYLE_DOS_LONG
		? put(out, "%02d-%02d-%04d  %02d:%02d ", tm.tm_mon + 1, tm.tm_mday, tm.tm_year + 1900, tm.tm_hour,
			  tm.tm_min)
		: put(out, "%02d-%02d-%02d  %02d:%02d%s ", tm.tm_mon + 1, tm.tm_mday, tm.tm_year % 100,
			  (tm.tm_hour + 11) % 12 + 1, tm.tm_min, tm.tm_hour < 12 ? "AM" : "PM");
	if (e->st->type == AFTP_TYPE_DIR)
		n += put(out + n, "      <DIR>          ");
	else
		n += put(out + n, "%20" PRIu64 " ", e->st->size);
	n += put_name(out + n, e->name);
	return n + put_end(out + n);
}

size_t format_name(char *out, const struct format_entry *e)
{
	size_t n = put_name(out, e->name);
	return n + put_end(out + n);
}
