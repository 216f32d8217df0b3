/* writer - a file that is open for writing: what its programs have written, on its way to the server.
 *
 * CLEAN     the server has confirmed everything
 * STREAM    bytes go straight into STOR or APPE, in order; a window of them is kept to resume a broken upload
 * SPOOLED   the whole content is here, since something was written elsewhere than at the end; sent at flush
 * FAILED    what was written cannot be saved; every call says why, until the last handle is released
 *
 * Requests queue and are done one after the other: a write is answered when its bytes are in the window or in the
 * spool, a flush when the server has confirmed all of it, with its size. A stream that stays idle, or whose
 * connection others wait for, is finished and confirmed early; the next write appends. So no writer ever keeps
 * others from the site for long.
 *
 * With site_options::atomic a whole upload goes to a name of its own in the same directory, and gets the file's name
 * at flush, when it is confirmed. */
#ifndef REMOTE_WRITER_H
#define REMOTE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "remote/internal.h"
#include "remote/spool.h"

enum writer_state { WRITER_CLEAN, WRITER_STREAM, WRITER_SPOOLED, WRITER_FAILED };

struct block {
	struct block *next;
	uint64_t off; /* in the file */
	size_t len;
	const char *data;
	struct site_memory memory; /* the lender's, given back when the block goes; or data is `bytes` */
	char bytes[];
};

struct writer_op;
struct upload;

struct writer {
	struct site *site;
	struct node *node; /* holds a reference */
	unsigned refs;     /* handles and requests by path */
	enum writer_state state;
	uint64_t size; /* of the file as its programs see it */
	bool stale;    /* CLEAN, but the server's content is not this: the file is new, or was emptied */
	bool replaces; /* a file of this name was there */
	int error;     /* FAILED: why */

	/* STREAM: the bytes base..size are in blocks; those before `sent` were given to the connection. */
	struct block *first, *last;
	uint64_t base, sent;
	bool by_append;   /* every byte of it was written with O_APPEND */
	bool append;      /* it began behind what the server had: APPE */
	bool finishing;   /* no more blocks: end the upload and have it confirmed */
	uint64_t busy_at; /* ms: the latest write */

	struct spool *spool;  /* SPOOLED */
	bool dirty;           /* SPOOLED: the server does not have it */
	struct block *behind; /* blocks that go into the spool when it is there: the server cannot append */

	char *temp; /* atomic: the name that the content has on the server, until it is published; or NULL */

	struct upload *upload; /* under way; NULL */
	struct load *load;     /* the spool is being filled; NULL */
	struct writer_op *todo;
	struct later_item send; /* of new blocks, after their writers have been answered: they write on meanwhile */
	bool send_due;
	bool stepping;
	unsigned held; /* its name is about to change: nothing is done */
	bool mode_due; /* the file is to have `mode` */
	mode_t mode;
	struct mutation *setting; /* the mode is being set, or the name; NULL */
	bool published;
	int publish_status;
	struct writer *prev, *next; /* site::writers */
};

/* The writer of a node, made when there is none; a reference for the caller. NULL when out of memory. */
struct writer *writer_get(struct site *s, struct node *n);
void writer_put(struct writer *w); /* the last reference: what is not confirmed is dropped, with a word in the log */

/* The node is a new file: nothing is on the server yet. Begins the upload, where a connection can be spared. */
void writer_created(struct writer *w, mode_t mode);

/* Is what the programs see elsewhere than on the server? Then reads come here. */
bool writer_has_content(const struct writer *w);

/* Would anything be lost if it went away now? Not what was given up already: its programs have been told. */
bool writer_unsaved(const struct writer *w);

/* Queue a request each; they answer through the op. 0 or AFTP_ENOMEM. */
int writer_write(struct writer *w, bool append, uint64_t off, const struct site_bytes *bytes, struct site_op **op,
	site_write_cb *cb, void *arg);
int writer_read(struct writer *w, uint64_t off, size_t len, struct site_op **op, site_read_cb *cb, void *arg);
int writer_flush(struct writer *w, struct site_op **op, site_done_cb *cb, void *arg);
int writer_resize(struct writer *w, uint64_t size, struct site_op **op, site_done_cb *cb, void *arg);

/* As writer_flush(). Then, with status 0, nothing more is done for it until writer_resume(): its name is about to
 * change, and no upload may be under way to the old one. A writer that has failed is held, too. */
int writer_hold(struct writer *w, site_done_cb *cb, void *arg);
void writer_resume(struct writer *w);

/* While it is held: the server has filled the file, which was empty, at that time. */
void writer_filled(struct writer *w, uint64_t size, const struct attr *known);

/* SITE_SET_SIZE of site_setattr(): with a handle the change is sent at flush, by path at once. */
int writer_truncate(struct site *s, struct node *n, struct site_file *f, uint64_t size, struct site_op **op,
	site_attr_cb *cb, void *arg);

struct writer *file_writer(const struct site_file *f); /* file.c; NULL: only for reading */

void writers_tick(
	struct site *s); /* every 100 ms or so: finishes streams that are idle, looks again at uploads that broke */
void writers_close(struct site *s); /* the site closes */

/* --- between the modules of the writer ------------------------------------------------------------- */

void writer_step(struct writer *w); /* writer_op.c: something has changed: go on with the queue */
void writer_fail(struct writer *w, int status);
void writer_confirmed(struct writer *w, const struct attr *known); /* the server has it all; mtime when it told */
void writer_cannot_append(struct writer *w);                       /* nor will the server ever; nothing was sent */
void writer_free_block(struct block *b);
char *writer_path(const struct writer *w); /* where the content is, or goes; malloc'ed */
/* What programs see of the file changes with each write. */
void writer_show(struct writer *w);

/* Moves between the states: each returns 1 when it is done, 0 when something is under way that ends in
 * writer_step(), < 0 when it cannot be. */
int writer_settle_stream(struct writer *w);  /* STREAM to CLEAN */
int writer_open_stream(struct writer *w);    /* CLEAN to STREAM: 0 or < 0 */
int writer_become_spooled(struct writer *w); /* with all that the server has */
int writer_save(struct writer *w);           /* the content confirmed, under its name */
int writer_set_mode(struct writer *w);
int writer_new_spool(const struct writer *w, struct spool **out); /* 0 or AFTP_ENOMEM */
bool writer_may_stream(const struct writer *w);                   /* CLEAN: could it become STREAM? */

/* upload.c: STOR or APPE of what the writer has. writer_confirmed() or writer_fail() ends it. 0 or AFTP_ENOMEM. */
int upload_start(struct writer *w);
void upload_kick(struct upload *u);           /* there are new blocks, or `finishing` */
void upload_abandon(struct upload *u);        /* the writer goes away */
void upload_settle(struct upload *u);         /* some time has passed: another look, where one is due */
bool upload_may_stream(const struct site *s); /* would another one leave a connection for the rest? */

/* load.c: the server's content into a new spool. writer_loaded() ends it. 0 or AFTP_ENOMEM. */
int load_start(struct writer *w);
void load_abandon(struct load *l);
void writer_loaded(struct writer *w, int status, struct spool *spool);

#endif
