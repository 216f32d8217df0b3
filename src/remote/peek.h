/* peek - fetches small files ahead for programs that read those of a directory one after the other (cp -r, grep -r, tar).
 *
 * When small files of a directory are opened in some order, the next ones are fetched on idle connections: as if a
 * program had opened them, so that what is true of an open file (one version; it is what a change by us made it) is true of these.
 * The open takes over what is there, or on its way, unless it is too old or looks different now. The more often it foretells,
 * the more are fetched, within a budget; a miss stops it, and what nobody takes is dropped after a while. */
#ifndef REMOTE_PEEK_H
#define REMOTE_PEEK_H

#include <stdbool.h>
#include <stdint.h>

#include "remote/order.h"

enum { PEEK_TRACKS = 4 };

struct peek {                    /* a file that was fetched ahead */
	struct content *content; /* counts as a handle of it */
	struct attr seen;        /* as the file looked */
	uint64_t at;             /* ms */
	struct peek *prev, *next;
};

struct peek_track {          /* a directory in which files are read */
	struct node *dir;    /* holds a reference; NULL: unused */
	struct order *order; /* of its small files; NULL: not looked at yet */
	uint64_t at;         /* ms: of the latest open */
	unsigned hits;
};

struct peeks {
	struct peek_track tracks[PEEK_TRACKS];
	struct peek *list; /* oldest first */
	unsigned count;
	uint64_t bytes;
};

/* A program opens n only for reading: what was fetched of it is good, or goes. Before the handle is made. */
void peek_check(struct site *s, struct node *n);
/* And after: the handle has it now, and others may come next. */
void peek_opened(struct site *s, struct node *n);
/* n is written, emptied, deleted or renamed. */
void peek_drop(struct site *s, struct node *n);
void peeks_tick(struct site *s); /* what is too old */
void peeks_finish(struct site *s);

#endif
