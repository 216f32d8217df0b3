/* memtree - the nodes of the memory vfs: directories that are hash tables, files with shared content, links.
 *
 * Synchronous and without a loop. Nodes are counted: the tree holds one reference, each open handle another,
 * so that a removed file lives on until it is closed. Statuses are -errno. */
#ifndef SERVER_MEMTREE_H
#define SERVER_MEMTREE_H

#include <aftp/vfs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "server/content.h"

struct memfile;

struct memtree;

struct memnode {
	UT_hash_handle hh; /* in the parent's children, by name */
	struct memtree *tree;
	struct memnode *parent; /* NULL of the root and of what was removed */
	char *name;
	unsigned refs;
	enum aftp_type type;
	uint32_t mode;
	uint64_t unique;
	int64_t mtime;
	uint32_t mtime_nsec;
	uint32_t subdirs;         /* of a directory */
	struct memnode *children; /* of a directory: the hash table's head */
	struct content *content;  /* of a file */
	struct memfile *writers;  /* of a file: memfile.prev/next */
	char *target;             /* of a link */
};

struct memtree {
	struct memnode *root;
	uint64_t last_unique;
	uint64_t bytes;       /* of all files together, those that are open and removed included */
	uint64_t quota;       /* what it may reach; 0 = no limit */
	struct budget budget; /* of nodes and content */
};

int memtree_init(struct memtree *t);
void memtree_finish(struct memtree *t); /* accepts a zeroed value */

void memtree_ref(struct memnode *n);
void memtree_unref(struct memnode *n); /* accepts NULL */

/* How a path is walked. */
enum {
	MEMTREE_FOLLOW = 1 << 0, /* a link at the end is followed */
	MEMTREE_MODES = 1 << 1,  /* directories need 0100 to be walked through */
};
/* Below `root`, which links and ".." never leave. */
int memtree_find(struct memnode *root, const char *path, unsigned how, struct memnode **out);

/* The same walk, for who must know where it ended: after a failure at `at`, with `rest` of the path not walked. */
struct memtree_walk {
	struct memnode *root, *at;
	const char *rest;
	unsigned how;
	int links;  /* followed so far */
	char *text; /* what `rest` points into after a link; or NULL */
};
int memtree_walk(struct memtree_walk *w, struct memnode *root, const char *path, unsigned how);
void memtree_walk_finish(struct memtree_walk *w);

struct memnode *memtree_child(struct memnode *dir, const char *name, size_t len);

/* A new node under `dir`, with the time of now; a file gets empty content, a link its target (else NULL).
 * -EEXIST, -ENAMETOOLONG, -EINVAL (an impossible name), -ENOMEM. */
int memtree_add(struct memtree *t, struct memnode *dir, const char *name, enum aftp_type type, uint32_t mode,
	const char *target, struct memnode **out);
void memtree_remove(struct memnode *n); /* with all below it, children first */
/* Moves a node; nothing of that name may be there. 0, -ENOMEM, -ENAMETOOLONG, -EINVAL (below itself). */
int memtree_move(struct memnode *n, struct memnode *dir, const char *name);

void memtree_touch(struct memnode *n);                    /* mtime = now */
void memtree_resized(struct memnode *n, uint64_t before); /* a file's content has another size now */
uint64_t memtree_left(const struct memtree *t);           /* bytes that files may still grow by */
void memtree_stat(const struct memnode *n, struct aftp_vfs_stat *st);

#endif
