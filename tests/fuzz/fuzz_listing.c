/* A LIST or name listing, whole and in pieces: both must give the same. The first byte chooses. */
#include <string.h>

#include <aftp/entry.h>
#include <aftp/status.h>

#include "fuzz.h"

enum { NOW = 1700000000, LINE_MAX_BYTES = 2000 };

struct sum {
	uint64_t entries, hash;
};

static void mix(struct sum *s, const void *data, size_t n)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i++)
		s->hash = (s->hash ^ p[i]) * 1099511628211u;
}

static int see(void *arg, const struct aftp_entry *e)
{
	struct sum *s = arg;

	MUST(e->name && e->name_len > 0 && e->name_len <= LINE_MAX_BYTES * 2);
	MUST(!memchr(e->name, '\n', e->name_len));
	MUST(!e->target || e->target_len <= LINE_MAX_BYTES * 2);
	MUST(e->mode <= 07777);
	MUST(!(e->have & AFTP_HAVE_MTIME) || e->precision != AFTP_TIME_NONE);
	s->entries++;
	mix(s, e->name, e->name_len);
	mix(s, e->target, e->target ? e->target_len : 0);
	mix(s, &e->size, sizeof e->size);
	mix(s, &e->mtime, sizeof e->mtime);
	return 0;
}

static int feed(struct aftp_listing *l, const char *data, size_t size, size_t piece)
{
	int rc = 0;

	while (size > 0 && rc == 0) {
		size_t n = size < piece ? size : piece;
		char *copy = malloc(n);

		MUST(copy);
		memcpy(copy, data, n);
		rc = aftp_listing_feed(l, copy, n);
		free(copy);
		data += n;
		size -= n;
	}
	return rc == 0 ? aftp_listing_end(l) : rc;
}

static int run(struct sum *s, enum aftp_listing_kind kind, const char *data, size_t size, size_t piece)
{
	struct aftp_listing l;
	int rc;

	*s = (struct sum){ 0 };
	aftp_listing_init(&l, kind, NOW, see, s);
	l.max_line = LINE_MAX_BYTES;
	rc = feed(&l, data, size, piece);
	MUST(rc == 0 || rc == AFTP_ELINETOOLONG);
	MUST(l.entries == s->entries);
	MUST((l.unknown > 0) == (l.first_unknown[0] != '\0') || l.unknown > 0);
	aftp_listing_finish(&l);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum aftp_listing_kind kinds[] = { AFTP_LISTING_LIST, AFTP_LISTING_LIST, AFTP_LISTING_NLST };
	struct sum whole, pieces;
	enum aftp_listing_kind kind;
	int rc;

	if (size < 2)
		return 0;
	kind = kinds[data[0] % 3];
	rc = run(&whole, kind, (const char *)data + 1, size - 1, size);
	MUST(run(&pieces, kind, (const char *)data + 1, size - 1, data[0] / 3 % 50 + 1) == rc);
	MUST(rc < 0 || (whole.entries == pieces.entries && whole.hash == pieces.hash));
	return 0;
}
