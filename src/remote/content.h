/* content - the bytes of one open file, shared by all its handles.
 *
 * RETR streams from an offset to the end, and stopping early costs a round trip. So a file that is read has one
 * `reader` for each place where it is being read: a window of buffered bytes with a transfer that runs ahead of it.
 * A read goes to the reader whose window it falls into, or a little ahead of; otherwise to a new or an unused one.
 *
 * What is read is one version of the file. SIZE and MDTM travel in front of each RETR, at no cost in round trips;
 * when they tell of another version than before, reads fail (AFTP_ECHANGED) rather than mix the two. An open that comes
 * when another version is known of has a content of its own. A file that has grown can be followed (tail -f): who reads
 * on at the old end goes on, if what stood in front of it is still the same. */
#ifndef REMOTE_CONTENT_H
#define REMOTE_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "remote/internal.h"
#include "remote/segments.h"
#include "remote/window.h"

#define UNKNOWN_SIZE UINT64_MAX

struct fetch;
struct reader;

struct site_file {
	struct content *content;
	struct writer *writer; /* NULL: only for reading */
	bool append;
	struct site_file *prev, *next; /* content::files */
};

struct version {
	bool known;    /* the server was asked at least once since the open */
	uint64_t size; /* UNKNOWN_SIZE: until the end was seen */
	bool has_mtime;
	int64_t mtime;
	uint32_t mtime_nsec;
};

/* The last bytes of a file before it grew, to be compared with what is there now. */
struct seam {
	char *bytes; /* NULL: there are none, or they are the same */
	uint64_t off;
	size_t len;
};

struct read_op {
	struct site_op op;
	struct content *content;
	struct reader *reader; /* where it waits; NULL: in content::pending, or nowhere */
	uint64_t asked;        /* ms */
	bool again;            /* it has to begin once more */
	uint64_t off;
	size_t len;
	site_read_cb *cb;
	void *arg;
	struct read_op *before, *after; /* reader::waiting or content::pending */
};

struct content {
	struct site *site;
	struct node *node; /* holds a reference */
	unsigned handles;
	struct peek *peek; /* it is one of them; or NULL */
	bool gone;         /* its version is not there any more; node::content is another, or none */
	bool superseded;   /* the same, and all that may be read of it is what has grown */
	struct version version;
	struct attr seen; /* what the node was like in this version */
	struct seam seam;
	struct reader *readers;
	unsigned jumps;              /* of readers to other places in a row, none of which went on from there */
	struct read_op *pending;     /* no reader is free for them */
	struct site_file *files;     /* the handles */
	struct content *prev, *next; /* site::contents */
};

/* The content of a node as it is now, made when there is none; NULL when out of memory. Freed when it has no handle
 * any more. */
struct content *content_of(struct site *s, struct node *n);
void content_free(struct content *c);
void content_put(struct content *c); /* a handle goes */
/* Is a read of any version under way that was asked for before `op` was? */
bool content_is_read(const struct content *c, const struct site_op *op);
/* Has the node handles, in whatever version? The look-ahead's do not count. */
bool content_is_open(const struct site *s, const struct node *n);
/* file.c: opens may wait for a read that has ended (site::gated counts them). */
void file_read_ended(struct site *s);

/* SIZE and MDTM have answered (absent ones: UNKNOWN_SIZE, has_mtime false). 0, or AFTP_ECHANGED: the readers are
 * about to be dropped. */
int content_check(struct content *c, const struct version *now);
/* Fails everything that waits, and lets new opens start afresh. */
void content_changed(struct content *c);
/* A reader has nothing to do: does somebody wait for one? */
void content_reader_free(struct content *c, struct reader *r);

/* --- growth.c ------------------------------------------------------------------------------------- */

/* The file has grown, and this read asks for bytes behind its old end. A short answer would not do: the kernel fills
 * the page up with zeros, and shows them to whoever knows the new size. */
