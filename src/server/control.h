/* control - the two directions of a control connection: lines in, replies out, each through the link's latency.
 *
 * Input waits as bytes until the session asks for the next line, so a client that pipelines is paused once its lines
 * fill the buffer. Replies are gathered and leave in one write each loop turn. */
#ifndef SERVER_CONTROL_H
#define SERVER_CONTROL_H

#include <aftp/stream.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aftp_server;
struct control;

enum control_event {
	CONTROL_ARRIVED, /* a whole line has come where none was waiting; its latency is still to pass */
	CONTROL_INPUT,   /* control_next() may have something new to say */
	CONTROL_DRAINED, /* every reply so far is with the kernel */
	CONTROL_GONE,    /* the connection is broken; nothing comes after it */
	CONTROL_CUT,     /* a fault says: reset everything now */
};
/* May call anything but control_close() on another session's control. */
typedef void control_cb(void *arg, enum control_event event);

/* Takes the stream over and starts to read; on failure it stays the caller's. */
int control_new(struct control **out, struct aftp_server *srv, struct aftp_stream *stream, control_cb *cb, void *arg);

enum control_line {
	CONTROL_NONE, /* nothing complete has arrived */
	CONTROL_LINE,
	CONTROL_TOO_LONG, /* one line over the cap; the rest of it is passed over */
	CONTROL_EOF,      /* the client will send nothing more; a part of a line is not a command */
};
/* The next line, without its end and leading telnet commands; valid until the next call into the control. A line is
 * given again until control_consume(). */
enum control_line control_next(struct control *c, const char **line, size_t *len);
void control_consume(struct control *c);
void control_deafen(struct control *c); /* drops all further input */

/* Appends to the replies. 0, AFTP_ETOOBIG, AFTP_ENOMEM. */
int control_put(struct control *c, const char *data, size_t n);
size_t control_backlog(const struct control *c); /* bytes of replies that the kernel has not taken */
bool control_owes(const struct control *c);      /* there are replies that have not left */

/* TLS, as the server, when all replies so far have left; nothing is read or sent meanwhile. What has come behind the
 * line that was consumed last was not protected: AFTP_EPROTO. `done` gets the control's arg, later, unless the control
 * breaks or is closed. */
int control_start_tls(struct control *c, struct aftp_tls *tls, struct aftp_tls_sessions *sessions,
	void (*done)(void *arg, int status));

/* Sends something for ever, or nothing any more, in place of replies. */
enum babble { BABBLE_NONE, BABBLE_GARBAGE, BABBLE_LINE, BABBLE_REPLY, BABBLE_SILENCE };
void control_babble(struct control *c, enum babble kind);

/* Ends the connection (what was put and not sent is lost), sets *c to NULL, then runs `closed`; the memory is gone
 * then. */
void control_close(struct control **c, bool abort, void (*closed)(void *arg), void *arg);

#endif
