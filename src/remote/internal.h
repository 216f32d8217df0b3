/* internal - what the modules of this layer share of a site. Not for the mount. */
#ifndef REMOTE_INTERNAL_H
#define REMOTE_INTERNAL_H

#include "remote/node.h"
#include "remote/pool.h"
#include "remote/site.h"
#include "remote/peek.h"
#include "remote/walk.h"
#include "remote/window.h"
#include "stream/later.h"

struct content;
struct closing;

/* What the server turned out to do, of what it is not asked before it is needed. */
struct abilities {
	bool no_pair; /* RNTO must wait for RNFR's reply */
	bool no_symlink;
	bool no_copy;                /* no SITE CPFR and CPTO */
	bool no_space;               /* no AVBL */
	bool no_append;              /* no APPE */
	bool no_range;               /* its RANG does not end a transfer: ProFTPD where it may not use sendfile(2) */
	bool overtakes;              /* it answers SIZE while an upload is under way */
	bool in_order;               /* it has answered SIZE after the upload before it */
	unsigned follow_fails;       /* uploads in a row with SIZE behind them that were not answered in order */
	unsigned mode, mode_refused; /* the way that worked (0: none yet); bits of those that it does not know */
	unsigned mtime, mtime_refused;
};

/* What transfers have shown of the link. */
struct link_pace {
	uint64_t bytes_per_ms; /* of one transfer */
	uint64_t begin_ms;     /* from the decision to the first byte */
};

/* The answer to the latest MLST that was asked for an extended attribute: who reads one reads all. */
struct facts {
	uint64_t ino, at;
	char *line;
};

struct space {
	uint64_t bytes, at;    /* 0: never told */
	struct space_job *job; /* asking; or NULL */
};

struct site {
	uv_loop_t *loop;
	struct later *later;
	struct pool *pool;
	struct aftp_stream_throttle throttle; /* of all data connections together */
	struct nodes nodes;
	struct site_options o;
	struct aftp_log log;
	char *path;               /* what o.path points to */
	int spool_fd;             /* the directory for temporary files; -1 = there is none */
	struct site_op *ops;      /* under way */
	struct content *contents; /* open files */
	struct site_dir *dirs;    /* open directories */
	struct writer *writers;   /* files that are open for writing */
	unsigned creating;        /* new files in a row */
	uint64_t created_at;      /* ms: the latest */
	uv_timer_t tick;          /* runs while there are writers */
	struct window_memory read_memory;
	struct link_pace pace;
	uint64_t split_again_at; /* ms: several connections for one file were no faster; not before this */
	unsigned readers;
	struct abilities can;
	struct walks walks;
	struct peeks peeks;
	struct facts facts;
	struct space space;
	unsigned gated;         /* opens that wait for reads */
	unsigned removals;      /* deletions under way that nobody waits for */
	struct closing *linger; /* waits for them when the site closes; or NULL */
	bool closing;
	site_stale_cb *stale;
	void *stale_arg;
	void (*closed)(void *arg);
	void *closed_arg;
	struct later_item end;
};

/* A request of the mount. Embedded first in each kind's own struct, which run() frees after the callback. */
struct site_op {
	struct site *site;
	struct later_item due;
	int status;
	bool completed;
	void (*run)(struct site_op *op);    /* calls back with op->status and frees */
	void (*detach)(struct site_op *op); /* stop waiting for whatever would complete it; NULL = nothing to do */
	struct site_op *prev, *next;        /* site::ops */
};

/* `size` bytes, zeroed, listed. NULL when out of memory. *out gets it when out is not NULL. */
void *op_new(struct site *s, size_t size, void (*run)(struct site_op *), struct site_op **out);
/* The outcome is known: run() follows later. A second call is ignored. */
void op_complete(struct site_op *op, int status);
/* Unlists and frees; for run(). */
void op_free(struct site_op *op);

void site_tick(struct site *s);                     /* there is a writer: keep the time for it */
uint64_t site_now(const struct site *s);            /* ms */
bool site_fresh(const struct site *s, uint64_t at); /* learned at `at`: may it still be believed? */

/* Can this be a file's name on the server? 0, -ENAMETOOLONG, AFTP_EBADNAME. */
int site_check_name(const struct site *s, const char *name);

/* attr of a node as the mount gets it. */
void site_fill_attr(const struct site *s, const struct node *n, struct site_attr *a);

/* --- listing.c: one fetch of a directory, shared by all who wait for it --------------------------- */

struct listing_wait { /* embedded in who waits; zero it before first use */
	void (*cb)(
		struct listing_wait *w, int status, struct dirlist *list); /* list is borrowed; NULL when status < 0 */
	/* The list has come to `wanted` entries; wanted is 0 now, and may be set anew. Who takes a reference sees it grow, and
	 * nothing in it changes its place. Another attempt begins another list, and cb may get one with our own changes in it. */
	void (*more)(struct listing_wait *w, struct dirlist *list);
	size_t wanted;           /* 0: only the end. Set it before listing_fetch(), or by listing_want() */
	struct listing_job *job; /* NULL when not waiting */
	struct listing_wait *prev, *next;
};

/* Joins the fetch under way or starts one. 0 or AFTP_ENOMEM (cb never runs). What it brings may lack changes of ours, where
 * some were made since it began, or times that will be asked for: then nothing is told before cb. */
int listing_fetch(struct site *s, struct node *dir, struct listing_wait *w);
/* Starts one that nobody waits for; none is under way. 0 or AFTP_ENOMEM. */
int listing_ahead(struct site *s, struct node *dir);
void listing_want(struct listing_wait *w, size_t count); /* of one who was told already; no effect when not waiting */
void listing_leave(struct listing_wait *w);              /* nothing will run */

/* --- lookup.c: what is this name? ----------------------------------------------------------------- */

/* The attributes of `name` in `dir` from what is cached. 1: *child (a node, made when needed) has them; 0: cannot tell;
 * AFTP_ENOENT: proven absent; AFTP_ENOMEM. */
int lookup_cached(struct site *s, struct node *dir, const char *name, struct node **child);

/* The same of a node that has a parent, from the server, whatever is cached; no count is added. */
int lookup_again(struct site *s, struct node *n, struct site_op **op, site_attr_cb *cb, void *arg);

void dirs_free(struct site *s); /* dir.c: those that nobody closed */

/* As site_lookup(). */
int lookup_start(struct site *s, struct node *dir, const char *name, struct site_op **op, site_attr_cb *cb, void *arg);

/* --- content.c: an open file ---------------------------------------------------------------------- */

/* Cancels every transfer, so that the site can close. */
void contents_close(struct site *s);
/* The server has a new content that came from us: what was buffered of the old one goes. */
void content_written(struct site *s, struct node *n);
/* An upload to n begins or waits: transfers of it that nobody waits for end. Servers that lock files would let none but
 * them go on. */
void content_make_way(struct node *n);
void contents_free(struct site *s); /* with the handles that nobody released */

#endif
