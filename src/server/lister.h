/* lister - the text of a listing, in blocks: as a pull of its own, and as what a sender sends. */
#ifndef SERVER_LISTER_H
#define SERVER_LISTER_H

#include <aftp/vfs.h>
#include <stdbool.h>
#include <stddef.h>

#include "server/send.h"

struct session;
struct lister;

enum lister_format { LISTER_LIST, LISTER_NLST, LISTER_MLSD };

struct lister_wish {
	enum lister_format format;
	bool dots;           /* with "." and ".." */
	bool itself;         /* a directory is one line, too */
	const char *pattern; /* only entries that fit it, as fnmatch(3) has it; NULL: all; copied */
	const char *prefix;  /* comes before each line; NULL: nothing; copied */
};

/* Looks at `path` and opens what is to be listed: the entries of a directory (also behind a link), or the one line
 * of anything else (MLSD: -ENOTDIR). Holds the session; the callback runs also when the session has died meanwhile. */
typedef void lister_open_cb(void *arg, int status, struct lister *l);
int lister_open(struct session *s, const char *path, const struct lister_wish *wish, lister_open_cb *cb, void *arg);
/* also while lister_next() is under way: then its callback does not run */
void lister_close(struct lister *l);

/* The next block of lines, the caller's to free(), now or later; n 0: the end, or status < 0; data is NULL then. */
typedef void lister_cb(void *arg, int status, char *data, size_t n);
int lister_next(struct lister *l, lister_cb *cb, void *arg);

extern const struct source lister_source;                /* with a struct lister */
void lister_start(struct lister *l, struct sender *snd); /* before send_start() */

#endif
