/* memview - the memory vfs as one user sees it: what lies below a base, and behind a guard.
 *
 * The guard is asked for the path where a thing really is, after every link, and also when it is not there: what is
 * denied cannot be told from what is missing. */
#ifndef SERVER_MEMVIEW_H
#define SERVER_MEMVIEW_H

#include "server/memfs.h"

/* 0 or -errno; `need` are AFTP_VFS_READ and _WRITE, `how` MEMTREE_*. */
int memview_find(struct memview *v, const char *path, unsigned how, unsigned need, struct memnode **out);

/* The directory that holds (or would hold) the last name of the path, and that name. `need` is asked for the two
 * together; `where` (may be NULL, PATH_CAP bytes) is where they are, for memview_moves(). -EBUSY for the root. */
int memview_find_parent(struct memview *v, const char *path, unsigned need, bool tree, char *where,
	struct memnode **dir, const char **name);
bool memview_moves(const struct memview *v, const char *from, const char *to);

int memview_new(struct aftp_vfs *vfs, const char *base, const struct aftp_vfs_guard *guard, struct aftp_vfs **out);
void memview_free(struct aftp_vfs *view);

#endif
