#include "server/content.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { FIRST_CAP = 64 << 10, LOW_ROOM = 16 << 10, MAPPED = 64 << 10, PAGE = 4096 };

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static const char zeros[64 << 10];

static size_t min_size(uint64_t a, uint64_t b)
{
	return (size_t)(a < b ? a : b);
}

/* --- budget ---------------------------------------------------------------------------------------- */

bool budget_take(struct budget *b, uint64_t n)
{
	if (b && b->max > 0 && (b->used >= b->max || n > b->max - b->used))
		return false;
	if (b)
		b->used += n;
	return true;
}

void budget_give(struct budget *b, uint64_t n)
{
	if (b)
		b->used -= n;
}

/* --- chunks ---------------------------------------------------------------------------------------- */

static bool chunk_mapped(const struct chunk *ch)
{
	return ch->data != (const char *)(ch + 1);
}

/* Chunks that are not small are mappings of full size, of which the kernel fills in what is needed, in one go: a fault
 * for each page would cost more than the copy. So they grow where they are. */
static bool chunk_grow(struct chunk *ch, size_t cap)
{
	size_t more = cap - ch->cap;
	if (!budget_take(ch->budget, more))
		return false;
	if (madvise(ch->data + ch->cap, more, MADV_POPULATE_WRITE) < 0 && errno != EINVAL) {
		budget_give(ch->budget, more);
		return false;
	}
	ch->cap = cap;
	return true;
}

/* How much at once, in the chunk of that number: little while a file is small, so that many uploads together waste
 * little, and then more, so that one is fast. */
static size_t step_of(size_t idx)
{
	return idx < 8 ? 64 << 10 : idx < 32 ? 128 << 10 : 512 << 10;
}

static size_t whole_pages(size_t n)
{
	return (n + PAGE - 1) / PAGE * PAGE;
}

static struct chunk *chunk_map(struct budget *budget, size_t cap)
{
	struct chunk *ch = malloc(sizeof(*ch));
	if (!ch)
		return NULL;
	*ch = (struct chunk){ .budget = budget, .refs = 1 };
	ch->data =
		mmap(NULL, CONTENT_CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ch->data != MAP_FAILED && chunk_grow(ch, whole_pages(cap)))
		return ch;
	if (ch->data != MAP_FAILED)
		munmap(ch->data, CONTENT_CHUNK);
	free(ch);
	return NULL;
}

static struct chunk *chunk_new(struct budget *budget, size_t cap)
{
	if (cap >= MAPPED)
		return chunk_map(budget, cap);
	if (!budget_take(budget, cap))
		return NULL;
	struct chunk *ch = malloc(sizeof(*ch) + cap);
	if (ch)
		*ch = (struct chunk){ .budget = budget, .refs = 1, .cap = cap, .data = (char *)(ch + 1) };
	else
		budget_give(budget, cap);
	return ch;
}

static void chunk_free(struct chunk *ch)
{
	budget_give(ch->budget, ch->cap);
	if (chunk_mapped(ch))
		munmap(ch->data, CONTENT_CHUNK);
	free(ch);
}

static struct chunk *chunk_copy(const struct chunk *from, size_t cap)
{
	struct chunk *ch = chunk_new(from->budget, cap);
	if (!ch)
		return NULL;
	ch->used = from->used < cap ? from->used : cap;
	memcpy(ch->data, from->data, ch->used);
	return ch;
}

static void chunk_unref(struct chunk *ch)
{
	if (ch && --ch->refs == 0 && ch->pins == 0)
		chunk_free(ch);
}

void content_unpin(struct chunk *pin)
{
	if (pin && --pin->pins == 0 && pin->refs == 0)
		chunk_free(pin);
}

/* --- life ------------------------------------------------------------------------------------------ */

struct content *content_new(struct budget *budget)
{
	struct content *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->refs = 1;
	c->budget = budget;
	return c;
}

static uint64_t table_bytes(size_t slots)
{
	return (uint64_t)slots * sizeof(struct chunk *);
}

struct content *content_ref(struct content *c)
{
	c->refs++;
	return c;
}

void content_unref(struct content *c)
{
	if (!c || --c->refs > 0)
		return;
	for (size_t i = 0; i < c->nchunks; i++)
		chunk_unref(c->chunks[i]);
	budget_give(c->budget, table_bytes(c->nchunks));
	free(c->chunks);
	free(c);
}

static struct content *content_clone(const struct content *c)
{
	struct content *n = content_new(c->budget);
	if (!n)
		return NULL;
	bool taken = budget_take(c->budget, table_bytes(c->nchunks));
	n->chunks = taken ? calloc(c->nchunks + 1, sizeof(struct chunk *)) : NULL;
	if (!n->chunks) {
		if (taken)
			budget_give(c->budget, table_bytes(c->nchunks));
		free(n);
		return NULL;
	}
	n->size = c->size;
	n->pattern_size = c->pattern_size;
	n->seed = c->seed;
	n->nchunks = c->nchunks;
	for (size_t i = 0; i < c->nchunks; i++) {
		n->chunks[i] = c->chunks[i];
		if (n->chunks[i])
			n->chunks[i]->refs++;
	}
	return n;
}

