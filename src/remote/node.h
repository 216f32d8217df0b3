/* node - the inodes that the kernel or an open handle knows.
 *
 * Three things name a file: its path on the server (what commands take), its node (a parent and a name, from which the
 * path is made), and its inode number (what the kernel keeps). The number is a hash of the path, so it is the same
 * whenever the path is seen again, even after the kernel forgot it; a rare collision takes the next free number.
 *
 * A node lives while anything needs it: the kernel's lookup count, a handle, a child, or a listing kept for it. */
#ifndef REMOTE_NODE_H
#define REMOTE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "remote/attr.h"
#include "remote/dirlist.h"

struct listing_job;
struct content;
struct writer;

/* What was changed in a directory while a listing of it was on its way, which may show the state before. */
struct changes {
	struct dirlist *put, *removed; /* `removed`: names only */
	bool lost;                     /* memory ran out: the listing is worth nothing */
	bool doubted;                  /* what was changed is not known: it may not be kept */
};

struct node {
	uint64_t ino;
	struct node *parent; /* NULL for the root; holds a reference on it */
	char *key;           /* the parent's number (8 bytes), then the name */
	const char *name;    /* inside key; "" for the root */
	uint64_t nlookup;    /* the kernel's */
	unsigned refs;       /* ours: children, handles, requests */

	struct attr attr;
	char *target;     /* of a link; NULL when not known */
	uint64_t attr_at; /* when attr was learned, ms of the loop's clock; 0 = never */

	struct dirlist *list; /* of a directory; NULL when none is kept */
	uint64_t list_at;
	unsigned singles;                   /* names looked up one by one since the last listing */
	unsigned edits;                     /* counts our changes in it: what was asked before one may be out of date */
	struct changes *changes;            /* where they are also noted, for a listing under way; or NULL */
	struct node *list_prev, *list_next; /* nodes::lists, newest first */
	struct listing_job *listing;        /* the listing that is being fetched */
	struct writer *writer;              /* of a file that has changes that the server has not confirmed */
	bool doomed;             /* unlinked while open: renamed aside on the server, deleted at the last release */
	struct content *content; /* of a file that is open */
	struct attr opened;      /* as it was at the latest open; type 0 before the first */

	UT_hash_handle by_ino, by_name; /* nodes::by_ino, nodes::by_name */
	bool unlisted;                  /* memory ran out while it was put into a table */
	bool gone;                      /* nothing has its path any more, or something else has it */
	bool stray;                     /* its number is not the one that its path gives, or it has no path */
};

struct nodes {
	struct node *root;
	struct node *by_ino, *by_name;
	struct node *lists;          /* with a list, newest first */
	size_t entries, max_entries; /* in those lists */
	size_t count, strays;
	char *base; /* path of the root on the server: "/" or "/pub", never with a final slash but for "/" */
};

int nodes_init(struct nodes *t, const char *base, size_t max_entries);
void nodes_finish(struct nodes *t); /* frees every node; accepts a zeroed value */

struct node *node_by_ino(struct nodes *t, uint64_t ino);                         /* or NULL */
struct node *node_child(struct nodes *t, struct node *parent, const char *name); /* or NULL when it is not known */

/* The child node, made when there is none. NULL when out of memory. Its counts are as they were (0 for a new one). */
struct node *node_get_child(struct nodes *t, struct node *parent, const char *name);

struct node *node_ref(struct node *n);
void node_unref(struct nodes *t, struct node *n);                    /* may free n; accepts NULL */
void node_forget(struct nodes *t, struct node *n, uint64_t nlookup); /* may free n */

/* The path on the server of n, or of `name` in n when name is not NULL. Malloc'ed; NULL when out of memory. */
char *node_path(const struct nodes *t, const struct node *n, const char *name);

/* The inode number that a child has or would get. */
uint64_t node_child_ino(struct nodes *t, struct node *parent, const char *name);

/* Is n, or a directory that it is in, gone? Then no path leads to it. */
bool node_is_gone(const struct node *n);

/* n is now `name` in `parent`, and keeps its number; what is below it follows. Another node of that name is detached.
 * AFTP_ENOMEM: n is gone instead. */
int node_move(struct nodes *t, struct node *n, struct node *parent, const char *name);
/* Its name is free for another. It lives on, gone, while something needs it; may free n. */
void node_detach(struct nodes *t, struct node *n);

/* Changes that were made on the server: `name` in `dir` looks like this, or is not there any more. The list of dir, if it is
 * kept, and one that is on its way show it from now on; a complete list stays complete. */
void node_list_put(struct nodes *t, struct node *dir, const char *name, const struct attr *a, const char *target);
void node_list_remove(struct nodes *t, struct node *dir, const char *name);
/* Something in dir may have changed, or not: it must be listed before it is believed again. */
void node_list_doubt(struct node *dir);
/* A name came or went: the directory's own time is now. */
void node_touch(struct node *dir);

void node_set_attr(struct node *n, const struct attr *a, const char *target, uint64_t now);

/* Keeps the list (takes a reference) as the newest; the oldest go when there are too many entries. */
void node_set_list(struct nodes *t, struct node *n, struct dirlist *list, uint64_t now);
void node_drop_list(struct nodes *t, struct node *n); /* may free n, unless something else needs it */

#endif
