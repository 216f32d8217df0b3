/* window - a piece of a file in memory, one byte after the other: filled at its end, let go at its beginning. */
#ifndef REMOTE_WINDOW_H
#define REMOTE_WINDOW_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define CHUNK_SIZE (256u * 1024)

struct chunk {
	struct chunk *next;
	uint32_t cap, len;
	char data[];
};

/* What all windows of a site have in common. */
struct window_memory {
	size_t used;         /* bytes in all windows */
	struct chunk *spare; /* of full size, to use again */
	unsigned spares;
};

struct window {
	struct window_memory *memory;
	struct chunk *first, *last;
	uint64_t base, end; /* offsets in the file: of the first byte, and behind the last */
};

void window_init(struct window *w, struct window_memory *m, uint64_t off);
void window_drop(struct window *w, uint64_t off); /* empty, at off */

/* Memory for what comes at the end, which are `fit` bytes (at least 1) at most; NULL when there is none. Then what came. */
char *window_lend(struct window *w, uint64_t fit, size_t *len);
void window_landed(struct window *w, size_t n);

void window_trim(struct window *w, uint64_t low); /* what is before low is not needed any more */
/* Where [off, off + len) is; all of it must be there. The number of pieces, at most max. */
int window_map(const struct window *w, uint64_t off, size_t len, struct iovec *iov, int max);
/* `next` begins where w ends: it is w's now, and empty. */
void window_join(struct window *w, struct window *next);

void window_memory_finish(struct window_memory *m);

#endif
