#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#include <aftp/status.h>

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void buf_finish(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .max = b->max };
}

size_t buf_len(const struct buf *b)
{
	return b->end - b->start;
}

const char *buf_bytes(const struct buf *b)
{
	return b->data ? b->data + b->start : "";
}

/* Moves what is unread to the front. */
static void compact(struct buf *b)
{
	if (b->start == 0 || !b->data)
		return;
	memmove(b->data, b->data + b->start, b->end - b->start);
	b->end -= b->start;
	b->start = 0;
}

static int grow(struct buf *b, size_t need)
{
	size_t cap = b->cap < 64 ? 64 : b->cap;
	char *data;

	while (cap < need)
		cap = cap > b->max / 2 ? need : cap * 2;
	data = realloc(b->data, cap);
	if (!data)
		return AFTP_ENOMEM;
	b->data = data;
	b->cap = cap;
	return 0;
}

int buf_reserve(struct buf *b, size_t n, char **room)
{
	size_t len = buf_len(b);

	if (n > b->max || len > b->max - n)
		return AFTP_ETOOBIG;
	if (n > b->cap - b->end || !b->data) {
		int rc;

		compact(b);
		rc = len + n > b->cap || !b->data ? grow(b, len + n) : 0;
		if (rc < 0)
			return rc;
	}
	*room = b->data + b->end;
	return 0;
}

void buf_commit(struct buf *b, size_t n)
{
	b->end += n;
}

int buf_append(struct buf *b, const void *data, size_t n)
{
	char *room;
	int rc = buf_reserve(b, n, &room);

	if (rc < 0)
		return rc;
	if (n > 0)
		memcpy(room, data, n);
	buf_commit(b, n);
	return 0;
}

void buf_consume(struct buf *b, size_t n)
{
	b->start += n;
	if (b->start >= b->end)
		b->start = b->end = 0;
}
