/* Every line of tests/data/listings.jsonl against the parsers; see tests/data/README.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <aftp/entry.h>

#include "proto/entry_date.h"
#include "unit/proto/json.h"

enum verdict { RIGHT, SKIPPED, WRONG, VERDICTS };
enum tier { CORE, RARE, LENIENT, TIERS };

static const char *const tiers[] = { "core", "rare", "lenient" };

/* `rare_right`: so many rare lines are understood today; fewer would be a step back. */
static const struct {
	const char *name;
	unsigned rare_right;
} families[] = {
	{ "unix", 153 },
	{ "windows", 30 },
	{ "mlsx", 11 },
	{ "netware", 28 },
	{ "mac", 6 },
	{ "eplf", 3 },
	{ "vms", 101 },
	{ "mvs", 50 },
	{ "os400", 15 },
	{ "other", 30 },
};
enum { FAMILIES = sizeof families / sizeof *families };

struct bytes {
	char *s;
	size_t n;
};

struct test_case {
	const struct json *json, *expect;
	struct bytes line;
	bool latin1, mlsx;
	int64_t now;
};

/* --- reading -------------------------------------------------------------------------------------- */

static FILE *open_data(void)
{
	const char *root = getenv("FTPFS_ROOT");
	char path[4096];
	FILE *f;

	snprintf(path, sizeof path, "%s/tests/data/listings.jsonl", root ? root : ".");
	f = fopen(path, "r");
	if (!f)
		fail_msg("%s cannot be opened; run from the top folder of the source, or set FTPFS_ROOT", path);
	return f;
}

/* The bytes of a string: as they are, or one for each code point. */
static struct bytes bytes_of(const struct json *node, bool latin1)
{
	struct bytes b = { malloc(node->len + 1), 0 };

	assert_non_null(b.s);
	for (size_t i = 0; i < node->len; i++) {
		unsigned char c = (unsigned char)node->text[i];

		if (latin1 && c >= 0xc0) {
			assert_true(c < 0xc4 && i + 1 < node->len);
			c = (unsigned char)((c & 3) << 6 | (node->text[++i] & 0x3f));
		}
		b.s[b.n++] = (char)c;
	}
	b.s[b.n] = '\0';
	return b;
}

static int64_t time_of(const char *text, bool *seconds)
{
	int year, month, day, hour = 0, minute = 0, second = 0;
	int n = sscanf(text, "%d-%d-%dT%d:%d:%d", &year, &month, &day, &hour, &minute, &second);

	assert_true(n >= 3);
	*seconds = n == 6;
	return entry_date_days(year, (unsigned)month, (unsigned)day) * 86400 + hour * 3600 + minute * 60 + second;
}

static void each_case(void (*fn)(void *arg, const struct test_case *c), void *arg)
{
	FILE *f = open_data();
	char *text = NULL;
	size_t size = 0;
	unsigned count = 0;

	while (getline(&text, &size, f) > 0) {
		struct json pool[96];
		char *strings = malloc(2 * strlen(text) + 2);
		struct test_case c = { .now = entry_date_days(2024, 6, 15) * 86400 };
		const struct json *now;
		bool seconds;

		assert_non_null(strings);
		c.json = json_read(text, pool, sizeof pool / sizeof *pool, strings);
		if (!c.json)
			fail_msg("not JSON: %s", text);
		now = json_get(c.json, "now");
		c.expect = json_get(c.json, "expect");
		c.latin1 = json_get(c.json, "encoding") != NULL;
		c.mlsx = strcmp(json_get(c.json, "family")->text, "mlsx") == 0;
		c.line = bytes_of(json_get(c.json, "line"), c.latin1);
		if (now->type == JSON_STRING)
			c.now = time_of(now->text, &seconds) + 86399;
		fn(arg, &c);
		free(c.line.s);
		free(strings);
		count++;
	}
	free(text);
	fclose(f);
	assert_true(count > 1100);
}

static enum aftp_line parse(const struct test_case *c, struct aftp_entry *e, const char *s, size_t n)
{
	return c->mlsx ? aftp_entry_parse_mlsx(e, s, n) : aftp_entry_parse_list(e, s, n, c->now);
}

/* --- comparing ------------------------------------------------------------------------------------ */

/* Is the field right? `is` compares with one value (null: the field is absent). */
typedef bool is_fn(const struct test_case *c, const struct aftp_entry *e, const struct json *value);

static bool field(const struct test_case *c, const struct aftp_entry *e, const char *name, is_fn *is)
{
	const struct json *one = json_get(c->expect, name), *any;
	char key[32];

	snprintf(key, sizeof key, "%s_any", name);
	any = json_get(c->expect, key);
	if (any) {
		for (const struct json *v = any->first; v; v = v->next)
			if (is(c, e, v))
				return true;
		return false;
	}
	return !one || one->type == JSON_NULL || is(c, e, one);
}

