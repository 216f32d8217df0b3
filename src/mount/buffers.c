#include "mount/buffers.h"

#include <stdbool.h>
#include <stdlib.h>

#define SPARE 4

struct buffers {
	void *spare[SPARE];
	unsigned spares, lent;
	bool closed;
};

struct buffers *buffers_new(void)
{
	return calloc(1, sizeof(struct buffers));
}

void *buffers_take(struct buffers *b)
{
	return b->spares > 0 ? b->spare[--b->spares] : NULL;
}

void buffers_lent(struct buffers *b)
{
	b->lent++;
}

static void end(struct buffers *b)
{
	if (b->closed && b->lent == 0)
		free(b);
}

void buffers_back(void *arg, void *memory)
{
	struct buffers *b = arg;
	if (b->spares < SPARE && !b->closed)
		b->spare[b->spares++] = memory;
	else
		free(memory);
	b->lent--;
	end(b);
}

void buffers_free(struct buffers *b)
{
	if (b == NULL)
		return;
	while (b->spares > 0)
		free(b->spare[--b->spares]);
	b->closed = true;
	end(b);
}
