/* content - the bytes of one file in memory, as chunks that are shared until somebody writes.
 *
 * A reader holds a reference to the content as it was when it opened the file; a writer that finds the content
 * shared goes on with a clone of the chunk table, and copies only chunks in which it changes bytes that others can
 * see. Appending copies nothing. A chunk that is not there is a hole: zeros, or a generated pattern. Pure memory. */
#ifndef SERVER_CONTENT_H
#define SERVER_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONTENT_CHUNK = 1 << 20 };
#define CONTENT_MAX ((uint64_t)1 << 40) /* a table for more would itself be large */

/* What all content together may take of memory. */
struct budget {
	uint64_t used, max; /* bytes; max 0 = no limit */
};
/* True when n more fit in: they are taken then, until budget_give(). Both accept NULL: no limit, not counted. */
bool budget_take(struct budget *b, uint64_t n);
void budget_give(struct budget *b, uint64_t n);

struct chunk {
	struct budget *budget;
	unsigned refs; /* contents that have it */
	unsigned pins; /* writers that were lent room in it */
	size_t cap;    /* bytes that are there */
	size_t used;   /* bytes that some content may show; room after them is free to write */
	char *data;    /* behind this struct, or a mapping with room for a whole chunk */
};

struct content {
	struct budget *budget;
	unsigned refs;
	uint64_t size;
	uint64_t pattern_size; /* holes below it are the pattern of `seed`, above it zeros */
	uint64_t seed;
	size_t nchunks; /* slots in the table; content beyond them is a hole */
	struct chunk **chunks;
};

/* Empty, one reference; NULL without memory. The budget (may be NULL) outlives it and its chunks. */
struct content *content_new(struct budget *budget);
struct content *content_ref(struct content *c);
void content_unref(struct content *c); /* accepts NULL */

/* The bytes at `off`, as many as lie together but at most `max`; 0 at the end. *data is NULL when they must be
 * generated: content_generate(). */
size_t content_peek(const struct content *c, uint64_t off, size_t max, const char **data);
void content_generate(uint64_t seed, uint64_t off, void *buf, size_t n);

/* Copies up to n bytes out, whatever they are made of; the count. */
size_t content_copy_out(const struct content *c, uint64_t off, void *buf, size_t n);

/* The writers' calls replace *c when it is shared. 0, -ENOMEM (no memory, or none in the budget), -EFBIG. */
int content_resize(struct content **c, uint64_t size);
int content_write(struct content **c, uint64_t off, const void *data, size_t n);

/* Room for bytes at `off`, lent: *len at least 1. *pin is the chunk, pinned until content_unpin(). What lands there
 * is part of the content after content_landed(). */
int content_room(struct content **c, uint64_t off, struct chunk **pin, char **room, size_t *len);
int content_landed(struct content **c, uint64_t off, struct chunk *pin, size_t n);
void content_unpin(struct chunk *pin); /* accepts NULL */

/* Gives `c` its own copy of the chunk at `off`, so that a loan in it changes nothing for the holders of *c. */
int content_part(struct content **c, uint64_t off);

void content_trim(struct content *c); /* returns unused room at the end */

#endif