static bool same(const struct test_case *c, const struct json *v, const char *s, size_t n)
{
	struct bytes b;
	bool equal;

	if (v->type == JSON_NULL)
		return !s;
	b = bytes_of(v, c->latin1);
	equal = s && b.n == n && memcmp(b.s, s, n) == 0;
	free(b.s);
	return equal;
}

static bool name_is(const struct test_case *c, const struct aftp_entry *e, const struct json *v)
{
	return same(c, v, e->name, e->name_len);
}

static bool target_is(const struct test_case *c, const struct aftp_entry *e, const struct json *v)
{
	return same(c, v, e->target, e->target_len);
}

static bool type_is(const struct test_case *c, const struct aftp_entry *e, const struct json *v)
{
	static const char *const names[] = { "unknown", "file", "dir", "link", "other" };

	(void)c;
	return v->type == JSON_STRING && strcmp(v->text, names[e->type]) == 0;
}

static bool size_is(const struct test_case *c, const struct aftp_entry *e, const struct json *v)
{
	bool have = e->have & AFTP_HAVE_SIZE;

	(void)c;
	return v->type == JSON_NULL ? !have : have && strtoull(v->text, NULL, 10) == e->size;
}

static bool mode_is(const struct test_case *c, const struct aftp_entry *e, const struct json *v)
{
	(void)c;
	return e->have & AFTP_HAVE_MODE && strtoul(v->text, NULL, 8) == e->mode;
}

static bool mtime_is(const struct test_case *c, const struct aftp_entry *e, const struct json *v)
{
	bool seconds, have = e->have & AFTP_HAVE_MTIME;
	int64_t t;

	(void)c;
	if (v->type == JSON_NULL || !have)
		return v->type == JSON_NULL && !have;
	t = time_of(v->text, &seconds);
	return seconds ? t == e->mtime : t == e->mtime - (e->mtime % 60 + 60) % 60;
}

static enum verdict judge(const struct test_case *c, const char **why)
{
	static const struct {
		const char *name;
		is_fn *is;
	} fields[] = {
		{ "name", name_is },
		{ "type", type_is },
		{ "size", size_is },
		{ "mode", mode_is },
		{ "mtime", mtime_is },
		{ "link_target", target_is },
	};
	const struct json *skip = json_get(c->expect, "skip"), *dot = json_get(c->json, "dot");
	struct aftp_entry e;
	bool entry = parse(c, &e, c->line.s, c->line.n) == AFTP_LINE_ENTRY;

	if (skip->type == JSON_TRUE) {
		*why = "should be no entry";
		return entry ? WRONG : RIGHT;
	}
	if (!entry)
		return SKIPPED;
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		*why = fields[i].name;
		if (!field(c, &e, fields[i].name, fields[i].is))
			return WRONG;
	}
	*why = "dot";
	return (dot && dot->type == JSON_TRUE) == e.dot ? RIGHT : WRONG;
}

static unsigned index_of(const char *name, bool tier)
{
	for (unsigned i = 0; i < (tier ? TIERS : FAMILIES); i++)
		if (strcmp(name, tier ? tiers[i] : families[i].name) == 0)
			return i;
	fail_msg("unknown family or tier %s", name);
	return 0;
}

static void count_one(void *arg, const struct test_case *c)
{
	unsigned(*counts)[TIERS][VERDICTS] = arg;
	unsigned family = index_of(json_get(c->json, "family")->text, false);
	unsigned tier = index_of(json_get(c->json, "tier")->text, true);
	const char *why = "skipped";
	enum verdict v = judge(c, &why);

	counts[family][tier][v]++;
	if (v == WRONG ? tier != LENIENT : v == SKIPPED && tier == CORE)
		print_error("%s %s %s: %s: %s\n", json_get(c->json, "id")->text, families[family].name, tiers[tier],
			why, c->line.s);
	else if (getenv("VERBOSE") && v != RIGHT)
		print_message("%s %s %s: %s: %s\n", json_get(c->json, "id")->text, families[family].name, tiers[tier],
			why, c->line.s);
}