/* Makes *c one that nobody else holds. */
static int content_own(struct content **c)
{
	if ((*c)->refs == 1)
		return 0;
	struct content *n = content_clone(*c);
	if (!n)
		return -ENOMEM;
	content_unref(*c);
	*c = n;
	return 0;
}

/* --- reading --------------------------------------------------------------------------------------- */

static uint64_t pattern_word(uint64_t seed, uint64_t i)
{
	uint64_t z = seed + (i + 1) * 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

void content_generate(uint64_t seed, uint64_t off, void *buf, size_t n)
{
	char *p = buf;
	while (n > 0) {
		uint64_t word = htole64(pattern_word(seed, off / 8));
		size_t skip = (size_t)(off % 8), part = min_size(8 - skip, n);
		if (part == 8)
			memcpy(p, &word, 8);
		else
			memcpy(p, (const char *)&word + skip, part);
		p += part;
		off += part;
		n -= part;
	}
}

size_t content_peek(const struct content *c, uint64_t off, size_t max, const char **data)
{
	if (off >= c->size)
		return 0;
	size_t idx = (size_t)(off / CONTENT_CHUNK), in = (size_t)(off % CONTENT_CHUNK);
	size_t n = min_size(c->size - off, min_size(max, CONTENT_CHUNK - in));
	const struct chunk *ch = idx < c->nchunks ? c->chunks[idx] : NULL;
	if (ch) {
		*data = ch->data + in;
		return n;
	}
	if (off < c->pattern_size) {
		*data = NULL;
		return min_size(n, c->pattern_size - off);
	}
	*data = zeros;
	return min_size(n, sizeof(zeros));
}

size_t content_copy_out(const struct content *c, uint64_t off, void *buf, size_t n)
{
	size_t done = 0;
	while (done < n) {
		const char *data;
		size_t part = content_peek(c, off + done, n - done, &data);
		if (part == 0)
			break;
		if (data)
			memcpy((char *)buf + done, data, part);
		else
			content_generate(c->seed, off + done, (char *)buf + done, part);
		done += part;
	}
	return done;
}

/* --- writing --------------------------------------------------------------------------------------- */

static int table_reach(struct content *c, size_t idx)
{
	if (idx < c->nchunks)
		return 0;
	size_t want = idx + 1 > c->nchunks * 2 ? idx + 1 : c->nchunks * 2;
	uint64_t more = table_bytes(want - c->nchunks);
	if (!budget_take(c->budget, more))
		return -ENOMEM;
	struct chunk **t = realloc(c->chunks, want * sizeof(struct chunk *));
	if (!t) {
		budget_give(c->budget, more);
		return -ENOMEM;
	}
	memset(t + c->nchunks, 0, (want - c->nchunks) * sizeof(struct chunk *));
	c->chunks = t;
	c->nchunks = want;
	return 0;
}

/* What a hole shows, as real bytes, and zeros up to `in`. */
static struct chunk *chunk_of_hole(const struct content *c, size_t idx, size_t in, size_t need)
{
	uint64_t base = (uint64_t)idx * CONTENT_CHUNK;
	size_t have = c->size > base ? min_size(c->size - base, CONTENT_CHUNK) : 0;
	size_t cap = have > need ? have : need;
	struct chunk *ch =
		chunk_new(c->budget, have > 0 || idx > 0 ? min_size(cap + step_of(idx), CONTENT_CHUNK) : cap);
	if (!ch)
		return NULL;
	ch->used = content_copy_out(c, base, ch->data, have);
	if (in > ch->used) {
		memset(ch->data + ch->used, 0, in - ch->used);
		ch->used = in;
	}
	return ch;
}

/* The chunk `idx` of a content that nobody else holds, with room for `need` bytes in all, whose bytes from `in` on
 * nobody else can see. */
static int chunk_writable(struct content *c, size_t idx, size_t in, size_t need, struct chunk **out)
{
	int rc = table_reach(c, idx);
	if (rc < 0)
		return rc;
	struct chunk *ch = c->chunks[idx], *n = ch;
	if (!ch)
		n = chunk_of_hole(c, idx, in, need);
	else if (ch->refs > 1 && in < ch->used)
		n = chunk_copy(ch, ch->cap > need ? ch->cap : need);
	else if (ch->cap < need && chunk_mapped(ch))
		n = chunk_grow(ch, min_size(whole_pages(need) + step_of(idx), CONTENT_CHUNK)) ? ch : NULL;
	else if (ch->cap < need)
		n = chunk_copy(ch, min_size(ch->cap * 4 > need ? ch->cap * 4 : need, CONTENT_CHUNK));
	if (!n)
		return -ENOMEM;
	if (n != ch) {
		chunk_unref(ch);
		c->chunks[idx] = n;
	}
	*out = n;
	return 0;
}

/* Makes the bytes between the end and `off` zeros, without moving the end. */
static int content_gap(struct content *c, uint64_t off)
{
	size_t idx = (size_t)(c->size / CONTENT_CHUNK), in = (size_t)(c->size % CONTENT_CHUNK);
	if (off <= c->size || idx >= c->nchunks || !c->chunks[idx])
		return 0;
	size_t end = min_size(off - (uint64_t)idx * CONTENT_CHUNK, CONTENT_CHUNK);
	struct chunk *ch;
	int rc = chunk_writable(c, idx, in, end, &ch);
	if (rc < 0)
		return rc;
	memset(ch->data + in, 0, end - in);
	if (ch->used < end)
		ch->used = end;
	return 0;
}

int content_resize(struct content **c, uint64_t size)
{
	if (size > CONTENT_MAX && size > (*c)->size)
		return -EFBIG;
	int rc = content_own(c);
	if (rc == 0)
		rc = content_gap(*c, size);
	if (rc < 0)
		return rc;
	for (size_t i = (size_t)((size + CONTENT_CHUNK - 1) / CONTENT_CHUNK); i < (*c)->nchunks; i++) {
		chunk_unref((*c)->chunks[i]);
		(*c)->chunks[i] = NULL;
	}
	(*c)->size = size;
	if ((*c)->pattern_size > size)
		(*c)->pattern_size = size;
	return 0;
}

static int content_open_chunk(struct content **c, uint64_t off, size_t more, struct chunk **ch)
{
	size_t in = (size_t)(off % CONTENT_CHUNK);
	if (off >= CONTENT_MAX)
		return -EFBIG;
	int rc = content_own(c);
	if (rc == 0)
		rc = content_gap(*c, off);
	if (rc == 0)
		rc = chunk_writable(
			*c, (size_t)(off / CONTENT_CHUNK), in, min_size((uint64_t)in + more, CONTENT_CHUNK), ch);
	return rc;
}

static void content_grew(struct content *c, struct chunk *ch, uint64_t off, size_t n)
{
	size_t end = (size_t)(off % CONTENT_CHUNK) + n;
	if (ch->used < end)
		ch->used = end;
	if (c->size < off + n)
		c->size = off + n;
}

int content_write(struct content **c, uint64_t off, const void *data, size_t n)
{
	size_t done = 0;
	while (done < n) {
		size_t in = (size_t)((off + done) % CONTENT_CHUNK), part = min_size(n - done, CONTENT_CHUNK - in);
		struct chunk *ch;
		int rc = content_open_chunk(c, off + done, part, &ch);
		if (rc < 0)
			return rc;
		memmove(ch->data + in, (const char *)data + done, part);
		content_grew(*c, ch, off + done, part);
		done += part;
	}
	return 0;
}

int content_room(struct content **c, uint64_t off, struct chunk **pin, char **room, size_t *len)
{
	size_t in = (size_t)(off % CONTENT_CHUNK);
	int rc = content_open_chunk(c, off, in == 0 && off == 0 ? FIRST_CAP : LOW_ROOM, pin);
	if (rc < 0)
		return rc;
	(*pin)->pins++;
	*room = (*pin)->data + in;
	*len = (*pin)->cap - in;
	return 0;
}

int content_landed(struct content **c, uint64_t off, struct chunk *pin, size_t n)
{
	size_t idx = (size_t)(off / CONTENT_CHUNK);
	if (n == 0)
		return 0;
	int rc = content_own(c);
	if (rc < 0)
		return rc;
	/* Another writer may have cut the file short, or replaced the chunk, meanwhile. */
	if (off > (*c)->size || idx >= (*c)->nchunks || (*c)->chunks[idx] != pin)
		return content_write(c, off, pin->data + off % CONTENT_CHUNK, n);
	content_grew(*c, pin, off, n);
	return 0;
}

int content_part(struct content **c, uint64_t off)
{
	size_t idx = (size_t)(off / CONTENT_CHUNK);
	if (idx >= (*c)->nchunks || !(*c)->chunks[idx])
		return 0;
	struct chunk *copy = chunk_copy((*c)->chunks[idx], (*c)->chunks[idx]->cap);
	struct content *n = copy ? content_clone(*c) : NULL;
	if (!n) {
		chunk_unref(copy);
		return -ENOMEM;
	}
	chunk_unref(n->chunks[idx]);
	n->chunks[idx] = copy;
	content_unref(*c);
	*c = n;
	return 0;
}

void content_trim(struct content *c)
{
	size_t idx = (size_t)(c->size / CONTENT_CHUNK), in = (size_t)(c->size % CONTENT_CHUNK);
	struct chunk *ch = idx < c->nchunks ? c->chunks[idx] : NULL;
	if (!ch || c->refs > 1 || ch->refs > 1 || ch->pins > 0 || ch->cap - in < ch->cap / 4)
		return;
	size_t keep = whole_pages(in);
	if (chunk_mapped(ch) && in >= MAPPED && madvise(ch->data + keep, ch->cap - keep, MADV_DONTNEED) == 0) {
		budget_give(ch->budget, ch->cap - keep);
		ch->cap = keep;
		return;
	}
	struct chunk *n = in > 0 ? chunk_copy(ch, in) : NULL;
	if (!n && in > 0)
		return;
	chunk_unref(ch);
	c->chunks[idx] = n;
}