bool growth_concerns(const struct read_op *op);
bool growth_awaited(const struct content *c); /* one that is pending is such a read */
/* From now on the new version is read; no reader may be busy. 0, AFTP_ENOMEM, or AFTP_ECHANGED: what was read last
 * cannot be compared. */
int growth_begin(struct content *c, uint64_t off);
/* Until the seam is compared: it asks for nothing behind it, so it would not tell. */
bool growth_is_before(const struct read_op *op);
bool growth_is_right(const struct read_op *op); /* what has come for it agrees with the seam */
void growth_drop(struct content *c);            /* the seam */

/* --- reader.c ------------------------------------------------------------------------------------- */

struct reader {
	struct content *content;
	struct window window;    /* its end is where the transfer is */
	uint64_t served;         /* offset after the highest byte that was handed out */
	uint64_t stop;           /* where the transfer ends: another reader has what follows; UINT64_MAX: nowhere */
	size_t ahead;            /* how far it may run ahead of what was handed out */
	bool paused, was_paused; /* the transfer waits for room; it did since the window last grew */
	bool scratch_lent;       /* the transfer reads behind the end of the file, to see it end */
	unsigned failures;       /* since the last byte came */
	struct fetch *fetch;     /* NULL when no transfer runs or is wanted */
	struct read_op *waiting;
	struct reader *prev, *next; /* content::readers, latest used first */
	char scratch[16];

	struct reader *lead; /* this one is a part of what that one reads; NULL: it leads itself */
	struct reader *part; /* the next part */
	struct split split;
};

/* 0 or AFTP_ENOMEM. */
int reader_new(struct reader **out, struct content *c, uint64_t off);
void reader_free(struct reader *r); /* its ops must be gone */
bool reader_reaches(const struct reader *r, uint64_t off);
void reader_add(struct reader *r, struct read_op *op); /* answers later */
void reader_remove(struct reader *r, struct read_op *op);
void reader_seek(struct reader *r, uint64_t off); /* only when nothing waits */
void reader_restart(struct reader *r);            /* everything that waits is read anew */
void reader_fail(struct reader *r, int status);   /* everything that waits */
bool reader_done(const struct reader *r);         /* it has seen the end of the file */
/* Nobody waits: fetches up to n bytes when a connection is idle. 0 or AFTP_ENOMEM. */
int reader_prefetch(struct reader *r, size_t n);

/* --- for segments.c ------------------------------------------------------------------------------- */
struct reader *reader_bare(struct content *c, uint64_t off); /* not in content::readers; NULL when out of memory */
void reader_free_bare(struct reader *r);
void reader_need_fetch(struct reader *r);
void reader_resume(struct reader *r); /* there may be room again */

/* --- for fetch.c: the transfer's side of the window ----------------------------------------------- */
char *reader_lend(struct reader *r, size_t *len); /* NULL: no room */
uint64_t reader_until(const struct reader *r);    /* where it will end; UINT64_MAX: it may go on */
int reader_landed(struct reader *r, size_t n);    /* 0; AFTP_EOF: the file has more than it should, stop here */
void reader_fetch_ended(struct reader *r, int status);

/* --- fetch.c: one RETR for a reader --------------------------------------------------------------- */

/* Gets a connection and retrieves from the window's end. 0 or AFTP_ENOMEM. */
int fetch_start(struct reader *r, enum pool_class class);
bool fetch_has_begun(const struct fetch *f); /* the offset is settled */
void fetch_demand(struct fetch *f);          /* somebody waits for it now */
void fetch_hand_over(struct fetch *f, struct reader *r);
void fetch_detach(struct fetch *f); /* the reader goes its own way; the transfer is cancelled */
void fetch_resume(struct fetch *f);
/* Somebody waits for a connection and this reader has nobody to serve: give it back? */
void fetch_offer(struct fetch *f);

/* The bytes of a finished read are in the window: call back. */
void read_op_deliver(struct read_op *op);

#endif
