/* wire - the control connection: commands out, replies in, in order (RFC 959 section 4.2).
 *
 * Each command that is sent has a slot in one queue, and keeps it until its final reply came, whatever becomes of who
 * sent it. What breaks the order ends the connection: a final reply to nothing, or to what has not left yet, a 421 at
 * any time, text that is no reply, a line or a reply past its cap, silence while something is owed. Then `lost` runs, once; the slots
 * are still there, for wire_fail().
 *
 * Callbacks run from the loop only. They may send, fail and close. */
#ifndef CLIENT_WIRE_H
#define CLIENT_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include <aftp/log.h>
#include <aftp/reply.h>
#include <aftp/stream.h>

#include "base/buf.h"

enum {
	WIRE_LINE_MAX = 16 << 10,
	WIRE_REPLY_MAX = 1 << 20,
	WIRE_COMMAND_MAX = 64 << 10,
	WIRE_OUT_MAX = 8 << 20, /* commands that wait for the kernel */
	WIRE_EARLY_MAX = 100,   /* 1xx replies to one command */
	WIRE_STRAY_MAX = 10,    /* 1xx replies to none */
};

enum {
	WIRE_EARLY = 1 << 0, /* 1xx replies are handed over, too */
	WIRE_HOLD = 1 << 1,  /* and every other, until wire_settle() gives the slot up */
	WIRE_OWN = 1 << 2,   /* the client's own affair, of which nobody knows: the connection is idle meanwhile */
};

/* status 0: `r` is a reply, valid during the call; else r is NULL. */
typedef void wire_reply_cb(void *arg, int status, const struct aftp_reply *r);

/* A line of a reply that is neither its first nor its last, without its line end; valid during the call. */
typedef void wire_line_cb(void *arg, const char *line, size_t n);

typedef void wire_secured_cb(void *arg);

/* `why`: words for people, "" when there are none; valid during the call. */
typedef void wire_lost_cb(void *arg, int status, const char *why);

struct wire_slot {
	wire_reply_cb *cb;  /* NULL: nobody is interested any more */
	wire_line_cb *line; /* or NULL */
	void *arg;
	unsigned flags;
	char verb[8];
	struct wire_slot *prev, *next; /* wire::slots */
};

struct wire_secure {
	bool due; /* as soon as what is being looked at has been dealt with */
	struct aftp_tls *tls;
	struct aftp_tls_sessions *sessions;
	const char *host;
	wire_secured_cb *cb;
	void *arg;
};

struct wire {
	uv_loop_t *loop;
	struct aftp_log log;
	struct aftp_stream *stream; /* NULL before wire_open() and after the end */
	struct wire_secure secure;
	struct buf in, out, sending;
	bool writing;
	int write_status; /* why nothing can be sent any more */
	struct aftp_reply reply;
	struct wire_slot *slots;
	unsigned owed;     /* how many */
	unsigned unsent;   /* the last ones: their commands are still in `out` */
	unsigned early;    /* 1xx replies to the first of them so far */
	uint64_t since;    /* ms of the loop's clock: the last reply line, or the command that waits for one */
	uint64_t limit_ms; /* how long a reply may take; 0 = for ever */
	uint64_t deadline; /* the end of patience, whatever comes; 0 = none */
	uint64_t nudge_at; /* 0 = never */
	void (*nudge)(void *arg);
	void *nudge_arg;
	bool held, grace;
	uv_timer_t timer;
	int handles;             /* not closed yet */
	int status;              /* < 0: lost */
	void (*wake)(void *arg); /* there is something to flush */
	wire_lost_cb *lost;
	void *arg; /* of both */
	void (*closed)(void *arg);
	void *closed_arg;
};

/* Caller's memory, which stays until wire_close() has called back. */
void wire_init(struct wire *w, uv_loop_t *loop, const struct aftp_log *log, void (*wake)(void *arg), wire_lost_cb *lost,
	void *arg);
/* Takes a connected stream over, and reads. 0, or why it cannot (the stream is still taken). */
int wire_open(struct wire *w, struct aftp_stream *stream);
/* TLS begins: in wire_open(), when called before it; else when the reply whose callback calls this is dealt with, and
 * nothing may be behind that reply. When it cannot, the connection is lost. What is given stays the caller's, and lives
 * as long as the wire. `secured` runs when TLS stands. */
void wire_secure(struct wire *w, struct aftp_tls *tls, struct aftp_tls_sessions *sessions, const char *host,
	wire_secured_cb *secured, void *arg);
/* Closes; calls nobody but `closed`, when no handle is left. The slots must be gone by then. */
void wire_close(struct wire *w, void (*closed)(void *arg), void *arg);
void wire_finish(struct wire *w); /* frees what a closed one holds */

/* The connection is of no use any more: `lost` runs, now. No effect the second time. */
void wire_lose(struct wire *w, int status, const char *why);

/* Empties the queue of slots, in order; each callback gets `status`. */
void wire_fail(struct wire *w, int status);
/* Each callback gets `status`; the slots stay, and wait for their replies. */
void wire_detach(struct wire *w, int status);

/* Sends "VERB argument\r\n" when wire_flush() is called, and adds a slot. `cb` may be NULL.
 * AFTP_EBADNAME, AFTP_ETOOBIG, AFTP_ENOMEM, AFTP_ENOTCONN; then nothing was changed. */
int wire_command(struct wire *w, unsigned flags, wire_reply_cb *cb, void *arg, const char *verb, const char *argument);
/* The same with a line that command_append() made. */
int wire_send(struct wire *w, unsigned flags, wire_reply_cb *cb, void *arg, const char *line, size_t n);
/* The lines within the reply to the command that was sent last go to `cb`, with that command's argument, as they come; the
 * reply has its first and its last line then. It may be of any length. */
void wire_take_lines(struct wire *w, wire_line_cb *cb);
/* A slot for a reply that comes unasked (the greeting). */
int wire_expect(struct wire *w, wire_reply_cb *cb, void *arg);
/* No slot: a reply to it goes to whoever holds the first one (WIRE_HOLD). */
int wire_command_unowed(struct wire *w, const char *verb);

/* The first slot is given up: inside its callback, or between replies. */
void wire_settle(struct wire *w);
/* Inside the first slot's callback: the second is given up, and its callback gets `status`. Without a second one that
 * was sent the connection is lost. */
void wire_give_up_next(struct wire *w, int status);

/* In the first slot's callback, with its argument: the slot is given up, and the reply is the next one's. */
void wire_pass_on(struct wire *w, const struct aftp_reply *r);
/* A reply is owed that somebody waits for. */
bool wire_busy(const struct wire *w);

/* What was sent since the last call leaves in one piece. */
void wire_flush(struct wire *w);

/* Milliseconds that a reply may take from now on; 0 = for ever. */
void wire_set_limit(struct wire *w, int64_t ms);
/* Nothing may take longer than this from now on, answered or not; 0 = no such bound any more. */
void wire_set_deadline(struct wire *w, int64_t ms);
/* Calls back in `ms` milliseconds, once; 0 = not at all. There is one at a time. */
void wire_nudge(struct wire *w, int64_t ms, void (*nudge)(void *arg), void *arg);
/* While it is held, no reply is late (data flows, or its consumer rests). The time counts anew afterwards. */
void wire_hold(struct wire *w, bool held);
/* Milliseconds since the last sign of life. */
uint64_t wire_silence(const struct wire *w);

/* wire.c, for wire_tls.c */
int wire_listen(struct wire *w); /* reads from now on */
/* wire_tls.c, for wire.c */
int wire_tls_begin(struct wire *w);

#endif
