/* walk - looks ahead for programs that walk through a tree (find, ls -R, du, rsync).
 *
 * When a directory and then the first of its children are opened, or one child after the other in some order, what
 * the walker will open next is listed ahead on idle connections, in the walker's order: the children of where it is, then
 * the siblings, then those of its parents. The better it foretells, the further it goes, within a share of the
 * cache and no further than the walker comes before the listings are too old. A miss ends it. */
#ifndef REMOTE_WALK_H
#define REMOTE_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "remote/order.h"

enum { WALKS = 4, WALK_DEPTH = 32, WALK_FAILED = 64 };

struct walk_frame {
	struct node *dir;    /* holds a reference */
	struct order *order; /* of the directories in it; NULL before one was opened */
};

struct walk { /* from where it began down to the directory that was opened last */
	struct walk_frame stack[WALK_DEPTH];
	unsigned depth;
	unsigned hits;     /* in a row */
	uint64_t at, pace; /* ms: of the latest open; between two, smoothed */
};

struct walks {
	struct walk walk[WALKS];
	unsigned running;             /* listings ahead that are under way */
	uint64_t failed[WALK_FAILED]; /* inodes that could not be listed; a ring */
	unsigned next_failed;
};

void walk_opened(struct site *s, struct node *dir);       /* by a program */
void walk_listed(struct site *s);                         /* a directory was listed, for whomever */
void walk_failed(struct site *s, const struct node *dir); /* a listing ahead */
void walks_finish(struct site *s);

#endif
