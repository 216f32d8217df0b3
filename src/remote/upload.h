/* upload - STOR or APPE of what a writer has, until the server has confirmed it with its size.
 *
 * The size is asked for right behind the end of the data, where the server takes one thing after the other.
 *
 * A connection that breaks is replaced: SIZE tells what has arrived, and APPE goes on from there, if the window still
 * holds it. But only if what is there is a part of ours and not what was there before: the server had accepted the
 * upload (1xx), the size is within what was sent, and not that of an old file, which is asked for in front of STOR.
 * (Some servers keep the old one until the new one is complete.) Where that is in doubt, all begins anew. */
#ifndef REMOTE_UPLOAD_H
#define REMOTE_UPLOAD_H

#include "remote/writer.h"

enum upload_asked { ASKED_NOTHING, ASKED_MLST, ASKED_SIZE };

struct upload {
	struct site *site;
	struct writer *writer; /* NULL: it went away */
	struct pool_request request;
	struct pool_conn *conn;
	struct aftp_transfer *transfer;
	char *path;
	char *bounce;
	size_t in_flight;
	uint64_t at;     /* SPOOLED: the next byte to send; STREAM: writer::sent is */
	uint64_t began;  /* where this attempt started */
	uint64_t start;  /* where the first one did */
	uint64_t best;   /* the furthest that any came */
	uint64_t floor;  /* as much was proven to be there */
	uint64_t proven; /* the most that ever was: what gets on may try again */
	unsigned attempts;
	bool ready;     /* the server wants bytes */
	bool appending; /* this attempt is by APPE */
	bool pausing;   /* SPOOLED: others wait; to be gone on with */
	bool taken;     /* STOR was accepted once */
	bool exact;     /* `floor` is exactly what is there */
	bool ours;      /* what is there is the beginning of what is being uploaded */
	bool sent_all;  /* the server has confirmed the transfer */
	bool resumed;
	bool blind; /* APPE was sent behind a SIZE whose answer is not in: where it begins is not known */

	/* A session that was lost without a last word may still be writing what has reached the server: its SIZE must stand
	 * still before anything is put behind it. */
	bool unsettled;
	unsigned waiting; /* ticks to the next look; 0: none is due */
	unsigned looks;
	uint64_t looked;

	/* The transfer is over, with this; what was asked may still be owed. */
	bool over;
	int status, code;

	unsigned replies; /* owed */
	int lost;         /* the connection broke meanwhile */
	bool followed;    /* a question was sent behind the data, */
	bool overtaken;   /* and answered too early */
	enum upload_asked asked;
	bool asked_mdtm;
	bool asked_old, has_old, no_old, has_size;
	uint64_t old, size; /* before it; after it */
	struct attr known;  /* MDTM or MLST */
};

/* --- upload.c */
struct writer *upload_end(struct upload *u);      /* u is gone; its writer, or NULL */
void upload_fail(struct upload *u, int status);   /* the same, and tells the writer */
void upload_broken(struct upload *u, int status); /* the connection's fault: again, on another one */
void upload_again(struct upload *u);              /* a new turn */
int upload_ask(struct upload *u, const char *verb, aftp_reply_cb *cb);
bool upload_is_stream(const struct upload *u);
void upload_begin(struct upload *u, bool append);

/* --- upload_confirm.c */
void upload_follow(struct upload *u);        /* the data has ended: asks what can be asked already */
void upload_conclude(struct upload *u);      /* something that was waited for is in */
void upload_cannot_append(struct upload *u); /* another way, if there is one */
uint64_t upload_expected(const struct upload *u);

/* --- upload_resume.c */
bool upload_must_look(const struct upload *u);
void upload_look(struct upload *u); /* on a new connection: how much is there? */
bool upload_may_resume(int status);
/* What is written with O_APPEND goes to the end, wherever that is: SIZE need not be answered before APPE leaves. */
bool upload_may_append(const struct upload *u);
int upload_ask_base(struct upload *u);    /* in front of that APPE */
void upload_begin_anew(struct upload *u); /* from the very beginning, as if nothing had been sent */

#endif
