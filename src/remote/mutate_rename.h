/* mutate_rename - a rename under way, for what has use of one. */
#ifndef REMOTE_MUTATE_RENAME_H
#define REMOTE_MUTATE_RENAME_H

#include "remote/mutate.h"

enum rename_phase {
	RENAME_LOOK,    /* nothing may be there */
	RENAME_REMOVE,  /* the empty directory in the way */
	RENAME_ASIDE,   /* with the file in the way */
	RENAME_MOVE,    /* the rename itself */
	RENAME_CLEAN,   /* away with the file that was moved aside */
	RENAME_RESTORE, /* the rename failed: back with it */
	RENAME_SETTLE,  /* the site was away in the middle: back with it, if its name is free */
};

struct renaming {
	struct mutation m; /* dir and name: from */
	enum rename_phase phase;
	struct node *to; /* the directory; holds a reference */
	char *to_name, *to_path;
	struct node *source, *target; /* nodes that are known; hold references */
	struct attr attr;             /* of the source */
	char *link;                   /* where it points */
	bool attr_known;
	bool looked;     /* what is in the way is known for sure */
	bool in_way;     /* something is there */
	bool removed;    /* it was a directory, and is gone */
	bool aside;      /* it was moved aside */
	bool held;       /* and is open */
	bool moved;      /* the rename is done */
	bool publishing; /* what is moved is the new content of `target`, which stays the node it is */
	bool settling;   /* for an asker who was told that it failed */
	int error;       /* why it failed */
	char aside_name[ASIDE_SIZE];
	char *aside_path;
};

extern const struct mutation_kind rename_kind;

#endif