static void test_lines(void **state)
{
	unsigned counts[FAMILIES][TIERS][VERDICTS] = { 0 };

	(void)state;
	each_case(count_one, counts);
	for (unsigned f = 0; f < FAMILIES; f++)
		for (unsigned t = 0; t < TIERS; t++)
			print_message("%-8s %-8s right %3u  skipped %3u  wrong %3u\n", families[f].name, tiers[t],
				counts[f][t][RIGHT], counts[f][t][SKIPPED], counts[f][t][WRONG]);
	for (unsigned f = 0; f < FAMILIES; f++) {
		assert_int_equal(counts[f][CORE][WRONG], 0);
		assert_int_equal(counts[f][CORE][SKIPPED], 0);
		assert_int_equal(counts[f][RARE][WRONG], 0);
		assert_true(counts[f][RARE][RIGHT] >= families[f].rare_right);
	}
}

/* --- robustness ----------------------------------------------------------------------------------- */

static bool inside(const char *part, size_t n, const char *s, size_t len)
{
	return !part || (part >= s && n <= len && part + n <= s + len);
}

/* A copy of just the right size lets a sanitizer see every step outside; what an entry points at must lie in it. */
static void harmless(const struct test_case *c, const char *s, size_t n)
{
	char *copy = malloc(n ? n : 1);
	struct aftp_entry e;

	assert_non_null(copy);
	memcpy(copy, s, n);
	if (parse(c, &e, copy, n) == AFTP_LINE_ENTRY) {
		assert_true(e.name_len > 0);
		assert_true(inside(e.name, e.name_len, copy, n));
		assert_true(inside(e.target, e.target_len, copy, n));
		assert_true(inside(e.unique, e.unique_len, copy, n));
		assert_true(e.mode <= 07777);
	}
	free(copy);
}

static void mangle_one(void *arg, const struct test_case *c)
{
	static const char marks[] = { ' ', '9', ';', ':', '\t', '\n', '\r', '[', (char)0xff, '\0' };
	char *copy = malloc(c->line.n + 1);

	(void)arg;
	assert_non_null(copy);
	for (size_t i = 0; i <= c->line.n; i++) {
		harmless(c, c->line.s, i);
		harmless(c, c->line.s + i, c->line.n - i);
	}
	for (size_t i = 0; i < c->line.n; i++) {
		memcpy(copy, c->line.s, c->line.n);
		copy[i] = marks[i % sizeof marks];
		harmless(c, copy, c->line.n);
	}
	free(copy);
}

static void test_pieces_do_no_harm(void **state)
{
	(void)state;
	each_case(mangle_one, NULL);
}

/* --- the same through a listing ------------------------------------------------------------------- */

struct sum {
	size_t piece;
	uint64_t entries, hash;
	struct aftp_listing listing;
};

static int add(void *arg, const struct aftp_entry *e)
{
	struct sum *s = arg;

	s->hash = (s->hash ^ e->size ^ (uint64_t)e->mtime ^ e->mode ^ e->type) * 1099511628211u;
	for (size_t i = 0; i < e->name_len; i++)
		s->hash = (s->hash ^ (unsigned char)e->name[i]) * 1099511628211u;
	s->entries++;
	return 0;
}

static void feed_one(void *arg, const struct test_case *c)
{
	struct sum *s = arg;
	char *copy = malloc(c->line.n + 2);
	size_t n = c->line.n + 2;

	if (c->mlsx) {
		free(copy);
		return;
	}
	assert_non_null(copy);
	memcpy(copy, c->line.s, c->line.n);
	memcpy(copy + c->line.n, "\r\n", 2);
	s->listing.now = c->now;
	for (size_t at = 0; at < n; at += s->piece)
		assert_int_equal(aftp_listing_feed(&s->listing, copy + at, n - at < s->piece ? n - at : s->piece), 0);
	free(copy);
}

static void test_pieces_of_any_size(void **state)
{
	struct sum whole = { .piece = 1000 }, piece;

	(void)state;
	aftp_listing_init(&whole.listing, AFTP_LISTING_LIST, 0, add, &whole);
	each_case(feed_one, &whole);
	assert_int_equal(aftp_listing_end(&whole.listing), 0);
	assert_int_equal(whole.entries, whole.listing.entries);
	assert_true(whole.entries > 800);
	for (size_t n = 1; n < 40; n += 6) {
		piece = (struct sum){ .piece = n };
		aftp_listing_init(&piece.listing, AFTP_LISTING_LIST, 0, add, &piece);
		each_case(feed_one, &piece);
		assert_int_equal(aftp_listing_end(&piece.listing), 0);
		assert_int_equal(piece.entries, whole.entries);
		assert_int_equal(piece.hash, whole.hash);
		assert_int_equal(piece.listing.unknown, whole.listing.unknown);
		aftp_listing_finish(&piece.listing);
	}
	aftp_listing_finish(&whole.listing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_pieces_do_no_harm),
		cmocka_unit_test(test_pieces_of_any_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
